//! An `id_token` (OpenID Connect Core 1.0, 3.1.3.7): who signed it, for whom, for which log-in, and until when.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use ring::{
    digest,
    signature::{
        self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RsaParameters,
        RsaPublicKeyComponents, UnparsedPublicKey,
    },
};
use serde_json::{Map, Value};

use crate::crypto::constant_time_eq;

/// Seconds by which clocks may differ.
const GRACE: i64 = 120;
/// Longer tokens are refused unread.
const MOST: usize = 64 << 10;

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// None of the keys is the one that it names: they may have been changed.
    #[error("the id_token is signed with a key that the provider does not name")]
    UnknownKey,
    /// Anything else.
    #[error("the id_token: {0}")]
    Wrong(&'static str),
}

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who must have made it, as far as that is known.
    pub issuer: Option<&'a str>,
    /// For whom.
    pub client_id: &'a str,
    /// For which log-in.
    pub nonce: Option<&'a str>,
    /// With which other token it came.
    pub access_token: Option<&'a str>,
    /// Now, in seconds.
    pub now: i64,
}

/// The claims of a token that is signed with one of the keys of a set.
pub fn verify(token: &str, keys: &Value, expected: &Expected<'_>) -> Result<Map<String, Value>, TokenError> {
    let parts = Parts::read(token)?;
    let listed = keys.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let usable =
        |key: &&Value| key.get("use").is_none_or(|usage| usage == "sig") && parts.algorithm.fits(key);
    match &parts.key_id {
        Some(id) => {
            let named =
                listed.iter().filter(|key| key.get("kid").and_then(Value::as_str) == Some(id.as_str()));
            let mut named = named.peekable();
            if named.peek().is_none() {
                return Err(TokenError::UnknownKey);
            }
            if !named.filter(usable).any(|key| parts.is_signed_with(key)) {
                return Err(TokenError::Wrong("its signature is wrong"));
            }
        }
        None if listed.iter().filter(usable).any(|key| parts.is_signed_with(key)) => {}
        None => return Err(TokenError::UnknownKey),
    }
    parts.check(expected)?;
    Ok(parts.claims)
}

/// The claims of a token that came straight from the provider, whose keys are not known: it must be signed by somebody,
/// and everything else is checked (3.1.3.7, 6: the connection stands for the signature).
pub fn read(token: &str, expected: &Expected<'_>) -> Result<Map<String, Value>, TokenError> {
    let parts = Parts::read(token)?;
    if parts.signature.is_empty() {
        return Err(TokenError::Wrong("it is not signed"));
    }
    parts.check(expected)?;
    Ok(parts.claims)
}

/// How a token is signed; nothing that a holder of our own secret, or nobody, could have made.
#[derive(Clone, Copy)]
enum Algorithm {
    Rsa(&'static RsaParameters, Hash),
    P256,
    P384,
    Ed25519,
}

#[derive(Clone, Copy)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256, Hash::Sha256),
            "RS384" => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384, Hash::Sha384),
            "RS512" => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512, Hash::Sha512),
            "PS256" => Self::Rsa(&signature::RSA_PSS_2048_8192_SHA256, Hash::Sha256),
            "PS384" => Self::Rsa(&signature::RSA_PSS_2048_8192_SHA384, Hash::Sha384),
            "PS512" => Self::Rsa(&signature::RSA_PSS_2048_8192_SHA512, Hash::Sha512),
            "ES256" => Self::P256,
            "ES384" => Self::P384,
            "EdDSA" => Self::Ed25519,
            _ => return None,
        })
    }

    /// The key is of its kind.
    fn fits(self, key: &Value) -> bool {
        let says = |name: &str, value: &str| key.get(name).and_then(Value::as_str) == Some(value);
        match self {
            Self::Rsa(..) => says("kty", "RSA"),
            Self::P256 => says("kty", "EC") && says("crv", "P-256"),
            Self::P384 => says("kty", "EC") && says("crv", "P-384"),
            Self::Ed25519 => says("kty", "OKP") && says("crv", "Ed25519"),
        }
    }

    fn verify(self, key: &Value, message: &[u8], signed: &[u8]) -> Option<()> {
        let bytes = |name: &str| B64.decode(key.get(name)?.as_str()?.trim_end_matches('=')).ok();
        match self {
            Self::Rsa(how, _) => {
                RsaPublicKeyComponents { n: bytes("n")?, e: bytes("e")? }.verify(how, message, signed).ok()
            }
            Self::P256 | Self::P384 => {
                let point = [vec![4], bytes("x")?, bytes("y")?].concat();
                let how = if matches!(self, Self::P256) {
                    &ECDSA_P256_SHA256_FIXED
                } else {
                    &ECDSA_P384_SHA384_FIXED
                };
                UnparsedPublicKey::new(how, point).verify(message, signed).ok()
            }
            Self::Ed25519 => UnparsedPublicKey::new(&ED25519, bytes("x")?).verify(message, signed).ok(),
        }
    }

    /// `at_hash`: the first half of the hash of the other token.
    fn half_hash(self, text: &str) -> String {
        let how = match self {
            Self::Rsa(_, Hash::Sha256) | Self::P256 => &digest::SHA256,
            Self::Rsa(_, Hash::Sha384) | Self::P384 => &digest::SHA384,
            Self::Rsa(_, Hash::Sha512) | Self::Ed25519 => &digest::SHA512,
        };
        let hash = digest::digest(how, text.as_bytes());
        B64.encode(hash.as_ref().get(..hash.as_ref().len() / 2).unwrap_or_default())
    }
}

struct Parts<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Map<String, Value>,
}

impl<'a> Parts<'a> {
    fn read(token: &'a str) -> Result<Self, TokenError> {
        let wrong = TokenError::Wrong;
        if token.len() > MOST {
            return Err(wrong("it is too long"));
        }
        let object = |text: &str| {
            let bytes = B64.decode(text.trim_end_matches('=')).ok()?;
            serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
        };
        let (signed, signature) = token.rsplit_once('.').ok_or(wrong("it is none"))?;
        let (header, claims) = signed.split_once('.').ok_or(wrong("it is none"))?;
        let (header, claims) = (object(header).ok_or(wrong("it is none"))?, object(claims));
        let name = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let algorithm = Algorithm::named(name).ok_or(wrong("it is signed with what is not believed"))?;
        if header.contains_key("crit") {
            return Err(wrong("it demands what is not known"));
        }
        Ok(Self {
            signed,
            signature: B64.decode(signature.trim_end_matches('=')).map_err(|_| wrong("it is none"))?,
            algorithm,
            key_id: header.get("kid").and_then(Value::as_str).map(str::to_owned),
            claims: claims.ok_or(wrong("it is none"))?,
        })
    }

    fn is_signed_with(&self, key: &Value) -> bool {
        self.algorithm.verify(key, self.signed.as_bytes(), &self.signature).is_some()
    }

    fn check(&self, expected: &Expected<'_>) -> Result<(), TokenError> {
        let text = |name: &str| self.claims.get(name).and_then(Value::as_str);
        let time = |name: &str| self.claims.get(name).and_then(Value::as_f64).map(|t| t as i64);
        let rule =
            |holds: bool, what: &'static str| if holds { Ok(()) } else { Err(TokenError::Wrong(what)) };
        if let Some(issuer) = expected.issuer {
            // Microsoft's documents for several tenants name none
            let issuer = issuer.replace("{tenantid}", text("tid").unwrap_or_default());
            rule(text("iss") == Some(&issuer), "another provider has made it")?;
        }
        rule(text("sub").is_some_and(|sub| !sub.is_empty()), "it is about nobody")?;
        let audiences: Vec<&str> = match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        rule(audiences.contains(&expected.client_id), "it is for somebody else")?;
        let party = text("azp");
        rule(audiences.len() == 1 || party.is_some(), "it is for several")?;
        rule(party.is_none_or(|party| party == expected.client_id), "it was given to somebody else")?;
        let expires = time("exp").ok_or(TokenError::Wrong("it never expires"))?;
        rule(expires.saturating_add(GRACE) > expected.now, "it has expired")?;
        let issued = time("iat").ok_or(TokenError::Wrong("it does not say when it was made"))?;
        rule(issued.saturating_sub(GRACE) <= expected.now, "it is of the future")?;
        rule(time("nbf").is_none_or(|t| t.saturating_sub(GRACE) <= expected.now), "it is not yet good")?;
        if let Some(nonce) = expected.nonce {
            let same = text("nonce").is_some_and(|own| constant_time_eq(own.as_bytes(), nonce.as_bytes()));
            rule(same, "it is of another log-in")?;
        }
        if let (Some(hash), Some(token)) = (self.claims.get("at_hash"), expected.access_token) {
            rule(hash.as_str() == Some(&self.algorithm.half_hash(token)), "it came with another token")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
    };
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const EXPECTED: Expected<'_> = Expected {
        issuer: Some("https://id.example"),
        client_id: "me",
        nonce: Some("n"),
        access_token: Some("token"),
        now: NOW,
    };

    fn claims() -> Value {
        json!({"iss": "https://id.example", "sub": "1", "aud": "me", "nonce": "n", "iat": NOW, "exp": NOW + 60})
    }

    /// A key pair, and its set.
    fn pair() -> (EcdsaKeyPair, Value) {
        let random = SystemRandom::new();
        let how = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(how, pkcs8.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (B64.encode(&point[1..33]), B64.encode(&point[33..]));
        (pair, json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y}]}))
    }

    fn token(pair: &EcdsaKeyPair, header: Value, claims: &Value) -> String {
        let signed = format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
        let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", B64.encode(signature))
    }

    #[test]
    fn who_signed_it() {
        let (pair_, keys) = pair();
        let good = token(&pair_, json!({"alg": "ES256", "kid": "k"}), &claims());
        assert_eq!(verify(&good, &keys, &EXPECTED).unwrap()["sub"], "1");
        assert!(verify(&token(&pair_, json!({"alg": "ES256"}), &claims()), &keys, &EXPECTED).is_ok());
        let other = token(&pair_, json!({"alg": "ES256", "kid": "new"}), &claims());
        assert_eq!(verify(&other, &keys, &EXPECTED), Err(TokenError::UnknownKey));
        let (stranger, _) = pair();
        let forged = token(&stranger, json!({"alg": "ES256", "kid": "k"}), &claims());
        assert_eq!(verify(&forged, &keys, &EXPECTED), Err(TokenError::Wrong("its signature is wrong")));
        for alg in ["none", "HS256", "ES384", "RS256", "es256", ""] {
            let other = token(&pair_, json!({"alg": alg, "kid": "k"}), &claims());
            assert!(verify(&other, &keys, &EXPECTED).is_err(), "{alg}");
        }
        let nobody = format!("{}.", good.rsplit_once('.').unwrap().0);
        assert!(verify(&nobody, &keys, &EXPECTED).is_err() && read(&nobody, &EXPECTED).is_err());
        assert!(read(&good, &EXPECTED).is_ok());
        for garbage in ["", "a.b", "not.a.token", "é.é.é"] {
            assert!(verify(garbage, &keys, &EXPECTED).is_err(), "{garbage}");
        }
    }

    #[test]
    fn edwards() {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": B64.encode(pair.public_key().as_ref())});
        let signed = format!("{}.{}", B64.encode("{\"alg\":\"EdDSA\"}"), B64.encode(claims().to_string()));
        let token = format!("{signed}.{}", B64.encode(pair.sign(signed.as_bytes())));
        assert!(verify(&token, &json!({"keys": [key]}), &EXPECTED).is_ok());
    }

    #[test]
    fn what_it_says() {
        let (pair, keys) = pair();
        let hash = Algorithm::P256.half_hash("token");
        let with = |changes: &[(&str, Value)]| {
            let mut claims = claims();
            for (name, value) in changes {
                match value {
                    Value::Null => drop(claims.as_object_mut().unwrap().shift_remove(*name)),
                    value => claims[*name] = value.clone(),
                }
            }
            verify(&token(&pair, json!({"alg": "ES256"}), &claims), &keys, &EXPECTED)
        };
        for good in [
            &[("aud", json!(["me"]))][..],
            &[("aud", json!(["me", "you"])), ("azp", json!("me"))],
            &[("exp", json!(NOW - 60))],
            &[("iat", json!(NOW + 60))],
            &[("at_hash", json!(hash))],
        ] {
            assert!(with(good).is_ok(), "{good:?}");
        }
        for bad in [
            &[("iss", json!("https://attacker.example"))][..],
            &[("iss", json!(null))],
            &[("sub", json!(null))],
            &[("sub", json!(""))],
            &[("aud", json!("you"))],
            &[("aud", json!(["you", "me"]))],
            &[("azp", json!("you"))],
            &[("exp", json!(null))],
            &[("exp", json!(NOW - 121))],
            &[("exp", json!("soon"))],
            &[("iat", json!(null))],
            &[("iat", json!(NOW + 3600))],
            &[("nbf", json!(NOW + 3600))],
            &[("nonce", json!("other"))],
            &[("nonce", json!(null))],
            &[("at_hash", json!("AAAA"))],
        ] {
            assert!(with(bad).is_err(), "{bad:?}");
        }
    }
}
