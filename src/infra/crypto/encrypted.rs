//! Encrypted columns (`sqlalchemy_utils.EncryptedType`): passwords of databases, `encrypted_extra`, SSH keys, tokens.

use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Nonce},
};
use base64::{Engine, engine::general_purpose::STANDARD as B64};
use sha2::{Digest, Sha256};

use super::random;
use crate::{
    Error, Result,
    error::{ErrorType, SupersetError},
};

const BLOCK: usize = 16;
const IV: usize = 12;

/// Which engine writes (`SQLALCHEMY_ENCRYPTED_FIELD_TYPE_ADAPTER`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cipher {
    /// `AesEngine`: AES-256-CBC with a fixed initialisation vector and naive padding.
    #[default]
    Cbc,
    /// `AesGcmEngine`.
    Gcm,
}

/// Encrypts and decrypts the texts of encrypted columns with one secret.
#[derive(Clone)]
pub struct FieldCipher {
    key: [u8; 32],
    cipher: Cipher,
}

impl FieldCipher {
    /// A cipher with Superset's `SECRET_KEY`.
    pub fn new(secret: &str, cipher: Cipher) -> Self {
        Self { key: Sha256::digest(secret.as_bytes()).into(), cipher }
    }

    /// What is stored for a text: base64, as bytes of the column.
    pub fn encrypt(&self, text: &str) -> Result<String> {
        let bytes = match self.cipher {
            Cipher::Cbc => self.encrypt_cbc(text),
            Cipher::Gcm => self.encrypt_gcm(text),
        };
        bytes.map(|b| B64.encode(b)).ok_or_else(|| Error::internal("a column could not be encrypted"))
    }

    /// The text of a stored value.
    pub fn decrypt(&self, stored: &[u8]) -> Result<String> {
        // said on the wire, so that whoever changed SECRET_KEY learns why a database does not open
        let wrong = || {
            Error::sip40(500, SupersetError::new(ErrorType::GenericBackendError, "Invalid decryption key"))
        };
        let bytes = B64.decode(stored.trim_ascii()).map_err(|_| wrong())?;
        let plain = match self.cipher {
            Cipher::Cbc => self.decrypt_cbc(bytes),
            Cipher::Gcm => self.decrypt_gcm(&bytes),
        };
        String::from_utf8(plain.ok_or_else(wrong)?).map_err(|_| wrong())
    }

    /// The text of a value that was surely written with this key: `decrypt` is content with whatever is a text.
    pub fn opens(&self, stored: &[u8]) -> Option<String> {
        let bytes = B64.decode(stored.trim_ascii()).ok()?;
        if let Cipher::Cbc = self.cipher {
            // there is always padding
            let raw = self.raw_cbc(bytes.clone())?;
            raw.last().filter(|last| **last == b'*')?;
        }
        let text = self.decrypt(stored).ok()?;
        let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        (!text.contains(odd)).then_some(text)
    }

    fn encrypt_cbc(&self, text: &str) -> Option<Vec<u8>> {
        let mut bytes = text.as_bytes().to_vec();
        // naive padding: always one to sixteen stars, so that texts that end with stars do not survive
        let padding = BLOCK - bytes.len() % BLOCK;
        bytes.resize(bytes.len() + padding, b'*');
        let iv = self.key.get(..BLOCK)?;
        let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(&self.key, iv).ok()?;
        Some(cipher.encrypt_padded_vec::<NoPadding>(&bytes))
    }

    fn raw_cbc(&self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let iv = self.key.get(..BLOCK)?;
        let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(&self.key, iv).ok()?;
        cipher.decrypt_padded_vec::<NoPadding>(&bytes).ok()
    }

    fn decrypt_cbc(&self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let mut plain = self.raw_cbc(bytes)?;
        plain.truncate(plain.iter().rposition(|b| *b != b'*').map_or(0, |last| last + 1));
        Some(plain)
    }

    fn encrypt_gcm(&self, text: &str) -> Option<Vec<u8>> {
        let iv = random::bytes::<IV>();
        let cipher = Aes256Gcm::new_from_slice(&self.key).ok()?;
        let mut sealed = cipher.encrypt(&Nonce::<Aes256Gcm>::from(iv), text.as_bytes()).ok()?;
        // the tag stands before the ciphertext here
        let tag = sealed.split_off(sealed.len().checked_sub(BLOCK)?);
        Some([&iv[..], &tag, &sealed].concat())
    }

    fn decrypt_gcm(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let (iv, rest) = bytes.split_first_chunk::<IV>()?;
        let (tag, sealed) = rest.split_first_chunk::<BLOCK>()?;
        let cipher = Aes256Gcm::new_from_slice(&self.key).ok()?;
        cipher.decrypt(&Nonce::<Aes256Gcm>::from(*iv), &[sealed, tag].concat()[..]).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "not-a-secret-only-for-tests-0123456789";

    /// Made with sqlalchemy-utils 0.38.3.
    #[test]
    fn agrees_with_sqlalchemy_utils() {
        let cbc = FieldCipher::new(SECRET, Cipher::Cbc);
        for (text, stored) in [
            ("", "3ZVGxNvswxcCmSfVuFmtGQ=="),
            ("secret", "1zcmIiYQccqqT5wSPOqcUg=="),
            ("aaaaaaaaaaaaaaaa", "K3y0UiPXDptaT+RpR8IitpQrXQAmkiIW51/KKhDr94o="),
            ("{\"a\": 1}", "bLf63BYc4777HoKwNpw5zg=="),
        ] {
            assert_eq!(cbc.encrypt(text).unwrap(), stored);
            assert_eq!(cbc.decrypt(stored.as_bytes()).unwrap(), text);
        }
        assert_eq!(cbc.encrypt("pä**").unwrap(), "YaofGT2ZljNL82gYlb4evg==");
        assert_eq!(cbc.decrypt(b"YaofGT2ZljNL82gYlb4evg==").unwrap(), "pä");
        let gcm = FieldCipher::new(SECRET, Cipher::Gcm);
        assert_eq!(gcm.decrypt(b"X279aNKBkG3tGR0XQy5akwZ1UVE4jhuOHixn4/XbyYLubg==").unwrap(), "secret");
        assert_eq!(gcm.decrypt(gcm.encrypt("pä**").unwrap().as_bytes()).unwrap(), "pä**");
    }

    #[test]
    fn a_value_is_known_by_its_key() {
        let (one, other) = (FieldCipher::new(SECRET, Cipher::Cbc), FieldCipher::new("other", Cipher::Cbc));
        for text in ["", "secret", "aaaaaaaaaaaaaaaa", "-----BEGIN\nx\n"] {
            let stored = one.encrypt(text).unwrap();
            assert_eq!(one.opens(stored.as_bytes()).as_deref(), Some(text));
            assert_eq!(other.opens(stored.as_bytes()), None);
        }
    }

    #[test]
    fn what_does_not_decrypt() {
        let stored = "1zcmIiYQccqqT5wSPOqcUg==";
        for cipher in [Cipher::Cbc, Cipher::Gcm] {
            let field = FieldCipher::new("another secret", cipher);
            for bad in [stored, "x", "AAAA", "!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
                assert!(field.decrypt(bad.as_bytes()).is_err(), "{cipher:?} {bad}");
            }
        }
    }
}
