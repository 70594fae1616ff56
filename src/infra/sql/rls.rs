//! Row-level rules inside foreign SQL: every scan of a table with rules is replaced by a filtered one.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, Ident, ObjectName, Query, SetExpr, TableAlias, TableFactor, Visit, VisitMut, VisitorMut,
};

use super::{
    dialect::SqlDialect,
    names::{Scopes, TableName},
    parse::{ParseError, Source},
};

/// Rules of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RlsRule {
    /// The table, qualified.
    pub table: TableName,
    /// Predicates that must all hold; none at all means that the table has been looked up and has no rules.
    pub predicates: Vec<String>,
}

/// Rules of all tables that a statement may read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RlsRules {
    /// Catalog of names without one.
    pub default_catalog: Option<String>,
    /// Schema of names without one.
    pub default_schema: Option<String>,
    /// The engine has no sub-queries: predicates join WHERE.
    pub as_predicate: bool,
    /// One entry for each table, also for those without rules.
    pub rules: Vec<RlsRule>,
}

/// Rewrites a tree. Fails if a table was not looked up, or if a rule cannot be put in: never lets a scan through.
pub(super) fn apply(
    node: &mut (impl Visit + VisitMut),
    rules: &RlsRules,
    dialect: SqlDialect,
    sql: &str,
    engine: &str,
) -> Result<(), ParseError> {
    let mut rewriter = Rewriter { rules, dialect, engine, scopes: Scopes::default(), failure: None };
    let _ = node.visit(&mut rewriter);
    match rewriter.failure {
        None => Ok(()),
        Some(message) => Err(ParseError {
            message,
            sql: sql.to_owned(),
            engine: engine.to_owned(),
            line: None,
            column: None,
        }),
    }
}

struct Rewriter<'a> {
    rules: &'a RlsRules,
    dialect: SqlDialect,
    engine: &'a str,
    scopes: Scopes,
    failure: Option<String>,
}

impl Rewriter<'_> {
    fn fail(&mut self, message: String) -> ControlFlow<()> {
        self.failure = Some(message);
        ControlFlow::Break(())
    }

    /// The combined predicate of a table; `Err` with a text if it cannot be known.
    fn predicate(&self, name: &ObjectName) -> Result<Option<Expr>, String> {
        let table = TableName::of(name, self.dialect.family)
            .ok_or_else(|| "Row-level security cannot be applied to a computed table name".to_owned())?
            .qualify(self.rules.default_catalog.as_deref(), self.rules.default_schema.as_deref());
        let matching = || self.rules.rules.iter().filter(|rule| rule.table.is_same(&table));
        if matching().next().is_none() {
            return Err(format!("Row-level security of table {} is not known", table.table));
        }
        let mut combined: Option<Expr> = None;
        for text in matching().flat_map(|rule| &rule.predicates) {
            let parsed = parse_predicate(text, self.engine).map_err(|error| error.message)?;
            combined = Some(match combined {
                None => parsed,
                Some(before) => Expr::BinaryOp {
                    left: Box::new(before),
                    op: ast::BinaryOperator::And,
                    right: Box::new(parsed),
                },
            });
        }
        Ok(combined)
    }
}

fn parse_predicate(text: &str, engine: &str) -> Result<Expr, ParseError> {
    let source = Source::new(text, engine)?;
    let mut parser = source.parser();
    let expr = parser.parse_expr().map_err(|error| source.error_at(&parser, Some(&error)))?;
    if parser.peek_token().token != sqlparser::tokenizer::Token::EOF {
        return Err(source.error_at(&parser, None));
    }
    // AND and OR are bracketed, so that they stay together among other predicates.
    Ok(match expr {
        Expr::BinaryOp { op: ast::BinaryOperator::And | ast::BinaryOperator::Or, .. } => {
            Expr::Nested(Box::new(expr))
        }
        other => other,
    })
}

impl VisitorMut for Rewriter<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.scopes.enter(query, self.dialect.family);
        if has_table_command(&query.body) && !self.rules.rules.iter().all(|rule| rule.predicates.is_empty()) {
            return self.fail("Row-level security cannot be applied to TABLE".to_owned());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.scopes.leave();
        ControlFlow::Continue(())
    }

    // After the children, so that the scan inside the replacement is not replaced again.
    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, args: None, .. } = factor else { return ControlFlow::Continue(()) };
        if self.scopes.is_cte(name) {
            return ControlFlow::Continue(());
        }
        match self.predicate(name) {
            Err(message) => self.fail(message),
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(_)) if self.rules.as_predicate => {
                self.fail("Row-level security cannot be applied to this query".to_owned())
            }
            Ok(Some(predicate)) => {
                match filtered(factor, predicate, self.engine) {
                    Some(replacement) => *factor = replacement,
                    None => {
                        return self.fail("Row-level security cannot be applied to this query".to_owned());
                    }
                }
                ControlFlow::Continue(())
            }
        }
    }
}

fn has_table_command(body: &SetExpr) -> bool {
    match body {
        SetExpr::Table(_) => true,
        SetExpr::SetOperation { left, right, .. } => has_table_command(left) || has_table_command(right),
        _ => false,
    }
}

/// `(SELECT * FROM table WHERE predicate) AS alias`.
fn filtered(factor: &TableFactor, predicate: Expr, engine: &str) -> Option<TableFactor> {
    let mut inner = factor.clone();
    let TableFactor::Table { name, alias, .. } = &mut inner else { return None };
    let alias = alias.take().unwrap_or_else(|| {
        let parts: Vec<_> =
            name.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.clone()).collect();
        let quote = match engine {
            "mysql" | "mariadb" | "bigquery" | "hive" | "databricks" | "spark" | "starrocks" => '`',
            "mssql" => '[',
            _ => '"',
        };
        TableAlias {
            explicit: true,
            name: Ident::with_quote(quote, parts.join(".")),
            columns: Vec::new(),
            at: None,
        }
    });
    // A template for the tree, since its node has many members.
    let source = Source::new("SELECT * FROM t", "base").ok()?;
    let mut query = source.parser().parse_query().ok()?;
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    select.from.first_mut()?.relation = inner;
    select.selection = Some(predicate);
    Some(TableFactor::Derived { lateral: false, subquery: query, alias: Some(alias), sample: None })
}
