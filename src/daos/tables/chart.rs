//! Charts (`superset.models.slice`).

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::{DASHBOARDS, TABLES, TAGS, USERS},
};

/// `slices`.
pub static SLICES: Table = Table {
    name: "slices",
    pk: "id",
    columns: &[
        Column::new("uuid", Kind::Uuid).unique().default(Fill::NewUuid),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("slice_name", Kind::String(250)),
        Column::new("datasource_id", Kind::Integer),
        Column::new("datasource_type", Kind::String(200)),
        Column::new("datasource_name", Kind::String(2000)),
        Column::new("viz_type", Kind::String(250)),
        Column::new("params", Kind::Text),
        Column::new("query_context", Kind::Text),
        Column::new("description", Kind::Text),
        Column::new("cache_timeout", Kind::Integer),
        Column::new("perm", Kind::String(1000)),
        Column::new("schema_perm", Kind::String(1000)),
        Column::new("catalog_perm", Kind::String(1000)),
        Column::new("last_saved_at", Kind::DateTime),
        Column::new("last_saved_by_fk", Kind::Integer),
        Column::new("certified_by", Kind::Text),
        Column::new("certification_details", Kind::Text),
        Column::new("is_managed_externally", Kind::Boolean).required().default(Fill::Boolean(false)),
        Column::new("external_url", Kind::Text),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("table", &TABLES, "datasource_id").only("datasource_type", "table"),
        Relation::one("last_saved_by", &USERS, "last_saved_by_fk"),
        Relation::many_to_many("owners", &USERS, "slice_user", "slice_id", "user_id"),
        Relation::many_to_many("dashboards", &DASHBOARDS, "dashboard_slices", "slice_id", "dashboard_id"),
        Relation::many_to_many("tags", &TAGS, "tagged_object", "object_id", "tag_id")
            .only("object_type", "chart"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};
