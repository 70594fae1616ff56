//! Signed, dated texts as itsdangerous makes them: Flask's session cookie and the CSRF token.
//!
//! `base64(payload) "." base64(timestamp) "." base64(HMAC-SHA1)`, URL-safe and unpadded; a payload that gets shorter
//! by zlib is compressed and marked with a dot in front.

use std::io::{Read, Write};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};

use super::constant_time_eq;

/// Nothing longer is looked at: cookies are limited to 4 kB by browsers, headers to some more by servers.
const MAX_TEXT: usize = 64 << 10;
/// A signed payload never unpacks to more.
const MAX_PAYLOAD: u64 = 1 << 20;

/// How the signing key is made from the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Derivation {
    /// HMAC-SHA1 of the salt: `flask.sessions`.
    Hmac,
    /// SHA1 of salt, `signer` and secret: the default of itsdangerous.
    DjangoConcat,
}

/// A serializer for one purpose.
#[derive(Clone)]
pub struct Signer {
    key: Vec<u8>,
}

/// Why a text was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadData {
    /// Not ours, or changed on its way.
    #[error("bad signature")]
    Invalid,
    /// Ours, but too old, or dated in the future.
    #[error("signature expired")]
    Expired,
}

impl Signer {
    /// Flask's session cookie.
    pub fn session(secret: &str) -> Self {
        Self::new(secret, "cookie-session", Derivation::Hmac)
    }
    /// Flask-WTF's CSRF token.
    pub fn csrf(secret: &str) -> Self {
        Self::new(secret, "wtf-csrf-token", Derivation::DjangoConcat)
    }

    fn new(secret: &str, salt: &str, derivation: Derivation) -> Self {
        let key = match derivation {
            Derivation::Hmac => hmac_sha1(secret.as_bytes(), salt.as_bytes()),
            Derivation::DjangoConcat => {
                Sha1::new().chain_update(salt).chain_update("signer").chain_update(secret).finalize().to_vec()
            }
        };
        Self { key }
    }

    /// Signs a payload with a time in Unix seconds.
    pub fn dumps(&self, payload: &[u8], now: i64) -> String {
        let mut text = match compressed(payload) {
            // itsdangerous compresses only when that saves more than the dot costs
            Some(short) if short.len() + 1 < payload.len() => format!(".{}", B64.encode(short)),
            _ => B64.encode(payload),
        };
        let stamp: Vec<u8> = now.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
        text.push('.');
        text.push_str(&B64.encode(stamp));
        let signature = B64.encode(hmac_sha1(&self.key, text.as_bytes()));
        text.push('.');
        text.push_str(&signature);
        text
    }

    /// The payload of a text that was signed at most `max_age` seconds before `now`.
    pub fn loads(&self, text: &str, max_age: i64, now: i64) -> Result<Vec<u8>, BadData> {
        if text.len() > MAX_TEXT {
            return Err(BadData::Invalid);
        }
        let (value, signature) = text.rsplit_once('.').ok_or(BadData::Invalid)?;
        let signature = B64.decode(signature).map_err(|_| BadData::Invalid)?;
        if !constant_time_eq(&signature, &hmac_sha1(&self.key, value.as_bytes())) {
            return Err(BadData::Invalid);
        }
        let (payload, stamp) = value.rsplit_once('.').ok_or(BadData::Invalid)?;
        let stamp = B64.decode(stamp).map_err(|_| BadData::Invalid)?;
        if stamp.len() > 7 {
            return Err(BadData::Invalid);
        }
        let signed_at = stamp.iter().fold(0_i64, |at, b| (at << 8) | i64::from(*b));
        let age = now.saturating_sub(signed_at);
        if age > max_age || age < 0 {
            return Err(BadData::Expired);
        }
        match payload.strip_prefix('.') {
            Some(packed) => {
                let packed = B64.decode(packed).map_err(|_| BadData::Invalid)?;
                let mut out = Vec::new();
                let mut reader = flate2::read::ZlibDecoder::new(&packed[..]).take(MAX_PAYLOAD + 1);
                reader.read_to_end(&mut out).map_err(|_| BadData::Invalid)?;
                if out.len() as u64 > MAX_PAYLOAD { Err(BadData::Invalid) } else { Ok(out) }
            }
            None => B64.decode(payload).map_err(|_| BadData::Invalid),
        }
    }
}

fn compressed(payload: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(payload).ok()?;
    encoder.finish().ok()
}

fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length
    let Ok(mac) = Hmac::<Sha1>::new_from_slice(key) else { return Vec::new() };
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "not-a-secret-only-for-tests-0123456789";
    const NOW: i64 = 1_795_212_350;

    /// Made with Flask 2.3.3 and itsdangerous 2.2 at second `NOW`.
    #[test]
    fn agrees_with_flask() {
        let s = Signer::session(SECRET);
        let payload = br#"{"_user_id":"1","_fresh":true,"csrf_token":"952e","locale":"en"}"#;
        let cookie = "eyJfdXNlcl9pZCI6IjEiLCJfZnJlc2giOnRydWUsImNzcmZfdG9rZW4iOiI5NTJlIiwibG9jYWxlIjoiZW4ifQ.awDEP\
         g.O7eIUnOtHSWpcmbYJP1mC7fY-mM";
        assert_eq!(s.loads(cookie, 60, NOW + 60).as_deref(), Ok(&payload[..]));
        assert_eq!(s.dumps(payload, NOW), cookie);
        let packed = ".eJyrVipVsqpWUgCSSoZGxiamZuYWuGilWh2lXLBqIKlkk2QHEshTsoo21DHSM9XJK83JidVRKgGrKAELQxlGsbWxtbU\
         AT6oa3w.awDEPg.8qPLoV_J663x_TScp4xnHAzXThQ";
        let text = String::from_utf8(s.loads(packed, 0, NOW).unwrap()).unwrap();
        assert!(text.starts_with(r#"{"u":{" u":"12345678123456781234567812345678"}"#), "{text}");
        let c = Signer::csrf(SECRET);
        let token =
            "Ijk1MmU1ZGEwZjA1ZDBhYzBlNjRlYjRlN2E1YjBmN2Y3YjJiN2I1ZDEi.awDEPg.05iKxBd7OxHLXKuwpSiFqucmX0A";
        assert_eq!(c.dumps(b"\"952e5da0f05d0ac0e64eb4e7a5b0f7f7b2b7b5d1\"", NOW), token);
    }

    #[test]
    fn long_payloads_are_packed() {
        let s = Signer::session(SECRET);
        let payload = "a".repeat(500).into_bytes();
        let text = s.dumps(&payload, NOW);
        assert!(text.starts_with('.') && text.len() < 100);
        assert_eq!(s.loads(&text, 1, NOW), Ok(payload));
    }

    #[test]
    fn forged_old_and_broken_texts() {
        let s = Signer::session(SECRET);
        let text = s.dumps(b"{}", NOW);
        assert_eq!(s.loads(&text, 10, NOW + 11), Err(BadData::Expired));
        assert_eq!(s.loads(&text, 10, NOW - 1), Err(BadData::Expired));
        assert_eq!(Signer::session("another").loads(&text, 10, NOW), Err(BadData::Invalid));
        assert_eq!(Signer::csrf(SECRET).loads(&text, 10, NOW), Err(BadData::Invalid));
        for bad in ["", ".", "..", "a.b.c", "é.é.é", &text[..text.len() - 1], &"x".repeat(1 << 20)] {
            assert_eq!(s.loads(bad, 10, NOW), Err(BadData::Invalid));
        }
        // a signed bomb does not unpack
        let bomb = s.dumps(&vec![b'a'; 2 << 20], NOW);
        assert_eq!(s.loads(&bomb, 10, NOW), Err(BadData::Invalid));
    }
}
