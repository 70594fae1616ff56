//! Whether a value has the type that its key has among the defaults.
//!
//! Superset takes what it gets, and Python makes the best of it: a text where a boolean belongs counts as true, a
//! number as text is compared with numbers somewhere later. Here the first is read as Python reads it, the second as
//! the number that it says, both with a word about it; what makes no sense stops the start.

use indexmap::IndexMap;
use serde_json::Value;

use super::honoured;

/// Keys that have more than one form.
const FREE: &[&str] = &[
    "ALERT_REPORTS_EXECUTORS",
    "AUTH_TYPE",
    "CACHE_WARMUP_EXECUTORS",
    "CELERY_CONFIG",
    "GUEST_TOKEN_JWT_AUDIENCE",
    "LOGO_RIGHT_TEXT",
    "LOG_LEVEL",
    "RESULTS_BACKEND",
    "SECRET_KEY",
    "TALISMAN_CONFIG",
    "TALISMAN_DEV_CONFIG",
    "THUMBNAIL_EXECUTORS",
    "TIME_ROTATE_LOG_LEVEL",
    "WTF_CSRF_EXEMPT_LIST",
    "WTF_CSRF_HEADERS",
    "WTF_CSRF_METHODS",
];

/// What is wrong with the types, and what was changed.
#[derive(Debug, Default)]
pub(super) struct Types {
    /// Reasons not to start.
    pub complaints: Vec<String>,
    /// Things to tell.
    pub warnings: Vec<String>,
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "None",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a dictionary",
    }
}

/// Brings the values of honoured keys into the types of the defaults.
pub(super) fn adapt(
    values: &mut IndexMap<String, Value>,
    defaults: &IndexMap<String, Value>,
    place: impl Fn(&str) -> String,
) -> Types {
    let mut out = Types::default();
    for (key, value) in values.iter_mut() {
        let Some(default) = defaults.get(key).filter(|d| !d.is_null()) else { continue };
        if value.is_null() || !honoured::is(key) || FREE.contains(&key.as_str()) {
            continue;
        }
        let at = place(key);
        let wrong =
            |value: &Value| format!("{at}: {key} is {}, and {} is needed", name_of(value), name_of(default));
        match (&*value, default) {
            (Value::Bool(_), Value::Bool(_))
            | (Value::Number(_), Value::Number(_))
            | (Value::String(_), Value::String(_))
            | (Value::Array(_), Value::Array(_))
            | (Value::Object(_), Value::Object(_)) => {}
            (Value::String(text), Value::Bool(_)) => {
                let truth = !text.is_empty();
                if text.eq_ignore_ascii_case("false") || matches!(text.as_str(), "0" | "no" | "off") {
                    out.warnings.push(format!(
                        "{at}: {key} is a text, and every text but the empty one counts as True, also this one, as in \
                         Superset"
                    ));
                }
                *value = Value::Bool(truth);
            }
            (Value::Number(n), Value::Bool(_)) => *value = Value::Bool(n.as_f64() != Some(0.0)),
            (Value::Array(list), Value::Bool(_)) => *value = Value::Bool(!list.is_empty()),
            (Value::Bool(b), Value::Number(_)) => *value = Value::from(i64::from(*b)),
            (Value::String(text), Value::Number(_)) => match text.trim().parse::<i64>() {
                Ok(number) => {
                    out.warnings
                        .push(format!("{at}: {key} is a text; it is taken for the number that it says"));
                    *value = Value::from(number);
                }
                Err(_) => out.complaints.push(wrong(value)),
            },
            // `False` switches off what has a text or a list
            (Value::Bool(false), _) => *value = Value::Null,
            (other, _) => out.complaints.push(wrong(other)),
        }
    }
    out
}

/// The known name that is nearest to one that is not known.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = if name.len() < 8 { 1 } else { 2 };
    known
        .filter(|k| k.len().abs_diff(name.len()) <= allowed)
        .map(|k| (distance(name.as_bytes(), k.as_bytes()), k))
        .filter(|(d, _)| *d <= allowed)
        .min()
        .map(|(_, k)| k)
}

/// How many letters have to change (Levenshtein).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut before = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(0);
            let left = row.get(j).copied().unwrap_or(0);
            let change = before + usize::from(x != y);
            before = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = change.min(above + 1).min(left + 1);
            }
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_get_the_type_of_their_defaults() {
        let defaults = IndexMap::from(
            [
                ("WTF_CSRF_ENABLED", json!(true)),
                ("ROW_LIMIT", json!(1)),
                ("APP_NAME", json!("x")),
                ("SQL_MAX_ROW", json!(1)),
                ("LANGUAGES", json!({})),
            ]
            .map(|(k, v)| (k.to_owned(), v)),
        );
        let given = [
            ("WTF_CSRF_ENABLED", json!("False")),
            ("ROW_LIMIT", json!("5")),
            ("APP_NAME", json!(5)),
            ("SQL_MAX_ROW", json!("many")),
            ("LANGUAGES", json!(false)),
        ];
        let mut values: IndexMap<String, Value> = given.map(|(k, v)| (k.to_owned(), v)).into_iter().collect();
        let types = adapt(&mut values, &defaults, |key| format!("f, {key}"));
        assert_eq!((&values["WTF_CSRF_ENABLED"], &values["ROW_LIMIT"]), (&json!(true), &json!(5)));
        assert_eq!(values["LANGUAGES"], Value::Null);
        assert_eq!(types.warnings.len(), 2, "{types:?}");
        let want = [
            "f, APP_NAME: APP_NAME is a number, and a text is needed",
            "f, SQL_MAX_ROW: SQL_MAX_ROW is a text, and a number is needed",
        ];
        assert_eq!(types.complaints, want);
    }

    #[test]
    fn the_nearest_name() {
        let known = || ["ROW_LIMIT", "SECRET_KEY", "SQL_MAX_ROW"].into_iter();
        assert_eq!(nearest("ROW_LIMITS", known()), Some("ROW_LIMIT"));
        assert_eq!(nearest("SECRET_KEYY", known()), Some("SECRET_KEY"));
        assert_eq!(nearest("DATABASE_HOST", known()), None);
    }
}
