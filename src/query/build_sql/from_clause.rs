//! FROM: the table of a dataset, or its query with the row-level rules of the tables inside.

use infra::sql::{self, RlsRules, Script, TableName};
use serde_json::Value;

use super::{BuildContext, Builder};
use crate::{
    dataset::Dataset,
    error::{QueryError, Result},
    query_object::{Column, Metric, QueryObject},
};

/// The FROM text, and the WITH clause that has to precede the statement on engines that know none in sub-queries.
#[derive(Debug, Clone)]
pub(super) struct From {
    pub text: String,
    pub cte: Option<String>,
}

impl From {
    pub fn with_prefix(&self, sql: String) -> String {
        match &self.cte {
            Some(cte) => format!("{cte}\n{sql}"),
            None => sql,
        }
    }
}

impl Builder<'_> {
    /// FROM of the dataset (`get_from_clause`); made once, since templates may have effects.
    pub(super) fn source(&self) -> Result<From> {
        if let Some(from) = &*self.from.borrow() {
            return Ok(from.clone());
        }
        let from = if self.dataset.is_virtual() { self.virtual_table()? } else { self.physical_table() };
        *self.from.borrow_mut() = Some(from.clone());
        Ok(from)
    }

    fn physical_table(&self) -> From {
        let catalog = self.dataset.catalog.as_deref().filter(|catalog| !catalog.is_empty());
        let catalog = catalog.filter(|_| self.spec.caps.supports_cross_catalog_queries);
        let quote = |part: &str| self.dialect.table(part);
        let schema = self
            .dataset
            .schema()
            .filter(|_| !self.dialect.omits_schemas)
            .map(|schema| self.dialect.schema(self.spec, schema));
        let parts = [catalog.map(quote), schema, Some(quote(&self.dataset.table_name))];
        let quoted: Vec<_> = parts.into_iter().flatten().collect();
        From { text: quoted.join("."), cte: None }
    }

    fn virtual_table(&self) -> Result<From> {
        let mut script = virtual_script(self.cx)?;
        script.apply_rls(rules(self.dataset)?).map_err(infra::Error::from)?;
        let alias = self.spec.sql.cte_alias.as_deref().unwrap_or("__cte");
        if !self.spec.caps.allows_cte_in_subquery
            && let Some(cte) = script.as_cte(alias)
        {
            return Ok(From { text: alias.to_owned(), cte: Some(cte) });
        }
        Ok(From { text: self.dialect.subquery(&script.format(), "virtual_table"), cte: None })
    }
}

/// The query of a virtual dataset: rendered, one statement, read-only.
fn virtual_script(cx: &BuildContext<'_>) -> Result<Script> {
    let sql = cx.dataset.sql.as_deref().unwrap_or_default();
    let sql =
        cx.templates.render(sql.trim_matches(['\t', '\r', '\n', ';', ' '])).map_err(|error| match error {
            QueryError::Validation(text) => {
                QueryError::validation(format!("Error while rendering virtual dataset query: {text}"))
            }
            other => other,
        })?;
    let engine = &cx.dataset.engine.engine;
    // what only the database can read is judged where the caller is known
    let script = sql::parse_or_take_unread(&sql, engine).map_err(infra::Error::from)?;
    match script.statements().len() {
        0 => return Err(QueryError::validation("Virtual dataset query cannot be empty")),
        1 => {}
        _ => {
            return Err(QueryError::validation(
                "Virtual dataset query cannot consist of multiple statements",
            ));
        }
    }
    if script.has_mutation() {
        return Err(QueryError::validation("Virtual dataset query must be read-only"));
    }
    Ok(script)
}

/// The tables inside a virtual dataset, as it names them. Whoever builds looks up their row-level rules first and puts
/// them into [`Dataset::inner_rls`].
pub fn inner_tables(cx: &BuildContext<'_>) -> Result<Vec<TableName>> {
    if !cx.dataset.is_virtual() {
        return Ok(Vec::new());
    }
    Ok(virtual_script(cx)?.tables())
}

/// The tables in the expressions that the dataset itself holds; to be looked up like [`inner_tables`]. What cannot be
/// read need not be asked for; if it is, the builder says what is wrong with it.
pub fn stored_tables(cx: &BuildContext<'_>) -> Vec<TableName> {
    let dataset = cx.dataset;
    let columns = dataset.columns.iter().filter_map(|column| column.expression());
    let metrics = dataset.metrics.iter().map(|metric| metric.expression.as_str());
    let texts = columns.chain(metrics).chain(dataset.fetch_values_predicate.as_deref());
    let texts = texts.filter(|text| !text.is_empty());
    texts.flat_map(|text| tables_of(std::iter::once(text), cx).unwrap_or_default()).collect()
}

/// What does not parse is left to the builder, which refuses it.
fn tables_of<'a>(texts: impl Iterator<Item = &'a str>, cx: &BuildContext<'_>) -> Result<Vec<TableName>> {
    let engine = &cx.dataset.engine.engine;
    let mut tables = Vec::new();
    for text in texts {
        let text = cx.templates.render(text)?;
        for read in [sql::select_expression, sql::order_by_expression] {
            tables.extend(read(&text, engine).map(|fragment| fragment.tables()).unwrap_or_default());
        }
    }
    Ok(tables)
}

/// The tables in the adhoc expressions of a query, where sub-queries are allowed in them; to be looked up like
/// [`inner_tables`].
pub fn expression_tables(query: &QueryObject, cx: &BuildContext<'_>) -> Result<Vec<TableName>> {
    if !cx.allow_adhoc_subquery {
        return Ok(Vec::new());
    }
    let expression = |value: &Value| value.get("sqlExpression").and_then(Value::as_str).map(str::to_owned);
    let of_columns = query.columns.iter().chain(&query.groupby).map(Column::to_json);
    let of_metrics = query.metrics.iter().flatten().map(Metric::to_json);
    let of_filters = query.filter.iter().map(|filter| filter.col.clone());
    let mut texts: Vec<_> =
        of_columns.chain(of_metrics).chain(of_filters).chain(query.series_limit_metric.clone()).collect();
    texts.extend(query.orderby.iter().map(|(item, _)| item.clone()));
    let mut texts: Vec<_> = texts.iter().filter_map(expression).collect();
    texts.extend(query.columns.iter().filter_map(|column| column.name().map(str::to_owned)));
    texts.extend(query.extras.where_.clone().into_iter().chain(query.extras.having.clone()));
    tables_of(texts.iter().map(String::as_str), cx)
}

/// The row-level rules of the tables that SQL may name.
pub(super) fn rules(dataset: &Dataset) -> Result<&RlsRules> {
    let rules = dataset.inner_rls.as_ref();
    rules.ok_or_else(|| QueryError::generic("Row-level security of the tables inside is not known"))
}
