//! A statement that runs in a server, and is ended there when nobody waits for it any more.

use std::sync::Arc;

use async_trait::async_trait;

use super::super::error::EngineError;

/// A server that can be told to end what it runs.
#[async_trait]
pub trait Cancel: Send + Sync + 'static {
    /// What it takes to end a statement.
    type Statement: Send + 'static;

    /// Ends a statement, and what belongs to it.
    async fn cancel(&self, statement: Self::Statement) -> Result<(), EngineError>;
}

/// A statement that may run in a server; it is cancelled when this is dropped.
pub struct Running<S: Cancel> {
    server: Arc<S>,
    statement: Option<S::Statement>,
}

impl<S: Cancel> Running<S> {
    /// Nothing runs yet.
    pub fn new(server: &Arc<S>) -> Self {
        Self { server: server.clone(), statement: None }
    }

    /// Where it runs.
    pub fn server(&self) -> &Arc<S> {
        &self.server
    }

    /// The server runs it from now on.
    pub fn begun(&mut self, statement: S::Statement) {
        self.statement = Some(statement);
    }

    /// What runs.
    pub fn statement(&self) -> Option<&S::Statement> {
        self.statement.as_ref()
    }

    /// The same, to be changed.
    pub fn statement_mut(&mut self) -> Option<&mut S::Statement> {
        self.statement.as_mut()
    }

    /// Nothing is to be cancelled any more.
    pub fn over(&mut self) -> Option<S::Statement> {
        self.statement.take()
    }
}

impl<S: Cancel> Drop for Running<S> {
    fn drop(&mut self) {
        let (server, Some(statement)) = (self.server.clone(), self.statement.take()) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = server.cancel(statement).await {
                tracing::warn!(%error, "statement could not be cancelled");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    struct Server(mpsc::UnboundedSender<u32>);

    #[async_trait]
    impl Cancel for Server {
        type Statement = u32;

        async fn cancel(&self, statement: u32) -> Result<(), EngineError> {
            self.0.send(statement).unwrap();
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_runs_is_cancelled_and_what_is_over_is_not() {
        let (sent, mut heard) = mpsc::unbounded_channel();
        let server = Arc::new(Server(sent));
        for (number, over) in [(1, true), (2, false)] {
            let mut running = Running::new(&server);
            running.begun(number);
            if over {
                assert_eq!(running.over(), Some(number));
            }
        }
        drop(Running::new(&server));
        drop(server);
        assert_eq!(heard.recv().await, Some(2));
        assert_eq!(heard.recv().await, None);
    }
}
