#!/usr/bin/env bash
# Holds openapi.yaml against IBM's API rules and the service against openapi.yaml.
#
#   tests/openapi/run.sh [lint] [calls]      both by default
#
# lint: ibm-openapi-validator with ruleset.js; no error is allowed. calls: schemathesis makes calls, good and bad ones,
# and looks for 5xx and for answers that openapi.yaml does not describe: status, content type, headers, body.
#
# MKP_BIN names the binary (default: target/release/mock-key-protect of this repository).
# MKP_OPENAPI_EXAMPLES: generated calls for an operation, beside those for each limit of the document (default 30).
# MKP_OPENAPI_SEED: picks the calls (default 1).
# Needed: python3 with venv, node 20 or newer with npm. Tools are installed once, below the target folder.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=$(realpath -m "${MKP_BIN:-$root/target/release/mock-key-protect}")
tools=${CARGO_TARGET_DIR:-$root/target}/openapi-tools
examples=${MKP_OPENAPI_EXAMPLES:-30}
MKP_OPENAPI_SEED=${MKP_OPENAPI_SEED:-1}
validator=ibm-openapi-validator@1.38.4
work=$(mktemp -d)
service=

fail() {
    echo "run.sh: $*" >&2
    exit 2
}

cleanup() {
    if [[ -n $service ]]; then
        kill -KILL "$service" 2>/dev/null || true
        wait "$service" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

lint() {
    local installed=$tools/lint/$validator
    if [[ ! -e $installed ]]; then
        rm -rf "$tools/lint"
        mkdir -p "$tools/lint"
        (cd "$tools/lint" && npm install --silent --no-audit --no-fund "$validator")
        touch "$installed"
    fi
    cd "$root"
    NODE_PATH=$tools/lint/node_modules "$tools/lint/node_modules/.bin/lint-openapi" \
        --errors-only -r tests/openapi/ruleset.js openapi.yaml
}

calls() {
    [[ -x $binary ]] || fail "no binary at $binary; build it with cargo build --release, or name another in MKP_BIN"
    if ! cmp -s "$here/requirements.txt" "$tools/venv/requirements.txt"; then
        rm -rf "$tools/venv"
        python3 -m venv "$tools/venv"
        "$tools/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
        cp "$here/requirements.txt" "$tools/venv/requirements.txt"
    fi
    # An hour in a second, so that waits of the rules are over now and then.
    cd "$work"
    "$binary" serve --port 0 --cos-port off --ephemeral --ready-file "$work/ready.json" \
        --time-scale 3600 --log warn --log-format json >"$work/out" 2>"$work/log" &
    service=$!
    local tick code=0
    for ((tick = 0; tick < 600; tick++)); do
        if [[ -s $work/ready.json ]] || ! kill -0 "$service" 2>/dev/null; then break; fi
        sleep 0.1
    done
    [[ -s $work/ready.json ]] || fail "the service did not get ready: $(cat "$work/log")"
    local url
    url=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["url"])' "$work/ready.json")
    MKP_READY_FILE=$work/ready.json SCHEMATHESIS_HOOKS=$here/hooks.py PYTHONDONTWRITEBYTECODE=1 \
        "$tools/venv/bin/st" run "$root/openapi.yaml" --url "$url" --no-color --warnings off \
        --phases examples,coverage,fuzzing --max-examples "$examples" --seed "$MKP_OPENAPI_SEED" \
        --generation-database none --request-timeout 60 --continue-on-failure --no-shrink \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance \
        || code=$?
    kill -TERM "$service"
    wait "$service" || fail "the service ended with code $? after SIGTERM: $(cat "$work/log")"
    service=
    # What the libraries below say of calls that are no HTTP is no fault of the service.
    if grep '"level":"ERROR"' "$work/log" | grep '"target":"mock_key_protect'; then
        fail "the service logged the faults above"
    fi
    return "$code"
}

# The caller's settings must not reach the service.
seed=$MKP_OPENAPI_SEED
for variable in ${!MKP_@}; do unset "$variable"; done
export MKP_OPENAPI_SEED=$seed
export NO_PROXY="127.0.0.1,localhost,::1${NO_PROXY:+,$NO_PROXY}"
export no_proxy=$NO_PROXY
(($#)) || set -- lint calls
for step; do
    case $step in
        lint | calls) "$step" ;;
        *) fail "no step $step; there are lint and calls" ;;
    esac
done
