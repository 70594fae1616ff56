//! The event log and cache keys.

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::USERS,
};

/// `logs`.
pub static LOGS: Table = Table {
    name: "logs",
    pk: "id",
    columns: &[
        Column::new("id", Kind::Integer).required(),
        Column::new("action", Kind::String(512)),
        Column::new("user_id", Kind::Integer),
        Column::new("dashboard_id", Kind::Integer),
        Column::new("slice_id", Kind::Integer),
        Column::new("json", Kind::Text),
        Column::new("dttm", Kind::DateTime).default(Fill::UtcNow),
        Column::new("duration_ms", Kind::Integer),
        Column::new("referrer", Kind::String(1024)),
    ],
    relations: &[Relation::one("user", &USERS, "user_id")],
};

/// `cache_keys`.
pub static CACHE_KEYS: Table = Table {
    name: "cache_keys",
    pk: "id",
    columns: &[
        Column::new("id", Kind::Integer).required(),
        Column::new("cache_key", Kind::String(256)).required(),
        Column::new("cache_timeout", Kind::Integer),
        Column::new("datasource_uid", Kind::String(64)).required(),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
    ],
    relations: &[],
};
