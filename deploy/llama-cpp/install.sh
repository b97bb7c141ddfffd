# Installs llama.cpp's server and its model once, for llama-cpp to source. This file is part of the install's key: a
# change here, in requirements.txt or in a file that makes the model, makes a new install beside the old one.
# shellcheck shell=bash disable=SC2154
# Reads: here (this folder), root (where installs live), home (this install). Uses: say, die.

NEED_MB=500
part=$home.part.$$

# python_for_llama prints a Python that the pins support and that can make virtual environments.
python_for_llama() {
  local python found=""
  for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null || continue
    found=$python
    if "$python" -c 'import venv, ensurepip' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  [[ -z $found ]] || die "$found cannot make virtual environments: install its venv module (on Debian and Ubuntu: apt-get install python3-venv)"
  die "no Python 3.11 to 3.14 among ${PYTHON:-python3, python3.11 to python3.14}: install one, or name it with PYTHON=/path/to/python3"
}

check_disk() {
  local free_kb
  free_kb=$(df -Pk "$root" | awk 'NR == 2 { print $4 }')
  ((free_kb >= NEED_MB * 1024)) ||
    die "$root has $((free_kb / 1024)) MB free and the install needs $NEED_MB: free some, or set CACHE to a folder on a larger disk"
}

# build makes the whole install with Python $1. Wheels only: a build from source would take many minutes.
build() {
  mkdir -p "$part" && "$1" -m venv "$part/env" &&
    "$part/env/bin/python" -m pip install -q --no-deps --only-binary :all: -r "$here/requirements.txt" &&
    "$part/env/bin/python" -B "$here/make_gguf.py" "$part/tiny.gguf" &&
    "$part/env/bin/python" -c 'import xllamacpp'
}

installed() { [[ -d $home ]] && "$home/env/bin/python" -c '' 2>/dev/null; }

# install returns when there is an install. One that finds another at work waits for it.
install() {
  installed && return
  [[ -w $root ]] || die "cannot write in $root: set CACHE to a folder that you may write"
  install_alone 8>"$root/install.lock"
}

# install_alone builds beside and renames, so that $home is complete whenever it exists. Its lock is file 8.
install_alone() {
  local python begun=$SECONDS
  if command -v flock >/dev/null; then
    flock -n 8 || { say "waiting for another install into $root" && flock 8; }
    installed && return
    rm -rf "$root"/*.part.* # left by an install that was killed
  fi
  python=$(python_for_llama) || exit 1
  check_disk
  say "installing into $home (220 MB, once)"
  trap 'rm -rf "$part"' EXIT
  build "$python" >"$root/install.log" 2>&1 ||
    die "the install failed: $(last_error "$root/install.log") (log: $root/install.log); mend that and run it again"
  rm -rf "$home" # one whose Python is gone
  mv -T "$part" "$home" 2>/dev/null || installed || die "cannot rename $part to $home: remove $home and run it again"
  trap - EXIT
  say "installed in $((SECONDS - begun)) s"
}
