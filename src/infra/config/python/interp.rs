//! The interpreter: what is in force while statements run, and the bounds within which they do.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use indexmap::IndexMap;
use parking_lot::Mutex;
use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::{Ranged, TextSize};
use serde_json::Value as Json;

use super::{
    Problem as Note, Subject,
    effects::{Effects, is_key},
    error::{Done, Fault, Problem, stop},
    frame::{Frame, Kind, Place},
    function::Function,
    library,
    manager::{Answers, Question},
    value::{Arguments, Value},
};

/// Why a name has no value when the file ended with an error that was told.
pub(super) const AFTER_ERROR: &str = "an error above";

/// What a file and its functions may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub steps: u64,
    pub bytes: usize,
    pub time: Duration,
    pub depth: u32,
}

/// Of reading a file, on a thread with a stack for it.
pub(super) const OF_A_FILE: Bounds =
    Bounds { steps: 10_000_000, bytes: 512 << 20, time: Duration::from_secs(5), depth: 1000 };
/// Of calling a function of it.
pub(super) const OF_A_CALL: Bounds =
    Bounds { steps: 2_000_000, bytes: 128 << 20, time: Duration::from_secs(2), depth: 120 };

/// What the files of a configuration share.
#[derive(Debug)]
pub(super) struct World {
    pub environment: Mutex<HashMap<String, String>>,
    pub defaults: IndexMap<String, Json>,
    /// `sys.path`.
    pub path: Value,
    /// Modules that were read, by their files.
    pub modules: Mutex<HashMap<PathBuf, Arc<Frame>>>,
}

/// What is in force while statements run.
pub(super) struct Interp<'w> {
    pub world: &'w World,
    pub frame: Arc<Frame>,
    /// Nothing may be unknown: a function is called, and what it decides counts.
    pub is_strict: bool,
    pub bounds: Bounds,
    pub until: Instant,
    depth: u32,
    /// What there is to say about the file.
    pub notes: Vec<Note>,
    pub used: HashSet<String>,
    /// Values of the generators that run.
    pub yielded: Vec<Vec<Value>>,
    /// Frames that hold themselves.
    pub circles: Vec<Weak<Frame>>,
    /// Exceptions that are being handled.
    pub handling: Vec<Value>,
    /// `try` statements that would catch something.
    pub catching: usize,
    /// `try` statements that catch an `ImportError`: whether a module may be there or not.
    pub import_guards: Vec<bool>,
    /// Who asks, for `flask.g` and the like.
    pub ambient: HashMap<&'static str, Value>,
    /// What is known of outside; none outside of a method that may ask.
    pub answers: Option<Arc<Answers>>,
    /// The question with which a call ended.
    pub asked: Option<Question>,
}

/// What a statement leads to.
#[derive(Debug)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
}

impl<'w> Interp<'w> {
    pub fn new(world: &'w World, frame: Arc<Frame>, bounds: Bounds, is_strict: bool) -> Self {
        Self {
            world,
            frame,
            is_strict,
            bounds,
            until: Instant::now() + bounds.time,
            depth: 0,
            notes: Vec::new(),
            used: HashSet::new(),
            yielded: Vec::new(),
            circles: Vec::new(),
            handling: Vec::new(),
            catching: 0,
            import_guards: Vec::new(),
            ambient: HashMap::new(),
            answers: None,
            asked: None,
        }
    }

    /// One step more.
    pub fn step(&mut self, at: TextSize) -> Done<()> {
        match self.bounds.steps.checked_sub(1) {
            Some(left) => self.bounds.steps = left,
            None => return Err(self.stop("it takes too long", at)),
        }
        if self.bounds.steps.is_multiple_of(256) && Instant::now() > self.until {
            return Err(self.stop("it takes too long", at));
        }
        Ok(())
    }

    /// Many steps at once, of an operation over a whole container.
    pub fn steps(&mut self, count: usize, at: TextSize) -> Done<()> {
        self.bounds.steps = self.bounds.steps.saturating_sub(count as u64);
        self.step(at)
    }

    /// Memory that is about to be used.
    pub fn spend(&mut self, bytes: usize, at: TextSize) -> Done<()> {
        match self.bounds.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bounds.bytes = left;
                Ok(())
            }
            None => Err(self.stop("it needs too much memory", at)),
        }
    }

    pub fn deeper(&mut self, at: TextSize) -> Done<()> {
        self.depth += 1;
        if self.depth > self.bounds.depth {
            self.depth -= 1;
            return Err(self.stop("it calls itself too deeply", at));
        }
        Ok(())
    }

    pub fn shallower(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub fn stop(&self, text: impl Into<String>, at: TextSize) -> Fault {
        stop(text, self.frame.source, at)
    }

    /// Something that liteset cannot have: unknown while a file is read, the end of a call.
    pub fn unknown(&self, why: &str, at: TextSize) -> Done<Value> {
        if self.is_strict {
            return Err(self.stop(format!("{why} is not there in liteset"), at));
        }
        Ok(Value::Unknown(why.into()))
    }

    /// The truth of a value.
    pub fn truth(&mut self, value: &Value, at: TextSize) -> Done<bool> {
        match value {
            Value::Unknown(why) if self.is_strict => {
                Err(self.stop(format!("{why} is not there in liteset"), at))
            }
            Value::Unknown(why) => Err(Fault::Unclear(why.clone(), Place { source: self.frame.source, at })),
            // something of a library that is perhaps no function or class
            Value::Known(name) if name.contains('.') => {
                self.unknown(name, at)?;
                Err(Fault::Unclear(name.clone(), Place { source: self.frame.source, at }))
            }
            Value::Object(o) => {
                for name in ["__bool__", "__len__"] {
                    if o.class.find(name).is_some() {
                        let method = self.attribute(value, name, at)?;
                        let answer = self.call(&method, Arguments::default(), at)?;
                        return Ok(answer.truthy());
                    }
                }
                Ok(true)
            }
            other => Ok(other.truthy()),
        }
    }

    /// Notes something about the file; nothing while a function is called.
    pub fn note(&mut self, at: TextSize, subject: Subject, text: impl Into<String>) {
        if !self.is_strict {
            let (file, line) = (self.frame.source.path.clone(), self.frame.source.line(at));
            self.notes.push(Note { file, line, subject, text: text.into() });
        }
    }

    pub fn note_statement(&mut self, text: impl Into<String>, at: TextSize) {
        self.note(at, Subject::Statement, text);
    }

    /// Sets a name of a frame; of a file with its place.
    pub fn set_name(&mut self, frame: &Arc<Frame>, name: &str, value: Value, at: TextSize) {
        if frame.kind == Kind::Module && !self.is_strict {
            let origin = (self.frame.source.path.clone(), self.frame.source.line(at));
            frame.origins.lock().insert(name.to_owned(), origin);
        }
        frame.names.lock().insert(name.to_owned(), value);
    }

    /// The names that something which was not run could set are unknown from here on.
    pub fn not_run(&mut self, effects: Effects, why: &str) {
        if let Some(at) = effects.anything {
            self.note(
                at,
                Subject::Anything,
                format!("{why} is not there in liteset; what depends on it could set any key"),
            );
        }
        let frame = self.frame.clone();
        for (name, at) in effects.names {
            let owner = frame.owner(&name);
            self.set_name(&owner, &name, Value::Unknown(why.into()), at);
        }
    }

    /// The same, of a function that did not end.
    pub fn assigned_by_function(&mut self, function: &Arc<Function>, why: &str) {
        let super::function::Body::Statements(body) = function.body else { return };
        let effects = Effects::of_function(body);
        let caller = std::mem::replace(&mut self.frame, function.closure.globals());
        self.not_run(effects, why);
        self.frame = caller;
    }

    /// Runs the statements of a file, all of them: what fails is noted, so that everything is told at once.
    pub fn file(&mut self, body: &'static [Stmt]) -> Done<()> {
        for statement in body {
            let done = self.statement(statement);
            match done {
                Ok(_) => {}
                Err(Fault::Unclear(why, _)) => {
                    let effects = Effects::of([statement]);
                    if effects.is_empty() {
                        self.note_statement(
                            format!("{} is not run: it needs {why}", kind(statement)),
                            statement.start(),
                        );
                    }
                    self.not_run(effects, &format!("a value that depends on {why}"));
                }
                Err(fault @ Fault::Raise(_)) if self.catching > 0 => return Err(fault),
                Err(Fault::Raise(raised)) => {
                    let (path, line) = (raised.place.path().to_path_buf(), raised.place.line());
                    let text = format!("the file ends with an error here: {}", raised.shown());
                    self.notes.push(Note { file: path, line, subject: Subject::Failure, text });
                    let effects = Effects::of([statement]);
                    let frame = self.frame.clone();
                    for (name, at) in effects.names {
                        // what it had already is not what the file means
                        self.set_name(&frame, &name, Value::Unknown(AFTER_ERROR.into()), at);
                    }
                }
                Err(Fault::Stop(why)) => {
                    let text = format!("this part of the file is not run to its end: {}", why.text);
                    let (file, line) = (why.place.path().to_path_buf(), why.place.line());
                    self.notes.push(Note { file, line, subject: Subject::Failure, text });
                    return Err(Fault::Stop(why));
                }
            }
        }
        Ok(())
    }

    pub fn block(&mut self, body: &'static [Stmt]) -> Done<Flow> {
        for statement in body {
            match self.statement(statement)? {
                Flow::Next => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    pub fn statement(&mut self, statement: &'static Stmt) -> Done<Flow> {
        let at = statement.start();
        self.step(at)?;
        match statement {
            Stmt::Expr(s) => self.expression_statement(&s.value)?,
            Stmt::Assign(s) => {
                let value = self.eval(&s.value)?;
                for target in &s.targets {
                    self.assign(target, value.clone(), at)?;
                }
            }
            Stmt::AnnAssign(s) => {
                if let Some(value) = &s.value {
                    let value = self.eval(value)?;
                    self.assign(&s.target, value, at)?;
                }
            }
            Stmt::AugAssign(s) => {
                let (left, right) = (self.eval(&s.target)?, self.eval(&s.value)?);
                let value = self.in_place(&left, s.op, &right, at)?;
                self.assign(&s.target, value, at)?;
            }
            Stmt::Return(s) => {
                let value = match &s.value {
                    Some(value) => self.eval(value)?,
                    None => Value::None,
                };
                return Ok(Flow::Return(value));
            }
            Stmt::Break(_) => return Ok(Flow::Break),
            Stmt::Continue(_) => return Ok(Flow::Continue),
            Stmt::Pass(_) | Stmt::TypeAlias(_) | Stmt::IpyEscapeCommand(_) => {}
            Stmt::Global(s) => self.elsewhere(&s.names, super::frame::Elsewhere::Global),
            Stmt::Nonlocal(s) => self.elsewhere(&s.names, super::frame::Elsewhere::Nonlocal),
            Stmt::Delete(s) => {
                for target in &s.targets {
                    self.delete(target)?;
                }
            }
            Stmt::Assert(s) => {
                let holds = self.eval(&s.test)?;
                if !self.truth(&holds, at)? {
                    let arguments = match &s.msg {
                        Some(message) => vec![self.eval(message)?],
                        None => Vec::new(),
                    };
                    let error = super::error::error("AssertionError", arguments, None);
                    return Err(super::error::raise(error, self.frame.source, at));
                }
            }
            Stmt::Raise(s) => {
                let Some(value) = &s.exc else {
                    return Err(match self.handling.last().cloned() {
                        Some(error) => super::error::raise(error, self.frame.source, at),
                        None => Problem::safe("RuntimeError", "no exception to raise again")
                            .at(self.frame.source, at),
                    });
                };
                let value = self.eval(value)?;
                return Err(self.raise_value(&value, at));
            }
            Stmt::Import(s) => self.import(s)?,
            Stmt::ImportFrom(s) => self.import_from(s)?,
            Stmt::FunctionDef(s) => self.define_function(s)?,
            Stmt::ClassDef(s) => self.define_class(s)?,
            Stmt::If(s) => return self.branches(s),
            Stmt::For(s) => return self.for_loop(s),
            Stmt::While(s) => return self.while_loop(s),
            Stmt::With(s) => return self.with_block(s),
            Stmt::Try(s) => return self.attempt(s),
            Stmt::Match(s) => return self.match_block(s),
        }
        Ok(Flow::Next)
    }

    fn elsewhere(&self, names: &[ruff_python_ast::Identifier], place: super::frame::Elsewhere) {
        let mut elsewhere = self.frame.elsewhere.lock();
        elsewhere.extend(names.iter().map(|n| (n.to_string(), place)));
    }

    /// A statement that is only an expression: most often a call. One that liteset cannot make may have changed what
    /// it was given.
    fn expression_statement(&mut self, expression: &'static Expr) -> Done<()> {
        let value = self.eval(expression)?;
        let (Expr::Call(call), Value::Unknown(why)) = (expression, &value) else { return Ok(()) };
        if library::is_harmless(why) {
            return Ok(());
        }
        let at = expression.start();
        let given = call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|k| &k.value));
        let frame = self.frame.clone();
        let mut names: Vec<&str> = given.filter_map(super::root_name).collect();
        if let Expr::Attribute(method) = &*call.func {
            names.extend(super::root_name(&method.value));
        }
        for name in names.into_iter().filter(|name| is_key(name)) {
            let is_container =
                matches!(frame.find(name), Some(Value::List(_) | Value::Dict(_) | Value::Set(_)));
            if is_container {
                let why = Value::Unknown("a value that is given to a function".into());
                let owner = frame.owner(name);
                self.set_name(&owner, name, why, at);
            }
        }
        self.note_statement(format!("{why} is not there in liteset: the call is left out"), at);
        Ok(())
    }

    pub fn assign(&mut self, target: &'static Expr, value: Value, at: TextSize) -> Done<()> {
        match target {
            Expr::Name(n) => {
                let owner = self.frame.owner(n.id.as_str());
                self.set_name(&owner, n.id.as_str(), value, at);
                Ok(())
            }
            Expr::Tuple(t) => self.unpack(&t.elts, &value, at),
            Expr::List(t) => self.unpack(&t.elts, &value, at),
            Expr::Starred(s) => self.assign(&s.value, value, at),
            Expr::Attribute(a) => {
                let object = self.eval(&a.value)?;
                self.set_attribute(&object, a.attr.as_str(), value, at)
            }
            Expr::Subscript(s) => {
                let container = self.eval(&s.value)?;
                let key = self.eval(&s.slice)?;
                self.touched(target, at);
                if let (Value::Unknown(_), Some(name)) = (&container, super::root_name(target)) {
                    let owner = self.frame.owner(name);
                    let why = "an item that is set on something which is not known";
                    self.unknown(why, at)?;
                    self.set_name(&owner, name, Value::Unknown(why.into()), at);
                    return Ok(());
                }
                self.set_item(&container, key, value, at)
            }
            _ => Err(Problem::kind("this cannot be assigned to").at(self.frame.source, at)),
        }
    }

    /// A container of the file was changed here.
    pub fn touched(&mut self, target: &Expr, at: TextSize) {
        if let Some(name) = super::root_name(target).filter(|name| is_key(name))
            && self.frame.kind == Kind::Module
        {
            let origin = (self.frame.source.path.clone(), self.frame.source.line(at));
            self.frame.origins.lock().insert(name.to_owned(), origin);
        }
    }

    fn unpack(&mut self, targets: &'static [Expr], value: &Value, at: TextSize) -> Done<()> {
        if let Value::Unknown(why) = value {
            for target in targets {
                self.assign(target, Value::Unknown(why.clone()), at)?;
            }
            return Ok(());
        }
        let mut values = self.iterate(value, at)?;
        let starred = targets.iter().position(|t| matches!(t, Expr::Starred(_)));
        let fits = match starred {
            Some(_) => values.len() + 1 >= targets.len(),
            None => values.len() == targets.len(),
        };
        if !fits {
            let text = format!("{} values cannot be unpacked into {} names", values.len(), targets.len());
            return self.raise(Problem::safe("ValueError", text), at);
        }
        if let Some(place) = starred {
            let count = values.len() + 1 - targets.len();
            let middle: Vec<Value> = values.drain(place..place + count).collect();
            values.insert(place, Value::list(middle));
        }
        for (target, value) in targets.iter().zip(values) {
            self.assign(target, value, at)?;
        }
        Ok(())
    }

    fn delete(&mut self, target: &'static Expr) -> Done<()> {
        let at = target.start();
        match target {
            Expr::Name(n) => {
                let owner = self.frame.owner(n.id.as_str());
                if owner.names.lock().shift_remove(n.id.as_str()).is_none() {
                    let text = format!("name '{}' is not defined", n.id);
                    return self.raise(Problem::safe("NameError", text), at);
                }
                Ok(())
            }
            Expr::Subscript(s) => {
                let (container, key) = (self.eval(&s.value)?, self.eval(&s.slice)?);
                self.touched(target, at);
                self.delete_item(&container, &key, at)
            }
            Expr::Attribute(a) => {
                let object = self.eval(&a.value)?;
                if let Value::Object(o) = &object {
                    o.attributes.lock().shift_remove(a.attr.as_str());
                }
                Ok(())
            }
            Expr::Tuple(t) => t.elts.iter().try_for_each(|e| self.delete(e)),
            _ => Err(Problem::kind("this cannot be deleted").at(self.frame.source, at)),
        }
    }
}

/// A statement's kind: its text may hold secrets.
pub(super) fn kind(statement: &Stmt) -> &'static str {
    match statement {
        Stmt::For(_) => "a `for` loop",
        Stmt::While(_) => "a `while` loop",
        Stmt::With(_) => "a `with` block",
        Stmt::Match(_) => "a `match` block",
        Stmt::If(_) => "an `if`",
        Stmt::Try(_) => "a `try`",
        _ => "a statement",
    }
}
