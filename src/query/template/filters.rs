//! Jinja's filters and Superset's two.

use std::rc::Rc;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::error::{Fault, Rendered};
use super::eval::{Call, Interpreter};
use super::value::Val;
use super::{macros, methods, ops, predicates};

/// What `urlencode` writes with percent signs: what `urllib.parse.quote` does not leave as it is.
const IN_URL: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// All filters, for the check of names before a template runs.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "forceescape",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "to_datetime",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "where_in",
    "wordcount",
];

fn attribute_path(it: &mut Interpreter<'_>, value: &Val, path: &str) -> Rendered<Val> {
    let mut value = value.clone();
    for part in path.split('.') {
        it.charge(8)?;
        value = match part.parse::<i64>() {
            Ok(index) => methods::item(&value, &Val::Int(index))?,
            Err(_) => methods::item(&value, &Val::from(part))?,
        };
    }
    Ok(value)
}

fn by_attribute(it: &mut Interpreter<'_>, items: &[Val], attribute: Option<&str>) -> Rendered<Vec<Val>> {
    match attribute {
        Some(path) => items.iter().map(|item| attribute_path(it, item, path)).collect(),
        None => Ok(items.to_vec()),
    }
}

fn fold_case(value: Val, sensitive: bool) -> Val {
    match value {
        Val::Str(text) if !sensitive => Val::from(text.to_lowercase()),
        other => other,
    }
}

fn sorted(keyed: &mut [(Val, Val)]) -> Rendered<()> {
    let mut unordered = None;
    keyed.sort_by(|(a, _), (b, _)| {
        a.order(b).unwrap_or_else(|| {
            unordered.get_or_insert_with(|| (a.type_name(), b.type_name()));
            std::cmp::Ordering::Equal
        })
    });
    match unordered {
        Some((a, b)) => Err(Fault::other(format!("'<' not supported between instances of '{a}' and '{b}'"))),
        None => Ok(()),
    }
}

/// Applies a filter.
pub(super) fn apply(it: &mut Interpreter<'_>, name: &str, value: &Val, call: &Call) -> Rendered<Val> {
    if !matches!(name, "default" | "d" | "list" | "length" | "count" | "string" | "first" | "last" | "join") {
        value.defined()?;
    }
    let text = |it: &mut Interpreter<'_>, text: String| it.string(text);
    match name {
        "default" | "d" => {
            let use_default = value.is_undefined() || (call.truth(1, "boolean", false) && !value.truth());
            Ok(if use_default {
                call.get(0, "default_value").cloned().unwrap_or_else(|| Val::from(""))
            } else {
                value.clone()
            })
        }
        "where_in" => where_in(it, value, call),
        "to_datetime" => to_datetime(value, call),
        "upper" => text(it, value.text().to_uppercase()),
        "lower" => text(it, value.text().to_lowercase()),
        "title" => text(it, methods::title(&value.text())),
        "capitalize" => text(it, methods::capitalize(&value.text())),
        "trim" | "center" | "replace" => {
            let method = if name == "trim" { "strip" } else { name };
            let bound = Val::from(value.text());
            let width = if name == "center" && call.positional.is_empty() {
                vec![Val::Int(80)]
            } else {
                call.positional.clone()
            };
            methods::call(it, &bound, method, &Call { positional: width, named: Vec::new() })
        }
        "string" | "safe" => text(it, value.text()),
        "e" | "escape" | "forceescape" => {
            let escaped = value
                .text()
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('\'', "&#39;")
                .replace('"', "&#34;");
            text(it, escaped)
        }
        "striptags" => {
            let mut inside = false;
            let mut out = String::new();
            for c in value.text().chars() {
                match c {
                    '<' => inside = true,
                    '>' if inside => inside = false,
                    c if !inside => out.push(c),
                    _ => {}
                }
            }
            text(it, out.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        "format" => methods::percent_format(it, &value.text(), &call.positional),
        "pprint" => text(it, value.repr()),
        "urlencode" => text(it, utf8_percent_encode(&value.text(), &IN_URL).to_string()),
        "wordcount" => Ok(Val::Int(i64::try_from(value.text().split_whitespace().count()).unwrap_or(0))),
        "indent" => indent(it, &value.text(), call),
        "truncate" => truncate(it, &value.text(), call),
        "tojson" => {
            let json = crate::encode::json::value_text(&value.to_json());
            text(
                it,
                json.replace('<', "\\u003c")
                    .replace('>', "\\u003e")
                    .replace('&', "\\u0026")
                    .replace('\'', "\\u0027"),
            )
        }
        "length" | "count" => Ok(Val::Int(i64::try_from(value.length()?).unwrap_or(i64::MAX))),
        "abs" => {
            match value {
                Val::Float(f) => Ok(Val::Float(f.abs())),
                other => other.int().and_then(i64::checked_abs).map(Val::Int).ok_or_else(|| {
                    Fault::other(format!("bad operand type for abs(): '{}'", other.type_name()))
                }),
            }
        }
        "int" => Ok(to_int(value, call)),
        "float" => Ok(match value {
            Val::Str(s) => s
                .trim()
                .parse()
                .map_or_else(|_| call.get(0, "default").cloned().unwrap_or(Val::Float(0.0)), Val::Float),
            other => other
                .number()
                .map_or_else(|| call.get(0, "default").cloned().unwrap_or(Val::Float(0.0)), Val::Float),
        }),
        "round" => round(value, call),
        "attr" => methods::attribute(value, &call.required(0, "name", name)?.text()),
        "items" => methods::call(it, value, "items", &Call::default()),
        _ => sequence(it, name, value, call),
    }
}

/// Filters over lists.
fn sequence(it: &mut Interpreter<'_>, name: &str, value: &Val, call: &Call) -> Rendered<Val> {
    let items = value.iterate()?;
    it.charge(items.len().saturating_mul(16))?;
    let attribute = |at| call.text(at, "attribute");
    match name {
        "list" => Ok(Val::list(items)),
        "first" => {
            Ok(items.first().cloned().unwrap_or_else(|| Val::undefined("No first item, sequence was empty.")))
        }
        "last" => {
            Ok(items.last().cloned().unwrap_or_else(|| Val::undefined("No last item, sequence was empty.")))
        }
        "random" => Ok(items
            .first()
            .cloned()
            .unwrap_or_else(|| Val::undefined("No random item, sequence was empty."))),
        "reverse" => {
            let reversed: Vec<Val> = items.into_iter().rev().collect();
            Ok(match value {
                Val::Str(_) => Val::from(reversed.iter().map(Val::text).collect::<String>()),
                _ => Val::list(reversed),
            })
        }
        "join" => {
            let separator = call.text(0, "d").unwrap_or_default();
            let parts = by_attribute(it, &items, attribute(1).as_deref())?;
            let mut out = String::new();
            for (i, part) in parts.iter().enumerate() {
                let part = part.text();
                it.charge(part.len() + separator.len())?;
                if i > 0 {
                    out.push_str(&separator);
                }
                out.push_str(&part);
            }
            Ok(Val::from(out))
        }
        "sum" => {
            let mut total = call.get(1, "start").cloned().unwrap_or(Val::Int(0));
            for item in by_attribute(it, &items, attribute(0).as_deref())? {
                total = ops::binary(it, "+", &total, &item)?;
            }
            Ok(total)
        }
        "min" | "max" => {
            let sensitive = call.truth(0, "case_sensitive", false);
            let keys = by_attribute(it, &items, attribute(1).as_deref())?;
            let mut keyed: Vec<(Val, Val)> =
                keys.into_iter().map(|k| fold_case(k, sensitive)).zip(items).collect();
            sorted(&mut keyed)?;
            let found = if name == "min" { keyed.first() } else { keyed.last() };
            Ok(found.map_or_else(
                || Val::undefined("No aggregated item, sequence was empty."),
                |(_, v)| v.clone(),
            ))
        }
        "sort" => {
            let sensitive = call.truth(1, "case_sensitive", false);
            let keys = by_attribute(it, &items, attribute(2).as_deref())?;
            let mut keyed: Vec<(Val, Val)> =
                keys.into_iter().map(|k| fold_case(k, sensitive)).zip(items).collect();
            sorted(&mut keyed)?;
            if call.truth(0, "reverse", false) {
                keyed.reverse();
            }
            Ok(Val::list(keyed.into_iter().map(|(_, v)| v).collect()))
        }
        "unique" => {
            let sensitive = call.truth(0, "case_sensitive", false);
            let keys = by_attribute(it, &items, attribute(1).as_deref())?;
            let mut seen = std::collections::HashSet::new();
            let kept = keys
                .into_iter()
                .zip(items)
                .filter(|(k, _)| seen.insert(fold_case(k.clone(), sensitive).repr()))
                .map(|(_, v)| v);
            Ok(Val::list(kept.collect()))
        }
        "groupby" => {
            let path = call.required(0, "attribute", name)?.text();
            let keys = by_attribute(it, &items, Some(&path))?;
            let mut keyed: Vec<(Val, Val)> = keys.into_iter().zip(items).collect();
            sorted(&mut keyed)?;
            let groups = keyed.chunk_by(|(a, _), (b, _)| a.equals(b)).map(|group| {
                let key = group.first().map_or(Val::None, |(k, _)| k.clone());
                Val::Tuple(Rc::new(vec![key, Val::list(group.iter().map(|(_, v)| v.clone()).collect())]))
            });
            Ok(Val::list(groups.collect()))
        }
        "dictsort" => {
            let Val::Dict(map) = value else { return Err(Fault::other("dictsort needs a dictionary")) };
            let by_value = call.text(1, "by").as_deref() == Some("value");
            let sensitive = call.truth(0, "case_sensitive", false);
            let pairs: Vec<(Val, Val)> = map.borrow().values().cloned().collect();
            let key = |k: &Val, v: &Val| fold_case(if by_value { v.clone() } else { k.clone() }, sensitive);
            let mut keyed: Vec<(Val, Val)> =
                pairs.into_iter().map(|(k, v)| (key(&k, &v), Val::Tuple(Rc::new(vec![k, v])))).collect();
            sorted(&mut keyed)?;
            if call.truth(2, "reverse", false) {
                keyed.reverse();
            }
            Ok(Val::list(keyed.into_iter().map(|(_, v)| v).collect()))
        }
        "batch" | "slice" => {
            let count = call
                .int(0, "count")
                .and_then(|n| usize::try_from(n).ok())
                .filter(|n| (1..=10_000).contains(n));
            let count = count.ok_or_else(|| Fault::other("the count must be a positive number"))?;
            Ok(Val::list(if name == "batch" {
                batch(&items, count, call)
            } else {
                slices(&items, count, call)
            }))
        }
        "map" => map(it, &items, call),
        "select" | "reject" | "selectattr" | "rejectattr" => select(it, name, items, call),
        other => Err(Fault::other(format!("No filter named '{other}'."))),
    }
}

fn batch(items: &[Val], count: usize, call: &Call) -> Vec<Val> {
    let fill = call.get(1, "fill_with");
    let line = |chunk: &[Val]| {
        let mut line = chunk.to_vec();
        if let Some(fill) = fill {
            line.resize(count, fill.clone());
        }
        Val::list(line)
    };
    items.chunks(count).map(line).collect()
}

/// Columns of nearly equal length.
fn slices(items: &[Val], count: usize, call: &Call) -> Vec<Val> {
    let (each, longer) = (items.len() / count, items.len() % count);
    let fill = call.get(1, "fill_with");
    let mut at = 0;
    (0..count)
        .map(|i| {
            let length = each + usize::from(i < longer);
            let mut line = items.get(at..at + length).unwrap_or(&[]).to_vec();
            at += length;
            if i >= longer {
                line.extend(fill.cloned());
            }
            Val::list(line)
        })
        .collect()
}

fn map(it: &mut Interpreter<'_>, items: &[Val], call: &Call) -> Rendered<Val> {
    if let Some(path) = call.named.iter().find(|(n, _)| n == "attribute").map(|(_, v)| v.text()) {
        let default = call.named.iter().find(|(n, _)| n == "default").map(|(_, v)| v.clone());
        let mut out = by_attribute(it, items, Some(&path))?;
        if let Some(default) = default {
            for value in out.iter_mut().filter(|v| v.is_undefined()) {
                *value = default.clone();
            }
        }
        return Ok(Val::list(out));
    }
    let filter = call.required(0, "filter", "map")?.text();
    let rest =
        Call { positional: call.positional.get(1..).unwrap_or(&[]).to_vec(), named: call.named.clone() };
    let out = items.iter().map(|item| apply(it, &filter, item, &rest)).collect::<Rendered<_>>()?;
    Ok(Val::list(out))
}

fn select(it: &mut Interpreter<'_>, name: &str, items: Vec<Val>, call: &Call) -> Rendered<Val> {
    let by_attr = name.ends_with("attr");
    let path = if by_attr { Some(call.required(0, "attribute", name)?.text()) } else { None };
    let rest = call.positional.get(usize::from(by_attr)..).unwrap_or(&[]).to_vec();
    let mut kept = Vec::new();
    for item in items {
        it.charge(16)?;
        let subject = match &path {
            Some(path) => attribute_path(it, &item, path)?,
            None => item.clone(),
        };
        let holds = match rest.split_first() {
            Some((test, args)) => predicates::holds(it, &test.text(), &subject, args)?,
            None => subject.truth(),
        };
        if holds == name.starts_with("select") {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

fn to_int(value: &Val, call: &Call) -> Val {
    let default = || call.get(0, "default").cloned().unwrap_or(Val::Int(0));
    #[expect(clippy::cast_possible_truncation, reason = "int() truncates; what does not fit saturates")]
    match value {
        Val::Str(s) => {
            let base = call
                .int(1, "base")
                .and_then(|b| u32::try_from(b).ok())
                .filter(|b| (2..=36).contains(b))
                .unwrap_or(10);
            let text = s.trim();
            i64::from_str_radix(text, base)
                .map(Val::Int)
                .or_else(|_| text.parse::<f64>().map(|f| Val::Int(f as i64)))
                .unwrap_or_else(|_| default())
        }
        Val::Float(f) => Val::Int(*f as i64),
        other => other.int().map_or_else(default, Val::Int),
    }
}

fn round(value: &Val, call: &Call) -> Rendered<Val> {
    let number = value
        .number()
        .ok_or_else(|| Fault::other(format!("type {} doesn't define __round__ method", value.type_name())))?;
    let precision = call.int(0, "precision").and_then(|p| i32::try_from(p).ok()).unwrap_or(0).clamp(-15, 15);
    let factor = 10_f64.powi(precision);
    let scaled = number * factor;
    let rounded = match call.text(1, "method").as_deref() {
        Some("ceil") => scaled.ceil(),
        Some("floor") => scaled.floor(),
        _ => scaled.round_ties_even(),
    };
    Ok(Val::Float(rounded / factor))
}

fn indent(it: &mut Interpreter<'_>, text: &str, call: &Call) -> Rendered<Val> {
    let width = match call.get(0, "width") {
        Some(Val::Str(s)) => s.to_string(),
        Some(other) => " ".repeat(other.int().and_then(|n| usize::try_from(n).ok()).unwrap_or(4).min(1_000)),
        None => "    ".to_owned(),
    };
    let (first, blank) = (call.truth(1, "first", false), call.truth(2, "blank", false));
    let mut out = Vec::new();
    for (i, line) in text.split('\n').enumerate() {
        it.charge(line.len() + width.len())?;
        let shift = if i == 0 { first } else { blank || !line.is_empty() };
        out.push(if shift { format!("{width}{line}") } else { line.to_owned() });
    }
    Ok(Val::from(out.join("\n")))
}

fn truncate(it: &mut Interpreter<'_>, text: &str, call: &Call) -> Rendered<Val> {
    let length = call.int(0, "length").and_then(|n| usize::try_from(n).ok()).unwrap_or(255);
    let end = call.text(2, "end").unwrap_or_else(|| "...".to_owned());
    let leeway = call.int(3, "leeway").and_then(|n| usize::try_from(n).ok()).unwrap_or(5);
    if text.chars().count() <= length.saturating_add(leeway) {
        return it.string(text.to_owned());
    }
    let cut: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    let cut = if call.truth(1, "killwords", false) {
        cut.as_str()
    } else {
        cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head)
    };
    it.string(format!("{cut}{end}"))
}

/// A list for `IN (…)`, every value as a literal of the dialect. The quoting cannot be chosen (CVE-2023-49736).
fn where_in(it: &mut Interpreter<'_>, value: &Val, call: &Call) -> Rendered<Val> {
    let mut literals = Vec::new();
    for item in value.iterate()? {
        let literal = macros::literal(it.inner, &item)?;
        it.charge(literal.len())?;
        literals.push(literal);
    }
    if literals.is_empty() && call.truth(1, "default_to_none", false) {
        return Ok(Val::None);
    }
    let mut out = format!("({})", literals.join(", "));
    if call.truth(0, "mark", false) {
        out.push_str(
            "\n-- WARNING: the `mark` parameter was removed from the `where_in` macro for security reasons\n",
        );
    }
    it.string(out)
}

/// `datetime.strptime`, of a text that may still carry quotes.
fn to_datetime(value: &Val, call: &Call) -> Rendered<Val> {
    if !value.truth() {
        return Ok(Val::None);
    }
    let Val::Str(text) = value else {
        return Err(Fault::other(format!("'{}' object has no attribute 'strip'", value.type_name())));
    };
    let text = text.trim_matches(['\'', '"']);
    let format = call.text(0, "format").unwrap_or_else(|| "%Y-%m-%d %H:%M:%S".to_owned());
    let ours = format.replace(".%f", "%.f");
    let parsed = NaiveDateTime::parse_from_str(text, &ours)
        .or_else(|_| NaiveDate::parse_from_str(text, &ours).map(|d| d.and_time(NaiveTime::MIN)))
        .map_err(|_| {
            Fault::other(format!(
                "time data {} does not match format {}",
                crate::python::repr_str(text),
                crate::python::repr_str(&format)
            ))
        })?;
    Ok(Val::DateTime(parsed))
}

/// Values that templates hold as JSON, for callers that print them.
pub(super) fn json_text(value: &Value) -> String {
    crate::encode::json::value_text(value)
}
