//! Creating, changing and deleting connections (`superset.commands.database.{create,update,delete}`).

use daos::{
    access_rows,
    database::{self, Database},
    oauth2_token, rows,
    tables::DBS,
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::{DbError, Executor, Value as Stored},
    engine_specs::url::Url,
    engines::EngineError,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    DatabaseFields,
    permissions::{self, Layout},
    test::{candidate, ping, try_source},
};
use crate::connect::{oauth2, secrets, tunnel, uri::MASK};
use crate::{
    Caller, Services,
    access::lists,
    connect::{engine_as, mutate, source_as},
    introspect::tables::default_catalog,
    relations::raise_for_reports,
    schema::columns,
    state::functions,
};

fn name_taken() -> Error {
    Error::unprocessable(json!({"database_name": "A database with the same name already exists."}))
}

/// The database refuses the row: a name or UUID that somebody else took in the meantime.
fn refused(error: DbError, sentence: &str) -> Error {
    match error {
        DbError::Integrity(text) if text.contains("database_name") => name_taken(),
        DbError::Integrity(_) | DbError::Query(_) | DbError::OutOfRange(_) => {
            Error::unprocessable(sentence.to_owned())
        }
        other => other.into(),
    }
}

/// Columns of `dbs` that the fields set; those of the connection string are in [`set_uri`].
fn columns(app: &Services, fields: &DatabaseFields, sentence: &str) -> Result<Values> {
    let mut values = columns![
        fields; database_name, force_ctas_schema, extra, configuration_method, external_url, cache_timeout,
    ];
    let flags = columns![
        fields; expose_in_sqllab, allow_run_async, allow_file_upload, allow_ctas, allow_cvas, allow_dml,
        impersonate_user, is_managed_externally,
    ];
    // their columns take no null
    let stored = |flag| if flag == Stored::Null { false.into() } else { flag };
    values.extend(flags.into_iter().map(|(column, flag)| (column, stored(flag))));
    if fields.server_cert.is_sent() {
        let stored = fields.server_cert.text().map(|t| secrets::encrypt(app, t)).transpose()?;
        values.push(("server_cert", stored.into()));
    }
    if fields.uuid.is_sent() {
        let uuid = fields.uuid.text().and_then(|u| Uuid::parse_str(u).ok());
        values.push(("uuid", uuid.ok_or_else(|| Error::unprocessable(sentence.to_owned()))?.into()));
    }
    Ok(values)
}

/// `set_sqlalchemy_uri`: the string is stored without its password, which has a column of its own; the mask leaves
/// that column alone.
fn set_uri(app: &Services, url: Url, values: &mut Values) -> Result<()> {
    if url.password.as_deref() != Some(MASK) {
        let stored = url.password.as_deref().map(|p| secrets::encrypt(app, p)).transpose()?;
        values.push(("password", stored.into()));
    }
    values.push(("sqlalchemy_uri", url.masked().text().into()));
    Ok(())
}

fn parsed(uri: &str) -> Result<Url> {
    Url::parse(uri).ok_or_else(|| Error::unprocessable("Database parameters are invalid."))
}

/// Creates a connection once it answers, with the permissions on its schemas.
pub async fn create(caller: &Caller, fields: &DatabaseFields) -> Result<Database> {
    const SENTENCE: &str = "Database could not be created.";
    let db = caller.app.db.exec();
    let mut invalid = Map::new();
    let uri = fields.sqlalchemy_uri.filled();
    if uri.is_none() {
        invalid.insert("sqlalchemy_uri".into(), json!(["Field is required"]));
    }
    let name = fields.database_name.text().unwrap_or_default();
    if database::find_by_name(db, name).await?.is_some() {
        invalid.insert("database_name".into(), "A database with the same name already exists.".into());
    }
    if !invalid.is_empty() {
        return Err(Error::unprocessable(Value::Object(invalid)));
    }
    let url = parsed(uri.unwrap_or_default())?;
    let secret = fields.secret();
    functions::validate_uri(&caller.app.config, &url.text())?;
    let mut source = candidate(caller, url.clone(), fields, secret);
    let tunnel = tunnel::change(&caller.app, None, &fields.ssh_tunnel, &mut source)?;
    mutate(caller, &mut source)?;
    match try_source(&caller.app, &source).await {
        // whoever asks it anything can get a token then; its schemas are not known before
        Err(error) if oauth2::is_redirect(&error) => {}
        tried => tried?,
    }

    let mut values = columns(&caller.app, fields, SENTENCE)?;
    set_uri(&caller.app, url, &mut values)?;
    values.push(("encrypted_extra", secret.map(|t| secrets::encrypt(&caller.app, t)).transpose()?.into()));
    // asked now, so that no transaction waits for a foreign server
    let target = caller.app.engines.make(&source).map_err(|_| permissions::connection_failed())?;
    let tx = caller.app.db.begin().await?;
    let stored = write::insert(tx.exec(), &DBS, values, caller.user.user_id())
        .await
        .map_err(|e| refused(e, SENTENCE))?;
    let id = match stored {
        Stored::Int(id) => id,
        _ => return Err(Error::internal("insert returned no key")),
    };
    let database = find(tx.exec(), id).await?;
    tunnel::store(caller, tx.exec(), &database, tunnel).await?;
    let database = find(tx.exec(), id).await?;
    permissions::created(tx.exec(), &database, &Vec::new()).await?;
    tx.commit().await?;
    caller.app.grants.clear();
    // as in the original, a connection stands even where its schemas cannot be listed
    match permissions::layout(caller, &database, &target).await {
        Ok(layout) => {
            let tx = caller.app.db.begin().await?;
            permissions::created(tx.exec(), &database, &layout).await?;
            tx.commit().await?;
            caller.app.grants.clear();
        }
        Err(error) => tracing::warn!(%error, "schemas of a new connection are unknown"),
    }
    Ok(database)
}

async fn find(db: &dyn Executor, id: i64) -> Result<Database> {
    database::find(db, id).await?.ok_or_else(Error::not_found)
}

/// The connection, if lists show it to the caller.
async fn visible(caller: &Caller, id: i64) -> Result<Database> {
    database::find_where(caller.app.db.exec(), id, lists::databases(&caller.user, "d"))
        .await?
        .ok_or_else(Error::not_found)
}

/// Changes a connection; masked secrets stay what they are. It must answer afterwards, or nothing is changed.
pub async fn update(caller: &Caller, id: i64, fields: &DatabaseFields) -> Result<Database> {
    const SENTENCE: &str = "Database could not be updated.";
    let old = visible(caller, id).await?;
    if let Some(name) = fields.database_name.text()
        && database::find_by_name(caller.app.db.exec(), name).await?.is_some_and(|other| other.id != id)
    {
        return Err(name_taken());
    }
    let mut values = columns(&caller.app, fields, SENTENCE)?;
    let url = parsed(fields.sqlalchemy_uri.text().unwrap_or(&old.sqlalchemy_uri))?;
    set_uri(&caller.app, url, &mut values)?;
    let mut worthless = false;
    if fields.masked_encrypted_extra.is_sent() {
        let clear = secrets::unmasked(&caller.app, &old, fields.masked_encrypted_extra.value().cloned());
        worthless = has_other_client(caller, &old, clear.as_deref());
        values
            .push(("encrypted_extra", clear.map(|t| secrets::encrypt(&caller.app, &t)).transpose()?.into()));
    }

    let next = preview(&old, &values);
    let mut source = source_as(caller, &next, None).await?;
    let tunnel = tunnel::change(&caller.app, Some(&old), &fields.ssh_tunnel, &mut source)?;
    let target = caller.app.engines.make(&source).map_err(|_| permissions::connection_failed())?;
    let layout = match ping(&caller.app, &target).await {
        Some(Ok(())) => permissions::layout(caller, &next, &target).await,
        // the schemas are what they were, as far as somebody without a token can tell
        Some(Err(EngineError::OAuth2Redirect(_))) => Ok(Layout::new()),
        _ => return Err(permissions::connection_failed()),
    };
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    write::update(db, &DBS, id.into(), values, caller.user.user_id())
        .await
        .map_err(|e| refused(e, SENTENCE))?;
    tunnel::store(caller, db, &old, tunnel).await?;
    if worthless {
        oauth2_token::purge(db, id).await?;
    }
    let new = find(db, id).await?;
    move_catalog(db, &old, &new).await?;
    if new.database_name != old.database_name {
        permissions::renamed(db, &new, &old.database_name).await?;
    }
    permissions::synchronize(db, &new, &old.database_name, &layout?).await?;
    tx.commit().await?;
    caller.app.grants.clear();
    caller.app.engines.close(id);
    Ok(new)
}

/// Tokens that people have for a connection are good no more when its client is another (`_handle_oauth2`).
fn has_other_client(caller: &Caller, old: &Database, extra: Option<&str>) -> bool {
    let Some(extra) = extra else { return true };
    let Some(client) = oauth2::Client::for_database(&caller.app, old, &caller.user.origin) else {
        return false;
    };
    let new = serde_json::from_str::<Value>(extra).ok();
    let new = new.as_ref().and_then(|e| e.get("oauth2_client_info")?.as_object());
    client.needs_other_tokens(new.unwrap_or(&Map::new()))
}

/// The row as it will be, as far as connecting to it goes.
fn preview(old: &Database, values: &Values) -> Database {
    let mut next = old.clone();
    next.changed_on = None;
    for (column, value) in values {
        let bytes = match value {
            Stored::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        };
        match (*column, value) {
            ("password", _) => next.password = bytes,
            ("encrypted_extra", _) => next.encrypted_extra = bytes,
            ("server_cert", _) => next.server_cert = bytes,
            ("sqlalchemy_uri", Stored::Text(t)) => next.sqlalchemy_uri.clone_from(t),
            ("database_name", Stored::Text(t)) => next.database_name.clone_from(t),
            ("extra", Stored::Text(t)) => next.extra = Some(t.clone()),
            ("impersonate_user", Stored::Bool(flag)) => next.impersonate_user = Some(*flag),
            _ => {}
        }
    }
    next
}

/// Datasets, queries and tabs lie in the default catalog: they follow it (`_update_catalog_attribute`).
async fn move_catalog(db: &dyn Executor, old: &Database, new: &Database) -> Result<()> {
    let many =
        |d: &Database| d.extra_json().get("allow_multi_catalog").and_then(Value::as_bool) == Some(true);
    let catalog = default_catalog(new);
    if catalog == default_catalog(old) || many(old) || many(new) {
        return Ok(());
    }
    Ok(database::move_catalog(db, new.id, catalog).await?)
}

/// Brings the permissions in step with what the database has now (`SyncPermissionsCommand`).
pub async fn sync_permissions(caller: &Caller, id: i64) -> Result<()> {
    let missing = || crate::connect::errors::command_error(404, "Database not found.");
    let found = database::find_where(caller.app.db.exec(), id, lists::databases(&caller.user, "d")).await?;
    let found = found.ok_or_else(missing)?;
    let failed = || {
        crate::connect::errors::command_error(422, "Connection failed, please check your connection settings")
    };
    let target = engine_as(caller, &found, None).await.map_err(|_| failed())?;
    match ping(&caller.app, &target).await {
        Some(Ok(())) => {}
        Some(Err(EngineError::OAuth2Redirect(_))) => {
            return Err(crate::connect::errors::command_error(500, "Missing OAuth2 token"));
        }
        _ => return Err(failed()),
    }
    let layout = permissions::layout(caller, &found, &target).await.map_err(|_| failed())?;
    let tx = caller.app.db.begin().await?;
    permissions::synchronize(tx.exec(), &found, &found.database_name, &layout).await?;
    tx.commit().await?;
    caller.app.grants.clear();
    Ok(())
}

/// Deletes a connection that no report and no dataset uses, with its queries, tabs and permissions.
pub async fn delete(caller: &Caller, id: i64) -> Result<()> {
    let found = visible(caller, id).await?;
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    raise_for_reports(db, "database_id", &[id]).await?;
    if rows::has(db, "tables", "database_id", id).await? {
        return Err(Error::unprocessable("Cannot delete a database that has datasets attached"));
    }
    database::delete(db, id).await?;
    access_rows::remove_database(db, &found.perm(), &found.database_name).await?;
    tx.commit().await?;
    caller.app.grants.clear();
    caller.app.engines.close(id);
    Ok(())
}
