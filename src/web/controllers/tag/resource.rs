//! `/api/v1/tag/`: lists of tags (`superset.tags.api`).

use daos::{tables::TAGS, tag};
use infra::db::Sql;
use serde_json::Value;

use crate::controllers::crud::{
    CustomFilter, Field, FieldKind, RelatedField, Resource, Verb,
    computed::{CHANGED_ON_DELTA, CREATED_ON_DELTA},
    filters,
};
use crate::routes::Rule;

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    [TAG_LISTS.rules()].concat()
}

const TAG_LIST_FIELDS: &[Field] = &[
    Field::new("objects", FieldKind::Missing),
    Field::new("users_favorited", FieldKind::Missing),
    Field::new("created_by", FieldKind::Missing),
    Field::new("changed_by", FieldKind::Missing),
    Field::new("created_on", FieldKind::Missing),
    Field::new("changed_on", FieldKind::Missing),
    Field::new("name", FieldKind::String)
        .validate(&["<Length(min=1, max=None, equal=None, error=None)>"])
        .length(1, None),
    Field::new("type", FieldKind::Missing),
    Field::new("description", FieldKind::String).nullable(),
];

static TAG_LISTS: Resource = Resource {
    name: "tag",
    class: "TagRestApi",
    permission: "Tag",
    permissions: &["can_bulk_create", "can_read", "can_write"],
    verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Related],
    model: "Tag",
    table: &TAGS,
    list_columns: &[
        "id",
        "name",
        "type",
        "description",
        "changed_by.first_name",
        "changed_by.last_name",
        "changed_on_delta_humanized",
        "created_on_delta_humanized",
        "created_by.first_name",
        "created_by.last_name",
    ],
    show_columns: &[
        "id",
        "name",
        "type",
        "description",
        "changed_by.first_name",
        "changed_by.last_name",
        "changed_on_delta_humanized",
        "created_on_delta_humanized",
        "created_by.first_name",
        "created_by.last_name",
    ],
    order_columns: &[
        "id",
        "name",
        "type",
        "description",
        "changed_by.first_name",
        "changed_by.last_name",
        "changed_on_delta_humanized",
        "created_on_delta_humanized",
        "created_by.first_name",
        "created_by.last_name",
    ],
    search_columns: &[
        "objects",
        "users_favorited",
        "created_by",
        "changed_by",
        "created_on",
        "changed_on",
        "name",
        "type",
        "description",
    ],
    add_fields: TAG_LIST_FIELDS,
    edit_fields: TAG_LIST_FIELDS,
    computed: &[CHANGED_ON_DELTA, CREATED_ON_DELTA],
    filters: &[CustomFilter {
        column: "type",
        operator: "custom_tag",
        name: "Is custom tag",
        apply: |_, v| Ok(custom_tag(v)),
    }],
    related: &[RelatedField::any_user("changed_by"), RelatedField::person("created_by")],
    ..Resource::PLAIN
};

fn custom_tag(value: &Value) -> Option<Sql> {
    if filters::truthy(value) {
        return Some(tag::is_custom(true));
    }
    (value == &Value::Bool(false)).then(|| tag::is_custom(false))
}
