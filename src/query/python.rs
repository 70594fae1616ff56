//! Python's textual forms, where they reach the wire: `repr` of containers in error texts, `str` of floats in SQL.

use serde_json::Value;

pub use crate::frame::python::{float_repr as float_str, json_repr as repr, str_repr as repr_str};

/// `str()` of a JSON value: strings without quotes.
pub fn str_of(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => repr(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn writes_containers_as_python_does() {
        let value = json!({"a": [1, 2.0, null, true], "it's": "x\n"});
        assert_eq!(repr(&value), r#"{'a': [1, 2.0, None, True], "it's": 'x\n'}"#);
    }

    #[test]
    fn writes_floats_as_python_does() {
        for (f, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (-2.5e300, "-2.5e+300"),
        ] {
            assert_eq!(float_str(f), text);
        }
    }
}
