//! Rows of any described table as lists and forms read and write them, where a resource has no rules of its own
//! (`flask_appbuilder.api:ModelRestApi`). Who may see what is in the conditions.

use daos::{
    Record, Selection, Table,
    base::{self, Query},
    rows, write,
};
use infra::{
    Error,
    db::{DbError, Executor, FromValue, Sql, Value},
};

use crate::{Caller, Services, implicit_tags, tag::ObjectType};

pub use daos::write::Values;

/// What the objects of a resource are to tags, and the column of the one who owns them.
pub type ImplicitTags = Option<(ObjectType, &'static str)>;

/// Why nothing was written.
#[derive(Debug)]
pub enum WriteError {
    /// The database refuses the values; some answers repeat its words.
    Refused(DbError),
    /// Anything else.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for WriteError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Number of rows for which all conditions hold.
pub async fn count(app: &Services, table: &Table, conditions: &[Sql]) -> Result<i64, DbError> {
    base::count(app.db.exec(), table, conditions).await
}

/// A page of rows.
pub async fn fetch(app: &Services, selection: &Selection, query: &Query) -> Result<Vec<Record>, DbError> {
    base::fetch(app.db.exec(), selection, query).await
}

/// The row of a key, if all conditions hold for it.
pub async fn find(
    app: &Services,
    selection: &Selection,
    pk: impl Into<Value>,
    conditions: Vec<Sql>,
) -> Result<Option<Record>, DbError> {
    base::find(app.db.exec(), selection, pk.into(), conditions).await
}

/// The values of a column and how many there are.
pub async fn distinct(
    app: &Services,
    table: &Table,
    column: &str,
    query: &Query,
) -> Result<(i64, Vec<Value>), DbError> {
    base::distinct(app.db.exec(), table, column, query).await
}

/// Makes a row; it comes back as far as it is selected.
pub async fn insert(
    caller: &Caller,
    values: Values,
    returned: &Selection,
    tags: ImplicitTags,
) -> Result<Option<Record>, WriteError> {
    let tx = caller.app.db.begin().await?;
    let pk = write::insert(tx.exec(), returned.table, values, caller.user.user_id()).await;
    let pk = pk.map_err(WriteError::Refused)?;
    let record = base::find(tx.exec(), returned, pk.clone(), Vec::new()).await?;
    tag(caller, tx.exec(), returned.table, (&pk, tags), true).await?;
    tx.commit().await.map_err(WriteError::Refused)?;
    Ok(record)
}

/// Changes a row; it comes back as far as it is selected.
pub async fn update(
    caller: &Caller,
    pk: Value,
    values: Values,
    returned: &Selection,
    tags: ImplicitTags,
) -> Result<Option<Record>, WriteError> {
    let tx = caller.app.db.begin().await?;
    let changed = write::update(tx.exec(), returned.table, pk.clone(), values, caller.user.user_id()).await;
    changed.map_err(WriteError::Refused)?;
    tag(caller, tx.exec(), returned.table, (&pk, tags), false).await?;
    let record = base::find(tx.exec(), returned, pk, Vec::new()).await?;
    tx.commit().await?;
    Ok(record)
}

/// Deletes a row that was found before.
pub async fn delete(app: &Services, table: &Table, pk: Value, tags: ImplicitTags) -> Result<(), WriteError> {
    let tx = app.db.begin().await?;
    untag(tx.exec(), tags, &i64::from_value(&pk).into_iter().collect::<Vec<_>>()).await?;
    remove(tx.exec(), table, pk).await?;
    tx.commit().await.map_err(WriteError::Refused)
}

/// Deletes the rows of some keys: all of them or, if one is missing under the conditions, none.
pub async fn delete_many(
    app: &Services,
    table: &Table,
    ids: &[i64],
    mut conditions: Vec<Sql>,
    tags: ImplicitTags,
) -> Result<(), WriteError> {
    conditions.push(base::has_key(table, ids));
    let tx = app.db.begin().await?;
    let found = base::count(tx.exec(), table, &conditions).await?;
    if found != ids.len() as i64 || found == 0 {
        return Err(Error::not_found().into());
    }
    untag(tx.exec(), tags, ids).await?;
    for id in ids {
        remove(tx.exec(), table, (*id).into()).await?;
    }
    Ok(tx.commit().await?)
}

/// Deletes a row that was found before; when somebody else was faster, it is not found any more.
async fn remove(db: &dyn Executor, table: &Table, pk: Value) -> Result<(), WriteError> {
    match write::delete(db, table, pk).await.map_err(WriteError::Refused)? {
        0 => Err(Error::not_found().into()),
        _ => Ok(()),
    }
}

/// The tags that a written object gets by itself.
async fn tag(
    caller: &Caller,
    db: &dyn Executor,
    table: &Table,
    (pk, tags): (&Value, ImplicitTags),
    new: bool,
) -> Result<(), Error> {
    let (Some((kind, column)), Some(id)) = (tags, i64::from_value(pk)) else { return Ok(()) };
    let owners: Vec<i64> = rows::integer_of(db, table, column, id).await?.into_iter().collect();
    match new {
        true => implicit_tags::created(&caller.app.config, db, &caller.user, kind, id, &owners).await,
        false => implicit_tags::updated(&caller.app.config, db, &caller.user, kind, id, &owners).await,
    }
}

/// Tags do not outlive their objects.
async fn untag(db: &dyn Executor, tags: ImplicitTags, ids: &[i64]) -> Result<(), Error> {
    match tags {
        Some((kind, _)) => implicit_tags::deleted(db, kind, ids).await,
        None => Ok(()),
    }
}
