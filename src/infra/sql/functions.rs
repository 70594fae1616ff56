//! Which functions a statement calls.

use std::{collections::HashSet, ops::ControlFlow};

use sqlparser::ast::{Expr, ObjectName, TableFactor, Visit, Visitor};

/// Upper-case names of all functions called, in expressions and in FROM, also those that are written without
/// parentheses; qualified names by their last part.
pub(super) fn called(node: &impl Visit) -> HashSet<String> {
    let mut finder = Finder(HashSet::new());
    let _ = node.visit(&mut finder);
    finder.0
}

struct Finder(HashSet<String>);

impl Finder {
    fn add(&mut self, name: &ObjectName) {
        if let Some(ident) = name.0.last().and_then(|part| part.as_ident()) {
            self.0.insert(ident.value.to_uppercase());
        }
    }
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => self.add(&function.name),
            // `CURRENT_USER` and its like are calls without parentheses.
            Expr::Identifier(ident) if ident.quote_style.is_none() => {
                let name = ident.value.to_uppercase();
                if matches!(
                    name.as_str(),
                    "CURRENT_USER"
                        | "SESSION_USER"
                        | "SYSTEM_USER"
                        | "USER"
                        | "CURRENT_ROLE"
                        | "CURRENT_CATALOG"
                        | "CURRENT_SCHEMA"
                        | "CURRENT_DATABASE"
                ) {
                    self.0.insert(name);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
                self.add(name)
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
