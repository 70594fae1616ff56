//! `re`, `string`, `textwrap`, `urllib.parse`.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use regex::{Regex, RegexBuilder};
use ruff_text_size::TextSize;

use super::{
    error::{Done, Problem},
    interp::Interp,
    value::{Arguments, Found, Key, Value},
};

pub(super) fn constant(name: &str) -> Option<Value> {
    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    Some(match name {
        "re.IGNORECASE" | "re.I" => Value::Int(2),
        "re.MULTILINE" | "re.M" => Value::Int(8),
        "re.DOTALL" | "re.S" => Value::Int(16),
        "re.VERBOSE" | "re.X" => Value::Int(64),
        "re.UNICODE" | "re.U" | "re.ASCII" | "re.A" => Value::Int(0),
        "string.ascii_lowercase" => Value::text(LOWER),
        "string.ascii_uppercase" => Value::text(LOWER.to_uppercase()),
        "string.ascii_letters" => Value::text(format!("{LOWER}{}", LOWER.to_uppercase())),
        "string.digits" => Value::text("0123456789"),
        "string.hexdigits" => Value::text("0123456789abcdefABCDEF"),
        "string.punctuation" => Value::text("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        "string.whitespace" => Value::text(" \t\n\r\x0b\x0c"),
        _ => return None,
    })
}

/// The expression in the form of our own engine, which is nearly the same: it has no look-around.
fn compile(interp: &Interp<'_>, pattern: &Value, flags: Option<&Value>, at: TextSize) -> Done<Arc<Regex>> {
    let text = match pattern {
        Value::Regex(regex) => return Ok(regex.clone()),
        Value::Str(text) => text.clone(),
        _ => return interp.raise(Problem::kind("a regular expression is needed"), at),
    };
    let flags = flags.and_then(Value::integer).unwrap_or(0);
    let made = RegexBuilder::new(&text.replace("\\Z", "\\z"))
        .case_insensitive(flags & 2 != 0)
        .multi_line(flags & 8 != 0)
        .dot_matches_new_line(flags & 16 != 0)
        .ignore_whitespace(flags & 64 != 0)
        .size_limit(4 << 20)
        .build();
    match made {
        Ok(regex) => Ok(Arc::new(regex)),
        Err(_) => Err(interp.stop(
            "it has a regular expression that liteset does not understand (look-around and back-references are not)",
            at,
        )),
    }
}

fn found(regex: &Regex, captures: &regex::Captures<'_>) -> Value {
    let groups =
        captures.iter().map(|g| g.map(|g| (g.as_str().to_owned(), g.start(), g.end()))).collect::<Vec<_>>();
    let names = regex.capture_names().enumerate().filter_map(|(i, n)| Some((n?.to_owned(), i))).collect();
    Value::Match(Arc::new(Found { groups, names }))
}

/// `match.group(key)`.
pub(super) fn group(value: &Value, key: &Value) -> Option<Value> {
    let Value::Match(found) = value else { return None };
    let at = match key {
        Value::Str(name) => found.names.iter().find(|(n, _)| *n == **name)?.1,
        other => usize::try_from(other.integer()?).ok()?,
    };
    let group = found.groups.get(at)?;
    Some(group.as_ref().map_or(Value::None, |(text, ..)| Value::text(text)))
}

pub(super) fn call(
    interp: &mut Interp<'_>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    if let Some(function) = name.strip_prefix("re.") {
        return regular(interp, function, arguments, at);
    }
    let args = &arguments.positional[..];
    let text = |i: usize| {
        args.get(i).map(|v| match v {
            Value::Bytes(b) => String::from_utf8_lossy(b).into_owned(),
            other => other.to_text(),
        })
    };
    let name = name.strip_prefix("urllib.parse.").or_else(|| name.strip_prefix("urllib."));
    Some(Ok(match name {
        Some(function @ ("quote" | "quote_plus")) => {
            let is_plus = function == "quote_plus";
            let safe =
                arguments.text(1, "safe").unwrap_or_else(|| if is_plus { "".into() } else { "/".into() });
            Value::text(quote(&text(0)?, &safe, is_plus))
        }
        Some("unquote") => Value::text(percent_decode_str(&text(0)?).decode_utf8_lossy()),
        Some("unquote_plus") => {
            Value::text(percent_decode_str(&text(0)?.replace('+', " ")).decode_utf8_lossy())
        }
        Some("urlencode") => {
            let pairs = Value::dict([]);
            if let Err(fault) = interp.update(&pairs, args.first()?, at) {
                return Some(Err(fault));
            }
            let Value::Dict(pairs) = &pairs else { return None };
            let items = pairs.items.lock().clone();
            let encoded: Vec<String> = items
                .iter()
                .map(|(k, v)| {
                    format!("{}={}", quote(&k.0.to_text(), "", true), quote(&v.to_text(), "", true))
                })
                .collect();
            Value::text(encoded.join("&"))
        }
        Some("urlparse" | "urlsplit") => address(&text(0)?),
        Some("urljoin") => {
            let (base, other) = (text(0)?, text(1)?);
            let joined = url_join(&base, &other);
            Value::text(joined)
        }
        Some("parse_qs") => {
            let out = Value::dict([]);
            let Value::Dict(dict) = &out else { return None };
            for (name, value) in pairs(&text(0)?) {
                let mut items = dict.items.lock();
                let all = items.entry(Key(Value::text(name))).or_insert_with(|| Value::list(Vec::new()));
                if let Value::List(all) = all {
                    all.lock().push(Value::text(value));
                }
            }
            out
        }
        Some("parse_qsl") => Value::list(
            pairs(&text(0)?)
                .into_iter()
                .map(|(n, v)| Value::Tuple(vec![Value::text(n), Value::text(v)].into()))
                .collect(),
        ),
        _ => return None,
    }))
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let plain = |t: &str| percent_decode_str(&t.replace('+', " ")).decode_utf8_lossy().into_owned();
    let parts = query.split('&').filter_map(|p| p.split_once('='));
    parts.filter(|(_, v)| !v.is_empty()).map(|(n, v)| (plain(n), plain(v))).collect()
}

fn quote(text: &str, safe: &str, is_plus: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "_.-~".contains(c) || byte < 0x80 && safe.contains(c) {
            out.push(c);
        } else if c == ' ' && is_plus {
            out.push('+');
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn url_join(base: &str, other: &str) -> String {
    if other.contains("://") {
        return other.to_owned();
    }
    let (scheme, rest) = base.split_once("://").unwrap_or(("", base));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let start = if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") };
    if other.starts_with('/') {
        return format!("{start}{other}");
    }
    let folder = path.rfind('/').map_or("/", |at| &path[..=at]);
    format!("{start}{folder}{other}")
}

/// `urlparse(text)`.
fn address(text: &str) -> Value {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(s, r)| (s, r));
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let end = if scheme.is_empty() { 0 } else { rest.find('/').unwrap_or(rest.len()) };
    let (netloc, path) = rest.split_at(end);
    let (user, place) = netloc.rsplit_once('@').map_or((None, netloc), |(u, p)| (Some(u), p));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (place, None),
    };
    let optional = |t: Option<&str>| t.filter(|t| !t.is_empty()).map_or(Value::None, Value::text);
    let (user, password) = match user.map(|u| u.split_once(':').map_or((u, None), |(u, p)| (u, Some(p)))) {
        Some((user, password)) => (Some(user), password),
        None => (None, None),
    };
    Value::record(
        "parsed address",
        [
            ("scheme", Value::text(scheme)),
            ("netloc", Value::text(netloc)),
            ("path", Value::text(path)),
            ("query", Value::text(query)),
            ("fragment", Value::text(fragment)),
            ("hostname", optional(Some(&host.trim_matches(['[', ']']).to_lowercase()))),
            ("port", port.map_or(Value::None, Value::Int)),
            ("username", optional(user)),
            ("password", optional(password)),
        ],
    )
}

fn regular(
    interp: &mut Interp<'_>,
    function: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    if function == "escape" {
        return Some(Ok(Value::text(regex::escape(&arguments.text(0, "pattern")?))));
    }
    let places = match function {
        "compile" => 1,
        "match" | "search" | "fullmatch" | "findall" | "finditer" => 2,
        "split" => 3,
        "sub" => 4,
        _ => return None,
    };
    let regex = match compile(interp, arguments.get(0, "pattern")?, arguments.get(places, "flags"), at) {
        Ok(regex) => Value::Regex(regex),
        Err(fault) => return Some(Err(fault)),
    };
    if function == "compile" {
        return Some(Ok(regex));
    }
    let rest = Arguments {
        positional: arguments.positional.iter().skip(1).take(places - 1).cloned().collect(),
        named: arguments.named.iter().filter(|(n, _)| n != "flags" && n != "pattern").cloned().collect(),
    };
    Some(interp.method(&regex, function, rest, at))
}

/// Methods of expressions and of what they find.
pub(super) fn method(
    interp: &mut Interp<'_>,
    value: &Value,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let args = &arguments.positional[..];
    if let Value::Match(found) = value {
        return Some(Ok(match name {
            "group" if args.is_empty() => group(value, &Value::Int(0))?,
            "group" if args.len() == 1 => match group(value, &args[0]) {
                Some(found) => found,
                None => return Some(interp.raise(Problem::safe("IndexError", "no such group"), at)),
            },
            "group" => Value::Tuple(args.iter().map(|a| group(value, a).unwrap_or(Value::None)).collect()),
            "groups" => {
                let default = args.first().cloned().unwrap_or(Value::None);
                let all = found.groups.iter().skip(1);
                Value::Tuple(
                    all.map(|g| g.as_ref().map_or(default.clone(), |(t, ..)| Value::text(t))).collect(),
                )
            }
            "groupdict" => Value::dict(found.names.iter().map(|(n, i)| {
                (Value::text(n), group(value, &Value::Int(*i as i128)).unwrap_or(Value::None))
            })),
            "start" | "end" | "span" => {
                let at = args.first().and_then(Value::integer).unwrap_or(0);
                let place = found.groups.get(usize::try_from(at).ok()?)?.as_ref();
                let (start, end) = place.map_or((-1, -1), |(_, s, e)| (*s as i128, *e as i128));
                match name {
                    "start" => Value::Int(start),
                    "end" => Value::Int(end),
                    _ => Value::Tuple(vec![Value::Int(start), Value::Int(end)].into()),
                }
            }
            _ => return None,
        }));
    }
    let Value::Regex(regex) = value else { return None };
    if name == "sub" {
        let replacement = arguments.get(0, "repl")?.clone();
        let text = arguments.text(1, "string")?;
        let limit = arguments.get(2, "count").and_then(Value::integer).and_then(|n| usize::try_from(n).ok());
        return Some(substitute(interp, regex, &replacement, &text, limit.unwrap_or(0), at).map(Value::text));
    }
    let text = arguments.text(0, "string")?;
    if let Err(fault) = interp.steps(text.len() / 16, at) {
        return Some(Err(fault));
    }
    let first = |at_start: bool, whole: bool| {
        let captures = regex.captures(&text).filter(|c| {
            let all = c.get(0);
            all.is_some_and(|m| (!at_start || m.start() == 0) && (!whole || m.end() == text.len()))
        });
        captures.map_or(Value::None, |c| found(regex, &c))
    };
    Some(Ok(match name {
        "search" => first(false, false),
        // leftmost, but anchored: an alternative that begins later is no match
        "match" | "fullmatch" => {
            let anchored = if name == "match" {
                format!("^(?:{})", regex.as_str())
            } else {
                format!("^(?:{})$", regex.as_str())
            };
            // flags that were given apart from the text are kept where the plain expression finds the same place
            match Regex::new(&anchored) {
                Ok(anchored) if anchored.captures_len() == regex.captures_len() && regex.is_match(&text) => {
                    match anchored.captures(&text) {
                        Some(captures) => found(&anchored, &captures),
                        None => first(true, name == "fullmatch"),
                    }
                }
                _ => first(true, name == "fullmatch"),
            }
        }
        "findall" => Value::list(
            regex
                .captures_iter(&text)
                .map(|c| match c.len() {
                    1 => Value::text(c.get(0).map_or("", |m| m.as_str())),
                    2 => Value::text(c.get(1).map_or("", |m| m.as_str())),
                    _ => Value::Tuple(
                        c.iter().skip(1).map(|g| Value::text(g.map_or("", |m| m.as_str()))).collect(),
                    ),
                })
                .collect(),
        ),
        "finditer" => Value::iterator(regex.captures_iter(&text).map(|c| found(regex, &c)).collect()),
        "split" => {
            let mut out = Vec::new();
            let mut from = 0;
            for captures in regex.captures_iter(&text) {
                let Some(whole) = captures.get(0) else { continue };
                out.push(Value::text(text.get(from..whole.start()).unwrap_or_default()));
                out.extend(
                    captures.iter().skip(1).map(|g| g.map_or(Value::None, |g| Value::text(g.as_str()))),
                );
                from = whole.end();
            }
            out.push(Value::text(text.get(from..).unwrap_or_default()));
            Value::list(out)
        }
        _ => return None,
    }))
}

fn substitute(
    interp: &mut Interp<'_>,
    regex: &Arc<Regex>,
    replacement: &Value,
    text: &str,
    limit: usize,
    at: TextSize,
) -> Done<String> {
    let (mut out, mut from) = (String::new(), 0);
    for (i, captures) in regex.captures_iter(text).enumerate() {
        if limit != 0 && i >= limit {
            break;
        }
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(text.get(from..whole.start()).unwrap_or_default());
        from = whole.end();
        match replacement {
            Value::Str(template) => expand(template, &captures, &mut out),
            function => {
                let value = interp.call(function, Arguments::of(vec![found(regex, &captures)]), at)?;
                out.push_str(&value.to_text());
            }
        }
        interp.spend(out.len() / 16, at)?;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    interp.spend(out.len(), at)?;
    Ok(out)
}

/// `\1`, `\g<name>` in a replacement.
fn expand(template: &str, captures: &regex::Captures<'_>, out: &mut String) {
    let mut rest = template;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let named = rest.strip_prefix("g<").and_then(|r| r.split_once('>'));
        if let Some((name, after)) = named {
            let group = name.parse().map_or_else(|_| captures.name(name), |n: usize| captures.get(n));
            out.push_str(group.map_or("", |g| g.as_str()));
            rest = after;
            continue;
        }
        let Some(c) = rest.chars().next() else { break };
        rest = &rest[c.len_utf8()..];
        match c {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            c if c.is_ascii_digit() => {
                let number = c.to_digit(10).unwrap_or(0) as usize;
                out.push_str(captures.get(number).map_or("", |g| g.as_str()));
            }
            c => out.push(c),
        }
    }
    out.push_str(rest);
}
