//! Runs a template, within a budget of steps, bytes and depth.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use indexmap::IndexMap;

use super::ast::{Args, Expr, MacroDef, Stmt, Target};
use super::error::{Fault, Rendered};
use super::value::{LoopState, MacroVal, Val};
use super::{Inner, filters, macros, methods, ops, predicates};

/// Evaluations of a statement or an expression.
const MAX_STEPS: usize = 100_000;
/// Bytes of all strings and lists that are made on the way.
const MAX_BYTES: usize = 32 << 20;
/// Evaluations within evaluations: the stack of the host is finite.
const MAX_DEPTH: usize = 250;
/// How deep a value may be nested, and how many values are looked at to find out.
const MAX_NESTING: usize = 60;
const MAX_WALK: usize = 200_000;
/// Macros that call macros.
const MAX_CALLS: usize = 40;

/// Evaluated arguments.
#[derive(Default)]
pub(super) struct Call {
    pub(super) positional: Vec<Val>,
    pub(super) named: Vec<(String, Val)>,
}

impl Call {
    /// The argument at a position or under a name.
    pub(super) fn get(&self, at: usize, name: &str) -> Option<&Val> {
        self.positional.get(at).or_else(|| self.named.iter().find(|(n, _)| n == name).map(|(_, v)| v))
    }

    pub(super) fn required(&self, at: usize, name: &str, function: &str) -> Rendered<&Val> {
        self.get(at, name).ok_or_else(|| {
            Fault::other(format!("{function}() missing 1 required positional argument: '{name}'"))
        })
    }

    pub(super) fn text(&self, at: usize, name: &str) -> Option<String> {
        self.get(at, name).filter(|v| !matches!(v, Val::None)).map(Val::text)
    }

    pub(super) fn truth(&self, at: usize, name: &str, default: bool) -> bool {
        self.get(at, name).map_or(default, Val::truth)
    }

    pub(super) fn int(&self, at: usize, name: &str) -> Option<i64> {
        self.get(at, name).and_then(Val::int)
    }
}

type Frame = HashMap<String, Val>;

/// A run of a template.
pub(super) struct Interpreter<'a> {
    pub(super) inner: &'a Inner,
    frames: Vec<Frame>,
    steps: usize,
    bytes: usize,
    calls: usize,
    loops: usize,
    depth: usize,
}

impl<'a> Interpreter<'a> {
    pub(super) fn new(inner: &'a Inner, globals: Frame) -> Self {
        Self { inner, frames: vec![globals, Frame::new()], steps: 0, bytes: 0, calls: 0, loops: 0, depth: 0 }
    }

    pub(super) fn run(&mut self, body: &[Stmt]) -> Rendered<String> {
        let mut out = String::new();
        self.exec(body, &mut out)?;
        Ok(out)
    }

    /// Counts bytes against the budget before they are made.
    pub(super) fn charge(&mut self, bytes: usize) -> Rendered<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_BYTES { Err(Fault::other("The template needs too much memory")) } else { Ok(()) }
    }

    pub(super) fn string(&mut self, text: String) -> Rendered<Val> {
        self.charge(text.len())?;
        Ok(Val::from(text))
    }

    pub(super) fn items(&mut self, items: Vec<Val>) -> Rendered<Val> {
        self.charge(items.len().saturating_mul(16))?;
        Ok(Val::list(items))
    }

    /// Refuses values that are nested so deeply that giving them back would take the stack.
    pub(super) fn admit(&mut self, value: &Val) -> Rendered<()> {
        let nodes = std::cell::Cell::new(MAX_WALK);
        let fits = value.within_depth(MAX_NESTING, &nodes);
        self.steps += (MAX_WALK - nodes.get()) / 16;
        if fits { Ok(()) } else { Err(Fault::other("The template nests values too deeply")) }
    }

    fn step(&mut self) -> Rendered<()> {
        self.steps += 1;
        if self.steps.is_multiple_of(64) {
            infra::compute::check()?;
        }
        if self.steps > MAX_STEPS { Err(Fault::other("The template takes too many steps")) } else { Ok(()) }
    }

    fn lookup(&self, name: &str) -> Option<Val> {
        self.frames.iter().rev().find_map(|frame| frame.get(name)).cloned()
    }

    fn define(&mut self, name: &str, value: Val) {
        if let Some(frame) = self.frames.last_mut() {
            frame.insert(name.to_owned(), value);
        }
    }

    fn scoped<T>(&mut self, frame: Frame, f: impl FnOnce(&mut Self) -> Rendered<T>) -> Rendered<T> {
        self.frames.push(frame);
        let result = f(self);
        self.frames.pop();
        result
    }

    fn exec(&mut self, body: &[Stmt], out: &mut String) -> Rendered<()> {
        for stmt in body {
            self.step()?;
            match stmt {
                Stmt::Text(text) => self.emit(text, out)?,
                Stmt::Output(expr) => {
                    let text = self.eval(expr)?.text();
                    self.emit(&text, out)?;
                }
                Stmt::If(branches, otherwise) => {
                    let mut chosen = otherwise;
                    for (condition, body) in branches {
                        if self.eval(condition)?.truth() {
                            chosen = body;
                            break;
                        }
                    }
                    self.exec(chosen, out)?;
                }
                Stmt::For { target, iter, filter, body, otherwise, recursive } => {
                    if *recursive {
                        return Err(Fault::other("recursive loops are not supported"));
                    }
                    self.run_loop(target, iter, filter.as_ref(), (body, otherwise), out)?;
                }
                Stmt::Set(target, value) => {
                    let value = self.eval(value)?;
                    self.assign(target, value)?;
                }
                Stmt::SetBlock(target, filters, body) => {
                    let text = self.captured(body)?;
                    let value = self.filtered(Val::from(text), filters)?;
                    self.assign(target, value)?;
                }
                Stmt::Macro(def) => {
                    let value = Val::Macro(Rc::new(MacroVal { def: def.clone(), frames: None }));
                    self.define(&def.name, value);
                }
                Stmt::With(pairs, body) => {
                    let values =
                        pairs.iter().map(|(t, e)| Ok((t, self.eval(e)?))).collect::<Rendered<Vec<_>>>()?;
                    self.scoped(Frame::new(), |it| {
                        for (target, value) in values {
                            it.assign(target, value)?;
                        }
                        it.exec(body, out)
                    })?;
                }
                Stmt::Filter(filters, body) => {
                    let text = self.captured(body)?;
                    let text = self.filtered(Val::from(text), filters)?.text();
                    self.emit(&text, out)?;
                }
                Stmt::Call(call, def) => {
                    let caller =
                        Val::Macro(Rc::new(MacroVal { def: def.clone(), frames: Some(self.frames.clone()) }));
                    let text =
                        self.scoped(Frame::from([("caller".to_owned(), caller)]), |it| it.eval(call))?.text();
                    self.emit(&text, out)?;
                }
                Stmt::Block(body) => self.exec(body, out)?,
            }
        }
        Ok(())
    }

    fn emit(&mut self, text: &str, out: &mut String) -> Rendered<()> {
        self.charge(text.len())?;
        out.push_str(text);
        Ok(())
    }

    fn captured(&mut self, body: &[Stmt]) -> Rendered<String> {
        let mut text = String::new();
        self.exec(body, &mut text)?;
        Ok(text)
    }

    fn filtered(&mut self, mut value: Val, chain: &[(String, Args)]) -> Rendered<Val> {
        for (name, args) in chain {
            let call = self.call_args(args)?;
            value = filters::apply(self, name, &value, &call)?;
        }
        Ok(value)
    }

    fn run_loop(
        &mut self,
        target: &Target,
        iter: &Expr,
        filter: Option<&Expr>,
        (body, otherwise): (&[Stmt], &[Stmt]),
        out: &mut String,
    ) -> Rendered<()> {
        let mut items = self.eval(iter)?.iterate()?;
        self.charge(items.len().saturating_mul(16))?;
        if let Some(filter) = filter {
            let mut kept = Vec::new();
            for item in items {
                let keep = self.scoped(Frame::new(), |it| {
                    it.assign(target, item.clone())?;
                    it.eval(filter)
                })?;
                if keep.truth() {
                    kept.push(item);
                }
            }
            items = kept;
        }
        if items.is_empty() {
            return self.exec(otherwise, out);
        }
        let items = Rc::new(items);
        let last_changed = Rc::new(RefCell::new(None));
        self.loops += 1;
        for (index, item) in items.iter().enumerate() {
            let state = LoopState {
                index,
                items: items.clone(),
                depth: self.loops,
                last_changed: last_changed.clone(),
            };
            self.scoped(Frame::from([("loop".to_owned(), Val::Loop(Rc::new(state)))]), |it| {
                it.step()?;
                it.assign(target, item.clone())?;
                it.exec(body, out)
            })?;
        }
        self.loops -= 1;
        Ok(())
    }

    fn assign(&mut self, target: &Target, value: Val) -> Rendered<()> {
        self.admit(&value)?;
        match target {
            Target::Name(name) => self.define(name, value),
            Target::Attr(name, attribute) => match self.lookup(name) {
                Some(Val::Namespace(map)) => {
                    let value = value.detached();
                    map.borrow_mut().insert(attribute.clone(), (Val::from(attribute.as_str()), value));
                }
                _ => {
                    return Err(Fault::Template(
                        "cannot assign attribute on non-namespace object".to_owned(),
                    ));
                }
            },
            Target::Tuple(targets) => {
                let values = value.iterate()?;
                if values.len() != targets.len() {
                    let problem = if values.len() > targets.len() { "too many" } else { "not enough" };
                    return Err(Fault::other(format!(
                        "{problem} values to unpack (expected {})",
                        targets.len()
                    )));
                }
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn eval(&mut self, expr: &Expr) -> Rendered<Val> {
        self.step()?;
        self.deeper(|it| it.value_of(expr))
    }

    fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Rendered<T>) -> Rendered<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::other("Infinite recursion detected in template"));
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    fn value_of(&mut self, expr: &Expr) -> Rendered<Val> {
        Ok(match expr {
            Expr::None => Val::None,
            Expr::Bool(b) => Val::Bool(*b),
            Expr::Int(i) => Val::Int(*i),
            Expr::Float(f) => Val::Float(*f),
            Expr::Str(s) => Val::from(s.as_str()),
            Expr::Name(name) => self.lookup(name).unwrap_or_else(|| Val::undefined(name)),
            Expr::List(items) => {
                let items = self.eval_all(items)?;
                self.items(items)?
            }
            Expr::Tuple(items) => Val::Tuple(Rc::new(self.eval_all(items)?)),
            Expr::Dict(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(k, v)| Ok((self.eval(k)?, self.eval(v)?)))
                    .collect::<Rendered<Vec<_>>>()?;
                Val::dict(pairs)
            }
            Expr::Attr(base, name) => {
                let base = self.eval(base)?;
                methods::attribute(&base, name)?
            }
            Expr::Item(base, key) => {
                let (base, key) = (self.eval(base)?, self.eval(key)?);
                methods::item(&base, &key)?
            }
            Expr::Slice(base, parts) => {
                let base = self.eval(base)?;
                let mut bounds = [None, None, None];
                for (bound, part) in bounds.iter_mut().zip(parts) {
                    *bound = match part {
                        Some(part) => self.eval(part)?.int(),
                        None => None,
                    };
                }
                let [start, stop, step] = bounds;
                self.charge(base.length().unwrap_or(0))?;
                ops::slice(&base, start, stop, step)?
            }
            Expr::Call(callee, args) => {
                let callee = self.eval(callee)?;
                let call = self.call_args(args)?;
                self.call(&callee, call)?
            }
            Expr::Filter(base, name, args) => {
                let base = match base {
                    Some(base) => self.eval(base)?,
                    None => Val::None,
                };
                let call = self.call_args(args)?;
                filters::apply(self, name, &base, &call)?
            }
            Expr::Test(base, name, args) => {
                let base = self.eval(base)?;
                let args = self.eval_all(args)?;
                Val::Bool(predicates::holds(self, name, &base, &args)?)
            }
            Expr::Not(inner) => Val::Bool(!self.eval(inner)?.truth()),
            Expr::Negative(inner) => match self.eval(inner)? {
                Val::Float(f) => Val::Float(-f),
                Val::Delta(d) => Val::Delta(-d),
                other => ops::binary(self, "-", &Val::Int(0), &other)?,
            },
            Expr::Positive(inner) => self.eval(inner)?,
            Expr::Binary(op, a, b) => {
                let (a, b) = (self.eval(a)?, self.eval(b)?);
                ops::binary(self, op, &a, &b)?
            }
            Expr::Compare(first, rest) => {
                let mut left = self.eval(first)?;
                for (op, right) in rest {
                    let right = self.eval(right)?;
                    if !ops::compare(self, op, &left, &right)? {
                        return Ok(Val::Bool(false));
                    }
                    left = right;
                }
                Val::Bool(true)
            }
            Expr::And(a, b) => {
                let a = self.eval(a)?;
                if a.truth() { self.eval(b)? } else { a }
            }
            Expr::Or(a, b) => {
                let a = self.eval(a)?;
                if a.truth() { a } else { self.eval(b)? }
            }
            Expr::Concat(parts) => {
                let mut text = String::new();
                for part in parts {
                    let part = self.eval(part)?.text();
                    self.charge(part.len())?;
                    text.push_str(&part);
                }
                Val::from(text)
            }
            Expr::If(value, condition, otherwise) => {
                if self.eval(condition)?.truth() {
                    self.eval(value)?
                } else {
                    match otherwise {
                        Some(otherwise) => self.eval(otherwise)?,
                        None => Val::from(""),
                    }
                }
            }
        })
    }

    fn eval_all(&mut self, exprs: &[Expr]) -> Rendered<Vec<Val>> {
        exprs.iter().map(|e| self.eval(e)).collect()
    }

    fn call_args(&mut self, args: &Args) -> Rendered<Call> {
        let mut positional = self.eval_all(&args.positional)?;
        if let Some(spread) = &args.spread {
            positional.extend(self.eval(spread)?.iterate()?);
        }
        let named =
            args.named.iter().map(|(n, e)| Ok((n.clone(), self.eval(e)?))).collect::<Rendered<_>>()?;
        Ok(Call { positional, named })
    }

    pub(super) fn call(&mut self, callee: &Val, call: Call) -> Rendered<Val> {
        match callee {
            Val::Undefined(missing) => Err(missing.fault()),
            Val::Function(name) => macros::call(self, name, &call),
            Val::Method(bound) => methods::call(self, &bound.0, &bound.1, &call),
            Val::Macro(definition) => self.call_macro(definition, call),
            other => Err(Fault::other(format!("'{}' object is not callable", other.type_name()))),
        }
    }

    fn call_macro(&mut self, definition: &MacroVal, call: Call) -> Rendered<Val> {
        if self.calls >= MAX_CALLS {
            return Err(Fault::other("Infinite recursion detected in template"));
        }
        let frame = self.macro_frame(&definition.def, call)?;
        let outer = match &definition.frames {
            Some(frames) => std::mem::replace(&mut self.frames, frames.clone()),
            None => {
                let outer = self.frames.clone();
                self.frames.truncate(2);
                outer
            }
        };
        self.calls += 1;
        let body = definition.def.clone();
        let text = self.scoped(frame, |it| it.deeper(|it| it.captured(&body.body)));
        self.calls -= 1;
        self.frames = outer;
        self.string(text?)
    }

    fn macro_frame(&mut self, def: &MacroDef, call: Call) -> Rendered<Frame> {
        let mut frame = Frame::new();
        let mut named: IndexMap<String, Val> = call.named.into_iter().collect();
        let mut positional = call.positional.into_iter();
        if let Some(caller) = self.lookup("caller") {
            frame.insert("caller".to_owned(), caller);
        }
        for (name, default) in &def.params {
            let value = match (positional.next().or_else(|| named.shift_remove(name)), default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.eval(default)?,
                (None, None) => Val::undefined(name),
            };
            self.admit(&value)?;
            frame.insert(name.clone(), value);
        }
        frame.insert("varargs".to_owned(), Val::Tuple(Rc::new(positional.collect())));
        frame.insert("kwargs".to_owned(), Val::dict(named.into_iter().map(|(k, v)| (Val::from(k), v))));
        Ok(frame)
    }
}
