//! Statements that are made while others are executed.

use tokio::sync::mpsc::{Receiver, channel};

use super::error::EngineError;

/// Statements that wait to be executed.
const AHEAD: usize = 2;

/// Statements in their order, made on a thread of their own; dropping them ends their making. An error is the last.
pub struct Statements(Receiver<Option<Result<String, EngineError>>>);

impl Statements {
    /// Makes the statements of an iterator that may block.
    pub fn made(statements: impl Iterator<Item = Result<String, EngineError>> + Send + 'static) -> Self {
        let (out, made) = channel(AHEAD);
        tokio::task::spawn_blocking(move || {
            for statement in statements {
                let failed = statement.is_err();
                if out.blocking_send(Some(statement)).is_err() || failed {
                    return;
                }
            }
            let _ = out.blocking_send(None);
        });
        Self(made)
    }

    /// Statements that are there.
    pub fn list<T: Into<String>>(statements: impl IntoIterator<Item = T>) -> Self {
        let all: Vec<String> = statements.into_iter().map(Into::into).collect();
        Self::made(all.into_iter().map(Ok))
    }

    /// The next one.
    pub async fn next(&mut self) -> Option<Result<String, EngineError>> {
        self.0.recv().await.unwrap_or_else(broken_off)
    }

    /// The next one, for a thread that may wait.
    pub fn next_blocking(&mut self) -> Option<Result<String, EngineError>> {
        self.0.blocking_recv().unwrap_or_else(broken_off)
    }
}

/// Their maker is gone without having said that it is done: what is there must not be taken for everything.
#[expect(clippy::unnecessary_wraps, reason = "it stands where a statement may be missing")]
fn broken_off() -> Option<Result<String, EngineError>> {
    Some(Err(EngineError::Content("the statements broke off".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_end_is_told_from_a_break() {
        let mut all = Statements::list(["a", "b"]);
        assert_eq!(all.next().await, Some(Ok("a".into())));
        assert_eq!(all.next().await, Some(Ok("b".into())));
        assert_eq!(all.next().await, None);
        let mut half =
            Statements::made(std::iter::once(Ok("a".to_owned())).chain(std::iter::once_with(|| {
                std::panic::resume_unwind(Box::new("the maker breaks"));
            })));
        assert_eq!(half.next().await, Some(Ok("a".into())));
        assert!(matches!(half.next().await, Some(Err(EngineError::Content(_)))));
    }
}
