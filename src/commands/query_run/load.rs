//! A dataset with all that answering from it takes: description, database, row-level rules of the caller.

use crate::connect;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use daos::{database, database::Database, dataset};
use infra::{
    Result,
    sql::{Place, RlsRules, TableName},
};
use query::{
    QueryError,
    build_sql::{Answers, BuildContext, NoTemplates, expression_tables, inner_tables, stored_tables},
    dataset::{Dataset, DatasetColumn, DatasetMetric, Names, RlsClause},
    query_object::QueryObject,
    template::has_template_syntax,
};
use tokio::sync::OnceCell;

use crate::{
    Caller, Services,
    access::row_level::RowRules,
    query_run::table_rules::{self, DatabaseRules, RenderRule},
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
    pub(crate) visible_rules: Vec<String>,
    /// The rules of the tables inside are known only when templates are rendered.
    pub(crate) late_rules: bool,
    /// All rules of the caller in the database.
    rules: Arc<DatabaseRules>,
    /// Tables that the SQL of the dataset itself names.
    named: Vec<TableName>,
    /// Where its names lead, once that was asked for.
    place: Arc<OnceCell<Place>>,
    /// It is a query of SQL Lab; access was decided when it was loaded.
    pub(crate) is_query: bool,
}

impl LoadedDataset {
    /// Loads a dataset; none when there is none of that id. Access is the caller's business.
    pub async fn find(caller: &Caller, id: i64) -> Result<Option<Self>> {
        let db = caller.app.db.exec();
        let Some(row) = dataset::find(db, id).await? else { return Ok(None) };
        let Some(database) = database::find(db, row.database_id).await? else { return Ok(None) };
        let columns = dataset::columns(db, &[id]).await?.remove(&id).unwrap_or_default();
        let metrics = dataset::metrics(db, &[id]).await?.remove(&id).unwrap_or_default();
        let rules = DatabaseRules::load(caller, row.database_id).await?;
        let columns = columns.into_iter().map(column).collect();
        let metrics = metrics.into_iter().map(metric).collect();
        let own = Box::pin(rules.of_dataset(caller, &database, &row)).await?;
        let assembled = Self::assemble(caller, row, database, columns, metrics, (own, rules));
        Ok(Some(Box::pin(assembled).await?))
    }

    /// The schema in which names without one are looked for, where that was asked for.
    pub(crate) fn looked_up_schema(&self) -> Option<&str> {
        self.place.get()?.schemas.first().map(String::as_str)
    }

    /// Puts together what was read of a dataset: its own rules, and those of the database.
    pub(crate) async fn assemble(
        caller: &Caller,
        row: dataset::Dataset,
        database: Database,
        columns: Vec<DatasetColumn>,
        metrics: Vec<DatasetMetric>,
        (own, rules): (RowRules, DatabaseRules),
    ) -> Result<Self> {
        let engine = infra::engine_specs::spec_for_uri(&database.sqlalchemy_uri);
        let text = row.template_params.as_deref().unwrap_or_default();
        let description = Dataset {
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
            rls: clauses(&own),
            inner_rls: None,
            names: Names::default(),
        };
        let mut rls_key = own.cache_key();
        if database.impersonate_user == Some(true)
            && let Some(name) = connect::effective_name(caller)
        {
            // the database itself decides what this person sees
            rls_key.push(format!("as {name}"));
        }
        if let Some(id) = caller.user.user_id()
            && connect::oauth2_client(caller, &database).is_some()
        {
            // a refusal invites this person, and nobody who asks the same at the same time
            rls_key.push(format!("invited {id}"));
        }
        if rules.in_force() {
            // what names a table in a way that cannot be rewritten is refused
            rls_key.push("rules in force".to_owned());
        }
        let mut loaded = Self {
            visible_rules: own.visible(&caller.user, &caller.app.config),
            late_rules: false,
            rules: Arc::new(rules),
            named: Vec::new(),
            place: Arc::default(),
            is_query: false,
            row: Arc::new(row),
            database: Arc::new(database),
            description: Arc::new(description),
            rls_key,
        };
        Box::pin(loaded.add_inner_rules(caller)).await?;
        Ok(loaded)
    }

    /// The rules of the tables in the dataset's own SQL, unless templates have a say in them.
    async fn add_inner_rules(&mut self, caller: &Caller) -> Result<()> {
        if !self.rules.in_force() {
            Arc::make_mut(&mut self.description).inner_rls = Some(RlsRules::default());
            return Ok(());
        }
        let description = self.description.clone();
        let templates = caller.app.config.flag("ENABLE_TEMPLATE_PROCESSING");
        let columns = description.columns.iter().filter_map(|column| column.expression());
        let metrics = description.metrics.iter().map(|metric| metric.expression.as_str());
        let own = description.sql.iter().chain(&description.fetch_values_predicate).map(String::as_str);
        let has_templates = own.chain(columns).chain(metrics).any(has_template_syntax);
        self.late_rules = templates && (has_templates || caller.app.config.flag("ALLOW_ADHOC_SUBQUERY"));
        if !self.late_rules {
            self.named = with_context(&caller.app, &description, |cx| {
                // SQL that cannot be read is refused again, with its message, when the query is built.
                let mut tables = inner_tables(cx).unwrap_or_default();
                tables.extend(stored_tables(cx));
                tables
            });
            Box::pin(self.look_up_rules(caller, &[])).await?;
        }
        Ok(())
    }

    /// The rules of the named tables and of some more, where neither has templates.
    async fn look_up_rules(&mut self, caller: &Caller, more: &[TableName]) -> Result<()> {
        let templated = AtomicBool::new(false);
        let verbatim = |_: &RowRules, clause: &str| {
            templated.fetch_or(has_template_syntax(clause), Relaxed);
            Ok(clause.to_owned())
        };
        let named: Vec<_> = self.named.iter().chain(more).cloned().collect();
        let (inner, key) = self.inner_rules(caller, &named, &verbatim).await?;
        self.late_rules = caller.app.config.flag("ENABLE_TEMPLATE_PROCESSING") && templated.load(Relaxed);
        if !self.late_rules {
            self.rls_key.extend(key);
            Arc::make_mut(&mut self.description).inner_rls = Some(inner);
        }
        Ok(())
    }

    /// The rules of tables inside: they apply inside the SQL. Returns their part of the cache key, too.
    async fn inner_rules(
        &self,
        caller: &Caller,
        named: &[TableName],
        render: &RenderRule<'_>,
    ) -> Result<(RlsRules, Vec<String>)> {
        if !self.rules.in_force() {
            return Ok((RlsRules::default(), Vec::new()));
        }
        let (catalog, schema) = (self.row.catalog.as_deref(), self.row.schema.as_deref());
        // boxed, as its callers lie deep on the stack
        let place = Box::pin(table_rules::place(caller, &self.database, catalog, schema));
        let place = self.place.get_or_try_init(|| place).await?.clone();
        self.rules.of_tables(self.description.engine, place, named, render)
    }

    /// The same once templates are rendered.
    pub(crate) async fn with_late_rules(
        &self,
        caller: &Caller,
        named: &[TableName],
        render: &RenderRule<'_>,
    ) -> Result<Self> {
        let mut loaded = self.clone();
        let (inner, key) = self.inner_rules(caller, named, render).await?;
        loaded.rls_key.extend(key);
        Arc::make_mut(&mut loaded.description).inner_rls = Some(inner);
        loaded.late_rules = false;
        Ok(loaded)
    }

    /// Adds the rules of tables in sub-queries of adhoc expressions, where those are allowed.
    pub async fn add_rules_of(&mut self, caller: &Caller, queries: &[QueryObject]) -> Result<()> {
        if !caller.app.config.flag("ALLOW_ADHOC_SUBQUERY") || self.late_rules || !self.rules.in_force() {
            return Ok(());
        }
        let tables = with_context(&caller.app, &self.description, |cx| {
            queries.iter().map(|query| expression_tables(query, cx)).collect::<Result<Vec<_>, _>>()
        });
        let tables = tables.map_err(QueryError::into_answer)?.concat();
        if tables.is_empty() { Ok(()) } else { Box::pin(self.look_up_rules(caller, &tables)).await }
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

/// Reads a dataset's SQL without rendering its templates.
fn with_context<T>(app: &Services, dataset: &Dataset, read: impl FnOnce(&BuildContext<'_>) -> T) -> T {
    let clock = Clock::new(&app.config);
    let ranges = |range: Option<&str>, shift: Option<&str>, extras: &_| clock.resolve(range, shift, extras);
    read(&BuildContext {
        dataset,
        templates: &NoTemplates,
        time_ranges: &ranges,
        allow_adhoc_subquery: app.config.flag("ALLOW_ADHOC_SUBQUERY"),
        answers: &Answers::default(),
    })
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
