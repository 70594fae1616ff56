//! Expressions.

use std::sync::Arc;

use ruff_python_ast::{
    BoolOp, CmpOp, Comprehension, Expr, ExprCall, ExprFString, FStringPart, InterpolatedStringElement,
    InterpolatedStringElements, Number, UnaryOp,
};
use ruff_text_size::{Ranged, TextSize};

use super::{
    error::{Done, Problem},
    format,
    frame::{Frame, Kind},
    function::Body,
    interp::Interp,
    library,
    value::{Arguments, Key, Value},
};

impl Interp<'_> {
    pub(super) fn eval(&mut self, expr: &'static Expr) -> Done<Value> {
        let at = expr.start();
        self.step(at)?;
        Ok(match expr {
            Expr::NoneLiteral(_) => Value::None,
            Expr::BooleanLiteral(b) => Value::Bool(b.value),
            Expr::NumberLiteral(n) => return self.literal_number(&n.value, at),
            Expr::StringLiteral(s) => Value::text(s.value.to_str()),
            Expr::BytesLiteral(b) => Value::Bytes(b.value.bytes().collect()),
            Expr::EllipsisLiteral(_) => Value::known("Ellipsis"),
            Expr::Name(n) => return self.name(n.id.as_str(), at),
            _ => {
                self.deeper(at)?;
                let done = self.compound_expression(expr, at);
                self.shallower();
                return done;
            }
        })
    }

    fn literal_number(&mut self, number: &Number, at: TextSize) -> Done<Value> {
        match number {
            Number::Int(i) => match i.as_i64().map(i128::from).or_else(|| i.to_string().parse().ok()) {
                Some(i) => Ok(Value::Int(i)),
                None => self.raise(Problem::safe("OverflowError", "an integer beyond 128 bits"), at),
            },
            Number::Float(f) => Ok(Value::Float(*f)),
            Number::Complex { .. } => self.unknown("a complex number", at),
        }
    }

    fn compound_expression(&mut self, expr: &'static Expr, at: TextSize) -> Done<Value> {
        Ok(match expr {
            Expr::FString(f) => return self.f_string(f, at),
            Expr::List(l) => Value::list(self.elements(&l.elts)?),
            Expr::Tuple(t) => Value::Tuple(self.elements(&t.elts)?.into()),
            Expr::Set(s) => {
                let elements = self.elements(&s.elts)?;
                return self.make_set(elements, at);
            }
            Expr::Dict(d) => {
                let dict = Value::dict([]);
                for item in &d.items {
                    let key = item.key.as_ref().map(|k| self.eval(k)).transpose()?;
                    let value = self.eval(&item.value)?;
                    match (key, value) {
                        (Some(key), value) => self.set_item(&dict, key, value, at)?,
                        (None, Value::Unknown(why)) => return Ok(Value::Unknown(why)),
                        (None, value) => self.update(&dict, &value, at)?,
                    }
                }
                dict
            }
            Expr::Attribute(a) => {
                let value = self.eval(&a.value)?;
                return self.attribute(&value, a.attr.as_str(), at);
            }
            Expr::Subscript(s) => {
                let value = self.eval(&s.value)?;
                let key = self.eval(&s.slice)?;
                return self.item(&value, &key, at);
            }
            Expr::Slice(s) => {
                let mut bound = |e: &'static Option<Box<Expr>>| match e {
                    Some(e) => self.eval(e),
                    None => Ok(Value::None),
                };
                let parts = vec![Value::known("slice"), bound(&s.lower)?, bound(&s.upper)?, bound(&s.step)?];
                Value::Tuple(parts.into())
            }
            Expr::UnaryOp(u) => {
                let value = self.eval(&u.operand)?;
                if let Value::Unknown(_) = value {
                    return Ok(value);
                }
                return match (u.op, &value) {
                    (UnaryOp::Not, _) => Ok(Value::Bool(!self.truth(&value, at)?)),
                    (UnaryOp::USub, Value::Float(f)) => Ok(Value::Float(-f)),
                    (UnaryOp::USub, Value::Timedelta(t)) => Ok(Value::Timedelta(-t)),
                    (op, v) => match (op, v.integer()) {
                        (UnaryOp::USub, Some(i)) => Ok(Value::Int(-i)),
                        (UnaryOp::UAdd, Some(i)) => Ok(Value::Int(i)),
                        (UnaryOp::Invert, Some(i)) => Ok(Value::Int(!i)),
                        (UnaryOp::UAdd, None) if matches!(v, Value::Float(_)) => Ok(value),
                        _ => {
                            let text = format!("bad operand for unary {}: {}", op.as_str(), v.what());
                            self.raise(Problem::kind(text), at)
                        }
                    },
                };
            }
            Expr::BinOp(b) => {
                let (left, right) = (self.eval(&b.left)?, self.eval(&b.right)?);
                return self.binary(&left, b.op, &right, at);
            }
            Expr::BoolOp(b) => {
                let mut last = Value::None;
                for value in &b.values {
                    last = self.eval(value)?;
                    if matches!(last, Value::Unknown(_)) && !self.is_strict {
                        break;
                    }
                    if self.truth(&last, at)? == (b.op == BoolOp::Or) {
                        break;
                    }
                }
                last
            }
            Expr::If(i) => {
                let test = self.eval(&i.test)?;
                if matches!(test, Value::Unknown(_)) && !self.is_strict {
                    return Ok(test);
                }
                let chosen = if self.truth(&test, at)? { &i.body } else { &i.orelse };
                return self.eval(chosen);
            }
            Expr::Compare(c) => {
                let mut left = self.eval(&c.left)?;
                for (op, right) in c.ops.iter().zip(&c.comparators) {
                    let right = self.eval(right)?;
                    match self.compare(&left, *op, &right, at)? {
                        Value::Bool(true) => left = right,
                        other => return Ok(other),
                    }
                }
                Value::Bool(true)
            }
            Expr::Call(c) => return self.call_expression(c, at),
            Expr::Named(n) => {
                let value = self.eval(&n.value)?;
                // not a name of the comprehension that it stands in
                let mut frame = self.frame.clone();
                while frame.name == COMPREHENSION
                    && let Some(outer) = frame.outer.clone()
                {
                    frame = outer;
                }
                let own = std::mem::replace(&mut self.frame, frame);
                let done = self.assign(&n.target, value.clone(), at);
                self.frame = own;
                done?;
                value
            }
            Expr::Lambda(l) => {
                return self.make_function("<lambda>", l.parameters.as_deref(), Body::Expression(&l.body));
            }
            Expr::ListComp(c) => {
                self.collect(&c.generators, &c.elt, at, |_, items| Ok(Value::list(items)))?
            }
            Expr::Generator(c) => {
                self.collect(&c.generators, &c.elt, at, |_, items| Ok(Value::iterator(items)))?
            }
            Expr::SetComp(c) => {
                return self.collect(&c.generators, &c.elt, at, |this, items| this.make_set(items, at));
            }
            Expr::DictComp(c) => {
                let dict = Value::dict([]);
                let done = self.comprehension(&c.generators, at, &mut |this| match &c.key {
                    Some(key) => {
                        let key = this.eval(key)?;
                        let value = this.eval(&c.value)?;
                        this.set_item(&dict, key, value, at)
                    }
                    None => {
                        let value = this.eval(&c.value)?;
                        this.update(&dict, &value, at)
                    }
                })?;
                done.unwrap_or(dict)
            }
            Expr::Starred(s) => return self.eval(&s.value),
            Expr::Yield(y) => {
                let value = match &y.value {
                    Some(value) => self.eval(value)?,
                    None => Value::None,
                };
                self.spend(size_of::<Value>(), at)?;
                if let Some(items) = self.yielded.last_mut() {
                    items.push(value);
                }
                Value::None
            }
            Expr::YieldFrom(y) => {
                let value = self.eval(&y.value)?;
                let values = self.iterate(&value, at)?;
                self.spend(size_of::<Value>() * values.len(), at)?;
                if let Some(items) = self.yielded.last_mut() {
                    items.extend(values);
                }
                Value::None
            }
            _ => return self.unknown("an expression", at),
        })
    }

    fn name(&mut self, name: &str, at: TextSize) -> Done<Value> {
        let value = match self.frame.find(name) {
            Some(value) => value,
            None => match library::builtin(self, name) {
                Some(value) => value,
                None => {
                    let text = format!("name '{name}' is not defined");
                    return self.raise(Problem::safe("NameError", text), at);
                }
            },
        };
        if let Value::Unknown(why) = &value {
            return self.unknown(why, at);
        }
        Ok(value)
    }

    fn elements(&mut self, elements: &'static [Expr]) -> Done<Vec<Value>> {
        let mut out = Vec::with_capacity(elements.len());
        for element in elements {
            match element {
                Expr::Starred(s) => {
                    let value = self.eval(&s.value)?;
                    if let Value::Unknown(_) = value {
                        out.push(value);
                    } else {
                        out.extend(self.iterate(&value, element.start())?);
                    }
                }
                other => out.push(self.eval(other)?),
            }
        }
        if let Some(first) = elements.first() {
            self.spend(size_of::<Value>() * out.len(), first.start())?;
        }
        Ok(out)
    }

    pub(super) fn make_set(&mut self, elements: Vec<Value>, at: TextSize) -> Done<Value> {
        if let Some(wrong) = elements.iter().find(|e| !e.is_hashable()) {
            let text = format!("{} cannot be an element of a set", wrong.what());
            return self.raise(Problem::kind(text), at);
        }
        Ok(Value::set(elements))
    }

    /// The elements of a comprehension, made into a value; an unknown one when its turns are not known.
    fn collect(
        &mut self,
        generators: &'static [Comprehension],
        element: &'static Expr,
        at: TextSize,
        make: impl FnOnce(&mut Self, Vec<Value>) -> Done<Value>,
    ) -> Done<Value> {
        let mut items = Vec::new();
        let unknown = self.comprehension(generators, at, &mut |this| {
            let value = this.eval(element)?;
            items.push(value);
            this.spend(size_of::<Value>(), at)
        })?;
        match unknown {
            Some(unknown) => Ok(unknown),
            None => make(self, items),
        }
    }

    /// Runs `each` for every turn; gives an unknown value when the turns are not known.
    fn comprehension(
        &mut self,
        generators: &'static [Comprehension],
        at: TextSize,
        each: &mut dyn FnMut(&mut Self) -> Done<()>,
    ) -> Done<Option<Value>> {
        let Some((first, rest)) = generators.split_first() else {
            each(self)?;
            return Ok(None);
        };
        // the first iterable belongs to the frame outside
        let over = self.eval(&first.iter)?;
        if let Value::Unknown(_) = over {
            return Ok(Some(over));
        }
        let values = self.iterate(&over, at)?;
        // the names of a comprehension are its own
        let mut frame = Frame::inner(Kind::Function, &self.frame, self.frame.source);
        if let Some(own) = Arc::get_mut(&mut frame) {
            COMPREHENSION.clone_into(&mut own.name);
        }
        let outer = std::mem::replace(&mut self.frame, frame);
        let done = self.turns(first, rest, values, at, each);
        self.frame = outer;
        done
    }

    fn turns(
        &mut self,
        first: &'static Comprehension,
        rest: &'static [Comprehension],
        values: Vec<Value>,
        at: TextSize,
        each: &mut dyn FnMut(&mut Self) -> Done<()>,
    ) -> Done<Option<Value>> {
        for value in values {
            self.step(at)?;
            self.assign(&first.target, value, at)?;
            let mut holds = true;
            for test in &first.ifs {
                let test_value = self.eval(test)?;
                if matches!(test_value, Value::Unknown(_)) && !self.is_strict {
                    return Ok(Some(test_value));
                }
                if !self.truth(&test_value, test.start())? {
                    holds = false;
                    break;
                }
            }
            if holds && let Some(unknown) = self.comprehension(rest, at, each)? {
                return Ok(Some(unknown));
            }
        }
        Ok(None)
    }

    pub(super) fn arguments(&mut self, call: &'static ExprCall, at: TextSize) -> Done<Arguments> {
        let mut arguments = Arguments { positional: self.elements(&call.arguments.args)?, named: Vec::new() };
        for keyword in &call.arguments.keywords {
            let value = self.eval(&keyword.value)?;
            match (&keyword.arg, value) {
                (Some(name), value) => arguments.named.push((name.to_string(), value)),
                (None, Value::Dict(dict)) => {
                    let items = dict.items.lock().clone();
                    arguments.named.extend(items.into_iter().map(|(k, v)| (k.0.to_text(), v)));
                }
                (None, Value::Unknown(why)) => arguments.positional.push(Value::Unknown(why)),
                (None, other) => {
                    let text = format!("argument after ** must be a mapping, not {}", other.what());
                    return self.raise(Problem::kind(text), at);
                }
            }
        }
        Ok(arguments)
    }

    fn call_expression(&mut self, call: &'static ExprCall, at: TextSize) -> Done<Value> {
        // `value.method(…)` of built-in types needs no bound method in between
        if let Expr::Attribute(a) = &*call.func {
            let value = self.eval(&a.value)?;
            if is_plain(&value) {
                let arguments = self.arguments(call, at)?;
                self.touched(&a.value, at);
                return self.method(&value, a.attr.as_str(), arguments, at);
            }
            let callee = self.attribute(&value, a.attr.as_str(), at)?;
            let arguments = self.arguments(call, at)?;
            return self.call(&callee, arguments, at);
        }
        let callee = self.eval(&call.func)?;
        let arguments = self.arguments(call, at)?;
        self.call(&callee, arguments, at)
    }

    fn f_string(&mut self, f: &'static ExprFString, at: TextSize) -> Done<Value> {
        let mut out = String::new();
        for part in f.value.iter() {
            match part {
                FStringPart::Literal(l) => out.push_str(&l.value),
                FStringPart::FString(f) => {
                    if let Some(unknown) = self.interpolated(&f.elements, &mut out, at)? {
                        return Ok(unknown);
                    }
                }
            }
        }
        self.spend(out.len(), at)?;
        Ok(Value::text(out))
    }

    /// Appends the elements; an unknown value among them is the whole's.
    fn interpolated(
        &mut self,
        elements: &'static InterpolatedStringElements,
        out: &mut String,
        at: TextSize,
    ) -> Done<Option<Value>> {
        for element in elements {
            let i = match element {
                InterpolatedStringElement::Literal(l) => {
                    out.push_str(&l.value);
                    continue;
                }
                InterpolatedStringElement::Interpolation(i) => i,
            };
            let value = self.eval(&i.expression)?;
            if let Value::Unknown(_) | Value::Known(_) = value
                && library::text_of_known(&value).is_none()
            {
                self.unknown(&value.what(), at)?;
                return Ok(Some(Value::Unknown(format!("a text with {}", value.what()).into())));
            }
            if i.debug_text.is_some() {
                let from = i.expression.range();
                let source = &self.frame.source.text;
                out.push_str(source.get(from.start().to_usize()..from.end().to_usize()).unwrap_or_default());
                out.push('=');
            }
            let mut spec = String::new();
            if let Some(given) = &i.format_spec
                && let Some(unknown) = self.interpolated(&given.elements, &mut spec, at)?
            {
                return Ok(Some(unknown));
            }
            let is_repr = matches!(i.conversion, ruff_python_ast::ConversionFlag::Repr)
                || i.debug_text.is_some() && spec.is_empty();
            let value = match (is_repr, i.conversion) {
                (true, _) => Value::text(self.repr_of(&value, at)?),
                (_, ruff_python_ast::ConversionFlag::Str) => Value::text(self.text_of(&value, at)?),
                _ => value,
            };
            if spec.is_empty() {
                out.push_str(&self.text_of(&value, at)?);
            } else {
                let made = format::format(&value, &spec);
                out.push_str(&self.or_raise(made, at)?);
            }
            self.spend(0, at)?;
        }
        Ok(None)
    }

    /// The result of a function that knows no place.
    pub(super) fn or_raise<T>(&self, done: Result<T, Problem>, at: TextSize) -> Done<T> {
        done.map_err(|problem| problem.at(self.frame.source, at))
    }

    /// `str(value)`, with the methods of classes.
    pub(super) fn text_of(&mut self, value: &Value, at: TextSize) -> Done<String> {
        if let Value::Object(o) = value {
            for name in ["__str__", "__repr__"] {
                if o.class.find(name).is_some() {
                    let method = self.attribute(value, name, at)?;
                    return Ok(self.call(&method, Arguments::default(), at)?.to_text());
                }
            }
        }
        Ok(library::text_of_known(value).unwrap_or_else(|| value.to_text()))
    }

    /// `repr(value)`, with the methods of classes.
    pub(super) fn repr_of(&mut self, value: &Value, at: TextSize) -> Done<String> {
        if let Value::Object(o) = value
            && o.class.find("__repr__").is_some()
        {
            let method = self.attribute(value, "__repr__", at)?;
            return Ok(self.call(&method, Arguments::default(), at)?.to_text());
        }
        Ok(value.repr())
    }

    /// The elements of an iterable.
    pub(super) fn iterate(&mut self, value: &Value, at: TextSize) -> Done<Vec<Value>> {
        if let Some(count) = value.len() {
            self.steps(count, at)?;
            self.spend(count.saturating_mul(size_of::<Value>()), at)?;
        }
        Ok(match value {
            Value::List(v) => v.lock().clone(),
            Value::Tuple(v) => v.to_vec(),
            Value::Set(v) => v.lock().iter().map(|k| k.0.clone()).collect(),
            Value::Dict(d) => d.items.lock().keys().map(|k| k.0.clone()).collect(),
            Value::Str(s) => s.chars().map(|c| Value::text(c.encode_utf8(&mut [0; 4]))).collect(),
            Value::Bytes(b) => b.iter().map(|b| Value::Int(i128::from(*b))).collect(),
            Value::Range(first, end, step) => {
                let mut out = Vec::new();
                let mut i = *first;
                while if *step > 0 { i < *end } else { i > *end } {
                    out.push(Value::Int(i));
                    i += step;
                }
                out
            }
            Value::Iter(rest) => {
                let mut items = std::mem::take(&mut *rest.lock());
                items.reverse();
                items
            }
            Value::Environ => self.world.environment.lock().keys().map(Value::text).collect(),
            Value::File(..) => library::lines(value),
            Value::Module(frame) => frame.names.lock().keys().map(Value::text).collect(),
            Value::Class(class) if class.is_enum() => {
                let all = class.attributes.lock().clone();
                all.into_values().filter(|v| v.enum_value().is_some()).collect()
            }
            Value::Object(o) if o.class.find("__iter__").is_some() => {
                let method = self.attribute(value, "__iter__", at)?;
                let inner = self.call(&method, Arguments::default(), at)?;
                if inner.is(value) {
                    return self.raise(Problem::kind("an iterator of a class is not supported"), at);
                }
                return self.iterate(&inner, at);
            }
            Value::Unknown(why) => {
                self.unknown(why, at)?;
                let place = super::frame::Place { source: self.frame.source, at };
                return Err(super::error::Fault::Unclear(why.clone(), place));
            }
            other => {
                let text = format!("{} is not iterable", other.what());
                return self.raise(Problem::kind(text), at);
            }
        })
    }

    /// `left op right` of two values.
    fn compare(&mut self, left: &Value, op: CmpOp, right: &Value, at: TextSize) -> Done<Value> {
        for side in [left, right] {
            if let Value::Unknown(why) = side {
                return match self.unknown(why, at)? {
                    Value::Unknown(_) => Ok(Value::Unknown("a comparison".into())),
                    other => Ok(other),
                };
            }
        }
        let named = |v: &Value| matches!(v, Value::Known(name) if name.contains('.'));
        if !matches!(op, CmpOp::Is | CmpOp::IsNot) && named(left) != named(right) {
            let what = if named(left) { left.what() } else { right.what() };
            if !matches!((left, right), (Value::Class(_), _) | (_, Value::Class(_))) {
                return self.unknown(&what, at);
            }
        }
        Ok(Value::Bool(match op {
            CmpOp::Is => left.is(right),
            CmpOp::IsNot => !left.is(right),
            CmpOp::Eq => self.equal(left, right, at)?,
            CmpOp::NotEq => !self.equal(left, right, at)?,
            CmpOp::In => self.contains(right, left, at)?,
            CmpOp::NotIn => !self.contains(right, left, at)?,
            order => {
                let Some(found) = super::operate::order(left, right) else {
                    let text = format!("{} and {} have no order", left.what(), right.what());
                    return self.raise(Problem::kind(text), at);
                };
                match order {
                    CmpOp::Lt => found.is_lt(),
                    CmpOp::LtE => found.is_le(),
                    CmpOp::Gt => found.is_gt(),
                    _ => found.is_ge(),
                }
            }
        }))
    }

    fn equal(&mut self, left: &Value, right: &Value, at: TextSize) -> Done<bool> {
        if let Value::Object(o) = left
            && o.class.find("__eq__").is_some()
        {
            let method = self.attribute(left, "__eq__", at)?;
            let answer = self.call(&method, Arguments::of(vec![right.clone()]), at)?;
            return self.truth(&answer, at);
        }
        if let (Value::Object(a), Value::Object(b)) = (left, right)
            && a.class.fields.is_some()
            && Arc::ptr_eq(&a.class, &b.class)
        {
            let (a, b) = (a.attributes.lock().clone(), b.attributes.lock().clone());
            return Ok(a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| v.equals(w))));
        }
        Ok(left.equals(right))
    }

    pub(super) fn contains(&mut self, container: &Value, value: &Value, at: TextSize) -> Done<bool> {
        Ok(match (container, value) {
            (Value::Str(a), Value::Str(b)) => a.contains(&**b),
            (Value::Bytes(a), Value::Bytes(b)) => {
                b.is_empty() || a.windows(b.len()).any(|window| window == &b[..])
            }
            (Value::Dict(d), key) => d.items.lock().contains_key(&Key(key.clone())),
            (Value::Set(s), key) => s.lock().contains(&Key(key.clone())),
            (Value::Record(record), Value::Str(name)) if record.kind == super::message::KIND => {
                super::message::has(record, name)
            }
            (Value::Environ, Value::Str(name)) => self.world.environment.lock().contains_key(&**name),
            (Value::Module(frame), Value::Str(name)) => frame.names.lock().contains_key(&**name),
            (Value::Range(first, end, step), Value::Int(i)) => {
                let inside = if *step > 0 { i >= first && i < end } else { i <= first && i > end };
                inside && (i - first) % step == 0
            }
            (Value::Object(o), value) if o.class.find("__contains__").is_some() => {
                let method = self.attribute(container, "__contains__", at)?;
                let answer = self.call(&method, Arguments::of(vec![value.clone()]), at)?;
                self.truth(&answer, at)?
            }
            (container, value) => {
                let all = self.iterate(container, at)?;
                if let Some(Value::Unknown(why)) = all.iter().find(|v| matches!(v, Value::Unknown(_))) {
                    let place = super::frame::Place { source: self.frame.source, at };
                    return Err(super::error::Fault::Unclear(why.clone(), place));
                }
                all.iter().any(|one| one.equals(value))
            }
        })
    }
}

/// The name of a comprehension's frame.
const COMPREHENSION: &str = "<comprehension>";

/// A value of a built-in type, whose methods are ours.
fn is_plain(value: &Value) -> bool {
    matches!(
        value,
        Value::Str(_)
            | Value::Bytes(_)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::Set(_)
            | Value::Dict(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Environ
            | Value::File(..)
            | Value::Regex(_)
            | Value::Match(_)
            | Value::Path(_)
            | Value::Timedelta(_)
            | Value::Datetime(..)
            | Value::Date(_)
    )
}
