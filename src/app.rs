//! The composition root: configuration → metadata database → services → router → server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use commands::Services;
use infra::{
    config::Config,
    db::{Db, DbUri, migrate},
};
use salvo::{
    Listener, Router, Server, Service,
    conn::{Acceptor, TcpListener},
};
use web::dispatch::Dispatch;

/// How long requests in flight may take after a termination signal.
const GRACE: Duration = Duration::from_secs(30);

/// Connections to the metadata database.
const POOL_SIZE: usize = 8;

/// Why liteset could not start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Connects to the configured metadata database; anything but the schema of 6.0.0 is refused.
pub async fn connect(config: &Config) -> Result<Db, StartError> {
    let uri: DbUri = config.str("SQLALCHEMY_DATABASE_URI").parse()?;
    if let Some(refusal) = migrate::inspect(&uri).await?.refusal() {
        return Err(refusal.into());
    }
    Ok(Db::connect(&uri, POOL_SIZE).await?)
}

/// Connects everything that a running server needs.
pub async fn build(config: Config) -> Result<Arc<Services>, StartError> {
    let db = connect(&config).await?;
    let services = Arc::new(Services::new(config, db));
    // a database without the table is not a reason to stay down
    if let Err(error) = commands::theme::seed_system_themes(&services).await {
        tracing::warn!(%error, "system themes were not written");
    }
    match commands::sql_lab::close_orphans(&services).await {
        Ok(0) => {}
        Ok(closed) => tracing::info!(closed, "queries of an earlier process were marked as failed"),
        Err(error) => tracing::warn!(%error, "queries of an earlier process were not closed"),
    }
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
    }
    let dispatch = Dispatch::new(app, web::router::table());
    let event_log = dispatch.event_log();
    let router = Router::with_path("{**rest}").goal(dispatch);
    let server = Server::new(acceptor);
    let handle = server.handle();
    tokio::spawn(async move {
        termination().await;
        tracing::info!("stopping: requests in flight may finish");
        handle.stop_graceful(GRACE);
    });
    server.try_serve(Service::new(router)).await?;
    event_log.flush().await;
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
