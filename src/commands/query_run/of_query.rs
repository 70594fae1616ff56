//! A query of SQL Lab as the dataset of a chart (`superset.models.sql_lab:Query` as an `ExploreMixin`).

use ::query::dataset::DatasetColumn;
use daos::{
    database::{self, Database},
    dataset,
    query::{self, Query},
};
use infra::Result;
use serde_json::Value;

use super::LoadedDataset;
use crate::{Caller, access::row_level::RowRules, query_run::table_rules::DatabaseRules};

impl LoadedDataset {
    /// Loads a query that the caller may see the results of; none when there is none of that id.
    pub async fn of_query(caller: &Caller, id: i64) -> Result<Option<Self>> {
        let db = caller.app.db.exec();
        let Some(query) = query::find(db, id).await? else { return Ok(None) };
        let Some(database) = database::find(db, query.database_id).await? else { return Ok(None) };
        super::raise_for_past(caller, &query, &database).await?;
        let columns = columns(&query);
        let row = row(&query, &database, &columns);
        let rules = (RowRules::default(), DatabaseRules::load(caller, database.id).await?);
        let mut loaded = Self::assemble(caller, row, database, columns, Vec::new(), rules).await?;
        loaded.is_query = true;
        Ok(Some(loaded))
    }
}

/// The columns that the query had when it was executed.
pub(crate) fn columns(query: &Query) -> Vec<DatasetColumn> {
    let extra = query.extra();
    let known = extra.get("columns").and_then(Value::as_array).cloned().unwrap_or_default();
    known
        .iter()
        .filter_map(|column| {
            Some(DatasetColumn {
                column_name: column.get("column_name").or_else(|| column.get("name"))?.as_str()?.to_owned(),
                type_: column.get("type").and_then(Value::as_str).map(str::to_owned),
                is_dttm: column.get("is_dttm").and_then(Value::as_bool),
                groupby: true,
                filterable: true,
                ..DatasetColumn::default()
            })
        })
        .collect()
}

fn row(query: &Query, database: &Database, columns: &[DatasetColumn]) -> dataset::Dataset {
    let tab = query.tab_name.clone().unwrap_or_default();
    dataset::Dataset {
        id: query.id,
        table_name: tab.clone(),
        main_dttm_col: columns.iter().find(|c| c.is_dttm == Some(true)).map(|c| c.column_name.clone()),
        default_endpoint: None,
        database_id: query.database_id,
        offset: Some(0),
        description: None,
        is_featured: None,
        cache_timeout: Some(0),
        schema: query.schema.clone(),
        catalog: query.catalog.clone(),
        sql: Some(query.sql.as_deref().unwrap_or_default().trim().trim_end_matches(';').to_owned()),
        params: None,
        perm: Some(format!("[{}].[{tab}](id:{})", database.database_name, query.id)),
        schema_perm: None,
        catalog_perm: None,
        filter_select_enabled: Some(true),
        fetch_values_predicate: None,
        is_sqllab_view: None,
        template_params: None,
        extra: None,
        uuid: None,
        is_managed_externally: false,
        external_url: None,
        normalize_columns: None,
        always_filter_main_dttm: None,
        folders: None,
        created_on: None,
        changed_on: query.changed_on,
        created_by_fk: query.user_id,
        changed_by_fk: query.user_id,
        database_name: database.database_name.clone(),
    }
}
