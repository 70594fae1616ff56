//! Objects of libraries that are mostly data: addresses of SQLAlchemy, parsed addresses, digests.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ruff_text_size::TextSize;
use sha2::Digest;

use super::{
    error::{Done, Problem},
    interp::Interp,
    lib_data::hex,
    value::{Arguments, Record, Value},
};

pub(super) fn has_method(record: &Record, name: &str) -> bool {
    let names: &[&str] = match record.kind {
        "url" => &[
            "set",
            "_replace",
            "render_as_string",
            "update_query_dict",
            "update_query_pairs",
            "difference_update_query",
            "get_backend_name",
            "get_driver_name",
            "__to_string__",
        ],
        "digest" => &["hexdigest", "digest", "update", "copy"],
        "parsed address" => &["geturl", "_replace"],
        super::message::KIND => super::message::METHODS,
        other => super::manager::methods_of(other),
    };
    names.contains(&name)
}

pub(super) fn method(
    interp: &mut Interp<'_>,
    record: &Arc<Record>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    match record.kind {
        "url" => url_method(record, name, arguments),
        "digest" => digest_method(interp, record, name, arguments, at),
        "parsed address" => match name {
            "geturl" => {
                let attributes = record.attributes.lock();
                let part = |n: &str| attributes.get(n).map(Value::to_text).unwrap_or_default();
                let query = part("query");
                let query = if query.is_empty() { query } else { format!("?{query}") };
                Some(Ok(Value::text(format!(
                    "{}://{}{}{query}",
                    part("scheme"),
                    part("netloc"),
                    part("path")
                ))))
            }
            "_replace" => Some(Ok(changed(record, arguments))),
            _ => None,
        },
        super::message::KIND => super::message::method(interp, record, name, arguments, at),
        _ => super::manager::method(interp, record, name, arguments, at),
    }
}

fn changed(record: &Record, arguments: &Arguments) -> Value {
    let mut attributes = record.attributes.lock().clone();
    attributes.extend(arguments.named.iter().cloned());
    Value::Record(Arc::new(Record { kind: record.kind, attributes: parking_lot::Mutex::new(attributes) }))
}

fn url_method(record: &Arc<Record>, name: &str, arguments: &Arguments) -> Option<Done<Value>> {
    let driver = record.attributes.lock().get("drivername").map(Value::to_text).unwrap_or_default();
    Some(Ok(match name {
        "set" | "_replace" => changed(record, arguments),
        "render_as_string" => {
            let hides = arguments.get(0, "hide_password").is_none_or(Value::truthy);
            Value::text(render(record, !hides))
        }
        "get_backend_name" => Value::text(driver.split('+').next().unwrap_or_default()),
        "get_driver_name" => Value::text(driver.split_once('+').map_or("", |(_, d)| d)),
        "update_query_dict" => {
            let new = changed(record, &Arguments::default());
            if let (Value::Record(new), Some(Value::Dict(more))) =
                (&new, arguments.get(0, "query_parameters"))
            {
                let mut attributes = new.attributes.lock();
                let mut all = match attributes.get("query") {
                    Some(Value::Dict(query)) => query.items.lock().clone(),
                    _ => Default::default(),
                };
                all.extend(more.items.lock().clone());
                attributes.insert("query".to_owned(), Value::dict(all.into_iter().map(|(k, v)| (k.0, v))));
            }
            new
        }
        _ => return None,
    }))
}

/// What SQLAlchemy's addresses leave as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

fn quoted(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// An address of SQLAlchemy (`sqlalchemy.engine.url:URL`).
pub(super) fn url(arguments: &Arguments) -> Value {
    let names = ["drivername", "username", "password", "host", "port", "database", "query"];
    let mut parts: Vec<(&'static str, Value)> = Vec::new();
    for (i, name) in names.into_iter().enumerate() {
        parts.push((name, arguments.get(i, name).cloned().unwrap_or(Value::None)));
    }
    Value::record("url", parts)
}

/// `make_url(text)`.
pub(super) fn parse(text: &str) -> Value {
    let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (place, database) = rest.split_once('/').map_or((rest, None), |(p, d)| (p, Some(d)));
    let (user, host) = place.rsplit_once('@').map_or((None, place), |(u, h)| (Some(u), h));
    let (user, password) = match user.map(|u| u.split_once(':').map_or((u, None), |(u, p)| (u, Some(p)))) {
        Some((user, password)) => (Some(user), password),
        None => (None, None),
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => (host, port.parse().ok()),
        _ => (host, None),
    };
    let plain = |t: &str| Value::text(percent_decode_str(t).decode_utf8_lossy());
    let optional = |t: Option<&str>| t.filter(|t| !t.is_empty()).map_or(Value::None, plain);
    let pairs = query.split('&').filter(|p| !p.is_empty()).map(|p| p.split_once('=').unwrap_or((p, "")));
    Value::record(
        "url",
        [
            ("drivername", Value::text(scheme)),
            ("username", optional(user)),
            ("password", optional(password)),
            ("host", optional(Some(host.trim_matches(['[', ']'])))),
            ("port", port.map_or(Value::None, Value::Int)),
            (
                "database",
                database.map_or(Value::None, |d| if d.is_empty() { Value::None } else { Value::text(d) }),
            ),
            ("query", Value::dict(pairs.map(|(k, v)| (plain(k), plain(v))))),
        ],
    )
}

/// `str(url)`.
pub(super) fn render(record: &Record, with_password: bool) -> String {
    let attributes = record.attributes.lock();
    let part = |name: &str| attributes.get(name).filter(|v| !matches!(v, Value::None)).map(Value::to_text);
    let mut out = format!("{}://", part("drivername").unwrap_or_default());
    if let Some(user) = part("username") {
        out.push_str(&quoted(&user));
        if let Some(password) = part("password") {
            out.push(':');
            out.push_str(&if with_password { quoted(&password) } else { "***".to_owned() });
        }
        out.push('@');
    }
    if let Some(host) = part("host") {
        out.push_str(&if host.contains(':') { format!("[{host}]") } else { host });
    }
    if let Some(port) = part("port") {
        out.push(':');
        out.push_str(&port);
    }
    if let Some(database) = part("database") {
        out.push('/');
        out.push_str(&database);
    }
    if let Some(Value::Dict(query)) = attributes.get("query") {
        let items = query.items.lock();
        let mut pairs = Vec::new();
        for (name, value) in items.iter() {
            let name = quoted(&name.0.to_text());
            match value {
                Value::List(all) => {
                    pairs.extend(all.lock().iter().map(|v| format!("{name}={}", quoted(&v.to_text()))));
                }
                Value::Tuple(all) => {
                    pairs.extend(all.iter().map(|v| format!("{name}={}", quoted(&v.to_text()))))
                }
                other => pairs.push(format!("{name}={}", quoted(&other.to_text()))),
            }
        }
        if !pairs.is_empty() {
            out.push('?');
            out.push_str(&pairs.join("&"));
        }
    }
    out
}

/// `hashlib.new(algorithm)`, or with a key `hmac.new`.
pub(super) fn digest(algorithm: &str, data: &[u8], key: Option<&[u8]>) -> Value {
    Value::record(
        "digest",
        [
            ("name", Value::text(algorithm)),
            ("data", Value::Bytes(data.into())),
            ("key", key.map_or(Value::None, |k| Value::Bytes(k.into()))),
        ],
    )
}

fn digest_method(
    interp: &mut Interp<'_>,
    record: &Arc<Record>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let bytes = |name: &str| match record.attributes.lock().get(name) {
        Some(Value::Bytes(b)) => Some(b.clone()),
        _ => None,
    };
    let data = bytes("data")?;
    match (name, arguments.positional.first()) {
        ("update", Some(Value::Bytes(more))) => {
            let all = [&data[..], more].concat();
            record.attributes.lock().insert("data".to_owned(), Value::Bytes(all.into()));
            Some(Ok(Value::None))
        }
        ("copy", None) => Some(Ok(changed(record, &Arguments::default()))),
        ("hexdigest" | "digest", _) => {
            if let Err(fault) = interp.steps(data.len() / 64, at) {
                return Some(Err(fault));
            }
            let algorithm = record.attributes.lock().get("name").map(Value::to_text).unwrap_or_default();
            let Some(made) = hashed(&algorithm, &data, bytes("key").as_deref()) else {
                let text = format!("the digest {algorithm} is not there");
                return Some(interp.raise(Problem::safe("ValueError", text), at));
            };
            Some(Ok(if name == "digest" { Value::Bytes(made.into()) } else { Value::text(hex(&made)) }))
        }
        _ => None,
    }
}

fn hashed(algorithm: &str, data: &[u8], key: Option<&[u8]>) -> Option<Vec<u8>> {
    macro_rules! of {
        ($kind:ty) => {
            match key {
                None => <$kind>::digest(data).to_vec(),
                Some(key) => {
                    let mut mac = Hmac::<$kind>::new_from_slice(key).ok()?;
                    mac.update(data);
                    mac.finalize().into_bytes().to_vec()
                }
            }
        };
    }
    Some(match algorithm {
        "md5" => of!(md5::Md5),
        "sha1" => of!(sha1::Sha1),
        "sha224" => of!(sha2::Sha224),
        "sha256" => of!(sha2::Sha256),
        "sha384" => of!(sha2::Sha384),
        "sha512" => of!(sha2::Sha512),
        _ => return None,
    })
}
