//! `/api/v1/database/`: lists of databases (`superset.databases.api`).

use commands::access::lists;
use daos::{Record, condition, tables::DBS};
use infra::engine_specs::{EngineSpec, facts::CostEstimate, spec_for_uri};
use serde_json::{Map, Value, json};

use crate::controllers::crud::{
    Computed, CustomFilter, Field, FieldKind, RelatedField, Resource, Verb, View, computed::CHANGED_ON_DELTA,
    filters,
};
use crate::routes::Rule;

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    DATABASE_LISTS.rules()
}

static DATABASE_LISTS: Resource = Resource {
    name: "database",
    class: "DatabaseRestApi",
    permission: "Database",
    permissions: &["can_export", "can_read", "can_upload", "can_write"],
    verbs: &[Verb::List, Verb::Info, Verb::Related],
    model: "Database",
    table: &DBS,
    list_columns: &[
        "allow_file_upload",
        "allow_ctas",
        "allow_cvas",
        "allow_dml",
        "allow_run_async",
        "allows_cost_estimate",
        "allows_subquery",
        "allows_virtual_table_explore",
        "backend",
        "changed_on",
        "changed_on_delta_humanized",
        "changed_by.first_name",
        "changed_by.last_name",
        "created_by.first_name",
        "created_by.last_name",
        "database_name",
        "explore_database_id",
        "expose_in_sqllab",
        "extra",
        "force_ctas_schema",
        "id",
        "uuid",
        "disable_data_preview",
        "disable_drill_to_detail",
        "allow_multi_catalog",
        "engine_information",
    ],
    show_columns: &[
        "id",
        "uuid",
        "database_name",
        "cache_timeout",
        "expose_in_sqllab",
        "allow_run_async",
        "allow_file_upload",
        "configuration_method",
        "allow_ctas",
        "allow_cvas",
        "allow_dml",
        "backend",
        "driver",
        "force_ctas_schema",
        "impersonate_user",
        "is_managed_externally",
        "engine_information",
    ],
    order_columns: &[
        "allow_file_upload",
        "allow_dml",
        "allow_run_async",
        "changed_on",
        "changed_on_delta_humanized",
        "created_by.first_name",
        "database_name",
        "expose_in_sqllab",
    ],
    search_columns: &[
        "allow_file_upload",
        "allow_dml",
        "allow_run_async",
        "created_by",
        "changed_by",
        "database_name",
        "expose_in_sqllab",
        "uuid",
    ],
    add_fields: &[
        Field::new("database_name", FieldKind::String)
            .required()
            .validate(&["<Length(min=1, max=250, equal=None, error=None)>"])
            .length(1, Some(250)),
        Field::new("sqlalchemy_uri", FieldKind::String)
            .validate(&[
                "<Length(min=1, max=1024, equal=None, error=None)>",
                "<function sqlalchemy_uri_validator at 0x7f0000000000>",
            ])
            .length(1, Some(1024)),
        Field::new("cache_timeout", FieldKind::Integer).nullable(),
        Field::new("expose_in_sqllab", FieldKind::Boolean),
        Field::new("allow_run_async", FieldKind::Boolean),
        Field::new("allow_file_upload", FieldKind::Boolean),
        Field::new("allow_ctas", FieldKind::Boolean),
        Field::new("allow_cvas", FieldKind::Boolean),
        Field::new("allow_dml", FieldKind::Boolean),
        Field::new("configuration_method", FieldKind::Other("Enum")),
        Field::new("force_ctas_schema", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=250, equal=None, error=None)>"])
            .length(0, Some(250)),
        Field::new("impersonate_user", FieldKind::Boolean),
        Field::new("extra", FieldKind::String).validate(&["<function extra_validator at 0x7f0000000000>"]),
        Field::new("encrypted_extra", FieldKind::Missing),
        Field::new("server_cert", FieldKind::String)
            .nullable()
            .validate(&["<function server_cert_validator at 0x7f0000000000>"]),
    ],
    edit_fields: &[
        Field::new("database_name", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=1, max=250, equal=None, error=None)>"])
            .length(1, Some(250)),
        Field::new("sqlalchemy_uri", FieldKind::String)
            .validate(&[
                "<Length(min=0, max=1024, equal=None, error=None)>",
                "<function sqlalchemy_uri_validator at 0x7f0000000000>",
            ])
            .length(0, Some(1024)),
        Field::new("cache_timeout", FieldKind::Integer).nullable(),
        Field::new("expose_in_sqllab", FieldKind::Boolean),
        Field::new("allow_run_async", FieldKind::Boolean),
        Field::new("allow_file_upload", FieldKind::Boolean),
        Field::new("allow_ctas", FieldKind::Boolean),
        Field::new("allow_cvas", FieldKind::Boolean),
        Field::new("allow_dml", FieldKind::Boolean),
        Field::new("configuration_method", FieldKind::Other("Enum")),
        Field::new("force_ctas_schema", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=250, equal=None, error=None)>"])
            .length(0, Some(250)),
        Field::new("impersonate_user", FieldKind::Boolean),
        Field::new("extra", FieldKind::String).validate(&["<function extra_validator at 0x7f0000000000>"]),
        Field::new("encrypted_extra", FieldKind::Missing),
        Field::new("server_cert", FieldKind::String)
            .nullable()
            .validate(&["<function server_cert_validator at 0x7f0000000000>"]),
    ],
    max_page_size: Some(-1),
    computed: &[
        CHANGED_ON_DELTA,
        Computed::new("allow_multi_catalog", &["extra"], |r, _| {
            extra(r).get("allow_multi_catalog").cloned().unwrap_or(json!(false))
        }),
        Computed::new("allows_cost_estimate", &["extra", "sqlalchemy_uri"], |r, _| cost_estimate(r)),
        Computed::new("allows_subquery", &["sqlalchemy_uri"], |r, _| spec(r).caps.allows_subqueries.into()),
        Computed::new("allows_virtual_table_explore", &["extra"], |r, _| {
            extra(r).get("allows_virtual_table_explore").is_none_or(filters::truthy).into()
        }),
        Computed::new("backend", &["sqlalchemy_uri"], |r, _| backend(r).into()),
        Computed::new("disable_data_preview", &["extra"], |r, _| {
            (extra(r).get("disable_data_preview") == Some(&json!(true))).into()
        }),
        Computed::new("disable_drill_to_detail", &["extra"], |r, _| {
            (extra(r).get("disable_drill_to_detail") == Some(&json!(true))).into()
        }),
        Computed::new("engine_information", &["sqlalchemy_uri"], engine_information),
        Computed::new("explore_database_id", &["extra", "id"], |r, _| {
            extra(r).get("explore_database_id").cloned().unwrap_or_else(|| r.json("id"))
        }),
    ],
    filters: &[CustomFilter {
        column: "allow_file_upload",
        operator: "upload_is_enabled",
        name: "Upload Enabled",
        apply: |_, _| Ok(Some(condition::equals("dbs.allow_file_upload", true))),
    }],
    base_filter: Some(|cx| lists::databases(&cx.caller.user, "dbs")),
    related: &[RelatedField::person("changed_by"), RelatedField::any_user("created_by")],
    list_select_columns: &["sqlalchemy_uri", "password"],
    ..Resource::PLAIN
};

fn extra(database: &Record) -> Map<String, Value> {
    match serde_json::from_str(&database.text("extra")) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn backend(database: &Record) -> String {
    let uri = database.text("sqlalchemy_uri");
    let scheme = uri.split(':').next().unwrap_or_default();
    scheme.split('+').next().unwrap_or_default().to_owned()
}

fn spec(database: &Record) -> &'static EngineSpec {
    spec_for_uri(&database.text("sqlalchemy_uri"))
}

/// `allows_cost_estimate`: null when the engine could but nobody said whether it may.
fn cost_estimate(database: &Record) -> Value {
    let extra = extra(database);
    if spec(database).cost_estimate(&extra) == CostEstimate::Unable {
        return json!(false);
    }
    extra.get("cost_estimate_enabled").cloned().unwrap_or(Value::Null)
}

fn engine_information(database: &Record, view: &View) -> Value {
    let spec = spec(database);
    let oauth2 = view.caller.app.config.get("DATABASE_OAUTH2_CLIENTS").get(&spec.name).is_some();
    json!({
        "supports_file_upload": spec.caps.supports_file_upload,
        "disable_ssh_tunneling": spec.caps.disable_ssh_tunneling,
        "supports_dynamic_catalog": spec.caps.supports_dynamic_catalog,
        "supports_oauth2": oauth2,
    })
}
