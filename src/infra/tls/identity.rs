//! A certificate and its key, read from files; what is wrong with them is told with the file and what to do.

use std::{fs, io::Read as _, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use rustls::{
    Error, InconsistentKeys,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    sign::CertifiedKey,
};

use super::Facts;

/// Most bytes of a file.
const MOST: u64 = 1 << 20;

/// What a server shows and proves with.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The chain with its key.
    pub certified: Arc<CertifiedKey>,
    /// What the server's own certificate says.
    pub facts: Facts,
}

impl Identity {
    /// Reads both files.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        Self::from_pem(&content(certificate)?, &content(key)?, certificate, key)
    }

    /// The same of texts that came from somewhere, which messages name.
    pub fn from_pem(chain: &[u8], key: &[u8], chain_at: &Path, key_at: &Path) -> Result<Self, String> {
        let certificates = certificates(chain, chain_at)?;
        let Some(own) = certificates.first() else {
            let instead = if is_of_key(chain) {
                " but a key: TLS_KEY and TLS_CERTIFICATE are perhaps swapped"
            } else {
                ""
            };
            return Err(format!("{}: there is no certificate in PEM form{instead}", chain_at.display()));
        };
        let facts = Facts::read(own).map_err(|e| {
            format!("{}: its first certificate cannot be read ({e}): the file is damaged", chain_at.display())
        })?;
        let key = private_key(key, key_at)?;
        let provider = ring::default_provider();
        let signing = provider.key_provider.load_private_key(key).map_err(|_| {
            format!(
                "{}: the key is of no kind that is known here: RSA (2048 bits and more), ECDSA (P-256, P-384) and \
                 Ed25519 are",
                key_at.display()
            )
        })?;
        let certified = CertifiedKey::new(certificates.clone(), signing.clone());
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
                Ok(Self { certified: Arc::new(certified), facts })
            }
            Err(Error::InconsistentKeys(_)) => {
                let is_of_another = certificates.iter().skip(1).any(|other| {
                    CertifiedKey::new(vec![other.clone()], signing.clone()).keys_match().is_ok()
                });
                let advice = if is_of_another {
                    "the key belongs to a later certificate of the file: the server's own must be the first"
                } else {
                    "give the key that the certificate was asked for with"
                };
                Err(format!(
                    "{} is not the key of the certificate in {} ({}): {advice}",
                    key_at.display(),
                    chain_at.display(),
                    facts.words()
                ))
            }
            Err(error) => Err(format!("{}: {error}", chain_at.display())),
        }
    }
}

/// Whether others than its owner and group can read a file.
pub(super) fn is_for_everybody(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|known| known.permissions().mode() & 0o004 != 0)
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    let told = |e: std::io::Error| {
        let advice = match e.kind() {
            std::io::ErrorKind::PermissionDenied => "; let the user that liteset runs as read it",
            std::io::ErrorKind::NotFound => {
                "; TLS_CERTIFICATE and TLS_KEY (--tls-certificate, --tls-key) are paths"
            }
            _ => "",
        };
        format!("{}: {e}{advice}", path.display())
    };
    let known = fs::metadata(path).map_err(told)?;
    if !known.is_file() || known.len() > MOST {
        return Err(format!("{}: it is no file of a certificate or key", path.display()));
    }
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(told)?.take(MOST).read_to_end(&mut bytes).map_err(told)?;
    Ok(bytes)
}

fn certificates(text: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|e| damaged(path, &e))
}

fn private_key(text: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(text).map_err(|e| match e {
        pem::Error::NoItemsFound if contains(text, b"ENCRYPTED") => format!(
            "{}: the key is encrypted, and nobody is there to type its password: `openssl pkey -in KEY -out PLAIN` \
             takes it off",
            path.display()
        ),
        pem::Error::NoItemsFound => format!("{}: there is no private key in PEM form", path.display()),
        e => damaged(path, &e),
    })
}

fn damaged(path: &Path, error: &pem::Error) -> String {
    format!(
        "{}: it cannot be read as PEM ({}): the file is damaged or not complete",
        path.display(),
        reason(error)
    )
}

/// The reason without bytes of the file.
fn reason(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section does not end",
        pem::Error::IllegalSectionStart { .. } => "a section begins in a wrong way",
        pem::Error::Base64Decode(_) => "a section is not base64",
        _ => "it makes no sense",
    }
}

fn is_of_key(text: &[u8]) -> bool {
    contains(text, b"PRIVATE KEY-----")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let asked = CertificateParams::new(["bi.example.org".to_owned()]).unwrap();
        (asked.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn read(chain: &str, key: &str) -> Result<Identity, String> {
        let (chain_at, key_at) = (Path::new("/x/chain.pem"), Path::new("/x/key.pem"));
        Identity::from_pem(chain.as_bytes(), key.as_bytes(), chain_at, key_at)
    }

    #[test]
    fn what_fits_is_taken_and_what_does_not_is_told() {
        let ((chain, key), (foreign, _)) = (pair(), pair());
        assert_eq!(read(&chain, &key).unwrap().facts.names, ["bi.example.org"]);
        let both = format!("{foreign}{chain}");
        let cut = |text: &str, at: usize| text[..at].to_owned();
        let broken = chain.replacen("MII", "!!!", 1);
        let cases = [
            (foreign.clone(), key.clone(), "/x/key.pem is not the key of the certificate in /x/chain.pem"),
            (both, key.clone(), "must be the first"),
            (
                cut(&chain, chain.len() / 2),
                key.clone(),
                "/x/chain.pem: it cannot be read as PEM (a section does not end)",
            ),
            (chain.clone(), cut(&key, key.len() / 2), "/x/key.pem: it cannot be read as PEM"),
            (broken, key.clone(), "not base64"),
            (String::new(), key.clone(), "no certificate in PEM form"),
            (key.clone(), chain.clone(), "swapped"),
            (chain.clone(), String::new(), "no private key"),
            (chain.clone(), key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "openssl pkey"),
        ];
        for (chain, key, words) in cases {
            let said = read(&chain, &key).unwrap_err();
            assert!(said.contains(words), "{words} is not in {said}");
        }
        // a whole section that is no certificate
        let inner: String = chain.lines().filter(|line| !line.starts_with("----")).take(3).collect();
        let short = format!("-----BEGIN CERTIFICATE-----\n{inner}\n-----END CERTIFICATE-----\n");
        let said = read(&short, &key).unwrap_err();
        assert!(said.contains("damaged"), "{said}");
    }

    #[test]
    fn chains_keep_their_order() {
        let ((chain, key), (other, _)) = (pair(), pair());
        let read = read(&format!("{chain}{other}"), &key).unwrap();
        assert_eq!(read.certified.cert.len(), 2);
    }
}
