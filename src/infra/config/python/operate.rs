//! Operators, items and slices.

use std::{cmp::Ordering, sync::Arc};

use chrono::{Duration, NaiveTime};
use ruff_python_ast::Operator;
use ruff_text_size::TextSize;

use super::{
    error::{Done, Problem},
    format,
    interp::Interp,
    message,
    value::{Arguments, Key, Value},
};

/// A text or list may not grow beyond this by repetition.
const MAX_REPEAT: usize = 64 << 20;

impl Interp<'_> {
    pub(super) fn binary(&mut self, left: &Value, op: Operator, right: &Value, at: TextSize) -> Done<Value> {
        for side in [left, right] {
            if let Value::Unknown(why) = side {
                return self.unknown(why, at);
            }
        }
        if let Some(name) = method_of(op) {
            for (object, other, name) in
                [(left, right, format!("__{name}__")), (right, left, format!("__r{name}__"))]
            {
                if let Value::Object(o) = object
                    && o.class.find(&name).is_some()
                {
                    let method = self.attribute(object, &name, at)?;
                    return self.call(&method, Arguments::of(vec![other.clone()]), at);
                }
            }
        }
        match (left, op, right) {
            (Value::Str(template), Operator::Mod, values) => {
                let made = format::percent(template, values);
                let text = self.or_raise(made, at)?;
                self.spend(text.len(), at)?;
                return Ok(Value::text(text));
            }
            (
                Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Bytes(_),
                Operator::Mult,
                Value::Int(n),
            )
            | (Value::Int(n), Operator::Mult, Value::Str(_) | Value::List(_) | Value::Tuple(_)) => {
                let repeated = if let Value::Int(_) = left { right } else { left };
                let n = usize::try_from(*n).unwrap_or(0);
                return self.repeat(repeated, n, at);
            }
            _ => {}
        }
        match operate(left, op, right) {
            Ok(Some(value)) => {
                let width =
                    if matches!(value, Value::Str(_) | Value::Bytes(_)) { 1 } else { size_of::<Value>() };
                self.spend(value.len().unwrap_or(0).saturating_mul(width), at)?;
                Ok(value)
            }
            Ok(None) => {
                if let Value::Known(_) = left {
                    // `int | None` in an annotation that is evaluated
                    return self.unknown(&format!("{} {} …", left.what(), op.as_str()), at);
                }
                let text =
                    format!("unsupported operands for {}: {} and {}", op.as_str(), left.what(), right.what());
                self.raise(Problem::kind(text), at)
            }
            Err(problem) => self.raise(problem, at),
        }
    }

    fn repeat(&mut self, value: &Value, n: usize, at: TextSize) -> Done<Value> {
        let size = value.len().unwrap_or(0).saturating_mul(n);
        if size > MAX_REPEAT {
            return Err(self.stop("it needs too much memory", at));
        }
        self.spend(size.saturating_mul(if value.as_str().is_some() { 1 } else { size_of::<Value>() }), at)?;
        let all = |v: &[Value]| -> Vec<Value> { std::iter::repeat_n(v, n).flatten().cloned().collect() };
        Ok(match value {
            Value::Str(s) => Value::text(s.repeat(n)),
            Value::Bytes(b) => Value::Bytes(b.repeat(n).into()),
            Value::List(v) => Value::list(all(&v.lock())),
            Value::Tuple(v) => Value::Tuple(all(v).into()),
            other => other.clone(),
        })
    }

    /// `left op= right`: lists, sets and dictionaries change in place.
    pub(super) fn in_place(
        &mut self,
        left: &Value,
        op: Operator,
        right: &Value,
        at: TextSize,
    ) -> Done<Value> {
        match (left, op) {
            (Value::List(list), Operator::Add) if !matches!(right, Value::Unknown(_)) => {
                let more = self.iterate(right, at)?;
                list.lock().extend(more);
                Ok(left.clone())
            }
            (Value::Dict(_), Operator::BitOr) if !matches!(right, Value::Unknown(_)) => {
                self.update(left, right, at)?;
                Ok(left.clone())
            }
            (Value::Set(set), Operator::BitOr) if !matches!(right, Value::Unknown(_)) => {
                let more = self.iterate(right, at)?;
                set.lock().extend(more.into_iter().map(Key));
                Ok(left.clone())
            }
            _ => self.binary(left, op, right, at),
        }
    }

    /// `dict.update(other)`.
    pub(super) fn update(&mut self, dict: &Value, other: &Value, at: TextSize) -> Done<()> {
        let pairs: Vec<(Value, Value)> = match other {
            Value::Dict(items) => items.items.lock().iter().map(|(k, v)| (k.0.clone(), v.clone())).collect(),
            Value::Environ => {
                let all = self.world.environment.lock();
                all.iter().map(|(k, v)| (Value::text(k), Value::text(v))).collect()
            }
            Value::Module(frame) => {
                frame.names.lock().iter().map(|(k, v)| (Value::text(k), v.clone())).collect()
            }
            Value::Record(record) => {
                record.attributes.lock().iter().map(|(k, v)| (Value::text(k), v.clone())).collect()
            }
            other => {
                let mut pairs = Vec::new();
                for pair in self.iterate(other, at)? {
                    let parts = self.iterate(&pair, at)?;
                    let [key, value] = &parts[..] else {
                        return self.raise(Problem::safe("ValueError", "a pair is needed"), at);
                    };
                    pairs.push((key.clone(), value.clone()));
                }
                pairs
            }
        };
        self.steps(pairs.len(), at)?;
        for (key, value) in pairs {
            self.set_item(dict, key, value, at)?;
        }
        Ok(())
    }

    pub(super) fn set_item(&mut self, container: &Value, key: Value, value: Value, at: TextSize) -> Done<()> {
        self.spend(32, at)?;
        match (container, &key) {
            (Value::Dict(_), Value::Unknown(why)) => {
                // a key that is not known makes the whole unknown
                self.unknown(why, at)?;
                let place = super::frame::Place { source: self.frame.source, at };
                Err(super::error::Fault::Unclear(why.clone(), place))
            }
            (Value::Dict(dict), _) => {
                if !key.is_hashable() {
                    let text = format!("{} cannot be a key of a dictionary", key.what());
                    return self.raise(Problem::kind(text), at);
                }
                dict.items.lock().insert(Key(key), value);
                Ok(())
            }
            (Value::List(list), Value::Int(i)) => {
                let mut list = list.lock();
                let len = list.len();
                match position(*i, len).and_then(|place| list.get_mut(place)) {
                    Some(slot) => {
                        *slot = value;
                        Ok(())
                    }
                    None => self.raise(Problem::safe("IndexError", "list index out of range"), at),
                }
            }
            (Value::List(list), Value::Tuple(parts)) if is_slice(parts) => {
                let more = self.iterate(&value, at)?;
                let mut list = list.lock();
                let len = list.len();
                let (from, to) = (bound(&parts[1], len, 0), bound(&parts[2], len, len));
                list.splice(from..to.max(from), more);
                Ok(())
            }
            (Value::Environ, Value::Str(name)) => {
                self.world.environment.lock().insert(name.to_string(), value.to_text());
                Ok(())
            }
            (Value::Module(frame), Value::Str(name)) => {
                let frame = frame.clone();
                self.set_name(&frame, name, value, at);
                Ok(())
            }
            (Value::Record(record), Value::Str(name)) if record.kind == message::KIND => {
                message::add(record, name, value);
                Ok(())
            }
            (Value::Unknown(why), _) => self.unknown(why, at).map(|_| ()),
            (Value::Object(o), _) if o.class.find("__setitem__").is_some() => {
                let method = self.attribute(container, "__setitem__", at)?;
                self.call(&method, Arguments::of(vec![key, value]), at).map(|_| ())
            }
            (other, _) => {
                let text = format!("items of {} cannot be set", other.what());
                self.raise(Problem::kind(text), at)
            }
        }
    }

    pub(super) fn delete_item(&mut self, container: &Value, key: &Value, at: TextSize) -> Done<()> {
        let is_gone = match (container, key) {
            (Value::Dict(d), key) => d.items.lock().shift_remove(&Key(key.clone())).is_some(),
            (Value::List(list), Value::Int(i)) => {
                let mut list = list.lock();
                let len = list.len();
                position(*i, len).map(|place| list.remove(place)).is_some()
            }
            (Value::Record(record), Value::Str(name)) if record.kind == message::KIND => {
                message::delete(record, name);
                true
            }
            (Value::Environ, Value::Str(name)) => self.world.environment.lock().remove(&**name).is_some(),
            (Value::Module(frame), Value::Str(name)) => frame.names.lock().shift_remove(&**name).is_some(),
            _ => false,
        };
        if is_gone {
            return Ok(());
        }
        let kind = if let Value::List(_) = container { "IndexError" } else { "KeyError" };
        self.raise(Problem::hidden(kind, key.to_text()), at)
    }

    /// `value[key]`.
    pub(super) fn item(&mut self, value: &Value, key: &Value, at: TextSize) -> Done<Value> {
        for part in [value, key] {
            if let Value::Unknown(why) = part {
                return self.unknown(&format!("an item of {why}"), at);
            }
        }
        if let Value::Tuple(parts) = key
            && is_slice(parts)
        {
            self.spend(value.len().unwrap_or(0), at)?;
            return match slice(value, parts) {
                Some(cut) => Ok(cut),
                None => self.raise(Problem::kind(format!("{} cannot be sliced", value.what())), at),
            };
        }
        let found = match (value, key) {
            (Value::Dict(dict), key) => {
                let found = dict.items.lock().get(&Key(key.clone())).cloned();
                match (found, &dict.missing) {
                    (Some(found), _) => Some(found),
                    (None, Some(make)) => {
                        let made = self.call(&make.clone(), Arguments::default(), at)?;
                        self.set_item(value, key.clone(), made.clone(), at)?;
                        Some(made)
                    }
                    (None, None) => {
                        let error = super::error::error("KeyError", vec![key.clone()], None);
                        return Err(super::error::raise(error, self.frame.source, at));
                    }
                }
            }
            (Value::Record(record), Value::Str(name)) if record.kind == message::KIND => {
                Some(message::item(record, name))
            }
            (Value::Environ, Value::Str(name)) => {
                let found = self.world.environment.lock().get(&**name).map(Value::text);
                if found.is_none() {
                    let shown = format!("{name} is not in the environment");
                    let error = super::error::error("KeyError", vec![key.clone()], Some(shown));
                    return Err(super::error::raise(error, self.frame.source, at));
                }
                found
            }
            (Value::Module(frame), Value::Str(name)) => {
                let found = frame.names.lock().get(&**name).cloned();
                if found.is_none() {
                    let shown = format!("{name} is not a name of the file");
                    let error = super::error::error("KeyError", vec![key.clone()], Some(shown));
                    return Err(super::error::raise(error, self.frame.source, at));
                }
                found
            }
            (Value::List(v), key) => match key.integer() {
                Some(i) => {
                    let v = v.lock();
                    match position(i, v.len()).and_then(|place| v.get(place)) {
                        Some(found) => Some(found.clone()),
                        None => {
                            return self.raise(Problem::safe("IndexError", "list index out of range"), at);
                        }
                    }
                }
                None => None,
            },
            (Value::Tuple(v), key) => match key.integer() {
                Some(i) => match position(i, v.len()).and_then(|place| v.get(place)) {
                    Some(found) => Some(found.clone()),
                    None => return self.raise(Problem::safe("IndexError", "tuple index out of range"), at),
                },
                None => None,
            },
            (Value::Str(s), Value::Int(i)) => {
                let place = position(*i, s.chars().count());
                match place.and_then(|place| s.chars().nth(place)) {
                    Some(c) => Some(Value::text(c.to_string())),
                    None => return self.raise(Problem::safe("IndexError", "string index out of range"), at),
                }
            }
            (Value::Bytes(b), Value::Int(i)) => {
                let byte = position(*i, b.len()).and_then(|place| b.get(place));
                byte.map(|b| Value::Int(i128::from(*b)))
            }
            (Value::Match(_), key) => super::library::group(value, key),
            // `list[str]`, `Optional[int]`: types
            (Value::Known(name), _) if is_type(name) => Some(value.clone()),
            (Value::Known(name), _) => return self.unknown(&format!("an item of {name}"), at),
            (Value::Class(class), Value::Str(name)) if class.is_enum() => class.find(name),
            (Value::Class(_), _) => Some(value.clone()),
            (Value::Object(o), _) if o.class.find("__getitem__").is_some() => {
                let method = self.attribute(value, "__getitem__", at)?;
                return self.call(&method, Arguments::of(vec![key.clone()]), at);
            }
            _ => None,
        };
        match found {
            Some(found) => Ok(found),
            None => self.raise(Problem::kind(format!("{} has no such item", value.what())), at),
        }
    }
}

/// The name of a type: of a built-in one, or with a capital.
fn is_type(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    !name.contains('.') || last.starts_with(|c: char| c.is_ascii_uppercase())
}

pub(super) fn is_slice(parts: &Arc<[Value]>) -> bool {
    parts.len() == 4 && matches!(&parts[0], Value::Known(name) if &**name == "slice")
}

fn bound(value: &Value, len: usize, default: usize) -> usize {
    match value.integer() {
        None => default,
        Some(i) if i < 0 => len.saturating_sub(usize::try_from(i.unsigned_abs()).unwrap_or(usize::MAX)),
        Some(i) => usize::try_from(i).unwrap_or(usize::MAX).min(len),
    }
}

fn slice(value: &Value, parts: &[Value]) -> Option<Value> {
    let step = parts[3].integer().unwrap_or(1);
    let cut = |v: &[Value]| -> Vec<Value> {
        let len = v.len();
        if step > 0 {
            let (from, to) = (bound(&parts[1], len, 0), bound(&parts[2], len, len));
            let step = usize::try_from(step).unwrap_or(usize::MAX);
            return v.get(from..to.max(from)).unwrap_or_default().iter().step_by(step).cloned().collect();
        }
        // backwards: the bounds are other ones
        let edge = |value: &Value, default: i128| match value.integer() {
            None => default,
            Some(i) if i < 0 => i + len as i128,
            Some(i) => i.min(len as i128 - 1),
        };
        let (mut i, end) = (edge(&parts[1], len as i128 - 1), edge(&parts[2], -1));
        let mut out = Vec::new();
        while i > end && i >= 0 {
            out.extend(usize::try_from(i).ok().and_then(|i| v.get(i)).cloned());
            i += step;
        }
        out
    };
    if step == 0 {
        return None;
    }
    match value {
        Value::List(v) => Some(Value::list(cut(&v.lock()))),
        Value::Tuple(v) => Some(Value::Tuple(cut(v).into())),
        Value::Str(s) => {
            let chars: Vec<Value> = s.chars().map(|c| Value::text(c.encode_utf8(&mut [0; 4]))).collect();
            Some(Value::text(cut(&chars).iter().map(Value::to_text).collect::<String>()))
        }
        Value::Bytes(b) => {
            let bytes: Vec<Value> = b.iter().map(|b| Value::Int(i128::from(*b))).collect();
            let cut = cut(&bytes);
            Some(Value::Bytes(cut.iter().filter_map(|v| u8::try_from(v.integer()?).ok()).collect()))
        }
        _ => None,
    }
}

/// Where an index lies, from the end when it is negative.
pub(super) fn position(index: i128, len: usize) -> Option<usize> {
    let at = if index < 0 { index + len as i128 } else { index };
    usize::try_from(at).ok().filter(|at| *at < len)
}

fn method_of(op: Operator) -> Option<&'static str> {
    Some(match op {
        Operator::Add => "add",
        Operator::Sub => "sub",
        Operator::Mult => "mul",
        Operator::Div => "truediv",
        Operator::BitOr => "or",
        Operator::BitAnd => "and",
        Operator::Mod => "mod",
        _ => return None,
    })
}

/// Which of two values comes first.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::Timedelta(a), Value::Timedelta(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Datetime(a, x), Value::Datetime(b, y)) => match (x, y) {
            (None, None) => Some(a.cmp(b)),
            (Some(x), Some(y)) => {
                Some((*a - Duration::seconds(i64::from(*x))).cmp(&(*b - Duration::seconds(i64::from(*y)))))
            }
            _ => None,
        },
        (Value::List(a), Value::List(b)) => {
            let (a, b) = (a.lock().clone(), b.lock().clone());
            order_all(&a, &b)
        }
        (Value::Tuple(a), Value::Tuple(b)) => order_all(a, b),
        (Value::Set(a), Value::Set(b)) => {
            let (a, b) = (a.lock().clone(), b.lock().clone());
            if a == b {
                Some(Ordering::Equal)
            } else if a.is_subset(&b) {
                Some(Ordering::Less)
            } else if b.is_subset(&a) {
                Some(Ordering::Greater)
            } else {
                None
            }
        }
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        _ => left.number()?.partial_cmp(&right.number()?),
    }
}

fn order_all(a: &[Value], b: &[Value]) -> Option<Ordering> {
    for (a, b) in a.iter().zip(b) {
        if !a.equals(b) {
            return order(a, b);
        }
    }
    Some(a.len().cmp(&b.len()))
}

/// The result; nothing when the operands do not fit.
fn operate(left: &Value, op: Operator, right: &Value) -> Result<Option<Value>, Problem> {
    use Operator as O;
    let divided = || Problem::safe("ZeroDivisionError", "division by zero");
    let large = || Problem::safe("OverflowError", "an integer beyond 128 bits");
    Ok(Some(match (left, op, right) {
        (Value::Str(a), O::Add, Value::Str(b)) => Value::text(format!("{a}{b}")),
        (Value::Bytes(a), O::Add, Value::Bytes(b)) => Value::Bytes([&a[..], b].concat().into()),
        (Value::List(a), O::Add, Value::List(b)) => {
            let (mut a, b) = (a.lock().clone(), b.lock().clone());
            a.extend(b);
            Value::list(a)
        }
        (Value::Tuple(a), O::Add, Value::Tuple(b)) => Value::Tuple([&a[..], b].concat().into()),
        (Value::Dict(a), O::BitOr, Value::Dict(b)) => {
            let (mut a, b) = (a.items.lock().clone(), b.items.lock().clone());
            a.extend(b);
            Value::dict(a.into_iter().map(|(k, v)| (k.0, v)))
        }
        (Value::Set(a), op, Value::Set(b)) => {
            let (a, b) = (a.lock().clone(), b.lock().clone());
            let made: Vec<Key> = match op {
                O::BitOr => a.union(&b).cloned().collect(),
                O::BitAnd => a.intersection(&b).cloned().collect(),
                O::Sub => a.difference(&b).cloned().collect(),
                O::BitXor => a.symmetric_difference(&b).cloned().collect(),
                _ => return Ok(None),
            };
            Value::set(made.into_iter().map(|k| k.0))
        }
        (Value::Path(a), O::Div, Value::Str(b)) => Value::Path(a.join(&**b).into()),
        (Value::Path(a), O::Div, Value::Path(b)) => Value::Path(a.join(b).into()),
        (Value::Timedelta(a), O::Add, Value::Timedelta(b)) => Value::Timedelta(a.saturating_add(*b)),
        (Value::Timedelta(a), O::Sub, Value::Timedelta(b)) => Value::Timedelta(a.saturating_sub(*b)),
        (Value::Timedelta(a), O::Div, Value::Timedelta(b)) if *b != 0 => Value::Float(*a as f64 / *b as f64),
        (Value::Timedelta(a), O::Mult, b) | (b, O::Mult, Value::Timedelta(a)) => match b.number() {
            Some(b) => Value::Timedelta((*a as f64 * b) as i64),
            None => return Ok(None),
        },
        (Value::Timedelta(a), O::Div | O::FloorDiv, b) => match b.number() {
            Some(0.0) => return Err(divided()),
            Some(b) => Value::Timedelta((*a as f64 / b) as i64),
            None => return Ok(None),
        },
        (Value::Datetime(t, o), O::Add, Value::Timedelta(d))
        | (Value::Timedelta(d), O::Add, Value::Datetime(t, o)) => {
            moved(*t, *d).map(|t| Value::Datetime(t, *o)).ok_or_else(far)?
        }
        (Value::Datetime(t, o), O::Sub, Value::Timedelta(d)) => {
            moved(*t, -d).map(|t| Value::Datetime(t, *o)).ok_or_else(far)?
        }
        (Value::Datetime(a, x), O::Sub, Value::Datetime(b, y)) => {
            let offset = i64::from(x.unwrap_or(0)) - i64::from(y.unwrap_or(0));
            Value::Timedelta((*a - *b).num_microseconds().unwrap_or(i64::MAX) - offset * 1_000_000)
        }
        (Value::Date(d), O::Add | O::Sub, Value::Timedelta(t)) => {
            let t = if op == O::Add { *t } else { -t };
            moved(d.and_time(NaiveTime::MIN), t).map(|t| Value::Date(t.date())).ok_or_else(far)?
        }
        (Value::Date(a), O::Sub, Value::Date(b)) => {
            Value::Timedelta((*a - *b).num_microseconds().unwrap_or(i64::MAX))
        }
        _ => {
            if op != O::Div
                && let (Some(a), Some(b)) = (left.integer(), right.integer())
            {
                let is_flag = matches!((left, right), (Value::Bool(_), Value::Bool(_)));
                let shift = |b: i128| u32::try_from(b).ok().filter(|b| *b < 120);
                let value = match op {
                    O::Add => a.checked_add(b).ok_or_else(large)?,
                    O::Sub => a.checked_sub(b).ok_or_else(large)?,
                    O::Mult => a.checked_mul(b).ok_or_else(large)?,
                    O::FloorDiv | O::Mod if b == 0 => return Err(divided()),
                    O::FloorDiv => floor_div(a, b).ok_or_else(large)?,
                    O::Mod => a - floor_div(a, b).ok_or_else(large)? * b,
                    O::Pow if b < 0 => return Ok(Some(Value::Float((a as f64).powf(b as f64)))),
                    O::Pow => {
                        let b = u32::try_from(b).map_err(|_| large())?;
                        a.checked_pow(b).ok_or_else(large)?
                    }
                    O::LShift => {
                        shift(b).and_then(|b| a.checked_mul(1_i128.checked_shl(b)?)).ok_or_else(large)?
                    }
                    O::RShift => a >> shift(b).unwrap_or(127),
                    O::BitOr | O::BitAnd | O::BitXor if is_flag => {
                        let (a, b) = (a != 0, b != 0);
                        return Ok(Some(Value::Bool(match op {
                            O::BitOr => a | b,
                            O::BitAnd => a & b,
                            _ => a ^ b,
                        })));
                    }
                    O::BitOr => a | b,
                    O::BitAnd => a & b,
                    O::BitXor => a ^ b,
                    _ => return Ok(None),
                };
                return Ok(Some(Value::Int(value)));
            }
            let (Some(a), Some(b)) = (left.number(), right.number()) else { return Ok(None) };
            match op {
                O::Add => Value::Float(a + b),
                O::Sub => Value::Float(a - b),
                O::Mult => Value::Float(a * b),
                O::Div | O::FloorDiv | O::Mod if b == 0.0 => return Err(divided()),
                O::Div => Value::Float(a / b),
                O::FloorDiv => Value::Float((a / b).floor()),
                O::Mod => Value::Float(a - (a / b).floor() * b),
                O::Pow => Value::Float(a.powf(b)),
                _ => return Ok(None),
            }
        }
    }))
}

fn far() -> Problem {
    Problem::safe("OverflowError", "a date out of range")
}

fn moved(t: chrono::NaiveDateTime, micros: i64) -> Option<chrono::NaiveDateTime> {
    t.checked_add_signed(Duration::microseconds(micros))
}

fn floor_div(a: i128, b: i128) -> Option<i128> {
    let q = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q })
}
