#!/usr/bin/env bash
# Makes this folder's files anew with version 0.1: ./make.sh <a clone of commit 6d965ba> (README.md says what they are).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
clone=$(cd "$1" && pwd -P)
port=${PORT:-18401}
api=http://127.0.0.1:$port
data=$(mktemp -d)
chmod 755 "$data"
service=

dotnet build "$clone/src/ClaimCheck.Service" --configuration Release --nologo --verbosity quiet

start() {
    ClaimCheck__DataDirectory=$data ClaimCheck__Sample__Orders=3900 ClaimCheck__Roles=$1 \
        dotnet "$clone/src/ClaimCheck.Service/bin/Release/net10.0/ClaimCheck.Service.dll" --urls "$api" >"$data.log" 2>&1 &
    service=$!
    until curl -sf "$api/health/ready" >/dev/null; do
        kill -0 "$service" 2>/dev/null || { cat "$data.log" >&2; exit 1; }
        sleep 0.2
    done
}

stop() {
    [ -z "$service" ] || { kill -TERM "$service" && wait "$service" || true; }
    service=
}
trap 'stop; rm -rf "$data" "$data.log"' EXIT

text_of() { # <compression> <batch>: what all records are
    if [ "$1" = gzip ]; then curl -sf "$api/v1/batches/$2/data" | gunzip; else curl -sf "$api/v1/batches/$2/data"; fi
}

field() { # <name>: of the JSON that comes in
    grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d : -f 2 | tr -d '"'
}

rows=()
note() { # <what it is> <format> <compression> <batch>
    local state
    until state=$(curl -sf "$api/v1/batches/$4" | field state) && [ "$state" = ready ]; do sleep 0.2; done
    rows+=("$(printf '  { "name": "%s", "batchId": "%s", "format": "%s", "compression": "%s", "records": %s, "text": "%s" }' \
        "$1" "$4" "$2" "$3" "$(curl -sf "$api/v1/batches/$4" | field records)" "$(text_of "$3" "$4" | sha256sum | cut -d ' ' -f 1)")")
}

export_of() { # <what it is> <format> <compression> <more of the request>
    note "$1" "$2" "$3" "$(curl -sf "$api/v1/exports" -H 'Content-Type: application/json' -H 'Prefer: wait=60' \
        -d "{ \"dataset\": \"orders\", \"format\": \"$2\", \"compression\": \"$3\" $4 }" | field batchId)"
}

start api,worker
last='"since": "2026-06-20T00:00:00Z"'
export_of "several files" csv gzip ', "maxFileBytes": 65536'
export_of "json lines" ndjson gzip ', "criteria": { "status": "cancelled" }, "maxFileBytes": 65536'
export_of "plain csv" csv none ", \"criteria\": { $last }, \"maxFileBytes\": 65536"
export_of "plain json lines" ndjson none ", \"criteria\": { $last }"
export_of "nothing as csv" csv gzip ', "criteria": { "since": "2999-01-01T00:00:00Z" }'
export_of "nothing as json lines" ndjson gzip ', "criteria": { "since": "2999-01-01T00:00:00Z" }'

# A batch that a producer brought.
printf 'id,note\n1,one\n2,\n3,"a ""quoted"",\nline"\n' | gzip -n >"$data/produced.csv.gz"
opened=$(curl -sf "$api/v1/batches" -H 'Content-Type: application/json' -d "{ \"dataset\": \"produced\", \"key\": \"id\", \"columns\":
    [ { \"name\": \"id\", \"type\": \"bigint\" }, { \"name\": \"note\", \"type\": \"text\" } ], \"format\": \"csv\", \"compression\": \"gzip\",
    \"files\": [ { \"name\": \"produced.csv.gz\", \"bytes\": $(stat -c %s "$data/produced.csv.gz"), \"records\": 3,
    \"sha256\": \"$(sha256sum "$data/produced.csv.gz" | cut -d ' ' -f 1)\" } ] }")
produced=$(field batchId <<<"$opened")
curl -sf -X PUT "$api/v1/batches/$produced/files/produced.csv.gz" -T "$data/produced.csv.gz"
curl -sf -X POST "$api/v1/batches/$produced/publish" >/dev/null
note "a producer's" csv gzip "$produced"
stop

# And an export that nobody has begun.
start api
pending=$(curl -sf "$api/v1/exports" -H 'Content-Type: application/json' -d '{ "dataset": "orders", "criteria": { "status": "cancelled" } }' | field exportId)
connection=$(cat "$data/sample-connection")
of() { tr ';' '\n' <<<"$connection" | sed -n "s/^$1=//p"; }
# The lines \restrict and \unrestrict are psql's own; without them anything that speaks SQL can run the script.
PGPASSWORD=$(of Password) pg_dump -h "$(of Host)" -p "$(of Port)" -U "$(of Username)" --no-owner --no-privileges --inserts --rows-per-insert=100 claimcheck |
    grep -vE '^(\\(un)?restrict |--|$)' >"$here/catalog.sql"
stop

rm -rf "$here/staging"
cp -R "$data/staging" "$here/staging"
find "$here/staging" -type d -empty -delete
cp "$data/link-keys.json" "$here/link-keys.json"
printf '{ "pending": "%s", "batches": [\n%s\n] }\n' "$pending" "$(printf '%s,\n' "${rows[@]}" | sed '$ s/,$//')" >"$here/expected.json"
