//! TLS of this server: its certificate and key, whether they fit, and what is done when they are renewed.

pub mod acme;
mod certificates;
mod facts;
mod identity;
mod resolver;

use std::sync::Arc;

use rustls::{ServerConfig, crypto::ring};

pub use certificates::{Certificates, Change};
pub use facts::Facts;
pub use identity::Identity;
pub use resolver::Resolver;

/// HTTP/2 before HTTP/1.1.
const PROTOCOLS: &[&[u8]] = &[b"h2", b"http/1.1"];
/// How an authority asks for a proof that a name is ours (RFC 8737).
pub const PROOF: &[u8] = b"acme-tls/1";

/// How connections are encrypted: TLS 1.2 and 1.3, with the certificates of a resolver. `proves`: an authority may
/// look.
pub fn server_config(resolver: Arc<Resolver>, proves: bool) -> Result<ServerConfig, String> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
    config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    if proves {
        config.alpn_protocols.push(PROOF.to_vec());
    }
    Ok(config)
}
