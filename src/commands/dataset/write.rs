//! Creating, changing and deleting datasets (`superset.commands.dataset`).

use std::sync::Arc;

use daos::{
    database::{self, Database},
    dataset::{self, Dataset},
    person::{self, Owned},
    table::Kind,
    tables::TABLES,
    write as rows,
};
use infra::{
    Error, Result, clock,
    db::{DbError, Executor, Sql, Value as Stored},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    columns, folders,
    permissions::{self, Place},
    refresh,
    source::{Source, source_columns},
    validate,
};
use crate::{
    Principal, Services,
    access::{lists, ownership, sql_tables::TableName},
    annotation::key,
    databases::introspect,
    implicit_tags,
    refused::refused,
    relations::{Invalid, delete_rows, set_owners},
    tag::ObjectType,
};

/// Fields as the body had them, checked by their schema.
pub type Fields = Map<String, Value>;

/// Columns of `tables` that a body may set.
const COLUMNS: &[&str] = &[
    "table_name",
    "sql",
    "filter_select_enabled",
    "fetch_values_predicate",
    "catalog",
    "schema",
    "description",
    "main_dttm_col",
    "normalize_columns",
    "always_filter_main_dttm",
    "offset",
    "default_endpoint",
    "cache_timeout",
    "is_sqllab_view",
    "template_params",
    "folders",
    "extra",
    "is_managed_externally",
    "external_url",
    "uuid",
];

fn text<'a>(fields: &'a Fields, key: &str) -> Option<&'a str> {
    fields.get(key).and_then(Value::as_str)
}

/// The values of a body in the terms of the table.
fn values(fields: &Fields) -> rows::Values {
    let mut values = rows::Values::new();
    for column in TABLES.columns.iter().filter(|c| COLUMNS.contains(&c.name)) {
        let Some(value) = fields.get(column.name) else { continue };
        let stored: Stored = match (column.kind, value) {
            (_, Value::Null) => Stored::Null,
            (Kind::Boolean, v) => v.as_bool().into(),
            (Kind::Integer, v) => v.as_i64().into(),
            (Kind::Uuid, v) => v.as_str().and_then(|u| Uuid::parse_str(u).ok()).into(),
            (Kind::Json, v) => v.to_string().into(),
            (_, v) => v.as_str().into(),
        };
        values.push((column.name, stored));
    }
    values
}

/// Creates a dataset with the columns of its source; its id.
///
/// Fails with 422 and field errors, or with an internal error where the source cannot be read.
pub async fn create(app: &Arc<Services>, user: &Arc<Principal>, fields: &Fields) -> Result<i64> {
    let db = app.db.exec();
    let mut invalid = Invalid::default();
    let database_id = fields.get("database").and_then(Value::as_i64).unwrap_or_default();
    let database = database::find(db, database_id).await?;
    let sql = text(fields, "sql").filter(|s| !s.is_empty());
    let mut table = TableName {
        catalog: text(fields, "catalog").filter(|c| !c.is_empty()).map(str::to_owned),
        schema: text(fields, "schema").map(str::to_owned),
        table: text(fields, "table_name").unwrap_or_default().to_owned(),
    };
    match &database {
        Some(database) => {
            table.catalog = table.catalog.or_else(|| introspect::default_catalog(database));
            if !validate::is_unique(db, database.id, &table, None).await? {
                invalid.add("table", &format!("Dataset {table} already exists"));
            }
            match sql {
                None => validate::check_table(app, user, database, &table, &mut invalid).await?,
                Some(sql) => validate::check_sql(app, user, database, &table, sql, &mut invalid).await?,
            }
        }
        None => invalid.add("database", "Database does not exist"),
    }
    let owners: Option<Vec<i64>> = ids(fields, "owners");
    let owners = invalid.owners(ownership::owners_on_create(db, user, owners.as_deref()).await)?;
    invalid.check()?;
    let database = database.ok_or_else(Error::not_found)?;
    let source = Source {
        database: &database,
        catalog: table.catalog.as_deref(),
        schema: table.schema.as_deref().filter(|s| !s.is_empty()),
        table: &table.table,
        sql,
        template_params: text(fields, "template_params"),
    };
    let columns = source_columns(app, user, &source).await.map_err(Error::internal)?;
    let failed = "Dataset could not be created.";
    let columns = columns.ok_or_else(|| Error::unprocessable(failed))?;

    let tx = app.db.begin().await?;
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
    let id = insert(app, tx.exec(), user, row, &owners, &place).await.map_err(refused(failed))?;
    let dataset = dataset::find(tx.exec(), id).await?.ok_or_else(Error::not_found)?;
    refresh::merge(tx.exec(), user, &dataset, &columns).await.map_err(refused(failed))?;
    tx.commit().await.map_err(|e| refused(failed)(e.into()))?;
    app.grants.clear();
    Ok(id)
}

/// Inserts a dataset with its owners, permissions and tags.
pub(super) async fn insert(
    app: &Services,
    db: &dyn Executor,
    user: &Principal,
    row: rows::Values,
    owners: &[i64],
    place: &Place,
) -> Result<i64> {
    let id = key(&rows::insert(db, &TABLES, row, user.user_id()).await?)?;
    set_owners(db, Owned::Dataset, id, owners).await?;
    permissions::created(db, id, place).await?;
    implicit_tags::created(&app.config, db, user, ObjectType::Dataset, id, owners).await?;
    Ok(id)
}

fn ids(fields: &Fields, key: &str) -> Option<Vec<i64>> {
    Some(fields.get(key)?.as_array()?.iter().filter_map(Value::as_i64).collect())
}

/// A dataset that lists show to the caller.
pub async fn listed(app: &Services, user: &Principal, id: i64) -> Result<Dataset> {
    let found = dataset::find_where(app.db.exec(), id, lists::datasets(user, "t")).await?;
    found.ok_or_else(Error::not_found)
}

/// The dataset of an id that the caller owns: 404 when hidden, 403 when foreign.
pub(super) async fn owned(app: &Services, user: &Principal, id: i64) -> Result<Dataset> {
    let dataset = listed(app, user, id).await?;
    match ownership::owns(app, user, Owned::Dataset, id).await? {
        true => Ok(dataset),
        false => Err(Error::forbidden()),
    }
}

/// Changes a dataset; with `override_columns` its columns become those of the body.
pub async fn update(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    id: i64,
    fields: &Fields,
    override_columns: bool,
) -> Result<()> {
    let dataset = owned(app, user, id).await?;
    let db = app.db.exec();
    let mut fields = fields.clone();
    let mut invalid = Invalid::default();
    let current = person::owners(db, Owned::Dataset, &[id]).await?.remove(&id).unwrap_or_default();
    let current: Vec<i64> = current.iter().map(|p| p.id).collect();
    let asked = ids(&fields, "owners");
    let owners = invalid.owners(ownership::owners_on_update(db, user, &current, asked.as_deref()).await)?;
    let database = new_database(db, &dataset, &fields, &mut invalid).await?;
    let table = new_place(&dataset, &database, &mut fields, &mut invalid);
    let failed = "Dataset could not be updated.";
    let unique = validate::is_unique(db, database.id, &with_default(&table, &database), Some(id)).await;
    if !unique.map_err(|e| refused(failed)(e.into()))? {
        invalid.add("table", &format!("Dataset {table} already exists"));
    }
    let sql = match fields.get("sql") {
        Some(sql) => sql.as_str(),
        None => dataset.sql.as_deref(),
    };
    let place = Place {
        database: database.database_name.clone(),
        database_id: database.id,
        catalog: table.catalog.clone(),
        schema: table.schema.clone(),
        table: table.table.clone(),
    };
    // the same text says something else in another database or schema, so that moving is checked as well
    let moved = place != Place::of(&dataset);
    match sql.filter(|s| !s.is_empty()) {
        Some(sql) if moved || Some(sql) != dataset.sql.as_deref() => {
            validate::check_sql(app, user, &database, &table, sql, &mut invalid).await?;
        }
        None if moved && !user.can_access_database(&database) => {
            validate::check_table(app, user, &database, &table, &mut invalid).await?;
        }
        _ => {}
    }
    columns::validate(db, id, &fields, override_columns, &mut invalid).await?;
    if let Some(asked) = fields.get("folders").and_then(Value::as_array).filter(|f| !f.is_empty()) {
        folders::validate(app, db, id, asked, &mut invalid).await?;
    }
    invalid.check()?;

    let tx = app.db.begin().await?;
    let db = tx.exec();
    let change = Change { app, user, dataset: &dataset, fields: &fields, owners: &owners, place: &place };
    change.write(db, override_columns).await.map_err(refused(failed))?;
    tx.commit().await.map_err(|e| refused(failed)(e.into()))?;
    app.grants.clear();
    Ok(())
}

/// A change of a dataset that was found valid.
struct Change<'a> {
    app: &'a Services,
    user: &'a Principal,
    dataset: &'a Dataset,
    fields: &'a Fields,
    owners: &'a [i64],
    place: &'a Place,
}

impl Change<'_> {
    async fn write(&self, db: &dyn Executor, override_columns: bool) -> Result<()> {
        let (me, id) = (self.user.user_id(), self.dataset.id);
        let touched = columns::write(db, self.user, id, self.fields, override_columns).await?;
        permissions::moved(db, self.dataset, self.place).await?;
        let mut changes = values(self.fields);
        changes.push(("database_id", self.place.database_id.into()));
        if touched {
            changes.push(("changed_on", clock::now().into()));
        }
        rows::update_changed(db, &TABLES, id.into(), changes, me).await?;
        set_owners(db, Owned::Dataset, id, self.owners).await?;
        implicit_tags::updated(&self.app.config, db, self.user, ObjectType::Dataset, id, self.owners).await
    }
}

async fn new_database(
    db: &dyn Executor,
    dataset: &Dataset,
    fields: &Fields,
    invalid: &mut Invalid,
) -> Result<Database> {
    if let Some(id) =
        // 0 counts as left out
        fields
            .get("database_id")
            .and_then(Value::as_i64)
            .filter(|id| ![0, dataset.database_id].contains(id))
    {
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
    fields: &mut Fields,
    invalid: &mut Invalid,
) -> TableName {
    let default = introspect::default_catalog(database);
    let several = database.extra_json().get("allow_multi_catalog").and_then(Value::as_bool) == Some(true);
    let mut catalog = text(fields, "catalog").map(str::to_owned);
    if fields.contains_key("catalog") && catalog != default && !several {
        invalid.add("catalog", "Only the default catalog is supported for this connection");
    } else if !several {
        catalog.clone_from(&default);
        fields.insert("catalog".to_owned(), default.into());
    } else if !fields.contains_key("catalog") {
        catalog.clone_from(&dataset.catalog);
    }
    let or = |key: &str, stored: Option<&str>| match fields.get(key) {
        Some(value) => value.as_str().map(str::to_owned),
        None => stored.map(str::to_owned),
    };
    TableName {
        catalog,
        schema: or("schema", dataset.schema.as_deref()),
        table: or("table_name", Some(&dataset.table_name)).unwrap_or_default(),
    }
}

fn with_default(table: &TableName, database: &Database) -> TableName {
    let catalog = table.catalog.clone().filter(|c| !c.is_empty());
    TableName { catalog: catalog.or_else(|| introspect::default_catalog(database)), ..table.clone() }
}

/// Deletes datasets: all of them or, if one is missing or foreign, none.
pub async fn delete(app: &Services, user: &Principal, ids: &[i64]) -> Result<()> {
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let mut sql = Sql::new("SELECT t.id FROM tables t WHERE t.id IN ");
    sql.push_list(ids.iter().copied().filter(|id| i32::try_from(*id).is_ok()));
    if let Some(condition) = lists::datasets(user, "t") {
        sql.push(" AND ").append(condition);
    }
    let found: Vec<i64> = db.query(sql).await?.iter().map(|r| r.at(0)).collect::<Result<_, DbError>>()?;
    if found.is_empty() || found.len() != ids.len() {
        return Err(Error::not_found());
    }
    if !ownership::not_owned(db, user, Owned::Dataset, ids).await?.is_empty() {
        return Err(Error::forbidden());
    }
    let failed = "Datasets could not be deleted.";
    remove(db, &found).await.map_err(refused(failed))?;
    tx.commit().await.map_err(|e| refused(failed)(e.into()))?;
    app.grants.clear();
    Ok(())
}

async fn remove(db: &dyn Executor, ids: &[i64]) -> Result<()> {
    let datasets = dataset::find_many(db, ids).await?;
    for (table, column) in [
        ("sqlatable_user", "table_id"),
        ("rls_filter_tables", "table_id"),
        ("table_columns", "table_id"),
        ("sql_metrics", "table_id"),
    ] {
        let mut sql = Sql::new(format!("DELETE FROM {table} WHERE {column} IN "));
        sql.push_list(ids.iter().copied());
        db.execute(sql).await?;
    }
    delete_rows(db, "tables", ids).await?;
    for dataset in datasets.values() {
        permissions::deleted(db, dataset).await?;
    }
    implicit_tags::deleted(db, ObjectType::Dataset, ids).await
}
