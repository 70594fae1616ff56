//! Work that nobody asks for: alerts and reports when they are due, cache warm-up, retention (`superset.tasks`).
//!
//! [`Beat`] decides what is due and claims it, so that of several processes on one database each firing is run by one;
//! `takeover` finds what a process left behind that is gone.

mod beat;
mod due;
mod entries;
mod maintenance;
pub mod overview;
pub mod retention;
mod run;
mod settings;
mod takeover;
#[cfg(test)]
mod tests;
mod warm_up;

pub use beat::Beat;
pub use due::{Firing, Limits, firings_in_window};
pub use entries::{Entries, Entry, Task};
pub use run::{RunReport, Runs};
pub use settings::Settings;
pub use warm_up::{Strategy, WarmUpTask};
