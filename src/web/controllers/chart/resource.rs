//! `/api/v1/chart/`: lists of charts (`superset.charts.api:ChartRestApi`).

use commands::{access::lists, chart::form_data::Identity, text::markdown};
use daos::{Record, chart, tables::SLICES};
use serde_json::Value;

use crate::controllers::crud::{
    Computed, CustomFilter, Field, FieldKind, RelatedField, Resource, Verb, View,
    computed::{
        CHANGED_BY_NAME, CHANGED_ON_DELTA, CHANGED_ON_DTTM, CHANGED_ON_UTC, CREATED_BY_NAME, CREATED_ON_DELTA,
    },
    filters,
};
use crate::controllers::thumbnail;
use crate::routes::Rule;

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    CHARTS.rules()
}

static CHARTS: Resource = Resource {
    name: "chart",
    class: "ChartRestApi",
    permission: "Chart",
    permissions: &["can_export", "can_read", "can_warm_up_cache", "can_write"],
    verbs: &[Verb::List, Verb::Info, Verb::Related],
    model: "Slice",
    table: &SLICES,
    list_columns: &[
        "is_managed_externally",
        "certified_by",
        "certification_details",
        "cache_timeout",
        "changed_by.first_name",
        "changed_by.last_name",
        "changed_by.id",
        "changed_by_name",
        "changed_on_delta_humanized",
        "changed_on_dttm",
        "changed_on_utc",
        "created_by.first_name",
        "created_by.id",
        "created_by.last_name",
        "created_by_name",
        "created_on_delta_humanized",
        "datasource_id",
        "datasource_name_text",
        "datasource_type",
        "datasource_url",
        "description",
        "description_markeddown",
        "edit_url",
        "form_data",
        "id",
        "last_saved_at",
        "last_saved_by.id",
        "last_saved_by.first_name",
        "last_saved_by.last_name",
        "owners.first_name",
        "owners.id",
        "owners.last_name",
        "dashboards.id",
        "dashboards.dashboard_title",
        "params",
        "slice_name",
        "slice_url",
        "table.default_endpoint",
        "table.table_name",
        "thumbnail_url",
        "url",
        "viz_type",
        "tags.id",
        "tags.name",
        "tags.type",
        "uuid",
    ],
    list_select_columns: &["changed_by_fk", "changed_on"],
    order_columns: &[
        "changed_by.first_name",
        "changed_on_delta_humanized",
        "datasource_id",
        "datasource_name",
        "last_saved_at",
        "last_saved_by.id",
        "last_saved_by.first_name",
        "last_saved_by.last_name",
        "slice_name",
        "viz_type",
    ],
    search_columns: &[
        "created_by",
        "changed_by",
        "last_saved_at",
        "last_saved_by",
        "datasource_id",
        "datasource_name",
        "datasource_type",
        "description",
        "id",
        "uuid",
        "owners",
        "dashboards",
        "slice_name",
        "viz_type",
        "tags",
    ],
    add_fields: &[Field::new("slice_name", FieldKind::String)
        .required()
        .validate(&["<Length(min=1, max=250, equal=None, error=None)>"])],
    edit_fields: &[Field::new("slice_name", FieldKind::String)
        .validate(&["<Length(min=0, max=250, equal=None, error=None)>"])],
    base_order: Some(("changed_on", true)),
    computed: &[
        CHANGED_BY_NAME,
        CHANGED_ON_DELTA,
        CHANGED_ON_DTTM,
        CHANGED_ON_UTC,
        CREATED_BY_NAME,
        CREATED_ON_DELTA,
        Computed::new("datasource_name_text", &["table.schema", "table.table_name"], datasource_name_text),
        Computed::new("datasource_url", &["datasource_id", "datasource_type", "table.id"], datasource_url),
        Computed::new("description_markeddown", &["description"], |r, _| {
            markdown(&r.text("description")).into()
        }),
        Computed::new("edit_url", &["id"], |r, _| format!("/chart/edit/{}", r.text("id")).into()),
        Computed::new(
            "form_data",
            &["id", "params", "viz_type", "datasource_id", "datasource_type", "cache_timeout"],
            |r, _| form_data(r),
        ),
        Computed::new("slice_url", &["id"], slice_url),
        Computed::new("thumbnail_url", &["id"], thumbnail::prepared),
        Computed::new("url", &["id"], |r, _| format!("/explore/?slice_id={}", r.text("id")).into()),
    ],
    filters: &[
        CustomFilter {
            column: "created_by",
            operator: "chart_has_created_by",
            name: "Has created by",
            apply: |_, v| filters::present("slices.created_by_fk", v),
        },
        CustomFilter {
            column: "created_by",
            operator: "chart_created_by_me",
            name: "Created by me",
            apply: |cx, _| filters::made_by_caller(cx, "slices"),
        },
        CustomFilter {
            column: "id",
            operator: "chart_is_favorite",
            name: "Is favorite",
            apply: |cx, v| filters::favorite(cx, "slices", "slice", v),
        },
        CustomFilter {
            column: "id",
            operator: "chart_is_certified",
            name: "Is certified",
            apply: |_, v| filters::present("slices.certified_by", v),
        },
        CustomFilter {
            column: "id",
            operator: "chart_owned_created_favored_by_me",
            name: "Owned Created or Favored",
            apply: |cx, _| Ok(Some(chart::is_of(cx.caller.user.user_id()))),
        },
        CustomFilter {
            column: "slice_name",
            operator: "chart_all_text",
            name: "All Text",
            apply: |cx, v| Ok(filters::python_str(v).map(|text| chart::contains(cx.dialect, &text))),
        },
        CustomFilter {
            column: "tags",
            operator: "chart_tags",
            name: "Is tagged",
            apply: |cx, v| filters::tagged_as(cx, "slices", "chart", v),
        },
        CustomFilter {
            column: "tags",
            operator: "chart_tag_id",
            name: "Is tagged",
            apply: |cx, v| filters::tagged_with(cx, "slices", "chart", v),
        },
    ],
    base_filter: Some(|cx| lists::charts(&cx.caller.user, "slices")),
    prepare: Some(("thumbnail_url", |cx, ids| Box::pin(thumbnail::of_charts(cx, ids)))),
    related: &[
        RelatedField::owners().order("first_name"),
        RelatedField::person("created_by"),
        RelatedField::person("changed_by"),
    ],
    ..Resource::PLAIN
};

fn datasource_name_text(chart: &Record, _: &View) -> Value {
    let Some(table) = chart.one("table") else { return Value::Null };
    let name = table.text("table_name");
    match table.get::<String>("schema").filter(|s| !s.is_empty()) {
        Some(schema) => format!("{schema}.{name}").into(),
        None => name.into(),
    }
}

fn datasource_url(chart: &Record, _: &View) -> Value {
    // a chart whose dataset is gone has none
    if chart.one("table").is_none() {
        return Value::Null;
    }
    let (kind, id) = (chart.text("datasource_type"), chart.text("datasource_id"));
    format!("/explore/?datasource_type={kind}&datasource_id={id}").into()
}

fn slice_url(chart: &Record, _: &View) -> Value {
    let id = chart.text("id");
    format!("/explore/?slice_id={id}&form_data=%7B%22slice_id%22%3A%20{id}%7D").into()
}

/// `Slice.form_data` of a row of a list.
pub fn form_data(chart: &Record) -> Value {
    let (viz_type, kind) = (chart.get::<String>("viz_type"), chart.get::<String>("datasource_type"));
    let identity = Identity {
        id: chart.get("id").unwrap_or_default(),
        viz_type: viz_type.as_deref(),
        datasource_id: chart.get("datasource_id"),
        datasource_type: kind.as_deref(),
        cache_timeout: chart.get("cache_timeout"),
    };
    Value::Object(identity.over(&chart.text("params")))
}
