#!/usr/bin/env bash
# Streams 1 GiB into the storage gateway and out again, and tells by how much the service's memory grew.
#
#   tests/storage_memory.sh [MiB]      1024 by default
#
# MKP_BIN names the binary (default: target/release/mock-key-protect of this repository). Ends with 1 when the growth is over
# 64 MiB (docs/contract/performance.md). Needed: curl, and /proc.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
binary=$(realpath -m "${MKP_BIN:-$root/target/release/mock-key-protect}")
mebibytes=${1:-1024}
most=$((64 * 1024))
work=$(mktemp -d)
service=

cleanup() {
    if [[ -n $service ]]; then kill "$service" 2>/dev/null && wait "$service" || true; fi
    rm -rf "$work"
}
trap cleanup EXIT

"$binary" serve --port 0 --cos-port 0 --data-dir "$work/data" --ready-file "$work/ready" --log error >/dev/null &
service=$!
for _ in $(seq 100); do
    [[ -s $work/ready ]] && break
    sleep 0.1
done
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$work/ready"; }
form="grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey=$(field apiKey)"
token=$(curl -sf "$(field url)/identity/token" -d "$form" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
s3() { curl -sf -H "Authorization: Bearer $token" -H "ibm-service-instance-id: $(field cosInstanceCrn)" "$@"; }
resident() { sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$service/status"; }

s3 -X PUT "$(field cosUrl)/memory"
# What the first object needs once is no growth.
head -c 1048576 /dev/zero | s3 -T - "$(field cosUrl)/memory/first"
s3 "$(field cosUrl)/memory/first" -o /dev/null
before=$(resident VmRSS)
[[ -n $before ]] || { echo "the memory of process $service cannot be read" >&2; exit 2; }
sum_in=$(head -c "${mebibytes}M" /dev/urandom | tee >(s3 -T - "$(field cosUrl)/memory/big" >&2) | md5sum)
for _ in $(seq 600); do
    s3 -I "$(field cosUrl)/memory/big" >/dev/null 2>&1 && break
    sleep 0.1
done
sum_out=$(s3 "$(field cosUrl)/memory/big" | md5sum)
growth=$(($(resident VmHWM) - before))
if [[ $sum_in != "$sum_out" ]]; then
    echo "other bytes came out than went in" >&2
    exit 1
fi
echo "$mebibytes MiB in and out: $((growth / 1024)) MiB more at the most (from $((before / 1024)) MiB on)"
[[ $growth -le $most ]]
