//! TLS as libpq's `sslmode` means it: `require` encrypts without asking who is there, `verify-ca` and
//! `verify-full` check the certificate.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What is checked of the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Verify {
    /// Nothing: the connection is encrypted, the server is not authenticated (`prefer`, `require`).
    #[default]
    Nothing,
    /// Chain and host name, against a file of roots or the public ones (`verify-ca`, `verify-full`; the weaker
    /// `verify-ca` is treated as the stronger).
    Full(Option<PathBuf>),
}

/// Why no TLS connection can be made.
#[derive(Debug, thiserror::Error)]
#[error("TLS: {0}")]
pub struct TlsError(String);

/// A connector for tokio-postgres.
pub(super) fn connector(verify: &Verify) -> Result<MakeRustlsConnect, TlsError> {
    client_config(verify).map(MakeRustlsConnect::new)
}

/// What a client checks of a server.
pub fn client_config(verify: &Verify) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| TlsError(e.to_string()))?;
    let config = match verify {
        Verify::Nothing => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unverified(provider)))
            .with_no_client_auth(),
        Verify::Full(roots) => builder.with_root_certificates(store(roots)?).with_no_client_auth(),
    };
    Ok(config)
}

/// The text is a certificate in PEM form.
pub fn is_certificate(text: &str) -> bool {
    CertificateDer::from_pem_slice(text.as_bytes()).is_ok_and(|c| RootCertStore::empty().add(c).is_ok())
}

fn store(file: &Option<PathBuf>) -> Result<RootCertStore, TlsError> {
    let Some(path) = file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let failed = |e: &dyn std::fmt::Display| TlsError(format!("{}: {e}", path.display()));
    let pem = certificates(path).map_err(|e| failed(&e))?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        store.add(certificate.map_err(|e| failed(&e))?).map_err(|e| failed(&e))?;
    }
    Ok(store)
}

/// Most bytes of a file of roots.
const ROOTS: u64 = 4 << 20;

/// The content of a file that a connection names: no device that never ends, no pipe that waits for a writer.
fn certificates(path: &Path) -> std::io::Result<Vec<u8>> {
    let known = std::fs::metadata(path)?;
    if !known.is_file() || known.len() > ROOTS {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a file of certificates"));
    }
    let mut pem = Vec::new();
    std::fs::File::open(path)?.take(ROOTS).read_to_end(&mut pem)?;
    Ok(pem)
}

/// What accepts any certificate.
pub(crate) fn unverified(provider: Arc<CryptoProvider>) -> Arc<dyn ServerCertVerifier> {
    Arc::new(Unverified(provider))
}

/// Accepts any certificate but still checks that the server holds its key.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_of_roots_is_an_error() {
        assert!(connector(&Verify::Nothing).is_ok());
        assert!(connector(&Verify::Full(None)).is_ok());
        let error = connector(&Verify::Full(Some("/nonexistent.pem".into()))).err().unwrap();
        assert!(error.to_string().contains("/nonexistent.pem"));
        for endless in ["/dev/zero", "/tmp"] {
            let error = connector(&Verify::Full(Some(endless.into()))).err().unwrap();
            assert!(error.to_string().contains("not a file of certificates"), "{error}");
        }
    }
}
