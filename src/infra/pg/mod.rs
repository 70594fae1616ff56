//! Connections to PostgreSQL, for the metadata database and for charts alike: names resolved without the C
//! library (a static binary cannot ask it), TLS with libpq's meaning of `sslmode`.

mod resolve;
mod tls;

use std::{future::Future, pin::Pin};

use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio_postgres::{CancelToken, Client, Config, Error, NoTls, config::Host, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use tls::{TlsError, Verify, client_config, is_certificate};

/// A server and how far its certificate is trusted.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host, port, user, database, …
    pub config: Config,
    /// What is verified when the connection is encrypted.
    pub verify: Verify,
}

/// Makes the connections of a pool.
pub struct Connector {
    tls: MakeRustlsConnect,
}

impl Connector {
    /// A connector for a target's certificate rules.
    pub fn new(verify: &Verify) -> Result<Self, TlsError> {
        Ok(Self { tls: tls::connector(verify)? })
    }

    /// Cancels a statement that runs on a connection of this connector.
    pub async fn cancel(&self, token: CancelToken, config: &Config) -> Result<(), Error> {
        if uses_tls(config) {
            token.cancel_query(self.tls.clone()).await
        } else {
            token.cancel_query(NoTls).await
        }
    }
}

fn uses_tls(config: &Config) -> bool {
    config.get_ssl_mode() != SslMode::Disable && config.get_hosts().iter().any(|h| matches!(h, Host::Tcp(_)))
}

type Connected = Result<(Client, JoinHandle<()>), Error>;

impl Connect for Connector {
    fn connect(&self, config: &Config) -> Pin<Box<dyn Future<Output = Connected> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            // Resolved for each connection: a server may move while the pool lives.
            let config = resolve::with_addresses(config).await;
            if uses_tls(&config) {
                let (client, connection) = config.connect(self.tls.clone()).await?;
                Ok((client, drive(connection)))
            } else {
                let (client, connection) = config.connect(NoTls).await?;
                Ok((client, drive(connection)))
            }
        })
    }
}

fn drive<F: Future<Output = Result<(), Error>> + Send + 'static>(connection: F) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection to PostgreSQL ended");
        }
    })
}
