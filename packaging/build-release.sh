#!/usr/bin/env bash
# Makes the release: one statically linked binary with the frontend inside, and its checksum.
#   packaging/build-release.sh [OUTPUT_DIR]     default: dist/
# Needs Rust, a C and C++ compiler (DuckDB alone takes them half an hour on two cores) and Python 3 with pip (the frontend is fetched once by assets/fetch.py).
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
out=${1:-dist}
features=${LITESET_FEATURES-duckdb} # empty: without DuckDB, in half the time
# With --target named, the flag does not reach procedural macros, which cannot be static.
# A static binary cannot look the C library's getrandom up: without the setting it would need /dev/urandom.
RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\"" cargo build --release --locked --features "$features" --bin liteset --target "$target"
mkdir -p "$out"
install -m 755 "${CARGO_TARGET_DIR:-target}/$target/release/liteset" "$out/liteset"
"$out/liteset" licenses >"$out/liteset.licenses.txt"
"$out/liteset" licenses --cyclonedx >"$out/liteset.cdx.json"
(cd "$out" && sha256sum liteset >liteset.sha256)
ls -l "$out/liteset"
