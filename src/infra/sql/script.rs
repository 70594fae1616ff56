//! Statements and scripts (`SQLStatement`, `SQLScript`).

use std::{collections::HashSet, ops::ControlFlow};

use sqlparser::ast::{self, Expr, LimitClause, Query, SetExpr, Visit, Visitor};

use super::{
    dialect::{Family, SqlDialect},
    format::Printer,
    functions::{self, Effect},
    materialize,
    names::{self, TableName},
    parse::ParseError,
    rls::{self, RlsRules},
    unread::Unread,
};

/// How the result of a query is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CtasMethod {
    /// `CREATE TABLE … AS`.
    Table,
    /// `CREATE VIEW … AS`.
    View,
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Statement {
    ast: ast::Statement,
    /// What stands for a text that could not be parsed; the tree is empty then.
    unread: Option<Unread>,
    dialect: SqlDialect,
    engine: String,
}

/// Statements in their order.
#[derive(Debug, Clone)]
pub struct Script {
    statements: Vec<Statement>,
}

impl Script {
    pub(super) fn new(statements: Vec<Statement>) -> Self {
        Self { statements }
    }

    /// Whether it is one statement of which only the words are known ([`super::parse_or_take_unread`]).
    pub fn is_unread(&self) -> bool {
        self.statements.iter().any(|statement| statement.unread.is_some())
    }

    /// Whether a statement that could not be parsed may read a table of the name, whatever its schema.
    pub fn may_name(&self, table: &str) -> bool {
        self.statements
            .iter()
            .filter_map(|statement| statement.unread.as_ref())
            .any(|unread| unread.may_name(table))
    }

    /// The statements.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The statements, to be changed.
    pub fn statements_mut(&mut self) -> &mut [Statement] {
        &mut self.statements
    }

    /// Whether any statement may write.
    pub fn has_mutation(&self) -> bool {
        self.statements.iter().any(Statement::is_mutating)
    }

    /// Whether any of the functions (in any case) is called.
    pub fn calls_any(&self, functions: &[impl AsRef<str>]) -> bool {
        self.statements.iter().any(|statement| statement.calls_any(functions))
    }

    /// Upper-case names of all functions that are called.
    pub fn functions(&self) -> HashSet<String> {
        self.statements.iter().flat_map(|statement| statement.calls().into_names()).collect()
    }

    /// The calls that do more than to compute, in lower case.
    pub fn effects(&self) -> Vec<(String, Effect)> {
        let mut found: Vec<_> = self.statements.iter().flat_map(Statement::effects).collect();
        found.sort();
        found.dedup();
        found
    }

    /// The first table of the system that holds rows or statements of others.
    pub fn opaque_table(&self) -> Option<TableName> {
        let opaque = |statement: &Statement| {
            let mut named = statement.tables();
            named.extend(
                statement
                    .unread
                    .iter()
                    .flat_map(|unread| unread.words())
                    .map(|word| TableName { table: word.to_lowercase(), ..TableName::unknown() }),
            );
            named.into_iter().find(|table| statement.is_opaque_table(table))
        };
        self.statements.iter().find_map(opaque)
    }

    /// Whether any statement gives a setting a value (`get_settings`).
    pub fn sets(&self, setting: &str) -> bool {
        self.statements.iter().any(|statement| statement.sets(setting))
    }

    /// All tables read or written.
    pub fn tables(&self) -> Vec<TableName> {
        self.statements.iter().flat_map(Statement::tables).collect()
    }

    /// Pretty-printed, statements separated by semicolons.
    pub fn format(&self) -> String {
        self.statements.iter().map(Statement::format).collect::<Vec<_>>().join(";\n")
    }

    /// Puts row-level rules into every statement (`superset.utils.rls:apply_rls`).
    pub fn apply_rls(&mut self, rules: &RlsRules) -> Result<(), ParseError> {
        let mut changed = false;
        for statement in &mut self.statements {
            changed |= statement.apply_rls(rules)?;
        }
        if changed && !self.survives_printing() {
            let engine = self.statements.first().map_or("", |statement| &statement.engine);
            return Err(rls::refused(rls::REFUSED, &self.format(), engine));
        }
        Ok(())
    }

    /// Whether the printed text, read again, is the same number of statements that read the same tables. Row-level
    /// rules are put into trees and executed as text: this is the proof that none got lost on the way.
    fn survives_printing(&self) -> bool {
        let Some(first) = self.statements.first() else { return true };
        // The parser knows no REAL with arguments, which is what sqlglot makes of DECIMAL for SQLite.
        let text = self.format().replace("REAL(", "DECIMAL(");
        let sorted = |script: &Self| {
            let mut tables = script.tables();
            tables.sort();
            tables.dedup();
            tables
        };
        super::parse(&text, &first.engine).is_ok_and(|again| {
            again.statements.len() == self.statements.len()
                && again.has_mutation() == self.has_mutation()
                && sorted(&again) == sorted(self)
                && again.format().replace("REAL(", "DECIMAL(").eq_ignore_ascii_case(&text)
        })
    }

    /// Whether the last statement is a query, so that its result can become a table.
    pub fn is_valid_ctas(&self) -> bool {
        self.statements.last().is_some_and(Statement::is_select)
    }

    /// Whether the only statement is a query, so that it can become a view.
    pub fn is_valid_cvas(&self) -> bool {
        matches!(self.statements.as_slice(), [only] if only.is_select())
    }

    /// The only statement as common table expressions, the last of them named `alias`, if it has any of its own.
    pub fn as_cte(&self, alias: &str) -> Option<String> {
        match self.statements.as_slice() {
            [only] if only.has_cte() => only.as_cte(alias),
            _ => None,
        }
    }
}

impl Statement {
    pub(super) fn new(ast: ast::Statement, dialect: SqlDialect, engine: &str) -> Self {
        Self { ast, unread: None, dialect, engine: engine.to_owned() }
    }

    /// A text that could not be parsed.
    pub(super) fn unread(unread: Unread, dialect: SqlDialect, engine: &str) -> Self {
        let nothing = ast::Statement::Set(ast::Set::SetNamesDefault {});
        Self { ast: nothing, unread: Some(unread), dialect, engine: engine.to_owned() }
    }

    fn query(&self) -> Option<&Query> {
        match &self.ast {
            ast::Statement::Query(query) => Some(query),
            _ => None,
        }
    }

    /// Whether it returns rows as a SELECT does, set operations and VALUES included.
    pub fn is_query(&self) -> bool {
        self.query().is_some() || self.unread.is_some()
    }

    /// Whether it gives a setting a value.
    fn sets(&self, setting: &str) -> bool {
        if self.unread.is_some() {
            return false;
        }
        match &self.ast {
            ast::Statement::Set(set) => set.to_string().to_lowercase().contains(setting),
            ast::Statement::Use(_) => setting == "schema" || setting == "database",
            ast::Statement::Query(_) => false,
            // whatever else could hide a setting is no reading statement
            other => other.to_string().to_lowercase().contains("set ") && is_mutating(other),
        }
    }

    /// Whether it is a SELECT.
    pub fn is_select(&self) -> bool {
        self.query()
            .is_some_and(|query| matches!(query.body.as_ref(), SetExpr::Select(_) | SetExpr::Query(_)))
    }

    fn calls(&self) -> functions::Calls {
        if let Some(unread) = &self.unread {
            return functions::Calls::of_words(unread.words());
        }
        functions::called(&self.ast, self.dialect.family)
    }

    fn effects(&self) -> Vec<(String, Effect)> {
        self.calls().effects(self.dialect.family)
    }

    fn is_opaque_table(&self, table: &TableName) -> bool {
        functions::is_opaque_table(&table.table, self.dialect.family)
    }

    /// Whether it may write. What is not known to read only counts as writing.
    pub fn is_mutating(&self) -> bool {
        let acts = self.calls().act(self.dialect.family);
        acts || self.unread.is_none() && is_mutating(&self.ast)
    }

    /// Whether a sub-query stands anywhere inside.
    pub fn has_subquery(&self) -> bool {
        struct Counter(usize);
        impl Visitor for Counter {
            type Break = ();
            fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
                self.0 += 1;
                if self.0 > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        }
        self.unread.is_some() || self.ast.visit(&mut Counter(0)).is_break()
    }

    /// Whether any of the functions (in any case) is called.
    pub fn calls_any(&self, functions: &[impl AsRef<str>]) -> bool {
        let functions: Vec<_> = functions.iter().map(|name| name.as_ref().to_uppercase()).collect();
        self.calls().any(&functions, self.dialect.family)
    }

    /// Tables read or written, CTEs left out. A computed name appears as a table without a name, which no grant covers.
    pub fn tables(&self) -> Vec<TableName> {
        if self.unread.is_some() {
            return vec![TableName::unknown()];
        }
        let mut found = names::tables(&self.ast, self.dialect).unwrap_or_else(|| vec![TableName::unknown()]);
        if let ast::Statement::Pragma { name, value, .. } = &self.ast {
            found.extend(names::table_of_pragma(name, value.as_ref().map(|value| &value.value)));
        }
        found
    }

    /// Pretty-printed as the original does, without comments.
    pub fn format(&self) -> String {
        self.printed(true)
    }

    /// On one line.
    pub fn format_flat(&self) -> String {
        self.printed(false)
    }

    fn printed(&self, pretty: bool) -> String {
        match &self.unread {
            Some(unread) => unread.text().to_owned(),
            None => Printer::new(self.dialect.family, pretty).statement(&self.ast),
        }
    }

    /// Puts row-level rules into it; whether there was one to put in.
    fn apply_rls(&mut self, rules: &RlsRules) -> Result<bool, ParseError> {
        if rules.is_empty() {
            return Ok(false);
        }
        let sql = self.format_flat();
        if self.unread.is_some() {
            return Err(rls::refused(rls::REFUSED, &sql, &self.engine));
        }
        rls::apply(&mut self.ast, rules, self.dialect, &sql, &self.engine)
    }

    /// Makes SQLite compute joined sub-queries once; other engines need no such hint.
    pub fn materialize_joins(&mut self) {
        if self.dialect.family == Family::Sqlite {
            materialize::joined_subqueries(&mut self.ast);
        }
    }

    /// LIMIT (or TOP), if it is a plain number.
    pub fn limit_value(&self) -> Option<u64> {
        let query = self.query()?;
        let limit = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, .. }) => limit.as_ref(),
            Some(LimitClause::OffsetCommaLimit { limit, .. }) => Some(limit),
            None => query.fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref()),
        };
        if let Some(Expr::Value(value)) = limit
            && let ast::Value::Number(digits, _) = &value.value
        {
            return digits.parse().ok();
        }
        match query.body.as_ref() {
            SetExpr::Select(select) => match &select.top.as_ref()?.quantity {
                Some(ast::TopQuantity::Constant(number)) => Some(*number),
                Some(ast::TopQuantity::Expr(Expr::Value(value))) => match &value.value {
                    ast::Value::Number(digits, _) => digits.parse().ok(),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// Sets LIMIT; does nothing to what is no query.
    pub fn set_limit(&mut self, limit: u64) {
        let ast::Statement::Query(query) = &mut self.ast else { return };
        let number = Expr::value(ast::Value::Number(limit.to_string(), false));
        query.fetch = None;
        if let SetExpr::Select(select) = query.body.as_mut()
            && select.top.is_some()
        {
            select.top = None;
        }
        let offset = match query.limit_clause.take() {
            Some(LimitClause::LimitOffset { offset, .. }) => offset,
            Some(LimitClause::OffsetCommaLimit { offset, .. }) => {
                Some(ast::Offset { value: offset, rows: ast::OffsetRows::None })
            }
            None => None,
        };
        query.limit_clause =
            Some(LimitClause::LimitOffset { limit: Some(number), offset, limit_by: Vec::new() });
    }

    /// Whether it begins with WITH.
    pub fn has_cte(&self) -> bool {
        self.query().is_some_and(|query| query.with.is_some())
    }

    /// `WITH …, alias AS (query)` without a statement behind it.
    pub fn as_cte(&self, alias: &str) -> Option<String> {
        let mut query = self.query()?.clone();
        let with = query.with.take();
        let printer = Printer::new(self.dialect.family, true);
        Some(printer.with_as_cte(with.as_ref(), &query, alias))
    }

    /// `CREATE TABLE … AS query` (or VIEW); the name is quoted.
    pub fn as_create(
        &self,
        table: &TableName,
        method: CtasMethod,
        quote: impl Fn(&str) -> String,
    ) -> Option<String> {
        self.query()?;
        let parts = [table.catalog.as_deref(), table.schema.as_deref(), Some(table.table.as_str())];
        let name: Vec<_> = parts.into_iter().flatten().map(quote).collect();
        let kind = if method == CtasMethod::Table { "TABLE" } else { "VIEW" };
        Some(format!("CREATE {kind} {} AS\n{}", name.join("."), self.format()))
    }
}

/// Deny by default: only statements known to read are reading.
fn is_mutating(statement: &ast::Statement) -> bool {
    use ast::Statement as S;
    match statement {
        S::Query(query) => writes(query),
        // EXPLAIN runs what it explains when it analyses.
        S::Explain { statement, .. } => is_mutating(statement),
        S::ExplainTable { .. }
        | S::ShowFunctions { .. }
        | S::ShowVariable { .. }
        | S::ShowVariables { .. }
        | S::ShowStatus { .. }
        | S::ShowCreate { .. }
        | S::ShowColumns { .. }
        | S::ShowTables { .. }
        | S::ShowViews { .. }
        | S::ShowCatalogs { .. }
        | S::ShowDatabases { .. }
        | S::ShowSchemas { .. }
        | S::ShowCollation { .. }
        | S::Use(_) => false,
        S::Set(set) => sets_protection(set),
        S::Pragma { name, value, .. } => {
            let name = name.to_string().to_lowercase();
            let reads = [
                "table_info",
                "table_xinfo",
                "table_list",
                "index_list",
                "index_info",
                "index_xinfo",
                "foreign_key_list",
                "database_list",
                "collation_list",
                "function_list",
                "compile_options",
            ];
            let last = name.rsplit('.').next().unwrap_or_default();
            !(reads.contains(&last)
                || value.is_none() && last.chars().all(|c| c.is_alphanumeric() || c == '_'))
        }
        _ => true,
    }
}

/// Whether a setting could lift the read-only mode or change the role.
fn sets_protection(set: &ast::Set) -> bool {
    let text = set.to_string().to_lowercase();
    [
        "transaction",
        "read_only",
        "query_only",
        "role",
        "authorization",
        "session_replication",
        "global",
        "persist",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// Whether a query writes: `SELECT INTO`, or DML inside WITH.
fn writes(query: &Query) -> bool {
    struct Finder;
    impl Visitor for Finder {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            if body_writes(&query.body) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        fn pre_visit_statement(&mut self, statement: &ast::Statement) -> ControlFlow<()> {
            match statement {
                ast::Statement::Query(_) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        }
    }
    query.visit(&mut Finder).is_break()
}

fn body_writes(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.is_some(),
        SetExpr::SetOperation { left, right, .. } => body_writes(left) || body_writes(right),
        SetExpr::Query(_) | SetExpr::Values(_) | SetExpr::Table(_) => false,
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => true,
    }
}
