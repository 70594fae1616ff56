//! Values of filters: what the request sent, coerced to what the column holds (`filter_values_handler`), and their
//! text as SQL literals.

use serde_json::Value;

use crate::{
    engine::{Dialect, EngineSpec, GenericType, epoch_literal},
    error::{QueryError, Result},
    python::{float_str, repr},
};

/// A value in SQL.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    /// Text.
    Text(String),
    /// Text that is compared with what was cast to text, of the database's code page where it has one.
    Pattern(String),
    /// Digits with an optional sign.
    Int(String),
    /// Floating point.
    Float(f64),
    /// Boolean.
    Bool(bool),
    /// SQL text of the engine's own (date literals).
    Sql(String),
}

impl Literal {
    pub fn render(&self, dialect: Dialect) -> String {
        match self {
            Self::Text(text) => dialect.unicode_literal(text),
            // What the code page surely has; other letters would become question marks.
            Self::Pattern(text) if text.is_ascii() => dialect.string_literal(text),
            Self::Pattern(text) => dialect.unicode_literal(text),
            Self::Int(digits) => digits.clone(),
            Self::Float(number) => float_str(*number),
            Self::Bool(value) => dialect.boolean(*value).to_owned(),
            Self::Sql(text) => text.clone(),
        }
    }
}

/// The column that a filter value is compared with.
pub(super) struct Target<'a> {
    pub spec: &'a EngineSpec,
    pub generic: GenericType,
    pub native_type: Option<&'a str>,
    /// LIKE and ILIKE keep text on numeric columns.
    pub is_like: bool,
}

/// One value; `None` is SQL null.
pub(super) fn coerce(value: &Value, target: &Target<'_>) -> Result<Option<Literal>> {
    let number = match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Number(n) => n.as_f64(),
        _ => None,
    };
    if let (Some(number), GenericType::Temporal, Some(native)) = (number, target.generic, target.native_type)
    {
        let literal = epoch_literal(target.spec, native, number)
            .ok_or_else(|| QueryError::generic("Filter value is not a date of this column's type"))?;
        return Ok(Some(Literal::Sql(literal)));
    }
    if let Value::String(text) = value {
        let text = text.trim_matches(['\t', '\n']);
        if target.generic == GenericType::Numeric && !target.is_like {
            return Ok(to_number(text));
        }
        if text == "<NULL>" {
            return Ok(None);
        }
        if text == "<empty string>" {
            return Ok(Some(Literal::Text(String::new())));
        }
        return Ok(Some(match target.generic {
            GenericType::Boolean => Literal::Bool(text.trim().eq_ignore_ascii_case("true")),
            _ => Literal::Text(text.to_owned()),
        }));
    }
    if target.generic == GenericType::Boolean && !value.is_null() {
        return Ok(Some(Literal::Bool(number.is_some_and(|number| number != 0.0))));
    }
    Ok(match value {
        Value::Null => None,
        Value::Bool(b) => Some(Literal::Bool(*b)),
        Value::Number(n) => Some(match n.as_f64() {
            Some(f) if n.is_f64() => Literal::Float(f),
            _ => Literal::Int(n.to_string()),
        }),
        other => {
            return Err(QueryError::generic(format!(
                "Don't know how to literal-quote value {}",
                repr(other)
            )));
        }
    })
}

/// `cast_to_num`: digits become an integer, other numbers a float, everything else null.
fn to_number(text: &str) -> Option<Literal> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = text.trim_start_matches('0');
        return Some(Literal::Int(if digits.is_empty() { "0".into() } else { digits.to_owned() }));
    }
    // Rust reads the same forms as Python but for underscores, which no filter sends.
    text.trim().parse::<f64>().ok().map(Literal::Float)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(value: Value, generic: GenericType, native: Option<&str>) -> Option<String> {
        let spec = infra::engine_specs::spec("postgresql", None);
        let target = Target { spec, generic, native_type: native, is_like: false };
        coerce(&value, &target).unwrap().map(|literal| literal.render(Dialect::named("postgres").unwrap()))
    }

    #[test]
    fn values_follow_the_type_of_the_column() {
        let cases = [
            (json!("12"), GenericType::Numeric, Some("12")),
            (json!("012"), GenericType::Numeric, Some("12")),
            (json!("1.50"), GenericType::Numeric, Some("1.5")),
            (json!("x"), GenericType::Numeric, None),
            (json!(3), GenericType::String, Some("3")),
            (json!("<NULL>"), GenericType::String, None),
            (json!("<empty string>"), GenericType::String, Some("''")),
            (json!("\tit's\n"), GenericType::String, Some("'it''s'")),
            (json!("TRUE "), GenericType::Boolean, Some("true")),
            (json!(0), GenericType::Boolean, Some("false")),
            (json!(true), GenericType::String, Some("true")),
        ];
        for (value, generic, expected) in cases {
            assert_eq!(text(value.clone(), generic, None).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn numbers_on_time_columns_are_milliseconds() {
        assert_eq!(
            text(json!(1_072_915_200_000_i64), GenericType::Temporal, Some("DATE")).unwrap(),
            "TO_DATE('2004-01-01', 'YYYY-MM-DD')"
        );
    }
}
