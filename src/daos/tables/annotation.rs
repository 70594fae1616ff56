//! Annotation layers (`superset.models.annotations`).

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::USERS,
};

/// `annotation_layer`.
pub static ANNOTATION_LAYERS: Table = Table {
    name: "annotation_layer",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("name", Kind::String(250)),
        Column::new("descr", Kind::Text),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::many("annotation", &ANNOTATIONS, "layer_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `annotation`.
pub static ANNOTATIONS: Table = Table {
    name: "annotation",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("start_dttm", Kind::DateTime),
        Column::new("end_dttm", Kind::DateTime),
        Column::new("layer_id", Kind::Integer).required(),
        Column::new("short_descr", Kind::String(500)),
        Column::new("long_descr", Kind::Text),
        Column::new("json_metadata", Kind::Text),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("layer", &ANNOTATION_LAYERS, "layer_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};
