//! The dataset of an uploaded file (`superset.commands.database.uploaders.base:UploadCommand.run`).

use daos::{
    database::Database,
    dataset::{self, Dataset},
};
use infra::{Error, Result};

use super::{
    permissions::Place,
    refresh::merge,
    source::{Source, source_columns},
    write::insert,
};
use crate::Caller;

/// Whether a table that is about to be written can have a dataset: what the metadata database would refuse afterwards
/// must not cost the rows that are there.
pub async fn can_be_uploaded(
    caller: &Caller,
    database: &Database,
    schema: Option<&str>,
    table: &str,
) -> Result<bool> {
    let is_known = known(caller, database, schema, table).await?.is_some();
    Ok(is_known || dataset::takes_name(caller.app.db.exec(), table).await?)
}

/// Makes a dataset of a table that was just written, owned by the uploader; one that is there has its columns read
/// again.
pub async fn uploaded(caller: &Caller, database: &Database, schema: Option<&str>, table: &str) -> Result<()> {
    let known = known(caller, database, schema, table).await?;
    let source = Source {
        database,
        catalog: None,
        schema: schema.filter(|s| !s.is_empty()),
        table,
        sql: None,
        template_params: None,
        normalize_columns: false,
    };
    let columns = source_columns(caller, &source).await?;
    let columns = columns.ok_or_else(|| Error::internal("the table that was written is not there"))?;
    let tx = caller.app.db.begin().await?;
    let dataset = match known {
        Some(dataset) => dataset,
        None => {
            let row = vec![
                ("table_name", table.into()),
                ("schema", schema.into()),
                ("database_id", database.id.into()),
            ];
            let owners: Vec<i64> = caller.user.user_id().into_iter().collect();
            let place = Place {
                database: database.database_name.clone(),
                database_id: database.id,
                catalog: None,
                schema: schema.map(str::to_owned),
                table: table.to_owned(),
            };
            let id = insert(caller, tx.exec(), row, &owners, &place).await?;
            dataset::find(tx.exec(), id).await?.ok_or_else(Error::not_found)?
        }
    };
    merge(tx.exec(), &caller.user, &dataset, &columns).await?;
    tx.commit().await?;
    caller.app.grants.clear();
    Ok(())
}

async fn known(
    caller: &Caller,
    database: &Database,
    schema: Option<&str>,
    table: &str,
) -> Result<Option<Dataset>> {
    let all = dataset::of_database(caller.app.db.exec(), database.id).await?;
    Ok(all.into_iter().find(|d| d.table_name == table && d.schema.as_deref() == schema))
}
