//! Rows as documents: the fields of a resource in their order, then its UUID (`ImportExportMixin.export_to_dict`).

use daos::{
    Record,
    table::{Kind, Table},
};
use infra::{
    python,
    yaml::{Key, Map, Yaml, json_loads},
};

/// `version` of everything that is exported.
pub const VERSION: &str = "1.0.0";

/// `export_fields` of a chart without those that its export removes.
pub const CHART: &[&str] = &[
    "slice_name",
    "description",
    "certified_by",
    "certification_details",
    "viz_type",
    "params",
    "query_context",
    "cache_timeout",
];
/// `export_fields` of a dashboard; the two JSON columns are renamed.
pub const DASHBOARD: &[&str] =
    &["dashboard_title", "description", "css", "slug", "certified_by", "certification_details", "published"];
/// `export_fields` of a dataset.
pub const DATASET: &[&str] = &[
    "table_name",
    "main_dttm_col",
    "description",
    "default_endpoint",
    "offset",
    "cache_timeout",
    "catalog",
    "schema",
    "sql",
    "params",
    "template_params",
    "filter_select_enabled",
    "fetch_values_predicate",
    "extra",
    "normalize_columns",
    "always_filter_main_dttm",
    "folders",
];
/// `export_fields` of a metric.
pub const METRIC: &[&str] = &[
    "metric_name",
    "verbose_name",
    "metric_type",
    "expression",
    "description",
    "d3format",
    "currency",
    "extra",
    "warning_text",
];
/// `export_fields` of a column.
pub const COLUMN: &[&str] = &[
    "column_name",
    "verbose_name",
    "is_dttm",
    "is_active",
    "type",
    "advanced_data_type",
    "groupby",
    "filterable",
    "expression",
    "description",
    "python_date_format",
    "extra",
];
/// `export_fields` of a database.
pub const DATABASE: &[&str] = &[
    "database_name",
    "sqlalchemy_uri",
    "cache_timeout",
    "expose_in_sqllab",
    "allow_run_async",
    "allow_ctas",
    "allow_cvas",
    "allow_dml",
    "allow_file_upload",
    "extra",
    "impersonate_user",
];
/// `export_fields` of a saved query.
pub const SAVED_QUERY: &[&str] = &["catalog", "schema", "label", "description", "sql"];
/// `export_fields` of a theme.
pub const THEME: &[&str] = &["theme_name", "json_data"];

/// The value of a column.
pub fn value(record: &Record, table: &'static Table, name: &str) -> Yaml {
    match table.column(name).map(|c| c.kind) {
        Some(Kind::Integer) => record.get::<i64>(name).into(),
        Some(Kind::Boolean) => record.get::<bool>(name).into(),
        Some(Kind::Uuid) => record.get::<uuid::Uuid>(name).map(|u| u.to_string()).into(),
        Some(Kind::Json) => Yaml::from(&record.json(name)),
        _ => record.get::<String>(name).into(),
    }
}

/// The fields of a row in order.
pub fn fields(record: &Record, table: &'static Table, names: &[&str]) -> Map {
    names.iter().map(|name| (Key::from(*name), value(record, table, name))).collect()
}

/// The fields of a row and its UUID.
pub fn with_uuid(record: &Record, table: &'static Table, names: &[&str]) -> Map {
    let mut map = fields(record, table, names);
    put(&mut map, "uuid", value(record, table, "uuid"));
    map
}

/// Sets a value; a new key comes last.
pub fn put(map: &mut Map, key: &str, value: impl Into<Yaml>) {
    map.insert(key.into(), value.into());
}

/// Texts that are JSON become what they hold; others, and empty ones, stay.
pub fn decode(map: &mut Map, names: &[&str]) {
    for name in names {
        if let Some(Yaml::Text(text)) = map.get(*name)
            && !text.is_empty()
            && let Some(value) = json_loads(text)
        {
            put(map, name, value);
        }
    }
}

/// Metrics and columns in an order that no database decides: by the characters of what Python prints of them, sorted.
pub fn in_order(children: Vec<Map>) -> Vec<Map> {
    let mut keyed: Vec<(Vec<char>, Map)> = children
        .into_iter()
        .map(|child| {
            let items: Vec<String> =
                child.iter().map(|(k, v)| format!("({}, {})", k.repr(), repr(v))).collect();
            let mut shown: Vec<char> = format!("dict_items([{}])", items.join(", ")).chars().collect();
            shown.sort_unstable();
            (shown, child)
        })
        .collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    keyed.into_iter().map(|(_, child)| child).collect()
}

/// `repr()` of a value of an export.
fn repr(value: &Yaml) -> String {
    match value {
        Yaml::Null => "None".into(),
        Yaml::Bool(true) => "True".into(),
        Yaml::Bool(false) => "False".into(),
        Yaml::Int(i) => i.to_string(),
        Yaml::Big(digits) => digits.clone(),
        Yaml::Float(f) => python::float_repr(*f),
        Yaml::Text(text) => python::str_repr(text),
        Yaml::List(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Yaml::Map(map) => {
            let items: Vec<String> = map.iter().map(|(k, v)| format!("{}: {}", k.repr(), repr(v))).collect();
            format!("{{{}}}", items.join(", "))
        }
        // no column holds one
        Yaml::Date(_) | Yaml::Time(_) | Yaml::Instant(_) | Yaml::Bytes(_) | Yaml::Set(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_sorted_by_their_characters() {
        let child = |name: &str| Map::from_iter([(Key::from("column_name"), Yaml::from(name))]);
        let sorted = in_order(vec![child("b"), child("ab"), child("z z")]);
        let names: Vec<&str> = sorted.iter().filter_map(|c| c.get("column_name")?.as_str()).collect();
        assert_eq!(names, ["z z", "ab", "b"]);
    }

    #[test]
    fn json_texts_are_decoded() {
        let mut map = Map::from_iter([
            (Key::from("a"), "{\"x\": 1}".into()),
            ("b".into(), "{".into()),
            ("c".into(), "".into()),
        ]);
        decode(&mut map, &["a", "b", "c", "d"]);
        assert_eq!(map.get("a").and_then(|a| a.get("x")), Some(&Yaml::Int(1)));
        assert_eq!((map.get("b"), map.get("c")), (Some(&"{".into()), Some(&"".into())));
    }
}
