//! Datasets with columns and metrics (`superset.connectors.sqla.models`).

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::{DBS, USERS},
};

/// `tables`.
pub static TABLES: Table = Table {
    name: "tables",
    pk: "id",
    columns: &[
        Column::new("uuid", Kind::Uuid).unique().default(Fill::NewUuid),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("description", Kind::Text),
        Column::new("default_endpoint", Kind::Text),
        Column::new("is_featured", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("filter_select_enabled", Kind::Boolean).default(Fill::Boolean(true)),
        Column::new("offset", Kind::Integer).default(Fill::Integer(0)),
        Column::new("cache_timeout", Kind::Integer),
        Column::new("params", Kind::String(1000)),
        Column::new("perm", Kind::String(1000)),
        Column::new("schema_perm", Kind::String(1000)),
        Column::new("catalog_perm", Kind::String(1000)),
        Column::new("is_managed_externally", Kind::Boolean).required().default(Fill::Boolean(false)),
        Column::new("external_url", Kind::Text),
        Column::new("table_name", Kind::String(250)).required(),
        Column::new("main_dttm_col", Kind::String(250)),
        Column::new("database_id", Kind::Integer).required(),
        Column::new("fetch_values_predicate", Kind::Text),
        Column::new("schema", Kind::String(255)),
        Column::new("catalog", Kind::String(256)),
        Column::new("sql", Kind::Text),
        Column::new("is_sqllab_view", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("template_params", Kind::Text),
        Column::new("extra", Kind::Text),
        Column::new("normalize_columns", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("always_filter_main_dttm", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("folders", Kind::Json),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("database", &DBS, "database_id"),
        Relation::many("columns", &TABLE_COLUMNS, "table_id"),
        Relation::many("metrics", &SQL_METRICS, "table_id"),
        Relation::many_to_many("owners", &USERS, "sqlatable_user", "table_id", "user_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `table_columns`.
pub static TABLE_COLUMNS: Table = Table {
    name: "table_columns",
    pk: "id",
    columns: &[
        Column::new("uuid", Kind::Uuid).unique().default(Fill::NewUuid),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("column_name", Kind::String(255)).required(),
        Column::new("verbose_name", Kind::String(1024)),
        Column::new("is_active", Kind::Boolean).default(Fill::Boolean(true)),
        Column::new("type", Kind::Text),
        Column::new("advanced_data_type", Kind::String(255)),
        Column::new("groupby", Kind::Boolean).default(Fill::Boolean(true)),
        Column::new("filterable", Kind::Boolean).default(Fill::Boolean(true)),
        Column::new("description", Kind::Text),
        Column::new("table_id", Kind::Integer),
        Column::new("is_dttm", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("expression", Kind::Text),
        Column::new("python_date_format", Kind::String(255)),
        Column::new("extra", Kind::Text),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("table", &TABLES, "table_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `sql_metrics`.
pub static SQL_METRICS: Table = Table {
    name: "sql_metrics",
    pk: "id",
    columns: &[
        Column::new("uuid", Kind::Uuid).unique().default(Fill::NewUuid),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("metric_name", Kind::String(255)).required(),
        Column::new("verbose_name", Kind::String(1024)),
        Column::new("metric_type", Kind::String(32)),
        Column::new("description", Kind::Text),
        Column::new("d3format", Kind::String(128)),
        Column::new("currency", Kind::Json),
        Column::new("warning_text", Kind::Text),
        Column::new("table_id", Kind::Integer),
        Column::new("expression", Kind::Text).required(),
        Column::new("extra", Kind::Text),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("table", &TABLES, "table_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};
