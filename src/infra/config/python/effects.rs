//! What statements that are not evaluated could do to the names of the file: the keys that a loop, a `with` block or a
//! function assigns are found without running it.

use std::collections::HashSet;

use ruff_python_ast::{
    Expr, ExprCall, ExprSubscript, Pattern, Stmt, StmtImportFrom,
    visitor::{Visitor, walk_expr, walk_pattern, walk_stmt},
};
use ruff_text_size::{Ranged, TextSize};

use super::root_name;

/// Methods that change a container.
const MUTATORS: &[&str] = &[
    "add",
    "append",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "setdefault",
    "update",
];

/// What some statements could do.
#[derive(Debug, Clone, Default)]
pub(super) struct Effects {
    /// Names of the file that are assigned or changed, with their places.
    pub names: Vec<(String, TextSize)>,
    /// A place that could assign any name: `exec`, `globals()`, a star import.
    pub anything: Option<TextSize>,
    /// Names that are used.
    pub mentions: HashSet<String>,
}

impl Effects {
    /// Of statements of the file itself.
    pub fn of<'a>(body: impl IntoIterator<Item = &'a Stmt>) -> Self {
        let mut finder = Finder::default();
        body.into_iter().for_each(|s| finder.visit_stmt(s));
        finder.effects
    }

    /// Of calling a function that the file defines.
    pub fn of_function(body: &[Stmt]) -> Self {
        Finder::default().inner(body)
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.anything.is_none()
    }

    /// Adds those of another part.
    pub fn merge(&mut self, other: Self) {
        self.names.extend(other.names);
        self.anything = self.anything.or(other.anything);
        self.mentions.extend(other.mentions);
    }
}

/// A name that can be a configuration key.
pub(super) fn is_key(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[derive(Default)]
struct Finder {
    effects: Effects,
    /// Inside a function: the names that it declared `global`; others are its own.
    global: Option<HashSet<String>>,
}

impl Finder {
    /// A body whose plain assignments are not those of the file.
    fn inner(&self, body: &[Stmt]) -> Effects {
        let global = self.global.clone().unwrap_or_default();
        let mut finder = Self { effects: Effects::default(), global: Some(global) };
        body.iter().for_each(|s| finder.visit_stmt(s));
        finder.effects
    }

    fn assigned(&mut self, name: &str, at: TextSize) {
        if self.global.as_ref().is_none_or(|names| names.contains(name)) {
            self.effects.names.push((name.to_owned(), at));
        }
    }

    /// A container of the file; one whose name looks like a key is taken for it inside functions, too.
    fn changed(&mut self, name: &str, at: TextSize) {
        if self.global.is_none() || is_key(name) {
            self.effects.names.push((name.to_owned(), at));
        }
    }

    fn anything(&mut self, at: TextSize) {
        self.effects.anything.get_or_insert(at);
    }

    fn target(&mut self, target: &Expr) {
        let at = target.start();
        match target {
            Expr::Name(n) => self.assigned(n.id.as_str(), at),
            Expr::Tuple(t) => t.elts.iter().for_each(|e| self.target(e)),
            Expr::List(l) => l.elts.iter().for_each(|e| self.target(e)),
            Expr::Starred(s) => self.target(&s.value),
            Expr::Subscript(s) => match global_item(s) {
                Some(name) => self.effects.names.push((name.to_owned(), at)),
                None => self.changed(root_name(target).unwrap_or_default(), at),
            },
            _ => self.changed(root_name(target).unwrap_or_default(), at),
        }
    }

    fn import_from(&mut self, s: &StmtImportFrom) {
        for alias in &s.names {
            if alias.name.as_str() != "*" {
                self.assigned(alias.asname.as_ref().unwrap_or(&alias.name).as_str(), s.start());
            } else if s.module.as_ref().is_none_or(|m| m.as_str() != "superset.config") {
                self.anything(s.start());
            }
        }
    }

    /// False when the parts of the call need no look.
    fn call(&mut self, c: &ExprCall) -> bool {
        match c.func.as_ref() {
            Expr::Name(n) if matches!(n.id.as_str(), "exec" | "execfile") => self.anything(c.start()),
            // inside a function `vars()` and `locals()` are its own names
            Expr::Name(n) if is_namespace(c) && (self.global.is_none() || n.id.as_str() == "globals") => {
                self.anything(c.start());
            }
            Expr::Attribute(a) if a.attr.as_str() == "exec" && root_name(&a.value) == Some("builtins") => {
                self.anything(c.start());
            }
            Expr::Attribute(a) if matches!(a.attr.as_str(), "get" | "keys" | "copy") => {
                return !matches!(a.value.as_ref(), Expr::Call(of) if is_namespace(of));
            }
            Expr::Attribute(a) if MUTATORS.contains(&a.attr.as_str()) => {
                if let Some(name) = root_name(&a.value) {
                    self.changed(name, c.start());
                }
            }
            _ => {}
        }
        true
    }
}

/// `globals()`; `vars()` and `locals()` are the same at the level of the file.
fn is_namespace(c: &ExprCall) -> bool {
    matches!(c.func.as_ref(), Expr::Name(n) if matches!(n.id.as_str(), "globals" | "vars" | "locals"))
        && c.arguments.is_empty()
}

/// The name that `globals()["NAME"]` means.
fn global_item(s: &ExprSubscript) -> Option<&str> {
    match (s.value.as_ref(), s.slice.as_ref()) {
        (Expr::Call(c), Expr::StringLiteral(name)) if is_namespace(c) => Some(name.value.to_str()),
        _ => None,
    }
}

/// `sys.modules[__name__]`, by which a file reaches itself.
fn is_own_module(s: &ExprSubscript) -> bool {
    matches!(s.value.as_ref(), Expr::Attribute(a) if a.attr.as_str() == "modules")
}

impl<'a> Visitor<'a> for Finder {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(f) => {
                self.assigned(f.name.as_str(), stmt.start());
                f.decorator_list.iter().for_each(|d| self.visit_expr(&d.expression));
                // who calls it is not known: as if it were called here
                let inner = self.inner(&f.body);
                return self.effects.merge(inner);
            }
            Stmt::ClassDef(c) => {
                self.assigned(c.name.as_str(), stmt.start());
                let inner = self.inner(&c.body);
                return self.effects.merge(inner);
            }
            Stmt::Global(g) => {
                if let Some(names) = &mut self.global {
                    names.extend(g.names.iter().map(ToString::to_string));
                }
            }
            Stmt::Assign(s) => s.targets.iter().for_each(|t| self.target(t)),
            Stmt::AugAssign(s) => self.target(&s.target),
            Stmt::AnnAssign(s) if s.value.is_some() => self.target(&s.target),
            Stmt::For(s) => self.target(&s.target),
            Stmt::With(s) => {
                s.items.iter().filter_map(|i| i.optional_vars.as_deref()).for_each(|t| self.target(t))
            }
            Stmt::Delete(s) => s.targets.iter().for_each(|t| self.target(t)),
            Stmt::Import(s) => {
                for alias in &s.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    self.assigned(name.split('.').next().unwrap_or(name), stmt.start());
                }
            }
            Stmt::ImportFrom(s) => self.import_from(s),
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Named(n) => {
                self.target(&n.target);
            }
            Expr::Call(c) if !self.call(c) => {
                return c.arguments.args.iter().for_each(|e| self.visit_expr(e));
            }
            // its place as a target is looked at by name; elsewhere it is read
            Expr::Subscript(s) if global_item(s).is_some() => return,
            Expr::Subscript(s) if is_own_module(s) => self.anything(expr.start()),
            // `"NAME" in globals()`
            Expr::Compare(c) if matches!(c.comparators.first(), Some(Expr::Call(of)) if is_namespace(of)) => {
                return self.visit_expr(&c.left);
            }
            Expr::Attribute(a) if a.attr.as_str() == "__dict__" => self.anything(expr.start()),
            Expr::Name(n) if n.ctx.is_load() => {
                self.effects.mentions.insert(n.id.to_string());
            }
            _ => {}
        }
        walk_expr(self, expr);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(p) => p.name.as_ref(),
            Pattern::MatchStar(p) => p.name.as_ref(),
            Pattern::MatchMapping(p) => p.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.assigned(name.as_str(), pattern.start());
        }
        walk_pattern(self, pattern);
    }
}
