//! Which certificate a connection is shown.

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::PROOF;

/// The server's certificate, which can be another one at any time, and proofs for an authority.
#[derive(Debug, Default)]
pub struct Resolver {
    current: RwLock<Option<Arc<CertifiedKey>>>,
    proofs: RwLock<HashMap<String, Arc<CertifiedKey>>>,
}

impl Resolver {
    /// Shows a certificate from now on.
    pub fn show(&self, certified: Arc<CertifiedKey>) {
        *self.current.write() = Some(certified);
    }

    /// Whether there is one to show.
    pub fn has_one(&self) -> bool {
        self.current.read().is_some()
    }

    /// What is shown to the authority that asks for a name.
    pub fn prove(&self, name: &str, certified: Arc<CertifiedKey>) {
        self.proofs.write().insert(name.to_owned(), certified);
    }

    /// Nobody asks any more.
    pub fn forget_proofs(&self) {
        self.proofs.write().clear();
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut names| names.any(|name| name == PROOF)) {
            let name = hello.server_name()?.to_ascii_lowercase();
            return self.proofs.read().get(&name).cloned();
        }
        self.current.read().clone()
    }
}
