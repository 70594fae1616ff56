//! Names of tables in foreign SQL.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{self, ObjectName, ObjectNamePart, Query, SetExpr, TableFactor, Visit, Visitor};

use super::dialect::Family;

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
    /// Compares without case: whether a database folds names is not ours to guess, and a rule too many does no harm.
    pub fn is_same(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (Some(a), Some(b)) => a.to_lowercase() == b.to_lowercase(),
            (None, None) => true,
            _ => false,
        };
        self.table.to_lowercase() == other.table.to_lowercase()
            && same(&self.schema, &other.schema)
            && same(&self.catalog, &other.catalog)
    }

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
    pub(super) fn of(name: &ObjectName, family: Family) -> Option<Self> {
        let mut parts = Vec::new();
        for part in &name.0 {
            let ObjectNamePart::Identifier(ident) = part else { return None };
            // BigQuery writes whole paths inside one pair of backticks.
            if family == Family::Bigquery && ident.quote_style.is_some() {
                parts.extend(ident.value.split('.').map(str::to_owned));
            } else {
                parts.push(text(ident, family));
            }
        }
        let table = parts.pop()?;
        let schema = parts.pop();
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
fn text(ident: &ast::Ident, family: Family) -> String {
    match ident.quote_style {
        Some('[') => ident.value.replace("]]", "]"),
        Some(quote) => ident.value.replace(&format!("{quote}{quote}"), &quote.to_string()),
        None if family == Family::Postgres => ident.value.to_lowercase(),
        None => ident.value.clone(),
    }
}

/// Names of common table expressions that are visible at each point of a walk through a statement.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    /// Every name met, with the one that was visible before it.
    names: Vec<(String, Option<usize>)>,
    /// The last visible name of each query around.
    stack: Vec<Option<usize>>,
    /// What the query of a CTE sees, by the address of that query.
    of_cte: HashMap<usize, Option<usize>>,
}

impl Scopes {
    /// Before a query. A CTE sees those before it, and itself only if the WITH is recursive: in
    /// `WITH t AS (SELECT * FROM t)` the inner `t` is the table.
    pub fn enter(&mut self, query: &Query, family: Family) {
        let around = self.stack.last().copied().flatten();
        let mut visible = self.of_cte.remove(&address(query)).unwrap_or(around);
        if let Some(with) = &query.with {
            let sees_itself = with.recursive || matches!(family, Family::Mssql | Family::Oracle);
            for cte in &with.cte_tables {
                self.names.push((cte.alias.name.value.to_lowercase(), visible));
                let itself = Some(self.names.len() - 1);
                self.of_cte.insert(address(&cte.query), if sees_itself { itself } else { visible });
                visible = itself;
            }
        }
        self.stack.push(visible);
    }

    /// After a query.
    pub fn leave(&mut self) {
        self.stack.pop();
    }

    /// Whether a name means a CTE here.
    pub fn is_cte(&self, name: &ObjectName) -> bool {
        match name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => {
                let name = ident.value.to_lowercase();
                let mut visible = self.stack.last().copied().flatten();
                while let Some((other, before)) = visible.and_then(|index| self.names.get(index)) {
                    if *other == name {
                        return true;
                    }
                    visible = *before;
                }
                false
            }
            _ => false,
        }
    }
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query).addr()
}

/// The tables that a statement names, CTEs left out; `None` if one of them is computed.
pub(super) fn tables(statement: &impl Visit, family: Family) -> Option<Vec<TableName>> {
    let mut finder = Finder {
        family,
        scopes: Scopes::default(),
        found: Vec::new(),
        skipped: HashSet::new(),
        computed: false,
    };
    let _ = statement.visit(&mut finder);
    if finder.computed {
        return None;
    }
    let mut unique = Vec::new();
    for table in finder.found {
        if !unique.contains(&table) {
            unique.push(table);
        }
    }
    Some(unique)
}

/// Table functions that read nothing but their arguments.
const COMPUTING: &[&str] = &[
    "explode",
    "flatten",
    "generate_series",
    "generate_subscripts",
    "json_array_elements",
    "json_array_elements_text",
    "json_each",
    "json_each_text",
    "json_object_keys",
    "json_populate_record",
    "json_populate_recordset",
    "json_to_record",
    "json_to_recordset",
    "json_tree",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_object_keys",
    "jsonb_path_query",
    "jsonb_populate_record",
    "jsonb_populate_recordset",
    "jsonb_to_record",
    "jsonb_to_recordset",
    "numbers",
    "openjson",
    "posexplode",
    "range",
    "regexp_matches",
    "regexp_split_to_table",
    "sequence",
    "string_split",
    "string_to_table",
    "unnest",
    "values",
    "zeros",
];

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
        match TableName::of(name, self.family) {
            Some(table) => self.found.push(table),
            None => self.computed = true,
        }
    }

    /// What a table function reads is not known (`merge('s', '.*')`, `query('SELECT …')`), but of those that only take
    /// their arguments apart.
    fn add_function(&mut self, name: &ObjectName) {
        let last = name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.to_lowercase());
        if !last.is_some_and(|last| COMPUTING.contains(&last.as_str())) {
            self.found.push(TableName::unknown());
        }
    }

    /// `TABLE name` stands for a SELECT but is no relation to the parser.
    fn add_table_commands(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Table(table) => {
                let table_name = table.table_name.clone().unwrap_or_default();
                let mut parts: Vec<_> =
                    table.schema_name.iter().map(|name| ast::Ident::new(name.clone())).collect();
                parts.push(ast::Ident::new(table_name));
                self.add(&ObjectName::from(parts));
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.add_table_commands(left);
                self.add_table_commands(right);
            }
            _ => {}
        }
    }
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.scopes.enter(query, self.family);
        self.add_table_commands(&query.body);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.scopes.leave();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: Some(_), .. } => {
                self.skipped.insert(std::ptr::from_ref(name).addr());
                self.add_function(name);
            }
            TableFactor::Function { name, .. } => self.add_function(name),
            TableFactor::TableFunction { .. } => self.found.push(TableName::unknown()),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        if !self.skipped.contains(&std::ptr::from_ref(name).addr()) {
            self.add(name);
        }
        ControlFlow::Continue(())
    }
}
