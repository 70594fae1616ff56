//! Reads `superset_config.py` without executing it.
//!
//! Understood: literals, names defined earlier, the environment, f-strings, arithmetic, text and container
//! operations, comparisons, `if`/`else`, `timedelta`, `crontab`, and imports that only provide these. Anything
//! else becomes [`Py::Unknown`] and is reported with its line when it reaches a configuration key.

mod call;
mod eval;
mod value;

use std::collections::HashMap;

use indexmap::IndexMap;
use ruff_python_ast::{Expr, ExprContext, Stmt, StmtImport, StmtImportFrom};
use ruff_text_size::{Ranged, TextSize};
use serde_json::Value as Json;

use eval::Scope;
pub use value::Py;

/// A part of the file that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, counted from 1.
    pub line: usize,
    /// The configuration key that it concerns, if any.
    pub key: Option<String>,
    /// What could not be read.
    pub text: String,
}

/// What a file defines.
#[derive(Debug, Default)]
pub struct PythonConfig {
    /// Upper-case names and their values.
    pub values: IndexMap<String, Json>,
    /// What was not understood.
    pub problems: Vec<Problem>,
}

/// Reads a file's text; `environment` answers `os.environ`, `defaults` the names of `superset.config`.
pub fn read(
    source: &str,
    environment: &HashMap<String, String>,
    defaults: &IndexMap<String, Json>,
) -> Result<PythonConfig, Problem> {
    let parsed = ruff_python_parser::parse_module(source).map_err(|e| Problem {
        line: line_of(source, e.location.start()),
        key: None,
        text: format!("syntax error: {}", e.error),
    })?;
    let mut reader = Reader {
        source,
        scope: Scope { names: IndexMap::new(), environment, defaults },
        problems: Vec::new(),
    };
    reader.block(&parsed.into_syntax().body);
    let mut values = IndexMap::new();
    for (name, value) in &reader.scope.names {
        let is_key = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if is_key && value.unknown().is_none() {
            values.insert(name.clone(), value.to_json());
        }
    }
    Ok(PythonConfig { values, problems: reader.problems })
}

fn line_of(source: &str, at: TextSize) -> usize {
    source.as_bytes().iter().take(at.to_usize()).filter(|b| **b == b'\n').count() + 1
}

struct Reader<'a> {
    source: &'a str,
    scope: Scope<'a>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn block(&mut self, body: &[Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn problem(&mut self, at: TextSize, key: Option<&str>, text: impl Into<String>) {
        let line = line_of(self.source, at);
        self.problems.push(Problem { line, key: key.map(str::to_owned), text: text.into() });
    }

    fn statement(&mut self, statement: &Stmt) {
        let at = statement.start();
        match statement {
            Stmt::Assign(s) => {
                let value = self.scope.eval(&s.value);
                for target in &s.targets {
                    self.assign(target, value.clone(), at);
                }
            }
            Stmt::AnnAssign(s) => {
                if let Some(value) = &s.value {
                    let value = self.scope.eval(value);
                    self.assign(&s.target, value, at);
                }
            }
            Stmt::AugAssign(s) => {
                let value = self.scope.binary(&self.scope.eval(&s.target), s.op, &self.scope.eval(&s.value));
                self.assign(&s.target, value, at);
            }
            Stmt::If(s) => {
                let branches = std::iter::once((Some(s.test.as_ref()), &s.body[..]))
                    .chain(s.elif_else_clauses.iter().map(|c| (c.test.as_ref(), &c.body[..])));
                for (test, body) in branches {
                    let value = test.map_or(Py::Bool(true), |t| self.scope.eval(t));
                    if let Some(why) = value.unknown() {
                        let why = why.to_owned();
                        self.undecided(s, &why);
                        return;
                    }
                    if value.truthy() {
                        self.block(body);
                        return;
                    }
                }
            }
            Stmt::Try(s) => self.block(&s.body),
            Stmt::Import(s) => self.import(s),
            Stmt::ImportFrom(s) => self.import_from(s),
            Stmt::FunctionDef(f) => {
                let why = format!("function {}", f.name);
                self.scope.names.insert(f.name.to_string(), Py::Unknown(why));
            }
            Stmt::ClassDef(c) => {
                let why = format!("class {}", c.name);
                self.scope.names.insert(c.name.to_string(), Py::Unknown(why));
            }
            Stmt::Expr(s) => self.expression(&s.value),
            Stmt::Pass(_) | Stmt::Assert(_) | Stmt::Global(_) => {}
            other => {
                let what = self.source.get(other.range().to_std_range()).and_then(|t| t.lines().next());
                let what = format!("not read: {}", what.unwrap_or_default());
                self.problem(at, None, what);
            }
        }
    }

    /// The condition is not known: every key that the branches set is unknown from here on.
    fn undecided(&mut self, s: &ruff_python_ast::StmtIf, why: &str) {
        let bodies = std::iter::once(&s.body[..]).chain(s.elif_else_clauses.iter().map(|c| &c.body[..]));
        for statement in bodies.flatten() {
            let targets: &[Expr] = match statement {
                Stmt::Assign(a) => &a.targets,
                Stmt::AugAssign(a) => std::slice::from_ref(&a.target),
                Stmt::AnnAssign(a) => std::slice::from_ref(&a.target),
                _ => &[],
            };
            for target in targets {
                self.assign(target, Py::Unknown(format!("depends on {why}")), statement.start());
            }
        }
    }

    fn assign(&mut self, target: &Expr, value: Py, at: TextSize) {
        if let Some(why) = value.unknown()
            && let Some(name) = root_name(target)
        {
            let text = format!("{why} cannot be read without executing the file");
            let name = name.to_owned();
            if name.starts_with(|c: char| c.is_ascii_uppercase()) {
                self.problem(at, Some(&name), text);
            }
        }
        match target {
            Expr::Name(n) => {
                self.scope.names.insert(n.id.to_string(), value);
            }
            Expr::Tuple(t) => self.unpack(&t.elts, value, at),
            Expr::List(t) => self.unpack(&t.elts, value, at),
            Expr::Subscript(s) => {
                let key = self.scope.eval(&s.slice);
                let Some(name) = root_name(target).map(str::to_owned) else { return };
                let done = self.scope.place(&s.value).is_some_and(|place| place.set_item(key, value));
                if !done {
                    self.problem(at, Some(&name), "cannot set an item of this value");
                }
            }
            _ => {
                self.problem(at, root_name(target).map(str::to_owned).as_deref(), "assignment not understood")
            }
        }
    }

    fn unpack(&mut self, targets: &[Expr], value: Py, at: TextSize) {
        let values = value.iter().filter(|v| v.len() == targets.len());
        for (i, target) in targets.iter().enumerate() {
            let one = values.as_ref().and_then(|v| v.get(i).cloned());
            self.assign(target, one.unwrap_or_else(|| Py::Unknown(value.repr())), at);
        }
    }

    /// A statement that is only an expression: text, or a method that changes a container.
    fn expression(&mut self, expr: &Expr) {
        let Expr::Call(c) = expr else { return };
        let Expr::Attribute(method) = c.func.as_ref() else { return };
        let (args, keywords) = self.scope.arguments(&c.arguments);
        let name = root_name(&method.value).map(str::to_owned);
        let changed =
            self.scope.place(&method.value).and_then(|p| call::mutate(p, &method.attr, &args, &keywords));
        let is_key = name.as_deref().is_some_and(|n| n.starts_with(|c: char| c.is_ascii_uppercase()));
        if is_key && changed != Some(true) {
            self.problem(expr.start(), name.as_deref(), format!(".{}(…) not understood", method.attr));
        }
    }

    fn import(&mut self, s: &StmtImport) {
        for alias in &s.names {
            let module = alias.name.to_string();
            let bound = alias
                .asname
                .as_ref()
                .map_or_else(|| module.split('.').next().unwrap_or(&module).to_owned(), ToString::to_string);
            let full = if alias.asname.is_some() { module } else { bound.clone() };
            self.scope.names.insert(bound, Py::Known(full));
        }
    }

    fn import_from(&mut self, s: &StmtImportFrom) {
        let module = s.module.as_ref().map(ToString::to_string).unwrap_or_default();
        for alias in &s.names {
            let name = alias.name.to_string();
            if name == "*" {
                if module != "superset.config" {
                    self.problem(
                        s.start(),
                        None,
                        format!("from {module} import *: the other file is not read"),
                    );
                }
                continue;
            }
            let bound = alias.asname.as_ref().map_or_else(|| name.clone(), ToString::to_string);
            let value = match self.scope.defaults.get(&name) {
                Some(default) if module == "superset.config" => Py::from_json(default),
                _ => Py::Known(format!("{module}.{name}")),
            };
            self.scope.names.insert(bound, value);
        }
    }
}

/// The name at the left end of `NAME["a"]["b"]`.
fn root_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(n) if n.ctx != ExprContext::Invalid => Some(n.id.as_str()),
        Expr::Subscript(s) => root_name(&s.value),
        Expr::Attribute(a) => root_name(&a.value),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
