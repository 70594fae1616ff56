//! TLS of the running server: what its configuration asks for, and what goes on in the background for it.

use std::{path::Path, sync::Arc};

use infra::{
    config::{
        Config,
        tls::{Source, Tls},
    },
    tls::{self, Certificates, Change, acme::Authority},
};
use rustls::ServerConfig;
use tokio::task::JoinHandle;

/// Keys whose files are read again by SIGHUP.
pub const FILES: &[&str] = &["TLS_CERTIFICATE", "TLS_KEY"];

/// How the server encrypts.
pub struct Encryption {
    /// For connections.
    pub server: Arc<ServerConfig>,
    keeper: Keeper,
}

enum Keeper {
    Files(Arc<Certificates>),
    Authority(Box<Authority>),
}

/// What SIGHUP reads again.
pub type Files = Option<Arc<Certificates>>;

impl Encryption {
    /// Reads the certificate; an error is a reason not to start, and names the file. Nobody is asked, nothing is made.
    pub fn prepare(settings: Tls, home: &Path) -> Result<Self, String> {
        let (keeper, resolver, proves) = match settings.source {
            Source::Files { certificate, key } => {
                let files = Certificates::open(&certificate, &key)?;
                let resolver = files.resolver();
                (Keeper::Files(Arc::new(files)), resolver, false)
            }
            Source::Acme(acme) => {
                let authority = Authority::open(acme, home);
                let resolver = authority.resolver();
                (Keeper::Authority(Box::new(authority)), resolver, true)
            }
        };
        Ok(Self { server: Arc::new(tls::server_config(resolver, proves)?), keeper })
    }

    /// Files that SIGHUP reads again.
    pub fn files(&self) -> Files {
        match &self.keeper {
            Keeper::Files(files) => Some(files.clone()),
            Keeper::Authority(_) => None,
        }
    }

    /// Looks after the certificate from now on: the server listens.
    pub fn start(self) -> JoinHandle<()> {
        match self.keeper {
            Keeper::Files(files) => tokio::spawn(files.watch()),
            Keeper::Authority(authority) => tokio::spawn(authority.keep()),
        }
    }
}

/// Reads the files that a configuration names; the words for the log, where another certificate is shown now.
pub fn read_again(files: &Certificates, config: &Config) -> Result<Option<String>, String> {
    let Some(Tls { source: Source::Files { certificate, key }, .. }) = config.tls() else {
        return Err("TLS_CERTIFICATE and TLS_KEY are not set any more: this needs a restart".to_owned());
    };
    match files.read(&certificate, &key)? {
        Change::Same => Ok(None),
        Change::Taken(words) => Ok(Some(words)),
    }
}
