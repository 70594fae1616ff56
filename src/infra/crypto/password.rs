//! Werkzeug's password hashes: `method$salt$hexhash` in `ab_user.password`.

use std::sync::LazyLock;

use pbkdf2::pbkdf2_hmac;
use tokio::sync::Semaphore;

use super::{constant_time_eq, hex, random};
use crate::{Error, Result};

/// Rounds of a `pbkdf2` hash that does not name them.
const PBKDF2_ROUNDS: u32 = 1_000_000;
/// A stored hash that asks for more is refused: one login must not occupy a core for minutes.
const MAX_PBKDF2_ROUNDS: u32 = 10_000_000;
/// Memory that one scrypt hash may take.
const MAX_SCRYPT_BYTES: u64 = 256 << 20;
/// Length of the salt of new hashes (`FAB_PASSWORD_HASH_SALT_LENGTH`).
const SALT_LENGTH: usize = 16;

/// Hashing costs 32 MB and tens of milliseconds each: only as many at a time as there are cores.
static PERMITS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));

/// Whether a password is the one of a stored hash; on a blocking thread, few at a time.
pub async fn verify(stored: String, password: String) -> Result<bool> {
    blocking(move || verify_now(&stored, &password)).await?
}

/// The hash of a new password, by Superset's default method; on a blocking thread, few at a time.
pub async fn hash(password: String) -> Result<String> {
    blocking(move || hash_now(&password)).await?
}

/// Takes as long as [`verify`] with a hash of the default method: for logins of unknown users.
pub async fn verify_nothing(password: String) -> Result<()> {
    let work = move || digest("scrypt:32768:8:1", "salt", password.as_bytes()).map(drop);
    blocking(work).await?
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _permit = PERMITS.acquire().await.map_err(Error::internal)?;
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(Error::internal)
}

/// Whether a password is the one of a stored hash. Empty passwords never are, nor those of NUL characters only;
/// an unknown method is an error, a hash that is no hash is not.
pub fn verify_now(stored: &str, password: &str) -> Result<bool> {
    if password.chars().all(|c| c == '\0') {
        return Ok(false);
    }
    let mut parts = stored.splitn(3, '$');
    let (Some(method), Some(salt), Some(want)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(false);
    };
    let got = hex(&digest(method, salt, password.as_bytes())?);
    Ok(constant_time_eq(got.as_bytes(), want.as_bytes()))
}

/// The hash of a new password: `scrypt:32768:8:1`.
pub fn hash_now(password: &str) -> Result<String> {
    let (method, salt) = ("scrypt:32768:8:1", random::alphanumeric(SALT_LENGTH));
    let digest = digest(method, &salt, password.as_bytes())?;
    Ok(format!("{method}${salt}${}", hex(&digest)))
}

fn digest(method: &str, salt: &str, password: &[u8]) -> Result<Vec<u8>> {
    let unknown = || Error::internal("invalid password hash method");
    let mut parts = method.split(':');
    let name = parts.next().unwrap_or_default();
    let args: Vec<&str> = parts.collect();
    match (name, args.as_slice()) {
        ("scrypt", []) => scrypt_digest(32768, 8, 1, salt, password),
        ("scrypt", [n, r, p]) => {
            let (Ok(n), Ok(r), Ok(p)) = (n.parse(), r.parse(), p.parse()) else { return Err(unknown()) };
            scrypt_digest(n, r, p, salt, password)
        }
        ("pbkdf2", rest @ ([] | [_] | [_, _])) => {
            let rounds = rest.get(1).map_or(Ok(PBKDF2_ROUNDS), |r| r.parse());
            let rounds = rounds.ok().filter(|r| (1..=MAX_PBKDF2_ROUNDS).contains(r)).ok_or_else(unknown)?;
            let name = rest.first().copied().unwrap_or("sha256");
            pbkdf2_digest(name, rounds, salt, password).ok_or_else(unknown)
        }
        _ => Err(unknown()),
    }
}

fn scrypt_digest(n: u64, r: u32, p: u32, salt: &str, password: &[u8]) -> Result<Vec<u8>> {
    let memory = n.saturating_mul(u64::from(r)).saturating_mul(128);
    if !n.is_power_of_two() || memory > MAX_SCRYPT_BYTES || p > 16 {
        return Err(Error::internal("scrypt parameters out of bounds"));
    }
    let log_n = u8::try_from(n.trailing_zeros()).map_err(Error::internal)?;
    let params = scrypt::Params::new(log_n, r, p).map_err(Error::internal)?;
    let mut out = vec![0; 64];
    scrypt::scrypt(password, salt.as_bytes(), &params, &mut out).map_err(Error::internal)?;
    Ok(out)
}

fn pbkdf2_digest(name: &str, rounds: u32, salt: &str, password: &[u8]) -> Option<Vec<u8>> {
    let salt = salt.as_bytes();
    let mut out = vec![0; 64];
    let length = match name {
        "sha1" => {
            pbkdf2_hmac::<sha1::Sha1>(password, salt, rounds, out.get_mut(..20)?);
            20
        }
        "sha224" => {
            pbkdf2_hmac::<sha2::Sha224>(password, salt, rounds, out.get_mut(..28)?);
            28
        }
        "sha256" => {
            pbkdf2_hmac::<sha2::Sha256>(password, salt, rounds, out.get_mut(..32)?);
            32
        }
        "sha384" => {
            pbkdf2_hmac::<sha2::Sha384>(password, salt, rounds, out.get_mut(..48)?);
            48
        }
        "sha512" => {
            pbkdf2_hmac::<sha2::Sha512>(password, salt, rounds, out.get_mut(..64)?);
            64
        }
        _ => return None,
    };
    out.truncate(length);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Werkzeug 3.1.
    const STORED: &[&str] = &[
        "scrypt:32768:8:1$sk20i0krEfHqbw6l$42f45ebf0c7d134850d75dc5137fd6add2cf1fa13e1cf69466d5cbf281261cf4205a411\
         64e9115109850a5058c91c545063978ba50dee7946663532add397282",
        "scrypt:1024:8:1$HuX5vC31QcO7kpbz$25737b9023103e15089d42c4f106acb6ea92f98019306201879c0a45c96c400146767142\
         75a0ce7c0bae16e0e1c57d55e52d4324aeb721a97fbe317786acfe2e",
        "pbkdf2:sha256:1000$7Masz0ZWHdiv2d1e$77b7be99d29e41d27fc37dd498339324aa90e39729c01f4a69a12b45d383a3b9",
        "pbkdf2:sha1:1000$zSiNNDMIeR1XKZ57$00ab1e21ed98ff2a39ef1a3a0dfcd90a175ac318",
        "pbkdf2:sha512:1000$YErD5UgkYx5xT4AF$a721bc183a541ef89e023fe2fa7ab8185b69d8e96acb3f3864cfb075e30c0c6dcad8b\
         ae54ce27bfe0bc48aefe06d61a95f1b44277477cdb9ba7b377e003a7231",
    ];

    #[test]
    fn agrees_with_werkzeug() {
        for stored in STORED {
            assert!(verify_now(stored, "pässword").unwrap(), "{stored:.20}");
            assert!(!verify_now(stored, "password").unwrap(), "{stored:.20}");
        }
        let fresh = hash_now("x").unwrap();
        assert!(fresh.starts_with("scrypt:32768:8:1$") && verify_now(&fresh, "x").unwrap());
    }

    #[test]
    fn what_is_no_password_or_no_hash() {
        for password in ["", "\0", "\0\0"] {
            assert!(!verify_now(STORED[0], password).unwrap());
        }
        for stored in ["", "x", "a$b", "!"] {
            assert!(!verify_now(stored, "x").unwrap());
        }
        for stored in [
            "sha256$a$b",
            "plain$a$b",
            "scrypt:1:2$a$b",
            "scrypt:99:8:1$a$b",
            "scrypt:1073741824:8:1$a$b",
            "scrypt:x:8:1$a$b",
            "pbkdf2:sha256:0$a$b",
            "pbkdf2:sha256:4000000000$a$b",
            "pbkdf2:whirl$a$b",
        ] {
            assert!(verify_now(stored, "x").is_err(), "{stored}");
        }
    }
}
