//! JSON Web Tokens signed with a secret, with PyJWT's checks and its error texts, which flask-jwt-extended shows to
//! clients.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};

use super::constant_time_eq;

/// Longer tokens are refused unread.
const MAX_TOKEN: usize = 64 << 10;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// With SHA-256.
    #[default]
    Hs256,
    /// With SHA-384.
    Hs384,
    /// With SHA-512.
    Hs512,
}

impl Algorithm {
    /// By the name that tokens and configurations use.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Hs256, Self::Hs384, Self::Hs512].into_iter().find(|a| a.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    fn sign(self, secret: &str, message: &[u8]) -> Vec<u8> {
        let key = secret.as_bytes();
        // HMAC takes keys of any length
        let signed = match self {
            Self::Hs256 => Hmac::<Sha256>::new_from_slice(key)
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
            Self::Hs384 => Hmac::<Sha384>::new_from_slice(key)
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
            Self::Hs512 => Hmac::<Sha512>::new_from_slice(key)
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
        };
        signed.unwrap_or_default()
    }
}

/// Claims of a token.
pub type Claims = Map<String, Value>;

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Its time is over.
    #[error("Signature has expired")]
    Expired,
    /// Anything else; PyJWT's text.
    #[error("{0}")]
    Invalid(String),
}

fn invalid(text: &str) -> JwtError {
    JwtError::Invalid(text.to_owned())
}

/// Signs claims with HS256.
pub fn encode(claims: &Claims, secret: &str) -> String {
    encode_with(Algorithm::Hs256, claims, secret)
}

/// Signs claims.
pub fn encode_with(algorithm: Algorithm, claims: &Claims, secret: &str) -> String {
    let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, algorithm.name());
    let payload = serde_json::to_vec(claims).unwrap_or_default();
    let mut token = format!("{}.{}", B64.encode(header), B64.encode(payload));
    let signature = B64.encode(algorithm.sign(secret, token.as_bytes()));
    token.push('.');
    token.push_str(&signature);
    token
}

/// The claims of a token that is signed with HS256 and `secret`, in force at `now` (Unix seconds), and made for
/// `audience` if one is given; a token for an audience is refused where none is expected.
pub fn decode(token: &str, secret: &str, audience: Option<&str>, now: f64) -> Result<Claims, JwtError> {
    decode_with(Algorithm::Hs256, token, secret, audience, now)
}

/// The same for another algorithm; a token that was signed with any but this one is refused.
pub fn decode_with(
    algorithm: Algorithm,
    token: &str,
    secret: &str,
    audience: Option<&str>,
    now: f64,
) -> Result<Claims, JwtError> {
    let claims = verified(algorithm, token, secret, now)?;
    check_audience(&claims, audience)?;
    if claims.get("sub").is_some_and(|sub| !sub.is_string()) {
        return Err(invalid("Subject must be a string"));
    }
    if claims.get("jti").is_some_and(|jti| !jti.is_string()) {
        return Err(invalid("JWT ID must be a string"));
    }
    Ok(claims)
}

/// The claims of a token that is signed and in force; whom it is for and about is not looked at.
pub fn verified(algorithm: Algorithm, token: &str, secret: &str, now: f64) -> Result<Claims, JwtError> {
    if token.len() > MAX_TOKEN {
        return Err(invalid("Not enough segments"));
    }
    let segments = token.rsplit_once('.').and_then(|(rest, sig)| Some((rest, rest.split_once('.')?, sig)));
    let (signed, (header, payload), signature) = segments.ok_or_else(|| invalid("Not enough segments"))?;
    let header = decode_segment(header).ok_or_else(|| invalid("Invalid header padding"))?;
    let header = parse_header(&header)?;
    let payload = decode_segment(payload).ok_or_else(|| invalid("Invalid payload padding"))?;
    let signature = decode_segment(signature).ok_or_else(|| invalid("Invalid crypto padding"))?;
    match header.get("alg").and_then(Value::as_str) {
        Some(name) if name == algorithm.name() => {}
        Some(_) => return Err(invalid("The specified alg value is not allowed")),
        None => return Err(invalid("Algorithm not specified")),
    }
    if !constant_time_eq(&signature, &algorithm.sign(secret, signed.as_bytes())) {
        return Err(invalid("Signature verification failed"));
    }
    let claims: Value = serde_json::from_slice(&payload)
        .map_err(|e| JwtError::Invalid(format!("Invalid payload string: {e}")))?;
    let Value::Object(claims) = claims else {
        return Err(invalid("Invalid payload string: must be a json object"));
    };
    check_times(&claims, now)?;
    Ok(claims)
}

fn decode_segment(text: &str) -> Option<Vec<u8>> {
    B64.decode(text.trim_end_matches('=')).ok()
}

/// The header as a JSON object; Python's decoder words its complaints itself, so ours follow it for what clients
/// send by accident: bytes that are no UTF-8, and text that is no JSON.
fn parse_header(bytes: &[u8]) -> Result<Claims, JwtError> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let at = e.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        let reason = match e.error_len() {
            None => "unexpected end of data",
            Some(_) if matches!(byte, 0xc2..=0xf4) => "invalid continuation byte",
            Some(_) => "invalid start byte",
        };
        JwtError::Invalid(format!(
            "Invalid header string: 'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: {reason}"
        ))
    })?;
    match serde_json::from_str(text) {
        Ok(Value::Object(header)) => Ok(header),
        Ok(_) => Err(invalid("Invalid header string: must be a json object")),
        Err(_) => Err(invalid("Invalid header string: Expecting value: line 1 column 1 (char 0)")),
    }
}

/// Python's `int()` of a claim, rounded towards zero; none when it would raise.
fn whole(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64().filter(|n| n.is_finite()).map(f64::trunc),
        Value::String(s) => s.trim().parse::<i64>().ok().map(|n| n as f64),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        _ => None,
    }
}

fn check_times(claims: &Claims, now: f64) -> Result<(), JwtError> {
    for (claim, not_a_number, too_early) in [
        ("iat", "Issued At claim (iat) must be an integer.", "The token is not yet valid (iat)"),
        ("nbf", "Not Before claim (nbf) must be an integer.", "The token is not yet valid (nbf)"),
    ] {
        if let Some(value) = claims.get(claim)
            && whole(value).ok_or_else(|| invalid(not_a_number))? > now
        {
            return Err(invalid(too_early));
        }
    }
    if let Some(value) = claims.get("exp") {
        let exp = whole(value).ok_or_else(|| invalid("Expiration Time claim (exp) must be an integer."))?;
        if exp <= now {
            return Err(JwtError::Expired);
        }
    }
    Ok(())
}

fn check_audience(claims: &Claims, expected: Option<&str>) -> Result<(), JwtError> {
    let empty = |v: &Value| v.is_null() || v.as_str() == Some("") || v.as_array().is_some_and(Vec::is_empty);
    let claimed = claims.get("aud").filter(|v| !empty(v));
    match (expected, claimed) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(invalid("Invalid audience")),
        (Some(_), None) => Err(invalid("Token is missing the \"aud\" claim")),
        (Some(want), Some(Value::String(got))) if got == want => Ok(()),
        (Some(want), Some(Value::Array(list)))
            if list.iter().all(Value::is_string) && list.iter().any(|v| v.as_str() == Some(want)) =>
        {
            Ok(())
        }
        (Some(_), Some(Value::String(_) | Value::Array(_))) => Err(invalid("Audience doesn't match")),
        (Some(_), Some(_)) => Err(invalid("Invalid claim format in token")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "not-a-secret-only-for-tests-0123456789";
    const NOW: f64 = 1_795_212_350.0;
    /// Made with PyJWT 2.15.
    const ACCESS: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJmcmVzaCI6dHJ1ZSwiaWF0IjoxNzk1MjEyMzUwLCJqdGkiOiJ\
     hIiwidHlwZSI6ImFjY2VzcyIsInN1YiI6IjEiLCJuYmYiOjE3OTUyMTIzNTAsImNzcmYiOiJiIiwiZXhwIjoxNzk1MjEzMjUwfQ.xelNKHoL5\
     mH9YZw3_52fe2WkJDq-ijmHASLyPdjw38g";
    const GUEST: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyIjp7InVzZXJuYW1lIjoidSJ9LCJyZXNvdXJjZXMiOlt7\
     InR5cGUiOiJkYXNoYm9hcmQiLCJpZCI6IjUifV0sInJsc19ydWxlcyI6W10sImlhdCI6MTc5NTIxMjM1MC41LCJleHAiOjE3OTUyMTI2NTAuN\
     SwiYXVkIjoiaHR0cDovLzAuMC4wLjA6ODA4MC8iLCJ0eXBlIjoiZ3Vlc3QifQ.p5kr5Mdxlt1EWvW1oyJkrawPsJnuWrMIbI75xTW9PS4";
    const NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiIxIn0.";

    fn text(result: Result<Claims, JwtError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn agrees_with_pyjwt() {
        let claims = decode(ACCESS, SECRET, None, NOW).unwrap();
        assert_eq!(claims["sub"], "1");
        assert_eq!(encode(&claims, SECRET), ACCESS);
        let guest = decode(GUEST, SECRET, Some("http://0.0.0.0:8080/"), NOW).unwrap();
        assert_eq!(guest["iat"], json!(1_795_212_350.5));
        assert_eq!(encode(&guest, SECRET), GUEST);
    }

    #[test]
    fn other_algorithms() {
        // made with PyJWT 2.15
        let made = [
            (
                Algorithm::Hs384,
                "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.-rMS6cYvRuqi9k8sFaSL7leCTRzLZ9IsluJV0E0Q0wOcGDhuU\
                 xlBb8DPtRgWCbEm",
            ),
            (
                Algorithm::Hs512,
                "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.vITjKRO8-FwisXUSwhCTU_hEwkiBCivX8oB1mj1ZEKm2tpDHg\
                 LPYtBJG_mTsWKXp1Pvi0--pEeA-zG_k_kY4Jg",
            ),
        ];
        for (algorithm, token) in made {
            let claims = decode_with(algorithm, token, SECRET, None, NOW).unwrap();
            assert_eq!(claims["a"], 1);
            assert_eq!(encode_with(algorithm, &claims, SECRET), token);
            assert_eq!(text(decode(token, SECRET, None, NOW)), "The specified alg value is not allowed");
        }
        assert_eq!((Algorithm::named("HS512"), Algorithm::named("RS256")), (Some(Algorithm::Hs512), None));
    }

    #[test]
    fn refusals() {
        assert_eq!(decode(ACCESS, SECRET, None, NOW + 900.0), Err(JwtError::Expired));
        assert_eq!(text(decode(ACCESS, SECRET, None, NOW - 1.0)), "The token is not yet valid (iat)");
        assert_eq!(text(decode(ACCESS, "other", None, NOW)), "Signature verification failed");
        assert_eq!(text(decode(GUEST, SECRET, None, NOW)), "Invalid audience");
        assert_eq!(text(decode(GUEST, SECRET, Some("http://else/"), NOW)), "Audience doesn't match");
        assert_eq!(text(decode(ACCESS, SECRET, Some("x"), NOW)), "Token is missing the \"aud\" claim");
        assert_eq!(text(decode(NONE, SECRET, None, NOW)), "The specified alg value is not allowed");
        for bad in ["", "x", "a.b", "é"] {
            assert_eq!(text(decode(bad, SECRET, None, NOW)), "Not enough segments");
        }
        let signed = |claims: Value| encode(claims.as_object().unwrap(), SECRET);
        assert_eq!(text(decode(&signed(json!({"sub": 1})), SECRET, None, NOW)), "Subject must be a string");
        let forever = signed(json!({"exp": "soon"}));
        assert_eq!(
            text(decode(&forever, SECRET, None, NOW)),
            "Expiration Time claim (exp) must be an integer."
        );
    }
}
