//! CSS templates, themes (`superset.models.core`) and plugins (`superset.models.dynamic_plugins`).

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::USERS,
};

/// `css_templates`.
pub static CSS_TEMPLATES: Table = Table {
    name: "css_templates",
    pk: "id",
    columns: &[
        Column::new("uuid", Kind::Uuid).unique().default(Fill::NewUuid),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("template_name", Kind::String(250)),
        Column::new("css", Kind::Text).default(Fill::Text("")),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `themes`.
pub static THEMES: Table = Table {
    name: "themes",
    pk: "id",
    columns: &[
        Column::new("uuid", Kind::Uuid).unique().default(Fill::NewUuid),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("theme_name", Kind::String(250)),
        Column::new("json_data", Kind::Text).default(Fill::Text("")),
        Column::new("is_system", Kind::Boolean).required().default(Fill::Boolean(false)),
        Column::new("is_system_default", Kind::Boolean).required().default(Fill::Boolean(false)),
        Column::new("is_system_dark", Kind::Boolean).required().default(Fill::Boolean(false)),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `dynamic_plugin`.
pub static DYNAMIC_PLUGINS: Table = Table {
    name: "dynamic_plugin",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("name", Kind::Text).required().unique(),
        Column::new("key", Kind::Text).required().unique(),
        Column::new("bundle_url", Kind::Text).required().unique(),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[],
};
