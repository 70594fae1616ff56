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

/// Bytes of hexadecimal digits, two each; nothing else may stand between them.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}
