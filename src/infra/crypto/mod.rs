//! Byte-compatible cryptography: what Superset, Flask and Werkzeug write is read here, and the other way round.

pub mod encrypted;
pub mod hashids;
pub mod jwt;
pub mod password;
pub mod random;
pub mod signer;

/// Equality that takes as long for a wrong secret as for a right one.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (x, y)| differ | (x ^ y)) == 0
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
