//! Methods of texts and bytes.

use std::sync::Arc;

use ruff_text_size::TextSize;

use super::{
    error::{Done, Problem},
    format::{self, Piece},
    interp::Interp,
    value::{Arguments, Key, Value},
};

pub(super) const NAMES: &[&str] = &[
    "lower",
    "upper",
    "strip",
    "lstrip",
    "rstrip",
    "split",
    "rsplit",
    "splitlines",
    "replace",
    "startswith",
    "endswith",
    "encode",
    "join",
    "format",
    "format_map",
    "title",
    "capitalize",
    "casefold",
    "swapcase",
    "find",
    "rfind",
    "index",
    "rindex",
    "count",
    "partition",
    "rpartition",
    "removeprefix",
    "removesuffix",
    "isdigit",
    "isnumeric",
    "isdecimal",
    "isalpha",
    "isalnum",
    "isspace",
    "isupper",
    "islower",
    "isidentifier",
    "zfill",
    "center",
    "ljust",
    "rjust",
    "expandtabs",
    "translate",
];

/// A text or one of a tuple of them.
fn any_of(value: &Value, holds: impl Fn(&str) -> bool) -> Option<bool> {
    match value {
        Value::Str(s) => Some(holds(s)),
        Value::Tuple(all) => Some(all.iter().filter_map(Value::as_str).any(holds)),
        _ => None,
    }
}

fn texts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::list(parts.into_iter().map(Value::text).collect())
}

/// Splits at blanks, at most `limit` times.
fn split_blank(text: &str, limit: Option<usize>) -> Vec<&str> {
    let (mut out, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        if limit == Some(out.len()) {
            out.push(rest.trim_end());
            break;
        }
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        out.push(word);
        rest = after.trim_start();
    }
    out
}

pub(super) fn call(
    interp: &mut Interp<'_>,
    s: &Arc<str>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let args = &arguments.positional[..];
    let text = |i: usize| args.get(i).and_then(Value::as_str);
    if let Err(fault) = interp.spend(s.len(), at).and_then(|()| interp.steps(s.len() / 64, at)) {
        return Some(Err(fault));
    }
    let stripped = |from_start: bool, from_end: bool| -> Option<Value> {
        let is_gone: Box<dyn Fn(char) -> bool> = match args.first() {
            None | Some(Value::None) => Box::new(char::is_whitespace),
            Some(Value::Str(set)) => {
                let set = set.clone();
                Box::new(move |c| set.contains(c))
            }
            _ => return None,
        };
        let mut rest: &str = s;
        if from_start {
            rest = rest.trim_start_matches(&is_gone);
        }
        if from_end {
            rest = rest.trim_end_matches(&is_gone);
        }
        Some(Value::text(rest))
    };
    let chars = |at: usize| s.get(..at).map_or(0, |t| t.chars().count()) as i128;
    let all_are = |holds: fn(char) -> bool| Value::Bool(!s.is_empty() && s.chars().all(holds));
    Some(Ok(match name {
        "lower" | "casefold" => Value::text(s.to_lowercase()),
        "upper" => Value::text(s.to_uppercase()),
        "strip" => stripped(true, true)?,
        "lstrip" => stripped(true, false)?,
        "rstrip" => stripped(false, true)?,
        "split" | "rsplit" => {
            let limit =
                arguments.get(1, "maxsplit").and_then(Value::integer).and_then(|n| usize::try_from(n).ok());
            match arguments.get(0, "sep") {
                None | Some(Value::None) if name == "split" || limit.is_none() => {
                    texts(split_blank(s, limit))
                }
                Some(Value::Str(sep)) if !sep.is_empty() => match (name, limit) {
                    ("rsplit", Some(limit)) => {
                        let mut parts: Vec<&str> = s.rsplitn(limit + 1, &**sep).collect();
                        parts.reverse();
                        texts(parts)
                    }
                    (_, Some(limit)) => texts(s.splitn(limit + 1, &**sep)),
                    (_, None) => texts(s.split(&**sep)),
                },
                _ => return None,
            }
        }
        "splitlines" => texts(s.lines()),
        "replace" => {
            let (from, to) = (text(0)?, text(1)?);
            let count = args.get(2).and_then(Value::integer).and_then(|n| usize::try_from(n).ok());
            let grown = s.len().saturating_add(to.len().saturating_mul(s.len() + 1));
            if grown > 256 << 20 {
                return Some(Err(interp.stop("it needs too much memory", at)));
            }
            Value::text(count.map_or_else(|| s.replace(from, to), |n| s.replacen(from, to, n)))
        }
        "startswith" => Value::Bool(any_of(args.first()?, |p| s.starts_with(p))?),
        "endswith" => Value::Bool(any_of(args.first()?, |p| s.ends_with(p))?),
        "encode" => Value::Bytes(s.as_bytes().into()),
        "join" => {
            let parts = match interp.iterate(args.first()?, at) {
                Ok(parts) => parts,
                Err(fault) => return Some(Err(fault)),
            };
            let mut joined = Vec::with_capacity(parts.len());
            for part in &parts {
                match part {
                    Value::Str(text) => joined.push(&**text),
                    Value::Unknown(why) => return Some(interp.unknown(why, at)),
                    other => {
                        let text = format!("join() of {}", other.what());
                        return Some(interp.raise(Problem::kind(text), at));
                    }
                }
            }
            let joined = joined.join(s);
            if let Err(fault) = interp.spend(joined.len(), at) {
                return Some(Err(fault));
            }
            Value::text(joined)
        }
        "format" => return Some(brace_format(interp, s, arguments, at)),
        "format_map" => {
            let Value::Dict(dict) = args.first()? else { return None };
            let items = dict.items.lock().clone();
            let named = items.into_iter().map(|(k, v)| (k.0.to_text(), v)).collect();
            return Some(brace_format(interp, s, &Arguments { positional: Vec::new(), named }, at));
        }
        "title" => {
            let mut out = String::new();
            let mut is_inside = false;
            for c in s.chars() {
                if is_inside {
                    out.extend(c.to_lowercase());
                } else {
                    out.extend(c.to_uppercase());
                }
                is_inside = c.is_alphabetic();
            }
            Value::text(out)
        }
        "capitalize" => {
            let mut chars = s.chars();
            let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
            Value::text(first + &chars.as_str().to_lowercase())
        }
        "swapcase" => Value::text(
            s.chars()
                .map(|c| if c.is_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
                .collect::<String>(),
        ),
        "find" | "index" => match (s.find(text(0)?), name) {
            (Some(place), _) => Value::Int(chars(place)),
            (None, "find") => Value::Int(-1),
            _ => return Some(interp.raise(Problem::safe("ValueError", "substring not found"), at)),
        },
        "rfind" | "rindex" => match (s.rfind(text(0)?), name) {
            (Some(place), _) => Value::Int(chars(place)),
            (None, "rfind") => Value::Int(-1),
            _ => return Some(interp.raise(Problem::safe("ValueError", "substring not found"), at)),
        },
        "count" => Value::Int(s.matches(text(0)?).count() as i128),
        "partition" | "rpartition" => {
            let sep = text(0)?;
            let found = if name == "partition" { s.split_once(sep) } else { s.rsplit_once(sep) };
            let parts = match (found, name) {
                (Some((before, after)), _) => [before, sep, after],
                (None, "partition") => [&**s, "", ""],
                _ => ["", "", &**s],
            };
            Value::Tuple(parts.map(Value::text).to_vec().into())
        }
        "removeprefix" => Value::text(s.strip_prefix(text(0)?).unwrap_or(s)),
        "removesuffix" => Value::text(s.strip_suffix(text(0)?).unwrap_or(s)),
        "isdigit" | "isnumeric" | "isdecimal" => all_are(char::is_numeric),
        "isalpha" => all_are(char::is_alphabetic),
        "isalnum" => all_are(char::is_alphanumeric),
        "isspace" => all_are(char::is_whitespace),
        "isupper" => Value::Bool(s.chars().any(char::is_alphabetic) && !s.chars().any(char::is_lowercase)),
        "islower" => Value::Bool(s.chars().any(char::is_alphabetic) && !s.chars().any(char::is_uppercase)),
        "isidentifier" => Value::Bool(
            s.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && s.chars().all(|c| c.is_alphanumeric() || c == '_'),
        ),
        "zfill" | "center" | "ljust" | "rjust" => {
            let width = args.first()?.integer()?.clamp(0, 10_000);
            let fill = text(1).unwrap_or(if name == "zfill" { "0" } else { " " });
            let align = match name {
                "zfill" => '=',
                "center" => '^',
                "ljust" => '<',
                _ => '>',
            };
            let made = format::format(&Value::Str(s.clone()), &format!("{fill}{align}{width}s"));
            return Some(interp.or_raise(made, at).map(Value::text));
        }
        "translate" => {
            let Value::Dict(table) = args.first()? else { return None };
            let table = table.items.lock();
            let mut out = String::new();
            for c in s.chars() {
                let by_text = table.get(&Key(Value::text(c.to_string())));
                match by_text.or_else(|| table.get(&Key(Value::Int(c as i128)))) {
                    Some(Value::None) => {}
                    Some(to) => out.push_str(&to.to_text()),
                    None => out.push(c),
                }
            }
            Value::text(out)
        }
        _ => return None,
    }))
}

/// `"{} {0} {name.part[key]!r:>8}".format(…)`.
fn brace_format(interp: &mut Interp<'_>, template: &str, arguments: &Arguments, at: TextSize) -> Done<Value> {
    let mut auto = 0;
    let out = filled(interp, template, arguments, &mut auto, at)?;
    interp.spend(out.len(), at)?;
    Ok(Value::text(out))
}

fn filled(
    interp: &mut Interp<'_>,
    template: &str,
    arguments: &Arguments,
    auto: &mut usize,
    at: TextSize,
) -> Done<String> {
    let mut out = String::new();
    let pieces = format::pieces(template);
    for piece in interp.or_raise(pieces, at)? {
        let (name, conversion, spec) = match piece {
            Piece::Text(text) => {
                out.push_str(&text);
                continue;
            }
            Piece::Field { name, conversion, spec } => (name, conversion, spec),
        };
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut rest) = name.split_at(end);
        let value = if first.is_empty() {
            *auto += 1;
            arguments.positional.get(*auto - 1)
        } else if let Ok(index) = first.parse::<usize>() {
            arguments.positional.get(index)
        } else {
            arguments.named(first)
        };
        let Some(mut value) = value.cloned() else {
            return interp.raise(Problem::safe("IndexError", "a field of the format has no value"), at);
        };
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('[') {
                let (key, after) = after.split_once(']').unwrap_or((after, ""));
                let key = key.parse::<i128>().map_or_else(|_| Value::text(key), Value::Int);
                value = interp.item(&value, &key, at)?;
                rest = after;
            } else {
                let after = rest.strip_prefix('.').unwrap_or(rest);
                let end = after.find(['.', '[']).unwrap_or(after.len());
                value = interp.attribute(&value, &after[..end], at)?;
                rest = &after[end..];
            }
        }
        let spec = if spec.contains('{') { filled(interp, &spec, arguments, auto, at)? } else { spec };
        let value = match conversion {
            Some('r') => Value::text(interp.repr_of(&value, at)?),
            Some('s') => Value::text(interp.text_of(&value, at)?),
            _ => value,
        };
        if spec.is_empty() {
            out.push_str(&interp.text_of(&value, at)?);
        } else {
            let made = format::format(&value, &spec);
            out.push_str(&interp.or_raise(made, at)?);
        }
    }
    Ok(out)
}

pub(super) fn of_bytes(
    interp: &mut Interp<'_>,
    bytes: &Arc<[u8]>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    if let Err(fault) = interp.spend(bytes.len(), at) {
        return Some(Err(fault));
    }
    let other = |i: usize| match arguments.positional.get(i) {
        Some(Value::Bytes(b)) => Some(b.clone()),
        _ => None,
    };
    Some(match name {
        "decode" => {
            let encoding = arguments.text(0, "encoding").unwrap_or_else(|| "utf-8".into());
            let is_lax = arguments.text(1, "errors").is_some_and(|e| &*e != "strict");
            match (std::str::from_utf8(bytes), &*encoding.to_ascii_lowercase()) {
                (_, "latin-1" | "latin1" | "iso-8859-1") => {
                    Ok(Value::text(bytes.iter().map(|b| char::from(*b)).collect::<String>()))
                }
                (Ok(text), _) => Ok(Value::text(text)),
                (Err(_), _) if is_lax => Ok(Value::text(String::from_utf8_lossy(bytes))),
                _ => interp.raise(Problem::safe("UnicodeDecodeError", "the bytes are not UTF-8"), at),
            }
        }
        "hex" => Ok(Value::text(super::lib_data::hex(bytes))),
        "strip" | "rstrip" | "lstrip" => {
            let text = Value::text(bytes.iter().map(|b| char::from(*b)).collect::<String>());
            let done = interp.method(&text, name, Arguments::default(), at);
            done.map(|v| Value::Bytes(v.to_text().chars().map(|c| c as u8).collect()))
        }
        "startswith" => Ok(Value::Bool(bytes.starts_with(&other(0)?))),
        "endswith" => Ok(Value::Bool(bytes.ends_with(&other(0)?))),
        "join" => {
            let parts = match interp.iterate(arguments.positional.first()?, at) {
                Ok(parts) => parts,
                Err(fault) => return Some(Err(fault)),
            };
            let parts: Option<Vec<Arc<[u8]>>> =
                parts.iter().map(|p| if let Value::Bytes(b) = p { Some(b.clone()) } else { None }).collect();
            Ok(Value::Bytes(parts?.join(&bytes[..]).into()))
        }
        _ => return None,
    })
}
