//! Jinja's tests: `x is defined`, `x is divisibleby 3`.

use super::error::{Fault, Rendered};
use super::eval::Interpreter;
use super::ops;
use super::value::Val;

/// All tests, for the check of names before a template runs.
pub(super) const NAMES: [&str; 34] = [
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
    "==",
];

/// Does the test hold?
pub(super) fn holds(it: &mut Interpreter<'_>, name: &str, value: &Val, args: &[Val]) -> Rendered<bool> {
    let argument = || {
        args.first()
            .ok_or_else(|| Fault::other(format!("test_{name}() missing 1 required positional argument")))
    };
    let remainder = |value: &Val, by: i64| {
        let number = value
            .int()
            .ok_or_else(|| Fault::other("not all arguments converted during string formatting"))?;
        number.checked_rem_euclid(by).ok_or_else(|| Fault::other("integer division or modulo by zero"))
    };
    Ok(match name {
        "defined" => !value.is_undefined(),
        "undefined" => value.is_undefined(),
        "none" => matches!(value, Val::None),
        "boolean" => matches!(value, Val::Bool(_)),
        "true" => matches!(value, Val::Bool(true)),
        "false" => matches!(value, Val::Bool(false)),
        "integer" => matches!(value, Val::Int(_)),
        "float" => matches!(value, Val::Float(_)),
        "number" => value.number().is_some(),
        "string" => matches!(value, Val::Str(_)),
        "mapping" => matches!(value, Val::Dict(_)),
        "sequence" => matches!(value, Val::Str(_) | Val::List(_) | Val::Tuple(_) | Val::Dict(_)),
        "iterable" => value.iterate().is_ok(),
        "callable" => matches!(value, Val::Function(_) | Val::Method(_) | Val::Macro(_)),
        "odd" => remainder(value, 2)? == 1,
        "even" => remainder(value, 2)? == 0,
        "divisibleby" => remainder(value, argument()?.int().unwrap_or(0))? == 0,
        "lower" => {
            value.text().to_lowercase() == value.text() && value.text().chars().any(char::is_alphabetic)
        }
        "upper" => {
            value.text().to_uppercase() == value.text() && value.text().chars().any(char::is_alphabetic)
        }
        "in" => {
            let container = argument()?.clone();
            ops::contains(it, &container, value)?
        }
        "sameas" => argument()?.equals(value),
        "filter" => super::filters::NAMES.contains(&value.text().as_str()),
        "test" => NAMES.contains(&value.text().as_str()),
        "escaped" => false,
        "eq" | "equalto" | "==" => ops::compare(it, "==", value, argument()?)?,
        "ne" => ops::compare(it, "!=", value, argument()?)?,
        "lt" | "lessthan" => ops::compare(it, "<", value, argument()?)?,
        "le" => ops::compare(it, "<=", value, argument()?)?,
        "gt" | "greaterthan" => ops::compare(it, ">", value, argument()?)?,
        "ge" => ops::compare(it, ">=", value, argument()?)?,
        other => return Err(Fault::other(format!("No test named '{other}'."))),
    })
}
