#!/usr/bin/env bash
# Runs IBM's published SDKs of Key Protect and Cloud Object Storage against mock-key-protect.
#
#   tests/sdk/run.sh [python] [python2x] [python_cos] [node] [node_cos]      all of them by default
#
# MKP_BIN names the binary (default: target/release/mock-key-protect of this repository).
# MKP_SDK_TESTS picks test programs by a glob on their names, e.g. MKP_SDK_TESTS='*deletion*'.
# Needed: python3 with venv, node 18.15 or newer with npm. The SDKs are installed once and
# again when their lists of packages change.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=$(realpath -m "${MKP_BIN:-$root/target/release/mock-key-protect}")
pattern=${MKP_SDK_TESTS:-*}
work=$(mktemp -d)
service= tests= # process groups that are running

fail() {
    echo "run.sh: $*" >&2
    exit 2
}

cleanup() {
    local group
    for group in $tests $service; do
        kill -KILL -- "-$group" 2>/dev/null || true
        wait "$group" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

[[ -x $binary ]] || fail "no binary at $binary; build it with cargo build --release, or name another in MKP_BIN"

# The caller's settings must reach neither the service nor the SDKs.
for variable in ${!MKP_@} ${!IBM_KEY_PROTECT_API_@}; do unset "$variable"; done
unset IBM_CREDENTIALS_FILE VCAP_SERVICES IBMCLOUD_API_KEY IBMCLOUD_REGION
export NO_PROXY="127.0.0.1,localhost,::1${NO_PROXY:+,$NO_PROXY}"
export no_proxy=$NO_PROXY
export PYTHONDONTWRITEBYTECODE=1

# in_background COMMAND...: runs it in a process group of its own, whose number is then in $!.
in_background() {
    set -m
    "$@" &
    set +m
}

serve() {
    cd "$work"
    exec "$binary" serve --port 0 --tls-port 0 --cos-port 0 --cos-tls-port 0 --ephemeral --ready-file "$1" --clock running >"$2" 2>&1
}

# start NAME: starts the service for one test program and exports MKP_READY_FILE.
start() {
    local ready=$work/$1.ready.json log=$work/$1.log
    in_background serve "$ready" "$log"
    service=$!
    local tick
    for ((tick = 0; tick < 600; tick++)); do
        if [[ -s $ready ]]; then
            export MKP_READY_FILE=$ready
            return
        fi
        if ! kill -0 "$service" 2>/dev/null; then
            break
        fi
        sleep 0.1
    done
    echo "the service did not get ready for $1:"
    cat "$log"
    stop "$1" >/dev/null || true
    return 1
}

# stop NAME: ends the service with SIGTERM; anything but exit code 0 within 10 s is a failure.
stop() {
    local log=$work/$1.log code=0 tick
    kill -TERM "$service" 2>/dev/null || true
    for ((tick = 0; tick < 100; tick++)); do
        if ! kill -0 "$service" 2>/dev/null; then
            break
        fi
        sleep 0.1
    done
    kill -KILL -- "-$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || code=$?
    service=
    if ((code != 0)); then
        echo "the service ended with code $code after SIGTERM in $1:"
        cat "$log"
        return 1
    fi
}

# changed STAMP FILE...: whether the files differ from those of the stamp.
changed() {
    local stamp=$1
    shift
    ! [[ -f $stamp ]] || [[ $(cat "$@" | sha256sum) != "$(cat "$stamp")" ]]
}

install_python() {
    local list=$here/$1/requirements.txt venv=$here/.venv/$1
    if changed "$venv/stamp" "$list"; then
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$list"
        sha256sum <"$list" >"$venv/stamp"
    fi
}

install_node() {
    local stamp=$here/$1/node_modules/.stamp
    if changed "$stamp" "$here/$1/package.json" "$here/$1/package-lock.json"; then
        (cd "$here/$1" && npm ci --loglevel=error)
        cat "$here/$1/package.json" "$here/$1/package-lock.json" | sha256sum >"$stamp"
    fi
}

run_python() { (cd "$here/$1" && "$here/.venv/$1/bin/python" -m unittest -v "${2%.py}"); }

run_node() { (cd "$here/$1" && node --test --test-reporter=spec "$2"); }

# suite NAME INSTALLER RUNNER FILE...: one service for each test program, one closing line for all.
suite() {
    local name=$1 installer=$2 runner=$3 file programs=0 failed=()
    shift 3
    "$installer" "$name"
    for file in "$@"; do
        file=$(basename "$file")
        # shellcheck disable=SC2053  # the right side is a glob
        [[ ${file%%.*} == $pattern ]] || continue
        programs=$((programs + 1))
        echo "== $name: $file"
        if ! start "$name-$file"; then
            failed+=("$file")
            continue
        fi
        local good=yes
        in_background "$runner" "$name" "$file"
        tests=$!
        if ! wait "$tests"; then
            good=no
            echo "last lines of the service's log:"
            tail -n 20 "$work/$name-$file.log"
        fi
        tests=
        stop "$name-$file" || good=no
        [[ $good == yes ]] || failed+=("$file")
    done
    if ((${#failed[@]} > 0)); then
        closing+=("$name SDK: FAILED in ${#failed[@]} of $programs test programs: ${failed[*]}")
    else
        closing+=("$name SDK: $programs test programs passed")
    fi
    failures=$((failures + ${#failed[@]}))
    total=$((total + programs))
}

failures=0
total=0
closing=()
(($# > 0)) || set -- python python2x python_cos node node_cos
for wanted in "$@"; do
    case $wanted in
        python | python2x | python_cos) suite "$wanted" install_python run_python "$here/$wanted"/test_*.py ;;
        node | node_cos) suite "$wanted" install_node run_node "$here/$wanted"/*.test.js ;;
        *) fail "no such suite: $wanted (python, python2x, python_cos, node, node_cos)" ;;
    esac
done
printf '%s\n' "${closing[@]}"
((total > 0)) || fail "no test program is named like $pattern"
((failures == 0))
