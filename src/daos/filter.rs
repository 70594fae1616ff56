//! The filter operators of Flask-AppBuilder (`flask_appbuilder.models.sqla.filters`) as SQL conditions.
//!
//! Values arrive untyped from the client. Where Python would raise, or PostgreSQL refuse a comparison, the same
//! status and words come back, since `handle_api_exception` shows them.

use chrono::NaiveDateTime;
use infra::{
    Error, Result,
    db::{Dialect, Sql, Value, parse_datetime},
};
use serde_json::Value as Json;

use crate::table::{Column, Kind, Link, Relation, Table};

/// An operator with the name that `_info` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// `opr` of the request.
    pub code: &'static str,
    /// Name shown.
    pub name: &'static str,
}

const fn op(code: &'static str, name: &'static str) -> Operator {
    Operator { code, name }
}

const TO_ONE: &[Operator] = &[op("rel_o_m", "Relation"), op("nrel_o_m", "No Relation")];
const TO_MANY: &[Operator] = &[op("rel_m_m", "Relation as Many")];
const TEXT: &[Operator] = &[
    op("sw", "Starts with"),
    op("ew", "Ends with"),
    op("ct", "Contains"),
    op("eq", "Equal to"),
    op("nsw", "Not Starts with"),
    op("new", "Not Ends with"),
    op("nct", "Not Contains"),
    op("neq", "Not Equal to"),
    op("in", "In"),
    op("not_in", "Not In"),
];
const NUMBER: &[Operator] = &[
    op("eq", "Equal to"),
    op("gt", "Greater than"),
    op("lt", "Smaller than"),
    op("neq", "Not Equal to"),
    op("in", "In"),
    op("not_in", "Not In"),
];
const TIME: &[Operator] =
    &[op("eq", "Equal to"), op("gt", "Greater than"), op("lt", "Smaller than"), op("neq", "Not Equal to")];
const CHOICE: &[Operator] = &[op("eq", "Equal to"), op("neq", "Not Equal to")];

/// True for the operators that every Flask-AppBuilder API knows.
pub fn is_standard(code: &str) -> bool {
    [TEXT, NUMBER, TO_ONE, TO_MANY].iter().any(|set| set.iter().any(|o| o.code == code))
}

/// The operators of a column or relation; empty when there is none of that name.
pub fn operators(table: &Table, name: &str) -> &'static [Operator] {
    if let Some(relation) = table.relation(name) {
        return if relation.is_one() { TO_ONE } else { TO_MANY };
    }
    match table.column(name).map(|c| c.kind) {
        None => &[],
        Some(Kind::Enum(_) | Kind::NumberedEnum(_) | Kind::Boolean) => CHOICE,
        Some(Kind::Text | Kind::String(_) | Kind::Uuid) => TEXT,
        Some(Kind::Encrypted | Kind::Json) => TEXT.get(..8).unwrap_or_default(),
        Some(Kind::Integer | Kind::Float | Kind::Numeric) => NUMBER,
        Some(Kind::DateTime) => TIME,
    }
}

/// The condition of a standard operator; `None` when the filter does not restrict.
pub fn condition(
    table: &Table,
    name: &str,
    code: &str,
    value: &Json,
    dialect: Dialect,
) -> Result<Option<Sql>> {
    let each = matches!(code, "in" | "not_in");
    match value {
        // FAB applies a filter once per element
        Json::Array(items) if !each => {
            let mut parts = Vec::new();
            for item in items {
                parts.extend(single(table, name, code, item, dialect)?);
            }
            if parts.is_empty() {
                return Ok(None);
            }
            let mut sql = Sql::default();
            sql.push_joined(parts, " AND ");
            Ok(Some(sql))
        }
        _ => single(table, name, code, value, dialect),
    }
}

fn single(table: &Table, name: &str, code: &str, value: &Json, dialect: Dialect) -> Result<Option<Sql>> {
    if let Some(relation) = table.relation(name) {
        return relation_condition(table, relation, code, value, dialect).map(Some);
    }
    let Some(column) = table.column(name) else { return Ok(None) };
    let field = table.qualified(name);
    match code {
        "sw" | "nsw" | "ew" | "new" | "ct" | "nct" => {
            let pattern = pattern(code, value)?;
            if column.kind == Kind::Uuid {
                // the pattern itself is bound as a UUID
                return Err(raised("(builtins.ValueError) bytes is not a 16-char string"));
            }
            Ok(Some(dialect.ilike(Sql::new(field), &pattern, code.starts_with('n'))))
        }
        "eq" | "neq" => {
            let mut sql = Sql::new(field);
            match bind(column, value, dialect)? {
                Value::Null => {
                    sql.push(if code == "eq" { " IS NULL" } else { " IS NOT NULL" });
                }
                bound => {
                    sql.push(if code == "eq" { " = " } else { " != " });
                    push_value(&mut sql, bound, dialect);
                }
            }
            Ok(Some(sql))
        }
        "gt" | "lt" => match bind(column, value, dialect)? {
            Value::Null => Ok(None),
            bound => {
                let mut sql = Sql::new(field);
                sql.push(if code == "gt" { " > " } else { " < " });
                push_value(&mut sql, bound, dialect);
                Ok(Some(sql))
            }
        },
        "in" | "not_in" => {
            let values: Vec<Value> =
                elements(value)?.iter().map(|v| bind(column, v, dialect)).collect::<Result<_>>()?;
            let mut sql = Sql::default();
            if values.is_empty() {
                sql.push(if code == "in" { "1 = 0" } else { "1 = 1" });
                return Ok(Some(sql));
            }
            sql.push(&field).push(if code == "in" { " IN (" } else { " NOT IN (" });
            for (i, v) in values.into_iter().enumerate() {
                sql.push(if i > 0 { ", " } else { "" });
                push_value(&mut sql, v, dialect);
            }
            sql.push(")");
            Ok(Some(sql))
        }
        _ => Ok(None),
    }
}

/// An integer beyond 32 bits is compared as such; PostgreSQL would bind it with the column's type.
fn push_value(sql: &mut Sql, value: Value, dialect: Dialect) {
    match value {
        Value::Int(i) if dialect.is_strict() && i32::try_from(i).is_err() => {
            sql.push("CAST(").push_bind(i).push(" AS BIGINT)");
        }
        other => {
            sql.push_bind(other);
        }
    }
}

fn pattern(code: &str, value: &Json) -> Result<String> {
    let Some(text) = value.as_str() else {
        let kind = python_type(value);
        return Err(raised(&if matches!(code, "sw" | "nsw") {
            format!("unsupported operand type(s) for +: '{kind}' and 'str'")
        } else {
            format!("can only concatenate str (not \"{kind}\") to str")
        }));
    };
    Ok(match code {
        "sw" | "nsw" => format!("{text}%"),
        "ew" | "new" => format!("%{text}"),
        _ => format!("%{text}%"),
    })
}

/// What `for v in value` yields: the elements, or the characters of a text.
fn elements(value: &Json) -> Result<Vec<Json>> {
    match value {
        Json::Array(items) => Ok(items.clone()),
        Json::String(s) => Ok(s.chars().map(|c| Json::from(c.to_string())).collect()),
        other => Err(raised(&format!("'{}' object is not iterable", python_type(other)))),
    }
}

/// `set_value_to_type`, then what the driver accepts for the column.
fn bind(column: &Column, value: &Json, dialect: Dialect) -> Result<Value> {
    let strict = dialect.is_strict();
    match column.kind {
        Kind::Integer => Ok(match value {
            Json::Bool(b) => Value::Int(i64::from(*b)),
            Json::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(i), _) => Value::Int(i),
                (None, Some(f)) if f.abs() < 9e18 => Value::Int(f as i64),
                // no key is as large; Python's driver of SQLite fails here
                (_, f) if f.is_some_and(|f| f < 0.0) => Value::Int(i64::MIN),
                _ => Value::Int(i64::MAX),
            },
            Json::String(s) => s.trim().replace('_', "").parse::<i64>().map_or(Value::Null, Value::Int),
            _ => Value::Null,
        }),
        Kind::Float => Ok(match value {
            Json::Bool(b) => Value::Float(f64::from(u8::from(*b))),
            Json::Number(n) => n.as_f64().map_or(Value::Null, Value::Float),
            Json::String(s) => s.trim().parse::<f64>().map_or(Value::Null, Value::Float),
            _ => Value::Null,
        }),
        Kind::DateTime => Ok(value.as_str().and_then(parse_time).map_or(Value::Null, Value::DateTime)),
        Kind::Boolean => match value {
            Json::String(s) if s == "y" => Ok(Value::Bool(true)),
            Json::String(s) if strict => {
                pg_boolean(s).map(Value::Bool).ok_or_else(|| invalid_text("boolean", s))
            }
            Json::Number(_) if strict => Err(mismatch("boolean", value)),
            other => Ok(scalar(other)),
        },
        Kind::Numeric => match value {
            Json::String(s) if strict && s.trim().parse::<f64>().is_err() => Err(invalid_text("numeric", s)),
            Json::Bool(_) if strict => Err(mismatch("numeric", value)),
            other => Ok(scalar(other)),
        },
        Kind::Uuid => match value.as_str() {
            Some(s) => uuid::Uuid::parse_str(s.trim_start_matches("urn:").trim_start_matches("uuid:"))
                .map(Value::Uuid)
                .map_err(|_| raised("(builtins.ValueError) bytes is not a 16-char string")),
            None => Err(raised(&format!(
                "(builtins.AttributeError) '{}' object has no attribute 'replace'",
                python_type(value)
            ))),
        },
        Kind::Enum(_) | Kind::NumberedEnum(_) => match value {
            Json::String(s) => Ok(s.as_str().into()),
            _ => Err(raised("(builtins.LookupError) not among the defined enum values")),
        },
        Kind::String(_) | Kind::Text if strict && !value.is_string() && !value.is_null() => {
            Err(mismatch("character varying", value))
        }
        Kind::String(_) | Kind::Text | Kind::Json | Kind::Encrypted => Ok(scalar(value)),
    }
}

fn scalar(value: &Json) -> Value {
    match value {
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => {
            n.as_i64().map_or_else(|| n.as_f64().map_or(Value::Null, Value::Float), Value::Int)
        }
        Json::String(s) => Value::Text(s.clone()),
        _ => Value::Null,
    }
}

fn pg_boolean(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    match text.as_str() {
        "1" | "on" => Some(true),
        "0" | "of" | "off" => Some(false),
        "" => None,
        t if "true".starts_with(t) || "yes".starts_with(t) => Some(true),
        t if "false".starts_with(t) || "no".starts_with(t) => Some(false),
        _ => None,
    }
}

/// The texts of `dateutil.parser.parse` that have a year, a month and a day; others count as not parseable.
fn parse_time(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Ok(t) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(t.naive_local());
    }
    parse_datetime(text.trim_end_matches('Z')).or_else(|| {
        let date = ["%Y/%m/%d", "%Y%m%d", "%m/%d/%Y", "%d %b %Y", "%b %d %Y", "%B %d, %Y"];
        let parsed = date.iter().find_map(|f| chrono::NaiveDate::parse_from_str(text, f).ok());
        parsed.and_then(|d| d.and_hms_opt(0, 0, 0))
    })
}

fn relation_condition(
    table: &Table,
    relation: &Relation,
    code: &str,
    value: &Json,
    dialect: Dialect,
) -> Result<Sql> {
    let target = relation.target;
    // `session.get(Model, value)`: SQLite compares a text that is no number with nothing
    let id = match value {
        Json::Bool(b) => Some(i64::from(*b)),
        Json::Number(n) => n.as_i64(),
        Json::String(s) => s.trim().parse().ok(),
        _ => None,
    };
    if id.is_none() && dialect.is_strict() && value.is_string() {
        return Err(raised("ApplyFilterException: DataError"));
    }
    let id = id.filter(|i| !dialect.is_strict() || i32::try_from(*i).is_ok()).unwrap_or(-1);
    let mut exists = Sql::new(format!("EXISTS (SELECT 1 FROM {0} x WHERE x.{1} = ", target.name, target.pk));
    exists.push_bind(id).push(")");
    let mut sql = Sql::default();
    let pk = table.qualified(table.pk);
    match relation.link {
        // a missing object compares as null
        Link::One { local } => {
            let fk = table.qualified(local);
            if code == "rel_o_m" {
                sql.push(&format!("({fk} = ")).push_bind(id).push(&format!(" OR ({fk} IS NULL AND NOT "));
                sql.append(exists).push("))");
            } else {
                sql.push("((").append(exists.clone()).push(&format!(" AND ({fk} != ")).push_bind(id);
                sql.push(&format!(" OR {fk} IS NULL)) OR ({fk} IS NOT NULL AND NOT "))
                    .append(exists)
                    .push("))");
            }
        }
        // a missing object does not filter at all
        Link::Many { remote } => {
            sql.push("(NOT ").append(exists).push(&format!(
                " OR EXISTS (SELECT 1 FROM {0} x WHERE x.\"{remote}\" = {pk} AND x.{1} = ",
                target.name, target.pk
            ));
            sql.push_bind(id).push("))");
        }
        Link::ManyToMany { through, local, remote } => {
            sql.push("(NOT ").append(exists).push(&format!(
                " OR EXISTS (SELECT 1 FROM {through} x WHERE x.\"{local}\" = {pk} AND x.\"{remote}\" = "
            ));
            sql.push_bind(id);
            if let Some((column, wanted)) = relation.only {
                sql.push(&format!(" AND x.\"{column}\" = ")).push_bind(wanted);
            }
            sql.push("))");
        }
    }
    Ok(sql)
}

/// The name of the Python type that a JSON value becomes.
pub fn python_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(n) if n.is_f64() => "float",
        Json::Number(_) => "int",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}

/// An exception that `handle_api_exception` shows with status 500.
fn raised(text: &str) -> Error {
    Error::Legacy { status: 500, error: text.to_owned() }
}

/// PostgreSQL has no operator for the two types.
fn mismatch(column: &str, value: &Json) -> Error {
    let other = match python_type(value) {
        "bool" => "boolean",
        "float" => "numeric",
        _ => "integer",
    };
    Error::Legacy {
        status: 422,
        error: format!("(psycopg2.errors.UndefinedFunction) operator does not exist: {column} = {other}\n"),
    }
}

fn invalid_text(kind: &str, text: &str) -> Error {
    Error::Legacy {
        status: 422,
        error: format!(
            "(psycopg2.errors.InvalidTextRepresentation) invalid input syntax for type {kind}: \"{text}\"\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tables::SLICES;

    fn text(name: &str, code: &str, value: Json, dialect: Dialect) -> String {
        match condition(&SLICES, name, code, &value, dialect) {
            Ok(Some(sql)) => sql.text().to_owned(),
            Ok(None) => "-".into(),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn operators_follow_the_type() {
        assert_eq!(operators(&SLICES, "slice_name").len(), 10);
        assert_eq!(operators(&SLICES, "id").len(), 6);
        assert_eq!(operators(&SLICES, "created_by"), TO_ONE);
        assert_eq!(operators(&SLICES, "owners"), TO_MANY);
        assert!(operators(&SLICES, "nope").is_empty());
        assert!(is_standard("not_in") && !is_standard("nope"));
    }

    #[test]
    fn conditions() {
        let lite = Dialect::Sqlite;
        assert_eq!(text("id", "eq", json!("abc"), lite), "slices.\"id\" IS NULL");
        assert_eq!(text("id", "gt", json!("abc"), lite), "-");
        assert_eq!(text("id", "in", json!([1, "2"]), lite), "slices.\"id\" IN (?, ?)");
        assert_eq!(text("id", "in", json!([]), lite), "1 = 0");
        assert_eq!(text("id", "eq", json!([1, 2]), lite), "slices.\"id\" = ? AND slices.\"id\" = ?");
        assert_eq!(
            text("slice_name", "nct", json!("x"), lite),
            "lower(slices.\"slice_name\") NOT LIKE lower(?)"
        );
        assert_eq!(
            text("slice_name", "ct", json!(1), lite),
            "500: can only concatenate str (not \"int\") to str"
        );
        assert_eq!(text("slice_name", "in", json!(1), lite), "500: 'int' object is not iterable");
        assert!(text("slice_name", "eq", json!(1), Dialect::Postgres).starts_with("422"));
    }
}
