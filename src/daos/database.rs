//! Connections to analytical databases (`superset.models.core:Database`).

use std::collections::HashMap;

use chrono::NaiveDateTime;
use infra::{
    Error,
    db::{DbError, Executor, Row, Sql},
};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{rows, typed_row::row, write::Values};

/// A row of `ssh_tunnels` (`superset.databases.ssh_tunnel.models:SSHTunnel`); encrypted columns as they are stored.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct SshTunnel {
    pub id: i64,
    pub server_address: Option<String>,
    pub server_port: Option<i64>,
    pub username: Option<Vec<u8>>,
    pub password: Option<Vec<u8>>,
    pub private_key: Option<Vec<u8>>,
    pub private_key_password: Option<Vec<u8>>,
}

impl SshTunnel {
    /// The select list, over the alias `t`, under names that the columns of the connection leave free.
    const COLUMNS: &'static str = "t.id AS tunnel_id, t.server_address AS tunnel_address, \
         t.server_port AS tunnel_port, t.username AS tunnel_username, t.password AS tunnel_password, \
         t.private_key AS tunnel_key, \
         t.private_key_password AS tunnel_key_password";

    fn read(row: &Row) -> Result<Option<Self>, DbError> {
        let Some(id) = row.get("tunnel_id")? else { return Ok(None) };
        Ok(Some(Self {
            id,
            server_address: row.get("tunnel_address")?,
            server_port: row.get("tunnel_port")?,
            username: row.get("tunnel_username")?,
            password: row.get("tunnel_password")?,
            private_key: row.get("tunnel_key")?,
            private_key_password: row.get("tunnel_key_password")?,
        }))
    }
}

row! {
    /// A row of `dbs`; encrypted columns as they are stored.
    #[derive(Debug, Clone, PartialEq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct Database over "d" {
        pub id: i64,
        pub database_name: String,
        pub sqlalchemy_uri: String,
        pub password: Option<Vec<u8>>,
        pub cache_timeout: Option<i64>,
        pub extra: Option<String>,
        pub expose_in_sqllab: Option<bool>,
        pub allow_ctas: Option<bool>,
        pub allow_cvas: Option<bool>,
        pub allow_dml: Option<bool>,
        pub allow_run_async: Option<bool>,
        pub allow_file_upload: bool,
        pub force_ctas_schema: Option<String>,
        pub impersonate_user: Option<bool>,
        pub encrypted_extra: Option<Vec<u8>>,
        pub server_cert: Option<Vec<u8>>,
        pub uuid: Option<Uuid>,
        pub configuration_method: Option<String>,
        pub is_managed_externally: bool,
        pub external_url: Option<String>,
        pub created_on: Option<NaiveDateTime>,
        pub changed_on: Option<NaiveDateTime>,
        pub created_by_fk: Option<i64>,
        pub changed_by_fk: Option<i64>,
    }
    and {
        /// The tunnel that leads to it.
        pub ssh_tunnel: Option<SshTunnel> = SshTunnel::read,
    }
}

/// The tables, with the alias `d` for the connection and `t` for its tunnel.
const FROM: &str = "dbs d LEFT JOIN ssh_tunnels t ON t.database_id = d.id";

fn select() -> Sql {
    Sql::new(format!("SELECT {}, {} FROM {FROM}", Database::COLUMNS, SshTunnel::COLUMNS))
}

impl Database {
    /// The permission that grants it (`Database.perm`).
    pub fn perm(&self) -> String {
        format!("[{}].(id:{})", self.database_name, self.id)
    }
    /// First part of the connection string without its driver (`Database.backend`).
    pub fn backend(&self) -> &str {
        let scheme = self.sqlalchemy_uri.split(':').next().unwrap_or_default();
        scheme.split('+').next().unwrap_or_default()
    }
    /// `extra` as an object; what cannot be read is empty.
    pub fn extra_json(&self) -> Map<String, Json> {
        let text = self.extra.as_deref().unwrap_or_default();
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// A database by its id.
pub async fn find(db: &dyn Executor, id: i64) -> Result<Option<Database>, DbError> {
    // PostgreSQL refuses to compare what no key can be
    if i32::try_from(id).is_err() {
        return Ok(None);
    }
    find_where(db, id, None).await
}

/// A database by its id, if a condition over the alias `d` lets it through.
pub async fn find_where(
    db: &dyn Executor,
    id: i64,
    condition: Option<Sql>,
) -> Result<Option<Database>, DbError> {
    if i32::try_from(id).is_err() {
        return Ok(None);
    }
    let mut sql = select();
    sql.push(" WHERE d.id = ").push_bind(id);
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    db.first(sql).await?.as_ref().map(Database::read).transpose()
}

/// The databases that a condition over the alias `d` lets through, by their ids.
pub async fn find_all(db: &dyn Executor, condition: Option<Sql>) -> Result<Vec<Database>, DbError> {
    let mut sql = select();
    if let Some(condition) = condition {
        sql.push(" WHERE ").append(condition);
    }
    sql.push(" ORDER BY d.id");
    db.query(sql).await?.iter().map(Database::read).collect()
}

/// The tunnel of a key, if a condition over the alias `d` lets its database through.
pub async fn find_tunnel(
    db: &dyn Executor,
    id: i64,
    condition: Option<Sql>,
) -> Result<Option<SshTunnel>, DbError> {
    let mut tunnel = Sql::new("t.id = ?").bind(id);
    if let Some(condition) = condition {
        tunnel.push(" AND ").append(condition);
    }
    Ok(find_all(db, Some(tunnel)).await?.into_iter().next().and_then(|d| d.ssh_tunnel))
}

/// Several databases, by id.
pub async fn find_many(db: &dyn Executor, ids: &[i64]) -> Result<HashMap<i64, Database>, DbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = select();
    sql.push(" WHERE d.id IN ").push_list(ids.iter().copied());
    db.query(sql).await?.iter().map(|row| Database::read(row).map(|d| (d.id, d))).collect()
}

/// A database by its name.
pub async fn find_by_name(db: &dyn Executor, name: &str) -> Result<Option<Database>, DbError> {
    let mut sql = select();
    sql.push(" WHERE d.database_name = ").push_bind(name);
    db.first(sql).await?.as_ref().map(Database::read).transpose()
}

/// Id and name of every database.
pub async fn names(db: &dyn Executor) -> Result<Vec<(i64, String)>, DbError> {
    let rows = db.query(Sql::new("SELECT id, database_name FROM dbs")).await?;
    rows.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}

/// Inserts a database with nothing but the given columns; its id.
pub async fn insert(db: &dyn Executor, values: Values) -> Result<i64, DbError> {
    db.insert_row("dbs", values).await
}

/// Datasets, queries and tabs lie in this catalog now.
pub async fn move_catalog(db: &dyn Executor, id: i64, catalog: Option<String>) -> Result<(), DbError> {
    for (table, key) in [
        ("tables", "database_id"),
        ("query", "database_id"),
        ("saved_query", "db_id"),
        ("tab_state", "database_id"),
        ("table_schema", "database_id"),
    ] {
        let sql = Sql::new(format!("UPDATE {table} SET catalog = ? WHERE {key} = ?"));
        db.execute(sql.bind(catalog.clone()).bind(id)).await?;
    }
    Ok(())
}

/// Deletes a database with its queries, tabs, tunnel and tokens.
pub async fn delete(db: &dyn Executor, id: i64) -> Result<(), Error> {
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
    rows::delete(db, "dbs", &[id]).await
}
