//! The composition root: configuration → metadata database → services → router → server.

use std::{sync::Arc, time::Duration};

use commands::{Services, state::numbers};
use infra::{
    config::{Config, engine_options::pool_options},
    db::{Db, DbUri, migrate},
    telemetry::{self, Kind, Sample, Statsd, StatsdSettings, Thresholds},
};
use salvo::{Router, Server, Service, rt::tokio::TokioTimer};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use web::dispatch::Dispatch;

use crate::{
    background::{Background, close_orphans},
    encryption::Encryption,
    listen::{Bound, Listening, closing},
    metrics, notify,
    reload::{self, Reload},
};

/// How long requests in flight may take after a termination signal.
const GRACE: Duration = Duration::from_secs(30);

/// How often a silent connection of HTTP/2 is asked whether it is there, and how long it has for the answer.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
const KEPT_ALIVE: Duration = Duration::from_secs(20);

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

/// What is done once requests are answered, at the addresses that it is given.
pub type WhenReady = Box<dyn FnOnce(&[String]) + Send>;

/// What a server is given besides the application.
pub struct Serving {
    /// Where it listens.
    pub bound: Bound,
    /// How connections are encrypted, if they are.
    pub encryption: Option<Encryption>,
    /// Where `/metrics` is served, if it is.
    pub metrics: Option<TcpListener>,
    /// How the configuration is read again.
    pub reload: Reload,
    /// Called when requests are answered.
    pub ready: WhenReady,
}

/// What others see of the process, as the configuration says.
async fn start_telemetry(app: &Arc<Services>, listener: Option<TcpListener>) -> Result<(), StartError> {
    telemetry::set_thresholds(Thresholds::new(
        app.config.int("SLOW_REQUEST_MS"),
        app.config.int("SLOW_STATEMENT_MS"),
    ));
    if let Some(settings) = StatsdSettings::read(app.config.get("STATS_LOGGER")) {
        let at = format!("{}:{}", settings.host, settings.port);
        match tokio::task::spawn_blocking(move || Statsd::connect(&settings)).await? {
            Ok(statsd) => statsd.start(),
            // counters are no reason to stay down
            Err(error) => tracing::warn!(%error, at, "STATS_LOGGER: no counters are sent"),
        }
    }
    if let Some(listener) = listener {
        let state = Arc::downgrade(app);
        telemetry::start(move || {
            let mut samples = state.upgrade().map(|app| numbers(&app)).unwrap_or_default();
            samples.push(build_info());
            samples
        });
        metrics::serve(listener)?;
    }
    Ok(())
}

/// What the binary was made from, as a number that is always 1.
fn build_info() -> Sample {
    let labels = vec![
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("superset", "6.0.0".into()),
        ("commit", env!("LITESET_COMMIT").into()),
        ("features", env!("LITESET_FEATURES").into()),
    ];
    let help = "What the binary was made from";
    Sample { name: "liteset_build_info", help, kind: Kind::Gauge, values: vec![(labels, 1.0)] }
}

/// Serves until SIGTERM or SIGINT; returns when the requests in flight are done.
pub async fn serve(app: Arc<Services>, serving: Serving) -> Result<(), StartError> {
    let Serving { bound, encryption, metrics, reload, ready } = serving;
    start_telemetry(&app, metrics).await?;
    if let Some(address) = bound.address {
        let _ = app.listening.set(address);
    }
    let is_given = bound.is_given;
    let listening = bound.into_acceptor(encryption.as_ref().map(|encryption| encryption.server.clone()))?;
    let Listening { acceptor, places, redirects } = listening;
    let table = web::router::table_of(&app.config);
    let background = Background::start(&app).await;
    let ending = app.clone();
    let dispatch = Dispatch::new(app.clone(), table);
    let event_log = dispatch.event_log();
    let router = Router::with_path("{**rest}").goal(dispatch);
    let (acceptor, closer) = closing(acceptor, is_given);
    let mut server = Server::new(acceptor);
    // who says nothing for long over HTTP/2 is asked, and left when there is no answer
    server
        .http2_mut()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEPT_ALIVE);
    let handle = server.handle();
    let signals = Signals::install()?;
    let files = encryption.as_ref().and_then(Encryption::files);
    let watching = reload::start(&app.config, reload, files)?;
    let certificates = encryption.map(Encryption::start);
    let stopping = tokio::spawn(async move {
        signals.termination().await;
        watching.abort();
        if let Some(certificates) = certificates {
            certificates.abort();
        }
        notify::stopping();
        closer.close().await;
        tracing::info!("stopping: requests in flight may finish");
        // clients go to another process and hear there what became of their queries
        ending.async_queries.stop().await;
        ending.events.stop();
        handle.stop_graceful(GRACE);
        background.stop().await;
    });
    for address in &places {
        tracing::info!(address, "listening");
    }
    for address in &redirects {
        tracing::info!(address, "requests in clear are sent on to https");
    }
    notify::ready("answering requests");
    notify::start_watchdog();
    ready(&places);
    server.try_serve(Service::new(router)).await?;
    event_log.flush().await;
    // what runs without a request has its own grace time
    stopping.await?;
    app.browser.close().await;
    Ok(())
}

/// The signals that end the server, from the moment on at which they would otherwise kill it.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn install() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn termination(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
