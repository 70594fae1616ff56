//! Global async queries (`GLOBAL_ASYNC_QUERIES`, `superset.async_events`): a request for data that the cache does not
//! have is answered at once with a job; events tell when the job is done and where its result is.
//!
//! A job asks as a request does: whoever asks the same at the same time waits for the same query
//! (`crate::state::Flights`). It ends when nobody is left who would hear of it (`job::abandoned`).

mod job;
mod start;
mod submit;
mod token;

pub use start::refusal;
pub use submit::{chart_data, events, explore_json};
pub use token::{Token, channel_of_request, channel_of_socket, issue};
