//! A connection as a single object: who may see it, and what hangs on it.

use daos::{database, dataset, tab_state};
use infra::{Error, Result};

use crate::connect::tunnel;
use crate::{Caller, Services, access::lists};

pub use daos::database::Database;

/// The connection of an id, if lists show it to the caller.
pub async fn listed(caller: &Caller, id: i64) -> Result<Option<Database>> {
    Ok(database::find_where(caller.app.db.exec(), id, lists::databases(&caller.user, "d")).await?)
}

/// The connection of an id, whoever may see it.
pub async fn unchecked(app: &Services, id: i64) -> Result<Option<Database>> {
    Ok(database::find_where(app.db.exec(), id, None).await?)
}

/// The connection of a name, whoever may see it.
pub async fn by_name(app: &Services, name: &str) -> Result<Option<Database>> {
    Ok(database::find_by_name(app.db.exec(), name).await?)
}

/// Ids of the datasets of a connection.
pub async fn dataset_ids(app: &Services, id: i64) -> Result<Vec<i64>> {
    Ok(dataset::ids_of_database(app.db.exec(), id).await?)
}

/// Id, label and whether it is active of SQL Lab's tabs on a connection.
pub async fn tabs(app: &Services, id: i64) -> Result<Vec<(i64, Option<String>, Option<bool>)>> {
    Ok(tab_state::of_database(app.db.exec(), id).await?)
}

/// Takes the tunnel of a connection away; 404 without one.
pub async fn delete_tunnel(caller: &Caller, id: i64) -> Result<()> {
    let found = listed(caller, id).await?.ok_or_else(Error::not_found)?;
    let tx = caller.app.db.begin().await?;
    if !tunnel::delete(&caller.app, tx.exec(), found.id).await? {
        return Err(Error::not_found());
    }
    tx.commit().await?;
    caller.app.engines.close(found.id);
    Ok(())
}
