#!/bin/sh
# Makes sure that there is a browser to test with: Debian's Chromium as a headless shell, which needs a third
# less time than the whole browser; or a Chromium that is here; or Playwright's own.
works() { python tests/browser/chromium.py >/dev/null 2>&1; }
have() { command -v "$1" >/dev/null; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
install() { as_root apt-get install -y --no-install-recommends "$1" fonts-dejavu-core; }

have chromium-headless-shell && works && exit 0
if have apt-get && { [ "$(id -u)" = 0 ] || ! works; }; then # asks for a password only where there is no browser
  echo "Installing Debian's Chromium for the browser tests."
  as_root apt-get update && { install chromium-headless-shell || install chromium; }
fi
works && exit 0
echo "Installing Playwright's Chromium for the browser tests."
playwright install --with-deps chromium
works || { echo "No browser could be started; see the messages above." >&2; exit 1; }
