//! Row-level rules inside foreign SQL: every scan of a table with rules is replaced by a filtered one.
//!
//! `superset.sql.parse:RLSAsSubqueryTransformer`, which lets a scan through where it does not recognise the table. Here
//! what cannot be rewritten is refused.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

use sqlparser::ast::{
    self, Expr, Ident, ObjectName, Query, SetExpr, TableAlias, TableFactor, Visit, VisitMut, VisitorMut,
};

use super::{
    dialect::SqlDialect,
    guard,
    names::{TableName, table_behind_in, table_commands, tables},
    parse::{ParseError, Source},
    respell,
    rls_statement::{self, Targets},
    same_table::{Place, SameTable},
    scopes::Scopes,
    table_functions,
};

/// Rules of one table that hold for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RlsRule {
    /// The table, as its dataset names it.
    pub table: TableName,
    /// Predicates that must all hold. `None`: the statement was not found to read the table, so that nobody rendered
    /// them; should it be read after all, that is refused.
    pub predicates: Option<Vec<String>>,
}

/// All rules that hold for the caller in a database, in the place of one statement.
#[derive(Debug, Clone)]
pub struct RlsRules {
    /// The engine has no sub-queries: predicates join WHERE.
    as_predicate: bool,
    rules: Vec<RlsRule>,
    same: SameTable,
}

impl Default for RlsRules {
    /// Nothing restricts the caller.
    fn default() -> Self {
        Self::new("base", Place::default(), Vec::new())
    }
}

impl RlsRules {
    /// Rules for statements of an engine.
    pub fn new(engine: &str, place: Place, rules: Vec<RlsRule>) -> Self {
        let tables = rules.iter().map(|rule| rule.table.clone()).collect();
        Self { as_predicate: false, rules, same: SameTable::new(engine, place, tables) }
    }

    /// The engine has no sub-queries (`RLSMethod.AS_PREDICATE`).
    #[must_use]
    pub fn as_predicate(self, as_predicate: bool) -> Self {
        Self { as_predicate, ..self }
    }

    /// Whether nothing restricts the caller in this database.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// What becomes of the scans of one name.
#[derive(Clone)]
enum Verdict {
    Free,
    Filtered(Box<Expr>),
    Refused(String),
}

/// What people read when a rule cannot be put in.
pub(super) const REFUSED: &str = "Row-level security cannot be applied to this query";

/// Rewrites a tree; whether a rule was put in. Fails if one cannot be: never lets a scan through.
pub(super) fn apply(
    node: &mut (impl Visit + VisitMut),
    rules: &RlsRules,
    dialect: SqlDialect,
    sql: &str,
    engine: &str,
) -> Result<bool, ParseError> {
    if rules.is_empty() {
        return Ok(false);
    }
    let mut rewriter = Rewriter {
        rules,
        dialect,
        engine,
        scopes: Scopes::new(dialect),
        verdicts: HashMap::new(),
        targets: Targets::default(),
        scans: HashSet::new(),
        ctes: HashSet::new(),
        tables_of_rules: HashSet::new(),
        added: 0,
        failure: None,
    };
    let _ = VisitMut::visit(node, &mut rewriter);
    // A CTE of the statement must not stand in for a table that a predicate reads.
    if rewriter.failure.is_none() && !rewriter.ctes.is_disjoint(&rewriter.tables_of_rules) {
        rewriter.failure = Some(REFUSED.to_owned());
    }
    match rewriter.failure {
        None => Ok(rewriter.added > 0),
        Some(message) => Err(refused(message, sql, engine)),
    }
}

/// The error of SQL that is not executed, because rules cannot be put in.
pub(super) fn refused(message: impl Into<String>, sql: &str, engine: &str) -> ParseError {
    ParseError {
        message: message.into(),
        sql: sql.to_owned(),
        engine: engine.to_owned(),
        line: None,
        column: None,
    }
}

struct Rewriter<'a> {
    rules: &'a RlsRules,
    dialect: SqlDialect,
    engine: &'a str,
    scopes: Scopes,
    /// By the name in the statement.
    verdicts: HashMap<TableName, Verdict>,
    targets: Targets,
    /// Names of scans, which are filtered; wherever else a table with rules is named, that is refused.
    scans: HashSet<usize>,
    /// Names of all CTEs, in lower letters.
    ctes: HashSet<String>,
    /// Names without schema in the predicates that were put in, in lower letters.
    tables_of_rules: HashSet<String>,
    /// Bytes of predicates that were put in.
    added: usize,
    failure: Option<String>,
}

impl Rewriter<'_> {
    fn fail(&mut self, message: impl Into<String>) -> ControlFlow<()> {
        self.failure = Some(message.into());
        ControlFlow::Break(())
    }

    fn verdict(&mut self, name: &ObjectName) -> Verdict {
        if self.scopes.is_cte(name) {
            return Verdict::Free;
        }
        let Some(table) = TableName::from_ast(name, self.dialect.family) else {
            return Verdict::Refused(
                "Row-level security cannot be applied to a computed table name".to_owned(),
            );
        };
        if let Some(known) = self.verdicts.get(&table) {
            return known.clone();
        }
        let verdict = self.judge(&table).unwrap_or_else(Verdict::Refused);
        self.verdicts.insert(table, verdict.clone());
        verdict
    }

    fn judge(&mut self, table: &TableName) -> Result<Verdict, String> {
        let mut texts: Vec<&str> = Vec::new();
        for rule in self.rules.same.find(table).into_iter().filter_map(|index| self.rules.rules.get(index)) {
            let Some(predicates) = &rule.predicates else {
                return Err(format!("Row-level security of table {} is not known", table.table));
            };
            for text in predicates {
                if !texts.contains(&text.as_str()) {
                    texts.push(text);
                }
            }
        }
        let mut combined: Option<Expr> = None;
        for text in texts {
            let parsed = parse_predicate(text, self.engine).map_err(|error| error.message)?;
            let read = tables(&parsed, self.dialect).ok_or_else(|| REFUSED.to_owned())?;
            let unqualified = read.into_iter().filter(|t| t.schema.is_none());
            self.tables_of_rules.extend(unqualified.map(|t| t.table.to_lowercase()));
            combined = Some(match combined {
                None => parsed,
                Some(before) => Expr::BinaryOp {
                    left: Box::new(before),
                    op: ast::BinaryOperator::And,
                    right: Box::new(parsed),
                },
            });
        }
        Ok(combined.map_or(Verdict::Free, |expr| Verdict::Filtered(Box::new(expr))))
    }

    /// For a place where a table is named but cannot be filtered.
    fn must_be_free(&mut self, name: &ObjectName) -> ControlFlow<()> {
        match self.verdict(name) {
            Verdict::Free => ControlFlow::Continue(()),
            Verdict::Filtered(_) => self.fail(REFUSED),
            Verdict::Refused(message) => self.fail(message),
        }
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

    fn pre_visit_statement(&mut self, statement: &mut ast::Statement) -> ControlFlow<()> {
        if !rls_statement::is_understood(statement) {
            return self.fail(REFUSED);
        }
        self.targets.add(statement);
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.scopes.enter(query);
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.ctes.insert(cte.alias.name.value.to_lowercase());
        }
        // the parser keeps no quotes of `TABLE name`, so that its name cannot be compared
        let mut commands = Vec::new();
        table_commands(&query.body, &mut commands);
        if commands.is_empty() { ControlFlow::Continue(()) } else { self.fail(REFUSED) }
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.scopes.leave();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match table_behind_in(expr, self.dialect.family) {
            Some(name) => self.must_be_free(&name),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, .. } = factor {
            self.scans.insert(std::ptr::from_ref(name).addr());
        }
        if table_functions::reads_unknown(factor, self.dialect.family) {
            return self.fail(REFUSED);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        let address = std::ptr::from_ref(name).addr();
        if self.scans.contains(&address) || self.targets.may_name(address) {
            return ControlFlow::Continue(());
        }
        self.must_be_free(name)
    }

    // After the children, so that the scan inside the replacement is not replaced again.
    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, args: None, json_path, .. } = factor else {
            return ControlFlow::Continue(());
        };
        match self.verdict(name) {
            Verdict::Free => ControlFlow::Continue(()),
            Verdict::Refused(message) => self.fail(message),
            Verdict::Filtered(_)
                if self.rules.as_predicate
                    || json_path.is_some()
                    || self.targets.writes(std::ptr::from_ref(factor).addr()) =>
            {
                self.fail(REFUSED)
            }
            Verdict::Filtered(predicate) => {
                self.added += predicate.to_string().len();
                let replacement = filtered(factor, *predicate, self.engine);
                match replacement.filter(|_| self.added <= guard::MAX_BYTES) {
                    Some(replacement) => *factor = replacement,
                    None => return self.fail(REFUSED),
                }
                ControlFlow::Continue(())
            }
        }
    }
}

/// `(SELECT * FROM table WHERE predicate) AS alias`.
fn filtered(factor: &TableFactor, predicate: Expr, engine: &str) -> Option<TableFactor> {
    let mut inner = factor.clone();
    let TableFactor::Table { name, alias, .. } = &mut inner else { return None };
    let alias = alias.take().unwrap_or_else(|| {
        let parts: Vec<_> =
            name.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.clone()).collect();
        let parts: Vec<_> = parts.into_iter().filter(|part| !respell::is_mark(part)).collect();
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
