# Steps of `run` and `watch`; `work` is a folder that goes with them, `here` the checkout.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# say WHAT: a line with the seconds since the start.
say() { printf '+ %4d s: %s\n' "$SECONDS" "$*"; }

# need PROGRAM PACKAGE...: install packages of Debian unless the program is there.
need() {
  command -v "$1" >/dev/null || ls /usr/lib/postgresql/*/bin/"$1" >/dev/null 2>&1 && return
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "${@:2}" >/dev/null
}

# need_fonts: pages are measured in the fonts that most readers have, or in those of the same widths.
need_fonts() {
  fc-list 2>/dev/null | grep -qi "liberation sans" && return
  apt-get update -qq && apt-get install -y -qq --no-install-recommends fontconfig fonts-liberation >/dev/null
}

# clone NAME PYTHON: make a fresh clone with a program python3 of that Python, and go there.
clone() {
  mkdir -p "$work/$1/bin"
  printf '#!/bin/sh\nexec "%s" "$@"\n' "$(command -v "$2")" >"$work/$1/bin/python3"
  chmod +x "$work/$1/bin/python3"
  git clone --quiet "$here" "$work/$1/clone"
  if [ -d "$here/../shared" ]; then ln -s "$(cd "$here/../shared" && pwd)" "$work/$1/shared"; fi
  cd "$work/$1/clone"
}

# versions: those of requirements.lock, as pip takes them without hashes.
versions() { sed -n 's/^\([A-Za-z0-9._-]*==[^\\]*[^ \\]\).*$/\1/p' "$here/requirements.lock"; }

# readme_command: the test command of the README.
readme_command() {
  sed -n 's/^\(python3 -m venv .*pytest.*\)$/\1/p' "$here/README.md" | grep . || {
    echo "README.md has no test command" >&2
    return 1
  }
}

# install PYTHON WHAT...: install into the environment of a Python, with uv, which needs a third of pip's time.
install() {
  [ -d "$work/uv" ] || { python3 -m venv "$work/uv" && "$work/uv/bin/pip" install --quiet uv; }
  "$work/uv/bin/uv" pip install --quiet --python "$@"
}

# lowest PYTHON VERSIONS: make an environment in $work/lowest with the lowest versions of pyproject.toml, in the
# file VERSIONS, and beside them what tests need. Our sessions are compared with the exchange_calendars that made them.
lowest() {
  "$1" -m venv "$work/lowest"
  local names sessions
  names=$(grep -o '^[A-Za-z0-9._-]*==' "$2" | paste -sd '|')
  versions | grep -viE "^($names)" >"$work/beside.txt"
  sessions=$("$1" -c 'import gzip, json, sys; print(json.loads(gzip.open(sys.argv[1]).readline())["exchange_calendars"])' \
    "$here/eventstudy/data/sessions.txt.gz")
  install "$work/lowest/bin/python" -r "$2"
  install "$work/lowest/bin/python" -c "$work/beside.txt" -c "$2" -e '.[dev]' "exchange_calendars==$sessions"
}
