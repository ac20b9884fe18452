#!/usr/bin/env bash
# A throw-away SNS and SQS server for tests: fauxqs, in memory, on loopback.
#
#   queues.sh install    installs it and the Node.js it needs into queues/node_modules, unless the locked versions are there
#   queues.sh installed  tells by its exit code whether they are
#   queues.sh up   DIR   starts it in DIR (created, and wiped if it is an earlier one) and prints DIR/queues.env
#   queues.sh down DIR   stops the process of DIR's pid file, and removes DIR
#
# QUEUES_PORT       its port; by default a free one
# QUEUES_WATCH_PID  stop it when this process ends, however it ends
#
# Suitable for: topics, filters, raw delivery, queues, visibility, dead letters, long polls, FIFO.
# Not suitable for: signatures and permissions are not checked. Any keys are accepted; those printed are the ones of s3.sh, so that one
# process can use both.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/queues
readonly here oldest_node=22.5

fail() { echo "queues.sh: $*" >&2; exit 1; }

usage() { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 64; }

# Zombies count as ended, even where nobody reaps them.
is_alive() {
    if [ -d /proc/self ]; then
        grep -qsE '^State:[[:space:]]+[^ZX[:space:]]' "/proc/$1/status"
    else
        kill -0 "$1" 2>/dev/null
    fi
}

# The command is compared too: a pid may belong to another process by now.
is_ours() { [ -n "$1" ] && is_alive "$1" && [[ "$(ps -o args= -p "$1" 2>/dev/null)" == *"$dir/address"* ]]; }

# The locked version, else one on this machine that is new enough.
node() {
    local candidate
    for candidate in "$here"/node_modules/node-*/bin/node "$(command -v node || true)"; do
        [ -x "$candidate" ] && is_new_enough "$candidate" && echo "$candidate" && return
    done
    return 1
}

is_new_enough() {
    local version major minor
    version=$("$1" --version 2>/dev/null) || return 1
    IFS=. read -r major minor _ <<<"${version#v}"
    [ "$major" -gt "${oldest_node%.*}" ] || { [ "$major" -eq "${oldest_node%.*}" ] && [ "$minor" -ge "${oldest_node#*.}" ]; }
}

installed() {
    cmp -s "$here/package-lock.json" "$here/node_modules/.installed" && node >/dev/null
}

install() {
    installed && return
    command -v npm >/dev/null || fail \
        'npm is missing. Install Node.js with npm (on Debian and Ubuntu: apt-get install --no-install-recommends npm; else nodejs.org).'
    # Two clones have a folder each, but two runs of one clone do not.
    if command -v flock >/dev/null; then
        exec 9>"$here/.install.lock"
        flock 9
        if installed; then return; fi
    fi
    local said
    if ! said=$(cd "$here" && npm ci --no-audit --no-fund </dev/null 2>&1); then
        echo "$said" | tail -n 20 >&2
        fail "npm could not install it. Try it manually: npm ci --prefix $here"
    fi
    node >/dev/null || fail "Node.js has no package for this machine: install $oldest_node or newer (nodejs.org)."
    cp "$here/package-lock.json" "$here/node_modules/.installed"
}

up() {
    installed || fail "its packages are missing: $here.sh install"
    if [ -e "$dir" ] && [ -n "$(ls -A "$dir")" ]; then
        [ -e "$dir/.queues-test-server" ] || fail "$dir contains something else; name an empty directory"
        down
    fi
    mkdir -p "$dir"
    touch "$dir/.queues-test-server"
    "$(node)" "$here/server.js" "$dir/address" "$dir/pid" >"$dir/log" 2>&1 </dev/null &
    local pid=$! i
    for ((i = 0; i < 300; i++)); do
        if [ -s "$dir/address" ] || ! is_alive $pid; then break; fi
        sleep 0.1
    done
    if [ ! -s "$dir/address" ]; then
        kill $pid 2>/dev/null || true
        tail -n 20 "$dir/log" >&2
        fail 'it did not start'
    fi
    cat >"$dir/queues.env" <<ENV
AWS_ENDPOINT_URL_SNS=$(cat "$dir/address")
AWS_ENDPOINT_URL_SQS=$(cat "$dir/address")
AWS_ACCESS_KEY_ID=testaccesskey0000001
AWS_SECRET_ACCESS_KEY=testsecretkey00000000000000000000000001
AWS_REGION=us-east-1
ENV
    if [ -n "${QUEUES_WATCH_PID:-}" ]; then
        if command -v setsid >/dev/null; then
            setsid "$0" watch "$dir" "$QUEUES_WATCH_PID" </dev/null >/dev/null 2>&1 &
        else
            nohup "$0" watch "$dir" "$QUEUES_WATCH_PID" </dev/null >/dev/null 2>&1 &
        fi
    fi
    cat "$dir/queues.env"
}

down() {
    [ -e "$dir/.queues-test-server" ] || return 0
    local pid
    pid=$(tr -dc 0-9 <"$dir/pid" 2>/dev/null || true)
    if is_ours "$pid"; then
        kill -KILL "$pid" 2>/dev/null || true # nothing of it is kept
        for _ in $(seq 50); do is_ours "$pid" || break; sleep 0.1; done
    fi
    rm -rf "$dir"
}

watch() {
    # Also ends when another process stopped the server.
    while is_alive "$1" && [ -e "$dir/.queues-test-server" ]; do sleep 1; done
    down
}

case ${1:-} in
    install) install ; exit ;;
    installed) installed ; exit ;;
    up | down | watch) [ $# -ge 2 ] || usage ;;
    *) usage ;;
esac
mkdir -p "$(dirname "$2")"
dir=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2")
case $1 in
    up) up ;;
    down) down ;;
    watch) watch "$3" ;;
esac
