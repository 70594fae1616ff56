//! Names of ClickHouse's types, read into what it takes to read their values.

use chrono_tz::Tz;

/// A type. What only changes how values are stored (`LowCardinality`, `SimpleAggregateFunction`) is left out.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Bool,
    /// Signed, by its width in bytes; up to 8.
    Int(usize),
    /// Unsigned, by its width in bytes; up to 8.
    UInt(usize),
    /// Integers of 16 or 32 bytes, that drivers print; true is signed.
    Big(usize, bool),
    Float32,
    Float64,
    BFloat16,
    /// Width in bytes and digits behind the point.
    Decimal(usize, i64),
    String,
    FixedString(usize),
    /// Days since 1970 in two bytes.
    Date,
    /// Days since 1970 in four bytes, signed.
    Date32,
    DateTime(Option<Tz>),
    /// Digits behind the second.
    DateTime64(u32, Option<Tz>),
    /// Seconds.
    Time,
    /// Digits behind the second.
    Time64(u32),
    Uuid,
    Ipv4,
    Ipv6,
    /// Width in bytes, names by number.
    Enum(usize, Vec<(i16, String)>),
    Nullable(Box<Type>),
    Array(Box<Type>),
    Map(Box<Type>, Box<Type>),
    /// With names, where the elements have some.
    Tuple(Vec<(Option<String>, Type)>),
    /// One of several, in the order of their names.
    Variant(Vec<Type>),
    /// JSON as text, as we ask for it.
    Json,
    Nothing,
}

/// Levels of types within types.
const DEPTH: usize = 24;

impl Type {
    /// Reads a name; `None` for types whose values no driver reads (`AggregateFunction`).
    pub fn parse(name: &str) -> Option<Self> {
        parse(name, DEPTH)
    }
}

fn parse(text: &str, depth: usize) -> Option<Type> {
    let depth = depth.checked_sub(1)?;
    let text = text.trim();
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => (name.trim(), split(rest.strip_suffix(')')?)?),
        None => (text, Vec::new()),
    };
    let first = || arguments.first().copied();
    let inner = |at: usize| parse(arguments.get(at)?, depth).map(Box::new);
    let number = |at: usize| arguments.get(at)?.trim().parse::<usize>().ok();
    Some(match name {
        "Bool" => Type::Bool,
        "Int8" => Type::Int(1),
        "Int16" => Type::Int(2),
        "Int32" => Type::Int(4),
        "Int64" => Type::Int(8),
        "UInt8" => Type::UInt(1),
        "UInt16" => Type::UInt(2),
        "UInt32" => Type::UInt(4),
        "UInt64" => Type::UInt(8),
        "Int128" => Type::Big(16, true),
        "UInt128" => Type::Big(16, false),
        "Int256" => Type::Big(32, true),
        "UInt256" => Type::Big(32, false),
        "Float32" => Type::Float32,
        "Float64" => Type::Float64,
        "BFloat16" => Type::BFloat16,
        "Decimal" => {
            let width = match number(0)? {
                1..=9 => 4,
                10..=18 => 8,
                19..=38 => 16,
                39..=76 => 32,
                _ => return None,
            };
            Type::Decimal(width, i64::try_from(number(1).unwrap_or(0)).ok()?)
        }
        "String" => Type::String,
        "FixedString" => Type::FixedString(number(0)?),
        "Date" => Type::Date,
        "Date32" => Type::Date32,
        "DateTime" => Type::DateTime(first().and_then(zone)),
        "DateTime64" => Type::DateTime64(digits(number(0)?)?, arguments.get(1).copied().and_then(zone)),
        "Time" => Type::Time,
        "Time64" => Type::Time64(digits(number(0)?)?),
        "UUID" => Type::Uuid,
        "IPv4" => Type::Ipv4,
        "IPv6" => Type::Ipv6,
        "Enum8" => Type::Enum(1, names(&arguments)?),
        "Enum16" => Type::Enum(2, names(&arguments)?),
        "Nullable" => Type::Nullable(inner(0)?),
        "LowCardinality" => *inner(0)?,
        "SimpleAggregateFunction" => *inner(1)?,
        "Array" => Type::Array(inner(0)?),
        "Map" => Type::Map(inner(0)?, inner(1)?),
        "Tuple" => Type::Tuple(elements(&arguments, depth)?),
        "Nested" => Type::Array(Box::new(Type::Tuple(elements(&arguments, depth)?))),
        "Variant" => Type::Variant(arguments.iter().map(|a| parse(a, depth)).collect::<Option<_>>()?),
        "JSON" | "Object" => Type::Json,
        "Nothing" => Type::Nothing,
        "Point" => point(),
        "Ring" | "LineString" => array(point()),
        "Polygon" | "MultiLineString" => array(array(point())),
        "MultiPolygon" => array(array(array(point()))),
        _ if name.starts_with("Interval") => Type::Int(8),
        _ => return None,
    })
}

fn digits(n: usize) -> Option<u32> {
    u32::try_from(n).ok().filter(|n| *n <= 9)
}

fn array(inner: Type) -> Type {
    Type::Array(Box::new(inner))
}

fn point() -> Type {
    Type::Tuple(vec![(None, Type::Float64), (None, Type::Float64)])
}

/// The arguments between parentheses, at their commas.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut level, mut quote, mut escaped) = (Vec::new(), 0, 0_usize, None, false);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '`' | '"') => quote = Some(c),
            (None, '(') => level += 1,
            (None, ')') => level = level.checked_sub(1)?,
            (None, ',') if level == 0 => {
                parts.push(text.get(start..i)?.trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    if quote.is_some() || level > 0 {
        return None;
    }
    let last = text.get(start..)?.trim();
    if !last.is_empty() {
        parts.push(last);
    }
    Some(parts)
}

/// A text between quotes, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '`' | '"'))?;
    let (mut out, mut escaped) = (String::new(), false);
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => {
                out.push(match c {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    c => c,
                });
                escaped = false;
            }
            '\\' => escaped = true,
            c if c == quote => return Some((out, text.get(i + c.len_utf8()..)?)),
            c => out.push(c),
        }
    }
    None
}

fn zone(argument: &str) -> Option<Tz> {
    quoted(argument.trim())?.0.parse().ok()
}

/// `'a' = 1, 'b' = 2`.
fn names(arguments: &[&str]) -> Option<Vec<(i16, String)>> {
    let one = |text: &&str| {
        let (name, rest) = quoted(text.trim())?;
        Some((rest.trim().strip_prefix('=')?.trim().parse().ok()?, name))
    };
    arguments.iter().map(one).collect()
}

/// `a Int8, b String` or `Int8, String`.
fn elements(arguments: &[&str], depth: usize) -> Option<Vec<(Option<String>, Type)>> {
    let one = |text: &&str| {
        if let Some((name, rest)) = quoted(text) {
            return Some((Some(name), parse(rest, depth)?));
        }
        let word = text.find([' ', '(']);
        match word {
            Some(at) if text.as_bytes().get(at) == Some(&b' ') => {
                let (name, rest) = text.split_at(at);
                Some((Some(name.to_owned()), parse(rest, depth)?))
            }
            _ => Some((None, parse(text, depth)?)),
        }
    };
    arguments.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types() {
        assert_eq!(
            Type::parse("LowCardinality(Nullable(String))"),
            Some(Type::Nullable(Box::new(Type::String)))
        );
        assert_eq!(Type::parse("Decimal(38, 5)"), Some(Type::Decimal(16, 5)));
        assert_eq!(
            Type::parse("DateTime64(3, 'Asia/Istanbul')"),
            Some(Type::DateTime64(3, Some(chrono_tz::Asia::Istanbul)))
        );
        let marks = Type::parse(r"Enum8('a,\'(' = -1, 'b' = 2)");
        assert_eq!(marks, Some(Type::Enum(1, vec![(-1, "a,'(".into()), (2, "b".into())])));
        let tuple = Type::parse("Tuple(a Int8, `b c` Array(Map(String, UInt64)), d Tuple(Int8, Date32))");
        let Some(Type::Tuple(elements)) = tuple else { panic!() };
        let names: Vec<_> = elements.iter().map(|(n, _)| n.as_deref().unwrap_or_default()).collect();
        assert_eq!(names, ["a", "b c", "d"]);
        assert_eq!(Type::parse("SimpleAggregateFunction(sum, Float64)"), Some(Type::Float64));
        assert_eq!(Type::parse("JSON(max_dynamic_paths=8, `a.b` UInt32)"), Some(Type::Json));
        assert_eq!(Type::parse("IntervalDay"), Some(Type::Int(8)));
    }

    #[test]
    fn hostile_names() {
        for name in [
            "",
            "Array(",
            "Array()",
            "AggregateFunction(sum, Int8)",
            "Decimal(99, 2)",
            "Enum8('a)",
            "DateTime64(99)",
        ] {
            assert_eq!(Type::parse(name), None, "{name}");
        }
        assert_eq!(Type::parse(&format!("{}Int8{}", "Array(".repeat(100_000), ")".repeat(100_000))), None);
    }
}
