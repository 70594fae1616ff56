//! The statements that a connection has prepared, the ones used last.

use std::collections::HashMap;

use crate::mysql::{Answer, Cell, Failure, Param, Prepared, Wire, close, execute, prepare};

/// Statements that are kept; the server allows 16382 to all its connections by default.
const KEPT: usize = 128;

/// Longer texts (lists of many values) hardly come again.
const LONGEST: usize = 4096;

/// What is kept, with the time of its last use.
#[derive(Default)]
pub(super) struct Statements {
    kept: HashMap<String, (Prepared, u64)>,
    clock: u64,
}

impl Statements {
    /// Executes a text, which is prepared unless it was before.
    pub async fn execute(
        &mut self,
        wire: &mut Wire,
        text: &str,
        params: &[Param<'_>],
        each: impl FnMut(Vec<Cell<'_>>),
    ) -> Result<Answer, Failure> {
        self.clock += 1;
        if let Some((statement, used)) = self.kept.get_mut(text) {
            *used = self.clock;
            return execute(wire, *statement, params, each).await;
        }
        let statement = prepare(wire, text).await?;
        let result = execute(wire, statement, params, each).await;
        if text.len() > LONGEST || result.is_err() {
            if matches!(result, Ok(_) | Err(Failure::Server(..))) {
                close(wire, statement).await?;
            }
            return result;
        }
        if self.kept.len() >= KEPT {
            self.forget_oldest(wire).await?;
        }
        self.kept.insert(text.to_owned(), (statement, self.clock));
        result
    }

    async fn forget_oldest(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        let oldest = self.kept.iter().min_by_key(|(_, (_, used))| *used).map(|(text, _)| text.clone());
        if let Some((statement, _)) = oldest.and_then(|text| self.kept.remove(&text)) {
            close(wire, statement).await?;
        }
        Ok(())
    }
}
