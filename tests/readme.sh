#!/usr/bin/env bash
# Does what README tells a newcomer: `make run`, then the lines of "First steps" in a fresh bash.
# Also sees that SIGTERM to the process group stops the service and that the checkout stays clean.
# Port 8490 must be free.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
address=http://127.0.0.1:8490
start_seconds_max=1800 # a release build may be among it
stop_seconds_max=10
work=$(mktemp -d)
service= # process group of `make run`

fail() {
    echo "readme.sh: $*" >&2
    exit 1
}

cleanup() {
    if [[ -n $service ]]; then
        kill -KILL -- "-$service" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

answers() { curl --silent --noproxy '*' --max-time 2 --output /dev/null "$address/mock/ready"; }

changes() { git -C "$root" status --porcelain 2>/dev/null || true; }

# The sh blocks of "First steps".
walk() {
    awk '/^## / { here = ($0 == "## First steps") }
         /^```/ { inside = (here && $0 == "```sh"); next }
         inside' "$root/README.md"
}

for command in 'make run' 'make test'; do
    grep -qx "$command" "$root/README.md" || fail "README has no line '$command'"
done
walk >"$work/walk"
grep -q curl "$work/walk" || fail "README has no walk under First steps"
if answers; then fail "something answers at $address already; stop it"; fi

for variable in ${!MKP_@}; do unset "$variable"; done
export MKP_EPHEMERAL=true MKP_READY_FILE=$work/ready.json
before=$(changes)

set -m # a process group of its own
make --no-print-directory -C "$root" run >"$work/log" 2>&1 &
service=$!
set +m
for ((second = 0; second < start_seconds_max; second++)); do
    [[ ! -s $MKP_READY_FILE ]] || break
    kill -0 "$service" 2>/dev/null || break
    sleep 1
done
if [[ ! -s $MKP_READY_FILE ]]; then
    cat "$work/log" >&2
    fail "make run did not get the service ready"
fi

echo "The walk:"
(cd "$work" && env -i PATH="$PATH" HOME="$work" no_proxy=127.0.0.1 bash -e <"$work/walk") || fail "the walk failed"

kill -TERM -- "-$service"
for ((second = 0; second < stop_seconds_max; second++)); do
    answers || break
    sleep 1
done
if answers; then fail "the service still answers $stop_seconds_max s after SIGTERM"; fi
wait "$service" 2>/dev/null || true # make itself says that it was terminated
service=
[[ ! -e $MKP_READY_FILE ]] || fail "the ready file is still there after a clean stop"
[[ $(changes) == "$before" ]] || fail "the checkout changed: $(changes)"
echo "README: the walk works, and SIGTERM stops make run"
