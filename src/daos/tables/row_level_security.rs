//! Row level security filters (`superset.connectors.sqla.models`).

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::{ROLES, TABLES, USERS},
};

/// `row_level_security_filters`.
pub static ROW_LEVEL_SECURITY_FILTERS: Table = Table {
    name: "row_level_security_filters",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("name", Kind::String(255)).required().unique(),
        Column::new("description", Kind::Text),
        Column::new("filter_type", Kind::Enum(&["Regular", "Base"])),
        Column::new("group_key", Kind::String(255)),
        Column::new("clause", Kind::Text).required(),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::many_to_many("roles", &ROLES, "rls_filter_roles", "rls_filter_id", "role_id"),
        Relation::many_to_many("tables", &TABLES, "rls_filter_tables", "rls_filter_id", "table_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};
