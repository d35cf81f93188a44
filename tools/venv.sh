#!/bin/sh
# Makes .venv with the given Python. Debian and Ubuntu keep a part of `venv` in a package of its own.
set -e
python=${1:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Python 3.11 or newer is needed; '$python' is $("$python" --version 2>&1). Try: make PYTHON=python3.12 book" >&2
  exit 1
}
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
  echo "Python's venv is incomplete here; installing Debian's $package."
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update && $sudo apt-get install -y --no-install-recommends "$package" || {
    echo "Could not install $package; install it, then run make again." >&2
    exit 1
  }
fi
[ -x .venv/bin/pip ] || "$python" -m venv --clear .venv
