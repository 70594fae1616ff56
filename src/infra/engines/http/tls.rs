//! What is checked of a server that is spoken to over HTTPS.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::pg;

/// What is checked of the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verify {
    /// Chain and host name, against the public authorities.
    Public,
    /// The same, against these certificates in PEM form.
    Pem(String),
    /// Nothing: encrypted, but the server is not authenticated.
    Nothing,
}

/// The configuration of a client. The provider is named: more than one is compiled in.
pub(super) fn config(verify: &Verify) -> Result<ClientConfig, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let roots = match verify {
        Verify::Nothing => return pg::client_config(&pg::Verify::Nothing).map_err(|e| text(&e)),
        Verify::Public => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        Verify::Pem(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                roots.add(certificate.map_err(|e| text(&e))?).map_err(|e| text(&e))?;
            }
            roots
        }
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| text(&e))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations() {
        assert!(config(&Verify::Public).is_ok() && config(&Verify::Nothing).is_ok());
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(config(&Verify::Pem(broken.into())).is_err());
    }
}
