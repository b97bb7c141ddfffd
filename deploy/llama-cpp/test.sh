#!/usr/bin/env bash
# Tests llama-cpp against the real server, which starts in under a second: its refusals, and what start and stop leave
# behind. The install is that of CACHE. Prints one line a failure; exits 1 if there was one.
# shellcheck disable=SC2016
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
llama_cpp=$here/llama-cpp
tmp=$(mktemp -d)
trap '"$llama_cpp" stop 2>/dev/null; rm -rf "$tmp"' EXIT
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export PORT TIMEOUT=20
failed=0

# expect STATUS TEXT COMMAND...: the command exits with STATUS, and what it prints contains TEXT.
expect() {
  local want=$1 text=$2 got out
  shift 2
  out=$("$@" 2>&1)
  got=$?
  [[ $got == "$want" && $out == *"$text"* ]] && return
  echo "FAIL $*: exit $got, want $want with \"$text\"; it printed: $out"
  failed=1
}

# program NAME SCRIPT puts a program before those of PATH, for one test: with_bin COMMAND...
program() {
  mkdir -p "$tmp/bin"
  printf '#!/bin/sh\n%s\n' "$2" >"$tmp/bin/$1"
  chmod +x "$tmp/bin/$1"
}
with_bin() { PATH=$tmp/bin:$PATH "$@"; }

refusals() {
  local empty=(env CACHE="$tmp/cache")
  expect 2 "usage:" "$llama_cpp"
  expect 1 "PORT=x is not a port" env PORT=x "$llama_cpp" start
  expect 1 "set by PORT" "$llama_cpp" start --port 9
  expect 1 "set VLLM_API_KEY" "$llama_cpp" start --api-key=secret
  expect 1 "set CACHE" env CACHE=/proc/none "$llama_cpp" install
  expect 1 "no Python 3.11 to 3.14" "${empty[@]}" PYTHON=no-such-python "$llama_cpp" install
  expect 1 "install: none" "${empty[@]}" "$llama_cpp" status
  program uname 'echo Darwin arm64'
  expect 1 "this is Darwin arm64" with_bin "${empty[@]}" "$llama_cpp" install
  rm "$tmp/bin/uname"
  program df 'printf "h\nfs 9 9 300000 1%% /\n"'
  expect 1 "has 292 MB free and the install needs 500" with_bin "${empty[@]}" "$llama_cpp" install
  rm "$tmp/bin/df"
  program python3 'case $2 in venv) echo "ERROR: no such index"; exit 1 ;; esac; exit 0'
  expect 1 "the install failed: ERROR: no such index" with_bin "${empty[@]}" PYTHON=python3 "$llama_cpp" install
  rm "$tmp/bin/python3"
}

servers() {
  expect 0 "installed" "$llama_cpp" install
  expect 0 "none is running" "$llama_cpp" stop
  expect 1 "died while starting: serve.py: error: unrecognized arguments: --no-such-flag" "$llama_cpp" start --no-such-flag
  expect 0 "http://127.0.0.1:$PORT" "$llama_cpp" start --parallel 2
  expect 0 "already up" "$llama_cpp" start --parallel 2
  expect 1 "other flags or settings is up" "$llama_cpp" start
  expect 0 "flags: --parallel 2" "$llama_cpp" status
  expect 1 "port $PORT is taken" "$llama_cpp" serve
  expect 0 "stopped" "$llama_cpp" stop
  expect 1 "none on port" "$llama_cpp" status
  expect 0 "http" env VLLM_API_KEY=secret "$llama_cpp" start
  expect 1 "401" "$llama_cpp" status
  expect 0 "http" env VLLM_API_KEY=secret "$llama_cpp" status
  expect 0 "stopped" "$llama_cpp" stop
}

refusals
servers
[[ $failed == 0 ]] && echo "llama-cpp: all tests passed"
exit "$failed"
