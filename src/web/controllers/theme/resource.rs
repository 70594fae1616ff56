//! `/api/v1/theme/`: lists of themes (`superset.themes.api`).

use daos::tables::THEMES;

use crate::controllers::crud::{
    CustomFilter, Field, FieldKind, RelatedField, Resource, Verb,
    computed::{CHANGED_BY_NAME, CHANGED_ON_DELTA},
    filters,
};
use crate::routes::Rule;

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    [THEME_LISTS.rules()].concat()
}

const THEME_LIST_FIELDS: &[Field] = &[
    Field::new("json_data", FieldKind::String).required(),
    Field::new("theme_name", FieldKind::String).required(),
];

static THEME_LISTS: Resource = Resource {
    name: "theme",
    class: "ThemeRestApi",
    permission: "Theme",
    permissions: &["can_export", "can_read", "can_write"],
    verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Related],
    model: "Theme",
    table: &THEMES,
    list_columns: &[
        "changed_on_delta_humanized",
        "changed_by.first_name",
        "changed_by.id",
        "changed_by.last_name",
        "changed_by_name",
        "created_on",
        "created_by.first_name",
        "created_by.id",
        "created_by.last_name",
        "json_data",
        "id",
        "is_system",
        "is_system_default",
        "is_system_dark",
        "theme_name",
        "uuid",
    ],
    show_columns: &[
        "changed_on_delta_humanized",
        "changed_by.first_name",
        "changed_by.id",
        "changed_by.last_name",
        "created_by.first_name",
        "created_by.id",
        "created_by.last_name",
        "json_data",
        "id",
        "is_system",
        "is_system_default",
        "is_system_dark",
        "theme_name",
        "uuid",
    ],
    order_columns: &["theme_name"],
    search_columns: &[
        "created_by",
        "changed_by",
        "uuid",
        "created_on",
        "changed_on",
        "theme_name",
        "json_data",
        "is_system",
        "is_system_default",
        "is_system_dark",
    ],
    add_fields: THEME_LIST_FIELDS,
    edit_fields: THEME_LIST_FIELDS,
    computed: &[CHANGED_ON_DELTA, CHANGED_BY_NAME],
    filters: &[CustomFilter {
        column: "theme_name",
        operator: "theme_all_text",
        name: "All Text",
        apply: |cx, v| Ok(filters::all_text(cx, &["themes.theme_name", "themes.json_data"], v)),
    }],
    related: &[RelatedField::person("changed_by"), RelatedField::any_user("created_by")],
    ..Resource::PLAIN
};
