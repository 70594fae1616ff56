//! The JSON schemas of `q` arguments, and the one message that `jsonschema.validate` would raise.
//!
//! jsonschema collects all errors and picks the "best match" (`jsonschema.exceptions:best_match`); clients see the
//! first line of that error, so the choice is part of the contract.

use std::cmp::Ordering;

use serde_json::Value;

use crate::python::json_repr;

/// A schema: only the keywords that Superset's schemas use.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// `type`; empty allows any.
    pub types: &'static [&'static str],
    /// `enum` of texts.
    pub one_of: &'static [&'static str],
    /// `properties`.
    pub properties: &'static [(&'static str, Schema)],
    /// `items`.
    pub items: Option<&'static Schema>,
    /// `additionalProperties`.
    pub additional: Option<&'static Schema>,
    /// `required`.
    pub required: &'static [&'static str],
    /// `anyOf`.
    pub any_of: &'static [Schema],
    /// `minItems`.
    pub min_items: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Index(usize),
    Key(String),
}

struct Failure {
    path: Vec<Step>,
    message: String,
    any_of: bool,
    matches_type: bool,
    context: Vec<Failure>,
}

impl Schema {
    /// Anything.
    pub const ANY: Self = Self {
        types: &[],
        one_of: &[],
        properties: &[],
        items: None,
        additional: None,
        required: &[],
        any_of: &[],
        min_items: 0,
    };
    /// One type.
    pub const fn of_types(types: &'static [&'static str]) -> Self {
        Self { types, ..Self::ANY }
    }
    /// An object with these properties; others are allowed.
    pub const fn object(properties: &'static [(&'static str, Schema)]) -> Self {
        Self { types: &["object"], properties, ..Self::ANY }
    }
    /// An array.
    pub const fn array(items: &'static Schema) -> Self {
        Self { types: &["array"], items: Some(items), ..Self::ANY }
    }
    /// A text out of a list.
    pub const fn choice(one_of: &'static [&'static str]) -> Self {
        Self { types: &["string"], one_of, ..Self::ANY }
    }

    /// The message of the best match, or `None` when the value is valid.
    pub fn first_error(&self, value: &Value) -> Option<String> {
        let mut failures = Vec::new();
        self.check(value, &mut failures);
        best_match(failures).map(|m| m.lines().next().unwrap_or_default().to_owned())
    }

    fn check(&self, value: &Value, out: &mut Vec<Failure>) {
        let matches_type = !self.types.is_empty() && self.types.iter().any(|t| is_type(value, t));
        let mut fail = |message: String, context: Vec<Failure>| {
            let any_of = !context.is_empty();
            out.push(Failure { path: Vec::new(), message, any_of, matches_type, context });
        };
        if !self.types.is_empty() && !matches_type {
            let types: Vec<String> = self.types.iter().map(|t| format!("'{t}'")).collect();
            fail(format!("{} is not of type {}", json_repr(value), types.join(", ")), Vec::new());
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|c| value.as_str() == Some(c)) {
            let choices: Vec<String> = self.one_of.iter().map(|c| format!("'{c}'")).collect();
            fail(format!("{} is not one of [{}]", json_repr(value), choices.join(", ")), Vec::new());
        }
        if let Value::Array(items) = value
            && items.len() < self.min_items
        {
            let what = if self.min_items == 1 { "should be non-empty" } else { "is too short" };
            fail(format!("{} {what}", json_repr(value)), Vec::new());
        }
        if let Value::Object(map) = value {
            for name in self.required.iter().filter(|name| !map.contains_key(**name)) {
                fail(format!("'{name}' is a required property"), Vec::new());
            }
        }
        if !self.any_of.is_empty() {
            let mut context = Vec::new();
            let fits = self.any_of.iter().any(|s| {
                let before = context.len();
                s.check(value, &mut context);
                context.len() == before
            });
            if !fits {
                fail(format!("{} is not valid under any of the given schemas", json_repr(value)), context);
            }
        }
        match value {
            Value::Object(map) => {
                for (name, schema) in self.properties {
                    if let Some(inner) = map.get(*name) {
                        descend(schema, inner, Step::Key((*name).to_owned()), out);
                    }
                }
                if let Some(schema) = self.additional {
                    for (key, inner) in map {
                        if !self.properties.iter().any(|(name, _)| name == key) {
                            descend(schema, inner, Step::Key(key.clone()), out);
                        }
                    }
                }
            }
            Value::Array(items) => {
                if let Some(schema) = self.items {
                    for (i, inner) in items.iter().enumerate() {
                        descend(schema, inner, Step::Index(i), out);
                    }
                }
            }
            _ => {}
        }
    }
}

fn descend(schema: &Schema, value: &Value, step: Step, out: &mut Vec<Failure>) {
    let before = out.len();
    schema.check(value, out);
    for failure in out.iter_mut().skip(before) {
        failure.path.insert(0, step.clone());
    }
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|f| f.fract() == 0.0),
        _ => false,
    }
}

fn relevance(a: &Failure, b: &Failure) -> Ordering {
    let key = |f: &Failure| (std::cmp::Reverse(f.path.len()), f.path.clone(), !f.any_of, !f.matches_type);
    key(a).cmp(&key(b))
}

fn best_match(failures: Vec<Failure>) -> Option<String> {
    // Python's max() keeps the first of equals
    let mut best = failures.into_iter().reduce(|a, b| if relevance(&b, &a).is_gt() { b } else { a })?;
    while !best.context.is_empty() {
        best.context.sort_by(relevance);
        let tie = best.context.get(1).zip(best.context.first()).is_some_and(|(b, a)| relevance(a, b).is_eq());
        if tie {
            break;
        }
        best = best.context.swap_remove(0);
    }
    Some(best.message)
}

const STRING: Schema = Schema::of_types(&["string"]);
const INTEGER: Schema = Schema::of_types(&["integer"]);
const STRINGS: Schema = Schema::array(&STRING);
const SCALARS: [Schema; 3] = [Schema::of_types(&["number"]), STRING, Schema::of_types(&["boolean"])];
const SCALAR: Schema = Schema { any_of: &SCALARS, ..Schema::ANY };
const FILTER_VALUE: Schema = Schema {
    any_of: &[Schema::of_types(&["number"]), STRING, Schema::of_types(&["boolean"]), Schema::array(&SCALAR)],
    ..Schema::ANY
};
const FILTER: Schema = Schema {
    required: &["col", "opr", "value"],
    ..Schema::object(&[("col", STRING), ("opr", STRING), ("value", FILTER_VALUE)])
};

/// `get_list_schema` of Flask-AppBuilder.
pub static LIST: Schema = Schema::object(&[
    (
        "keys",
        Schema::array(&Schema::choice(&[
            "list_columns",
            "order_columns",
            "label_columns",
            "description_columns",
            "list_title",
            "none",
        ])),
    ),
    ("columns", STRINGS),
    ("select_columns", STRINGS),
    ("order_column", STRING),
    ("order_direction", Schema::choice(&["asc", "desc"])),
    ("page", INTEGER),
    ("page_size", INTEGER),
    ("filters", Schema::array(&FILTER)),
]);

/// `get_item_schema` of Flask-AppBuilder.
pub static ITEM: Schema = Schema::object(&[
    (
        "keys",
        Schema::array(&Schema::choice(&[
            "show_columns",
            "description_columns",
            "label_columns",
            "show_title",
            "none",
        ])),
    ),
    ("columns", STRINGS),
]);

const COLUMN_PAGES: Schema = Schema {
    types: &["object"],
    additional: Some(&Schema::object(&[("page_size", INTEGER), ("page", INTEGER)])),
    ..Schema::ANY
};

/// `get_info_schema` of Flask-AppBuilder.
pub static INFO: Schema = Schema::object(&[
    (
        "keys",
        Schema::array(&Schema::choice(&[
            "add_columns",
            "edit_columns",
            "filters",
            "permissions",
            "add_title",
            "edit_title",
            "none",
        ])),
    ),
    ("add_columns", COLUMN_PAGES),
    ("edit_columns", COLUMN_PAGES),
]);

/// `get_related_schema` of Superset; also of `/distinct/`.
pub static RELATED: Schema = Schema::object(&[
    ("page_size", INTEGER),
    ("page", INTEGER),
    ("include_ids", Schema::array(&INTEGER)),
    ("filter", STRING),
]);

/// `thumbnail_query_schema`.
pub static THUMBNAIL: Schema = Schema::object(&[("force", Schema::of_types(&["boolean"]))]);

/// `screenshot_query_schema`.
pub static SCREENSHOT: Schema = Schema::object(&[
    ("force", Schema::of_types(&["boolean"])),
    ("window_size", Schema::array(&INTEGER)),
    ("thumb_size", Schema::array(&INTEGER)),
]);

/// The same of dashboards.
pub static DASHBOARD_SCREENSHOT: Schema = Schema::object(&[
    ("force", Schema::of_types(&["boolean"])),
    ("permalink", STRING),
    ("window_size", Schema::array(&INTEGER)),
    ("thumb_size", Schema::array(&INTEGER)),
]);

/// `get_delete_ids_schema`, `get_export_ids_schema`, …: an array of primary keys.
pub static IDS: Schema = Schema::array(&INTEGER);

/// `get_recent_activity_schema` of the log API.
pub static RECENT_ACTIVITY: Schema = Schema::object(&[
    ("page", Schema::of_types(&["number"])),
    ("page_size", Schema::of_types(&["number"])),
    ("actions", STRINGS),
    ("distinct", Schema::of_types(&["boolean"])),
]);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_those_of_jsonschema() {
        for (value, want) in [
            (json!({}), None),
            (json!({"zzz": 1}), None),
            (json!({"page": 1.0}), None),
            (json!("abc"), Some("'abc' is not of type 'object'")),
            (json!([1, 2]), Some("[1, 2] is not of type 'object'")),
            (json!({"page": "a"}), Some("'a' is not of type 'integer'")),
            (json!({"page": true}), Some("True is not of type 'integer'")),
            // the later of two siblings
            (json!({"page": "a", "page_size": "b"}), Some("'b' is not of type 'integer'")),
            (json!({"order_direction": "zz"}), Some("'zz' is not one of ['asc', 'desc']")),
            (json!({"filters": [{"col": "a", "opr": "eq"}]}), Some("'value' is a required property")),
            (
                json!({"filters": [{"col": "a", "opr": "eq", "value": null}]}),
                Some("None is not valid under any of the given schemas"),
            ),
            (
                json!({"filters": [{"col": "a", "opr": "eq", "value": [null]}]}),
                Some("None is not valid under any of the given schemas"),
            ),
        ] {
            assert_eq!(LIST.first_error(&value).as_deref(), want, "{value}");
        }
        assert_eq!(IDS.first_error(&json!({})).as_deref(), Some("{} is not of type 'array'"));
    }
}
