//! Connections to one database: made when they are needed, lent one at a time, closed when nobody needs them.
//!
//! Every driver that keeps connections keeps them here, with a manager of its own that makes one and tells whether it
//! still lives. What has none to keep (DuckDB, and HTTP, whose client has its own) only counts its statements.

use std::time::{Duration, Instant};

use deadpool::{
    Runtime,
    managed::{Manager, Object, Pool, PoolConfig, PoolError, QueueMode, TimeoutType, Timeouts},
};

use super::EngineError;
use crate::telemetry::{self, Database};

/// How long a statement waits for a free connection.
const WAIT: Duration = Duration::from_secs(30);

/// Connections that nobody used for so long are closed.
const IDLE: Duration = Duration::from_secs(60);

/// Connections that were idle longer are asked whether they still live.
const FRESH: Duration = Duration::from_secs(20);

/// The connections to one database.
pub(super) struct Connections<M: Manager>(Pool<M>);

impl<M: Manager<Error = EngineError> + 'static> Connections<M> {
    /// So many at a time at the most; whoever waits for a free one longer than half a minute is told so.
    pub fn new(manager: M, most: usize) -> Result<Self, EngineError> {
        Self::waiting(manager, most, Some(WAIT))
    }

    /// The same for those who may wait as long as it takes, which are files of this machine.
    pub fn without_wait_limit(manager: M, most: usize) -> Result<Self, EngineError> {
        Self::waiting(manager, most, None)
    }

    fn waiting(manager: M, most: usize, wait: Option<Duration>) -> Result<Self, EngineError> {
        // making one and asking one have their time in the drivers, which have words for it
        let timeouts = Timeouts { wait, create: None, recycle: None };
        let config = PoolConfig { max_size: most, timeouts, queue_mode: QueueMode::Lifo };
        let pool = Pool::builder(manager).config(config).runtime(Runtime::Tokio1).build();
        let pool = pool.map_err(|e| EngineError::Connect(e.to_string()))?;
        close_idle(&pool);
        Ok(Self(pool))
    }

    /// A connection, which comes back when it is dropped; one that must not goes by [`discard`].
    pub async fn get(&self) -> Result<Object<M>, EngineError> {
        // boxed, as making a connection lies deep on the stack
        let work = Box::pin(self.0.get());
        telemetry::connection(Database::Analytical, work).await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(TimeoutType::Wait) => {
                EngineError::Connect("no connection: all are busy".to_owned())
            }
            other => EngineError::Connect(format!("no connection: {other}")),
        })
    }
}

/// Takes a connection out of the pool, which makes another one in its place when it needs one.
pub(super) fn discard<M: Manager>(connection: Object<M>) -> M::Type {
    Object::take(connection)
}

/// When a connection was last in use.
pub(super) struct LastUse(Instant);

impl LastUse {
    /// It was in use a moment ago.
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// It surely still lives.
    pub fn is_fresh(&self) -> bool {
        self.0.elapsed() < FRESH
    }
}

/// Closes connections that nobody uses, as long as the pool is there.
fn close_idle<M: Manager + 'static>(pool: &Pool<M>) {
    let weak = pool.weak();
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(IDLE / 2).await;
            let Some(pool) = weak.upgrade() else { break };
            pool.retain(|_, metrics| metrics.last_used() < IDLE);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use deadpool::managed::{Metrics, RecycleError, RecycleResult};

    use super::*;

    /// Numbers; even ones die when they come back.
    #[derive(Default)]
    struct Numbers(AtomicU32);

    impl Manager for Numbers {
        type Type = u32;
        type Error = EngineError;

        async fn create(&self) -> Result<u32, EngineError> {
            Ok(self.0.fetch_add(1, Ordering::Relaxed))
        }

        async fn recycle(&self, number: &mut u32, _: &Metrics) -> RecycleResult<EngineError> {
            if number.is_multiple_of(2) { Err(RecycleError::message("dead")) } else { Ok(()) }
        }
    }

    #[tokio::test]
    async fn dead_ones_are_replaced_and_nobody_waits_forever() {
        let soon = Some(Duration::from_millis(20));
        let connections = Connections::waiting(Numbers::default(), 1, soon).unwrap();
        assert_eq!(*connections.get().await.unwrap(), 0);
        assert_eq!(*connections.get().await.unwrap(), 1);
        assert_eq!(*connections.get().await.unwrap(), 1);
        assert_eq!(discard(connections.get().await.unwrap()), 1);
        let held = connections.get().await.unwrap();
        assert_eq!(*held, 2);
        let busy = EngineError::Connect("no connection: all are busy".into());
        assert_eq!(connections.get().await.err(), Some(busy));
    }
}
