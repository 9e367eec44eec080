# What the scripts of the tests share: waiting, trying again, and having what a stage needs. Sourced, in the root of the
# repository; `root` names it afterwards. Nothing here waits for a fixed time or a fixed number of tries without a reason:
# what can be awaited by its condition is, with a deadline that only a hang reaches.

root=$PWD
# Seconds after which something that must happen has not.
patience=120

# await WHAT COMMAND…: repeats COMMAND until it succeeds.
await() {
  local what=$1 deadline=$((SECONDS + patience))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "waited $patience s for $what" >&2; return 1; }
    sleep 0.1
  done
}

# again COMMAND…: what reaches over the network is tried four times, with longer and longer pauses.
again() {
  local pause
  for pause in 2 10 30; do
    "$@" && return
    echo "tried again in $pause s: $*" >&2
    sleep "$pause"
  done
  "$@"
}

# start LOG EXPRESSION COMMAND…: starts COMMAND with its output in LOG and waits until sed prints something of it by
# EXPRESSION. Sets `started` to the process and `said` to what was printed; fails with the log if the process ends first.
start() {
  local log=$1 expression=$2
  shift 2
  # It is there before anybody reads it, whenever the process is scheduled.
  : >"$log"
  "$@" >>"$log" 2>&1 &
  started=$! said=''
  await "$1 to say where it is" said_or_ended "$log" "$expression" || true
  [ -n "$said" ] || { cat "$log" >&2; echo "$1 does not start" >&2; return 1; }
}

said_or_ended() {
  said=$(sed -n "$2" "$1" | head -n 1)
  [ -n "$said" ] && return
  kill -0 "$started" 2>/dev/null && return 1
  # It may have said it and ended between the two looks.
  said=$(sed -n "$2" "$1" | head -n 1)
}

# serve LOG ARGUMENT…: starts the server on a free port; sets `started` and `url`.
serve() {
  local log=$1
  shift
  start "$log" 's|^ *page *\(https\{0,1\}://[^ ]*\)/$|\1|p' "$LEXCHAT_BIN" serve --listen 127.0.0.1:0 "$@" || return
  url=$said
}

# end PROCESS: ends a process of ours and waits for it.
end() {
  [ -n "$1" ] || return 0
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# have_binary: LEXCHAT_BIN names the server; without it a debug build is made.
have_binary() {
  [ -n "${LEXCHAT_BIN:-}" ] || { cargo build --quiet --bin lexchat && LEXCHAT_BIN=target/debug/lexchat; } || return
  LEXCHAT_BIN=$(realpath "$LEXCHAT_BIN") && export LEXCHAT_BIN
}

# have_modules FOLDER: the node_modules of its lock file. npm leaves a file behind when it has finished: while that is the
# newer one, they are those of the lock file.
have_modules() {
  [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] && return
  (cd "$1" && again npm ci --no-audit --no-fund --loglevel=error)
}

# have_python FOLDER: the packages of its requirements.txt, which pins each, in an environment of their own; sets `python`.
have_python() {
  local wanted=$1/requirements.txt made=$root/target/python/${1//\//-}
  python=$made/bin/python
  cmp -s "$wanted" "$made/requirements.txt" && return
  rm -rf "$made"
  python3 -m venv "$made" || return
  again "$python" -m pip install --quiet --disable-pip-version-check -r "$wanted" || return
  cp "$wanted" "$made/requirements.txt"
}

# need PROGRAM PACKAGE…: the program is there, or is installed from Debian's packages.
need() {
  local program=$1
  shift
  there "$program" && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then install_packages "$@"; fi
  there "$program" || { echo "needs $program (Debian: $*)"; return 1; }
}

# Programs of the administrator are not on everybody's path.
there() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null; }

install_packages() {
  local apt=(apt-get -y -qq -o DPkg::Lock::Timeout="$patience" -o Acquire::Retries=3)
  "${apt[@]}" install --no-install-recommends "$@" </dev/null && return
  again "${apt[@]}" update </dev/null && again "${apt[@]}" install --no-install-recommends "$@" </dev/null
}

need_cargo() { there cargo || { echo "needs Rust (https://rustup.rs)"; return 1; }; need cc gcc libc6-dev; }

# Node before 20 has no stable test runner.
need_node() {
  need node nodejs && need npm npm || return
  node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' || { echo "needs Node 20 or newer, this is $(node --version)"; return 1; }
}

# Debian has the module that makes environments in a package of its own.
need_python() {
  need python3 python3 python3-venv || return
  python3 -c 'import ensurepip, venv' 2>/dev/null || { [ "$(id -u)" = 0 ] && install_packages python3-venv; }
  python3 -c 'import ensurepip, venv' || { echo "needs Python's venv (Debian: python3-venv)"; return 1; }
}
