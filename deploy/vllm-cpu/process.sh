# The server's processes, for vllm-cpu to source. The server leads a process group of its own, in which vLLM's engine
# core and worker are too; /proc is read because a slim image has no ps.
# shellcheck shell=bash disable=SC2154
# Reads: state (the folder that start keeps its server's facts in), key.

# stat_fields prints the fields of process $1 after its name, state first, as /proc/PID/stat has them (proc(5)).
stat_fields() {
  local line
  { read -r line <"/proc/$1/stat"; } 2>/dev/null && echo "${line##*) }"
}

# start_time prints when process $1 began, in ticks since boot: with the pid it names one process for good.
start_time() {
  local fields
  read -ra fields <<<"$(stat_fields "$1")"
  echo "${fields[19]:-}"
}

# fingerprint sums up what the server depends on: the install, the flags, the settings. A sum, because a setting may be
# a secret.
fingerprint() {
  { printf '%s\0' "$key" "$@"; env | grep -E '^(VLLM|OMP|GOMP|KMP|LD_PRELOAD)' | sort; } | sha256sum
}

# remember records server $1, started with the flags that follow.
remember() {
  local pid=$1
  shift
  echo "$pid $(start_time "$pid")" >"$state/pid"
  echo "${*:-no flags}" >"$state/flags"
  fingerprint "$@" >"$state/print"
}

server_pid() {
  local pid
  { read -r pid _ <"$state/pid"; } 2>/dev/null && echo "$pid"
}

# running says whether the remembered server lives, rather than another process that has got its pid since.
running() {
  local pid began fields
  { read -r pid began <"$state/pid"; } 2>/dev/null || return 1
  read -ra fields <<<"$(stat_fields "$pid")"
  [[ -n $began && ${fields[19]:-} == "$began" && ${fields[0]} != Z ]]
}

# group_alive says whether anything of the server's group lives, its leader or a child that outlived it. A leader that
# is another process means that the group is another one too.
group_alive() {
  local leader stat fields
  leader=$(server_pid) || return 1
  ! [[ -d /proc/$leader ]] || running || [[ $(stat_fields "$leader") == Z* ]] || return 1
  for stat in /proc/[0-9]*; do
    read -ra fields <<<"$(stat_fields "${stat#/proc/}")"
    [[ ${fields[2]:-} == "$leader" && ${fields[0]} != Z ]] && return
  done
  return 1
}

# stop_server asks the leader to shut down, as vLLM does in order, and ends whatever of the group is left 20 s later.
stop_server() {
  local leader deadline=$((SECONDS + 20))
  leader=$(server_pid) || return 0
  if running; then kill -TERM "$leader"; else kill -TERM -- "-$leader"; fi 2>/dev/null
  while group_alive; do
    ((SECONDS < deadline)) || kill -KILL -- "-$leader" 2>/dev/null
    sleep 0.1
  done
  rm -f "$state"/{pid,flags,print}
}
