//! What a tree is of a value.

use serde_json::{Map, Value};

use super::{functions, parser::Node};

/// Everything but null, false and what is empty.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

pub(super) fn evaluate(node: &Node, value: &Value) -> Result<Value, String> {
    let of_each = |right: &Node, all: &mut dyn Iterator<Item = &Value>| -> Result<Value, String> {
        let mut out = Vec::new();
        for one in all {
            out.push(evaluate(right, one)?);
        }
        out.retain(|one| !one.is_null());
        Ok(Value::Array(out))
    };
    Ok(match node {
        Node::Current => value.clone(),
        Node::Field(name) => value.get(name).cloned().unwrap_or_default(),
        Node::Literal(literal) => literal.clone(),
        Node::Chain(left, right) => evaluate(right, &evaluate(left, value)?)?,
        Node::Index(index) => {
            let list = value.as_array().map_or(&[][..], Vec::as_slice);
            position(*index, list.len()).and_then(|at| list.get(at)).cloned().unwrap_or_default()
        }
        Node::Slice(parts) => match value {
            Value::Array(list) => Value::Array(slice(list, parts)),
            _ => Value::Null,
        },
        Node::Each(left, right) => match evaluate(left, value)? {
            Value::Array(list) => of_each(right, &mut list.iter())?,
            _ => Value::Null,
        },
        Node::EachValue(left, right) => match evaluate(left, value)? {
            Value::Object(map) => of_each(right, &mut map.values())?,
            _ => Value::Null,
        },
        Node::Flat(left) => match evaluate(left, value)? {
            Value::Array(list) => Value::Array(list.into_iter().flat_map(unpacked).collect()),
            _ => Value::Null,
        },
        Node::Filter(left, condition, right) => match evaluate(left, value)? {
            Value::Array(list) => {
                let mut kept = Vec::new();
                for one in &list {
                    if is_true(&evaluate(condition, one)?) {
                        kept.push(one);
                    }
                }
                of_each(right, &mut kept.into_iter())?
            }
            _ => Value::Null,
        },
        Node::List(_) | Node::Object(_) if value.is_null() => Value::Null,
        Node::List(all) => all.iter().map(|node| evaluate(node, value)).collect::<Result<_, _>>()?,
        Node::Object(all) => {
            let pairs = all.iter().map(|(name, node)| Ok((name.clone(), evaluate(node, value)?)));
            Value::Object(pairs.collect::<Result<Map<_, _>, String>>()?)
        }
        Node::Or(left, right) => match evaluate(left, value)? {
            left if is_true(&left) => left,
            _ => evaluate(right, value)?,
        },
        Node::And(left, right) => match evaluate(left, value)? {
            left if is_true(&left) => evaluate(right, value)?,
            left => left,
        },
        Node::Not(inner) => Value::Bool(!is_true(&evaluate(inner, value)?)),
        Node::Compare(sign, left, right) => compare(sign, &evaluate(left, value)?, &evaluate(right, value)?),
        Node::Call(name, arguments) => {
            let given = arguments.iter().map(|node| evaluate(node, value)).collect::<Result<Vec<_>, _>>()?;
            functions::call(name, &given)?
        }
    })
}

fn unpacked(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        other => vec![other],
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

fn slice(list: &[Value], [start, stop, step]: &[Option<i64>; 3]) -> Vec<Value> {
    let (length, step) = (i64::try_from(list.len()).unwrap_or_default(), step.unwrap_or(1));
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let bound = |given: Option<i64>, default: i64| match given {
        None => default,
        Some(n) if n < 0 => n.saturating_add(length).clamp(low, high),
        Some(n) => n.clamp(low, high),
    };
    let (start, stop) = if step > 0 {
        (bound(*start, 0), bound(*stop, length))
    } else {
        (bound(*start, length - 1), bound(*stop, -1))
    };
    let (mut out, mut at) = (Vec::new(), start);
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        out.extend(usize::try_from(at).ok().and_then(|at| list.get(at)).cloned());
        at = at.saturating_add(step);
    }
    out
}

fn compare(sign: &str, left: &Value, right: &Value) -> Value {
    let same = left == right || left.as_f64().is_some() && left.as_f64() == right.as_f64();
    match (sign, left.as_f64(), right.as_f64()) {
        ("==", ..) => Value::Bool(same),
        ("!=", ..) => Value::Bool(!same),
        ("<", Some(a), Some(b)) => Value::Bool(a < b),
        ("<=", Some(a), Some(b)) => Value::Bool(a <= b),
        (">", Some(a), Some(b)) => Value::Bool(a > b),
        (">=", Some(a), Some(b)) => Value::Bool(a >= b),
        // what is no number has no order
        _ => Value::Null,
    }
}
