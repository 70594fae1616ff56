//! Which names mean a common table expression at a point of a walk through a statement.

use std::collections::HashMap;

use sqlparser::ast::{Cte, Ident, ObjectName, ObjectNamePart, Query, SetExpr};

use super::{
    dialect::{CaseFolding, Family, SqlDialect},
    names,
};

/// Names of common table expressions that are visible. A name is one only if the engine surely takes it for one: if in
/// doubt it is the table, which is to be granted and has its rules.
#[derive(Debug)]
pub(super) struct Scopes {
    dialect: SqlDialect,
    /// How often each name is visible.
    visible: HashMap<String, usize>,
    /// The queries around, the innermost last.
    stack: Vec<Frame>,
    /// The name of a CTE whose query comes yet, by the address of that query; and whether it sees itself.
    waiting: HashMap<usize, (String, bool)>,
}

#[derive(Debug, Default)]
struct Frame {
    /// What becomes invisible when the query ends.
    names: Vec<String>,
    /// What becomes visible to the query around when this one ends.
    defines: Option<String>,
}

impl Scopes {
    pub fn new(dialect: SqlDialect) -> Self {
        Self { dialect, visible: HashMap::new(), stack: Vec::new(), waiting: HashMap::new() }
    }

    /// Before a query. A CTE sees those before it, and itself only if the WITH is recursive: in
    /// `WITH t AS (SELECT * FROM t)` the inner `t` is the table.
    pub fn enter(&mut self, query: &Query) {
        let mut frame = Frame::default();
        if let Some((name, sees_itself)) = self.waiting.remove(&address(query)) {
            if sees_itself {
                self.show(&name);
                frame.names.push(name.clone());
            }
            frame.defines = Some(name);
        }
        self.stack.push(frame);
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                let sees_itself = with.recursive || self.is_recursive_without_saying(cte);
                let name = self.key(&cte.alias.name);
                self.waiting.insert(address(&cte.query), (name, sees_itself));
            }
        }
    }

    /// SQL Server and Oracle have no RECURSIVE. They demand a UNION ALL of whoever names itself, and Oracle the names
    /// of its columns.
    fn is_recursive_without_saying(&self, cte: &Cte) -> bool {
        let is_union = matches!(cte.query.body.as_ref(), SetExpr::SetOperation { .. });
        match self.dialect.family {
            Family::Mssql => is_union,
            Family::Oracle => is_union && !cte.alias.columns.is_empty(),
            _ => false,
        }
    }

    /// After a query.
    pub fn leave(&mut self) {
        let Some(frame) = self.stack.pop() else { return };
        for name in &frame.names {
            if let Some(count) = self.visible.get_mut(name) {
                *count -= 1;
            }
        }
        if let Some(name) = frame.defines {
            self.show(&name);
            if let Some(around) = self.stack.last_mut() {
                around.names.push(name);
            }
        }
    }

    fn show(&mut self, name: &str) {
        *self.visible.entry(name.to_owned()).or_default() += 1;
    }

    /// Whether a name means a CTE here.
    pub fn is_cte(&self, name: &ObjectName) -> bool {
        let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else { return false };
        self.visible.get(&self.key(ident)).is_some_and(|count| *count > 0)
    }

    /// Equal for two identifiers only if they are surely one name.
    fn key(&self, ident: &Ident) -> String {
        let text = names::ident_text(ident, Family::Other);
        let quoted = ident.quote_style.is_some();
        match self.dialect.case_folding {
            CaseFolding::FoldedToLower if !quoted => text.to_lowercase(),
            CaseFolding::FoldedToUpper if !quoted => text.to_uppercase(),
            // only ASCII letters are alike everywhere
            CaseFolding::Alike => text.to_ascii_lowercase(),
            CaseFolding::FoldedToLower | CaseFolding::FoldedToUpper | CaseFolding::Exact => text,
            CaseFolding::Unknown => format!("{quoted} {text}"),
        }
    }
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query).addr()
}
