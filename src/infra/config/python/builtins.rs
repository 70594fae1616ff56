//! Functions that need no import.

use std::{cmp::Ordering, sync::Arc};

use ruff_text_size::TextSize;

use super::{
    error::{Done, Fault, Problem},
    format,
    interp::Interp,
    library, operate,
    value::{Arguments, Value, Wrapper},
};

/// Names of functions and types.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "all",
    "any",
    "ascii",
    "bool",
    "bytes",
    "bytearray",
    "callable",
    "chr",
    "classmethod",
    "compile",
    "delattr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "eval",
    "exec",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "locals",
    "map",
    "max",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
    "__import__",
];

/// A call; nothing when it is none of these.
pub(super) fn call(
    interp: &mut Interp<'_>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    if !NAMES.contains(&name) {
        return None;
    }
    Some(call_known(interp, name, arguments, at))
}

fn wrong(interp: &Interp<'_>, name: &str, at: TextSize) -> Done<Value> {
    interp.raise(Problem::kind(format!("{name}() cannot take these arguments")), at)
}

fn call_known(interp: &mut Interp<'_>, name: &str, arguments: &Arguments, at: TextSize) -> Done<Value> {
    let args = &arguments.positional[..];
    Ok(match (name, args) {
        ("print", _) => Value::None,
        ("len", [value]) => match value.len() {
            Some(len) => Value::Int(len as i128),
            None if matches!(value, Value::Object(_)) => {
                let method = interp.attribute(value, "__len__", at)?;
                return interp.call(&method, Arguments::default(), at);
            }
            None => Value::Int(interp.iterate(value, at)?.len() as i128),
        },
        ("str", []) => Value::text(""),
        ("str", [Value::Bytes(b), ..]) if args.len() > 1 => Value::text(String::from_utf8_lossy(b)),
        ("str", [value, ..]) => {
            if let Value::Known(_) = value
                && library::text_of_known(value).is_none()
            {
                return interp.unknown(&value.what(), at);
            }
            Value::text(interp.text_of(value, at)?)
        }
        ("repr" | "ascii", [value]) => Value::text(interp.repr_of(value, at)?),
        ("format", [value]) => Value::text(interp.text_of(value, at)?),
        ("format", [value, Value::Str(spec)]) => {
            let made = format::format(value, spec);
            Value::text(interp.or_raise(made, at)?)
        }
        ("int", _) => return integer(interp, arguments, at),
        ("float", []) => Value::Float(0.0),
        ("float", [Value::Str(s)]) => match crate::python::parse_float(s) {
            Some(f) => Value::Float(f),
            None => {
                let text = format!("could not convert string to float: {}", args[0].repr());
                return interp.raise(Problem::hidden("ValueError", text), at);
            }
        },
        ("float", [value]) => match value.number() {
            Some(f) => Value::Float(f),
            None => return wrong(interp, name, at),
        },
        ("bool", []) => Value::Bool(false),
        ("bool", [value]) => Value::Bool(interp.truth(value, at)?),
        ("bytes" | "bytearray", []) => Value::Bytes(Arc::from([])),
        ("bytes" | "bytearray", [Value::Str(s), ..]) => Value::Bytes(s.as_bytes().into()),
        ("bytes" | "bytearray", [Value::Int(n)]) => {
            let n = usize::try_from(*n).unwrap_or(usize::MAX);
            interp.spend(n, at)?;
            Value::Bytes(vec![0; n].into())
        }
        ("bytes" | "bytearray", [value]) => {
            let all = interp.iterate(value, at)?;
            Value::Bytes(all.iter().filter_map(|v| u8::try_from(v.integer()?).ok()).collect())
        }
        ("list", []) => Value::list(Vec::new()),
        ("list", [value]) => Value::list(interp.iterate(value, at)?),
        ("tuple", []) => Value::Tuple(Arc::from([])),
        ("tuple", [value]) => Value::Tuple(interp.iterate(value, at)?.into()),
        ("set" | "frozenset", []) => Value::set([]),
        ("set" | "frozenset", [value]) => {
            let all = interp.iterate(value, at)?;
            return interp.make_set(all, at);
        }
        ("dict", _) => {
            let dict = Value::dict([]);
            if let Some(other) = args.first() {
                interp.update(&dict, other, at)?;
            }
            for (name, value) in &arguments.named {
                interp.set_item(&dict, Value::text(name), value.clone(), at)?;
            }
            dict
        }
        ("range", _) => {
            let all: Option<Vec<i128>> = args.iter().map(Value::integer).collect();
            match all.as_deref() {
                Some([end]) => Value::Range(0, *end, 1),
                Some([first, end]) => Value::Range(*first, *end, 1),
                Some([first, end, step]) if *step != 0 => Value::Range(*first, *end, *step),
                _ => return wrong(interp, name, at),
            }
        }
        ("object", _) => Value::record("object", []),
        ("abs", [value]) => match value {
            Value::Float(f) => Value::Float(f.abs()),
            Value::Timedelta(t) => Value::Timedelta(t.saturating_abs()),
            other => match other.integer() {
                Some(i) => Value::Int(i.saturating_abs()),
                None => return wrong(interp, name, at),
            },
        },
        ("round", [value]) => match value.number() {
            Some(_) if value.integer().is_some() => value.clone(),
            Some(f) => Value::Int(f.round_ties_even() as i128),
            None => return wrong(interp, name, at),
        },
        ("round", [value, digits]) => match (value.number(), digits.integer()) {
            (Some(f), Some(digits @ 0..=300)) => {
                Value::Float(format!("{f:.*}", digits as usize).parse().unwrap_or(f))
            }
            (Some(_), None) => return call_known(interp, name, &Arguments::of(vec![value.clone()]), at),
            _ => value.clone(),
        },
        ("divmod", [a, b]) => {
            let q = interp.binary(a, ruff_python_ast::Operator::FloorDiv, b, at)?;
            let r = interp.binary(a, ruff_python_ast::Operator::Mod, b, at)?;
            Value::Tuple(vec![q, r].into())
        }
        ("pow", [a, b]) => return interp.binary(a, ruff_python_ast::Operator::Pow, b, at),
        ("sum", _) => {
            let mut total = arguments.get(1, "start").cloned().unwrap_or(Value::Int(0));
            let all = interp.iterate(args.first().unwrap_or(&Value::None), at)?;
            for value in all {
                total = interp.binary(&total, ruff_python_ast::Operator::Add, &value, at)?;
            }
            total
        }
        ("min" | "max", _) => return extreme(interp, name == "max", arguments, at),
        ("sorted", [value]) => {
            let mut all = interp.iterate(value, at)?;
            sort(interp, &mut all, arguments, at)?;
            Value::list(all)
        }
        ("reversed", [value]) => {
            let mut all = interp.iterate(value, at)?;
            all.reverse();
            Value::iterator(all)
        }
        ("enumerate", [value, ..]) => {
            let first = arguments.get(1, "start").and_then(Value::integer).unwrap_or(0);
            let all = interp.iterate(value, at)?;
            let pairs = all.into_iter().enumerate();
            Value::iterator(
                pairs.map(|(i, v)| Value::Tuple(vec![Value::Int(first + i as i128), v].into())).collect(),
            )
        }
        ("zip", _) => {
            let columns = args.iter().map(|a| interp.iterate(a, at)).collect::<Done<Vec<_>>>()?;
            let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
            let row = |i: usize| Value::Tuple(columns.iter().filter_map(|c| c.get(i).cloned()).collect());
            Value::iterator((0..rows).map(row).collect())
        }
        ("map", [function, values @ ..]) => {
            let columns = values.iter().map(|a| interp.iterate(a, at)).collect::<Done<Vec<_>>>()?;
            let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
            let mut out = Vec::with_capacity(rows);
            for i in 0..rows {
                let row = columns.iter().filter_map(|c| c.get(i).cloned()).collect();
                out.push(interp.call(function, Arguments::of(row), at)?);
            }
            Value::iterator(out)
        }
        ("filter", [function, values]) => {
            let mut out = Vec::new();
            for value in interp.iterate(values, at)? {
                let answer = match function {
                    Value::None => value.clone(),
                    function => interp.call(function, Arguments::of(vec![value.clone()]), at)?,
                };
                if interp.truth(&answer, at)? {
                    out.push(value);
                }
            }
            Value::iterator(out)
        }
        ("any" | "all", [values]) => {
            let wanted = name == "any";
            for value in interp.iterate(values, at)? {
                if interp.truth(&value, at)? == wanted {
                    return Ok(Value::Bool(wanted));
                }
            }
            Value::Bool(!wanted)
        }
        ("iter", [Value::Iter(_)]) => args[0].clone(),
        ("iter", [value]) => Value::iterator(interp.iterate(value, at)?),
        ("next", [Value::Iter(rest), default @ ..]) => {
            let next = rest.lock().pop();
            match (next, default.first()) {
                (Some(value), _) => value,
                (None, Some(default)) => default.clone(),
                (None, None) => return interp.raise(Problem::safe("StopIteration", ""), at),
            }
        }
        ("next", [Value::File(..), ..]) => {
            return interp.method(&args[0], "readline", Arguments::default(), at);
        }
        ("type", [value]) => library::type_of(value),
        ("isinstance", [Value::Unknown(why), _]) => return interp.unknown(why, at),
        ("isinstance", [value, class]) => Value::Bool(library::is_instance(value, class)),
        ("issubclass", [Value::Class(class), wanted]) => {
            Value::Bool(class.line().iter().any(|above| above.equals(wanted)))
        }
        ("callable", [value]) => Value::Bool(value.is_callable() || matches!(value, Value::Known(_))),
        ("hash", [value]) => {
            use std::hash::{Hash, Hasher};
            let mut hasher = std::hash::DefaultHasher::new();
            super::value::Key(value.clone()).hash(&mut hasher);
            Value::Int(i128::from(hasher.finish() as i64))
        }
        ("id", [_]) => Value::Int(0),
        ("chr", [value]) => {
            let c = value.integer().and_then(|i| u32::try_from(i).ok()).and_then(char::from_u32);
            match c {
                Some(c) => Value::text(c.to_string()),
                None => return wrong(interp, name, at),
            }
        }
        ("ord", [value]) => match value {
            Value::Str(s) if s.chars().count() == 1 => Value::Int(s.chars().next().map_or(0, |c| c as i128)),
            Value::Bytes(b) if b.len() == 1 => Value::Int(i128::from(b[0])),
            _ => return wrong(interp, name, at),
        },
        ("hex" | "oct", [value]) => match value.integer() {
            Some(_) => {
                let made = format::format(value, if name == "hex" { "#x" } else { "#o" });
                Value::text(interp.or_raise(made, at)?)
            }
            None => return wrong(interp, name, at),
        },
        ("getattr", [value, Value::Str(attribute), default @ ..]) => {
            match (interp.attribute(value, attribute, at), default.first()) {
                (Err(Fault::Raise(raised)), Some(default))
                    if super::error::matches(&raised.error, &Value::known("AttributeError")) =>
                {
                    default.clone()
                }
                (done, _) => return done,
            }
        }
        ("hasattr", [value, Value::Str(attribute)]) => match interp.attribute(value, attribute, at) {
            Ok(Value::Known(_) | Value::Unknown(_))
                if matches!(value, Value::Known(_) | Value::Unknown(_)) =>
            {
                return interp.unknown(&format!("{}.{attribute}", value.what()), at);
            }
            Ok(_) => Value::Bool(true),
            Err(Fault::Raise(_)) => Value::Bool(false),
            Err(other) => return Err(other),
        },
        ("setattr", [value, Value::Str(attribute), new]) => {
            interp.set_attribute(value, attribute, new.clone(), at)?;
            Value::None
        }
        ("staticmethod" | "classmethod" | "property", [function, ..]) => {
            let kind = match name {
                "staticmethod" => Wrapper::Static,
                "classmethod" => Wrapper::Class,
                _ => Wrapper::Property,
            };
            Value::Wrapped(kind, Arc::new(function.clone()))
        }
        ("super", _) => return above(interp, args, at),
        ("globals", []) => Value::Module(interp.frame.globals()),
        ("locals" | "vars", []) => Value::Module(interp.frame.clone()),
        ("vars", [value]) => return interp.attribute(value, "__dict__", at),
        ("dir", []) => {
            let frame = interp.frame.clone();
            let mut names: Vec<String> = frame.names.lock().keys().cloned().collect();
            names.sort();
            Value::list(names.into_iter().map(Value::text).collect())
        }
        ("dir", [value]) => {
            let mut names: Vec<String> = match value {
                Value::Module(frame) => frame.names.lock().keys().cloned().collect(),
                Value::Object(o) => o.attributes.lock().keys().cloned().collect(),
                Value::Class(c) => c.attributes.lock().keys().cloned().collect(),
                other => return interp.unknown(&format!("dir({})", other.what()), at),
            };
            names.sort();
            Value::list(names.into_iter().map(Value::text).collect())
        }
        ("open", _) => return super::lib_os::open(interp, arguments, at),
        ("__import__", [Value::Str(module), ..]) => {
            let module = module.to_string();
            return interp.import_module(&module, at);
        }
        ("exec" | "eval", [code, ..]) => return super::imports::run_text(interp, code, name == "eval", at),
        // `exec(compile(text, name, "exec"))`
        ("compile", [text, ..]) => text.clone(),
        ("slice", _) => {
            let mut parts = vec![Value::known("slice")];
            match args {
                [end] => parts.extend([Value::None, end.clone(), Value::None]),
                more => parts.extend(more.iter().cloned()),
            }
            parts.resize(4, Value::None);
            Value::Tuple(parts.into())
        }
        ("input", _) => return interp.unknown("input(…)", at),
        _ => return wrong(interp, name, at),
    })
}

fn integer(interp: &mut Interp<'_>, arguments: &Arguments, at: TextSize) -> Done<Value> {
    let base = arguments.get(1, "base").and_then(Value::integer).unwrap_or(10);
    let value = match arguments.positional.first() {
        None => return Ok(Value::Int(0)),
        Some(value) => value,
    };
    let found = match value {
        Value::Str(s) => {
            let text = s.trim().replace('_', "").to_ascii_lowercase();
            let (sign, digits) = match text.strip_prefix('-') {
                Some(rest) => (-1, rest),
                None => (1, text.strip_prefix('+').unwrap_or(&text)),
            };
            let (base, digits) = match (base, digits.get(..2)) {
                (0 | 16, Some("0x")) => (16, &digits[2..]),
                (0 | 8, Some("0o")) => (8, &digits[2..]),
                (0 | 2, Some("0b")) => (2, &digits[2..]),
                (0, _) => (10, digits),
                _ => (u32::try_from(base).unwrap_or(10).clamp(2, 36), digits),
            };
            let starts_well = digits.starts_with(|c: char| c.is_ascii_alphanumeric());
            i128::from_str_radix(digits, base).ok().filter(|_| starts_well).map(|i| i * sign)
        }
        Value::Float(f) if f.is_finite() => Some(f.trunc() as i128),
        other => match other.integer() {
            Some(i) => Some(i),
            None => match value.enum_value().and_then(|v| v.integer()) {
                Some(i) => Some(i),
                None => return wrong(interp, "int", at),
            },
        },
    };
    match found {
        Some(i) => Ok(Value::Int(i)),
        None => {
            let text = format!("invalid literal for int() with base {base}: {}", value.repr());
            interp.raise(Problem::hidden("ValueError", text), at)
        }
    }
}

/// The key of `sorted`, `min` and `max`.
fn keyed(interp: &mut Interp<'_>, all: &[Value], arguments: &Arguments, at: TextSize) -> Done<Vec<Value>> {
    match arguments.named("key") {
        None | Some(Value::None) => Ok(all.to_vec()),
        Some(key) => {
            let key = key.clone();
            all.iter().map(|v| interp.call(&key, Arguments::of(vec![v.clone()]), at)).collect()
        }
    }
}

/// `list.sort()`.
pub(super) fn sort(
    interp: &mut Interp<'_>,
    all: &mut Vec<Value>,
    arguments: &Arguments,
    at: TextSize,
) -> Done<()> {
    let keys = keyed(interp, all, arguments, at)?;
    let mut pairs: Vec<(Value, Value)> = keys.into_iter().zip(all.drain(..)).collect();
    interp.steps(pairs.len().saturating_mul(4), at)?;
    let mut is_ordered = true;
    pairs.sort_by(|a, b| {
        operate::order(&a.0, &b.0).unwrap_or_else(|| {
            is_ordered = false;
            Ordering::Equal
        })
    });
    if !is_ordered {
        return interp.raise(Problem::kind("the values have no order"), at);
    }
    let reverse = match arguments.named("reverse") {
        Some(reverse) => interp.truth(&reverse.clone(), at)?,
        None => false,
    };
    if reverse {
        pairs.reverse();
    }
    all.extend(pairs.into_iter().map(|(_, v)| v));
    Ok(())
}

fn extreme(interp: &mut Interp<'_>, is_max: bool, arguments: &Arguments, at: TextSize) -> Done<Value> {
    let all = match &arguments.positional[..] {
        [one] => interp.iterate(one, at)?,
        more => more.to_vec(),
    };
    let keys = keyed(interp, &all, arguments, at)?;
    let mut best: Option<(Value, Value)> = None;
    for (key, value) in keys.into_iter().zip(all) {
        let is_better = match &best {
            None => true,
            Some((best, _)) => match operate::order(&key, best) {
                Some(order) => order == if is_max { Ordering::Greater } else { Ordering::Less },
                None => return interp.raise(Problem::kind("the values have no order"), at),
            },
        };
        if is_better {
            best = Some((key, value));
        }
    }
    match (best, arguments.named("default")) {
        (Some((_, value)), _) => Ok(value),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => interp.raise(Problem::safe("ValueError", "min() or max() of nothing"), at),
    }
}

/// `super()`: of the class in which the method that runs was found.
fn above(interp: &Interp<'_>, args: &[Value], at: TextSize) -> Done<Value> {
    let (class, object) = match args {
        [Value::Class(class), object] => (Some(class.clone()), Some(object.clone())),
        _ => {
            let class = match interp.frame.find("__class__") {
                Some(Value::Class(class)) => Some(class),
                _ => None,
            };
            let object = interp.frame.names.lock().values().next().cloned();
            (class, object)
        }
    };
    let (Some(class), Some(object)) = (class, object) else {
        return interp.raise(Problem::safe("RuntimeError", "super() outside of a method"), at);
    };
    let line = match &object {
        Value::Object(o) => o.class.line(),
        Value::Class(c) => c.line(),
        _ => class.line(),
    };
    let after = line.iter().position(|c| matches!(c, Value::Class(c) if Arc::ptr_eq(c, &class)));
    let rest = line.get(after.map_or(0, |i| i + 1)..).unwrap_or_default().to_vec();
    Ok(Value::Super(Arc::new((rest, object))))
}
