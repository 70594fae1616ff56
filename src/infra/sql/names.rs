//! Names of tables in foreign SQL.

use std::{collections::HashSet, ops::ControlFlow};

use sqlparser::ast::{self, Expr, ObjectName, ObjectNamePart, Query, SetExpr, TableFactor, Visit, Visitor};

use super::{
    dialect::{Family, SqlDialect},
    respell,
    scopes::Scopes,
    table_functions,
};

/// `[[catalog.]schema.]table`, without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// Catalog, where one is named.
    pub catalog: Option<String>,
    /// Schema, where one is named.
    pub schema: Option<String>,
    /// Table.
    pub table: String,
}

impl TableName {
    /// The table with default schema and catalog where it names none.
    #[must_use]
    pub fn qualify(mut self, catalog: Option<&str>, schema: Option<&str>) -> Self {
        self.schema = self.schema.or_else(|| schema.map(str::to_owned));
        self.catalog = self.catalog.or_else(|| catalog.map(str::to_owned));
        self
    }

    /// A table that nobody can name, and no grant covers.
    pub(super) fn unknown() -> Self {
        Self { catalog: None, schema: None, table: String::new() }
    }

    /// From the parser's name; `None` for names that are computed.
    pub(super) fn from_ast(name: &ObjectName, family: Family) -> Option<Self> {
        let mut parts = Vec::new();
        for part in &name.0 {
            let ObjectNamePart::Identifier(ident) = part else { return None };
            if respell::is_mark(&ident.value) {
                continue;
            }
            // An escape inside quotes (`birth\x5fnames`) spells a name in a way that cannot be compared.
            if ident.quote_style.is_some()
                && matches!(family, Family::Bigquery | Family::ClickHouse | Family::Generic)
                && ident.value.contains('\\')
            {
                return None;
            }
            // BigQuery writes whole paths inside one pair of backticks.
            if family == Family::Bigquery && ident.quote_style.is_some() {
                parts.extend(ident.value.split('.').map(str::to_owned));
            } else {
                parts.push(ident_text(ident, family));
            }
        }
        let table = parts.pop()?;
        // `catalog..table` leaves the schema to the server
        let schema = parts.pop().filter(|schema| !schema.is_empty());
        let catalog = parts.pop();
        // A fourth part (a linked server) makes it a catalog that nobody has granted.
        let catalog = match parts.pop() {
            Some(server) => Some(format!("{server}.{}", catalog.unwrap_or_default())),
            None => catalog,
        };
        Some(Self { catalog, schema, table })
    }
}

/// The meaning of an identifier: quotes undone, unquoted ones folded where the database folds them.
pub(super) fn ident_text(ident: &ast::Ident, family: Family) -> String {
    match ident.quote_style {
        Some('[') => ident.value.replace("]]", "]"),
        Some(quote) => ident.value.replace(&format!("{quote}{quote}"), &quote.to_string()),
        None if family == Family::Postgres => ident.value.to_lowercase(),
        None => ident.value.clone(),
    }
}

/// The tables that a statement names, CTEs left out; `None` if one of them is computed.
pub(super) fn tables(statement: &impl Visit, dialect: SqlDialect) -> Option<Vec<TableName>> {
    let mut finder = Finder {
        family: dialect.family,
        scopes: Scopes::new(dialect),
        found: Vec::new(),
        skipped: HashSet::new(),
        computed: false,
    };
    let _ = statement.visit(&mut finder);
    if finder.computed {
        return None;
    }
    let mut known = HashSet::new();
    finder.found.retain(|table| known.insert(table.clone()));
    Some(finder.found)
}

/// `TABLE name` stands for a SELECT but is no relation to the parser.
pub(super) fn table_commands(body: &SetExpr, found: &mut Vec<ObjectName>) {
    match body {
        SetExpr::Table(table) => {
            let name = table.table_name.clone().unwrap_or_default();
            let parts = table.schema_name.iter().cloned().chain([name]).map(ast::Ident::new);
            found.push(ObjectName::from(parts.collect::<Vec<_>>()));
        }
        SetExpr::SetOperation { left, right, .. } => {
            table_commands(left, found);
            table_commands(right, found);
        }
        _ => {}
    }
}

/// ClickHouse reads a table whose name stands behind IN: `x IN t`.
pub(super) fn table_behind_in(expr: &Expr, family: Family) -> Option<ObjectName> {
    if family != Family::ClickHouse {
        return None;
    }
    let Expr::InList { list, .. } = expr else { return None };
    let [only] = list.as_slice() else { return None };
    let mut only = only;
    while let Expr::Nested(inner) = only {
        only = inner.as_ref();
    }
    match only {
        Expr::Identifier(ident) => Some(ObjectName::from(vec![ident.clone()])),
        Expr::CompoundIdentifier(parts) => Some(ObjectName::from(parts.clone())),
        _ => None,
    }
}

/// The table that a PRAGMA describes; one without a name where it describes something else by name, an index.
pub(super) fn table_of_pragma(name: &ObjectName, value: Option<&ast::Value>) -> Option<TableName> {
    let mut parts = name.0.iter().rev().filter_map(|part| part.as_ident());
    let pragma = parts.next()?.value.to_lowercase();
    let schema = parts.next().map(|ident| ident_text(ident, Family::Sqlite));
    let (ast::Value::SingleQuotedString(raw) | ast::Value::DoubleQuotedString(raw)) = value? else {
        return None;
    };
    match pragma.as_str() {
        "table_info" | "table_xinfo" | "table_list" | "index_list" | "foreign_key_list" => {
            let quote = if matches!(value, Some(ast::Value::DoubleQuotedString(_))) { "\"" } else { "'" };
            Some(TableName { catalog: None, schema, table: raw.replace(&quote.repeat(2), quote) })
        }
        _ => Some(TableName::unknown()),
    }
}

struct Finder {
    family: Family,
    scopes: Scopes,
    found: Vec<TableName>,
    /// Names of table functions, which are no tables.
    skipped: HashSet<usize>,
    computed: bool,
}

impl Finder {
    fn add(&mut self, name: &ObjectName) {
        if self.scopes.is_cte(name) {
            return;
        }
        match TableName::from_ast(name, self.family) {
            Some(table) => self.found.push(table),
            None => self.computed = true,
        }
    }
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.scopes.enter(query);
        let mut commands = Vec::new();
        table_commands(&query.body, &mut commands);
        commands.iter().for_each(|name| self.add(name));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.scopes.leave();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: Some(_), .. } = factor {
            self.skipped.insert(std::ptr::from_ref(name).addr());
        }
        if table_functions::reads_unknown(factor, self.family) {
            self.found.push(TableName::unknown());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        if !self.skipped.contains(&std::ptr::from_ref(name).addr()) {
            self.add(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Some(name) = table_behind_in(expr, self.family) {
            self.add(&name);
        }
        ControlFlow::Continue(())
    }
}
