//! Connections to PostgreSQL, for the metadata database and for charts alike: names resolved without the C
//! library (a static binary cannot ask it), TLS with libpq's meaning of `sslmode`.

mod bound;
mod negotiate;
mod resolve;
mod tls;

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc};

use deadpool_postgres::Connect;
use tokio::{net::UnixStream, task::JoinHandle};
use tokio_postgres::{CancelToken, Client, Config, Error, NoTls, config::Host, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use bound::Bounded;
use negotiate::Negotiate;

pub use bound::Bound;
pub(crate) use tls::unverified;
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

    /// Makes a connection that ends with a message above a bound.
    pub async fn connect_bounded(&self, config: &Config, bound: Arc<Bound>) -> Connected {
        if let Some(path) = socket_file(config) {
            return match UnixStream::connect(path).await {
                Ok(stream) => {
                    let mut plain = config.clone();
                    plain.ssl_mode(SslMode::Disable);
                    let (client, connection) = plain.connect_raw(Bounded::new(stream, bound), NoTls).await?;
                    Ok((client, drive(connection)))
                }
                // it fails again, and is told as any other
                Err(_) => self.connect(config).await,
            };
        }
        let config = resolve::with_addresses(config.clone()).await;
        let (negotiate, config) = Negotiate::prepare(&config, self.tls.clone(), bound);
        let (client, connection) = config.connect(negotiate).await?;
        Ok((client, drive(connection)))
    }

    /// Cancels a statement that runs on a bounded connection of this connector.
    pub async fn cancel(&self, token: CancelToken, config: &Config) -> Result<(), Error> {
        if let Some(path) = socket_file(config)
            && let Ok(stream) = UnixStream::connect(path).await
        {
            return token.cancel_query_raw(stream, NoTls).await;
        }
        let (negotiate, _) = Negotiate::prepare(config, self.tls.clone(), Arc::default());
        token.cancel_query(negotiate).await
    }
}

/// The file of a server on this machine, when it is the only one.
fn socket_file(config: &Config) -> Option<PathBuf> {
    let [Host::Unix(folder)] = config.get_hosts() else { return None };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    Some(folder.join(format!(".s.PGSQL.{port}")))
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
