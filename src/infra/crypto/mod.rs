//! Byte-compatible cryptography: what Superset, Flask and Werkzeug write is read here, and the other way round.

pub mod encrypted;
pub mod hashids;
pub mod jwt;
pub mod password;
pub mod random;
pub mod signer;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Equality that takes as long for a wrong secret as for a right one.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (x, y)| differ | (x ^ y)) == 0
}

/// HMAC with SHA-256; keys may have any length.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    mac.map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()).unwrap_or_default()
}

/// The MD5 digest in lower-case hexadecimal text: of names, never of secrets.
pub fn md5_hex(bytes: impl AsRef<[u8]>) -> String {
    use md5::Digest;
    hex(&md5::Md5::digest(bytes))
}

/// Lower-case hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        // writing to a String cannot fail
        let _ = write!(out, "{b:02x}");
        out
    })
}
