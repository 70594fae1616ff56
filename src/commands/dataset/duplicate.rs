//! A second dataset over the query of a first (`superset.commands.dataset.duplicate`).

use daos::{
    database, dataset,
    tables::{SQL_METRICS, TABLE_COLUMNS},
    write,
};
use infra::{Error, Result};

use super::{permissions::Place, validate, write::insert};
use crate::{
    Caller,
    access::{lists, ownership, sql_tables::TableName},
    refused::refused,
    relations::Invalid,
};

/// What the original says whatever is wrong.
const INVALID: &str = "Dataset parameters are invalid.";

/// Copies a virtual dataset under another name; the id of the copy. The caller must be able to read its tables.
pub async fn duplicate(caller: &Caller, base: i64, name: &str) -> Result<i64> {
    let invalid = || Error::unprocessable(INVALID);
    let db = caller.app.db.exec();
    let visible = lists::datasets(&caller.user, "t");
    let original = dataset::find_where(db, base, visible).await?.ok_or_else(invalid)?;
    let sql = original.sql.as_deref().filter(|s| !s.is_empty()).ok_or_else(invalid)?;
    if dataset::is_named(db, name, lists::datasets(&caller.user, "t")).await? {
        return Err(invalid());
    }
    let database = database::find(db, original.database_id).await?.ok_or_else(invalid)?;
    let mut complaints = Invalid::default();
    let table = TableName {
        catalog: original.catalog.clone(),
        schema: original.schema.clone(),
        table: name.to_owned(),
    };
    validate::check_sql(caller, &database, &table, sql, &mut complaints).await?;
    let owners = complaints.owners(ownership::owners_on_create(db, &caller.user, None).await)?;
    complaints.check()?;
    let columns = dataset::columns(db, &[base]).await?.remove(&base).unwrap_or_default();
    let metrics = dataset::metrics(db, &[base]).await?.remove(&base).unwrap_or_default();

    let failed = "Dataset could not be created.";
    let tx = caller.app.db.begin().await?;
    let row = vec![
        ("table_name", name.into()),
        ("database_id", database.id.into()),
        ("schema", original.schema.clone().into()),
        ("template_params", original.template_params.clone().into()),
        ("normalize_columns", original.normalize_columns.into()),
        ("always_filter_main_dttm", original.always_filter_main_dttm.into()),
        ("is_sqllab_view", true.into()),
        ("sql", sql.trim().trim_matches(';').into()),
    ];
    let place = Place {
        database: database.database_name.clone(),
        database_id: database.id,
        catalog: None,
        schema: original.schema.clone(),
        table: name.to_owned(),
    };
    let id = insert(caller, tx.exec(), row, &owners, &place).await.map_err(refused(failed))?;
    for c in columns {
        let values = vec![
            ("table_id", id.into()),
            ("column_name", c.column_name.into()),
            ("verbose_name", c.verbose_name.into()),
            ("expression", c.expression.into()),
            ("filterable", true.into()),
            ("groupby", true.into()),
            ("is_dttm", c.is_dttm.into()),
            ("type", c.type_.into()),
            ("description", c.description.into()),
        ];
        write::insert(tx.exec(), &TABLE_COLUMNS, values, caller.user.user_id()).await?;
    }
    for m in metrics {
        let values = vec![
            ("table_id", id.into()),
            ("metric_name", m.metric_name.into()),
            ("verbose_name", m.verbose_name.into()),
            ("expression", m.expression.into()),
            ("metric_type", m.metric_type.into()),
            ("description", m.description.into()),
        ];
        write::insert(tx.exec(), &SQL_METRICS, values, caller.user.user_id()).await?;
    }
    tx.commit().await.map_err(|e| refused(failed)(e.into()))?;
    caller.app.grants.clear();
    Ok(id)
}
