//! The composition root: configuration → metadata database → services → router → server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use commands::Services;
use infra::{
    config::{Config, engine_options::pool_options},
    db::{Db, DbUri, migrate},
};
use salvo::{
    Listener, Router, Server, Service,
    conn::{Acceptor, TcpListener},
};
use web::dispatch::Dispatch;

use crate::{
    background::{Background, close_orphans},
    listener::closing,
};

/// How long requests in flight may take after a termination signal.
const GRACE: Duration = Duration::from_secs(30);

/// Why liteset could not start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Connects to the configured metadata database; anything but the schema of 6.0.0 is refused.
pub async fn connect(config: &Config) -> Result<Db, StartError> {
    let uri: DbUri = config.str("SQLALCHEMY_DATABASE_URI").parse()?;
    if let Some(refusal) = migrate::inspect(&uri).await?.refusal() {
        return Err(refusal.into());
    }
    Ok(Db::connect_with(&uri, pool_options(config)).await?)
}

/// Connects everything that commands need, beside servers that may be running.
pub async fn services(config: Config) -> Result<Arc<Services>, StartError> {
    let db = connect(&config).await?;
    match commands::secret_key::refusal(&db, &config).await? {
        Some(refusal) => Err(refusal.into()),
        None => Ok(Arc::new(Services::new(config, db))),
    }
}

/// Connects everything that a running server needs.
pub async fn build(config: Config) -> Result<Arc<Services>, StartError> {
    if let Some(refusal) = commands::async_query::refusal(&config) {
        return Err(refusal.into());
    }
    let services = services(config).await?;
    // a database without the table is not a reason to stay down
    if let Err(error) = commands::theme::seed_system_themes(&services).await {
        tracing::warn!(%error, "system themes were not written");
    }
    close_orphans(&services).await;
    Ok(services)
}

/// Serves until SIGTERM or SIGINT; returns when the requests in flight are done.
pub async fn serve(app: Arc<Services>, address: SocketAddr) -> Result<(), StartError> {
    let bound = TcpListener::new(address).try_bind().await;
    let acceptor = bound.map_err(|e| format!("cannot listen on {address}: {e}"))?;
    for holding in acceptor.holdings() {
        // salvo writes `socket://127.0.0.1:8088`
        let address = holding.local_addr.to_string().replace("socket://", "http://");
        tracing::info!(address, "listening");
        if let Ok(address) = address.trim_start_matches("http://").parse() {
            let _ = app.listening.set(address);
        }
    }
    let table = web::router::table_of(&app.config);
    let background = Background::start(&app).await;
    let ending = app.clone();
    let dispatch = Dispatch::new(app.clone(), table);
    let event_log = dispatch.event_log();
    let router = Router::with_path("{**rest}").goal(dispatch);
    let (acceptor, closer) = closing(acceptor);
    let server = Server::new(acceptor);
    let handle = server.handle();
    let stopping = tokio::spawn(async move {
        termination().await;
        closer.close().await;
        tracing::info!("stopping: requests in flight may finish");
        // clients go to another process and hear there what became of their queries
        ending.async_queries.stop().await;
        ending.events.stop();
        handle.stop_graceful(GRACE);
        background.stop().await;
    });
    server.try_serve(Service::new(router)).await?;
    event_log.flush().await;
    // what runs without a request has its own grace time
    stopping.await?;
    app.browser.close().await;
    Ok(())
}

async fn termination() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}
