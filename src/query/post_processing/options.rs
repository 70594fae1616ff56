//! Reading an operation's options with Python's complaints about a call's arguments.

use infra::engines::column::Scalar;
use serde_json::{Map, Value};

use crate::frame::{Frame, FrameError, Result, python};

/// The options of one operation.
pub(super) struct Options<'a> {
    name: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Options<'a> {
    pub(super) fn new(name: &'a str, map: &'a Map<String, Value>) -> Self {
        Self { name, map }
    }

    /// Checks the options against the parameters of the Python function.
    pub(super) fn signature(&self, required: &[&str], optional: &[&str]) -> Result<()> {
        if let Some(k) =
            self.map.keys().find(|k| !required.contains(&k.as_str()) && !optional.contains(&k.as_str()))
        {
            return Err(FrameError::unexpected(format!(
                "{}() got an unexpected keyword argument '{k}'",
                self.name
            )));
        }
        let missing: Vec<String> =
            required.iter().filter(|r| !self.map.contains_key(**r)).map(|r| format!("'{r}'")).collect();
        let list = match missing.as_slice() {
            [] => return Ok(()),
            [one] => one.clone(),
            [a, b] => format!("{a} and {b}"),
            [head @ .., last] => format!("{}, and {last}", head.join(", ")),
        };
        let n = missing.len();
        let s = if n == 1 { "" } else { "s" };
        Err(FrameError::unexpected(format!(
            "{}() missing {n} required positional argument{s}: {list}",
            self.name
        )))
    }

    /// `validate_column_args`: the columns that an option names must exist.
    pub(super) fn columns_exist(&self, frame: &Frame, arguments: &[&str]) -> Result<()> {
        for argument in arguments {
            let known = match self.map.get(*argument) {
                None | Some(Value::Null) => true,
                Some(Value::String(s)) => frame.has(s),
                Some(Value::Array(a)) => a.iter().all(|v| known(frame, v)),
                Some(Value::Object(o)) => o.keys().all(|k| frame.has(k)),
                Some(other) => {
                    return Err(FrameError::unexpected(format!(
                        "'{}' object is not iterable",
                        python_type(other)
                    )));
                }
            };
            if !known {
                return Err(FrameError::invalid("Referenced columns not available in DataFrame."));
            }
        }
        Ok(())
    }

    /// The value of an option; null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|v| !v.is_null())
    }

    /// True when the option is given, even as null.
    pub(super) fn given(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// An option that must be text.
    pub(super) fn text(&self, key: &str) -> Result<&'a str> {
        match self.map.get(key) {
            Some(Value::String(s)) => Ok(s),
            Some(other) => Err(self.not(key, other)),
            None => Err(FrameError::unexpected(format!("'{key}'"))),
        }
    }

    /// A list of texts; a single text is a list of one, null or absence an empty list.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<&'a str>> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::String(s)) => Ok(vec![s]),
            Some(Value::Array(a)) => a.iter().map(|v| v.as_str().ok_or_else(|| self.not(key, v))).collect(),
            Some(Value::Object(o)) => Ok(o.keys().map(String::as_str).collect()),
            Some(other) => Err(self.not(key, other)),
        }
    }

    /// A mapping of texts.
    pub(super) fn mapping(&self, key: &str) -> Result<Vec<(&'a str, &'a str)>> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Object(o)) => {
                o.iter().map(|(k, v)| Ok((k.as_str(), v.as_str().ok_or_else(|| self.not(key, v))?))).collect()
            }
            Some(other) => Err(FrameError::unexpected(format!(
                "'{}' object has no attribute 'keys'",
                python_type(other)
            ))),
        }
    }

    /// Python's truth of an option.
    pub(super) fn truthy(&self, key: &str, default: bool) -> bool {
        match self.map.get(key) {
            None => default,
            Some(Value::Null) => false,
            Some(Value::Bool(b)) => *b,
            Some(Value::Number(n)) => n.as_f64() != Some(0.0),
            Some(Value::String(s)) => !s.is_empty(),
            Some(Value::Array(a)) => !a.is_empty(),
            Some(Value::Object(o)) => !o.is_empty(),
        }
    }

    /// A whole number; absent or null is `None`.
    pub(super) fn integer(&self, key: &str) -> Result<Option<i64>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(b)) => Ok(Some(i64::from(*b))),
            Some(v) => v.as_i64().map(Some).ok_or_else(|| self.not(key, v)),
        }
    }

    fn not(&self, key: &str, value: &Value) -> FrameError {
        FrameError::unexpected(format!(
            "{}() argument '{key}' must be str, not {}",
            self.name,
            python_type(value)
        ))
    }
}

fn known(frame: &Frame, value: &Value) -> bool {
    match value {
        Value::String(s) => frame.has(s),
        Value::Number(_) | Value::Bool(_) => {
            let text = python::str_of(&scalar(value));
            frame.columns.iter().any(|c| {
                !matches!(c.label.first(), Some(Scalar::Text(_)))
                    && c.label.first().map(python::str_of).as_deref() == Some(&text)
            })
        }
        _ => false,
    }
}

/// The name of the Python type that a JSON value becomes.
pub(super) fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// A JSON value as a cell.
pub(super) fn scalar(value: &Value) -> Scalar {
    match value {
        Value::Null => Scalar::Null,
        Value::Bool(b) => Scalar::Bool(*b),
        Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => Scalar::Int(i),
            (None, Some(f)) => Scalar::Float(f),
            _ => Scalar::Null,
        },
        Value::String(s) => Scalar::Text(s.as_str().into()),
        other => Scalar::Json(other.clone()),
    }
}
