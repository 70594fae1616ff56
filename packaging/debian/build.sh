#!/usr/bin/env bash
# Makes a .deb of a release binary: packaging/debian/build.sh dist/liteset [OUTPUT_DIR]
set -euo pipefail
binary=$1 out=${2:-dist}
here=$(cd "$(dirname "$0")/.." && pwd)
version=$("$binary" --version | awk '{print $2}')
architecture=$(dpkg --print-architecture)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
install -Dm755 "$binary" "$root/usr/bin/liteset"
install -Dm644 "$here/systemd/liteset.service" "$root/usr/lib/systemd/system/liteset.service"
install -Dm644 "$here/systemd/liteset.sysusers" "$root/usr/lib/sysusers.d/liteset.conf"
install -Dm644 "$here/liteset.example.toml" "$root/usr/share/doc/liteset/liteset.example.toml"
install -Dm644 "$here/../LICENSE" "$root/usr/share/doc/liteset/copyright"
mkdir -p "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<CONTROL
Package: liteset
Version: $version
Architecture: $architecture
Maintainer: liteset
Section: web
Priority: optional
Recommends: chromium, fonts-liberation
Description: Apache Superset's backend as one binary
 Serves the unmodified frontend of Apache Superset 6.0.0 on an embedded SQLite
 database or on the metadata database of an existing installation.
CONTROL
cat >"$root/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
set -e
[ ! -x /usr/bin/systemd-sysusers ] || systemd-sysusers liteset.conf
[ ! -d /run/systemd/system ] || { systemctl daemon-reload; echo "start it with: systemctl enable --now liteset"; }
POSTINST
chmod 755 "$root/DEBIAN/postinst"
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$root" "$out/liteset_${version}_$architecture.deb"
