//! What every command works with.

use std::{path::PathBuf, sync::Arc};

use infra::{
    cache::{Backend, Cache, CacheSettings, Stored},
    config::Config,
    db::{Db, DbUri},
    engines::Engines,
};
use query::QueryError;
use serde_json::Value;

use crate::{
    access::{GrantCache, RevokedSessions},
    chart_data::{Flights, QueryRun},
    metastore_cache::MetastoreCache,
    sql_lab::{Results, Running},
};

/// The outcome of executing a query object, as it is shared.
type SharedRun = Result<Arc<QueryRun>, Arc<QueryError>>;

/// The running application: made once by the composition root (`app.rs`), shared by all requests and jobs.
pub struct Services {
    /// The configuration in force.
    pub config: Config,
    /// The metadata database.
    pub db: Db,
    /// What roles grant, remembered for a moment.
    pub grants: GrantCache,
    /// Logged-out sessions.
    pub revoked_sessions: RevokedSessions,
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
    /// Queries under way.
    pub flights: Arc<Flights<SharedRun>>,
    /// SQL Lab.
    pub sql_lab: SqlLab,
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
        let named = config.get("DUCKDB_FILE_DIRECTORIES").as_array().into_iter().flatten();
        let directories = named.filter_map(Value::as_str).map(PathBuf::from).collect();
        Self {
            data_cache: cache(&config, &db, "DATA_CACHE_CONFIG"),
            cache: cache(&config, &db, "CACHE_CONFIG"),
            filter_states: cache(&config, &db, "FILTER_STATE_CACHE_CONFIG"),
            explore_form_data: cache(&config, &db, "EXPLORE_FORM_DATA_CACHE_CONFIG"),
            engines: Engines::new(metadata.as_deref()).offering(directories),
            flights: Arc::default(),
            grants: GrantCache::default(),
            revoked_sessions: RevokedSessions::default(),
            sql_lab: SqlLab { running: Running::default(), results: Results::of(&config) },
            config,
            db,
        }
    }
}

/// The cache that a key of the configuration describes.
fn cache<V: Stored>(config: &Config, db: &Db, key: &str) -> Cache<V> {
    let settings = CacheSettings::read(config, key);
    match settings.backend {
        Backend::Metastore => Cache::in_store(Arc::new(MetastoreCache::new(db, &settings))),
        _ => Cache::new(&settings),
    }
}
