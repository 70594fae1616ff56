//! `/api/v1/saved_query/` (`superset.queries.saved_queries.api`).

use commands::{access::lists, tag::ObjectType};
use daos::tables::SAVED_QUERIES;

use super::crud::{
    self, Computed, CustomFilter, Field, FieldKind, RelatedField, Resource, Search, Verb,
    computed::CHANGED_ON_DELTA, filters,
};
use crate::routes::Rule;

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    SAVED.rules()
}

const SAVED_FIELDS: &[Field] = &[
    Field::new("db_id", FieldKind::Other("Inferred")),
    Field::new("description", FieldKind::String).nullable(),
    Field::new("label", FieldKind::String)
        .nullable()
        .validate(&["<Length(min=None, max=256, equal=None, error=None)>"])
        .length(0, Some(256)),
    Field::new("catalog", FieldKind::String)
        .nullable()
        .validate(&["<Length(min=None, max=256, equal=None, error=None)>"])
        .length(0, Some(256)),
    Field::new("schema", FieldKind::String)
        .nullable()
        .validate(&["<Length(min=None, max=128, equal=None, error=None)>"])
        .length(0, Some(128)),
    Field::new("sql", FieldKind::String).nullable(),
    Field::new("template_parameters", FieldKind::String).nullable(),
    Field::new("extra_json", FieldKind::String).nullable(),
];

static SAVED: Resource = Resource {
    name: "saved_query",
    class: "SavedQueryRestApi",
    permission: "SavedQuery",
    permissions: &["can_export", "can_read", "can_write"],
    verbs: &[
        Verb::List,
        Verb::Item,
        Verb::Info,
        Verb::Related,
        Verb::Distinct,
        Verb::Post,
        Verb::Put,
        Verb::Delete,
        Verb::BulkDelete,
    ],
    model: "SavedQuery",
    table: &SAVED_QUERIES,
    list_columns: &[
        "changed_on",
        "changed_on_delta_humanized",
        "changed_by.first_name",
        "changed_by.id",
        "changed_by.last_name",
        "created_on",
        "created_by.first_name",
        "created_by.id",
        "created_by.last_name",
        "database.database_name",
        "database.id",
        "db_id",
        "description",
        "extra",
        "id",
        "label",
        "last_run_delta_humanized",
        "rows",
        "catalog",
        "schema",
        "sql",
        "sql_tables",
        "tags.id",
        "tags.name",
        "tags.type",
    ],
    show_columns: &[
        "changed_on",
        "changed_on_delta_humanized",
        "changed_by.first_name",
        "changed_by.id",
        "changed_by.last_name",
        "created_by.first_name",
        "created_by.id",
        "created_by.last_name",
        "database.database_name",
        "database.id",
        "description",
        "id",
        "label",
        "catalog",
        "schema",
        "sql",
        "sql_tables",
        "template_parameters",
    ],
    order_columns: &[
        "catalog",
        "schema",
        "label",
        "description",
        "sql",
        "rows",
        "created_by.first_name",
        "database.database_name",
        "created_on",
        "changed_on_delta_humanized",
        "last_run_delta_humanized",
    ],
    search_columns: &["id", "database", "label", "catalog", "schema", "created_by", "changed_by", "tags"],
    add_fields: SAVED_FIELDS,
    edit_fields: SAVED_FIELDS,
    computed: &[
        CHANGED_ON_DELTA,
        Computed::new("last_run_delta_humanized", &["changed_on"], |r, _| {
            crud::computed::humanized(r, "changed_on")
        })
        .ordered_by("changed_on"),
        Computed::new("extra", &["extra_json"], |r, _| crud::computed::json_object(r, "extra_json")),
        crud::computed::SQL_TABLES,
    ],
    filters: &[
        CustomFilter {
            column: "id",
            operator: "saved_query_is_fav",
            name: "Is favorite",
            apply: |cx, v| filters::favorite(cx, "saved_query", "query", v),
        },
        CustomFilter {
            column: "label",
            operator: "all_text",
            name: "All Text",
            apply: |cx, v| {
                Ok(filters::all_text(
                    cx,
                    &[
                        "saved_query.schema",
                        "saved_query.label",
                        "saved_query.description",
                        "saved_query.sql",
                    ],
                    v,
                ))
            },
        },
        CustomFilter {
            column: "tags",
            operator: "saved_query_tags",
            name: "Is tagged",
            apply: |cx, v| filters::tagged_as(cx, "saved_query", "query", v),
        },
        CustomFilter {
            column: "tags",
            operator: "saved_query_tag_id",
            name: "Is tagged",
            apply: |cx, v| filters::tagged_with(cx, "saved_query", "query", v),
        },
    ],
    base_filter: Some(|cx| lists::saved_queries(&cx.caller.user, "saved_query")),
    related: &[
        RelatedField::person("changed_by"),
        RelatedField::any_user("created_by"),
        RelatedField {
            search: Search::StartsWith("database_name"),
            base: Some(|cx| lists::databases(&cx.caller.user, "dbs")),
            text: None,
            ..RelatedField::any_user("database")
        },
    ],
    distinct: &["catalog", "schema"],
    before_add: Some(|cx, values| values.push(("user_id", cx.caller.user.user_id().into()))),
    implicit_tags: Some((ObjectType::Query, "user_id")),
    nouns: ("saved query", "saved queries"),
    ..Resource::PLAIN
};
