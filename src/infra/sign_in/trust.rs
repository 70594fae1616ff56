//! Whose certificates are believed when somebody is asked who a person is.

use std::{io::Read as _, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

pub(super) use crate::config::sign_in::directory::Trust;
use crate::pg;

/// The authorities that the operating system knows: a company adds its own there.
const OF_THE_SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Most bytes of a file of certificates.
const MOST: u64 = 4 << 20;

/// The configuration of a client.
pub fn client(trust: &Trust) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    let builder = if trust.anybody {
        builder.dangerous().with_custom_certificate_verifier(pg::unverified(provider))
    } else {
        builder.with_root_certificates(authorities(trust)?)
    };
    match (&trust.certificate, &trust.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|e| shown(key, &e))?;
            builder.with_client_auth_cert(chain, key).map_err(|e| shown(certificate, &e))
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn authorities(trust: &Trust) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    if let Some(file) = &trust.file {
        for certificate in certificates(file)? {
            store.add(certificate).map_err(|e| shown(file, &e))?;
        }
    }
    if let Some(folder) = &trust.folder {
        let listed = std::fs::read_dir(folder).map_err(|e| shown(folder, &e))?;
        for file in listed.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).take(1_000) {
            store.add_parsable_certificates(certificates(&file).unwrap_or_default());
        }
    }
    if trust.file.is_none() && trust.folder.is_none() {
        store.roots.extend_from_slice(webpki_roots::TLS_SERVER_ROOTS);
        let known = certificates(Path::new(OF_THE_SYSTEM)).unwrap_or_default();
        store.add_parsable_certificates(known);
    }
    Ok(store)
}

fn shown(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = read(path)?;
    CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|e| shown(path, &e))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let known = std::fs::metadata(path).map_err(|e| shown(path, &e))?;
    if !known.is_file() || known.len() > MOST {
        return Err(shown(path, &"not a file of certificates"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| shown(path, &e))?;
    file.take(MOST).read_to_end(&mut bytes).map_err(|e| shown(path, &e))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations() {
        assert!(client(&Trust::default()).is_ok());
        assert!(client(&Trust { anybody: true, ..Trust::default() }).is_ok());
        let missing = Trust { file: Some("/nonexistent.pem".into()), ..Trust::default() };
        assert!(client(&missing).unwrap_err().contains("/nonexistent.pem"));
        let endless = Trust { file: Some("/dev/zero".into()), ..Trust::default() };
        assert!(client(&endless).unwrap_err().contains("not a file of certificates"));
    }
}
