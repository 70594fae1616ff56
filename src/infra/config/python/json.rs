//! Between JSON and values.

use serde_json::{Number, Value as Json};

use super::value::Value;

/// A list can hold itself.
const DEPTH: usize = 60;

impl Value {
    /// The form in which a configuration keeps it: sets are arrays, a `timedelta` is its number of seconds. What is
    /// not data is null.
    pub(super) fn to_json(&self) -> Json {
        self.json_within(DEPTH)
    }

    fn json_within(&self, depth: usize) -> Json {
        let Some(depth) = depth.checked_sub(1) else { return Json::Null };
        let all = |v: &[Self]| v.iter().map(|v| v.json_within(depth)).collect();
        match self {
            Self::Bool(b) => (*b).into(),
            Self::Int(i) => match (i64::try_from(*i), u64::try_from(*i)) {
                (Ok(i), _) => i.into(),
                (_, Ok(u)) => u.into(),
                _ => (*i as f64).into(),
            },
            Self::Float(f) => Number::from_f64(*f).map_or(Json::Null, Json::Number),
            Self::Timedelta(t) if t % 1_000_000 == 0 => (t / 1_000_000).into(),
            Self::Timedelta(t) => (*t as f64 / 1e6).into(),
            Self::Str(s) => Json::String(s.to_string()),
            Self::Bytes(b) => String::from_utf8_lossy(b).into_owned().into(),
            // no lock is held on the way down: a list can hold itself
            Self::List(v) => {
                let items = v.lock().clone();
                all(&items)
            }
            Self::Tuple(v) => all(v),
            Self::Set(v) => {
                let items: Vec<Self> = v.lock().iter().map(|k| k.0.clone()).collect();
                all(&items)
            }
            Self::Iter(v) => {
                let items: Vec<Self> = v.lock().iter().rev().cloned().collect();
                all(&items)
            }
            Self::Range(..) => Json::Null,
            Self::Dict(d) => {
                let items = d.items.lock().clone();
                Json::Object(items.iter().map(|(k, v)| (k.0.to_text(), v.json_within(depth))).collect())
            }
            Self::Crontab(c) => c.join(" ").into(),
            Self::Path(_) | Self::Date(_) => self.to_text().into(),
            Self::Datetime(t, o) => super::text::isoformat(*t, *o, 'T').into(),
            Self::Object(_) if self.enum_value().is_some() => {
                self.enum_value().map_or(Json::Null, |v| v.json_within(depth))
            }
            Self::Record(r) if matches!(r.kind, "url" | "uuid") => self.to_text().into(),
            Self::Regex(r) => r.as_str().into(),
            _ => Json::Null,
        }
    }

    pub(super) fn from_json(value: &Json) -> Self {
        match value {
            Json::Null => Self::None,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(i), _) => Self::Int(i.into()),
                (_, Some(u)) => Self::Int(u.into()),
                _ => Self::Float(n.as_f64().unwrap_or_default()),
            },
            Json::String(s) => Self::text(s),
            Json::Array(v) => Self::list(v.iter().map(Self::from_json).collect()),
            Json::Object(m) => Self::dict(m.iter().map(|(k, v)| (Self::text(k), Self::from_json(v)))),
        }
    }

    /// The first part of the value that is not data, and why.
    pub(super) fn not_data(&self) -> Option<String> {
        self.not_data_within(DEPTH)
    }

    fn not_data_within(&self, depth: usize) -> Option<String> {
        let Some(depth) = depth.checked_sub(1) else { return Some("a value that holds itself".into()) };
        let any = |v: &[Self]| v.iter().find_map(|v| v.not_data_within(depth));
        match self {
            Self::List(v) => {
                let items = v.lock().clone();
                any(&items)
            }
            Self::Tuple(v) => any(v),
            Self::Set(v) => {
                let items: Vec<Self> = v.lock().iter().map(|k| k.0.clone()).collect();
                any(&items)
            }
            Self::Dict(d) => {
                let items = d.items.lock().clone();
                items
                    .iter()
                    .find_map(|(k, v)| k.0.not_data_within(depth).or_else(|| v.not_data_within(depth)))
            }
            Self::Object(_) if self.enum_value().is_some() => None,
            Self::Record(r) if matches!(r.kind, "url" | "uuid") => None,
            Self::Known(_)
            | Self::Unknown(_)
            | Self::Function(_)
            | Self::Bound(_)
            | Self::Partial(_)
            | Self::Wrapped(..)
            | Self::Class(_)
            | Self::Object(_)
            | Self::Super(_)
            | Self::Module(_)
            | Self::Environ
            | Self::File(..)
            | Self::Range(..)
            | Self::Error(_)
            | Self::Match(_)
            | Self::Record(_) => Some(self.what()),
            _ => None,
        }
    }

    /// Something of the value is unknown: not only not data.
    pub(super) fn unknown(&self) -> Option<String> {
        self.unknown_within(DEPTH)
    }

    fn unknown_within(&self, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let any = |v: &[Self]| v.iter().find_map(|v| v.unknown_within(depth));
        match self {
            Self::Unknown(why) => Some(why.to_string()),
            Self::List(v) => {
                let items = v.lock().clone();
                any(&items)
            }
            Self::Tuple(v) => any(v),
            Self::Dict(d) => {
                let items = d.items.lock().clone();
                items.iter().find_map(|(k, v)| k.0.unknown_within(depth).or_else(|| v.unknown_within(depth)))
            }
            _ => None,
        }
    }

    /// Something in it can be called.
    pub(super) fn holds_functions(&self) -> bool {
        self.holds_functions_within(DEPTH)
    }

    fn holds_functions_within(&self, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let any = |v: &[Self]| v.iter().any(|v| v.holds_functions_within(depth));
        match self {
            Self::Dict(dict) => {
                let items: Vec<Self> = dict.items.lock().values().cloned().collect();
                any(&items)
            }
            Self::List(list) => {
                let items = list.lock().clone();
                any(&items)
            }
            Self::Tuple(all) => any(all),
            other => other.is_callable(),
        }
    }

    /// The attributes of a class that are data, as `CELERY_CONFIG` has them.
    pub(super) fn class_data(&self) -> Option<Json> {
        let (class, own) = match self {
            Self::Class(class) => (class, None),
            Self::Object(object) => (&object.class, Some(object.attributes.lock().clone())),
            _ => return None,
        };
        let mut out = serde_json::Map::new();
        for above in class.line().iter().rev() {
            if let Self::Class(class) = above {
                let attributes = class.attributes.lock().clone();
                out.extend(attributes.into_iter().map(|(k, v)| (k, v.to_json())));
            }
        }
        out.extend(own.into_iter().flatten().map(|(k, v)| (k, v.to_json())));
        out.retain(|name, _| !name.starts_with("__"));
        Some(Json::Object(out))
    }
}
