//! Attributes, items and the methods that templates call on Python's strings, lists, dictionaries and dates.

use std::rc::Rc;

use chrono::{Datelike, NaiveTime, Timelike};

use super::error::{Fault, Rendered};
use super::eval::{Call, Interpreter};
use super::value::{LoopState, Missing, Val, dict_key};

const STRING: &[&str] = &[
    "upper",
    "lower",
    "title",
    "capitalize",
    "swapcase",
    "casefold",
    "strip",
    "lstrip",
    "rstrip",
    "split",
    "rsplit",
    "splitlines",
    "join",
    "replace",
    "startswith",
    "endswith",
    "find",
    "rfind",
    "index",
    "count",
    "format",
    "zfill",
    "ljust",
    "rjust",
    "center",
    "isdigit",
    "isnumeric",
    "isalpha",
    "isalnum",
    "isupper",
    "islower",
    "isspace",
    "partition",
    "rpartition",
    "removeprefix",
    "removesuffix",
];
const LIST: &[&str] =
    &["append", "extend", "insert", "pop", "remove", "index", "count", "reverse", "sort", "copy", "clear"];
const DICT: &[&str] = &["get", "keys", "values", "items", "update", "pop", "setdefault", "copy", "clear"];
const DATETIME: &[&str] =
    &["strftime", "isoformat", "date", "time", "replace", "timestamp", "weekday", "isoweekday"];

/// `value.name`. Names with a leading underscore are never reachable (`SandboxedEnvironment.is_safe_attribute`).
pub(super) fn attribute(value: &Val, name: &str) -> Rendered<Val> {
    value.defined()?;
    if name.starts_with("__") {
        let hint = format!(
            "access to attribute {} of '{}' object is unsafe.",
            crate::python::repr_str(name),
            value.type_name()
        );
        return Ok(Val::Undefined(Rc::new(Missing {
            name: name.to_owned(),
            of: None,
            hint: Some(hint),
            index: false,
        })));
    }
    let bound = |known: &[&str]| {
        known.contains(&name).then(|| Val::Method(Rc::new((value.clone(), name.to_owned()))))
    };
    let found = match value {
        Val::Str(_) => bound(STRING),
        Val::List(_) => bound(LIST),
        Val::Tuple(_) => bound(&["index", "count"]),
        Val::Dict(map) => bound(DICT).or_else(|| map.borrow().get(name).map(|(_, v)| v.clone())),
        Val::Namespace(map) => map.borrow().get(name).map(|(_, v)| v.clone()),
        Val::Object(members) => members.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone()),
        Val::Loop(state) => loop_attribute(value, state, name),
        Val::DateTime(t) => bound(DATETIME).or_else(|| {
            Some(Val::Int(match name {
                "year" => i64::from(t.year()),
                "month" => i64::from(t.month()),
                "day" => i64::from(t.day()),
                "hour" => i64::from(t.hour()),
                "minute" => i64::from(t.minute()),
                "second" => i64::from(t.second()),
                "microsecond" => i64::from(t.nanosecond() / 1_000),
                _ => return None,
            }))
        }),
        Val::Delta(delta) => match name {
            "days" => Some(Val::Int(delta.num_seconds().div_euclid(86_400))),
            "seconds" => Some(Val::Int(delta.num_seconds().rem_euclid(86_400))),
            _ => bound(&["total_seconds"]),
        },
        _ => None,
    };
    Ok(found.unwrap_or_else(|| value.no_element(name)))
}

/// `value[key]`: the element, else the attribute.
pub(super) fn item(value: &Val, key: &Val) -> Rendered<Val> {
    value.defined()?;
    let at = |length: usize, index: i64| {
        let index = if index < 0 { index + i64::try_from(length).unwrap_or(i64::MAX) } else { index };
        usize::try_from(index).ok().filter(|i| *i < length)
    };
    let found = match (value, key) {
        (Val::Dict(map), key) => map.borrow().get(&dict_key(key)).map(|(_, v)| v.clone()),
        (Val::List(items), Val::Int(i)) => {
            let items = items.borrow();
            at(items.len(), *i).and_then(|i| items.get(i).cloned())
        }
        (Val::Tuple(items), Val::Int(i)) => at(items.len(), *i).and_then(|i| items.get(i).cloned()),
        (Val::Str(text), Val::Int(i)) => {
            at(text.chars().count(), *i).and_then(|i| text.chars().nth(i)).map(|c| Val::from(c.to_string()))
        }
        _ => None,
    };
    match (found, key) {
        (Some(found), _) => Ok(found),
        (None, Val::Str(name)) if !matches!(value, Val::Dict(_)) => attribute(value, name),
        (None, Val::Str(name)) => Ok(value.no_element(name)),
        (None, key) => Ok(Val::Undefined(Rc::new(Missing {
            name: key.repr(),
            of: Some(value.kind()),
            hint: None,
            index: true,
        }))),
    }
}

fn loop_attribute(value: &Val, state: &Rc<LoopState>, name: &str) -> Option<Val> {
    let count = |n: usize| Val::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let length = state.items.len();
    let neighbour = |index: Option<usize>, name: &str| {
        index.and_then(|i| state.items.get(i).cloned()).unwrap_or_else(|| Val::undefined(name))
    };
    Some(match name {
        "index" => count(state.index + 1),
        "index0" => count(state.index),
        "revindex" => count(length - state.index),
        "revindex0" => count(length - state.index - 1),
        "first" => Val::Bool(state.index == 0),
        "last" => Val::Bool(state.index + 1 == length),
        "length" => count(length),
        "depth" => count(state.depth),
        "depth0" => count(state.depth - 1),
        "previtem" => neighbour(state.index.checked_sub(1), "there is no previous item"),
        "nextitem" => neighbour(Some(state.index + 1), "there is no next item"),
        "cycle" | "changed" => Val::Method(Rc::new((value.clone(), name.to_owned()))),
        _ => return None,
    })
}

/// Calls a method.
pub(super) fn call(it: &mut Interpreter<'_>, value: &Val, name: &str, call: &Call) -> Rendered<Val> {
    match value {
        Val::Str(text) => string(it, text, name, call),
        Val::List(items) => {
            // The list is taken out while it changes: an argument may be the list itself.
            let mut own = std::mem::take(&mut *items.borrow_mut());
            let result = list(it, &mut own, name, call);
            *items.borrow_mut() = own;
            result
        }
        Val::Tuple(items) => list(it, &mut items.as_ref().clone(), name, call),
        Val::Dict(map) => dict(it, map, name, call),
        Val::DateTime(t) => Ok(match name {
            "strftime" => Val::from(strftime(*t, &call.required(0, "format", name)?.text())?),
            "isoformat" => Val::from(super::super::time_range::Moment::naive(*t).isoformat()),
            "date" => Val::DateTime(t.date().and_time(NaiveTime::MIN)),
            "time" => Val::from(t.time().format("%H:%M:%S").to_string()),
            "timestamp" => Val::Float(t.and_utc().timestamp_millis() as f64 / 1000.0),
            "weekday" => Val::Int(i64::from(t.weekday().num_days_from_monday())),
            "isoweekday" => Val::Int(i64::from(t.weekday().number_from_monday())),
            _ => replace_parts(*t, call)?,
        }),
        #[expect(clippy::cast_precision_loss, reason = "total_seconds() is a float")]
        Val::Delta(delta) => Ok(Val::Float(delta.num_milliseconds() as f64 / 1000.0)),
        Val::Loop(state) if name == "cycle" => {
            let at = state.index.checked_rem(call.positional.len()).unwrap_or(0);
            call.positional.get(at).cloned().ok_or_else(|| Fault::other("no items for cycling given"))
        }
        Val::Loop(state) => {
            let now: String = call.positional.iter().map(Val::repr).collect();
            let mut last = state.last_changed.borrow_mut();
            let changed = last.as_ref() != Some(&now);
            *last = Some(now);
            Ok(Val::Bool(changed))
        }
        other => Err(Fault::other(format!("'{}' object is not callable", other.type_name()))),
    }
}

/// `strftime` with a format from a template: chrono refuses what it does not know.
pub(super) fn strftime(t: chrono::NaiveDateTime, format: &str) -> Rendered<String> {
    use std::fmt::Write;
    let mut out = String::new();
    // %f is microseconds in Python, nanoseconds in chrono.
    let format = format.replace("%f", "%6f");
    write!(out, "{}", t.format(&format)).map_err(|_| Fault::other("Invalid format string"))?;
    Ok(out)
}

fn replace_parts(t: chrono::NaiveDateTime, call: &Call) -> Rendered<Val> {
    let part = |name: &str, current: u32| {
        call.int(usize::MAX, name).map_or(Some(current), |v| u32::try_from(v).ok())
    };
    let year = call.int(usize::MAX, "year").map_or(Some(t.year()), |y| i32::try_from(y).ok());
    let date = year
        .zip(part("month", t.month()))
        .zip(part("day", t.day()))
        .and_then(|((y, m), d)| chrono::NaiveDate::from_ymd_opt(y, m, d));
    let micro = part("microsecond", t.nanosecond() / 1_000);
    let time =
        part("hour", t.hour()).zip(part("minute", t.minute())).zip(part("second", t.second())).zip(micro);
    let time = time.and_then(|(((h, m), s), us)| NaiveTime::from_hms_micro_opt(h, m, s, us));
    date.zip(time)
        .map(|(d, t)| Val::DateTime(d.and_time(t)))
        .ok_or_else(|| Fault::other("day is out of range for month"))
}

fn string(it: &mut Interpreter<'_>, text: &Rc<str>, name: &str, call: &Call) -> Rendered<Val> {
    let argument = |at| call.text(at, "").unwrap_or_default();
    let chars = call.text(0, "chars");
    let trimmed = |c: char| chars.as_ref().map_or(c.is_whitespace(), |set| set.contains(c));
    let all = |test: fn(char) -> bool| Val::Bool(!text.is_empty() && text.chars().all(test));
    let position = |found: Option<usize>| {
        Val::Int(
            found.and_then(|i| text.get(..i)).map_or(-1, |t| i64::try_from(t.chars().count()).unwrap_or(-1)),
        )
    };
    let cased = |same: &str| Val::Bool(**text == *same && text.chars().any(char::is_alphabetic));
    let out = match name {
        "upper" => text.to_uppercase(),
        "lower" | "casefold" => text.to_lowercase(),
        "title" => title(text),
        "capitalize" => capitalize(text),
        "swapcase" => {
            text.chars()
                .map(|c| {
                    if c.is_uppercase() { c.to_lowercase().to_string() } else { c.to_uppercase().to_string() }
                })
                .collect()
        }
        "strip" => text.trim_matches(trimmed).to_owned(),
        "lstrip" => text.trim_start_matches(trimmed).to_owned(),
        "rstrip" => text.trim_end_matches(trimmed).to_owned(),
        "removeprefix" => text.strip_prefix(&argument(0)).unwrap_or(text).to_owned(),
        "removesuffix" => text.strip_suffix(&argument(0)).unwrap_or(text).to_owned(),
        "replace" => {
            let (old, new) = (argument(0), argument(1));
            let count = call.int(2, "count").and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
            let found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(&old).count() };
            it.charge(text.len().saturating_add(found.min(count).saturating_mul(new.len())))?;
            text.replacen(&old, &new, count)
        }
        "join" => {
            let items = call.required(0, "iterable", name)?.iterate()?;
            let mut parts = Vec::with_capacity(items.len());
            for (i, item) in items.iter().enumerate() {
                let Val::Str(part) = item else {
                    return Err(Fault::other(format!(
                        "sequence item {i}: expected str instance, {} found",
                        item.type_name()
                    )));
                };
                it.charge(part.len() + text.len())?;
                parts.push(part.to_string());
            }
            parts.join(text)
        }
        "zfill" | "ljust" | "rjust" | "center" => {
            let width = call.int(0, "width").and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
            it.charge(width)?;
            let fill = if name == "zfill" { '0' } else { argument(1).chars().next().unwrap_or(' ') };
            padded(text, name, width, fill)
        }
        "format" => return format(it, text, call),
        "split" | "rsplit" => return split(it, text, name, call),
        "splitlines" => return it.items(text.lines().map(Val::from).collect()),
        "partition" | "rpartition" => {
            let sep = argument(0);
            let found = if name == "partition" { text.split_once(&sep) } else { text.rsplit_once(&sep) };
            let parts = match found {
                Some((a, b)) => [a, &sep, b],
                None if name == "partition" => [text, "", ""],
                None => ["", "", text],
            };
            return Ok(Val::Tuple(Rc::new(parts.map(Val::from).to_vec())));
        }
        "startswith" | "endswith" => {
            let prefixes = match call.required(0, "prefix", name)? {
                Val::Tuple(items) => items.as_ref().clone(),
                other => vec![other.clone()],
            };
            let matches = |p: &Val| {
                if name == "startswith" { text.starts_with(&p.text()) } else { text.ends_with(&p.text()) }
            };
            return Ok(Val::Bool(prefixes.iter().any(matches)));
        }
        "find" => return Ok(position(text.find(&argument(0)))),
        "rfind" => return Ok(position(text.rfind(&argument(0)))),
        "index" => {
            return match text.find(&argument(0)) {
                None => Err(Fault::other("substring not found")),
                found => Ok(position(found)),
            };
        }
        "count" => return Ok(Val::Int(i64::try_from(text.matches(&argument(0)).count()).unwrap_or(0))),
        "isdigit" | "isnumeric" => return Ok(all(char::is_numeric)),
        "isalpha" => return Ok(all(char::is_alphabetic)),
        "isalnum" => return Ok(all(char::is_alphanumeric)),
        "isspace" => return Ok(all(char::is_whitespace)),
        "isupper" => return Ok(cased(&text.to_uppercase())),
        _ => return Ok(cased(&text.to_lowercase())),
    };
    it.string(out)
}

pub(super) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect())
}

/// Upper case after everything that is no letter.
pub(super) fn title(text: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphabetic();
    }
    out
}

fn padded(text: &str, name: &str, width: usize, fill: char) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let run = |n: usize| fill.to_string().repeat(n);
    match name {
        "ljust" => format!("{text}{}", run(missing)),
        "center" => format!(
            "{}{text}{}",
            run(missing / 2 + missing % 2 * (width % 2)),
            run(missing - missing / 2 - missing % 2 * (width % 2))
        ),
        "zfill" if text.starts_with(['-', '+']) => {
            format!("{}{}{}", text.get(..1).unwrap_or(""), run(missing), text.get(1..).unwrap_or(""))
        }
        _ => format!("{}{text}", run(missing)),
    }
}

fn split(it: &mut Interpreter<'_>, text: &str, name: &str, call: &Call) -> Rendered<Val> {
    let limit = call.int(1, "maxsplit").and_then(|n| usize::try_from(n).ok());
    let parts: Vec<String> = match (call.text(0, "sep"), limit) {
        (Some(sep), _) if sep.is_empty() => return Err(Fault::other("empty separator")),
        (None, None) => text.split_whitespace().map(str::to_owned).collect(),
        (None, Some(limit)) => {
            let mut rest = text.trim_start();
            let mut parts = Vec::new();
            while parts.len() < limit
                && let Some((word, tail)) = rest.split_once(char::is_whitespace)
            {
                parts.push(word.to_owned());
                rest = tail.trim_start();
            }
            parts.extend((!rest.is_empty()).then(|| rest.to_owned()));
            parts
        }
        (Some(sep), None) => text.split(&sep).map(str::to_owned).collect(),
        (Some(sep), Some(limit)) if name == "split" => {
            text.splitn(limit.saturating_add(1), &sep).map(str::to_owned).collect()
        }
        (Some(sep), Some(limit)) => {
            let mut parts: Vec<String> =
                text.rsplitn(limit.saturating_add(1), &sep).map(str::to_owned).collect();
            parts.reverse();
            parts
        }
    };
    it.charge(text.len())?;
    it.items(parts.into_iter().map(Val::from).collect())
}

/// `str.format` with plain fields: `{}`, `{0}`, `{name}`, and the number formats of [`number_format`].
fn format(it: &mut Interpreter<'_>, text: &str, call: &Call) -> Rendered<Val> {
    let mut out = String::new();
    let mut rest = text;
    let mut next = 0;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(rest.get(..at).unwrap_or(""));
        let tail = rest.get(at..).unwrap_or("");
        if let Some(after) = tail.strip_prefix("{{").or_else(|| tail.strip_prefix("}}")) {
            out.push_str(tail.get(..1).unwrap_or(""));
            rest = after;
            continue;
        }
        let Some((field, after)) = tail.strip_prefix('{').and_then(|t| t.split_once('}')) else {
            return Err(Fault::other("Single '}' encountered in format string"));
        };
        let (field, spec) = field.split_once(':').unwrap_or((field, ""));
        let value = if field.is_empty() {
            next += 1;
            call.positional.get(next - 1).cloned()
        } else if let Ok(index) = field.parse::<usize>() {
            call.positional.get(index).cloned()
        } else {
            call.named.iter().find(|(n, _)| n == field).map(|(_, v)| v.clone())
        };
        let value =
            value.ok_or_else(|| Fault::other("Replacement index out of range for positional args tuple"))?;
        let shown = number_format(&value, spec)?;
        it.charge(shown.len())?;
        out.push_str(&shown);
        rest = after;
    }
    out.push_str(rest);
    it.string(out)
}

/// `[0][width][,][.precision][type]`
fn number_format(value: &Val, spec: &str) -> Rendered<String> {
    if spec.is_empty() {
        return Ok(value.text());
    }
    if let Val::DateTime(t) = value {
        return strftime(*t, spec);
    }
    let invalid = || Fault::other("Invalid format specifier");
    let kind = spec.chars().last().filter(char::is_ascii_alphabetic);
    let body = spec.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (body, precision) = body.split_once('.').map_or((body, None), |(b, p)| (b, p.parse::<usize>().ok()));
    if precision.is_some_and(|p| p > 100) {
        return Err(invalid());
    }
    let (body, grouped) = body.strip_suffix(',').map_or((body, false), |b| (b, true));
    let zero = body.starts_with('0');
    let width: usize =
        if body.is_empty() { 0 } else { body.parse().ok().filter(|w| *w <= 1_000).ok_or_else(invalid)? };
    let mut text = match (kind, value.number()) {
        (Some('f' | 'F'), Some(n)) => format!("{n:.*}", precision.unwrap_or(6)),
        (Some('%'), Some(n)) => format!("{:.*}%", precision.unwrap_or(6), n * 100.0),
        (Some('d') | None, Some(_)) if precision.is_none() => value.text(),
        (None, Some(n)) => format!("{n:.*}", precision.unwrap_or(6)),
        (Some('s') | None, None) => value.text(),
        _ => return Err(invalid()),
    };
    if grouped {
        let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
        let digits: Vec<char> = whole.chars().collect();
        let mut with_commas = String::new();
        for (i, c) in digits.iter().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.get(i - 1) != Some(&'-') {
                with_commas.push(',');
            }
            with_commas.push(*c);
        }
        text = fraction.map_or(with_commas.clone(), |f| format!("{with_commas}.{f}"));
    }
    let fill = if zero { "0" } else { " " };
    let missing = width.saturating_sub(text.chars().count());
    Ok(format!("{}{text}", fill.repeat(missing)))
}

/// `'%s %05d' % values`
pub(super) fn percent_format(it: &mut Interpreter<'_>, format: &str, values: &[Val]) -> Rendered<Val> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = String::new();
        let kind = loop {
            match chars.next() {
                None => return Err(Fault::other("incomplete format")),
                Some(c) if c.is_ascii_digit() || c == '.' => spec.push(c),
                Some(c) => break c,
            }
        };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = values.next().ok_or_else(|| Fault::other("not enough arguments for format string"))?;
        let shown = match kind {
            's' => value.text(),
            'r' => value.repr(),
            'd' | 'i' => {
                let number = value.number().ok_or_else(|| {
                    Fault::other(format!("%d format: a real number is required, not {}", value.type_name()))
                })?;
                number_format(&value.int().map_or(Val::Float(number.trunc()), Val::Int), &format!("{spec}d"))?
            }
            'f' => number_format(value, &format!("{spec}f"))?,
            other => return Err(Fault::other(format!("unsupported format character '{other}'"))),
        };
        it.charge(shown.len())?;
        out.push_str(&shown);
    }
    if values.next().is_some() {
        return Err(Fault::other("not all arguments converted during string formatting"));
    }
    it.string(out)
}

fn list(it: &mut Interpreter<'_>, items: &mut Vec<Val>, name: &str, call: &Call) -> Rendered<Val> {
    let place = |index: i64, length: usize| {
        let index = if index < 0 { index + i64::try_from(length).unwrap_or(0) } else { index };
        usize::try_from(index.max(0)).unwrap_or(0)
    };
    match name {
        "append" => {
            it.charge(16)?;
            let value = call.required(0, "object", name)?.clone();
            it.admit(&value)?;
            items.push(value.detached());
        }
        "extend" => {
            let more = call.required(0, "iterable", name)?.iterate()?;
            it.charge(more.len().saturating_mul(16))?;
            for value in &more {
                it.admit(value)?;
            }
            items.extend(more.iter().map(Val::detached));
        }
        "insert" => {
            it.charge(16)?;
            let at = place(call.int(0, "index").unwrap_or(0), items.len()).min(items.len());
            let value = call.required(1, "object", name)?.clone();
            it.admit(&value)?;
            items.insert(at, value.detached());
        }
        "pop" => {
            let at = call.int(0, "index").map_or(items.len().wrapping_sub(1), |i| place(i, items.len()));
            return if at < items.len() {
                Ok(items.remove(at))
            } else {
                Err(Fault::other("pop index out of range"))
            };
        }
        "remove" => {
            let value = call.required(0, "value", name)?;
            let at = items
                .iter()
                .position(|v| v.equals(value))
                .ok_or_else(|| Fault::other("list.remove(x): x not in list"))?;
            items.remove(at);
        }
        "index" => {
            let value = call.required(0, "value", name)?;
            let at = items
                .iter()
                .position(|v| v.equals(value))
                .ok_or_else(|| Fault::other(format!("{} is not in list", value.repr())))?;
            return Ok(Val::Int(i64::try_from(at).unwrap_or(0)));
        }
        "count" => {
            let value = call.required(0, "value", name)?;
            return Ok(Val::Int(
                i64::try_from(items.iter().filter(|v| v.equals(value)).count()).unwrap_or(0),
            ));
        }
        "reverse" => items.reverse(),
        "sort" => {
            items.sort_by(|a, b| a.order(b).unwrap_or(std::cmp::Ordering::Equal));
            if call.truth(0, "reverse", false) {
                items.reverse();
            }
        }
        "clear" => items.clear(),
        _ => return it.items(items.clone()),
    }
    Ok(Val::None)
}

fn dict(it: &mut Interpreter<'_>, map: &super::value::Dict, name: &str, call: &Call) -> Rendered<Val> {
    let pairs: Vec<(Val, Val)> = map.borrow().values().cloned().collect();
    it.charge(pairs.len().saturating_mul(16))?;
    if matches!(name, "update" | "setdefault") {
        for value in call.positional.iter().chain(call.named.iter().map(|(_, v)| v)) {
            it.admit(value)?;
        }
    }
    match name {
        "get" => {
            let key = dict_key(call.required(0, "key", name)?);
            let found = map.borrow().get(&key).map(|(_, v)| v.clone());
            Ok(found.unwrap_or_else(|| call.get(1, "default").cloned().unwrap_or(Val::None)))
        }
        "keys" => it.items(pairs.into_iter().map(|(k, _)| k).collect()),
        "values" => it.items(pairs.into_iter().map(|(_, v)| v).collect()),
        "items" => it.items(pairs.into_iter().map(|(k, v)| Val::Tuple(Rc::new(vec![k, v]))).collect()),
        "copy" => Ok(Val::dict(pairs)),
        "update" => {
            if let Some(Val::Dict(other)) = call.positional.first() {
                let other: Vec<_> =
                    other.borrow().iter().map(|(k, (n, v))| (k.clone(), (n.clone(), v.detached()))).collect();
                map.borrow_mut().extend(other);
            }
            for (key, value) in &call.named {
                let value = value.detached();
                map.borrow_mut().insert(key.clone(), (Val::from(key.as_str()), value));
            }
            Ok(Val::None)
        }
        "pop" => {
            let key = call.required(0, "key", name)?;
            let found = map.borrow_mut().shift_remove(&dict_key(key)).map(|(_, v)| v);
            found.or_else(|| call.get(1, "default").cloned()).ok_or_else(|| Fault::other(key.repr()))
        }
        "setdefault" => {
            let key = call.required(0, "key", name)?.clone();
            let default = call.get(1, "default").map_or(Val::None, Val::detached);
            Ok(map.borrow_mut().entry(dict_key(&key)).or_insert((key, default)).1.clone())
        }
        _ => {
            map.borrow_mut().clear();
            Ok(Val::None)
        }
    }
}
