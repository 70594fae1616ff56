//! Connections of a pool, each with the bound of its messages.

use std::sync::Arc;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error};

use crate::pg::{Bound, Connector};

/// A pool of connections to one server.
pub type Pool = managed::Pool<Manager>;
/// A connection on loan.
pub type Object = managed::Object<Manager>;

/// A connection; it is closed when it is dropped, also in the middle of a result.
pub struct Connected {
    /// What talks over it.
    pub client: Client,
    /// How large its messages may be.
    pub bound: Arc<Bound>,
    driver: JoinHandle<()>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Makes connections.
pub struct Manager {
    /// How the server is reached.
    pub connector: Arc<Connector>,
    /// Where it is.
    pub config: Config,
}

impl managed::Manager for Manager {
    type Type = Connected;
    type Error = Error;

    async fn create(&self) -> Result<Connected, Error> {
        let bound = Arc::new(Bound::default());
        let (client, driver) = self.connector.connect_bounded(&self.config, bound.clone()).await?;
        Ok(Connected { client, bound, driver })
    }

    async fn recycle(&self, connected: &mut Connected, _: &Metrics) -> RecycleResult<Error> {
        if connected.client.is_closed() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}
