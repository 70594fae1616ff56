//! Which tables a name in SQL may lead to.
//!
//! A name that may lead to a table has the row-level rules of that table. In doubt it may: a rule too many hides rows,
//! a rule too few shows them. A view is a table of its own: the rules of the tables under it do not reach it, as in
//! the original; neither do those of a partitioned table reach its parts when they are named.

use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{
    dialect::{Family, dialect},
    names::TableName,
};

/// Where the names of a statement lead that say no schema or no catalog, and where datasets without them lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Catalog of names without one; not known, or none in this engine.
    pub catalog: Option<String>,
    /// Catalog of datasets without one.
    pub default_catalog: Option<String>,
    /// Schemas in which names without one are looked for; empty if that is not known.
    pub schemas: Vec<String>,
    /// Schemas in which datasets without one may lie; empty if that is not known.
    pub default_schemas: Vec<String>,
}

/// Known tables, found by the names that may lead to them.
#[derive(Debug, Clone)]
pub struct SameTable {
    family: Family,
    place: Place,
    tables: Vec<TableName>,
    by_key: HashMap<String, Vec<usize>>,
}

impl SameTable {
    /// Tables as datasets name them, in the place of a statement.
    pub fn new(engine: &str, place: Place, tables: Vec<TableName>) -> Self {
        let family = dialect(engine).family;
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, table) in tables.iter().enumerate() {
            by_key.entry(key(&table.table, family)).or_default().push(index);
        }
        Self { family, place, tables, by_key }
    }

    /// The indices of the tables that a name, as the statement has it, may lead to.
    pub fn find(&self, named: &TableName) -> Vec<usize> {
        let mut found = Vec::new();
        for reading in readings(named, self.family) {
            let same = |index: &usize| self.tables.get(*index).is_some_and(|t| self.may_be(&reading, t));
            match reading.table.strip_suffix('*').filter(|_| self.family == Family::Bigquery) {
                // `events_*` reads every table whose name begins so
                Some(start) => {
                    let start = key(start, self.family);
                    let keys = self.by_key.iter().filter(|(key, _)| key.starts_with(&start));
                    found.extend(keys.flat_map(|(_, indices)| indices).copied().filter(same));
                }
                None => {
                    let indices = self.by_key.get(&key(&reading.table, self.family));
                    found.extend(indices.into_iter().flatten().copied().filter(same));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether schema and catalog do not tell a name from a table.
    fn may_be(&self, named: &TableName, table: &TableName) -> bool {
        let alike = |a: &str, b: &str| key(a, self.family) == key(b, self.family);
        let leads_to = match filled(&named.schema) {
            Some(schema) => vec![schema],
            // `catalog..table`: the schema is the server's choice
            None if filled(&named.catalog).is_some() => Vec::new(),
            None => texts(&self.place.schemas),
        };
        let lies_in = match filled(&table.schema) {
            Some(schema) => vec![schema],
            None => texts(&self.place.default_schemas),
        };
        let same_schema = leads_to.is_empty()
            || lies_in.is_empty()
            || leads_to.iter().any(|a| lies_in.iter().any(|b| alike(a, b)));
        let leads_to = filled(&named.catalog).or(filled(&self.place.catalog));
        let lies_in = filled(&table.catalog).or(filled(&self.place.default_catalog));
        let same_catalog = match (leads_to, lies_in) {
            // behind the name of a linked server, which may be the very same
            (Some(a), Some(b)) => alike(a, b) || a.rsplit('.').next().is_some_and(|a| alike(a, b)),
            _ => true,
        };
        same_schema && same_catalog
    }
}

fn filled(part: &Option<String>) -> Option<&str> {
    part.as_deref().filter(|text| !text.is_empty())
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

/// What a name may say: itself, and the table of which it names a part, a version or its data about data.
fn readings(named: &TableName, family: Family) -> Vec<TableName> {
    let mut all = vec![named.clone()];
    if matches!(family, Family::Presto | Family::Bigquery)
        && let Some((table, _)) = named.table.split_once(['$', '@'])
    {
        all.push(TableName { table: table.to_owned(), ..named.clone() });
    }
    // Spark reads branches and snapshots of an Iceberg table as `schema.table.branch_x`.
    if matches!(family, Family::Other | Family::Hive)
        && let Some(table) = filled(&named.schema)
    {
        let schema = named.catalog.as_deref().and_then(|text| text.rsplit('.').next()).map(str::to_owned);
        all.push(TableName { catalog: None, schema, table: table.to_owned() });
    }
    all
}

/// PostgreSQL cuts longer names off.
const POSTGRES_NAME_BYTES: usize = 63;

/// Equal for names that any collation of an engine takes for one: case, accents, widths, signs without weight and
/// blanks at the end do not count.
fn key(name: &str, family: Family) -> String {
    let mut name = name.trim_end();
    if family == Family::Postgres {
        name = name.get(..name.floor_char_boundary(POSTGRES_NAME_BYTES)).unwrap_or(name);
    }
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let plain = name.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    plain.filter(|c| c.is_ascii() || c.is_alphanumeric()).collect::<String>().replace('ß', "ss")
}
