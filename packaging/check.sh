#!/usr/bin/env bash
# Before a release: what is linked in has a licence that we may ship, comes from crates.io, and has no known hole
# (the last asks the advisory database on the network). Not in .ci/run: compiling cargo-deny takes longer there than
# all other additions together. What it found is written to the terminal; the settings are in deny.toml.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v cargo-deny >/dev/null || cargo install cargo-deny --locked
cargo deny check licenses bans sources
cargo deny check advisories
