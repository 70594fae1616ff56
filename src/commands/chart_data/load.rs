//! A dataset with all that answering from it takes: description, database, row-level rules of the caller.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use daos::{database, database::Database, dataset};
use infra::{Result, sql::TableName};
use query::{
    QueryError,
    build_sql::{Answers, BuildContext, NoTemplates, expression_tables, inner_tables},
    dataset::{Dataset, DatasetColumn, DatasetMetric, RlsClause, TableRls},
    query_object::QueryObject,
    template::has_template_syntax,
};

use crate::{
    Principal, Services,
    access::row_level::{RowRules, row_rules},
    databases,
};

use super::time::Clock;

/// A dataset as the commands hold it.
#[derive(Clone)]
pub struct LoadedDataset {
    /// The row of `tables`.
    pub row: Arc<dataset::Dataset>,
    /// Its database.
    pub database: Arc<Database>,
    /// Its description for the SQL builder, with the rules of the caller.
    pub description: Arc<Dataset>,
    /// The rules of the caller, as part of the cache key.
    pub rls_key: Vec<String>,
    /// The rules that templates may show.
    pub(super) visible_rules: Vec<String>,
    /// The rules of the tables inside are known only when templates are rendered.
    pub(super) late_rules: bool,
    /// It is a query of SQL Lab; access was decided when it was loaded.
    pub(super) is_query: bool,
}

impl LoadedDataset {
    /// Loads a dataset; none when there is none of that id. Access is the caller's business.
    pub async fn find(app: &Services, user: &Principal, id: i64) -> Result<Option<Self>> {
        let db = app.db.exec();
        let Some(row) = dataset::find(db, id).await? else { return Ok(None) };
        let Some(database) = database::find(db, row.database_id).await? else { return Ok(None) };
        let columns = dataset::columns(db, &[id]).await?.remove(&id).unwrap_or_default();
        let metrics = dataset::metrics(db, &[id]).await?.remove(&id).unwrap_or_default();
        let rules = row_rules(app, user, id).await?;
        let columns = columns.into_iter().map(column).collect();
        let metrics = metrics.into_iter().map(metric).collect();
        Ok(Some(Self::assemble(app, user, row, database, columns, metrics, rules).await?))
    }

    /// Puts together what was read of a dataset.
    pub(super) async fn assemble(
        app: &Services,
        user: &Principal,
        row: dataset::Dataset,
        database: Database,
        columns: Vec<DatasetColumn>,
        metrics: Vec<DatasetMetric>,
        rules: RowRules,
    ) -> Result<Self> {
        let engine = infra::engines::spec_for_uri(&database.sqlalchemy_uri);
        let text = row.template_params.as_deref().unwrap_or_default();
        let mut description = Dataset {
            id: row.id,
            table_name: row.table_name.clone(),
            schema: row.schema.clone(),
            catalog: row.catalog.clone(),
            sql: row.sql.clone(),
            columns,
            metrics,
            main_dttm_col: row.main_dttm_col.clone(),
            offset: i32::try_from(row.offset.unwrap_or_default()).unwrap_or_default(),
            always_filter_main_dttm: row.always_filter_main_dttm.unwrap_or_default(),
            fetch_values_predicate: row.fetch_values_predicate.clone(),
            normalize_columns: row.normalize_columns.unwrap_or_default(),
            template_params: serde_json::from_str(text).unwrap_or_default(),
            engine,
            db_extra: database.extra_json(),
            rls: clauses(&rules),
            inner_rls: Vec::new(),
            default_schema: None,
            default_catalog: None,
        };
        let mut rls_key = rules.cache_key();
        if database.impersonate_user == Some(true)
            && let Some(name) = databases::effective_name(app, user)
        {
            // the database itself decides what this person sees
            rls_key.push(format!("as {name}"));
        }
        if let Some(id) = user.user_id()
            && databases::oauth2_client(app, user, &database).is_some()
        {
            // a refusal invites this person, and nobody who asks the same at the same time
            rls_key.push(format!("invited {id}"));
        }
        let templates = app.config.flag("ENABLE_TEMPLATE_PROCESSING");
        let sql = description.sql.as_deref().unwrap_or_default();
        let mut late_rules = templates
            && (app.config.flag("ALLOW_ADHOC_SUBQUERY")
                || description.is_virtual() && has_template_syntax(sql));
        if description.is_virtual() && !late_rules {
            let templated = AtomicBool::new(false);
            let verbatim = |_: &RowRules, clause: &str| {
                templated.fetch_or(has_template_syntax(clause), Relaxed);
                Ok(clause.to_owned())
            };
            let key = rules_of_tables(app, user, &database, &mut description, &[], &verbatim).await?;
            late_rules = templates && templated.load(Relaxed);
            if late_rules {
                description.inner_rls.clear();
            } else {
                rls_key.extend(key);
            }
        }
        let visible_rules = rules.visible(user, &app.config);
        Ok(Self {
            visible_rules,
            late_rules,
            is_query: false,
            row: Arc::new(row),
            database: Arc::new(database),
            description: Arc::new(description),
            rls_key,
        })
    }

    /// Adds the rules of tables in sub-queries of adhoc expressions, where those are allowed.
    pub async fn add_rules_of(
        &mut self,
        app: &Services,
        user: &Principal,
        queries: &[QueryObject],
    ) -> Result<()> {
        if app.config.flag("ALLOW_ADHOC_SUBQUERY") && !self.late_rules {
            let mut description = Dataset::clone(&self.description);
            let verbatim = |_: &RowRules, clause: &str| Ok(clause.to_owned());
            let key =
                rules_of_tables(app, user, &self.database, &mut description, queries, &verbatim).await?;
            self.rls_key.extend(key);
            self.description = Arc::new(description);
        }
        Ok(())
    }

    /// `<id>__table`, `<id>__query`.
    pub fn uid(&self) -> String {
        format!("{}__{}", self.row.id, if self.is_query { "query" } else { "table" })
    }
}

fn clauses(rules: &RowRules) -> Vec<RlsClause> {
    let stored =
        rules.rules.iter().map(|r| RlsClause { clause: r.clause.clone(), group_key: r.group_key.clone() });
    let guest = rules.guest.iter().map(|clause| RlsClause { clause: clause.clone(), group_key: None });
    stored.chain(guest).collect()
}

/// Renders a clause; gets all rules of its dataset, too.
pub(super) type RenderRule<'a> = dyn Fn(&RowRules, &str) -> Result<String> + Send + Sync + 'a;

/// The schema in which names without one are looked up.
pub(super) async fn add_default_schema(
    app: &Services,
    user: &Principal,
    database: &Database,
    description: &mut Dataset,
) -> Result<()> {
    if description.schema().is_none() {
        let catalog = description.catalog.as_deref();
        let engine = databases::engine_as(app, user, database, catalog).await?;
        description.default_schema = match engine.default_schema().await {
            Ok(schema) => schema,
            Err(error) => {
                tracing::warn!(%error, "default schema is unknown");
                None
            }
        };
    }
    Ok(())
}

/// Rules of the tables that a virtual dataset reads and of those in adhoc expressions, where neither has templates.
/// Returns their part of the cache key.
async fn rules_of_tables(
    app: &Services,
    user: &Principal,
    database: &Database,
    description: &mut Dataset,
    queries: &[QueryObject],
    render: &RenderRule<'_>,
) -> Result<Vec<String>> {
    add_default_schema(app, user, database, description).await?;
    let tables = {
        let clock = Clock::new(&app.config);
        let ranges =
            |range: Option<&str>, shift: Option<&str>, extras: &_| clock.resolve(range, shift, extras);
        let context = BuildContext {
            dataset: description,
            templates: &NoTemplates,
            time_ranges: &ranges,
            allow_adhoc_subquery: app.config.flag("ALLOW_ADHOC_SUBQUERY"),
            answers: &Answers::default(),
        };
        // SQL that cannot be read is refused again, with its message, when the query is built.
        let mut tables = inner_tables(&context).unwrap_or_default();
        for query in queries {
            tables.extend(expression_tables(query, &context).map_err(QueryError::into_answer)?);
        }
        tables
    };
    inner_rules(app, user, database, description, tables, render).await
}

/// The rules of tables inside: they apply inside the SQL. Returns their part of the cache key.
pub(super) async fn inner_rules(
    app: &Services,
    user: &Principal,
    database: &Database,
    description: &mut Dataset,
    mut tables: Vec<TableName>,
    render: &RenderRule<'_>,
) -> Result<Vec<String>> {
    tables.sort();
    tables.dedup();
    let mut key = Vec::new();
    let mut inner = Vec::new();
    for table in tables {
        let (schema, catalog) = (table.schema.as_deref(), table.catalog.as_deref());
        let found = dataset::find_by_name(app.db.exec(), database.id, &table.table, schema, catalog).await?;
        let mut predicates = Vec::new();
        for other in found.iter().filter(|d| !d.is_virtual()) {
            let rules = row_rules(app, user, other.id).await?;
            predicates.extend(rules.conditions(|clause| render(&rules, clause))?);
        }
        key.extend(predicates.iter().map(|p| format!("{table:?}:{p}")));
        inner.push(TableRls { catalog: table.catalog, schema: table.schema, table: table.table, predicates });
    }
    description.inner_rls = inner;
    Ok(key)
}

fn column(c: dataset::Column) -> DatasetColumn {
    DatasetColumn {
        column_name: c.column_name,
        verbose_name: c.verbose_name,
        type_: c.type_,
        expression: c.expression,
        python_date_format: c.python_date_format,
        is_dttm: c.is_dttm,
        groupby: c.groupby.unwrap_or_default(),
        filterable: c.filterable.unwrap_or_default(),
        advanced_data_type: c.advanced_data_type,
    }
}

fn metric(m: dataset::Metric) -> DatasetMetric {
    DatasetMetric { metric_name: m.metric_name, verbose_name: m.verbose_name, expression: m.expression }
}
