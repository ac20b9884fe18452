#!/usr/bin/env bash
# A throw-away S3 server for tests: one Ceph monitor, one OSD in memory, one RADOS gateway, on loopback.
#
#   s3.sh up   DIR   starts it in DIR (created, and wiped if it is an earlier one) and prints DIR/s3.env
#   s3.sh down DIR   stops the processes of DIR's pid files, and removes DIR
#
# S3_PORT       the gateway's port; by default a free one is found. The next 19 ports are used as well.
# S3_WATCH_PID  stop everything when this process ends, however it ends
# S3_BYTES      its capacity (default 8 GiB; memory is used as it fills)
#
# Suitable for: SigV4, presigned links (signature and expiry are checked), multipart, ranges, versions, policies.
# Not suitable for: conditional completes, flexible checksums; SigV2 is accepted.
set -euo pipefail

readonly packages='ceph-mon ceph-osd radosgw ceph-common'
readonly access_key=testaccesskey0000001 secret_key=testsecretkey00000000000000000000000001

fail() { echo "s3.sh: $*" >&2; exit 1; }

usage() { sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 64; }

# Zombies count as ended, even where nobody reaps them.
is_alive() { grep -qsE '^State:[[:space:]]+[^ZX[:space:]]' "/proc/$1/status"; }

# The name is compared too: a pid may belong to another process by now.
is_ours() { [ -n "$1" ] && [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] && is_alive "$1"; }

stop_one() {
    local file=$dir/run/$1.pid name=$2 signal=$3 pid
    [ -s "$file" ] || return 0
    pid=$(tr -dc 0-9 <"$file")
    if is_ours "$pid" "$name"; then
        kill "-$signal" "$pid" 2>/dev/null || true
        for _ in $(seq 50); do is_ours "$pid" "$name" || break; sleep 0.1; done
        if is_ours "$pid" "$name"; then kill -KILL "$pid" 2>/dev/null || true; fi
    fi
    rm -f "$file"
}

stop_all() {
    stop_one rgw radosgw KILL # nothing of it is kept, so nothing has to be written back
    stop_one osd ceph-osd KILL
    stop_one mon ceph-mon KILL
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

find_ports() {
    local base offset taken
    for _ in $(seq 50); do
        base=$((10000 + (RANDOM * 32768 + RANDOM) % 1000 * 20)) # below the range that the kernel hands out
        taken=
        for offset in 0 1 2 3 4 5 6 7; do port_is_free $((base + offset)) || { taken=1; break; }; done
        [ -n "$taken" ] || { echo "$base"; return; }
    done
    fail "found no free ports on 127.0.0.1"
}

until_true() {
    local what=$1 seconds=$2 i
    shift 2
    for ((i = 0; i < seconds * 10; i++)); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
    fail "$what did not come up within $seconds s"
}

write_config() {
    cat >"$dir/ceph.conf" <<CONFIG
[global]
fsid = $1
mon_host = [v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_port_min = $((port + 3))
ms_bind_port_max = $((port + 19))
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
# Without authentication there are no keys for the default "secure" mode.
ms_mon_client_mode = crc
ms_mon_service_mode = crc
ms_mon_cluster_mode = crc
ms_client_mode = crc
ms_service_mode = crc
ms_cluster_mode = crc
run_dir = $dir/run
admin_socket = $dir/run/\$name.asok
crash_dir = $dir/log
log_file = $dir/log/\$name.log
log_to_syslog = false
err_to_syslog = false
mon_cluster_log_file = $dir/log/cluster.log
mon_data = $dir/mon
mon_initial_members = a
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_max_pg_per_osd = 1000
mon_data_avail_warn = 1
mon_data_avail_crit = 1
# Start-up waits for commits of the monitor.
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
osd_data = $dir/osd
osd_objectstore = memstore
memstore_device_bytes = $bytes
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_max_object_name_len = 2048
[client]
keyring = /dev/null
[client.rgw.a]
rgw_data = $dir/rgw
# tcp_nodelay: without it each small GET waits 40 ms for a delayed ACK.
rgw_frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw_thread_pool_size = 64
# Deleted objects are freed at once: by default a memstore fills up for two hours.
rgw_gc_obj_min_wait = 5
rgw_gc_processor_period = 10
rgw_gc_processor_max_time = 10
rgw_crypt_require_ssl = false
rgw_override_bucket_index_max_shards = 1
CONFIG
}

start_all() {
    local fsid osd_id
    fsid=$(cat /proc/sys/kernel/random/uuid)
    osd_id=$(cat /proc/sys/kernel/random/uuid)
    write_config "$fsid"
    export CEPH_CONF=$dir/ceph.conf
    ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"

    monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]" "$dir/monmap"
    ceph-mon --mkfs -i a --monmap "$dir/monmap"
    ceph-mon -i a --pid-file "$dir/run/mon.pid"
    until_true 'the monitor' 30 ceph --connect-timeout 2 mon stat

    ceph osd new "$osd_id" 0
    ceph-osd -i 0 --mkfs --osd-uuid "$osd_id"
    ceph-osd -i 0 --pid-file "$dir/run/osd.pid"
    until_true 'the object store' 60 osd_is_up

    radosgw -n client.rgw.a --pid-file "$dir/run/rgw.pid"
    until_true 'the gateway' 120 gateway_answers
    radosgw-admin -n client.rgw.a user create --uid tests --display-name tests --access-key "$access_key" --secret-key "$secret_key"
}

osd_is_up() { ceph osd stat | grep -q '1 up'; }

gateway_answers() {
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    local line
    read -r -t 3 line <&3 || return 1
    exec 3>&-
    [[ $line == *' 200 '* ]]
}

up() {
    local tool
    for tool in ceph-mon ceph-osd radosgw radosgw-admin ceph monmaptool; do
        command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install -y --no-install-recommends $packages"
    done
    if [ -e "$dir" ] && [ -n "$(ls -A "$dir")" ]; then
        [ -e "$dir/.s3-test-server" ] || fail "$dir contains something else; name an empty directory"
        stop_all
        rm -rf "$dir"
    fi
    mkdir -p "$dir"/{run,log,mon,osd,rgw}
    touch "$dir/.s3-test-server"
    # Not "start_all || …", which would make bash ignore failures within. The servers must not inherit the lock.
    start_all >"$dir/log/start.log" 2>&1 </dev/null 9>&- &
    if ! wait $!; then
        stop_all
        tail -n 20 "$dir"/log/*.log >&2
        fail 'it did not start'
    fi
    cat >"$dir/s3.env" <<ENV
AWS_ENDPOINT_URL_S3=http://127.0.0.1:$port
AWS_ACCESS_KEY_ID=$access_key
AWS_SECRET_ACCESS_KEY=$secret_key
AWS_REGION=us-east-1
ENV
    if [ -n "${S3_WATCH_PID:-}" ]; then
        setsid "$0" watch "$dir" "$S3_WATCH_PID" </dev/null >/dev/null 2>&1 9>&- &
    fi
    cat "$dir/s3.env"
}

down() {
    [ -e "$dir/.s3-test-server" ] || exit 0
    stop_all
    rm -rf "$dir"
}

watch() {
    # Also ends when another process stopped the server.
    while is_alive "$1" && [ -e "$dir/.s3-test-server" ]; do sleep 1; done
    down
}

[ $# -ge 2 ] || usage
dir=$(realpath -m "$2")
bytes=${S3_BYTES:-$((8 << 30))}
case $1 in
    up)
        # One after the other, until its ports are taken: two test projects start at the same moment.
        exec 9>"${TMPDIR:-/tmp}/claimcheck-s3-$(id -u).lock"
        flock -w 120 9 || true
        port=${S3_PORT:-$(find_ports)}
        up
        ;;
    down) down ;;
    watch) watch "$3" ;;
    *) usage ;;
esac
