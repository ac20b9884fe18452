using System.Diagnostics;

namespace ClaimCheck.Testing;

/// <summary>
/// Java's GZIPInputStream as it reads from a network: in pieces of 1,448 bytes, the data of one packet, with nothing more at hand
/// when it asks. It then takes the end of a member for the end of the file.
/// </summary>
internal static class JavaGzip
{
    private const string Program = """
        import java.io.*;
        import java.math.BigInteger;
        import java.nio.file.*;
        import java.security.MessageDigest;
        import java.util.zip.GZIPInputStream;

        public class Read {
            public static void main(String[] arguments) throws Exception {
                for (String path : Files.readAllLines(Path.of(arguments[0]))) {
                    MessageDigest digest = MessageDigest.getInstance("SHA-256");
                    try (InputStream plain = new GZIPInputStream(new Packets(Files.readAllBytes(Path.of(path))))) {
                        digest.update(plain.readAllBytes());
                    }
                    System.out.println(String.format("%064x", new BigInteger(1, digest.digest())));
                }
            }

            static final class Packets extends ByteArrayInputStream {
                Packets(byte[] bytes) { super(bytes); }
                @Override public int available() { return 0; }
                @Override public int read(byte[] into, int offset, int length) {
                    return super.read(into, offset, Math.min(length, 1448 - pos % 1448));
                }
            }
        }
        """;

    /// <summary>Reads files, one after the other.</summary>
    /// <returns>The SHA-256 of what each held, 64 lower-case hex digits.</returns>
    public static async Task<IReadOnlyList<string>> DigestsAsync(IReadOnlyCollection<byte[]> files)
    {
        var folder = Directory.CreateTempSubdirectory("claimcheck-java-").FullName;
        try
        {
            var paths = files.Select((file, at) =>
            {
                var path = Path.Combine(folder, $"{at}.gz");
                File.WriteAllBytes(path, file);
                return path;
            }).ToList();
            var (list, source) = (Path.Combine(folder, "list"), Path.Combine(folder, "Read.java"));
            await File.WriteAllLinesAsync(list, paths);
            await File.WriteAllTextAsync(source, Program);
            var start = new ProcessStartInfo("java", ["-Xshare:auto", "-XX:TieredStopAtLevel=1", source, list])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var java = Process.Start(start) ?? throw new InvalidOperationException("Java could not be started.");
            var said = java.StandardError.ReadToEndAsync();
            var output = await java.StandardOutput.ReadToEndAsync();
            await java.WaitForExitAsync();
            return java.ExitCode == 0
                ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                : throw new InvalidOperationException($"Java failed: {await said}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
