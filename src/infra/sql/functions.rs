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

/// Functions that write, read files of the server or steer it, and that a read-only transaction does not stop. Upper
/// case; a star at the end is any ending.
const ACTING: &[&str] = &[
    // large objects: files of the server into the database and out of it
    "LO_IMPORT",
    "LO_EXPORT",
    "LO_CREAT*",
    "LO_UNLINK",
    "LO_PUT",
    "LO_FROM_BYTEA",
    "LO_TRUNCATE*",
    "LOWRITE",
    "PG_FILE_*",
    // another connection, with rights and a transaction of its own
    "DBLINK*",
    // the server and other people's connections
    "PG_TERMINATE_BACKEND",
    "PG_CANCEL_BACKEND",
    "PG_RELOAD_CONF",
    "PG_ROTATE_LOGFILE*",
    "PG_PROMOTE",
    "PG_SWITCH_WAL",
    "PG_CREATE_*",
    "PG_DROP_*",
    "PG_LOGICAL_*",
    "PG_REPLICATION_*",
    "PG_STAT_RESET*",
    "PG_ADVISORY_LOCK*",
    "SETVAL",
    // the protection itself
    "SET_CONFIG",
    // SQLite, MySQL, SQL Server
    "WRITEFILE",
    "LOAD_EXTENSION",
    "EDIT",
    "SYS_EXEC",
    "SYS_EVAL",
    "XP_CMDSHELL",
    "SP_EXECUTESQL",
];

/// Whether a function (in upper case) does more than to compute.
pub(super) fn acts(name: &str) -> bool {
    ACTING.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *known,
    })
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
