//! SQL Lab queries, saved queries and tabs (`superset.models.sql_lab`).

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::{DBS, TAGS, USERS},
};

/// `query`.
pub static QUERIES: Table = Table {
    name: "query",
    pk: "id",
    columns: &[
        Column::new("extra_json", Kind::Text).default(Fill::Text("{}")),
        Column::new("id", Kind::Integer).required(),
        Column::new("client_id", Kind::String(11)).required().unique(),
        Column::new("database_id", Kind::Integer).required(),
        Column::new("tmp_table_name", Kind::String(256)),
        Column::new("tmp_schema_name", Kind::String(256)),
        Column::new("user_id", Kind::Integer),
        Column::new("status", Kind::String(16)).default(Fill::Text("pending")),
        Column::new("tab_name", Kind::String(256)),
        Column::new("sql_editor_id", Kind::String(256)),
        Column::new("schema", Kind::String(256)),
        Column::new("catalog", Kind::String(256)),
        Column::new("sql", Kind::Text),
        Column::new("select_sql", Kind::Text),
        Column::new("executed_sql", Kind::Text),
        Column::new("limit", Kind::Integer),
        Column::new(
            "limiting_factor",
            Kind::Enum(&["QUERY", "DROPDOWN", "QUERY_AND_DROPDOWN", "NOT_LIMITED", "UNKNOWN"]),
        ),
        Column::new("select_as_cta", Kind::Boolean),
        Column::new("select_as_cta_used", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("ctas_method", Kind::String(16)).default(Fill::Text("TABLE")),
        Column::new("progress", Kind::Integer).default(Fill::Integer(0)),
        Column::new("rows", Kind::Integer),
        Column::new("error_message", Kind::Text),
        Column::new("results_key", Kind::String(64)),
        Column::new("start_time", Kind::Numeric),
        Column::new("start_running_time", Kind::Numeric),
        Column::new("end_time", Kind::Numeric),
        Column::new("end_result_backend_time", Kind::Numeric),
        Column::new("tracking_url", Kind::Text),
        Column::new("changed_on", Kind::DateTime).default(Fill::UtcNow).on_update(),
    ],
    relations: &[Relation::one("database", &DBS, "database_id"), Relation::one("user", &USERS, "user_id")],
};

/// `saved_query`.
pub static SAVED_QUERIES: Table = Table {
    name: "saved_query",
    pk: "id",
    columns: &[
        Column::new("uuid", Kind::Uuid).unique().default(Fill::NewUuid),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("extra_json", Kind::Text).default(Fill::Text("{}")),
        Column::new("id", Kind::Integer).required(),
        Column::new("user_id", Kind::Integer),
        Column::new("db_id", Kind::Integer),
        Column::new("schema", Kind::String(128)),
        Column::new("catalog", Kind::String(256)),
        Column::new("label", Kind::String(256)),
        Column::new("description", Kind::Text),
        Column::new("sql", Kind::Text),
        Column::new("template_parameters", Kind::Text),
        Column::new("rows", Kind::Integer),
        Column::new("last_run", Kind::DateTime),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("database", &DBS, "db_id"),
        Relation::one("user", &USERS, "user_id"),
        Relation::many_to_many("tags", &TAGS, "tagged_object", "object_id", "tag_id")
            .only("object_type", "query"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `tab_state`.
pub static TAB_STATES: Table = Table {
    name: "tab_state",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("extra_json", Kind::Text).default(Fill::Text("{}")),
        Column::new("id", Kind::Integer).required(),
        Column::new("user_id", Kind::Integer),
        Column::new("label", Kind::String(256)),
        Column::new("active", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("database_id", Kind::Integer),
        Column::new("schema", Kind::String(256)),
        Column::new("catalog", Kind::String(256)),
        Column::new("sql", Kind::Text),
        Column::new("query_limit", Kind::Integer),
        Column::new("latest_query_id", Kind::Integer),
        Column::new("autorun", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("template_params", Kind::Text),
        Column::new("hide_left_bar", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("saved_query_id", Kind::Integer),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::many("table_schemas", &TABLE_SCHEMAS, "tab_state_id"),
        Relation::one("database", &DBS, "database_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `table_schema`.
pub static TABLE_SCHEMAS: Table = Table {
    name: "table_schema",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("extra_json", Kind::Text).default(Fill::Text("{}")),
        Column::new("id", Kind::Integer).required(),
        Column::new("tab_state_id", Kind::Integer),
        Column::new("database_id", Kind::Integer).required(),
        Column::new("schema", Kind::String(256)),
        Column::new("catalog", Kind::String(256)),
        Column::new("table", Kind::String(256)),
        Column::new("description", Kind::Text),
        Column::new("expanded", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("database", &DBS, "database_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};
