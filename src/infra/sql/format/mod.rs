//! Printing of statements as sqlglot prints them: on one line, or one clause a line (`pretty`).
//!
//! Nodes that charts and virtual datasets rarely hold are printed by the parser itself; that only changes the look.

mod data_type;
mod expr;
mod function;
mod query;
mod statement;

use sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, OrderByExpr, Query, SelectItem, Statement, With,
};

use super::{dialect::Family, lex::LINE_BREAK, respell::restore};

/// Widest line before lists are broken.
const MAX_WIDTH: usize = 80;
/// Prints syntax trees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    family: Family,
    pretty: bool,
}

impl Printer {
    pub fn new(family: Family, pretty: bool) -> Self {
        Self { family, pretty }
    }

    /// A statement.
    pub fn statement(self, statement: &Statement) -> String {
        restore(&match statement {
            Statement::Query(query) => self.query(query),
            other => self.other_statement(other),
        })
    }

    /// An expression.
    pub fn expr(self, expr: &Expr) -> String {
        restore(&self.expression(expr))
    }

    /// A list of SELECT.
    pub fn select_items(self, items: &[SelectItem]) -> String {
        let items: Vec<_> = items.iter().map(|item| self.select_item(item)).collect();
        restore(&items.join(", "))
    }

    /// A list of ORDER BY.
    pub fn order_items(self, items: &[OrderByExpr]) -> String {
        let items: Vec<_> = items.iter().map(|item| self.order_item(item)).collect();
        restore(&items.join(", "))
    }

    /// WITH of a query, and the rest of the query as one more of its expressions.
    pub fn with_as_cte(self, with: Option<&With>, query: &Query, alias: &str) -> String {
        let mut ctes: Vec<_> =
            with.iter().flat_map(|with| &with.cte_tables).map(|cte| self.cte(cte)).collect();
        ctes.push(format!("{alias} AS {}", self.wrapped(&self.query(query))));
        restore(&format!("WITH {}", ctes.join(", ")))
    }

    /// What separates two clauses.
    fn break_(self) -> &'static str {
        if self.pretty { "\n" } else { " " }
    }

    /// A clause on a line of its own.
    fn clause(self, keyword: &str, body: &str) -> String {
        format!("{0}{keyword}{0}{1}", self.break_(), self.indented(body))
    }

    fn indented(self, text: &str) -> String {
        if !self.pretty {
            return text.to_owned();
        }
        text.split('\n').map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    }

    /// All lines but the first indented.
    fn hanging(self, text: &str) -> String {
        if self.pretty { text.replace('\n', "\n  ") } else { text.to_owned() }
    }

    /// All lines but the first and the last indented.
    fn inner_indented(self, text: &str) -> String {
        match text.rsplit_once('\n') {
            Some((head, tail)) if self.pretty => format!("{}\n{tail}", self.hanging(head)),
            _ => text.to_owned(),
        }
    }

    /// In parentheses, on lines of their own.
    fn wrapped(self, text: &str) -> String {
        if self.pretty { format!("(\n{}\n)", self.indented(text)) } else { format!("({text})") }
    }

    fn is_wide<'a>(self, items: impl IntoIterator<Item = &'a String>) -> bool {
        self.pretty && items.into_iter().map(|item| item.chars().count()).sum::<usize>() > MAX_WIDTH
    }

    /// Arguments: broken into lines if they are wide.
    fn arguments(self, items: &[String]) -> String {
        self.arguments_separated(items, ", ")
    }

    fn arguments_separated(self, items: &[String], separator: &str) -> String {
        if self.is_wide(items) {
            let broken = format!("\n{}\n", items.join(&format!("{}\n", separator.trim())));
            return self.inner_indented(&broken);
        }
        items.join(separator)
    }

    /// The items of a list in parentheses: broken if they are wide, counting their separators.
    fn dynamic_list(self, items: &[String]) -> String {
        let last = items.len().saturating_sub(1);
        let with_comma: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(i, item)| if i < last { format!("{item}, ") } else { item.clone() })
            .collect();
        if self.is_wide(&with_comma) {
            let lines: Vec<_> = with_comma.iter().map(|item| item.trim_end().to_owned()).collect();
            return self.inner_indented(&format!("\n{}\n", lines.join("\n")));
        }
        with_comma.concat()
    }

    /// The items of SELECT, GROUP BY and ORDER BY: one a line.
    fn lines(self, items: &[String]) -> String {
        items.join(if self.pretty { ",\n" } else { ", " })
    }

    fn ident(self, ident: &Ident) -> String {
        let Some(quote) = ident.quote_style else { return ident.value.clone() };
        let close = if quote == '[' { ']' } else { quote };
        let meaning = ident.value.replace(&format!("{close}{close}"), &close.to_string());
        let (open, close) = match self.family {
            Family::Mysql | Family::Doris | Family::Bigquery => ('`', '`'),
            Family::Mssql => ('[', ']'),
            Family::Other
            | Family::Hive
            | Family::DuckDb
            | Family::Presto
            | Family::ClickHouse
            | Family::Generic
                if quote == '`' =>
            {
                ('`', '`')
            }
            _ => ('"', '"'),
        };
        let escaped =
            meaning.replace(close, &format!("{close}{close}")).replace('\n', &LINE_BREAK.to_string());
        format!("{open}{escaped}{close}")
    }

    fn object_name(self, name: &ObjectName) -> String {
        let parts: Vec<_> = name
            .0
            .iter()
            .map(|part| match part {
                ObjectNamePart::Identifier(ident) => self.ident(ident),
                ObjectNamePart::Function(function) => function.to_string(),
            })
            .collect();
        parts.join(".")
    }
}

/// A literal keeps its line breaks whatever is indented around it.
fn protect(text: &str) -> String {
    text.replace('\n', &LINE_BREAK.to_string())
}
