//! What every command works with.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::TimeDelta;
use infra::{
    browser::Browser,
    cache::{Backend, Cache, CacheSettings, Stored},
    compute::{Lease, Pool, Shares},
    config::Config,
    db::{Db, DbUri},
    engines::Engines,
    events::{self, Events},
    sign_in::oauth::Knowledge,
};
use query::QueryError;
use serde_json::Value;

use super::{
    AsyncQueries, BootstrapTexts, Flights, GrantCache, QueryRun, Results, Running, UnwrittenEnds,
    browser_settings,
    claims::Claims,
    jobs::Jobs,
    local_files::folder,
    metastore_cache::MetastoreCache,
    processes::Processes,
    readiness::Readiness,
    thumbnails::{Queue, ThumbnailCache, Thumbnails},
};

/// The outcome of executing a query object, as it is shared, with the memory that it takes until it is answered.
type SharedRun = Result<(Arc<QueryRun>, Arc<Lease>), Arc<QueryError>>;

/// The running application: made once by the composition root (`app.rs`), shared by all requests and jobs.
pub struct Services {
    /// The configuration in force.
    pub config: Config,
    /// The metadata database.
    pub db: Db,
    /// What roles grant, remembered for a moment.
    pub grants: GrantCache,
    /// What pages are told, as it was written before.
    pub bootstrap: BootstrapTexts,
    /// Log-ins that were ended while that could not be written down.
    pub unwritten_ends: UnwrittenEnds,
    /// What is known of those who vouch for people.
    pub providers: Knowledge,
    /// Whether all of it works.
    pub readiness: Readiness,
    /// The analytical databases.
    pub engines: Engines,
    /// `DATA_CACHE_CONFIG`: outcomes of queries.
    pub data_cache: Cache<QueryRun>,
    /// `CACHE_CONFIG`: requests to be asked again by their key.
    pub cache: Cache<Value>,
    /// `FILTER_STATE_CACHE_CONFIG`: states of dashboard filters.
    pub filter_states: Cache<Value>,
    /// `EXPLORE_FORM_DATA_CACHE_CONFIG`: form data of the chart builder.
    pub explore_form_data: Cache<Value>,
    /// Where work goes that takes the processor.
    pub compute: Pool,
    /// Kilobytes for all results under way (`MAX_RESULTS_MB`).
    pub memory: Shares,
    /// Queries under way.
    pub flights: Arc<Flights<SharedRun>>,
    /// SQL Lab.
    pub sql_lab: SqlLab,
    /// Work that no request waits for.
    pub jobs: Jobs,
    /// What this process has claimed for itself.
    pub claims: Claims,
    /// Which processes are alive.
    pub processes: Processes,
    /// Queries that no request waits for (`GLOBAL_ASYNC_QUERIES`).
    pub async_queries: AsyncQueries,
    /// What is told of them.
    pub events: Events,
    /// What takes pictures of pages.
    pub browser: Browser,
    /// Pictures that are kept, and those that are to be taken.
    pub thumbnails: Thumbnails,
    /// Where this process answers; nothing until it does.
    pub listening: OnceLock<SocketAddr>,
}

/// What SQL Lab keeps.
pub struct SqlLab {
    /// Queries under way.
    pub running: Running,
    /// Results that somebody may ask for later.
    pub results: Results,
}

impl Services {
    /// An application over a configuration and a metadata database.
    pub fn new(config: Config, db: Db) -> Self {
        let metadata: Option<PathBuf> = match config.str("SQLALCHEMY_DATABASE_URI").parse() {
            Ok(DbUri::Sqlite { path }) => Some(path),
            _ => None,
        };
        let directories = match config.get("DUCKDB_FILE_DIRECTORIES").as_array() {
            Some(named) => named.iter().filter_map(Value::as_str).map(PathBuf::from).collect(),
            None => folder(&config).into_iter().collect(),
        };
        let claims = Claims::new(TimeDelta::seconds(catch_up_seconds(&config)) + TimeDelta::days(1));
        let lease = Duration::from_secs(lease_seconds(&config));
        Self {
            processes: Processes::new(claims.owner, lease),
            claims,
            data_cache: cache(&config, &db, "DATA_CACHE_CONFIG", "data"),
            cache: cache(&config, &db, "CACHE_CONFIG", "requests"),
            filter_states: cache(&config, &db, "FILTER_STATE_CACHE_CONFIG", "filter_states"),
            explore_form_data: cache(&config, &db, "EXPLORE_FORM_DATA_CACHE_CONFIG", "explore_form_data"),
            engines: Engines::new(metadata.as_deref()).offering(directories),
            memory: memory(&config),
            compute: Pool::of_this_machine(compute_limit(&config)),
            flights: Arc::default(),
            grants: GrantCache::default(),
            bootstrap: BootstrapTexts::default(),
            jobs: Jobs::default(),
            async_queries: AsyncQueries::default(),
            events: Events::new(event_settings(&config)),
            browser: Browser::new(browser_settings::read(&config)),
            thumbnails: Thumbnails {
                cache: ThumbnailCache::from_config(&config, &db),
                queue: Queue::default(),
            },
            listening: OnceLock::new(),
            unwritten_ends: UnwrittenEnds::default(),
            providers: Knowledge::default(),
            readiness: Readiness::default(),
            sql_lab: SqlLab { running: Running::default(), results: Results::from_config(&config) },
            config,
            db,
        }
    }
}

/// Seconds for which what was not run in time is run late (`REPORTS_CATCH_UP`); older firings are written off.
pub fn catch_up_seconds(config: &Config) -> i64 {
    config.int("REPORTS_CATCH_UP").unwrap_or(900).clamp(60, 604_800)
}

/// Seconds after which a process that gives no sign is taken for gone (`REPORTS_CLAIM_LEASE`).
pub fn lease_seconds(config: &Config) -> u64 {
    config.int("REPORTS_CLAIM_LEASE").and_then(|s| u64::try_from(s).ok()).unwrap_or(30).clamp(2, 3600)
}

/// Where events go; what cannot be honoured stops the start where the feature is on.
fn event_settings(config: &Config) -> events::Settings {
    let read = config.flag("GLOBAL_ASYNC_QUERIES").then(|| events::Settings::read(config).ok()).flatten();
    read.unwrap_or_else(events::Settings::in_memory)
}

/// Megabytes of all results under way, where the configuration names none.
const MAX_RESULTS_MB: usize = 1_024;

/// The budget for results. Nobody has all of it.
fn memory(config: &Config) -> Shares {
    let set = config.int("MAX_RESULTS_MB").and_then(|mb| usize::try_from(mb).ok()).filter(|mb| *mb > 0);
    let kilobytes = set.unwrap_or(MAX_RESULTS_MB).saturating_mul(1 << 10);
    Shares::new(kilobytes, kilobytes / 4 * 3)
}

/// Seconds that one request may take the processor: as long as it may take at all (`SUPERSET_WEBSERVER_TIMEOUT`).
fn compute_limit(config: &Config) -> Duration {
    let seconds = config.int("SUPERSET_WEBSERVER_TIMEOUT").and_then(|s| u64::try_from(s).ok()).unwrap_or(60);
    Duration::from_secs(seconds.clamp(1, 86_400))
}

/// The cache that a key of the configuration describes.
fn cache<V: Stored>(config: &Config, db: &Db, key: &str, name: &'static str) -> Cache<V> {
    let settings = CacheSettings::read(config, key);
    let cache = match settings.backend {
        Backend::Metastore => Cache::in_store(Arc::new(MetastoreCache::new(db, &settings))),
        _ => Cache::new(&settings),
    };
    cache.named(name)
}
