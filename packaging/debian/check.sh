#!/usr/bin/env bash
# Checks the Debian package of a binary: packaging/debian/check.sh BINARY
# lintian finds neither an error nor a warning; in a system of its own (mmdebstrap; as root) the package is installed,
# runs, is upgraded over itself, removed and purged, and each leaves what it should.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
has() { command -v "$1" >/dev/null || { echo "skipped: no $1"; return 1; }; }

# lintian of Debian 12 knows no zstd: it looks at the same files in another wrapping
if has lintian; then
  DEB_COMPRESSION=gzip packaging/debian/build.sh "$1" "$work/lint"
  lintian --fail-on error,warning "$work"/lint/*.deb
fi

packaging/debian/build.sh "$1" "$work/old"
[ "$(id -u)" = 0 ] && has mmdebstrap || exit 0
newer=$work/newer && mkdir "$newer"
dpkg-deb --raw-extract "$work"/old/*.deb "$newer/root"
sed -i 's/^Version: .*/&+1/' "$newer/root/DEBIAN/control"
dpkg-deb --root-owner-group -Zzstd -z1 --build "$newer/root" "$newer/liteset.deb"

system=$work/system
mmdebstrap --quiet --variant=minbase --include=systemd,ca-certificates "${DEBIAN_SUITE:-bookworm}" "$system" \
  ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
cp "$work"/old/*.deb "$system/old.deb"
cp "$newer/liteset.deb" "$system/new.deb"
in_it() { chroot "$system" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
runs() {
  in_it setpriv --reuid liteset --regid liteset --clear-groups \
    liteset run --no-examples --home /var/lib/liteset --host unix:/var/lib/liteset/sock 2>"$work/log" &
  local server=$!
  for _ in $(seq 120); do
    if in_it setpriv --reuid liteset --regid liteset --clear-groups \
      liteset health --ready unix:/var/lib/liteset/sock >/dev/null 2>&1; then
      break
    fi
    sleep 1
  done
  in_it liteset health --ready unix:/var/lib/liteset/sock || { cat "$work/log"; exit 1; }
  kill "$server"
  wait "$server"
}
step() { echo "== $*"; }

step install
in_it dpkg -i /old.deb
in_it getent passwd liteset >/dev/null
[ "$(in_it stat -c %U:%a /var/lib/liteset)" = liteset:700 ]
step run
runs
echo '# mine' >>"$system/etc/liteset/environment"
step upgrade
in_it dpkg -i /new.deb
grep -q '# mine' "$system/etc/liteset/environment"
[ -s "$system/var/lib/liteset/superset.db" ]
runs
step remove
in_it dpkg -r liteset
[ ! -e "$system/usr/bin/liteset" ] && [ -s "$system/var/lib/liteset/superset.db" ] && [ -e "$system/etc/liteset/environment" ]
step purge
in_it dpkg -P liteset
[ ! -e "$system/var/lib/liteset" ] && [ ! -e "$system/etc/liteset" ]
if in_it dpkg -L liteset >/dev/null 2>&1; then exit 1; fi
echo "the package is installed, runs, is upgraded, removed and purged"
