//! `liteset run`: the server.

use std::net::IpAddr;

use crate::app;

/// Options of `run`.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on.
    #[arg(long, default_value_t = 8088)]
    port: u16,
}

impl Run {
    /// Starts the server and blocks until it has stopped.
    pub fn run(self) -> Result<(), app::StartError> {
        let loaded = infra::config::load(infra::config::Sources {
            environment: std::env::vars().collect(),
            ..Default::default()
        })?;
        let config = loaded.config;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let services = app::build(config).await?;
            app::serve(services, (self.host, self.port).into()).await
        })
    }
}
