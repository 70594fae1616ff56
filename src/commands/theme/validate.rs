//! Is a JSON object a theme? (`superset.themes.utils:is_valid_theme`)

use serde_json::Value;

/// An object whose known fields have the right types; unknown fields are the frontend's business.
pub fn is_valid_theme(theme: &Value) -> bool {
    let Some(fields) = theme.as_object() else { return false };
    let objects = ["token", "components"].iter().all(|f| fields.get(*f).is_none_or(Value::is_object));
    let flags = ["hashed", "inherit"].iter().all(|f| fields.get(*f).is_none_or(Value::is_boolean));
    objects && flags && fields.get("algorithm").is_none_or(is_algorithm)
}

fn is_algorithm(value: &Value) -> bool {
    let known = |v: &Value| matches!(v.as_str(), Some("default" | "dark" | "system" | "compact"));
    match value {
        Value::Array(list) => list.iter().all(known),
        other => known(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_have_types() {
        for good in [json!({}), json!({"algorithm": ["dark", "compact"], "token": {}}), json!({"other": 1})] {
            assert!(is_valid_theme(&good), "{good}");
        }
        for bad in [
            json!([]),
            json!(null),
            json!({"token": 1}),
            json!({"hashed": "x"}),
            json!({"algorithm": "blue"}),
        ] {
            assert!(!is_valid_theme(&bad), "{bad}");
        }
    }
}
