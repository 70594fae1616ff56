//! Names of types as the servers write them.

/// A type, as far as its values are read in a way of their own.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Bool,
    Int,
    Float,
    Decimal,
    Bytes,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    /// `interval day to second`.
    Interval,
    Array(Box<Type>),
    Map(Box<Type>),
    Row(Vec<Type>),
    /// Text, and all that is shown as it comes.
    Text,
}

const DEPTH: usize = 24;

impl Type {
    /// Reads a name; what is not known is text.
    pub fn parse(name: &str) -> Self {
        known(name, DEPTH).unwrap_or(Self::Text)
    }
}

/// The arguments of a type: `decimal(10,2)` has two.
fn arguments(text: &str) -> Option<(&str, Vec<&str>, &str)> {
    let Some(open) = text.find('(') else { return Some((text, Vec::new(), "")) };
    let (name, rest) = (text.get(..open)?, text.get(open + 1..)?);
    let (mut parts, mut start, mut level, mut quoted) = (Vec::new(), 0, 0_usize, false);
    for (i, c) in rest.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' => level += 1,
            ')' if level == 0 => {
                parts.push(rest.get(start..i)?.trim());
                return Some((name, parts, rest.get(i + 1..)?));
            }
            ')' => level -= 1,
            ',' if level == 0 => {
                parts.push(rest.get(start..i)?.trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    None
}

fn known(text: &str, depth: usize) -> Option<Type> {
    let depth = depth.checked_sub(1)?;
    let text = text.trim();
    let (name, inner, tail) = arguments(text)?;
    let boxed = |at: usize| inner.get(at).and_then(|t| known(t, depth)).map(Box::new);
    Some(match (name.trim(), tail.trim()) {
        ("boolean", _) => Type::Bool,
        ("tinyint" | "smallint" | "integer" | "int" | "bigint", "") => Type::Int,
        ("real" | "double", "") => Type::Float,
        ("decimal", "") => Type::Decimal,
        ("varbinary", "") => Type::Bytes,
        ("date", "") => Type::Date,
        ("time", "" | "with time zone") | ("time with time zone", "") => Type::Time,
        ("timestamp", "") => Type::Timestamp,
        ("timestamp", "with time zone") | ("timestamp with time zone", "") => Type::TimestampTz,
        ("interval day to second", "") => Type::Interval,
        ("array", "") => Type::Array(boxed(0)?),
        ("map", "") => Type::Map(boxed(1)?),
        ("row", "") => Type::Row(inner.iter().map(|t| field(t, depth).1).collect()),
        ("varchar" | "char" | "json" | "uuid" | "ipaddress" | "unknown" | "interval year to month", "") => {
            Type::Text
        }
        _ if depth == DEPTH - 1 => return None,
        // words of a field that has a name
        (other, _) if other.contains(' ') || other.starts_with('"') => return None,
        _ => Type::Text,
    })
}

/// A field of a row: its name, if it has one, and its type.
fn field(text: &str, depth: usize) -> (Option<String>, Type) {
    if let Some(rest) = text.strip_prefix('"')
        && let Some((name, ty)) = rest.split_once('"')
    {
        return (Some(name.to_owned()), known(ty, depth).unwrap_or(Type::Text));
    }
    match (known(text, depth), text.split_once(' ')) {
        (None, Some((name, ty))) => (Some(name.to_owned()), known(ty, depth).unwrap_or(Type::Text)),
        (found, _) => (None, found.unwrap_or(Type::Text)),
    }
}

/// The type as Trino's dialect of SQLAlchemy compiles it; `UNKNOWN` for those that it does not know.
pub(super) fn sqlalchemy(text: &str) -> String {
    compiled(text, DEPTH).unwrap_or_else(|| "UNKNOWN".to_owned())
}

fn compiled(text: &str, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let text = text.trim();
    let (name, inner, tail) = arguments(text)?;
    let (name, tail) = (name.trim(), tail.trim());
    let upper = match name {
        "boolean" | "smallint" | "integer" | "bigint" | "real" | "double" | "varbinary" | "json" | "date" => {
            return Some(name.to_uppercase());
        }
        "tinyint" => return Some("SMALLINT".to_owned()),
        "int" => return Some("INTEGER".to_owned()),
        "decimal" | "varchar" | "char" | "time" | "timestamp" => name.to_uppercase(),
        "time with time zone" | "timestamp with time zone" => return Some(name.to_uppercase()),
        "array" => return Some(format!("ARRAY({})", compiled(inner.first()?, depth)?)),
        "map" => {
            return Some(format!(
                "MAP({}, {})",
                compiled(inner.first()?, depth)?,
                compiled(inner.get(1)?, depth)?
            ));
        }
        "row" => {
            let mut fields = Vec::new();
            for one in inner {
                let (name, _) = field(one, depth);
                let name = name?;
                let quoted = one.strip_prefix('"').and_then(|rest| rest.split_once('"')).map(|(_, ty)| ty);
                let ty = quoted.or_else(|| one.split_once(' ').map(|(_, ty)| ty))?;
                fields.push(format!("{name} {}", compiled(ty, depth)?));
            }
            return Some(format!("ROW({})", fields.join(", ")));
        }
        _ => return None,
    };
    let inner = if inner.is_empty() { String::new() } else { format!("({})", inner.join(", ")) };
    let tail = if tail.is_empty() { String::new() } else { format!(" {}", tail.to_uppercase()) };
    Some(format!("{upper}{inner}{tail}"))
}

/// The type as Superset's spec of Presto names it, by its patterns (`PrestoEngineSpec.get_columns`).
pub(super) fn presto(text: &str) -> String {
    let name = text.split(['(', ' ']).next().unwrap_or(text).to_lowercase();
    let name = name.as_str();
    match name {
        "varchar" | "char" if text.trim_end().ends_with(')') => text.to_uppercase(),
        "double" | "real" => "DOUBLE".to_owned(),
        "boolean" | "tinyint" | "smallint" | "integer" | "bigint" | "decimal" | "char" | "varbinary"
        | "json" | "date" | "timestamp" | "interval" | "time" | "array" | "map" | "row" => {
            name.to_uppercase()
        }
        _ => "VARCHAR".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_within_types() {
        let boxed = |t| Box::new(t);
        assert_eq!(Type::parse("timestamp(3) with time zone"), Type::TimestampTz);
        assert_eq!(Type::parse("decimal(10,2)"), Type::Decimal);
        assert_eq!(
            Type::parse("map(varchar(3), array(bigint))"),
            Type::Map(boxed(Type::Array(boxed(Type::Int))))
        );
        assert_eq!(
            Type::parse("row(a timestamp(3) with time zone, \"b, c\" decimal(3,1), date date)"),
            Type::Row(vec![Type::TimestampTz, Type::Decimal, Type::Date])
        );
        assert_eq!(
            Type::parse("row(bigint, interval day to second)"),
            Type::Row(vec![Type::Int, Type::Interval])
        );
        assert_eq!(Type::parse("qdigest(double)"), Type::Text);
        for hostile in ["", "(", "row(", "array()", "row(,)", &"array(".repeat(9999), "row(\"a)"] {
            let _ = Type::parse(hostile);
        }
    }

    /// Compared with trino-python-client 0.340 on SQLAlchemy 1.4.54.
    #[test]
    fn types_as_sqlalchemy_compiles_them() {
        for (native, want) in [
            ("tinyint", "SMALLINT"),
            ("decimal(10,2)", "DECIMAL(10, 2)"),
            ("varchar(10)", "VARCHAR(10)"),
            ("time(6) with time zone", "TIME(6) WITH TIME ZONE"),
            ("timestamp(3)", "TIMESTAMP(3)"),
            ("timestamp(3) with time zone", "TIMESTAMP(3) WITH TIME ZONE"),
            ("array(row(a bigint,b varchar))", "ARRAY(ROW(a BIGINT, b VARCHAR))"),
            ("map(varchar, bigint)", "MAP(VARCHAR, BIGINT)"),
            ("row(a bigint, \"b c\" varchar(3))", "ROW(a BIGINT, b c VARCHAR(3))"),
            ("uuid", "UNKNOWN"),
            ("interval day to second", "UNKNOWN"),
        ] {
            assert_eq!(sqlalchemy(native), want, "{native}");
        }
        assert_eq!((presto("varchar(4)").as_str(), presto("row(a bigint)").as_str()), ("VARCHAR(4)", "ROW"));
    }
}
