//! Work that keeps a processor busy, apart from the threads that answer.
//!
//! A [`Pool`] runs futures whose steps may take long: each step waits for one of few turns and then runs where it holds
//! up nobody else (`tokio::task::block_in_place`). Nobody has all turns, so that the others go on; whoever waits too
//! long is refused. The loops inside ask [`check`] or a [`Pace`] whether somebody still waits and whether there is time
//! left.

mod lease;
mod pool;
mod shares;
mod ticket;

pub use lease::{Lease, NoMemory};
pub use pool::{Pool, Work};
pub use shares::{Share, Shares};
pub use ticket::{Pace, Stopped, check};

use crate::{Error, Result};

/// Work on the processor: at once inside a [`Pool`], whose turn it has, or else on a thread that may block.
pub async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    if ticket::is_inside() {
        return Ok(work());
    }
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(Error::internal)
}
