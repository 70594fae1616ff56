//! Dashboards (`superset.models.dashboard`, `superset.models.embedded_dashboard`).

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::{ROLES, SLICES, TAGS, THEMES, USERS},
};

/// `dashboards`.
pub static DASHBOARDS: Table = Table {
    name: "dashboards",
    pk: "id",
    columns: &[
        Column::new("uuid", Kind::Uuid).unique().default(Fill::NewUuid),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("dashboard_title", Kind::String(500)),
        Column::new("position_json", Kind::Text),
        Column::new("description", Kind::Text),
        Column::new("css", Kind::Text),
        Column::new("theme_id", Kind::Integer),
        Column::new("certified_by", Kind::Text),
        Column::new("certification_details", Kind::Text),
        Column::new("json_metadata", Kind::Text),
        Column::new("slug", Kind::String(255)).unique(),
        Column::new("published", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("is_managed_externally", Kind::Boolean).required().default(Fill::Boolean(false)),
        Column::new("external_url", Kind::Text),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::many_to_many("slices", &SLICES, "dashboard_slices", "dashboard_id", "slice_id"),
        Relation::many_to_many("owners", &USERS, "dashboard_user", "dashboard_id", "user_id"),
        Relation::many_to_many("roles", &ROLES, "dashboard_roles", "dashboard_id", "role_id"),
        Relation::many_to_many("tags", &TAGS, "tagged_object", "object_id", "tag_id")
            .only("object_type", "dashboard"),
        Relation::one("theme", &THEMES, "theme_id"),
        Relation::many("embedded", &EMBEDDED_DASHBOARDS, "dashboard_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `embedded_dashboards`.
pub static EMBEDDED_DASHBOARDS: Table = Table {
    name: "embedded_dashboards",
    pk: "uuid",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("uuid", Kind::Uuid).required().default(Fill::NewUuid),
        Column::new("allow_domain_list", Kind::Text),
        Column::new("dashboard_id", Kind::Integer).required(),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("dashboard", &DASHBOARDS, "dashboard_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};
