//! Key pairs in the place of passwords: a token that the private key signs (`AuthByKeyPair` of the connector).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// Seconds that a token is good for.
const LIFETIME: i64 = 60;
/// What stands before a public key of RSA that says nothing else of itself: its algorithm.
const RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A private key, and whose it is.
pub(super) struct KeyPair {
    key: RsaKeyPair,
    /// `ACCOUNT.USER`.
    subject: String,
}

impl KeyPair {
    /// A key in PEM form.
    pub fn from_pem(pem: &str, account: &str, user: &str) -> Result<Self, String> {
        if pem.contains("ENCRYPTED") {
            return Err("Encrypted private keys are not supported: give the key without its passphrase \
                        (openssl pkcs8 -topk8 -nocrypt -in key.p8); it is stored encrypted"
                .to_owned());
        }
        let wrong = |_| "The private key cannot be read: it must be RSA's, in PEM form".to_owned();
        let der = PrivateKeyDer::from_pem_slice(pem.trim().as_bytes()).map_err(wrong)?;
        Self::from_der(der.secret_der(), account, user)
    }

    /// A key in DER form, in base 64.
    pub fn from_base64(text: &str, account: &str, user: &str) -> Result<Self, String> {
        let wrong = |_| "The private key cannot be read: it must be in DER form, in base 64".to_owned();
        let compact: String = text.split_whitespace().collect();
        Self::from_der(&STANDARD.decode(compact).map_err(wrong)?, account, user)
    }

    fn from_der(der: &[u8], account: &str, user: &str) -> Result<Self, String> {
        let key = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
        let key = key.map_err(|e| format!("The private key cannot be used, it must be RSA's: {e}"))?;
        Ok(Self { key, subject: format!("{}.{}", account.to_uppercase(), user.to_uppercase()) })
    }

    /// The fingerprint of the public key, as `DESC USER` shows it.
    pub fn fingerprint(&self) -> String {
        let key = self.key.public_key().as_ref();
        let bits = wrapped(0x03, &[&[0], key].concat());
        let public = wrapped(0x30, &[RSA.as_slice(), &bits].concat());
        format!("SHA256:{}", STANDARD.encode(Sha256::digest(public)))
    }

    /// A token for now, in seconds since 1970; none where there is no chance to sign.
    pub fn token(&self, now: i64) -> Option<String> {
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let claims = json!({
            "iss": format!("{}.{}", self.subject, self.fingerprint()),
            "sub": self.subject,
            "iat": now,
            "exp": now + LIFETIME,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        self.key.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).ok()?;
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// A value of DER with its kind and length.
fn wrapped(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![kind];
    let bytes = length.to_be_bytes();
    let bytes: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            out.push(0x80 | u8::try_from(bytes.len()).unwrap_or_default());
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}
