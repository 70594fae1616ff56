//! `/api/v1/rowlevelsecurity/`: lists of rules (`superset.row_level_security.api`).

use commands::access::lists;

use daos::tables::ROW_LEVEL_SECURITY_FILTERS;

use crate::controllers::crud::{
    Field, FieldKind, RelatedField, Resource, Search, Verb, WholeList, computed::CHANGED_ON_DELTA,
};
use crate::routes::Rule;

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    [RULES.rules()].concat()
}

static RULES: Resource = Resource {
    name: "rowlevelsecurity",
    class: "RLSRestApi",
    permission: "Row Level Security",
    verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Related, Verb::Delete, Verb::BulkDelete],
    model: "RowLevelSecurityFilter",
    table: &ROW_LEVEL_SECURITY_FILTERS,
    list_columns: &[
        "id",
        "name",
        "filter_type",
        "tables.id",
        "tables.table_name",
        "roles.id",
        "roles.name",
        "clause",
        "changed_on_delta_humanized",
        "changed_by.first_name",
        "changed_by.last_name",
        "changed_by.id",
        "group_key",
    ],
    show_columns: &[
        "name",
        "description",
        "filter_type",
        "tables.id",
        "tables.schema",
        "tables.table_name",
        "roles.id",
        "roles.name",
        "group_key",
        "clause",
    ],
    order_columns: &["name", "filter_type", "clause", "changed_on_delta_humanized", "group_key"],
    search_columns: &[
        "name",
        "description",
        "filter_type",
        "tables",
        "roles",
        "group_key",
        "clause",
        "created_by",
        "changed_by",
    ],
    add_fields: &[
        Field::new("name", FieldKind::String)
            .required()
            .validate(&["<Length(min=1, max=255, equal=None, error=None)>"])
            .length(1, Some(255)),
        Field::new("description", FieldKind::String).nullable(),
        Field::new("filter_type", FieldKind::String).required().validate(&[
            "<OneOf(choices=['Regular', 'Base'], labels=[], error='Must be one of: {choices}.')>",
        ]),
        Field::new("tables", FieldKind::List)
            .required()
            .validate(&["<Length(min=1, max=None, equal=None, error=None)>"]),
        Field::new("roles", FieldKind::List).required(),
        Field::new("group_key", FieldKind::String).nullable(),
        Field::new("clause", FieldKind::String).required(),
    ],
    edit_fields: &[
        Field::new("name", FieldKind::String)
            .validate(&["<Length(min=1, max=255, equal=None, error=None)>"])
            .length(1, Some(255)),
        Field::new("description", FieldKind::String).nullable(),
        Field::new("filter_type", FieldKind::String).validate(&[
            "<OneOf(choices=['Regular', 'Base'], labels=[], error='Must be one of: {choices}.')>",
        ]),
        Field::new("tables", FieldKind::List),
        Field::new("roles", FieldKind::List),
        Field::new("group_key", FieldKind::String).nullable(),
        Field::new("clause", FieldKind::String),
    ],
    computed: &[CHANGED_ON_DELTA],
    // `RLSShowSchema`
    whole_item: Some(WholeList {
        columns: &[
            "id",
            "name",
            "filter_type",
            "roles.id",
            "roles.name",
            "tables.id",
            "tables.schema",
            "tables.table_name",
            "clause",
            "group_key",
            "description",
        ],
        computed: &[],
    }),
    // `RLSListSchema`
    whole_list: Some(WholeList {
        columns: &[
            "id",
            "name",
            "filter_type",
            "roles.id",
            "roles.name",
            "tables.id",
            "tables.schema",
            "tables.table_name",
            "clause",
            "changed_on_delta_humanized",
            "group_key",
            "description",
            "changed_by.id",
            "changed_by.first_name",
            "changed_by.last_name",
        ],
        computed: &[CHANGED_ON_DELTA],
    }),
    related: &[
        RelatedField::person("changed_by"),
        RelatedField::any_user("created_by"),
        RelatedField { search: Search::Nothing, base: None, text: None, ..RelatedField::any_user("roles") },
        RelatedField {
            search: Search::Contains("table_name"),
            base: Some(|cx| lists::datasets(&cx.caller.user, "tables")),
            text: None,
            ..RelatedField::any_user("tables")
        },
    ],
    nouns: ("rules", "rules"),
    ..Resource::PLAIN
};
