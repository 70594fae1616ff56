//! `/api/v1/css_template/` (`superset.css_templates.api`).

use daos::tables::CSS_TEMPLATES;

use super::crud::{
    CustomFilter, Field, FieldKind, RelatedField, Resource, Verb, computed::CHANGED_ON_DELTA, filters,
};
use crate::routes::Rule;

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    CSS.rules()
}

const C_FIELDS: &[Field] = &[
    Field::new("css", FieldKind::String).nullable(),
    Field::new("template_name", FieldKind::String)
        .nullable()
        .validate(&["<Length(min=None, max=250, equal=None, error=None)>"])
        .length(0, Some(250)),
];

static CSS: Resource = Resource {
    name: "css_template",
    class: "CssTemplateRestApi",
    permission: "CssTemplate",
    verbs: &[
        Verb::List,
        Verb::Item,
        Verb::Info,
        Verb::Related,
        Verb::Post,
        Verb::Put,
        Verb::Delete,
        Verb::BulkDelete,
    ],
    model: "CssTemplate",
    table: &CSS_TEMPLATES,
    list_columns: &[
        "changed_on_delta_humanized",
        "changed_by.first_name",
        "changed_by.id",
        "changed_by.last_name",
        "created_on",
        "created_by.first_name",
        "created_by.id",
        "created_by.last_name",
        "css",
        "id",
        "template_name",
    ],
    show_columns: &[
        "changed_on_delta_humanized",
        "changed_by.first_name",
        "changed_by.id",
        "changed_by.last_name",
        "created_by.first_name",
        "created_by.id",
        "created_by.last_name",
        "css",
        "id",
        "template_name",
    ],
    order_columns: &["template_name"],
    search_columns: &["created_by", "changed_by", "uuid", "created_on", "changed_on", "template_name", "css"],
    add_fields: C_FIELDS,
    edit_fields: C_FIELDS,
    computed: &[CHANGED_ON_DELTA],
    filters: &[CustomFilter {
        column: "template_name",
        operator: "css_template_all_text",
        name: "All Text",
        apply: |cx, v| Ok(filters::all_text(cx, &["css_templates.template_name", "css_templates.css"], v)),
    }],
    related: &[RelatedField::person("changed_by"), RelatedField::any_user("created_by")],
    nouns: ("css template", "css templates"),
    ..Resource::PLAIN
};
