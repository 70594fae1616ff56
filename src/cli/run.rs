//! `liteset run`: the server.

use std::net::IpAddr;

use super::{Common, block_on};
use crate::{
    app::{self, StartError},
    first_start::FirstStart,
};

/// Options of `run`.
#[derive(Debug, clap::Args)]
pub struct Run {
    #[command(flatten)]
    common: Common,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on.
    #[arg(long, default_value_t = 8088)]
    port: u16,
    /// Password of the first administrator [default: generated and printed once].
    #[arg(long, env = "LITESET_ADMIN_PASSWORD", hide_env_values = true)]
    admin_password: Option<String>,
    /// Start without the example dashboards.
    #[arg(long)]
    no_examples: bool,
}

impl Run {
    /// Starts the server and blocks until it has stopped.
    pub fn run(self) -> Result<(), StartError> {
        let loaded = self.common.load()?;
        let first = FirstStart { admin_password: self.admin_password, examples: !self.no_examples };
        block_on(async {
            let _lock = first.prepare(&loaded).await?;
            // A first start has just written the settings of the new installation.
            let config = if loaded.own_database { self.common.load()?.config } else { loaded.config };
            let services = app::build(config).await?;
            app::serve(services, (self.host, self.port).into()).await
        })
    }
}
