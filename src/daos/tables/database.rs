//! Database connections (`superset.models.core:Database`).

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::{TABLES, USERS},
};

/// `dbs`.
pub static DBS: Table = Table {
    name: "dbs",
    pk: "id",
    columns: &[
        Column::new("uuid", Kind::Uuid).unique().default(Fill::NewUuid),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("verbose_name", Kind::String(250)).unique(),
        Column::new("database_name", Kind::String(250)).required().unique(),
        Column::new("sqlalchemy_uri", Kind::String(1024)).required(),
        Column::new("password", Kind::Encrypted),
        Column::new("cache_timeout", Kind::Integer),
        Column::new("select_as_create_table_as", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("expose_in_sqllab", Kind::Boolean).default(Fill::Boolean(true)),
        Column::new("configuration_method", Kind::String(255)),
        Column::new("allow_run_async", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("allow_file_upload", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("allow_ctas", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("allow_cvas", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("allow_dml", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("force_ctas_schema", Kind::String(250)),
        Column::new("extra", Kind::Text).default(Fill::Text("{\n    \"metadata_params\": {},\n    \
         \"engine_params\": {},\n    \"metadata_cache_timeout\": {},\n    \"schemas_allowed_for_file_upload\": \
         []\n}\n")),
        Column::new("encrypted_extra", Kind::Encrypted),
        Column::new("impersonate_user", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("server_cert", Kind::Encrypted),
        Column::new("is_managed_externally", Kind::Boolean).required().default(Fill::Boolean(false)),
        Column::new("external_url", Kind::Text),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::many("tables", &TABLES, "database_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `ssh_tunnels`.
pub static SSH_TUNNELS: Table = Table {
    name: "ssh_tunnels",
    pk: "id",
    columns: &[
        Column::new("uuid", Kind::Uuid).unique().default(Fill::NewUuid),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("extra_json", Kind::Text).default(Fill::Text("{}")),
        Column::new("id", Kind::Integer).required(),
        Column::new("database_id", Kind::Integer).required(),
        Column::new("server_address", Kind::Text),
        Column::new("server_port", Kind::Integer),
        Column::new("username", Kind::Encrypted),
        Column::new("password", Kind::Encrypted),
        Column::new("private_key", Kind::Encrypted),
        Column::new("private_key_password", Kind::Encrypted),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[],
};
