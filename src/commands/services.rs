//! What every command works with.

use infra::{config::Config, db::Db};

/// The running application: made once by the composition root (`app.rs`), shared by all requests and jobs.
pub struct Services {
    /// The configuration in force.
    pub config: Config,
    /// The metadata database.
    pub db: Db,
}
