#!/bin/sh
# Finds a Chromium for the browser tests, or gets one: by apt when root, else Playwright's own. Says what it does.
set -eu

found="${CHROMIUM:-}"
for name in chromium chromium-browser google-chrome; do
  [ -n "$found" ] || found="$(command -v "$name" 2>/dev/null || true)"
done
if [ -n "$found" ]; then
  echo "browser: $found"
  exit 0
fi

own="$(python -c 'from playwright.sync_api import sync_playwright as s
with s() as p: print(p.chromium.executable_path)' 2>/dev/null || true)"
if [ -n "$own" ] && [ -x "$own" ]; then
  echo "browser: $own"
  exit 0
fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "browser: none found, installing chromium with apt-get"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
  echo "browser: $(command -v chromium)"
else
  echo "browser: none found, downloading Playwright's own Chromium"
  python -m playwright install chromium
fi
