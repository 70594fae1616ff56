#!/usr/bin/env bash
# Before a release; not in .ci/run, as most of it takes longer there than all other additions together.
#   packaging/check.sh [BINARY]     with a binary, the packages that are made of it, too
# 1. what is linked in has a licence that we may ship, comes from crates.io, and has no known hole (deny.toml);
# 2. systemd finds the unit well fenced in, and Chromium still takes a picture under its filter of system calls;
# 3. fail2ban reads the lines that its filter is for; the dashboard is JSON;
# 4. the Debian package passes lintian, and is installed, run, upgraded, removed and purged in a system of its own.
# What a machine does not have is skipped with a word.
set -euo pipefail
cd "$(dirname "$0")/.."
has() { command -v "$1" >/dev/null || { echo "skipped: no $1"; return 1; }; }

if [ "${SKIP_DENY:-}" != 1 ]; then
  command -v cargo-deny >/dev/null || cargo install cargo-deny --locked
  cargo deny check licenses bans sources
  cargo deny check advisories
fi

if has systemd-analyze; then
  unit=packaging/systemd/liteset.service
  exposure=$(systemd-analyze security --offline=true --no-pager "$unit" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
  echo "exposure of the unit: $exposure"
  awk -v found="$exposure" 'BEGIN { exit !(found != "" && found <= 2.0) }'
  if has chromium && has setpriv; then
    folder=$(mktemp -d) && chmod 777 "$folder"
    # without a user of its own Chromium fences nothing in
    nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all)
    [ "$(id -u)" = 0 ] || nobody=()
    timeout 120 "${nobody[@]}" env "HOME=$folder" python3 packaging/systemd/under_filter.py "$unit" chromium --headless \
      --disable-gpu "--screenshot=$folder/page.png" 'data:text/html,<p>A page</p>' >"$folder/log" 2>&1 || true
    [ -s "$folder/page.png" ] || { cat "$folder/log"; exit 1; }
    rm -rf "$folder"
    echo "Chromium takes a picture under the unit's filter"
  fi
fi

python3 -m json.tool packaging/grafana/liteset.json >/dev/null
if has fail2ban-regex; then
  lines=$(mktemp)
  cat >"$lines" <<'LINES'
{"timestamp":"2026-11-30T09:40:24.123456Z","level":"WARN","fields":{"message":"a log-in failed","address":"198.51.100.1","account":"x\\\",\\\"address\\\":\\\"203.0.113.9\\\""},"target":"liteset_web"}
{"timestamp":"2026-11-30T09:40:25.123456Z","level":"WARN","fields":{"message":"a log-in is refused: too many tries","address":"2001:db8::1","account":"admin"},"target":"liteset_web"}
{"timestamp":"2026-11-30T09:40:26.123456Z","level":"INFO","fields":{"message":"request","path":"/a log-in failed"},"target":"liteset::access"}
LINES
  fail2ban-regex "$lines" packaging/fail2ban/filter.d/liteset.conf | grep ' 2 matched, 1 missed' >/dev/null
  rm "$lines"
  echo "fail2ban reads failed log-ins"
fi

if [ $# -gt 0 ]; then
  packaging/debian/check.sh "$1"
fi
