//! Row-level rules of tables, wherever SQL names them: charts, samples, values, annotations, exports, SQL Lab.
//!
//! Rules belong to datasets; a statement names tables. A table that a statement names has the rules of every physical
//! dataset that may stand for it ([`infra::sql::SameTable`]). The original compares names byte by byte, and takes no
//! catalog for another one than the default (`superset.utils.rls:get_predicates_for_table`).

use std::collections::HashSet;

use daos::{
    database::Database,
    dataset::Dataset,
    row_level_security::{self, NamedDataset},
};
use indexmap::IndexMap;
use infra::{
    Result,
    engine_specs::{EngineSpec, spec::RlsMethod},
    sql::{Place, RlsRule, RlsRules, SameTable, Script, TableName},
};
use query::{QueryError, template::has_template_syntax};

use crate::access::row_level::{RowRule, RowRules, guest_clauses};
use crate::state::Caller;
use crate::{
    connect::{describe, engine_as},
    introspect::tables::default_catalog,
    query_run::render_clause,
};

/// All rules that hold for a caller in a database, by the id of the dataset.
#[derive(Debug, Clone, Default)]
pub struct DatabaseRules {
    datasets: IndexMap<i64, DatasetRules>,
}

#[derive(Debug, Clone)]
struct DatasetRules {
    dataset: NamedDataset,
    rules: RowRules,
}

impl DatasetRules {
    fn none(dataset: NamedDataset) -> Self {
        Self { dataset, rules: RowRules::default() }
    }

    fn table(&self) -> TableName {
        let NamedDataset { catalog, schema, table_name, .. } = self.dataset.clone();
        TableName { catalog, schema, table: table_name }
    }
}

/// Renders a clause; gets all rules of its dataset, too.
pub type RenderRule<'a> = dyn Fn(&RowRules, &str) -> Result<String> + Send + Sync + 'a;

impl DatabaseRules {
    /// Looks them up: one statement, and one more for guests.
    pub async fn load(caller: &Caller, database_id: i64) -> Result<Self> {
        let db = caller.app.db.exec();
        let mut datasets: IndexMap<i64, DatasetRules> = IndexMap::new();
        for stored in row_level_security::of_database(db, database_id, &caller.user.role_ids()).await? {
            let rule = RowRule { id: stored.id, group_key: stored.group_key, clause: stored.clause };
            let of = datasets.entry(stored.dataset.id).or_insert_with(|| DatasetRules::none(stored.dataset));
            of.rules.rules.push(rule);
        }
        if caller.guest().is_some_and(|guest| !guest.rls_rules.is_empty()) {
            for dataset in row_level_security::datasets(db, database_id).await? {
                let guest = guest_clauses(&caller.app.config, &caller.user, dataset.id);
                if !guest.is_empty() {
                    let of = datasets.entry(dataset.id).or_insert_with(|| DatasetRules::none(dataset));
                    of.rules.guest = guest;
                }
            }
        }
        Ok(Self { datasets })
    }

    /// Whether any table of the database has rules for the caller.
    pub fn in_force(&self) -> bool {
        self.tables().next().is_some()
    }

    /// The datasets with rules that stand for a table.
    fn tables(&self) -> impl Iterator<Item = &DatasetRules> {
        self.datasets.values().filter(|of| !of.dataset.is_virtual)
    }

    /// The rules of a dataset: its own, and if it stands for a table also those of other datasets that may stand for
    /// the same one, which differ by a default catalog or schema or by letters. The original knows its own alone.
    pub async fn of_dataset(
        &self,
        caller: &Caller,
        database: &Database,
        dataset: &Dataset,
    ) -> Result<RowRules> {
        let mut rules = self.datasets.get(&dataset.id).map_or_else(RowRules::default, |of| of.rules.clone());
        if dataset.is_virtual() {
            return Ok(rules);
        }
        let named = TableName {
            catalog: dataset.catalog.clone(),
            schema: dataset.schema.clone(),
            table: dataset.table_name.clone(),
        };
        let others: Vec<_> = self.tables().filter(|of| of.dataset.id != dataset.id).collect();
        let same = |place: Place| {
            let tables = others.iter().map(|of| of.table()).collect();
            SameTable::new(&describe::engine(database).engine, place, tables).find(&named)
        };
        // the database is asked for its defaults only if they matter
        if same(Place::default()).is_empty() {
            return Ok(rules);
        }
        let (catalog, schema) = (dataset.catalog.as_deref(), dataset.schema.as_deref());
        let place = Box::pin(place(caller, database, catalog, schema)).await?;
        for other in same(place).into_iter().filter_map(|index| others.get(index)) {
            rules.add(other.dataset.id, &other.rules);
        }
        Ok(rules)
    }

    /// The rules of the tables that a statement names, for the rewriter, and their part of the cache key. Whatever the
    /// statement reads besides them is refused if it has rules.
    pub fn of_tables(
        &self,
        spec: &EngineSpec,
        place: Place,
        named: &[TableName],
        render: &RenderRule<'_>,
    ) -> Result<(RlsRules, Vec<String>)> {
        let tables: Vec<_> = self.tables().collect();
        let known = tables.iter().map(|of| of.table()).collect();
        let same = SameTable::new(&spec.engine, place.clone(), known);
        let read: HashSet<usize> = named.iter().flat_map(|name| same.find(name)).collect();
        let mut key = Vec::new();
        // what is read besides is not known: an answer is for who is bound by the same rules alone
        if named.iter().any(|name| name.table.is_empty()) {
            key.extend(tables.iter().map(|of| format!("{:?}:{:?}", of.table(), of.rules)));
        }
        let mut rules = Vec::with_capacity(tables.len());
        for (index, of) in tables.iter().enumerate() {
            let predicates = match read.contains(&index) {
                true => Some(of.rules.conditions(|clause| render(&of.rules, clause))?),
                false => None,
            };
            let table = of.table();
            key.extend(predicates.iter().flatten().map(|predicate| format!("{table:?}:{predicate}")));
            rules.push(RlsRule { table, predicates });
        }
        let rules = RlsRules::new(&spec.engine, place, rules);
        Ok((rules.as_predicate(spec.rls_method == RlsMethod::AsPredicate), key))
    }
}

/// The caller's rules for the tables of a script.
pub async fn of_script(
    caller: &Caller,
    database: &Database,
    (catalog, schema): (Option<&str>, Option<&str>),
    script: &Script,
) -> Result<RlsRules> {
    let rules = DatabaseRules::load(caller, database.id).await?;
    if !rules.in_force() {
        return Ok(RlsRules::default());
    }
    let spec = describe::engine(database);
    let place = Box::pin(place(caller, database, catalog, schema)).await?;
    let templates = caller.app.config.flag("ENABLE_TEMPLATE_PROCESSING");
    let render = |_: &RowRules, clause: &str| {
        if !templates || !has_template_syntax(clause) {
            return Ok(clause.to_owned());
        }
        render_clause(caller, spec, clause).map_err(QueryError::into_answer)
    };
    Ok(rules.of_tables(spec, place, &script.tables(), &render)?.0)
}

/// Where names lead that say no schema or no catalog, when these are chosen.
pub async fn place(
    caller: &Caller,
    database: &Database,
    catalog: Option<&str>,
    schema: Option<&str>,
) -> Result<Place> {
    let spec = describe::engine(database);
    let engine = engine_as(caller, database, catalog).await?;
    let default_schemas = engine.search_path().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "default schema is unknown");
        Vec::new()
    });
    let chosen = schema.filter(|schema| !schema.is_empty()).map(str::to_owned);
    let schemas = match chosen {
        Some(schema) if spec.caps.supports_dynamic_schema => vec![schema],
        // names may lead to the default all the same
        Some(schema) if !default_schemas.is_empty() => {
            default_schemas.iter().cloned().chain([schema]).collect()
        }
        _ => default_schemas.clone(),
    };
    // an engine without catalogs takes no notice of what a dataset says
    let default_catalog = default_catalog(database);
    let catalog = catalog.filter(|c| spec.caps.supports_catalog && !c.is_empty()).map(str::to_owned);
    Ok(Place {
        catalog: catalog.or_else(|| default_catalog.clone()),
        default_catalog,
        schemas,
        default_schemas,
    })
}
