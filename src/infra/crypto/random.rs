//! Random texts, from a generator that is fit for secrets.

use super::hex;

/// `N` random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    rand::fill(&mut out);
    out
}

/// Lower-case hexadecimal text of `N` random bytes.
pub fn hex_text<const N: usize>() -> String {
    hex(&bytes::<N>())
}

/// URL-safe text of `N` random bytes, unpadded (`secrets.token_urlsafe`).
pub fn url_safe<const N: usize>() -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes::<N>())
}

/// Letters and digits, as Werkzeug's salts.
pub fn alphanumeric(length: usize) -> String {
    const CHARS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let pick = || CHARS.get(rand::random_range(0..CHARS.len())).map_or('a', |b| char::from(*b));
    std::iter::repeat_with(pick).take(length).collect()
}
