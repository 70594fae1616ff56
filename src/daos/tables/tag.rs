//! Tags (`superset.tags.models`).

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::USERS,
};

/// `tag`.
pub static TAGS: Table = Table {
    name: "tag",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("name", Kind::String(250)).unique(),
        Column::new("type", Kind::NumberedEnum(&["custom", "type", "owner", "favorited_by"])),
        Column::new("description", Kind::Text),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::many("objects", &TAGGED_OBJECTS, "tag_id"),
        Relation::many_to_many("users_favorited", &USERS, "user_favorite_tag", "tag_id", "user_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `tagged_object`.
pub static TAGGED_OBJECTS: Table = Table {
    name: "tagged_object",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("tag_id", Kind::Integer),
        Column::new("object_id", Kind::Integer),
        Column::new("object_type", Kind::NumberedEnum(&["query", "chart", "dashboard", "dataset"])),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("tag", &TAGS, "tag_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};
