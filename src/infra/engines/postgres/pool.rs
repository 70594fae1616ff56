//! Making connections, each with the bound of its messages.

use std::sync::Arc;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config};

use super::{WAIT, error};
use crate::{
    engines::EngineError,
    pg::{Bound, Connector},
};

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
    type Error = EngineError;

    async fn create(&self) -> Result<Connected, EngineError> {
        let bound = Arc::new(Bound::default());
        let made = self.connector.connect_bounded(&self.config, bound.clone());
        let late = |_| EngineError::Connect("no connection: the server does not answer".to_owned());
        let made = tokio::time::timeout(WAIT, made).await.map_err(late)?;
        let (client, driver) = made.map_err(|e| error::connect_error(&e, &self.config))?;
        Ok(Connected { client, bound, driver })
    }

    async fn recycle(&self, connected: &mut Connected, _: &Metrics) -> RecycleResult<EngineError> {
        if connected.client.is_closed() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}
