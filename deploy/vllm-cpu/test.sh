#!/usr/bin/env bash
# Tests vllm-cpu in some seconds: its refusals for real, its servers against a stand-in for vLLM in a cache folder of
# its own. Prints one line a failure; exits 1 if there was one.
# shellcheck disable=SC2016,SC2317
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tmp=$(mktemp -d)
trap '"$here/vllm-cpu" stop 2>/dev/null; rm -rf "$tmp"' EXIT
export CACHE=$tmp/cache TIMEOUT=20 PYTHON=python3
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export PORT
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

vllm_cpu=$here/vllm-cpu

refusals() {
  expect 2 "usage:" "$vllm_cpu"
  expect 1 "PORT=x is not a port" env PORT=x "$vllm_cpu" start
  expect 1 "PORT=70000 is not a port" env PORT=70000 "$vllm_cpu" status
  expect 1 "set by PORT" "$vllm_cpu" start --port 9
  expect 1 "set VLLM_API_KEY" "$vllm_cpu" start --api-key=secret
  expect 1 "set CACHE" env CACHE=/proc/none "$vllm_cpu" install
  expect 1 "no Python 3.11 to 3.14" env PYTHON=no-such-python "$vllm_cpu" install
  program uname 'echo Darwin arm64'
  expect 1 "this is Darwin arm64" with_bin "$vllm_cpu" install
  rm "$tmp/bin/uname"
  program df 'printf "h\nfs 9 9 3000000 1%% /\n"'
  expect 1 "has 2 GB free and the install needs 8" with_bin "$vllm_cpu" install
  rm "$tmp/bin/df"
  program python3 'case $2 in *venv*) exit 1 ;; esac; exit 0'
  expect 1 "install its venv module" with_bin "$vllm_cpu" install
  program python3 'case $2 in venv) echo "ERROR: no such index"; exit 1 ;; esac; exit 0'
  expect 1 "the install failed: ERROR: no such index" with_bin "$vllm_cpu" install
  rm "$tmp/bin/python3"
  expect 1 "install: none" "$vllm_cpu" status
}

# stand_in makes an install whose vLLM is a small server with a child, as vLLM has one; --die and --hang misbehave.
stand_in() {
  local home
  home=$("$vllm_cpu" status 2>&1 | sed -n 's/.*makes \(.*\))$/\1/p')
  mkdir -p "$home/env/bin"
  cat >"$home/server.py" <<'PY'
import http.server, json, subprocess, sys, time
if "--die" in sys.argv:
    sys.exit("(APIServer pid=7) ERROR 11-23 15:00:00 [core.py:1] ValueError: no room\nRuntimeError: See root cause above.")
subprocess.Popen(["sleep", "1000.25"])
if "--hang" in sys.argv:
    time.sleep(1000)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"data": [{"id": "m"}], "usage": {"completion_tokens": 1}}).encode())
    do_POST = do_GET
http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
PY
  cat >"$home/env/bin/python" <<SH
#!/bin/sh
[ "\$1 \$2" = "-m vllm.entrypoints.cli.main" ] && exec python3 "$home/server.py" "\$@"
exec python3 "\$@"
SH
  chmod +x "$home/env/bin/python"
}

# children prints the stand-in's children that still live.
children() { grep -lzx '1000.25' /proc/[0-9]*/cmdline 2>/dev/null; }

servers() {
  expect 0 "none is running" "$vllm_cpu" stop
  expect 1 "died while starting: ValueError: no room" "$vllm_cpu" start --die
  expect 1 "not ready in 1 s (the port is not open yet)" env TIMEOUT=1 "$vllm_cpu" start --hang
  expect 1 "" children
  expect 0 "http://127.0.0.1:$PORT" "$vllm_cpu" start --max-num-seqs 8
  expect 0 "already up" "$vllm_cpu" start --max-num-seqs 8
  expect 1 "other flags or settings is up" "$vllm_cpu" start
  expect 1 "other flags or settings is up" env VLLM_CPU_KVCACHE_SPACE=2 "$vllm_cpu" start --max-num-seqs 8
  expect 0 "flags: --max-num-seqs 8" "$vllm_cpu" status
  expect 1 "port $PORT is taken" "$vllm_cpu" serve
  expect 0 "stopped" "$vllm_cpu" stop
  expect 1 "" children
  expect 1 "none on port" "$vllm_cpu" status

  # A leader that was killed leaves its child behind, which stop still ends.
  expect 0 "http" "$vllm_cpu" start
  kill -KILL "$(cut -d' ' -f1 "$CACHE/vllm-cpu/port-$PORT/pid")"
  expect 0 "" children
  expect 0 "stopped" "$vllm_cpu" stop
  expect 1 "" children

  # A start that is interrupted takes its server along.
  "$vllm_cpu" start --hang 2>/dev/null &
  until children >/dev/null; do sleep 0.1; done
  kill -TERM $!
  wait $!
  [[ $? == 130 ]] || { echo "FAIL start: an interrupt did not end it"; failed=1; }
  expect 1 "" children

  # A pid that now belongs to another process is left alone.
  sleep 1000.5 &
  echo "$! 1" >"$CACHE/vllm-cpu/port-$PORT/pid"
  expect 0 "none is running" "$vllm_cpu" stop
  expect 0 "" kill $!
}

refusals
stand_in
servers
[[ $failed == 0 ]] && echo "vllm-cpu: all tests passed"
exit "$failed"
