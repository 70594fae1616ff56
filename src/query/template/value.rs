//! Values of templates, with Python's text forms, truth and comparisons.

use std::{
    cell::{Cell, RefCell},
    cmp::Ordering,
    collections::HashMap,
    rc::Rc,
};

use chrono::{NaiveDateTime, TimeDelta};
use indexmap::IndexMap;
use serde_json::{Number, Value};

use super::ast::MacroDef;
use super::error::{Fault, Rendered};
use crate::python::{float_str, repr_str};

/// Values that printing or comparing one value may visit: containers can hold the same container many times.
const MAX_NODES: usize = 100_000;

/// Takes one visit out of the budget.
fn spend(nodes: &Cell<usize>) -> bool {
    let left = nodes.get();
    nodes.set(left.saturating_sub(1));
    left > 0
}

/// Something that is not there (`DebugUndefined`): printing it gives the expression back, using it is an error.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Missing {
    pub(super) name: String,
    /// The kind of object that lacks it.
    pub(super) of: Option<&'static str>,
    /// What the sandbox has to say.
    pub(super) hint: Option<String>,
    /// The name is no text: an index.
    pub(super) index: bool,
}

impl Missing {
    pub(super) fn fault(&self) -> Fault {
        Fault::Template(match (&self.hint, self.of) {
            (Some(hint), _) => hint.clone(),
            (None, Some(kind)) if self.index => format!("{kind} has no element {}", self.name),
            (None, Some(kind)) => format!("'{kind}' has no attribute {}", repr_str(&self.name)),
            (None, None) => format!("{} is undefined", repr_str(&self.name)),
        })
    }

    fn debug_text(&self) -> String {
        match (&self.hint, self.of) {
            (Some(hint), _) => format!("{{{{ undefined value printed: {hint} }}}}"),
            (None, Some(kind)) if self.index => format!("{{{{ no such element: {kind}[{}] }}}}", self.name),
            (None, Some(kind)) => format!("{{{{ no such element: {kind}[{}] }}}}", repr_str(&self.name)),
            (None, None) => format!("{{{{ {} }}}}", self.name),
        }
    }
}

pub(super) type List = Rc<RefCell<Vec<Val>>>;
pub(super) type Dict = Rc<RefCell<IndexMap<String, (Val, Val)>>>;

/// The `loop` variable.
#[derive(Debug)]
pub(super) struct LoopState {
    pub(super) index: usize,
    pub(super) items: Rc<Vec<Val>>,
    pub(super) depth: usize,
    pub(super) last_changed: Rc<RefCell<Option<String>>>,
}

/// A macro with the variables it was made among.
#[derive(Debug)]
pub(super) struct MacroVal {
    pub(super) def: Rc<MacroDef>,
    pub(super) frames: Option<Vec<HashMap<String, Val>>>,
}

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Val {
    Undefined(Rc<Missing>),
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    List(List),
    Tuple(Rc<Vec<Val>>),
    Dict(Dict),
    DateTime(NaiveDateTime),
    Delta(TimeDelta),
    /// An object with attributes, such as a time filter.
    Object(Rc<Vec<(&'static str, Val)>>),
    Namespace(Dict),
    Loop(Rc<LoopState>),
    Function(&'static str),
    Method(Rc<(Val, String)>),
    Macro(Rc<MacroVal>),
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

/// The key under which a dictionary keeps an entry.
pub(super) fn dict_key(key: &Val) -> String {
    match key {
        Val::Str(text) => text.to_string(),
        other => format!("\0{}", other.repr()),
    }
}

impl Val {
    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(RefCell::new(items)))
    }

    pub(super) fn dict(items: impl IntoIterator<Item = (Self, Self)>) -> Self {
        Self::Dict(Rc::new(RefCell::new(items.into_iter().map(|(k, v)| (dict_key(&k), (k, v))).collect())))
    }

    pub(super) fn undefined(name: &str) -> Self {
        Self::Undefined(Rc::new(Missing { name: name.to_owned(), of: None, hint: None, index: false }))
    }

    pub(super) fn no_element(&self, name: &str) -> Self {
        Self::Undefined(Rc::new(Missing {
            name: name.to_owned(),
            of: Some(self.kind()),
            hint: None,
            index: false,
        }))
    }

    pub(super) fn from_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::None,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => {
                n.as_i64().map_or_else(|| Self::Float(n.as_f64().unwrap_or(f64::NAN)), Self::Int)
            }
            Value::String(s) => Self::from(s.as_str()),
            Value::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            Value::Object(map) => {
                Self::dict(map.iter().map(|(k, v)| (Self::from(k.as_str()), Self::from_json(v))))
            }
        }
    }

    pub(super) fn to_json(&self) -> Value {
        self.json_within(32, &Cell::new(MAX_NODES))
    }

    fn json_within(&self, depth: usize, nodes: &Cell<usize>) -> Value {
        let Some(depth) = depth.checked_sub(1).filter(|_| spend(nodes)) else { return Value::Null };
        let all = |items: &[Self]| {
            items.iter().take_while(|_| nodes.get() > 0).map(|v| v.json_within(depth, nodes)).collect()
        };
        match self {
            Self::None | Self::Undefined(_) => Value::Null,
            Self::Bool(b) => (*b).into(),
            Self::Int(i) => (*i).into(),
            Self::Float(f) => Number::from_f64(*f).map_or(Value::Null, Value::Number),
            Self::List(items) => all(&items.borrow()),
            Self::Tuple(items) => all(items),
            Self::Dict(map) => {
                map.borrow().values().map(|(k, v)| (k.text(), v.json_within(depth, nodes))).collect()
            }
            other => other.text().into(),
        }
    }

    /// `object_type_repr`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "jinja2.runtime.DebugUndefined object",
            Self::None => "None",
            Self::Bool(_) => "bool object",
            Self::Int(_) => "int object",
            Self::Float(_) => "float object",
            Self::Str(_) => "str object",
            Self::List(_) => "list object",
            Self::Tuple(_) => "tuple object",
            Self::Dict(_) => "dict object",
            Self::DateTime(_) => "datetime.datetime object",
            Self::Delta(_) => "datetime.timedelta object",
            Self::Object(_) => "superset.jinja_context.TimeFilter object",
            Self::Namespace(_) => "jinja2.utils.Namespace object",
            Self::Loop(_) => "jinja2.runtime.LoopContext object",
            Self::Macro(_) => "jinja2.runtime.Macro object",
            Self::Function(_) | Self::Method(_) => "functools.partial object",
        }
    }

    /// Class name, as `TypeError`s tell it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            other => {
                let kind = other.kind();
                let kind = kind.strip_suffix(" object").unwrap_or(kind);
                kind.rsplit('.').next().unwrap_or(kind)
            }
        }
    }

    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::None => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Float(f) => *f != 0.0,
            Self::Str(s) => !s.is_empty(),
            Self::List(items) => !items.borrow().is_empty(),
            Self::Tuple(items) => !items.is_empty(),
            Self::Dict(map) => !map.borrow().is_empty(),
            Self::Delta(delta) => *delta != TimeDelta::zero(),
            _ => true,
        }
    }

    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    /// `str()`.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Undefined(missing) => missing.debug_text(),
            Self::Str(s) => s.to_string(),
            Self::DateTime(t) => {
                let format = if t.and_utc().timestamp_subsec_micros() == 0 {
                    "%Y-%m-%d %H:%M:%S"
                } else {
                    "%Y-%m-%d %H:%M:%S%.6f"
                };
                t.format(format).to_string()
            }
            Self::Delta(delta) => delta_text(*delta),
            other => other.repr(),
        }
    }

    /// `repr()`; what is nested deeply or holds itself many times over is cut.
    pub(super) fn repr(&self) -> String {
        let mut out = String::new();
        self.write_repr(&mut out, 16, &Cell::new(MAX_NODES));
        out
    }

    fn write_repr(&self, out: &mut String, depth: usize, nodes: &Cell<usize>) {
        let Some(depth) = depth.checked_sub(1).filter(|_| spend(nodes)) else {
            out.push_str("...");
            return;
        };
        let all = |out: &mut String, items: &[Self]| {
            for (i, item) in items.iter().enumerate() {
                if nodes.get() == 0 {
                    break;
                }
                if i > 0 {
                    out.push_str(", ");
                }
                item.write_repr(out, depth, nodes);
            }
        };
        match self {
            Self::Undefined(_) => out.push_str("Undefined"),
            Self::None => out.push_str("None"),
            Self::Bool(true) => out.push_str("True"),
            Self::Bool(false) => out.push_str("False"),
            Self::Int(i) => out.push_str(&i.to_string()),
            Self::Float(f) => out.push_str(&float_str(*f)),
            Self::Str(s) => out.push_str(&repr_str(s)),
            Self::List(items) => {
                out.push('[');
                all(out, &items.borrow());
                out.push(']');
            }
            Self::Tuple(items) => {
                out.push('(');
                all(out, items);
                out.push_str(if items.len() == 1 { ",)" } else { ")" });
            }
            Self::Dict(map) | Self::Namespace(map) => {
                let namespace = matches!(self, Self::Namespace(_));
                out.push_str(if namespace { "<Namespace {" } else { "{" });
                for (i, (key, value)) in map.borrow().values().enumerate() {
                    if nodes.get() == 0 {
                        break;
                    }
                    if i > 0 {
                        out.push_str(", ");
                    }
                    key.write_repr(out, depth, nodes);
                    out.push_str(": ");
                    value.write_repr(out, depth, nodes);
                }
                out.push_str(if namespace { "}>" } else { "}" });
            }
            Self::DateTime(t) => {
                out.push_str(&format!("datetime.datetime({})", t.format("%Y, %-m, %-d, %-H, %-M")));
            }
            Self::Delta(delta) => {
                out.push_str(&format!("datetime.timedelta(seconds={})", delta.num_seconds()));
            }
            Self::Object(members) => {
                out.push_str("TimeFilter(");
                for (i, (name, value)) in members.iter().enumerate() {
                    out.push_str(if i > 0 { ", " } else { "" });
                    out.push_str(name);
                    out.push('=');
                    value.write_repr(out, depth, nodes);
                }
                out.push(')');
            }
            Self::Loop(state) => {
                out.push_str(&format!("<LoopContext {}/{}>", state.index + 1, state.items.len()));
            }
            Self::Function(name) => out.push_str(&format!("<function {name}>")),
            Self::Method(bound) => out.push_str(&format!("<method {}>", bound.1)),
            Self::Macro(m) => out.push_str(&format!("<Macro {}>", repr_str(&m.def.name))),
        }
    }

    /// `==`; values that hold themselves many times over are never equal.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.equals_within(other, 32, &Cell::new(MAX_NODES))
    }

    fn equals_within(&self, other: &Self, depth: usize, nodes: &Cell<usize>) -> bool {
        let Some(depth) = depth.checked_sub(1).filter(|_| spend(nodes)) else { return false };
        let all = |a: &[Self], b: &[Self]| {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.equals_within(y, depth, nodes))
        };
        match (self, other) {
            (Self::Undefined(_), Self::Undefined(_)) | (Self::None, Self::None) => true,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => all(&a.borrow(), &b.borrow()),
            (Self::Tuple(a), Self::Tuple(b)) => all(a, b),
            (Self::Dict(a), Self::Dict(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                let same = |(k, (_, v)): (&String, &(Self, Self))| {
                    b.get(k).is_some_and(|(_, w)| v.equals_within(w, depth, nodes))
                };
                a.len() == b.len() && a.iter().all(same)
            }
            (Self::DateTime(a), Self::DateTime(b)) => a == b,
            (Self::Delta(a), Self::Delta(b)) => a == b,
            (a, b) => match (a.number(), b.number()) {
                (Some(x), Some(y)) => x == y,
                _ => false,
            },
        }
    }

    /// The value for keeping inside a container: a copy, so that no container comes to hold itself (it would never be
    /// freed).
    pub(super) fn detached(&self) -> Self {
        match self {
            Self::List(_) | Self::Dict(_) | Self::Tuple(_) | Self::Namespace(_) => {
                Self::from_json(&self.to_json())
            }
            Self::Method(_) | Self::Macro(_) | Self::Loop(_) => Self::from(self.repr()),
            other => other.clone(),
        }
    }

    /// Whether the value is nested no deeper than that, and not too large to tell.
    pub(super) fn within_depth(&self, depth: usize, nodes: &Cell<usize>) -> bool {
        let Some(depth) = depth.checked_sub(1).filter(|_| spend(nodes)) else { return false };
        match self {
            Self::List(items) => items.borrow().iter().all(|v| v.within_depth(depth, nodes)),
            Self::Tuple(items) => items.iter().all(|v| v.within_depth(depth, nodes)),
            Self::Dict(map) | Self::Namespace(map) => {
                map.borrow().values().all(|(_, v)| v.within_depth(depth, nodes))
            }
            Self::Method(bound) => bound.0.within_depth(depth, nodes),
            _ => true,
        }
    }

    /// Numbers and booleans.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Bool(b) => Some(f64::from(u8::from(*b))),
            #[expect(clippy::cast_precision_loss, reason = "comparisons and true division are in floats")]
            Self::Int(i) => Some(*i as f64),
            Self::Float(f) => Some(*f),
            _ => None,
        }
    }

    pub(super) fn int(&self) -> Option<i64> {
        match self {
            Self::Bool(b) => Some(i64::from(*b)),
            Self::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// `<` and its kin; `None` for kinds that have no order among themselves.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        self.order_within(other, 32, &Cell::new(MAX_NODES))
    }

    fn order_within(&self, other: &Self, depth: usize, nodes: &Cell<usize>) -> Option<Ordering> {
        let depth = depth.checked_sub(1).filter(|_| spend(nodes))?;
        let all = |a: &[Self], b: &[Self]| {
            for (x, y) in a.iter().zip(b) {
                match x.order_within(y, depth, nodes)? {
                    Ordering::Equal => {}
                    unequal => return Some(unequal),
                }
            }
            Some(a.len().cmp(&b.len()))
        };
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Str(a), Self::Str(b)) => Some(a.cmp(b)),
            (Self::DateTime(a), Self::DateTime(b)) => Some(a.cmp(b)),
            (Self::Delta(a), Self::Delta(b)) => Some(a.cmp(b)),
            (Self::List(a), Self::List(b)) => all(&a.borrow(), &b.borrow()),
            (Self::Tuple(a), Self::Tuple(b)) => all(a, b),
            (a, b) => a.number()?.partial_cmp(&b.number()?),
        }
    }

    /// The elements that a loop sees.
    pub(super) fn iterate(&self) -> Rendered<Vec<Self>> {
        Ok(match self {
            Self::Undefined(_) => Vec::new(),
            Self::Str(s) => s.chars().map(|c| Self::from(c.to_string())).collect(),
            Self::List(items) => items.borrow().clone(),
            Self::Tuple(items) => items.as_ref().clone(),
            Self::Dict(map) => map.borrow().values().map(|(k, _)| k.clone()).collect(),
            other => return Err(Fault::other(format!("'{}' object is not iterable", other.type_name()))),
        })
    }

    pub(super) fn length(&self) -> Rendered<usize> {
        Ok(match self {
            Self::Undefined(_) => 0,
            Self::Str(s) => s.chars().count(),
            Self::List(items) => items.borrow().len(),
            Self::Tuple(items) => items.len(),
            Self::Dict(map) => map.borrow().len(),
            other => {
                return Err(Fault::other(format!("object of type '{}' has no len()", other.type_name())));
            }
        })
    }

    /// Fails for something that is not there.
    pub(super) fn defined(&self) -> Rendered<&Self> {
        match self {
            Self::Undefined(missing) => Err(missing.fault()),
            other => Ok(other),
        }
    }
}

/// `str(timedelta)`.
fn delta_text(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds();
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let clock = format!("{}:{:02}:{:02}", rest / 3600, rest % 3600 / 60, rest % 60);
    match days {
        0 => clock,
        1 | -1 => format!("{days} day, {clock}"),
        _ => format!("{days} days, {clock}"),
    }
}
