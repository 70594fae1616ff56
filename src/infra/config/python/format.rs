//! `format()`, `%` and `str.format`.

use super::{error::Problem, value::Value};
use crate::python::float_repr;

/// A width or precision beyond this is a mistake.
const WIDEST: usize = 10_000;

fn wrong(text: &str) -> Problem {
    Problem::safe("ValueError", text)
}

/// A format specification: `[[fill]align][sign][#][0][width][,][.precision][type]`.
#[derive(Debug, Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    width: usize,
    group: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse(text: &str) -> Option<Spec> {
    let mut spec = Spec::default();
    let chars: Vec<char> = text.chars().collect();
    let mut i = 0;
    let is_align = |c: Option<&char>| c.is_some_and(|c| "<>^=".contains(*c));
    if is_align(chars.get(1)) {
        (spec.fill, spec.align) = (chars.first().copied(), chars.get(1).copied());
        i = 2;
    } else if is_align(chars.first()) {
        spec.align = chars.first().copied();
        i = 1;
    }
    let take = |set: &str, i: &mut usize| {
        let found = chars.get(*i).copied().filter(|c| set.contains(*c));
        *i += usize::from(found.is_some());
        found
    };
    spec.sign = take("+- ", &mut i);
    spec.alternate = take("#", &mut i).is_some();
    if take("0", &mut i).is_some() && spec.align.is_none() {
        (spec.fill, spec.align) = (Some('0'), Some('='));
    }
    let number = |i: &mut usize| {
        let start = *i;
        while chars.get(*i).is_some_and(char::is_ascii_digit) {
            *i += 1;
        }
        let digits: String = chars.get(start..*i).unwrap_or_default().iter().collect();
        digits.parse::<usize>().ok()
    };
    spec.width = number(&mut i).unwrap_or(0);
    spec.group = take(",_", &mut i);
    if take(".", &mut i).is_some() {
        spec.precision = Some(number(&mut i)?);
    }
    spec.kind = chars.get(i).copied();
    i += usize::from(spec.kind.is_some());
    (i == chars.len() && spec.width <= WIDEST && spec.precision.is_none_or(|p| p <= WIDEST)).then_some(spec)
}

/// `format(value, spec)`.
pub(super) fn format(value: &Value, text: &str) -> Result<String, Problem> {
    if text.is_empty() {
        return Ok(value.to_text());
    }
    if let Value::Datetime(t, offset) = value {
        return super::library::strftime(*t, *offset, text);
    }
    if let Value::Date(d) = value {
        return super::library::strftime(d.and_time(chrono::NaiveTime::MIN), None, text);
    }
    let spec = parse(text).ok_or_else(|| wrong("Invalid format specifier"))?;
    let is_number = value.number().is_some() && !matches!(spec.kind, Some('s'));
    let body = match (value, spec.kind) {
        (Value::Str(s), None | Some('s')) => cut(s, spec.precision),
        (Value::Float(f), None) if spec.precision.is_none() => {
            sign(&spec, *f < 0.0, &group(&spec, &float_repr(f.abs())))
        }
        (v, kind) => match (v.integer(), v.number(), kind) {
            (Some(i), _, None | Some('d' | 'n')) if !matches!(v, Value::Float(_)) => {
                sign(&spec, i < 0, &group(&spec, &i.unsigned_abs().to_string()))
            }
            (Some(i), _, Some(kind @ ('x' | 'X' | 'o' | 'b'))) => {
                let u = i.unsigned_abs();
                let (digits, prefix) = match kind {
                    'x' => (format!("{u:x}"), "0x"),
                    'X' => (format!("{u:X}"), "0X"),
                    'o' => (format!("{u:o}"), "0o"),
                    _ => (format!("{u:b}"), "0b"),
                };
                sign(&spec, i < 0, &if spec.alternate { format!("{prefix}{digits}") } else { digits })
            }
            (Some(i), _, Some('c')) => {
                u32::try_from(i).ok().and_then(char::from_u32).map(String::from).unwrap_or_default()
            }
            (_, Some(f), Some('f' | 'F')) => {
                let digits = format!("{:.*}", spec.precision.unwrap_or(6), f.abs());
                sign(&spec, f < 0.0, &group(&spec, &digits))
            }
            (_, Some(f), Some('%')) => {
                let digits = format!("{:.*}%", spec.precision.unwrap_or(6), f.abs() * 100.0);
                sign(&spec, f < 0.0, &digits)
            }
            (_, Some(f), Some('e' | 'E')) => {
                let digits = format!("{:.*e}", spec.precision.unwrap_or(6), f.abs());
                let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
                let exponent: i32 = exponent.parse().unwrap_or(0);
                let text = format!(
                    "{mantissa}e{}{:02}",
                    if exponent < 0 { '-' } else { '+' },
                    exponent.unsigned_abs()
                );
                sign(&spec, f < 0.0, &text)
            }
            (_, Some(f), None | Some('g' | 'G' | 'n')) => {
                let precision = spec.precision.unwrap_or(6).max(1);
                let rounded: f64 = format!("{:.*e}", precision - 1, f.abs()).parse().unwrap_or(f.abs());
                let text = float_repr(rounded);
                sign(&spec, f < 0.0, text.strip_suffix(".0").unwrap_or(&text))
            }
            (_, _, None | Some('s')) => cut(&v.to_text(), spec.precision),
            _ => return Err(wrong("Unknown format code for this value")),
        },
    };
    Ok(pad(&spec, body, is_number))
}

fn cut(text: &str, precision: Option<usize>) -> String {
    text.chars().take(precision.unwrap_or(usize::MAX)).collect()
}

fn sign(spec: &Spec, is_negative: bool, digits: &str) -> String {
    let sign = match (is_negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    };
    format!("{sign}{digits}")
}

fn group(spec: &Spec, digits: &str) -> String {
    let Some(separator) = spec.group else { return digits.to_owned() };
    let (whole, rest) = digits.split_at(digits.find(['.', 'e']).unwrap_or(digits.len()));
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(separator);
        }
        out.push(c);
    }
    out + rest
}

fn pad(spec: &Spec, body: String, is_number: bool) -> String {
    let missing = spec.width.saturating_sub(body.chars().count());
    if missing == 0 {
        return body;
    }
    let fill = spec.fill.unwrap_or(' ').to_string();
    match spec.align.unwrap_or(if is_number { '>' } else { '<' }) {
        '<' => body + &fill.repeat(missing),
        '^' => format!("{}{body}{}", fill.repeat(missing / 2), fill.repeat(missing - missing / 2)),
        '=' => {
            let (sign, digits) = body.split_at(usize::from(body.starts_with(['+', '-', ' '])));
            format!("{sign}{}{digits}", fill.repeat(missing))
        }
        _ => fill.repeat(missing) + &body,
    }
}

/// `"%s and %(name)05d" % values`.
pub(super) fn percent(template: &str, values: &Value) -> Result<String, Problem> {
    let few = || Problem::kind("not enough arguments for format string");
    let list: Vec<Value> = match values {
        Value::Tuple(v) => v.to_vec(),
        other => vec![other.clone()],
    };
    let (mut out, mut next, mut rest) = (String::new(), list.iter(), template);
    let mut is_by_name = false;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut named = None;
        if let Some(after) = rest.strip_prefix('(') {
            let (name, after) = after.split_once(')').ok_or_else(|| wrong("incomplete format key"))?;
            is_by_name = true;
            let Value::Dict(dict) = values else { return Err(Problem::kind("format requires a mapping")) };
            let found = dict.items.lock().get(&super::value::Key(Value::text(name))).cloned();
            named = Some(found.ok_or_else(|| Problem::hidden("KeyError", name))?);
            rest = after;
        }
        let end = rest
            .find(|c: char| c.is_ascii_alphabetic() || c == '%')
            .ok_or_else(|| wrong("incomplete format"))?;
        let (flags, kind) = (&rest[..end], rest[end..].chars().next().unwrap_or('%'));
        rest = &rest[end + 1..];
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = match named {
            Some(value) => value,
            None => next.next().cloned().ok_or_else(few)?,
        };
        let is_left = flags.contains('-');
        let flags: String = flags.chars().filter(|c| *c != '-').collect();
        let spec = |kind: &str| format!("{}{flags}{kind}", if is_left { "<" } else { "" });
        let text = match kind {
            's' | 'r' => {
                let text = if kind == 'r' { value.repr() } else { value.to_text() };
                let align = if is_left { "<" } else { ">" };
                format(&Value::text(text), &format!("{align}{flags}s"))?
            }
            'd' | 'i' | 'u' => match value.number() {
                Some(n) => {
                    let whole = value.integer().unwrap_or(n as i128);
                    format(&Value::Int(whole), &spec("d"))?
                }
                None => return Err(Problem::kind("%d format: a number is required")),
            },
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' | 'x' | 'X' | 'o' | 'c' => {
                format(&value, &spec(&kind.to_string()))?
            }
            _ => return Err(wrong("unsupported format character")),
        };
        out.push_str(&text);
    }
    out.push_str(rest);
    if next.next().is_some() && !is_by_name && !matches!(values, Value::Dict(_)) {
        return Err(Problem::kind("not all arguments converted during string formatting"));
    }
    Ok(out)
}

/// A field of `str.format`: the text before it, its name with what follows it, its conversion and specification.
pub(super) enum Piece {
    Text(String),
    Field { name: String, conversion: Option<char>, spec: String },
}

/// Takes a template of `str.format` apart.
pub(super) fn pieces(template: &str) -> Result<Vec<Piece>, Problem> {
    let (mut out, mut text, mut rest) = (Vec::new(), String::new(), template);
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(wrong("Single '}' encountered in format string"));
        }
        // a specification may have fields of its own
        let mut depth = 1;
        let end = rest.char_indices().find(|(_, c)| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            depth == 0
        });
        let (end, _) = end.ok_or_else(|| wrong("expected '}' before end of string"))?;
        let field = &rest[..end];
        rest = &rest[end + 1..];
        let (field, spec) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = match field.split_once('!') {
            Some((name, conversion)) => (name, conversion.chars().next()),
            None => (field, None),
        };
        out.push(Piece::Text(std::mem::take(&mut text)));
        out.push(Piece::Field { name: name.to_owned(), conversion, spec: spec.to_owned() });
    }
    text.push_str(rest);
    out.push(Piece::Text(text));
    Ok(out)
}
