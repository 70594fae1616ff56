//! Creating, changing and deleting datasets (`superset.commands.dataset`).

use daos::{
    database::{self, Database},
    dataset::{self, Dataset},
    person::{self, Owned},
    rows::key,
    tables::TABLES,
    write as rows,
};
use infra::{
    Error, Result, clock,
    db::{Executor, Value as Stored},
};
use serde_json::Value;

use super::{
    DatasetFields, columns, folders,
    permissions::{self, Place},
    refresh,
    source::{Source, source_columns},
    validate,
};
use crate::{
    Caller,
    access::{lists, ownership, sql_tables::TableName},
    implicit_tags,
    introspect::tables,
    refused::refused,
    relations::Invalid,
    schema::{Sent, columns},
    tag::ObjectType,
};

/// The columns of `tables` that a body sets.
fn values(fields: &DatasetFields) -> rows::Values {
    let mut values = columns![
        fields; table_name, sql, filter_select_enabled, fetch_values_predicate, catalog, schema, description,
        main_dttm_col, normalize_columns, always_filter_main_dttm, offset, default_endpoint, cache_timeout,
        is_sqllab_view, template_params, extra, is_managed_externally, external_url, uuid,
    ];
    values.extend(fields.folders.stored_json().map(|folders| ("folders", folders)));
    values
}

/// Creates a dataset with the columns of its source; its id.
///
/// Fails with 422 and field errors, or with an internal error where the source cannot be read.
pub async fn create(caller: &Caller, fields: &DatasetFields) -> Result<i64> {
    let db = caller.app.db.exec();
    let mut invalid = Invalid::default();
    let database = database::find(db, fields.database.get().unwrap_or_default()).await?;
    let sql = fields.sql.filled();
    let mut table = TableName {
        catalog: fields.catalog.filled().map(str::to_owned),
        schema: fields.schema.text().map(str::to_owned),
        table: fields.table_name.text().unwrap_or_default().to_owned(),
    };
    match &database {
        Some(database) => {
            table.catalog = table.catalog.or_else(|| tables::default_catalog(database));
            if !validate::is_unique(db, database.id, &table, None).await? {
                invalid.add("table", &format!("Dataset {table} already exists"));
            }
            match sql {
                None => validate::check_table(caller, database, &table, &mut invalid).await?,
                Some(sql) => validate::check_sql(caller, database, &table, sql, &mut invalid).await?,
            }
        }
        None => invalid.add("database", "Database does not exist"),
    }
    let owners = ownership::owners_on_create(db, &caller.user, fields.owners.items()).await;
    let owners = invalid.owners(owners)?;
    invalid.check()?;
    let database = database.ok_or_else(Error::not_found)?;
    let source = Source {
        database: &database,
        catalog: table.catalog.as_deref(),
        schema: table.schema.as_deref().filter(|s| !s.is_empty()),
        table: &table.table,
        sql,
        template_params: fields.template_params.text(),
        normalize_columns: fields.normalize_columns.get() == Some(true),
    };
    let columns = source_columns(caller, &source).await.map_err(|error| match error {
        // what the template or the database says of a query; the original answers a bare 500
        Error::Sip40 { errors, .. } if source.sql.is_some() && !errors.is_empty() => {
            Error::unprocessable(errors.into_iter().next().map(|error| error.message).unwrap_or_default())
        }
        other => Error::internal(other),
    })?;
    let failed = "Dataset could not be created.";
    let columns = columns.ok_or_else(|| Error::unprocessable(failed))?;

    let tx = caller.app.db.begin().await?;
    let mut row = values(fields);
    // a column with a default takes it for null, too
    row.retain(|(column, value)| {
        *value != Stored::Null || !matches!(*column, "uuid" | "is_managed_externally")
    });
    row.retain(|(column, _)| *column != "catalog");
    row.extend([("database_id", database.id.into()), ("catalog", table.catalog.clone().into())]);
    let place = Place {
        database: database.database_name.clone(),
        database_id: database.id,
        catalog: table.catalog,
        schema: table.schema,
        table: table.table,
    };
    let id = insert(caller, tx.exec(), row, &owners, &place).await.map_err(refused(failed))?;
    let dataset = dataset::find(tx.exec(), id).await?.ok_or_else(Error::not_found)?;
    refresh::merge(tx.exec(), &caller.user, &dataset, &columns).await.map_err(refused(failed))?;
    tx.commit().await.map_err(|e| refused(failed)(e.into()))?;
    caller.app.grants.clear();
    Ok(id)
}

/// Inserts a dataset with its owners, permissions and tags.
pub(super) async fn insert(
    caller: &Caller,
    db: &dyn Executor,
    row: rows::Values,
    owners: &[i64],
    place: &Place,
) -> Result<i64> {
    let id = key(&rows::insert(db, &TABLES, row, caller.user.user_id()).await?)?;
    person::set_owners(db, Owned::Dataset, id, owners).await?;
    permissions::created(db, id, place).await?;
    implicit_tags::created(&caller.app.config, db, &caller.user, ObjectType::Dataset, id, owners).await?;
    Ok(id)
}

/// A dataset that lists show to the caller.
pub async fn listed(caller: &Caller, id: i64) -> Result<Dataset> {
    let found = dataset::find_where(caller.app.db.exec(), id, lists::datasets(&caller.user, "t")).await?;
    found.ok_or_else(Error::not_found)
}

/// The dataset of an id that the caller owns: 404 when hidden, 403 when foreign.
pub(super) async fn owned(caller: &Caller, id: i64) -> Result<Dataset> {
    let dataset = listed(caller, id).await?;
    match ownership::owns(caller, Owned::Dataset, id).await? {
        true => Ok(dataset),
        false => Err(Error::forbidden()),
    }
}

/// Changes a dataset; with `override_columns` its columns become those of the body.
pub async fn update(caller: &Caller, id: i64, fields: &DatasetFields, override_columns: bool) -> Result<()> {
    let dataset = owned(caller, id).await?;
    let db = caller.app.db.exec();
    let mut fields = fields.clone();
    let mut invalid = Invalid::default();
    let current = person::owners(db, Owned::Dataset, &[id]).await?.remove(&id).unwrap_or_default();
    let current: Vec<i64> = current.iter().map(|p| p.id).collect();
    let owners = ownership::owners_on_update(db, &caller.user, &current, fields.owners.items()).await;
    let owners = invalid.owners(owners)?;
    let database = new_database(db, &dataset, &fields, &mut invalid).await?;
    let table = new_place(&dataset, &database, &mut fields, &mut invalid);
    let failed = "Dataset could not be updated.";
    let sql = fields.sql.over(dataset.sql.as_ref()).map(String::as_str);
    let place = Place {
        database: database.database_name.clone(),
        database_id: database.id,
        catalog: table.catalog.clone(),
        schema: table.schema.clone(),
        table: table.table.clone(),
    };
    // the same text says something else in another database or schema, so that moving is checked as well
    let moved = place != Place::from_dataset(&dataset);
    if moved {
        // who stays where it is takes no place from another one, though that may stand for the same table by a catalog
        let unique = validate::is_unique(db, database.id, &with_default(&table, &database), Some(id)).await;
        if !unique.map_err(|e| refused(failed)(e.into()))? {
            invalid.add("table", &format!("Dataset {table} already exists"));
        }
    }
    match sql.filter(|s| !s.is_empty()) {
        Some(sql) if moved || Some(sql) != dataset.sql.as_deref() => {
            validate::check_sql(caller, &database, &table, sql, &mut invalid).await?;
        }
        None if moved && !caller.user.can_access_database(&database) => {
            validate::check_table(caller, &database, &table, &mut invalid).await?;
        }
        _ => {}
    }
    columns::validate(db, id, &fields, override_columns, &mut invalid).await?;
    if let Some(asked) = fields.folders.items().filter(|folders| !folders.is_empty()) {
        folders::validate(&caller.app, db, id, asked, &mut invalid).await?;
    }
    invalid.check()?;

    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let change = Change { caller, dataset: &dataset, fields: &fields, owners: &owners, place: &place };
    change.write(db, override_columns).await.map_err(refused(failed))?;
    tx.commit().await.map_err(|e| refused(failed)(e.into()))?;
    caller.app.grants.clear();
    Ok(())
}

/// A change of a dataset that was found valid.
struct Change<'a> {
    caller: &'a Caller,
    dataset: &'a Dataset,
    fields: &'a DatasetFields,
    owners: &'a [i64],
    place: &'a Place,
}

impl Change<'_> {
    async fn write(&self, db: &dyn Executor, override_columns: bool) -> Result<()> {
        let (me, id) = (self.caller.user.user_id(), self.dataset.id);
        let touched = columns::write(db, &self.caller.user, id, self.fields, override_columns).await?;
        permissions::moved(db, self.dataset, self.place).await?;
        let mut changes = values(self.fields);
        changes.push(("database_id", self.place.database_id.into()));
        if touched {
            changes.push(("changed_on", clock::now().into()));
        }
        rows::update_changed(db, &TABLES, id.into(), changes, me).await?;
        person::set_owners(db, Owned::Dataset, id, self.owners).await?;
        implicit_tags::updated(
            &self.caller.app.config,
            db,
            &self.caller.user,
            ObjectType::Dataset,
            id,
            self.owners,
        )
        .await
    }
}

async fn new_database(
    db: &dyn Executor,
    dataset: &Dataset,
    fields: &DatasetFields,
    invalid: &mut Invalid,
) -> Result<Database> {
    // 0 counts as left out
    if let Some(id) = fields.database_id.get().filter(|id| ![0, dataset.database_id].contains(id)) {
        match database::find(db, id).await? {
            Some(database) => return Ok(database),
            None => invalid.add("database", "Database does not exist"),
        }
    }
    let missing = || Error::internal("a dataset without a database");
    database::find(db, dataset.database_id).await?.ok_or_else(missing)
}

/// Where the dataset is to lie; without several catalogs that is always the default one.
fn new_place(
    dataset: &Dataset,
    database: &Database,
    fields: &mut DatasetFields,
    invalid: &mut Invalid,
) -> TableName {
    let default = tables::default_catalog(database);
    let several = database.extra_json().get("allow_multi_catalog").and_then(Value::as_bool) == Some(true);
    let mut catalog = fields.catalog.value().cloned();
    if fields.catalog.is_sent() && catalog != default && !several {
        invalid.add("catalog", "Only the default catalog is supported for this connection");
    } else if !several {
        catalog.clone_from(&default);
        fields.catalog = default.map_or(Sent::Null, Sent::Value);
    } else if !fields.catalog.is_sent() {
        catalog.clone_from(&dataset.catalog);
    }
    TableName {
        catalog,
        schema: fields.schema.over(dataset.schema.as_ref()).cloned(),
        table: fields.table_name.over(Some(&dataset.table_name)).cloned().unwrap_or_default(),
    }
}

fn with_default(table: &TableName, database: &Database) -> TableName {
    let catalog = table.catalog.clone().filter(|c| !c.is_empty());
    TableName { catalog: catalog.or_else(|| tables::default_catalog(database)), ..table.clone() }
}

/// Deletes datasets: all of them or, if one is missing or foreign, none.
pub async fn delete(caller: &Caller, ids: &[i64]) -> Result<()> {
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let found = dataset::existing(db, ids, lists::datasets(&caller.user, "t")).await?;
    if found.is_empty() || found.len() != ids.len() {
        return Err(Error::not_found());
    }
    if !ownership::not_owned(db, &caller.user, Owned::Dataset, ids).await?.is_empty() {
        return Err(Error::forbidden());
    }
    let failed = "Datasets could not be deleted.";
    remove(db, &found).await.map_err(refused(failed))?;
    tx.commit().await.map_err(|e| refused(failed)(e.into()))?;
    caller.app.grants.clear();
    Ok(())
}

async fn remove(db: &dyn Executor, ids: &[i64]) -> Result<()> {
    let datasets = dataset::find_many(db, ids).await?;
    dataset::delete(db, ids).await?;
    for dataset in datasets.values() {
        permissions::deleted(db, dataset).await?;
    }
    implicit_tags::deleted(db, ObjectType::Dataset, ids).await
}
