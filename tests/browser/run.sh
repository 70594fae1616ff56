#!/usr/bin/env bash
# Drives the published frontend in Chromium against a running server.
#   LITESET_URL       its address (default http://127.0.0.1:8088)
#   LITESET_USER, LITESET_PASSWORD   an administrator (default admin/admin)
#   CHROMIUM          the browser (default: the first of chromium, chromium-browser, google-chrome)
#   SCREENSHOTS       a folder; every page is photographed there
# The server must have Superset's published examples. Without node or Chromium nothing is tested, and said so.
set -euo pipefail
cd "$(dirname "$0")"
skip() { echo "browser tests SKIPPED: $1"; exit 0; }
command -v node >/dev/null || skip "node is missing"
if [ -z "${CHROMIUM:-}" ]; then
  for name in chromium chromium-browser google-chrome; do
    if CHROMIUM=$(command -v "$name"); then break; fi
  done
fi
[ -x "${CHROMIUM:-}" ] || skip "Chromium is missing (set CHROMIUM to its path)"
export CHROMIUM LITESET_URL=${LITESET_URL:-http://127.0.0.1:8088}
curl -sf -o /dev/null "$LITESET_URL/health" || { echo "no server answers at $LITESET_URL"; exit 1; }
[ -d node_modules/playwright-core ] || npm install --no-audit --no-fund --no-package-lock --silent
exec node --test --test-concurrency=1 "$@"
