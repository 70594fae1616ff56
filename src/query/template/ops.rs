//! Operators.

use std::rc::Rc;

use super::error::{Fault, Rendered};
use super::eval::Interpreter;
use super::value::Val;

fn unsupported(op: &str, a: &Val, b: &Val) -> Fault {
    Fault::other(format!("unsupported operand type(s) for {op}: '{}' and '{}'", a.type_name(), b.type_name()))
}

fn overflow() -> Fault {
    Fault::other("Python int too large")
}

/// An arithmetic operator; results count against the budget.
pub(super) fn binary(it: &mut Interpreter<'_>, op: &'static str, a: &Val, b: &Val) -> Rendered<Val> {
    a.defined()?;
    b.defined()?;
    match (op, a, b) {
        ("+", Val::Str(x), Val::Str(y)) => it.string(format!("{x}{y}")),
        ("+", Val::List(x), Val::List(y)) => {
            let mut items = x.borrow().clone();
            items.extend(y.borrow().iter().cloned());
            it.items(items)
        }
        ("+", Val::Tuple(x), Val::Tuple(y)) => {
            it.charge(x.len() + y.len())?;
            Ok(Val::Tuple(Rc::new(x.iter().chain(y.iter()).cloned().collect())))
        }
        ("+", Val::DateTime(t), Val::Delta(d)) | ("+", Val::Delta(d), Val::DateTime(t)) => {
            t.checked_add_signed(*d).map(Val::DateTime).ok_or_else(|| Fault::other("date value out of range"))
        }
        ("-", Val::DateTime(t), Val::Delta(d)) => {
            t.checked_sub_signed(*d).map(Val::DateTime).ok_or_else(|| Fault::other("date value out of range"))
        }
        ("-", Val::DateTime(x), Val::DateTime(y)) => Ok(Val::Delta(*x - *y)),
        ("+", Val::Delta(x), Val::Delta(y)) => x.checked_add(y).map(Val::Delta).ok_or_else(overflow),
        ("-", Val::Delta(x), Val::Delta(y)) => x.checked_sub(y).map(Val::Delta).ok_or_else(overflow),
        ("*", Val::Str(s), n) | ("*", n, Val::Str(s)) if n.int().is_some() => {
            let count = usize::try_from(n.int().unwrap_or(0)).unwrap_or(0);
            it.charge(s.len().saturating_mul(count))?;
            Ok(Val::from(s.repeat(count)))
        }
        ("*", Val::List(items), n) | ("*", n, Val::List(items)) if n.int().is_some() => {
            let count = usize::try_from(n.int().unwrap_or(0)).unwrap_or(0);
            let items = items.borrow();
            it.charge(items.len().saturating_mul(count).saturating_mul(16))?;
            Ok(Val::list((0..count).flat_map(|_| items.iter().cloned()).collect()))
        }
        ("%", Val::Str(format), values) => {
            let values = match values {
                Val::Tuple(items) => items.as_ref().clone(),
                other => vec![other.clone()],
            };
            super::methods::percent_format(it, format, &values)
        }
        _ => arithmetic(op, a, b),
    }
}

fn arithmetic(op: &'static str, a: &Val, b: &Val) -> Rendered<Val> {
    if let (Some(x), Some(y)) = (a.int(), b.int()) {
        let zero = || {
            Fault::other(if op == "/" { "division by zero" } else { "integer division or modulo by zero" })
        };
        let value = match op {
            "+" => x.checked_add(y),
            "-" => x.checked_sub(y),
            "*" => x.checked_mul(y),
            "**" if y >= 0 => u32::try_from(y).ok().and_then(|y| x.checked_pow(y)),
            "//" | "%" | "/" if y == 0 => return Err(zero()),
            "//" => floor_div(x, y),
            "%" => floor_div(x, y).and_then(|q| q.checked_mul(y)).and_then(|p| x.checked_sub(p)),
            _ => return float(op, a, b),
        };
        return value.map(Val::Int).ok_or_else(overflow);
    }
    float(op, a, b)
}

fn floor_div(x: i64, y: i64) -> Option<i64> {
    let q = x.checked_div(y)?;
    if x.checked_rem(y)? != 0 && (x < 0) != (y < 0) { q.checked_sub(1) } else { Some(q) }
}

fn float(op: &'static str, a: &Val, b: &Val) -> Rendered<Val> {
    let (Some(x), Some(y)) = (a.number(), b.number()) else {
        if let ("+", Val::Str(_)) = (op, a) {
            return Err(Fault::other(format!("can only concatenate str (not \"{}\") to str", b.type_name())));
        }
        return Err(unsupported(op, a, b));
    };
    if matches!(op, "/" | "//" | "%") && y == 0.0 {
        return Err(Fault::other("float division by zero"));
    }
    Ok(Val::Float(match op {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" => x / y,
        "//" => (x / y).floor(),
        "%" => x - y * (x / y).floor(),
        _ => x.powf(y),
    }))
}

/// One link of a comparison.
pub(super) fn compare(it: &mut Interpreter<'_>, op: &str, a: &Val, b: &Val) -> Rendered<bool> {
    match op {
        "==" => Ok(a.equals(b)),
        "!=" => Ok(!a.equals(b)),
        "in" => contains(it, b, a),
        "not in" => contains(it, b, a).map(|found| !found),
        _ => {
            a.defined()?;
            b.defined()?;
            let order = a.order(b).ok_or_else(|| {
                Fault::other(format!(
                    "'{op}' not supported between instances of '{}' and '{}'",
                    a.type_name(),
                    b.type_name()
                ))
            })?;
            Ok(match op {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            })
        }
    }
}

pub(super) fn contains(it: &mut Interpreter<'_>, container: &Val, item: &Val) -> Rendered<bool> {
    match (container, item) {
        (Val::Str(text), Val::Str(part)) => Ok(text.contains(part.as_ref())),
        (Val::Str(_), other) => Err(Fault::other(format!(
            "'in <string>' requires string as left operand, not {}",
            other.type_name()
        ))),
        (Val::Dict(map), key) => Ok(map.borrow().contains_key(&super::value::dict_key(key))),
        (container, item) => {
            let items = container.iterate()?;
            it.charge(items.len())?;
            Ok(items.iter().any(|v| v.equals(item)))
        }
    }
}

/// `value[start:stop:step]`
pub(super) fn slice(value: &Val, start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> Rendered<Val> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Fault::other("slice step cannot be zero"));
    }
    let items = value.iterate()?;
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let clamp = |index: i64, low: i64, high: i64| {
        (if index < 0 { index.saturating_add(length) } else { index }).clamp(low, high)
    };
    let (first, last) = if step > 0 {
        (clamp(start.unwrap_or(0), 0, length), clamp(stop.unwrap_or(length), 0, length))
    } else {
        (
            start.map_or(length - 1, |s| clamp(s, -1, length - 1)),
            stop.map_or(-1, |s| clamp(s, -1, length - 1)),
        )
    };
    let mut out = Vec::new();
    let mut at = first;
    while if step > 0 { at < last } else { at > last } {
        out.extend(usize::try_from(at).ok().and_then(|i| items.get(i)).cloned());
        at = at.saturating_add(step);
    }
    Ok(match value {
        Val::Str(_) => Val::from(out.iter().map(Val::text).collect::<String>()),
        Val::Tuple(_) => Val::Tuple(Rc::new(out)),
        _ => Val::list(out),
    })
}
