//! The schemas of the files (`superset.*.schemas:ImportV1…Schema`).

use infra::{
    json_error::json_error,
    yaml::{Map, Yaml, json_loads},
};

use super::{
    super::{AssetKind, document::VERSION},
    schema::{Field, Kind, LAZY, Schema},
};
use crate::theme::is_valid_theme;

/// The schema of the files of a resource.
pub fn for_kind(kind: AssetKind) -> &'static Schema {
    match kind {
        AssetKind::Chart => &CHART,
        AssetKind::Dashboard => &DASHBOARD,
        AssetKind::Dataset => &DATASET,
        AssetKind::Database => &DATABASE,
        AssetKind::SavedQuery => &SAVED_QUERY,
        AssetKind::Theme => &THEME,
    }
}

const fn text(name: &'static str) -> Field {
    Field::new(name, Kind::Text).nullable()
}
const fn flag(name: &'static str) -> Field {
    Field::new(name, Kind::Boolean)
}
const fn need(name: &'static str, kind: Kind) -> Field {
    Field::new(name, kind).required()
}

/// `metadata.yaml`.
pub static METADATA: Schema = Schema::new(&[
    need("version", Kind::Text).check(is_version),
    Field::new("type", Kind::Text),
    Field::new("timestamp", Kind::DateTime),
]);

fn is_version(value: &Yaml) -> Option<String> {
    (value.as_str() != Some(VERSION)).then(|| format!("Must be equal to {VERSION}."))
}

static CHART: Schema = Schema::new(&[
    need("slice_name", Kind::Text),
    text("description"),
    text("certified_by"),
    text("certification_details"),
    need("viz_type", Kind::Text),
    Field::new("params", Kind::Dict),
    text("query_context").check(is_json),
    Field::new("cache_timeout", Kind::Integer).nullable(),
    need("uuid", Kind::Uuid),
    need("version", Kind::Text),
    need("dataset_uuid", Kind::Uuid),
    flag("is_managed_externally").nullable(),
    text("external_url"),
    Field::new("tags", Kind::List).nullable(),
]);

fn is_json(value: &Yaml) -> Option<String> {
    let text = value.as_str().filter(|t| !t.is_empty())?;
    json_loads(text).is_none().then(|| "JSON not valid".to_owned())
}

static DASHBOARD: Schema = Schema::new(&[
    need("dashboard_title", Kind::Text),
    text("description"),
    text("css"),
    text("slug"),
    need("uuid", Kind::Uuid),
    Field::new("position", Kind::Dict),
    Field::new("metadata", Kind::Dict),
    need("version", Kind::Text),
    flag("is_managed_externally").nullable(),
    text("external_url"),
    text("certified_by"),
    text("certification_details"),
    flag("published").nullable(),
    Field::new("tags", Kind::List).nullable(),
    Field::new("theme_uuid", Kind::Uuid).nullable(),
    Field::new("theme_id", Kind::Integer).nullable(),
]);

static DATASET: Schema = Schema {
    fields: &[
        need("table_name", Kind::Text),
        text("main_dttm_col"),
        text("description"),
        text("default_endpoint"),
        Field::new("offset", Kind::Integer),
        Field::new("cache_timeout", Kind::Integer).nullable(),
        text("schema"),
        text("catalog"),
        text("sql"),
        Field::new("params", Kind::Dict).nullable(),
        Field::new("template_params", Kind::Dict).nullable(),
        flag("filter_select_enabled"),
        text("fetch_values_predicate"),
        Field::new("extra", Kind::Dict).nullable(),
        need("uuid", Kind::Uuid),
        Field::new("columns", Kind::NestedList(&COLUMN)),
        Field::new("metrics", Kind::NestedList(&METRIC)),
        need("version", Kind::Text),
        need("database_uuid", Kind::Uuid),
        Field::new("data", Kind::Url),
        flag("is_managed_externally").nullable(),
        text("external_url"),
        flag("normalize_columns"),
        flag("always_filter_main_dttm"),
        Field::new("folders", Kind::NestedList(&FOLDER)).nullable(),
    ],
    before: Some(repair_dataset),
    whole: None,
};

/// `extra` was a text once, and empty template parameters are none.
fn repair_dataset(map: &mut Map) -> Result<(), String> {
    if let Some(Yaml::Text(text)) = map.get("extra") {
        let extra = json_loads(text).unwrap_or_default();
        map.insert("extra".into(), extra);
    }
    if map.get("template_params") == Some(&Yaml::Text(String::new())) {
        map.insert("template_params".into(), Yaml::Null);
    }
    Ok(())
}

static COLUMN: Schema = Schema {
    fields: &[
        need("column_name", Kind::Text),
        Field::new("extra", Kind::Dict).nullable(),
        text("verbose_name"),
        flag("is_dttm").nullable(),
        flag("is_active").nullable(),
        text("type"),
        text("advanced_data_type"),
        flag("groupby"),
        flag("filterable"),
        text("expression"),
        text("description"),
        text("python_date_format"),
    ],
    before: Some(|map| repair(map, &["extra"])),
    whole: None,
};

static CURRENCY: Schema = Schema::new(&[
    Field::new("symbol", Kind::Text).length(1, 128),
    Field::new("symbolPosition", Kind::Text).length(1, 128),
]);

static METRIC: Schema = Schema {
    fields: &[
        need("metric_name", Kind::Text),
        text("verbose_name"),
        text("metric_type"),
        need("expression", Kind::Text),
        text("description"),
        text("d3format"),
        Field::new("currency", Kind::Nested(&CURRENCY)).nullable(),
        Field::new("extra", Kind::Dict).nullable(),
        text("warning_text"),
    ],
    before: Some(|map| repair(map, &["extra", "currency"])),
    whole: None,
};

/// Texts that hold JSON; others are an exception of the reader.
fn repair(map: &mut Map, names: &[&str]) -> Result<(), String> {
    for name in names {
        if let Some(Yaml::Text(text)) = map.get(*name) {
            let value = json_loads(text);
            let value = value.ok_or_else(|| json_error(text).unwrap_or_else(|| "Expecting value".into()))?;
            map.insert((*name).into(), value);
        }
    }
    Ok(())
}

static FOLDER: Schema = Schema {
    fields: &[
        need("uuid", Kind::Uuid),
        Field::new("type", Kind::Text).check(is_folder_type),
        Field::new("name", Kind::Text).length(1, 250),
        text("description").length(0, 1000),
        Field::new("children", Kind::NestedList(&FOLDER)).nullable(),
    ],
    before: None,
    whole: Some(|map| {
        let lacks = map.contains_key("name") && !map.contains_key("children");
        lacks.then_some("If 'name' is present, 'children' must be present.")
    }),
};

fn is_folder_type(value: &Yaml) -> Option<String> {
    let known = matches!(value.as_str(), Some("metric" | "column" | "folder"));
    (!known).then(|| "Must be one of: metric, column, folder.".to_owned())
}

static DATABASE: Schema = Schema {
    fields: &[
        need("database_name", Kind::Text),
        need("sqlalchemy_uri", Kind::Text),
        text("password"),
        text("encrypted_extra").check(is_encrypted_extra),
        Field::new("cache_timeout", Kind::Integer).nullable(),
        flag("expose_in_sqllab"),
        flag("allow_run_async"),
        flag("allow_ctas"),
        flag("allow_cvas"),
        flag("allow_dml"),
        flag("allow_csv_upload"),
        flag("impersonate_user"),
        Field::new("extra", Kind::Nested(&DATABASE_EXTRA)),
        need("uuid", Kind::Uuid),
        need("version", Kind::Text),
        flag("is_managed_externally").nullable(),
        text("external_url"),
        Field::new("ssh_tunnel", Kind::Nested(&SSH_TUNNEL)).nullable(),
    ],
    before: Some(|map| {
        if let Some(flag) = map.shift_remove("allow_file_upload") {
            map.insert("allow_csv_upload".into(), flag);
        }
        Ok(())
    }),
    whole: None,
};

fn is_encrypted_extra(value: &Yaml) -> Option<String> {
    let error = json_error(value.as_str().filter(|t| !t.is_empty())?)?;
    Some(format!("{LAZY}{error}"))
}

static DATABASE_EXTRA: Schema = Schema {
    fields: &[
        Field::new("metadata_params", Kind::Texts),
        Field::new("engine_params", Kind::Texts),
        Field::new("metadata_cache_timeout", Kind::Integers),
        Field::new("schemas_allowed_for_csv_upload", Kind::List),
        flag("cost_estimate_enabled"),
        flag("allows_virtual_table_explore"),
        flag("cancel_query_on_windows_unload"),
        flag("disable_data_preview"),
        flag("disable_drill_to_detail"),
        flag("allow_multi_catalog"),
        text("version"),
        Field::new("schema_options", Kind::Texts),
    ],
    before: Some(|map| {
        let name = "schemas_allowed_for_csv_upload";
        if let Some(list) = map.shift_remove("schemas_allowed_for_file_upload") {
            map.insert(name.into(), list);
        }
        repair(map, &[name])
    }),
    whole: None,
};

static SSH_TUNNEL: Schema = Schema::new(&[
    Field::new("id", Kind::Integer).nullable(),
    Field::new("server_address", Kind::Text),
    Field::new("server_port", Kind::Integer),
    Field::new("username", Kind::Text),
    Field::new("password", Kind::Text),
    Field::new("private_key", Kind::Text),
    Field::new("private_key_password", Kind::Text),
]);

static SAVED_QUERY: Schema = Schema::new(&[
    text("catalog").length(0, 128),
    text("schema").length(0, 128),
    text("label").length(0, 256),
    text("description"),
    need("sql", Kind::Text),
    need("uuid", Kind::Uuid),
    need("version", Kind::Text),
    need("database_uuid", Kind::Uuid),
]);

static THEME: Schema = Schema::new(&[
    need("theme_name", Kind::Text),
    need("json_data", Kind::Raw).check(is_theme),
    need("uuid", Kind::Uuid),
    need("version", Kind::Text),
]);

fn is_theme(value: &Yaml) -> Option<String> {
    let theme = match value {
        Yaml::Text(text) => json_loads(text),
        other => Some(other.clone()),
    };
    let Some(theme) = theme else { return Some("Invalid JSON configuration".into()) };
    // what JSON cannot say is no theme either
    let json = infra::yaml::json_dumps(&theme).ok().and_then(|text| serde_json::from_str(&text).ok());
    let valid = json.is_some_and(|theme| is_valid_theme(&theme));
    (!valid).then(|| "Invalid theme configuration structure".to_owned())
}
