//! Which functions a statement calls, and which of them do more than to compute a value from their arguments.
//!
//! The lists are hardening, not a wall: whatever an engine can enforce itself (a read-only transaction, rights of the
//! connection's user) it is told to.

mod clickhouse;
mod duckdb;
mod mssql;
mod mysql;
mod others;
mod postgresql;
mod sqlite;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::ControlFlow,
    sync::LazyLock,
};

use sqlparser::ast::{Expr, FunctionArguments, Ident, ObjectName, Statement, TableFactor, Visit, Visitor};

use super::dialect::Family;

/// What a call does besides computing a value from its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It writes, locks, or steers the server; a read-only transaction does not stop all of them.
    Acts,
    /// It waits, or computes for the sake of the time that it takes.
    Waits,
    /// It reads files of the server, speaks to other machines, or tells what the server runs on.
    ReachesOut,
    /// It tells a setting of the server or the session.
    TellsSetting,
    /// It executes SQL given as text, or reads rows under no table's name: a check of tables says nothing about it.
    IsOpaque,
    /// It looks a value up by the name of what holds it (a dictionary).
    LooksUp,
}

/// What is known of the functions of a dialect. Names in upper case without schema; a star at the end is any ending.
struct List {
    /// What counts as writing; may stand in `outside` as well.
    acts: &'static [&'static str],
    waits: &'static [&'static str],
    outside: &'static [&'static str],
    settings: &'static [&'static str],
    opaque: &'static [&'static str],
    looks_up: &'static [&'static str],
    /// Schemas and packages all of whose functions reach out.
    packages: &'static [&'static str],
    /// Other ways to what a function tells or does: who refuses the first refuses the others.
    synonyms: &'static [(&'static str, &'static [&'static str])],
    /// What is a call without parentheses.
    bare: &'static [&'static str],
    /// Tables of the system that hold rows or statements of others.
    tables: &'static [&'static str],
}

impl List {
    const EMPTY: Self = Self {
        acts: &[],
        waits: &[],
        outside: &[],
        settings: &[],
        opaque: &[],
        looks_up: &[],
        packages: &[],
        synonyms: &[],
        bare: &[],
        tables: &[],
    };
}

const FAMILIES: [(&[Family], &List); 10] = [
    (&[Family::Postgres], &postgresql::POSTGRESQL),
    (&[Family::Mysql, Family::Doris], &mysql::MYSQL),
    (&[Family::Sqlite], &sqlite::SQLITE),
    (&[Family::ClickHouse], &clickhouse::CLICKHOUSE),
    (&[Family::DuckDb], &duckdb::DUCKDB),
    (&[Family::Mssql], &mssql::MSSQL),
    (&[Family::Presto], &others::PRESTO),
    (&[Family::Oracle], &others::ORACLE),
    (&[Family::Bigquery], &others::BIGQUERY),
    (&[Family::Generic, Family::Hive, Family::Other], &others::GENERAL),
];

/// Names with what they stand for: exact ones by a table, beginnings one after the other.
struct Names<T> {
    exact: HashMap<&'static str, T>,
    beginnings: Vec<(&'static str, T)>,
}

impl<T: Copy> Names<T> {
    fn new(names: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        let mut sorted = Self { exact: HashMap::new(), beginnings: Vec::new() };
        for (name, meaning) in names {
            match name.strip_suffix('*') {
                Some(start) => sorted.beginnings.push((start, meaning)),
                None => {
                    sorted.exact.entry(name).or_insert(meaning);
                }
            }
        }
        sorted
    }

    fn find(&self, name: &str) -> Option<T> {
        let begins = || self.beginnings.iter().find(|(start, _)| name.starts_with(start)).map(|(_, m)| *m);
        self.exact.get(name).copied().or_else(begins)
    }
}

/// A list made ready to be asked.
struct Known {
    acts: Names<()>,
    effects: Names<Effect>,
    packages: Names<()>,
    tables: Names<()>,
    list: &'static List,
}

impl Known {
    fn new(list: &'static List) -> Self {
        let of = |names: &'static [&'static str], effect| names.iter().map(move |name| (*name, effect));
        let effects = of(list.outside, Effect::ReachesOut)
            .chain(of(list.acts, Effect::Acts))
            .chain(of(list.waits, Effect::Waits))
            .chain(of(list.opaque, Effect::IsOpaque))
            .chain(of(list.settings, Effect::TellsSetting))
            .chain(of(list.looks_up, Effect::LooksUp));
        let plain = |names: &'static [&'static str]| Names::new(names.iter().map(|name| (*name, ())));
        Self {
            acts: plain(list.acts),
            effects: Names::new(effects),
            packages: plain(list.packages),
            tables: plain(list.tables),
            list,
        }
    }
}

fn known(family: Family) -> &'static Known {
    static KNOWN: LazyLock<Vec<Known>> =
        LazyLock::new(|| FAMILIES.iter().map(|(_, list)| Known::new(list)).collect());
    static GENERAL: LazyLock<Known> = LazyLock::new(|| Known::new(&others::GENERAL));
    let at = FAMILIES.iter().position(|(families, _)| families.contains(&family));
    at.and_then(|at| KNOWN.get(at)).unwrap_or(&GENERAL)
}

/// The functions that something calls.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Upper-case names without what qualifies them.
    names: HashSet<String>,
    /// Qualified names: what qualifies them, and the name.
    qualified: HashSet<(String, String)>,
}

impl Calls {
    /// For a text of which only the words are known, in upper case: each of them may be a function, or what qualifies
    /// one.
    pub fn of_words(words: &HashSet<String>) -> Self {
        let names = words.iter().flat_map(|word| {
            // `@@session.version`
            let variable = words.iter().any(|word| word.starts_with("@@")).then(|| format!("@@{word}"));
            std::iter::once(word.clone()).chain(variable)
        });
        let names = names.collect();
        Self { names, qualified: words.iter().map(|word| (word.clone(), word.clone())).collect() }
    }

    /// Whether any of the functions (in upper case) is called, or another way to the same is taken.
    pub fn any(&self, functions: &[String], family: Family) -> bool {
        let also = |name: &String| {
            let of_name = known(family).list.synonyms.iter().filter(move |(known, _)| known == name);
            of_name.flat_map(|(_, others)| *others).any(|other| match other.strip_suffix('*') {
                Some(start) => self.names.iter().any(|called| called.starts_with(start)),
                None => self.names.contains(*other),
            })
        };
        functions.iter().any(|name| self.names.contains(name) || also(name))
    }

    /// The calls that do more than to compute, in lower case, in the order of their names.
    pub fn effects(&self, family: Family) -> Vec<(String, Effect)> {
        let known = known(family);
        let mut found = BTreeSet::new();
        for name in &self.names {
            let effect =
                if is_disguised(name, family) { Some(Effect::Acts) } else { known.effects.find(name) };
            found.extend(effect.map(|effect| (name.to_lowercase(), effect)));
        }
        for (package, name) in &self.qualified {
            if known.packages.find(package).is_some() {
                found.insert((format!("{package}.{name}").to_lowercase(), Effect::ReachesOut));
            }
        }
        found.into_iter().collect()
    }

    /// Whether a call counts as writing.
    pub fn act(&self, family: Family) -> bool {
        let acts = &known(family).acts;
        self.names.iter().any(|name| is_disguised(name, family) || acts.find(name).is_some())
    }

    pub fn into_names(self) -> HashSet<String> {
        self.names
    }
}

/// MySQL may find a function of its own without regard to accents.
fn is_disguised(name: &str, family: Family) -> bool {
    family.is_mysql() && !name.is_ascii()
}

/// Whether a table of the system holds rows or statements of others, whatever its schema.
pub(super) fn is_opaque_table(name: &str, family: Family) -> bool {
    known(family).tables.find(&name.to_uppercase()).is_some()
}

/// All functions called, in expressions and in FROM, also those that are written without parentheses.
pub(super) fn called(node: &impl Visit, family: Family) -> Calls {
    let mut finder = Finder { calls: Calls::default(), family };
    let _ = node.visit(&mut finder);
    finder.calls
}

struct Finder {
    calls: Calls,
    family: Family,
}

impl Finder {
    fn add(&mut self, name: &ObjectName) {
        let mut parts = name.0.iter().rev().filter_map(|part| part.as_ident());
        let Some(last) = parts.next() else { return };
        let last = last.value.to_uppercase();
        for package in parts {
            self.calls.qualified.insert((package.value.to_uppercase(), last.clone()));
        }
        self.calls.names.insert(last);
    }

    fn add_named(&mut self, name: &str) {
        self.calls.names.insert(name.to_owned());
    }

    /// `CURRENT_USER` and its like are calls without parentheses, and `@@version` is one in effect.
    fn add_bare(&mut self, parts: &[Ident]) {
        let Some(first) = parts.first() else { return };
        if first.quote_style.is_some() {
            return;
        }
        if first.value.starts_with("@@") {
            let last = parts.last().map(|ident| ident.value.to_uppercase()).unwrap_or_default();
            self.add_named(&format!("@@{}", last.trim_start_matches('@')));
        } else if let [only] = parts {
            let name = only.value.to_uppercase();
            if known(self.family).list.bare.contains(&name.as_str()) {
                self.calls.names.insert(name);
            }
        }
    }
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => {
                self.add(&function.name);
                if matches!(function.args, FunctionArguments::None) {
                    let parts: Vec<_> =
                        function.name.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
                    self.add_bare(&parts);
                }
            }
            Expr::Identifier(ident) => self.add_bare(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(parts) => self.add_bare(parts),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
                self.add(name)
            }
            TableFactor::OpenJsonTable { .. } => self.add_named("OPENJSON"),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// Statements that tell what a function tells.
    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match (self.family, statement) {
            (Family::Postgres, Statement::ShowVariable { .. }) => self.add_named("CURRENT_SETTING"),
            (Family::ClickHouse | Family::Mysql | Family::Doris, Statement::ShowVariable { variable }) => {
                let what = variable.first().map(|ident| ident.value.to_uppercase()).unwrap_or_default();
                match (what.as_str(), self.family) {
                    ("SETTING" | "SETTINGS" | "CHANGED", Family::ClickHouse) => self.add_named("GETSETTING"),
                    ("GRANTS", Family::Mysql | Family::Doris) => self.add_named("CURRENT_USER"),
                    ("FULL" | "PROCESSLIST", Family::Mysql | Family::Doris) => {
                        self.add_named("CONNECTION_ID");
                    }
                    _ => {}
                }
            }
            (Family::Mysql | Family::Doris, Statement::ShowVariables { .. }) => {
                self.add_named("VERSION");
                self.add_named("@@*");
            }
            (Family::Mysql | Family::Doris, Statement::ShowStatus { .. }) => self.add_named("VERSION"),
            (Family::Sqlite, Statement::Pragma { name, .. })
                if name.to_string().to_lowercase().ends_with("compile_options") =>
            {
                self.add_named("SQLITE_COMPILEOPTION_GET");
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
