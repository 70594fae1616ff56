//! `/api/v1/dataset/`: lists of datasets (`superset.datasets.api`).

use commands::access::lists;
use daos::{Record, condition, dataset, tables::TABLES};
use serde_json::Value;

use crate::controllers::crud::{
    Computed, CustomFilter, Field, FieldKind, RelatedField, Resource, Search, Verb,
    computed::{CHANGED_BY_NAME, CHANGED_ON_DELTA, CHANGED_ON_UTC},
    filters,
};
use crate::routes::Rule;

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    DATASET_LISTS.rules()
}

static DATASET_LISTS: Resource = Resource {
    name: "dataset",
    class: "DatasetRestApi",
    permission: "Dataset",
    permissions: &[
        "can_duplicate",
        "can_export",
        "can_get_drill_info",
        "can_get_or_create_dataset",
        "can_read",
        "can_warm_up_cache",
        "can_write",
    ],
    verbs: &[Verb::List, Verb::Info, Verb::Related, Verb::Distinct],
    model: "SqlaTable",
    table: &TABLES,
    list_columns: &[
        "id",
        "uuid",
        "database.id",
        "database.database_name",
        "database.uuid",
        "changed_by_name",
        "changed_by.first_name",
        "changed_by.last_name",
        "changed_by.id",
        "changed_on_utc",
        "changed_on_delta_humanized",
        "default_endpoint",
        "description",
        "datasource_type",
        "explore_url",
        "extra",
        "kind",
        "owners.id",
        "owners.first_name",
        "owners.last_name",
        "catalog",
        "schema",
        "sql",
        "table_name",
        "uuid",
    ],
    show_columns: &[
        "id",
        "database.database_name",
        "database.id",
        "database.uuid",
        "table_name",
        "sql",
        "filter_select_enabled",
        "fetch_values_predicate",
        "catalog",
        "schema",
        "description",
        "main_dttm_col",
        "normalize_columns",
        "always_filter_main_dttm",
        "offset",
        "default_endpoint",
        "cache_timeout",
        "is_sqllab_view",
        "template_params",
        "select_star",
        "owners.id",
        "owners.first_name",
        "owners.last_name",
        "columns.advanced_data_type",
        "columns.changed_on",
        "columns.column_name",
        "columns.created_on",
        "columns.description",
        "columns.expression",
        "columns.filterable",
        "columns.groupby",
        "columns.id",
        "columns.is_active",
        "columns.extra",
        "columns.is_dttm",
        "columns.python_date_format",
        "columns.type",
        "columns.uuid",
        "columns.verbose_name",
        "metrics.changed_on",
        "metrics.created_on",
        "metrics.d3format",
        "metrics.currency",
        "metrics.description",
        "metrics.expression",
        "metrics.extra",
        "metrics.id",
        "metrics.metric_name",
        "metrics.metric_type",
        "metrics.uuid",
        "metrics.verbose_name",
        "metrics.warning_text",
        "folders",
        "datasource_type",
        "url",
        "extra",
        "kind",
        "created_on",
        "created_on_humanized",
        "created_by.first_name",
        "created_by.last_name",
        "changed_on",
        "changed_on_humanized",
        "changed_by.first_name",
        "changed_by.last_name",
        "columns.type_generic",
        "database.backend",
        "database.allow_multi_catalog",
        "columns.advanced_data_type",
        "is_managed_externally",
        "uid",
        "uuid",
        "datasource_name",
        "name",
        "column_formats",
        "granularity_sqla",
        "time_grain_sqla",
        "order_by_choices",
        "verbose_map",
    ],
    order_columns: &[
        "table_name",
        "catalog",
        "schema",
        "changed_by.first_name",
        "changed_on_delta_humanized",
        "database.database_name",
    ],
    search_columns: &[
        "id",
        "uuid",
        "database",
        "owners",
        "catalog",
        "schema",
        "sql",
        "table_name",
        "created_by",
        "changed_by",
    ],
    add_fields: &[
        Field::new("database", FieldKind::Integer).required(),
        Field::new("catalog", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=250, equal=None, error=None)>"])
            .length(0, Some(250)),
        Field::new("schema", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=250, equal=None, error=None)>"])
            .length(0, Some(250)),
        Field::new("table_name", FieldKind::String)
            .required()
            .validate(&["<Length(min=1, max=250, equal=None, error=None)>"])
            .length(1, Some(250)),
        Field::new("sql", FieldKind::String).nullable(),
        Field::new("owners", FieldKind::List),
    ],
    edit_fields: &[
        Field::new("table_name", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=1, max=250, equal=None, error=None)>"])
            .length(1, Some(250)),
        Field::new("sql", FieldKind::String).nullable(),
        Field::new("filter_select_enabled", FieldKind::Boolean).nullable(),
        Field::new("fetch_values_predicate", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=1000, equal=None, error=None)>"])
            .length(0, Some(1000)),
        Field::new("catalog", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=250, equal=None, error=None)>"])
            .length(0, Some(250)),
        Field::new("schema", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=255, equal=None, error=None)>"])
            .length(0, Some(255)),
        Field::new("description", FieldKind::String).nullable(),
        Field::new("main_dttm_col", FieldKind::String).nullable(),
        Field::new("normalize_columns", FieldKind::Boolean).nullable(),
        Field::new("always_filter_main_dttm", FieldKind::Boolean),
        Field::new("offset", FieldKind::Integer).nullable(),
        Field::new("default_endpoint", FieldKind::String).nullable(),
        Field::new("cache_timeout", FieldKind::Integer).nullable(),
        Field::new("is_sqllab_view", FieldKind::Boolean).nullable(),
        Field::new("template_params", FieldKind::String).nullable(),
        Field::new("owners", FieldKind::List),
        Field::new("columns", FieldKind::List),
        Field::new("metrics", FieldKind::List),
        Field::new("extra", FieldKind::String).nullable(),
    ],
    computed: &[
        CHANGED_BY_NAME,
        CHANGED_ON_DELTA,
        CHANGED_ON_UTC,
        Computed::new("datasource_type", &[], |_, _| "table".into()),
        Computed::new("explore_url", &["id", "default_endpoint"], |r, _| explore_url(r)),
        Computed::new("kind", &["sql"], |r, _| kind(r)),
    ],
    filters: &[
        CustomFilter {
            column: "id",
            operator: "dataset_is_certified",
            name: "Is certified",
            apply: |cx, v| Ok(v.as_bool().map(|yes| dataset::is_certified(cx.dialect, yes))),
        },
        CustomFilter {
            column: "sql",
            operator: "dataset_is_null_or_empty",
            name: "Null or Empty",
            apply: |_, v| Ok(Some(condition::is_filled("tables.sql", !filters::truthy(v)))),
        },
    ],
    base_filter: Some(|cx| lists::datasets(&cx.caller.user, "tables")),
    related: &[
        RelatedField::person("changed_by"),
        RelatedField::any_user("created_by"),
        RelatedField {
            search: Search::StartsWith("database_name"),
            base: Some(|cx| lists::databases(&cx.caller.user, "dbs")),
            text: None,
            ..RelatedField::any_user("database")
        },
        RelatedField::owners(),
    ],
    distinct: &["catalog", "schema"],
    list_select_columns: &["changed_on", "changed_by_fk"],
    ..Resource::PLAIN
};

fn explore_url(dataset: &Record) -> Value {
    let own = dataset.get::<String>("default_endpoint").filter(|e| !e.is_empty());
    own.unwrap_or_else(|| format!("/explore/?datasource_type=table&datasource_id={}", dataset.text("id")))
        .into()
}

fn kind(dataset: &Record) -> Value {
    let virtual_dataset = !dataset.text("sql").is_empty();
    if virtual_dataset { "virtual" } else { "physical" }.into()
}
