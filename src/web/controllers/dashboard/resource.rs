//! `/api/v1/dashboard/`: lists of dashboards (`superset.dashboards.api`).

use commands::access::lists;
use daos::{Record, condition, tables::DASHBOARDS};
use serde_json::Value;

use crate::controllers::crud::{
    Computed, CustomFilter, Field, FieldKind, RelatedField, Resource, Search, Verb,
    computed::{CHANGED_BY_NAME, CHANGED_ON_DELTA, CHANGED_ON_UTC, CREATED_ON_DELTA},
    filters,
};
use crate::controllers::thumbnail;
use crate::routes::Rule;

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    DASHBOARD_LISTS.rules()
}

static DASHBOARD_LISTS: Resource = Resource {
    name: "dashboard",
    class: "DashboardRestApi",
    permission: "Dashboard",
    permissions: &[
        "can_cache_dashboard_screenshot",
        "can_delete_embedded",
        "can_export",
        "can_get_embedded",
        "can_read",
        "can_set_embedded",
        "can_write",
    ],
    verbs: &[Verb::List, Verb::Info, Verb::Related],
    model: "Dashboard",
    table: &DASHBOARDS,
    list_columns: &[
        "id",
        "uuid",
        "published",
        "status",
        "slug",
        "url",
        "thumbnail_url",
        "certified_by",
        "certification_details",
        "changed_by.first_name",
        "changed_by.last_name",
        "changed_by.id",
        "changed_by_name",
        "changed_on_utc",
        "changed_on_delta_humanized",
        "created_on_delta_humanized",
        "created_by.first_name",
        "created_by.id",
        "created_by.last_name",
        "dashboard_title",
        "owners.id",
        "owners.first_name",
        "owners.last_name",
        "roles.id",
        "roles.name",
        "is_managed_externally",
        "tags.id",
        "tags.name",
        "tags.type",
        "uuid",
    ],
    order_columns: &[
        "changed_by.first_name",
        "changed_on_delta_humanized",
        "created_by.first_name",
        "dashboard_title",
        "published",
        "changed_on",
    ],
    search_columns: &[
        "created_by",
        "changed_by",
        "dashboard_title",
        "id",
        "uuid",
        "owners",
        "published",
        "roles",
        "slug",
        "tags",
    ],
    add_fields: &[
        Field::new("certified_by", FieldKind::String).nullable(),
        Field::new("certification_details", FieldKind::String).nullable(),
        Field::new("dashboard_title", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=500, equal=None, error=None)>"])
            .length(0, Some(500)),
        Field::new("slug", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=1, max=255, equal=None, error=None)>"])
            .length(1, Some(255)),
        Field::new("owners", FieldKind::List),
        Field::new("roles", FieldKind::List),
        Field::new("position_json", FieldKind::String)
            .validate(&["<function validate_json at 0x7f0000000000>"]),
        Field::new("css", FieldKind::String),
        Field::new("theme_id", FieldKind::Integer).nullable(),
        Field::new("json_metadata", FieldKind::String)
            .validate(&["<function validate_json_metadata at 0x7f0000000000>"]),
        Field::new("published", FieldKind::Boolean),
    ],
    edit_fields: &[
        Field::new("certified_by", FieldKind::String).nullable(),
        Field::new("certification_details", FieldKind::String).nullable(),
        Field::new("dashboard_title", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=500, equal=None, error=None)>"])
            .length(0, Some(500)),
        Field::new("slug", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=255, equal=None, error=None)>"])
            .length(0, Some(255)),
        Field::new("owners", FieldKind::List),
        Field::new("roles", FieldKind::List),
        Field::new("position_json", FieldKind::String)
            .nullable()
            .validate(&["<function validate_json at 0x7f0000000000>"]),
        Field::new("css", FieldKind::String).nullable(),
        Field::new("theme_id", FieldKind::Integer).nullable(),
        Field::new("json_metadata", FieldKind::String)
            .nullable()
            .validate(&["<function validate_json_metadata at 0x7f0000000000>"]),
        Field::new("published", FieldKind::Boolean).nullable(),
    ],
    base_order: Some(("changed_on", true)),
    computed: &[
        CHANGED_BY_NAME,
        CHANGED_ON_DELTA,
        CHANGED_ON_UTC,
        CREATED_ON_DELTA,
        Computed::new("status", &["published"], |r, _| status(r)),
        Computed::new("url", &["id", "slug"], |r, _| url(r)),
        Computed::new("thumbnail_url", &["id"], thumbnail::prepared),
    ],
    filters: &[
        CustomFilter {
            column: "created_by",
            operator: "dashboard_created_by_me",
            name: "Created by me",
            apply: |cx, _| filters::made_by_caller(cx, "dashboards"),
        },
        CustomFilter {
            column: "created_by",
            operator: "dashboard_has_created_by",
            name: "Has created by",
            apply: |_, v| filters::present("dashboards.created_by_fk", v),
        },
        CustomFilter {
            column: "dashboard_title",
            operator: "title_or_slug",
            name: "Title or Slug",
            apply: |cx, v| Ok(filters::all_text(cx, &["dashboards.dashboard_title", "dashboards.slug"], v)),
        },
        CustomFilter {
            column: "id",
            operator: "dashboard_is_favorite",
            name: "Is favorite",
            apply: |cx, v| filters::favorite(cx, "dashboards", "Dashboard", v),
        },
        CustomFilter {
            column: "id",
            operator: "dashboard_is_certified",
            name: "Is certified",
            apply: |_, v| Ok(v.as_bool().map(|yes| condition::is_filled("dashboards.certified_by", yes))),
        },
        CustomFilter {
            column: "tags",
            operator: "dashboard_tag_id",
            name: "Is tagged",
            apply: |cx, v| filters::tagged_with(cx, "dashboards", "dashboard", v),
        },
        CustomFilter {
            column: "tags",
            operator: "dashboard_tags",
            name: "Is tagged",
            apply: |cx, v| filters::tagged_as(cx, "dashboards", "dashboard", v),
        },
    ],
    base_filter: Some(|cx| {
        lists::dashboards(&cx.caller.app.config, &cx.caller.user, cx.dialect, "dashboards")
    }),
    prepare: Some(("thumbnail_url", |cx, ids| Box::pin(thumbnail::of_dashboards(cx, ids)))),
    related: &[
        RelatedField::person("changed_by"),
        RelatedField::person("created_by"),
        RelatedField::owners().order("first_name"),
        RelatedField {
            search: Search::Contains("name"),
            base: None,
            text: None,
            order: Some("name"),
            ..RelatedField::any_user("roles")
        },
    ],
    list_select_columns: &["changed_on", "created_on", "changed_by_fk"],
    ..Resource::PLAIN
};

fn status(dashboard: &Record) -> Value {
    let published = dashboard.get::<bool>("published").unwrap_or_default();
    if published { "published" } else { "draft" }.into()
}

fn url(dashboard: &Record) -> Value {
    let slug = dashboard.get::<String>("slug").filter(|s| !s.is_empty());
    format!("/superset/dashboard/{}/", slug.unwrap_or_else(|| dashboard.text("id"))).into()
}
