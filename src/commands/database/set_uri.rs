//! The connection string of a name, as the command line sets it (`superset.utils.database:get_or_create_db`).

use daos::{database, tables::DBS, write};
use infra::{
    Error, Result,
    db::Value as Stored,
    engine_specs::url::{MASK, Url},
};
use uuid::{Uuid, uuid};

use super::permissions;
use crate::{Services, connect::secrets};

/// The uuid that Superset gives its `examples` database.
const EXAMPLES: Uuid = uuid!("a2dc77af-e654-49bb-b321-40f6b559a1ee");

/// Sets the connection string of a database; without one of this name it is made, if `create`. Whether it can be
/// reached is not asked. Returns the key, none where there is no such database.
pub async fn set_uri(app: &Services, name: &str, uri: &str, create: bool) -> Result<Option<i64>> {
    let url =
        Url::parse(uri).ok_or_else(|| Error::unprocessable(format!("{uri} is no connection string")))?;
    let mut values = vec![("sqlalchemy_uri", url.clone().masked().text().into())];
    if url.password.as_deref() != Some(MASK) {
        let stored = url.password.as_deref().map(|p| secrets::encrypt(app, p)).transpose()?;
        values.push(("password", stored.into()));
    }
    let tx = app.db.begin().await?;
    let exec = tx.exec();
    let id = match database::find_by_name(exec, name).await? {
        Some(found) => {
            write::update(exec, &DBS, found.id.into(), values, None).await?;
            found.id
        }
        None if create => {
            values.push(("database_name", name.into()));
            values.push(("configuration_method", "sqlalchemy_form".into()));
            if name == "examples" {
                values.push(("uuid", EXAMPLES.into()));
            }
            let id = match write::insert(exec, &DBS, values, None).await? {
                Stored::Int(id) => id,
                _ => return Err(Error::internal("insert returned no key")),
            };
            let made = database::find(exec, id).await?.ok_or_else(Error::not_found)?;
            permissions::created(exec, &made, &Vec::new()).await?;
            id
        }
        None => return Ok(None),
    };
    tx.commit().await?;
    Ok(Some(id))
}
