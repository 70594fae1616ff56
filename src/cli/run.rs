//! `liteset run`: the server.

use std::net::IpAddr;

use infra::config::Config;

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
        let env = |name: &str| std::env::var(name).ok();
        let mut overrides = indexmap::IndexMap::new();
        for (key, value) in [
            ("SECRET_KEY", env("SUPERSET_SECRET_KEY")),
            ("SQLALCHEMY_DATABASE_URI", env("SUPERSET__SQLALCHEMY_DATABASE_URI")),
            ("SQLALCHEMY_DATABASE_URI", env("LITESET_SQLALCHEMY_DATABASE_URI")),
        ] {
            if let Some(value) = value {
                overrides.insert(key.to_owned(), value.into());
            }
        }
        let config = Config::with(overrides)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let services = app::build(config).await?;
            app::serve(services, (self.host, self.port).into()).await
        })
    }
}
