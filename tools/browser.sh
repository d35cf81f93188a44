#!/bin/sh
# Makes sure that there is a browser to test with: one that is here, Debian's Chromium, or Playwright's own.
works() { python tests/browser/chromium.py >/dev/null 2>&1; }
works && exit 0
if command -v apt-get >/dev/null; then
  echo "Installing Debian's Chromium for the browser tests."
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update && $sudo apt-get install -y --no-install-recommends chromium fonts-dejavu-core
  works && exit 0
fi
echo "Installing Playwright's Chromium for the browser tests."
playwright install --with-deps chromium
works || { echo "No browser could be started; see the messages above." >&2; exit 1; }
