//! `math`, `itertools`, `functools`, `collections`, `logging`, `typing`, `copy` and other small modules.

use std::sync::Arc;

use parking_lot::Mutex;
use ruff_text_size::TextSize;

use super::{
    error::{Done, Problem},
    interp::Interp,
    value::{Arguments, Class, Dict, Key, Value},
};

pub(super) fn constant(name: &str) -> Option<Value> {
    Some(match name {
        "math.inf" => Value::Float(f64::INFINITY),
        "math.pi" => Value::Float(std::f64::consts::PI),
        "math.e" => Value::Float(std::f64::consts::E),
        "math.nan" => Value::Float(f64::NAN),
        "logging.CRITICAL" | "logging.FATAL" => Value::Int(50),
        "logging.ERROR" => Value::Int(40),
        "logging.WARNING" | "logging.WARN" => Value::Int(30),
        "logging.INFO" => Value::Int(20),
        "logging.DEBUG" => Value::Int(10),
        "logging.NOTSET" => Value::Int(0),
        "ssl.CERT_NONE" => Value::Int(0),
        "ssl.CERT_OPTIONAL" => Value::Int(1),
        "ssl.CERT_REQUIRED" => Value::Int(2),
        "typing.TYPE_CHECKING" => Value::Bool(false),
        "http.HTTPStatus.OK" => Value::Int(200),
        _ => return None,
    })
}

pub(super) fn call(
    interp: &mut Interp<'_>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let args = &arguments.positional[..];
    if let Some(function) = name.strip_prefix("math.") {
        return mathematics(interp, function, args, at);
    }
    if let Some(function) = name.strip_prefix("itertools.") {
        return iterators(interp, function, arguments, at);
    }
    if let Some(function) = name.strip_prefix("logging.") {
        return Some(Ok(match function {
            "getLogger" | "LoggerAdapter" => Value::known("logging.Logger"),
            "getLevelName" => match args.first()? {
                Value::Int(n) => Value::text(match n {
                    10 => "DEBUG",
                    20 => "INFO",
                    30 => "WARNING",
                    40 => "ERROR",
                    _ => "CRITICAL",
                }),
                other => constant(&format!("logging.{}", other.to_text().to_uppercase()))?,
            },
            "Logger.getEffectiveLevel" => Value::Int(20),
            "Logger.isEnabledFor" => Value::Bool(true),
            "Logger.getChild" => Value::known("logging.Logger"),
            f if f.chars().next().is_some_and(char::is_lowercase) || f.starts_with("Logger.") => Value::None,
            _ => return None,
        }));
    }
    Some(Ok(match name {
        "functools.partial" => {
            let function = args.first()?.clone();
            let rest = args.iter().skip(1).cloned().collect();
            Value::Partial(Arc::new((
                function,
                Arguments { positional: rest, named: arguments.named.clone() },
            )))
        }
        // nothing is remembered between calls: the result is the same
        "functools.lru_cache" | "functools.cache" if matches!(args.first(), Some(f) if f.is_callable()) => {
            args[0].clone()
        }
        "functools.lru_cache" | "functools.wraps" | "functools.total_ordering" => {
            if name == "functools.total_ordering" { args.first()?.clone() } else { identity() }
        }
        "functools.cached_property" => {
            Value::Wrapped(super::value::Wrapper::Property, Arc::new(args.first()?.clone()))
        }
        "functools.reduce" => {
            let mut all = match interp.iterate(args.get(1)?, at) {
                Ok(all) => all.into_iter(),
                Err(fault) => return Some(Err(fault)),
            };
            let first = args.get(2).cloned().or_else(|| all.next());
            let Some(mut total) = first else {
                return Some(interp.raise(Problem::kind("reduce() of nothing"), at));
            };
            for value in all {
                total = match interp.call(&args[0], Arguments::of(vec![total, value]), at) {
                    Ok(total) => total,
                    Err(fault) => return Some(Err(fault)),
                };
            }
            total
        }
        "collections.defaultdict" => {
            let dict = Value::dict([]);
            if let Some(other) = args.get(1)
                && let Err(fault) = interp.update(&dict, other, at)
            {
                return Some(Err(fault));
            }
            let Value::Dict(items) = &dict else { return None };
            let items = Mutex::new(items.items.lock().clone());
            Value::Dict(Arc::new(Dict {
                items,
                missing: args.first().filter(|m| !matches!(m, Value::None)).cloned(),
            }))
        }
        "collections.OrderedDict" => {
            return super::builtins::call(interp, "dict", arguments, at);
        }
        "collections.Counter" => {
            let zero = Value::known("int");
            let counter = Dict { items: Mutex::default(), missing: Some(zero) };
            if let Some(over) = args.first() {
                let all = match interp.iterate(over, at) {
                    Ok(all) => all,
                    Err(fault) => return Some(Err(fault)),
                };
                let mut items = counter.items.lock();
                for value in all {
                    let count = items.entry(Key(value)).or_insert(Value::Int(0));
                    *count = Value::Int(count.integer().unwrap_or(0) + 1);
                }
            }
            Value::Dict(Arc::new(counter))
        }
        "collections.namedtuple" => {
            let fields = match args.get(1)? {
                Value::Str(s) => s.replace(',', " ").split_whitespace().map(str::to_owned).collect(),
                other => match interp.iterate(other, at) {
                    Ok(all) => all.iter().map(Value::to_text).collect(),
                    Err(fault) => return Some(Err(fault)),
                },
            };
            let name = args.first()?.to_text();
            Value::Class(Arc::new(Class {
                name,
                bases: Vec::new(),
                attributes: Mutex::default(),
                fields: Some(fields),
            }))
        }
        "copy.copy" => match args.first()? {
            Value::List(_) | Value::Dict(_) | Value::Set(_) => {
                return Some(interp.method(&args[0], "copy", Arguments::default(), at));
            }
            other => other.clone(),
        },
        "copy.deepcopy" => {
            if let Err(fault) = interp.steps(args.first()?.repr().len() / 16, at) {
                return Some(Err(fault));
            }
            deep_copy(args.first()?, 60)
        }
        "dataclasses.dataclass" => match args.first() {
            Some(class) => class.clone(),
            None => Value::Partial(Arc::new((Value::known(name), arguments.clone()))),
        },
        "dataclasses.field" => Value::Partial(Arc::new((Value::known(name), arguments.clone()))),
        "dataclasses.asdict" => match args.first()? {
            Value::Object(o) => {
                let all = o.attributes.lock().clone();
                Value::dict(all.into_iter().map(|(k, v)| (Value::text(k), v)))
            }
            _ => return None,
        },
        "typing.cast" => args.last()?.clone(),
        "typing.TypeVar" | "typing.NewType" => Value::known("typing.Any"),
        "typing.overload" | "typing.final" | "abc.abstractmethod" | "atexit.register" => {
            args.first()?.clone()
        }
        "textwrap.dedent" => Value::text(dedent(&args.first()?.to_text())),
        "object.__init__" | "warnings.filterwarnings" | "warnings.simplefilter" | "warnings.warn" => {
            Value::None
        }
        "contextlib.suppress" => {
            let mut all = vec![Value::known("contextlib.suppress")];
            all.extend(args.iter().cloned());
            Value::Tuple(all.into())
        }
        "importlib.import_module" => {
            let module = args.first()?.to_text();
            return Some(interp.import_module(&module, at));
        }
        "operator.itemgetter" => {
            let getter = Value::known("liteset.item");
            Value::Partial(Arc::new((getter, Arguments { positional: args.to_vec(), named: Vec::new() })))
        }
        "liteset.item" => return Some(interp.item(args.last()?, args.first()?, at)),
        "operator.attrgetter" => {
            let getter = Value::known("liteset.attribute");
            Value::Partial(Arc::new((getter, Arguments { positional: args.to_vec(), named: Vec::new() })))
        }
        "liteset.attribute" => return Some(interp.attribute(args.last()?, &args.first()?.to_text(), at)),
        "liteset.identity" => args.first()?.clone(),
        "distutils.util.strtobool" | "setuptools._distutils.util.strtobool" | "str2bool.str2bool" => {
            match &*args.first()?.to_text().to_lowercase() {
                "y" | "yes" | "t" | "true" | "on" | "1" => Value::Int(1),
                "n" | "no" | "f" | "false" | "off" | "0" => Value::Int(0),
                _ => return Some(interp.raise(Problem::hidden("ValueError", "invalid truth value"), at)),
            }
        }
        "ast.literal_eval" => return Some(super::imports::run_text(interp, args.first()?, true, at)),
        "enum.auto" => Value::known("enum.auto"),
        "shlex.split" => Value::list(args.first()?.to_text().split_whitespace().map(Value::text).collect()),
        "html.escape" => Value::text(
            args.first()?
                .to_text()
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&#x27;"),
        ),
        _ => return None,
    }))
}

/// A decorator that changes nothing.
fn identity() -> Value {
    Value::known("liteset.identity")
}

fn deep_copy(value: &Value, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return value.clone() };
    match value {
        Value::List(v) => {
            let items = v.lock().clone();
            Value::list(items.iter().map(|v| deep_copy(v, depth)).collect())
        }
        Value::Tuple(v) => Value::Tuple(v.iter().map(|v| deep_copy(v, depth)).collect()),
        Value::Dict(d) => {
            let items = d.items.lock().clone();
            let items = items.into_iter().map(|(k, v)| (k, deep_copy(&v, depth))).collect();
            Value::Dict(Arc::new(Dict { items: Mutex::new(items), missing: d.missing.clone() }))
        }
        Value::Set(s) => Value::set(s.lock().iter().map(|k| k.0.clone()).collect::<Vec<_>>()),
        other => other.clone(),
    }
}

fn dedent(text: &str) -> String {
    let blank = |line: &&str| line.trim().is_empty();
    let indent = text
        .lines()
        .filter(|line| !blank(line))
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let lines: Vec<&str> = text
        .split('\n')
        .map(|line| if blank(&line) { "" } else { line.get(indent..).unwrap_or("") })
        .collect();
    lines.join("\n")
}

fn mathematics(interp: &mut Interp<'_>, function: &str, args: &[Value], at: TextSize) -> Option<Done<Value>> {
    let x = args.first()?.number()?;
    let second = || args.get(1).and_then(Value::number);
    Some(Ok(match function {
        "floor" => Value::Int(x.floor() as i128),
        "ceil" => Value::Int(x.ceil() as i128),
        "trunc" => Value::Int(x.trunc() as i128),
        "sqrt" if x < 0.0 => return Some(interp.raise(Problem::safe("ValueError", "math domain error"), at)),
        "sqrt" => Value::Float(x.sqrt()),
        "log" if x > 0.0 => Value::Float(second().map_or(x.ln(), |base| x.ln() / base.ln())),
        "log2" if x > 0.0 => Value::Float(x.log2()),
        "log10" if x > 0.0 => Value::Float(x.log10()),
        "exp" => Value::Float(x.exp()),
        "pow" => Value::Float(x.powf(second()?)),
        "fabs" => Value::Float(x.abs()),
        "isnan" => Value::Bool(x.is_nan()),
        "isinf" => Value::Bool(x.is_infinite()),
        _ => return None,
    }))
}

fn iterators(
    interp: &mut Interp<'_>,
    function: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let args = &arguments.positional[..];
    let done = (|| -> Done<Option<Vec<Value>>> {
        Ok(Some(match function {
            "chain" => {
                let mut out = Vec::new();
                for arg in args {
                    out.extend(interp.iterate(arg, at)?);
                }
                out
            }
            "chain.from_iterable" => {
                let mut out = Vec::new();
                let Some(first) = args.first() else { return Ok(None) };
                for arg in interp.iterate(first, at)? {
                    out.extend(interp.iterate(&arg, at)?);
                }
                out
            }
            "product" => {
                let mut out: Vec<Vec<Value>> = vec![Vec::new()];
                for arg in args {
                    let column = interp.iterate(arg, at)?;
                    interp.spend(out.len().saturating_mul(column.len()).saturating_mul(64), at)?;
                    out = out
                        .iter()
                        .flat_map(|row| column.iter().map(|v| [&row[..], std::slice::from_ref(v)].concat()))
                        .collect();
                }
                out.into_iter().map(|row| Value::Tuple(row.into())).collect()
            }
            "repeat" => {
                let Some(count) = args.get(1).and_then(Value::integer) else { return Ok(None) };
                let count = usize::try_from(count).unwrap_or(0);
                interp.spend(count.saturating_mul(16), at)?;
                vec![args[0].clone(); count]
            }
            "islice" => {
                let Some(first) = args.first() else { return Ok(None) };
                let all = interp.iterate(first, at)?;
                let mut parts = vec![Value::known("slice")];
                match &args[1..] {
                    [end] => parts.extend([Value::None, end.clone(), Value::None]),
                    more => parts.extend(more.iter().cloned()),
                }
                parts.resize(4, Value::None);
                let cut = interp.item(&Value::list(all), &Value::Tuple(parts.into()), at)?;
                interp.iterate(&cut, at)?
            }
            _ => return Ok(None),
        }))
    })();
    match done {
        Ok(Some(items)) => Some(Ok(Value::iterator(items))),
        Ok(None) => None,
        Err(fault) => Some(Err(fault)),
    }
}
