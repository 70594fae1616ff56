//! Creating, changing and deleting connections (`superset.commands.database.{create,update,delete}`).

use daos::{
    access_rows,
    database::{self, Database},
    oauth2_token,
    tables::DBS,
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::{DbError, Executor, Sql, Value as Stored},
    engines::{EngineError, url::Url},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    oauth2,
    permissions::{self, Layout},
    secrets,
    test::{Fields, candidate, ping, text, try_source},
    tunnel,
    uri::MASK,
};
use crate::{
    Principal, Services,
    access::lists,
    databases::{engine_as, introspect::default_catalog, source_as},
    relations::{delete_rows, raise_for_reports},
};

const TEXTS: &[&str] =
    &["database_name", "force_ctas_schema", "extra", "configuration_method", "external_url"];
const FLAGS: &[&str] = &[
    "expose_in_sqllab",
    "allow_run_async",
    "allow_file_upload",
    "allow_ctas",
    "allow_cvas",
    "allow_dml",
    "impersonate_user",
    "is_managed_externally",
];

fn name_taken() -> Error {
    Error::unprocessable(json!({"database_name": "A database with the same name already exists."}))
}

/// The database refuses the row: a name or UUID that somebody else took in the meantime.
fn refused(error: DbError, sentence: &str) -> Error {
    match error {
        DbError::Integrity(text) if text.contains("database_name") => name_taken(),
        DbError::Integrity(_) | DbError::Query(_) => Error::unprocessable(sentence.to_owned()),
        other => other.into(),
    }
}

/// Columns of `dbs` that the fields set; those of the connection string are in [`set_uri`].
fn columns(app: &Services, fields: &Fields, sentence: &str) -> Result<Values> {
    let mut values = Values::new();
    for (key, value) in fields {
        if let Some(column) = TEXTS.iter().find(|c| *c == key) {
            values.push((column, value.as_str().into()));
        } else if let Some(column) = FLAGS.iter().find(|c| *c == key) {
            values.push((column, value.as_bool().unwrap_or_default().into()));
        } else if key == "cache_timeout" {
            values.push(("cache_timeout", value.as_i64().into()));
        } else if key == "server_cert" {
            let stored = value.as_str().map(|t| secrets::encrypt(app, t)).transpose()?;
            values.push(("server_cert", stored.into()));
        } else if key == "uuid" {
            let uuid = value.as_str().and_then(|u| Uuid::parse_str(u).ok());
            values.push(("uuid", uuid.ok_or_else(|| Error::unprocessable(sentence.to_owned()))?.into()));
        }
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
pub async fn create(app: &Services, user: &Principal, fields: &Fields) -> Result<Database> {
    const SENTENCE: &str = "Database could not be created.";
    let db = app.db.exec();
    let mut invalid = Fields::new();
    let uri = text(fields, "sqlalchemy_uri").filter(|u| !u.is_empty());
    if uri.is_none() {
        invalid.insert("sqlalchemy_uri".into(), json!(["Field is required"]));
    }
    let name = text(fields, "database_name").unwrap_or_default();
    if database::find_by_name(db, name).await?.is_some() {
        invalid.insert("database_name".into(), "A database with the same name already exists.".into());
    }
    if !invalid.is_empty() {
        return Err(Error::unprocessable(Value::Object(invalid)));
    }
    let url = parsed(uri.unwrap_or_default())?;
    let secret = fields.get("masked_encrypted_extra").map_or(Some("{}"), Value::as_str);
    let mut source = candidate(app, user, url.clone(), fields, secret);
    let tunnel = tunnel::change(app, None, fields, &mut source)?;
    match try_source(app, &source).await {
        // whoever asks it anything can get a token then; its schemas are not known before
        Err(error) if oauth2::is_invitation(&error) => {}
        tried => tried?,
    }

    let mut values = columns(app, fields, SENTENCE)?;
    set_uri(app, url, &mut values)?;
    values.push(("encrypted_extra", secret.map(|t| secrets::encrypt(app, t)).transpose()?.into()));
    // asked now, so that no transaction waits for a foreign server
    let target = app.engines.make(&source).map_err(|_| permissions::connection_failed())?;
    let tx = app.db.begin().await?;
    let stored =
        write::insert(tx.exec(), &DBS, values, user.user_id()).await.map_err(|e| refused(e, SENTENCE))?;
    let id = match stored {
        Stored::Int(id) => id,
        _ => return Err(Error::internal("insert returned no key")),
    };
    let database = find(tx.exec(), id).await?;
    tunnel::store(app, user, tx.exec(), &database, tunnel).await?;
    let database = find(tx.exec(), id).await?;
    permissions::created(tx.exec(), &database, &Vec::new()).await?;
    tx.commit().await?;
    app.grants.clear();
    // as in the original, a connection stands even where its schemas cannot be listed
    match permissions::layout(app, user, &database, &target).await {
        Ok(layout) => {
            let tx = app.db.begin().await?;
            permissions::created(tx.exec(), &database, &layout).await?;
            tx.commit().await?;
            app.grants.clear();
        }
        Err(error) => tracing::warn!(%error, "schemas of a new connection are unknown"),
    }
    Ok(database)
}

async fn find(db: &dyn Executor, id: i64) -> Result<Database> {
    database::find(db, id).await?.ok_or_else(Error::not_found)
}

/// The connection, if lists show it to the caller.
async fn visible(app: &Services, user: &Principal, id: i64) -> Result<Database> {
    database::find_where(app.db.exec(), id, lists::databases(user, "d")).await?.ok_or_else(Error::not_found)
}

/// Changes a connection; masked secrets stay what they are. It must answer afterwards, or nothing is changed.
pub async fn update(app: &Services, user: &Principal, id: i64, fields: &Fields) -> Result<Database> {
    const SENTENCE: &str = "Database could not be updated.";
    let old = visible(app, user, id).await?;
    if let Some(name) = text(fields, "database_name")
        && database::find_by_name(app.db.exec(), name).await?.is_some_and(|other| other.id != id)
    {
        return Err(name_taken());
    }
    let mut values = columns(app, fields, SENTENCE)?;
    let url = parsed(text(fields, "sqlalchemy_uri").unwrap_or(&old.sqlalchemy_uri))?;
    set_uri(app, url, &mut values)?;
    let mut worthless = false;
    if let Some(extra) = fields.get("masked_encrypted_extra") {
        let clear = secrets::unmasked(app, &old, extra.as_str().map(str::to_owned));
        worthless = has_other_client(app, user, &old, clear.as_deref());
        values.push(("encrypted_extra", clear.map(|t| secrets::encrypt(app, &t)).transpose()?.into()));
    }

    let next = preview(&old, &values);
    let mut source = source_as(app, user, &next, None).await?;
    let tunnel = tunnel::change(app, Some(&old), fields, &mut source)?;
    let target = app.engines.make(&source).map_err(|_| permissions::connection_failed())?;
    let layout = match ping(app, &target).await {
        Some(Ok(())) => permissions::layout(app, user, &next, &target).await,
        // the schemas are what they were, as far as somebody without a token can tell
        Some(Err(EngineError::SignIn(_))) => Ok(Layout::new()),
        _ => return Err(permissions::connection_failed()),
    };
    let tx = app.db.begin().await?;
    let db = tx.exec();
    write::update(db, &DBS, id.into(), values, user.user_id()).await.map_err(|e| refused(e, SENTENCE))?;
    tunnel::store(app, user, db, &old, tunnel).await?;
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
    app.grants.clear();
    app.engines.close(id);
    Ok(new)
}

/// Tokens that people have for a connection are good no more when its client is another (`_handle_oauth2`).
fn has_other_client(app: &Services, user: &Principal, old: &Database, extra: Option<&str>) -> bool {
    let Some(extra) = extra else { return true };
    let Some(client) = oauth2::Client::of(app, old, &user.origin) else { return false };
    let new = serde_json::from_str::<Value>(extra).ok();
    let new = new.as_ref().and_then(|e| e.get("oauth2_client_info")?.as_object());
    client.needs_other_tokens(new.unwrap_or(&serde_json::Map::new()))
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
    for (table, key) in [
        ("tables", "database_id"),
        ("query", "database_id"),
        ("saved_query", "db_id"),
        ("tab_state", "database_id"),
        ("table_schema", "database_id"),
    ] {
        let sql = Sql::new(format!("UPDATE {table} SET catalog = ? WHERE {key} = ?"));
        db.execute(sql.bind(catalog.clone()).bind(new.id)).await?;
    }
    Ok(())
}

/// Brings the permissions in step with what the database has now (`SyncPermissionsCommand`).
pub async fn sync_permissions(app: &Services, user: &Principal, id: i64) -> Result<()> {
    let missing = || super::errors::command_error(404, "Database not found.");
    let found = database::find_where(app.db.exec(), id, lists::databases(user, "d")).await?;
    let found = found.ok_or_else(missing)?;
    let failed =
        || super::errors::command_error(422, "Connection failed, please check your connection settings");
    let target = engine_as(app, user, &found, None).await.map_err(|_| failed())?;
    match ping(app, &target).await {
        Some(Ok(())) => {}
        Some(Err(EngineError::SignIn(_))) => {
            return Err(super::errors::command_error(500, "Missing OAuth2 token"));
        }
        _ => return Err(failed()),
    }
    let layout = permissions::layout(app, user, &found, &target).await.map_err(|_| failed())?;
    let tx = app.db.begin().await?;
    permissions::synchronize(tx.exec(), &found, &found.database_name, &layout).await?;
    tx.commit().await?;
    app.grants.clear();
    Ok(())
}

/// Deletes a connection that no report and no dataset uses, with its queries, tabs and permissions.
pub async fn delete(app: &Services, user: &Principal, id: i64) -> Result<()> {
    let found = visible(app, user, id).await?;
    let tx = app.db.begin().await?;
    let db = tx.exec();
    raise_for_reports(db, "database_id", &[id]).await?;
    if db.first(Sql::new("SELECT id FROM tables WHERE database_id = ? LIMIT 1").bind(id)).await?.is_some() {
        return Err(Error::unprocessable("Cannot delete a database that has datasets attached"));
    }
    for statement in [
        "UPDATE tab_state SET latest_query_id = NULL WHERE latest_query_id IN \
         (SELECT client_id FROM query WHERE database_id = ?)",
        "UPDATE tab_state SET saved_query_id = NULL WHERE saved_query_id IN \
         (SELECT id FROM saved_query WHERE db_id = ?)",
        "DELETE FROM table_schema WHERE database_id = ?",
        "DELETE FROM table_schema WHERE tab_state_id IN (SELECT id FROM tab_state WHERE database_id = ?)",
        "DELETE FROM tab_state WHERE database_id = ?",
        "DELETE FROM query WHERE database_id = ?",
        "DELETE FROM saved_query WHERE db_id = ?",
        "DELETE FROM ssh_tunnels WHERE database_id = ?",
        "DELETE FROM database_user_oauth2_tokens WHERE database_id = ?",
    ] {
        db.execute(Sql::new(statement).bind(id)).await?;
    }
    delete_rows(db, "dbs", &[id]).await?;
    access_rows::remove_database(db, &found.perm(), &found.database_name).await?;
    tx.commit().await?;
    app.grants.clear();
    app.engines.close(id);
    Ok(())
}
