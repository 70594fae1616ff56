//! Statements with a body: branches, loops, `with`, `try`, `match`, functions and classes.

use std::sync::Arc;

use parking_lot::Mutex;
use ruff_python_ast::{
    Expr, Pattern, Singleton, Stmt, StmtClassDef, StmtFor, StmtFunctionDef, StmtIf, StmtMatch, StmtTry,
    StmtWhile, StmtWith,
    visitor::{Visitor, walk_expr, walk_stmt},
};
use ruff_text_size::{Ranged, TextSize};

use super::{
    effects::Effects,
    error::{Done, Fault, matches},
    frame::{Frame, Kind, Place},
    function::{Body, Function},
    interp::{Flow, Interp},
    value::{Arguments, Class, Object, Value},
};

impl Interp<'_> {
    pub(super) fn branches(&mut self, s: &'static StmtIf) -> Done<Flow> {
        let branches = std::iter::once((Some(&*s.test), &s.body[..]))
            .chain(s.elif_else_clauses.iter().map(|c| (c.test.as_ref(), &c.body[..])));
        for (test, body) in branches {
            let holds = match test {
                Some(test) => {
                    let value = self.eval(test)?;
                    self.truth(&value, test.start())?
                }
                None => true,
            };
            if holds {
                return self.block(body);
            }
        }
        Ok(Flow::Next)
    }

    pub(super) fn for_loop(&mut self, s: &'static StmtFor) -> Done<Flow> {
        let at = s.iter.start();
        let over = self.eval(&s.iter)?;
        if let Value::Range(first, end, step) = over {
            let mut i = first;
            while if step > 0 { i < end } else { i > end } {
                match self.turn(s, Value::Int(i))? {
                    Some(Flow::Break) => return Ok(Flow::Next),
                    Some(flow) => return Ok(flow),
                    None => {}
                }
                i += step;
            }
        } else {
            for value in self.iterate(&over, at)? {
                match self.turn(s, value)? {
                    Some(Flow::Break) => return Ok(Flow::Next),
                    Some(flow) => return Ok(flow),
                    None => {}
                }
            }
        }
        self.block(&s.orelse)
    }

    /// One turn of a loop; where it leads when that is the last.
    fn turn(&mut self, s: &'static StmtFor, value: Value) -> Done<Option<Flow>> {
        self.step(s.start())?;
        self.assign(&s.target, value, s.start())?;
        Ok(match self.block(&s.body)? {
            Flow::Next | Flow::Continue => None,
            other => Some(other),
        })
    }

    pub(super) fn while_loop(&mut self, s: &'static StmtWhile) -> Done<Flow> {
        loop {
            self.step(s.start())?;
            let test = self.eval(&s.test)?;
            if !self.truth(&test, s.test.start())? {
                return self.block(&s.orelse);
            }
            match self.block(&s.body)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Ok(Flow::Next),
                other => return Ok(other),
            }
        }
    }

    pub(super) fn with_block(&mut self, s: &'static StmtWith) -> Done<Flow> {
        let mut managers = Vec::new();
        let mut suppressed = Vec::new();
        for item in &s.items {
            let at = item.context_expr.start();
            let manager = self.eval(&item.context_expr)?;
            let entered = match &manager {
                Value::Object(_) => {
                    let enter = self.attribute(&manager, "__enter__", at)?;
                    self.call(&enter, Arguments::default(), at)?
                }
                Value::File(..) => manager.clone(),
                Value::Tuple(parts) if is_suppress(parts) => {
                    suppressed.extend(parts.iter().skip(1).cloned());
                    Value::None
                }
                other => {
                    let why: Arc<str> = other.what().into();
                    self.unknown(&why, at)?;
                    return Err(Fault::Unclear(why, Place { source: self.frame.source, at }));
                }
            };
            if let Some(target) = &item.optional_vars {
                self.assign(target, entered, at)?;
            }
            managers.push((manager, at));
        }
        let mut done = self.block(&s.body);
        for (manager, at) in managers.into_iter().rev() {
            let Value::Object(_) = manager else { continue };
            let exit = self.attribute(&manager, "__exit__", at)?;
            let error = match &done {
                Err(Fault::Raise(raised)) => raised.error.clone(),
                _ => Value::None,
            };
            let kind = if let Value::None = error { Value::None } else { super::library::type_of(&error) };
            let swallows = self.call(&exit, Arguments::of(vec![kind, error, Value::None]), at)?;
            if matches!(done, Err(Fault::Raise(_))) && self.truth(&swallows, at)? {
                done = Ok(Flow::Next);
            }
        }
        if let Err(Fault::Raise(raised)) = &done
            && suppressed.iter().any(|kind| matches(&raised.error, kind))
        {
            return Ok(Flow::Next);
        }
        done
    }

    pub(super) fn attempt(&mut self, s: &'static StmtTry) -> Done<Flow> {
        let handlers = || s.handlers.iter().filter_map(|h| h.as_except_handler());
        let guards = handlers().any(|h| catches_import_error(h.type_.as_deref()));
        if guards {
            self.import_guards.push(false);
        }
        if !s.handlers.is_empty() {
            self.catching += 1;
        }
        let mut done = self.block(&s.body);
        if !s.handlers.is_empty() {
            self.catching -= 1;
        }
        let is_unsure = guards && self.import_guards.pop() == Some(true);
        match &done {
            Err(Fault::Raise(raised)) => {
                let error = raised.error.clone();
                for handler in handlers() {
                    let is_for_it = match &handler.type_ {
                        None => true,
                        Some(kind) => {
                            let kind = self.eval(kind)?;
                            matches(&error, &kind)
                        }
                    };
                    if !is_for_it {
                        continue;
                    }
                    let owner = handler.name.as_ref().map(|n| (n.to_string(), self.frame.owner(n.as_str())));
                    if let Some((name, owner)) = &owner {
                        owner.names.lock().insert(name.clone(), error.clone());
                    }
                    self.handling.push(error.clone());
                    done = self.block(&handler.body);
                    self.handling.pop();
                    if let Some((name, owner)) = &owner {
                        owner.names.lock().shift_remove(name);
                    }
                    break;
                }
            }
            Ok(Flow::Next) => done = self.block(&s.orelse),
            _ => {}
        }
        if is_unsure && matches!(done, Ok(Flow::Next)) {
            self.unsure(s)?;
        }
        // neither of these can be held up
        if matches!(done, Err(Fault::Stop(_) | Fault::Unclear(..))) {
            return done;
        }
        match self.block(&s.finalbody)? {
            Flow::Next => done,
            other => Ok(other),
        }
    }

    /// A module of somebody else may be there or not where Superset runs: so may what either way assigns.
    fn unsure(&mut self, s: &'static StmtTry) -> Done<()> {
        let bodies = s.handlers.iter().filter_map(|h| h.as_except_handler()).flat_map(|h| &h.body);
        let mut effects = Effects::of(bodies.chain(&s.orelse));
        let done = s.body.iter().filter(|b| !matches!(b, Stmt::Import(_) | Stmt::ImportFrom(_)));
        effects.merge(Effects::of(done));
        if effects.is_empty() {
            return Ok(());
        }
        let why = "a module that may be installed or not";
        if self.frame.kind == Kind::Module {
            self.not_run(effects, why);
            return Ok(());
        }
        self.unknown(why, s.start())?;
        Err(Fault::Unclear(why.into(), Place { source: self.frame.source, at: s.start() }))
    }

    pub(super) fn match_block(&mut self, s: &'static StmtMatch) -> Done<Flow> {
        let subject = self.eval(&s.subject)?;
        if let Value::Unknown(why) = &subject {
            self.unknown(why, s.start())?;
            return Err(Fault::Unclear(why.clone(), Place { source: self.frame.source, at: s.start() }));
        }
        for case in &s.cases {
            if !self.fits(&case.pattern, &subject)? {
                continue;
            }
            if let Some(guard) = &case.guard {
                let value = self.eval(guard)?;
                if !self.truth(&value, guard.start())? {
                    continue;
                }
            }
            return self.block(&case.body);
        }
        Ok(Flow::Next)
    }

    fn capture(&mut self, name: Option<&ruff_python_ast::Identifier>, value: Value, at: TextSize) {
        if let Some(name) = name {
            let owner = self.frame.owner(name.as_str());
            self.set_name(&owner, name.as_str(), value, at);
        }
    }

    fn fits(&mut self, pattern: &'static Pattern, subject: &Value) -> Done<bool> {
        let at = pattern.start();
        Ok(match pattern {
            Pattern::MatchValue(p) => self.eval(&p.value)?.equals(subject),
            Pattern::MatchSingleton(p) => matches!(
                (p.value, subject),
                (Singleton::None, Value::None)
                    | (Singleton::True, Value::Bool(true))
                    | (Singleton::False, Value::Bool(false))
            ),
            Pattern::MatchAs(p) => {
                if let Some(inner) = &p.pattern
                    && !self.fits(inner, subject)?
                {
                    return Ok(false);
                }
                self.capture(p.name.as_ref(), subject.clone(), at);
                true
            }
            Pattern::MatchOr(p) => {
                for one in &p.patterns {
                    if self.fits(one, subject)? {
                        return Ok(true);
                    }
                }
                false
            }
            Pattern::MatchSequence(p) => {
                if !matches!(subject, Value::List(_) | Value::Tuple(_)) {
                    return Ok(false);
                }
                let values = self.iterate(subject, at)?;
                let star = p.patterns.iter().position(|p| matches!(p, Pattern::MatchStar(_)));
                let fixed = p.patterns.len() - usize::from(star.is_some());
                if values.len() < fixed || star.is_none() && values.len() != fixed {
                    return Ok(false);
                }
                let mut values = values.into_iter();
                let extra = values.len() - fixed;
                for one in &p.patterns {
                    if let Pattern::MatchStar(star) = one {
                        let rest: Vec<Value> = values.by_ref().take(extra).collect();
                        self.capture(star.name.as_ref(), Value::list(rest), at);
                    } else if let Some(value) = values.next()
                        && !self.fits(one, &value)?
                    {
                        return Ok(false);
                    }
                }
                true
            }
            Pattern::MatchMapping(p) => {
                let Value::Dict(dict) = subject else { return Ok(false) };
                let mut rest = dict.items.lock().clone();
                for (key, one) in p.keys.iter().zip(&p.patterns) {
                    let key = self.eval(key)?;
                    let Some(value) = rest.shift_remove(&super::value::Key(key)) else { return Ok(false) };
                    if !self.fits(one, &value)? {
                        return Ok(false);
                    }
                }
                let rest = Value::dict(rest.into_iter().map(|(k, v)| (k.0, v)));
                self.capture(p.rest.as_ref(), rest, at);
                true
            }
            Pattern::MatchClass(p) => {
                let class = self.eval(&p.cls)?;
                if !super::library::is_instance(subject, &class) {
                    return Ok(false);
                }
                for one in &p.arguments.patterns {
                    if !self.fits(one, subject)? {
                        return Ok(false);
                    }
                }
                for one in &p.arguments.keywords {
                    let value = self.attribute(subject, one.attr.as_str(), at)?;
                    if !self.fits(&one.pattern, &value)? {
                        return Ok(false);
                    }
                }
                true
            }
            Pattern::MatchStar(_) => false,
        })
    }

    /// A function with the defaults that it has from here on.
    pub(super) fn make_function(
        &mut self,
        name: &str,
        parameters: Option<&'static ruff_python_ast::Parameters>,
        body: Body,
    ) -> Done<Value> {
        let mut defaults = Vec::new();
        let all =
            parameters.into_iter().flat_map(|p| p.posonlyargs.iter().chain(&p.args).chain(&p.kwonlyargs));
        for parameter in all {
            if let Some(default) = &parameter.default {
                defaults.push((parameter.parameter.name.to_string(), self.eval(default)?));
            }
        }
        let is_generator = match body {
            Body::Statements(body) => yields(body),
            Body::Expression(_) => false,
        };
        Ok(Value::Function(Arc::new(Function {
            name: name.to_owned(),
            parameters,
            defaults,
            body,
            closure: self.frame.closure(),
            source: self.frame.source,
            is_generator,
        })))
    }

    pub(super) fn define_function(&mut self, s: &'static StmtFunctionDef) -> Done<()> {
        let name = s.name.as_str();
        let mut value = if s.is_async {
            Value::Unknown(format!("async function {name}").into())
        } else {
            self.make_function(name, Some(&s.parameters), Body::Statements(&s.body))?
        };
        for decorator in s.decorator_list.iter().rev() {
            let at = decorator.expression.start();
            let with = self.eval(&decorator.expression)?;
            value = self.call(&with, Arguments::of(vec![value]), at)?;
        }
        let owner = self.frame.owner(name);
        self.set_name(&owner, name, value, s.start());
        Ok(())
    }

    pub(super) fn define_class(&mut self, s: &'static StmtClassDef) -> Done<()> {
        let at = s.start();
        let mut bases = Vec::new();
        for base in s.arguments.iter().flat_map(|a| &a.args) {
            let base = self.eval(base)?;
            // `Generic[T]`
            bases.push(if let Value::Unknown(why) = &base { Value::Known(why.clone()) } else { base });
        }
        let frame = Frame::inner(Kind::Class, &self.frame, self.frame.source);
        let outer = std::mem::replace(&mut self.frame, frame.clone());
        let done = self.block(&s.body);
        self.frame = outer;
        done?;
        let decorators =
            s.decorator_list.iter().map(|d| self.eval(&d.expression)).collect::<Done<Vec<_>>>()?;
        let is_data = decorators.iter().any(is_dataclass)
            || bases.iter().any(|b| matches!(b, Value::Known(n) if &**n == "typing.NamedTuple"));
        let fields = is_data.then(|| {
            let annotated = s.body.iter().filter_map(|b| match b {
                Stmt::AnnAssign(a) => super::root_name(&a.target).map(str::to_owned),
                _ => None,
            });
            annotated.collect()
        });
        let class = Arc::new(Class {
            name: s.name.to_string(),
            bases,
            attributes: Mutex::new(frame.names.lock().clone()),
            fields,
        });
        if class.is_enum() {
            make_members(&class);
        }
        let mut value = Value::Class(class);
        for decorator in decorators.into_iter().rev().filter(|d| !is_dataclass(d)) {
            value = self.call(&decorator, Arguments::of(vec![value]), at)?;
        }
        let owner = self.frame.owner(s.name.as_str());
        self.set_name(&owner, s.name.as_str(), value, at);
        Ok(())
    }
}

/// `contextlib.suppress(…)`.
fn is_suppress(parts: &[Value]) -> bool {
    matches!(parts.first(), Some(Value::Known(name)) if &**name == "contextlib.suppress")
}

fn is_dataclass(decorator: &Value) -> bool {
    match decorator {
        Value::Known(name) => &**name == "dataclasses.dataclass",
        Value::Partial(made) => matches!(&made.0, Value::Known(n) if &**n == "dataclasses.dataclass"),
        _ => false,
    }
}

/// The plain attributes of an enumeration become its members.
fn make_members(class: &Arc<Class>) {
    let mut attributes = class.attributes.lock();
    let mut count = 0;
    for (name, value) in attributes.iter_mut() {
        let is_plain = !name.starts_with('_')
            && matches!(
                value,
                Value::Str(_)
                    | Value::Int(_)
                    | Value::Float(_)
                    | Value::Tuple(_)
                    | Value::Known(_)
                    | Value::Bool(_)
            );
        if !is_plain {
            continue;
        }
        count += 1;
        let own = match &*value {
            // `auto()`
            Value::Known(n) if &**n == "enum.auto" => Value::Int(count),
            other => other.clone(),
        };
        let members = [("name".to_owned(), Value::text(name.as_str())), ("value".to_owned(), own)];
        let object = Object { class: class.clone(), attributes: Mutex::new(members.into_iter().collect()) };
        *value = Value::Object(Arc::new(object));
    }
}

fn catches_import_error(kind: Option<&Expr>) -> bool {
    let named = |e: &Expr| match e {
        Expr::Name(n) => {
            matches!(n.id.as_str(), "ImportError" | "ModuleNotFoundError" | "Exception" | "BaseException")
        }
        _ => false,
    };
    match kind {
        None => true,
        Some(Expr::Tuple(t)) => t.elts.iter().any(named),
        Some(one) => named(one),
    }
}

/// The body has a `yield` of its own.
fn yields(body: &[Stmt]) -> bool {
    struct Finder(bool);
    impl<'a> Visitor<'a> for Finder {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
                walk_stmt(self, stmt);
            }
        }
        fn visit_expr(&mut self, expr: &'a Expr) {
            match expr {
                Expr::Yield(_) | Expr::YieldFrom(_) => self.0 = true,
                Expr::Lambda(_) => {}
                other => walk_expr(self, other),
            }
        }
    }
    let mut finder = Finder(false);
    body.iter().for_each(|s| finder.visit_stmt(s));
    finder.0
}
