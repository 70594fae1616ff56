#!/usr/bin/env bash
# Makes a .deb of a release binary: packaging/debian/build.sh dist/liteset [OUTPUT_DIR]
#   DEB_ARCH=arm64              of another architecture; HOST_BINARY is then one that runs here, for page and completions
#   DEB_MAINTAINER='A <a@b.c>'  who answers for it
#   DEB_COMPRESSION=xz          [default: zstd, which lintian knows since Debian 13]
#   SOURCE_DATE_EPOCH           the time of the files [default: that of the last commit]
set -euo pipefail
export LC_ALL=C
umask 022
binary=$1 out=${2:-dist}
here=$(cd "$(dirname "$0")/.." && pwd)
host=${HOST_BINARY:-$binary}
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$here/../Cargo.toml")
architecture=${DEB_ARCH:-$(dpkg --print-architecture)}
maintainer=${DEB_MAINTAINER:-liteset packagers <packages@liteset.invalid>}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
doc=$root/usr/share/doc/liteset

install -Dm755 "$binary" "$root/usr/bin/liteset"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$root/usr/bin/liteset" 2>/dev/null || true
install -Dm644 "$here/systemd/liteset.service" "$root/lib/systemd/system/liteset.service"
install -Dm644 "$here/systemd/liteset.socket" "$root/lib/systemd/system/liteset.socket"
install -Dm644 "$here/systemd/liteset.sysusers" "$root/usr/lib/sysusers.d/liteset.conf"
install -Dm644 "$here/systemd/liteset.tmpfiles" "$root/usr/lib/tmpfiles.d/liteset.conf"
install -Dm644 "$here/debian/environment" "$root/etc/liteset/environment"

mkdir -p "$root/usr/share/man/man1"
"$host" man | gzip -9n >"$root/usr/share/man/man1/liteset.1.gz"
mkdir -p "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" \
  "$root/usr/share/fish/vendor_completions.d"
"$host" completions bash >"$root/usr/share/bash-completion/completions/liteset"
"$host" completions zsh >"$root/usr/share/zsh/vendor-completions/_liteset"
"$host" completions fish >"$root/usr/share/fish/vendor_completions.d/liteset.fish"

install -Dm644 "$here/debian/copyright" "$doc/copyright"
install -Dm644 "$here/../NOTICE" "$doc/NOTICE"
install -Dm644 "$here/liteset.example.toml" "$doc/examples/liteset.example.toml"
install -Dm644 "$here/grafana/liteset.json" "$doc/examples/grafana/liteset.json"
install -Dm644 "$here/fail2ban/filter.d/liteset.conf" "$doc/examples/fail2ban/filter.d/liteset.conf"
install -Dm644 "$here/fail2ban/jail.d/liteset.conf" "$doc/examples/fail2ban/jail.d/liteset.conf"
mkdir -p "$doc/manual/engines"
install -m644 "$here"/manual/*.md "$doc/manual/"
install -m644 "$here"/manual/engines/*.md "$doc/manual/engines/"
gzip -9n "$doc"/manual/*.md "$doc"/manual/engines/*.md
gzip -9nc "$here/../CHANGELOG.md" >"$doc/NEWS.gz"
cat <<CHANGELOG | gzip -9n >"$doc/changelog.gz"
liteset ($version) unstable; urgency=medium

  * Release $version; NEWS.gz says what users and operators notice.

 -- $maintainer  $(date -u -d "@$SOURCE_DATE_EPOCH" '+%a, %d %b %Y %H:%M:%S +0000')
CHANGELOG

# a release is one static file; of any other build the libraries are named
libraries=
if ldd "$binary" >/dev/null 2>&1; then
  mkdir -p "$root/debian"
  touch "$root/debian/control"
  libraries=$(cd "$root" && dpkg-shlibdeps -O -e usr/bin/liteset 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
  rm -r "$root/debian"
else
  mkdir -p "$root/usr/share/lintian/overrides"
  echo "# a release is one file that runs anywhere
liteset: statically-linked-binary *" >"$root/usr/share/lintian/overrides/liteset"
fi
mkdir -p "$root/DEBIAN"
install -m755 "$here"/debian/{postinst,prerm,postrm} "$root/DEBIAN/"
echo /etc/liteset/environment >"$root/DEBIAN/conffiles"
(cd "$root" && find . -type f -not -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<CONTROL
Package: liteset
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -ks --exclude=DEBIAN "$root" | cut -f1)
Depends: ${libraries:+$libraries, }systemd | systemd-standalone-sysusers
Recommends: chromium, fonts-liberation
Suggests: fail2ban, postgresql
Section: web
Priority: optional
Homepage: https://superset.apache.org/
Description: backend of Apache Superset as one binary
 Serves the unmodified frontend of Apache Superset 6.0.0 on an embedded SQLite
 database or on the metadata database of an existing installation.
 .
 Charts, dashboards, SQL Lab, alerts and reports work without Python, Celery
 or Node. Pictures of pages need Chromium.
CONTROL
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
dpkg-deb --root-owner-group "-Z${DEB_COMPRESSION:-zstd}" --build "$root" "$out/liteset_${version}_$architecture.deb"
