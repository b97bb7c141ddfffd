# The server's processes, for vllm-cpu to source. The server leads a process group of its own, in which vLLM's engine
# core and worker are too; /proc is read because a slim image has no ps.
# shellcheck shell=bash disable=SC2154
# Reads: state (the folder that start keeps its server's facts in), key.

# read_stat sets fields to those of process $1 after its name, as /proc/PID/stat has them (proc(5)): 0 is its state, 2
# its group, 19 its start in ticks since boot, which together with the pid names one process for good.
read_stat() {
  local line
  fields=()
  { read -r line <"/proc/$1/stat"; } 2>/dev/null && read -ra fields <<<"${line##*) }"
}

# fingerprint sums up what the server depends on: the install, the flags, the settings. A sum, because a setting may be
# a secret.
fingerprint() {
  { printf '%s\0' "$key" "$@"; env | grep -E '^(VLLM|OMP|GOMP|KMP|LD_PRELOAD)' | sort; } | sha256sum
}

# remember records server $1, started with the flags that follow.
remember() {
  local pid=$1 fields
  shift
  read_stat "$pid"
  echo "$pid ${fields[19]:-}" >"$state/pid"
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
  read_stat "$pid" && [[ ${fields[19]} == "$began" && ${fields[0]} != Z ]]
}

# group_alive says whether anything of the server's group lives, its leader or a child that outlived it. When the
# leader's pid is another process by now, the group is another one too.
group_alive() {
  local leader began stat fields
  { read -r leader began <"$state/pid"; } 2>/dev/null || return 1
  ! read_stat "$leader" || [[ ${fields[19]} == "$began" ]] || return 1
  for stat in /proc/[0-9]*; do
    read_stat "${stat#/proc/}" && [[ ${fields[2]} == "$leader" && ${fields[0]} != Z ]] && return
  done
  return 1
}

# stop_server asks the leader to shut down, as vLLM does in order, then whatever outlived it, and kills what is left of
# the group 20 s later.
stop_server() {
  local leader strays_told="" deadline=$((SECONDS + 20))
  leader=$(server_pid) || return 0
  ! running || kill -TERM "$leader" 2>/dev/null
  while group_alive; do
    if ((SECONDS >= deadline)); then
      kill -KILL -- "-$leader" 2>/dev/null
    elif [[ -z $strays_told ]] && ! running; then
      kill -TERM -- "-$leader" 2>/dev/null
      strays_told=yes
    fi
    sleep 0.1
  done
  rm -f "$state"/{pid,flags,print}
}
