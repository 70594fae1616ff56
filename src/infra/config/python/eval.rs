//! Expressions.

use std::collections::HashMap;

use indexmap::IndexMap;
use ruff_python_ast::{
    Arguments, BoolOp, CmpOp, Expr, ExprFString, FStringPart, InterpolatedStringElement, Number, Operator,
    UnaryOp,
};
use serde_json::Value as Json;

use super::{call, value::Py};

/// A text or list may not grow beyond this by repetition: a configuration has no use for more.
const MAX_REPEAT: usize = 1 << 20;

/// Names in force.
pub(super) struct Scope<'a> {
    pub names: IndexMap<String, Py>,
    pub environment: &'a HashMap<String, String>,
    pub defaults: &'a IndexMap<String, Json>,
}

impl Scope<'_> {
    pub fn eval(&self, expr: &Expr) -> Py {
        match expr {
            Expr::NoneLiteral(_) => Py::None,
            Expr::BooleanLiteral(b) => Py::Bool(b.value),
            Expr::NumberLiteral(n) => match &n.value {
                Number::Int(i) => i.as_i64().map_or_else(|| Py::Unknown("a large integer".into()), Py::Int),
                Number::Float(f) => Py::Float(*f),
                Number::Complex { .. } => Py::Unknown("a complex number".into()),
            },
            Expr::StringLiteral(s) => Py::Str(s.value.to_str().to_owned()),
            Expr::BytesLiteral(b) => Py::Bytes(b.value.bytes().collect()),
            Expr::FString(f) => self.f_string(f),
            Expr::List(l) => self.elements(&l.elts).map_or_else(|why| why, Py::List),
            Expr::Tuple(t) => self.elements(&t.elts).map_or_else(|why| why, Py::Tuple),
            Expr::Set(s) => self.elements(&s.elts).map_or_else(|why| why, Py::Set),
            Expr::Dict(d) => {
                let mut dict = Py::Dict(Vec::new());
                for item in &d.items {
                    let value = self.eval(&item.value);
                    match (&item.key, value) {
                        (Some(key), value) => {
                            dict.set_item(self.eval(key), value);
                        }
                        (None, Py::Dict(other)) => {
                            for (k, v) in other {
                                dict.set_item(k, v);
                            }
                        }
                        (None, other) => return Py::Unknown(other.repr()),
                    }
                }
                dict
            }
            Expr::Name(n) => self.name(n.id.as_str()),
            Expr::Attribute(a) => match self.eval(&a.value) {
                Py::Known(module) => call::constant(&format!("{module}.{}", a.attr)),
                other => Py::Unknown(format!("{}.{}", other.repr(), a.attr)),
            },
            Expr::Subscript(s) => self.subscript(&self.eval(&s.value), &s.slice),
            Expr::UnaryOp(u) => match (u.op, self.eval(&u.operand)) {
                (_, v) if v.unknown().is_some() => v,
                (UnaryOp::Not, v) => Py::Bool(!v.truthy()),
                (UnaryOp::USub, Py::Int(i)) => Py::Int(-i),
                (UnaryOp::USub, Py::Float(f)) => Py::Float(-f),
                (UnaryOp::UAdd, v) => v,
                (_, v) => Py::Unknown(v.repr()),
            },
            Expr::BinOp(b) => self.binary(&self.eval(&b.left), b.op, &self.eval(&b.right)),
            Expr::BoolOp(b) => {
                let mut last = Py::None;
                for value in &b.values {
                    last = self.eval(value);
                    if matches!(last, Py::Unknown(_)) || last.truthy() == (b.op == BoolOp::Or) {
                        break;
                    }
                }
                last
            }
            Expr::If(i) => match self.eval(&i.test) {
                v if v.unknown().is_some() => v,
                v => self.eval(if v.truthy() { &i.body } else { &i.orelse }),
            },
            Expr::Compare(c) => {
                let mut left = self.eval(&c.left);
                for (op, right) in c.ops.iter().zip(&c.comparators) {
                    let right = match right {
                        // `"X" in os.environ`
                        Expr::Attribute(_) if self.eval(right) == Py::Known("os.environ".into()) => {
                            Py::Set(self.environment.keys().cloned().map(Py::Str).collect())
                        }
                        other => self.eval(other),
                    };
                    match compare(&left, *op, &right) {
                        Some(true) => left = right,
                        Some(false) => return Py::Bool(false),
                        None => return Py::Unknown("a comparison".into()),
                    }
                }
                Py::Bool(true)
            }
            Expr::Call(c) => {
                let (args, keywords) = self.arguments(&c.arguments);
                match c.func.as_ref() {
                    Expr::Attribute(a) => match self.eval(&a.value) {
                        Py::Known(module) => call::function(
                            &format!("{module}.{}", a.attr),
                            &args,
                            &keywords,
                            self.environment,
                        ),
                        Py::Unknown(why) => Py::Unknown(why),
                        value => call::method(&value, &a.attr, &args, &keywords),
                    },
                    func => match self.eval(func) {
                        Py::Known(name) => call::function(&name, &args, &keywords, self.environment),
                        other => Py::Unknown(format!("{}(…)", other.repr())),
                    },
                }
            }
            Expr::Lambda(_) => Py::Unknown("a lambda".into()),
            _ => Py::Unknown("an expression".into()),
        }
    }

    fn name(&self, name: &str) -> Py {
        if let Some(value) = self.names.get(name) {
            return value.clone();
        }
        if call::is_builtin(name) {
            return Py::Known(name.to_owned());
        }
        Py::Unknown(format!("name {name}"))
    }

    fn elements(&self, elements: &[Expr]) -> Result<Vec<Py>, Py> {
        let mut out = Vec::with_capacity(elements.len());
        for element in elements {
            match element {
                Expr::Starred(s) => {
                    let value = self.eval(&s.value);
                    out.extend(value.iter().ok_or_else(|| Py::Unknown(value.repr()))?);
                }
                other => out.push(self.eval(other)),
            }
        }
        Ok(out)
    }

    /// Positional and named arguments of a call.
    pub fn arguments(&self, arguments: &Arguments) -> (Vec<Py>, Vec<(String, Py)>) {
        let args = self.elements(&arguments.args).unwrap_or_else(|why| vec![why]);
        let mut keywords = Vec::new();
        for keyword in &arguments.keywords {
            match (&keyword.arg, self.eval(&keyword.value)) {
                (Some(name), value) => keywords.push((name.to_string(), value)),
                (None, Py::Dict(d)) => keywords.extend(d.into_iter().map(|(k, v)| (k.text(), v))),
                (None, other) => keywords.push((String::new(), other)),
            }
        }
        (args, keywords)
    }

    /// The stored value that a target denotes, to be changed in place.
    pub fn place(&mut self, expr: &Expr) -> Option<&mut Py> {
        match expr {
            Expr::Name(n) => self.names.get_mut(n.id.as_str()),
            Expr::Subscript(s) => {
                let key = self.eval(&s.slice);
                match self.place(&s.value)? {
                    Py::Dict(d) => d.iter_mut().find(|(k, _)| *k == key).map(|(_, v)| v),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn subscript(&self, value: &Py, slice: &Expr) -> Py {
        if let (Py::Known(name), Py::Str(key)) = (value, self.eval(slice)) {
            return match self.environment.get(&key) {
                Some(v) if name == "os.environ" => Py::Str(v.clone()),
                _ => Py::Unknown(format!("{name}[{key:?}], which is not set")),
            };
        }
        if let Expr::Slice(s) = slice {
            let bound = |e: &Option<Box<Expr>>| e.as_ref().map(|e| self.eval(e));
            return slice_of(value, bound(&s.lower), bound(&s.upper))
                .filter(|_| s.step.is_none())
                .unwrap_or_else(|| Py::Unknown("a slice".into()));
        }
        let key = self.eval(slice);
        value.item(&key).unwrap_or_else(|| Py::Unknown(format!("{}[{}]", value.repr(), key.repr())))
    }

    fn f_string(&self, f: &ExprFString) -> Py {
        let mut out = String::new();
        for part in f.value.iter() {
            match part {
                FStringPart::Literal(l) => out.push_str(&l.value),
                FStringPart::FString(f) => {
                    for element in &f.elements {
                        match element {
                            InterpolatedStringElement::Literal(l) => out.push_str(&l.value),
                            InterpolatedStringElement::Interpolation(i) => {
                                let value = self.eval(&i.expression);
                                if value.unknown().is_some()
                                    || i.format_spec.is_some()
                                    || i.debug_text.is_some()
                                {
                                    return Py::Unknown(format!("f-string part {{{}}}", value.repr()));
                                }
                                let repr = matches!(i.conversion, ruff_python_ast::ConversionFlag::Repr);
                                out.push_str(&if repr { value.repr() } else { value.text() });
                            }
                        }
                    }
                }
            }
        }
        Py::Str(out)
    }

    pub fn binary(&self, left: &Py, op: Operator, right: &Py) -> Py {
        if let Some(why) = left.unknown().or_else(|| right.unknown()) {
            return Py::Unknown(why.to_owned());
        }
        operate(left, op, right)
            .unwrap_or_else(|| Py::Unknown(format!("{} {} {}", left.repr(), op.as_str(), right.repr())))
    }
}

fn slice_of(value: &Py, lower: Option<Py>, upper: Option<Py>) -> Option<Py> {
    let bound = |b: Option<Py>, len: usize, default: usize| match b {
        None | Some(Py::None) => Some(default),
        Some(Py::Int(i)) if i < 0 => Some(len.saturating_sub(i.unsigned_abs() as usize)),
        Some(Py::Int(i)) => Some((i as usize).min(len)),
        _ => None,
    };
    let cut = |v: &[Py]| -> Option<Vec<Py>> {
        let (from, to) = (bound(lower.clone(), v.len(), 0)?, bound(upper.clone(), v.len(), v.len())?);
        Some(v.get(from..to.max(from)).unwrap_or_default().to_vec())
    };
    match value {
        Py::List(v) => cut(v).map(Py::List),
        Py::Tuple(v) => cut(v).map(Py::Tuple),
        Py::Str(_) => Some(Py::Str(cut(&value.iter()?)?.iter().map(Py::text).collect())),
        _ => None,
    }
}

fn operate(left: &Py, op: Operator, right: &Py) -> Option<Py> {
    use Operator as O;
    Some(match (left, op, right) {
        (Py::Str(a), O::Add, Py::Str(b)) => Py::Str(format!("{a}{b}")),
        (Py::Str(a), O::Mod, b) => Py::Str(call::percent_format(a, b)?),
        (Py::Str(a), O::Mult, Py::Int(n)) => {
            let n = usize::try_from(*n).unwrap_or(0);
            (a.len().saturating_mul(n) <= MAX_REPEAT).then(|| Py::Str(a.repeat(n)))?
        }
        (Py::List(a), O::Add, Py::List(b)) => Py::List([&a[..], b].concat()),
        (Py::Tuple(a), O::Add, Py::Tuple(b)) => Py::Tuple([&a[..], b].concat()),
        (Py::Dict(_), O::BitOr, Py::Dict(b)) => {
            let mut merged = left.clone();
            for (k, v) in b {
                merged.set_item(k.clone(), v.clone());
            }
            merged
        }
        (Py::Set(a), O::BitOr, Py::Set(b)) => {
            let mut merged = a.clone();
            merged.extend(b.iter().filter(|v| !a.contains(v)).cloned());
            Py::Set(merged)
        }
        (Py::Set(a), O::Sub, Py::Set(b)) => Py::Set(a.iter().filter(|v| !b.contains(v)).cloned().collect()),
        (Py::Set(a), O::BitAnd, Py::Set(b)) => Py::Set(a.iter().filter(|v| b.contains(v)).cloned().collect()),
        (Py::Timedelta(a), O::Add, Py::Timedelta(b)) => Py::Timedelta(a + b),
        (Py::Timedelta(a), O::Sub, Py::Timedelta(b)) => Py::Timedelta(a - b),
        (Py::Timedelta(a), O::Mult, b) | (b, O::Mult, Py::Timedelta(a)) => Py::Timedelta(a * b.number()?),
        (Py::Int(a), _, Py::Int(b)) if op != O::Div => match op {
            O::Add => Py::Int(a.checked_add(*b)?),
            O::Sub => Py::Int(a.checked_sub(*b)?),
            O::Mult => Py::Int(a.checked_mul(*b)?),
            O::FloorDiv => Py::Int(floor_div(*a, *b)?),
            O::Mod => Py::Int(a.checked_sub(floor_div(*a, *b)?.checked_mul(*b)?)?),
            O::Pow => Py::Int(a.checked_pow(u32::try_from(*b).ok()?)?),
            O::LShift => Py::Int(a.checked_shl(u32::try_from(*b).ok()?)?),
            O::BitOr => Py::Int(a | b),
            O::BitAnd => Py::Int(a & b),
            _ => return None,
        },
        _ => {
            let (a, b) = (left.number()?, right.number()?);
            match op {
                O::Add => Py::Float(a + b),
                O::Sub => Py::Float(a - b),
                O::Mult => Py::Float(a * b),
                O::Div if b != 0.0 => Py::Float(a / b),
                O::FloorDiv if b != 0.0 => Py::Float((a / b).floor()),
                O::Pow => Py::Float(a.powf(b)),
                _ => return None,
            }
        }
    })
}

fn floor_div(a: i64, b: i64) -> Option<i64> {
    let q = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q })
}

fn compare(left: &Py, op: CmpOp, right: &Py) -> Option<bool> {
    if left.unknown().is_some() || right.unknown().is_some() {
        return None;
    }
    let equal = || match (left.number(), right.number()) {
        (Some(a), Some(b)) => a == b,
        _ => left == right,
    };
    let order = || match (left, right) {
        (Py::Str(a), Py::Str(b)) => Some(a.cmp(b)),
        _ => left.number()?.partial_cmp(&right.number()?),
    };
    let contains = || match (left, right) {
        (Py::Str(a), Py::Str(b)) => Some(b.contains(a.as_str())),
        _ => Some(right.iter()?.contains(left)),
    };
    Some(match op {
        CmpOp::Eq | CmpOp::Is => equal(),
        CmpOp::NotEq | CmpOp::IsNot => !equal(),
        CmpOp::Lt => order()?.is_lt(),
        CmpOp::LtE => order()?.is_le(),
        CmpOp::Gt => order()?.is_gt(),
        CmpOp::GtE => order()?.is_ge(),
        CmpOp::In => contains()?,
        CmpOp::NotIn => !contains()?,
    })
}
