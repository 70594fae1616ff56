//! `json`, `yaml`, `base64`, `hashlib`, `secrets`, `random`, `uuid`.

use base64::{Engine, engine::general_purpose as engines};
use rand::RngExt;
use ruff_text_size::TextSize;

use super::{
    error::{Done, Problem},
    interp::Interp,
    records,
    value::{Arguments, Key, Value},
};

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2);
    pairs
        .map(|p| u8::from_str_radix(std::str::from_utf8(p).ok().filter(|p| p.len() == 2)?, 16).ok())
        .collect()
}

pub(super) fn random(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    rand::rng().fill(&mut bytes[..]);
    bytes
}

fn bytes_of(value: Option<&Value>) -> Option<Vec<u8>> {
    match value? {
        Value::Bytes(b) => Some(b.to_vec()),
        Value::Str(s) => Some(s.as_bytes().to_vec()),
        _ => None,
    }
}

/// What is left of a file, a text or bytes.
fn content(interp: &mut Interp<'_>, value: &Value, at: TextSize) -> Done<Option<String>> {
    Ok(match value {
        Value::File(..) => Some(interp.method(value, "read", Arguments::default(), at)?.to_text()),
        other => bytes_of(Some(other)).map(|b| String::from_utf8_lossy(&b).into_owned()),
    })
}

pub(super) fn call(
    interp: &mut Interp<'_>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let args = &arguments.positional[..];
    let coded = |engine: &dyn Fn(&[u8]) -> String| {
        bytes_of(args.first()).map(|b| Value::Bytes(engine(&b).into_bytes().into()))
    };
    if let Some(algorithm) = name.strip_prefix("hashlib.") {
        let (algorithm, data) = match algorithm {
            "new" => (args.first()?.to_text(), args.get(1)),
            other => (other.to_owned(), arguments.get(0, "string")),
        };
        let data = match data {
            None => Vec::new(),
            Some(Value::Bytes(b)) => b.to_vec(),
            Some(_) => {
                return Some(interp.raise(Problem::kind("strings must be encoded before hashing"), at));
            }
        };
        return ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
            .contains(&&*algorithm)
            .then(|| Ok(records::digest(&algorithm, &data, None)));
    }
    Some(Ok(match name {
        "json.loads" | "simplejson.loads" | "superset.utils.json.loads" | "json.load" => {
            let text = match content(interp, args.first()?, at) {
                Ok(text) => text?,
                Err(fault) => return Some(Err(fault)),
            };
            match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(value) => {
                    if let Err(fault) = interp.spend(text.len() * 8, at) {
                        return Some(Err(fault));
                    }
                    Value::from_json(&value)
                }
                Err(reason) => {
                    let text = format!("not JSON (line {}, column {})", reason.line(), reason.column());
                    return Some(interp.raise(Problem::safe("JSONDecodeError", text), at));
                }
            }
        }
        "json.dumps" | "simplejson.dumps" | "superset.utils.json.dumps" => {
            let value = args.first()?;
            if let Some(why) = value.not_data() {
                let text = format!("{why} is not JSON serializable");
                return Some(interp.raise(Problem::safe("TypeError", text), at));
            }
            let json = value.to_json();
            let is = |name: &str| arguments.named(name).is_some_and(Value::truthy);
            let json = if is("sort_keys") { crate::json::sorted(&json) } else { json };
            let is_compact = match arguments.named("separators") {
                Some(Value::Tuple(two)) => two.iter().all(|s| s.to_text().len() == 1),
                _ => false,
            };
            Value::text(match arguments.named("indent") {
                Some(Value::Int(_)) => serde_json::to_string_pretty(&json).unwrap_or_default(),
                _ if is_compact => json.to_string(),
                _ => crate::json::ascii_json(&json, true),
            })
        }
        "yaml.safe_load" | "yaml.load" | "yaml.full_load" => {
            let text = match content(interp, args.first()?, at) {
                Ok(text) => text?,
                Err(fault) => return Some(Err(fault)),
            };
            if let Err(fault) = interp.spend(text.len() * 8, at) {
                return Some(Err(fault));
            }
            let made = crate::yaml::load(&text).ok().and_then(|y| crate::yaml::json_dumps(&y).ok());
            match made.and_then(|t| serde_json::from_str(&t).ok()) {
                Some(json) => Value::from_json(&json),
                None => return Some(interp.raise(Problem::safe("YAMLError", "not YAML"), at)),
            }
        }
        "base64.b64encode" | "base64.standard_b64encode" => coded(&|b| engines::STANDARD.encode(b))?,
        "base64.urlsafe_b64encode" => coded(&|b| engines::URL_SAFE.encode(b))?,
        "base64.b64decode"
        | "base64.standard_b64decode"
        | "base64.urlsafe_b64decode"
        | "base64.decodebytes" => {
            let mut text = bytes_of(args.first())?;
            text.retain(|b| !b.is_ascii_whitespace());
            let text: Vec<u8> = text
                .into_iter()
                .map(|b| match b {
                    b'-' if name.contains("urlsafe") => b'+',
                    b'_' if name.contains("urlsafe") => b'/',
                    b => b,
                })
                .collect();
            match engines::STANDARD.decode(text) {
                Ok(bytes) => Value::Bytes(bytes.into()),
                Err(_) => return Some(interp.raise(Problem::safe("ValueError", "not base64"), at)),
            }
        }
        "binascii.hexlify" | "base64.b16encode" => coded(&hex)?,
        "binascii.unhexlify" => match from_hex(&String::from_utf8_lossy(&bytes_of(args.first())?)) {
            Some(bytes) => Value::Bytes(bytes.into()),
            None => return Some(interp.raise(Problem::safe("ValueError", "not hexadecimal digits"), at)),
        },
        // who asks for no proof has the token from the provider itself
        "jwt.decode" | "jose.jwt.get_unverified_claims" => {
            let options = arguments.named("options");
            let off = match options {
                Some(Value::Dict(options)) => {
                    options.items.lock().get(&Key(Value::text("verify_signature"))).cloned()
                }
                _ => arguments.named("verify").cloned(),
            };
            if name == "jwt.decode" && off.is_none_or(|off| off.truthy()) {
                return None;
            }
            let token = args.first()?.to_text();
            let claims = token.split('.').nth(1).and_then(|part| {
                let bytes = engines::URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
                serde_json::from_slice::<serde_json::Value>(&bytes).ok()
            });
            if let Err(fault) = interp.spend(token.len() * 24, at) {
                return Some(Err(fault));
            }
            match claims {
                Some(claims) => Value::from_json(&claims),
                None => return Some(interp.raise(Problem::safe("DecodeError", "not a token"), at)),
            }
        }
        "hmac.new" => {
            let (key, message) = (bytes_of(arguments.get(0, "key"))?, bytes_of(arguments.get(1, "msg")));
            let algorithm = match arguments.get(2, "digestmod")? {
                Value::Known(name) => name.rsplit('.').next().unwrap_or_default().to_owned(),
                other => other.to_text(),
            };
            records::digest(&algorithm, &message.unwrap_or_default(), Some(&key))
        }
        "hmac.compare_digest" | "secrets.compare_digest" => Value::Bool(args.first()?.equals(args.get(1)?)),
        "secrets.token_hex" => Value::text(hex(&random(size(args)))),
        "secrets.token_urlsafe" => Value::text(engines::URL_SAFE_NO_PAD.encode(random(size(args)))),
        "secrets.choice" | "random.choice" | "random.SystemRandom.choice" => {
            let all = match interp.iterate(args.first()?, at) {
                Ok(all) => all,
                Err(fault) => return Some(Err(fault)),
            };
            if all.is_empty() {
                return Some(interp.raise(Problem::safe("IndexError", "a choice of nothing"), at));
            }
            all.get(rand::rng().random_range(0..all.len()))?.clone()
        }
        "secrets.SystemRandom" | "random.SystemRandom" => Value::known("random.SystemRandom"),
        "random.random" => Value::Float(rand::rng().random()),
        "random.randint" | "random.SystemRandom.randint" => {
            let (low, high) = (args.first()?.integer()?, args.get(1)?.integer()?);
            Value::Int(rand::rng().random_range(low..=high.max(low)))
        }
        "secrets.randbelow" | "random.randrange" => {
            let end = args.first()?.integer()?;
            Value::Int(rand::rng().random_range(0..end.max(1)))
        }
        "random.seed" => Value::None,
        "uuid.uuid4" | "uuid.uuid1" => uuid(uuid::Uuid::new_v4()),
        "uuid.UUID" => match uuid::Uuid::parse_str(&args.first()?.to_text()) {
            Ok(id) => uuid(id),
            Err(_) => return Some(interp.raise(Problem::safe("ValueError", "not a UUID"), at)),
        },
        "uuid.uuid5" | "uuid.uuid3" => {
            let space = uuid::Uuid::parse_str(&args.first()?.to_text()).ok()?;
            let text = args.get(1)?.to_text();
            let make = if name == "uuid.uuid5" { uuid::Uuid::new_v5 } else { uuid::Uuid::new_v3 };
            uuid(make(&space, text.as_bytes()))
        }
        _ => return None,
    }))
}

fn size(args: &[Value]) -> usize {
    args.first().and_then(Value::integer).unwrap_or(32).clamp(0, 65_536) as usize
}

fn uuid(id: uuid::Uuid) -> Value {
    Value::record(
        "uuid",
        [("name", Value::text(id.to_string())), ("hex", Value::text(id.simple().to_string()))],
    )
}
