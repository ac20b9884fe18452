// fauxqs on loopback: its own command line listens on every interface.
//
//   node server.js PORT_FILE PID_FILE   writes its address into PORT_FILE once it answers
import { renameSync, writeFileSync } from "node:fs";
import { buildApp } from "fauxqs";

const [addressFile, pidFile] = process.argv.slice(2);
const app = buildApp({ logger: false, defaultRegion: process.env.AWS_REGION ?? "us-east-1" });

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => process.exit(0));
}

writeFileSync(pidFile, `${process.pid}\n`);
const address = await app.listen({ host: "127.0.0.1", port: Number(process.env.QUEUES_PORT ?? 0) });

// By rename, so that a reader sees all of it or nothing.
writeFileSync(`${addressFile}.new`, `${address}\n`);
renameSync(`${addressFile}.new`, addressFile);
