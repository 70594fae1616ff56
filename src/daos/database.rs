//! Connections to analytical databases (`superset.models.core:Database`).

use std::collections::HashMap;

use chrono::NaiveDateTime;
use infra::db::{DbError, Executor, Row, Sql};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

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

/// A row of `dbs`; encrypted columns as they are stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields bear the names of the columns")]
pub struct Database {
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
    /// The tunnel that leads to it.
    pub ssh_tunnel: Option<SshTunnel>,
}

impl Database {
    /// The select list, over [`Self::FROM`].
    pub const COLUMNS: &'static str = "d.id, d.database_name, d.sqlalchemy_uri, d.password, d.cache_timeout, d.extra, d.expose_in_sqllab, d.allow_ctas, d.allow_cvas, d.allow_dml, d.allow_run_async, d.allow_file_upload, d.force_ctas_schema, d.impersonate_user, d.encrypted_extra, d.server_cert, d.uuid, d.configuration_method, d.is_managed_externally, d.external_url, d.created_on, d.changed_on, d.created_by_fk, d.changed_by_fk, t.id AS tunnel_id, t.server_address AS tunnel_address, t.server_port AS tunnel_port, t.username AS tunnel_username, t.password AS tunnel_password, t.private_key AS tunnel_key, t.private_key_password AS tunnel_key_password";
    /// The tables, with the alias `d` for the connection.
    pub const FROM: &'static str = "dbs d LEFT JOIN ssh_tunnels t ON t.database_id = d.id";

    /// Reads a row of [`Self::COLUMNS`].
    pub fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            database_name: row.get("database_name")?,
            sqlalchemy_uri: row.get("sqlalchemy_uri")?,
            password: row.get("password")?,
            cache_timeout: row.get("cache_timeout")?,
            extra: row.get("extra")?,
            expose_in_sqllab: row.get("expose_in_sqllab")?,
            allow_ctas: row.get("allow_ctas")?,
            allow_cvas: row.get("allow_cvas")?,
            allow_dml: row.get("allow_dml")?,
            allow_run_async: row.get("allow_run_async")?,
            allow_file_upload: row.get("allow_file_upload")?,
            force_ctas_schema: row.get("force_ctas_schema")?,
            impersonate_user: row.get("impersonate_user")?,
            encrypted_extra: row.get("encrypted_extra")?,
            server_cert: row.get("server_cert")?,
            uuid: row.get("uuid")?,
            configuration_method: row.get("configuration_method")?,
            is_managed_externally: row.get("is_managed_externally")?,
            external_url: row.get("external_url")?,
            created_on: row.get("created_on")?,
            changed_on: row.get("changed_on")?,
            created_by_fk: row.get("created_by_fk")?,
            changed_by_fk: row.get("changed_by_fk")?,
            ssh_tunnel: SshTunnel::read(row)?,
        })
    }
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
    let mut sql = Sql::new(format!("SELECT {} FROM {} WHERE d.id = ", Database::COLUMNS, Database::FROM));
    sql.push_bind(id);
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    db.first(sql).await?.as_ref().map(Database::read).transpose()
}

/// The databases that a condition over the alias `d` lets through, by their ids.
pub async fn find_all(db: &dyn Executor, condition: Option<Sql>) -> Result<Vec<Database>, DbError> {
    let mut sql = Sql::new(format!("SELECT {} FROM {}", Database::COLUMNS, Database::FROM));
    if let Some(condition) = condition {
        sql.push(" WHERE ").append(condition);
    }
    sql.push(" ORDER BY d.id");
    db.query(sql).await?.iter().map(Database::read).collect()
}

/// Several databases, by id.
pub async fn find_many(db: &dyn Executor, ids: &[i64]) -> Result<HashMap<i64, Database>, DbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new(format!("SELECT {} FROM {} WHERE d.id IN ", Database::COLUMNS, Database::FROM));
    sql.push_list(ids.iter().copied());
    db.query(sql).await?.iter().map(|row| Database::read(row).map(|d| (d.id, d))).collect()
}

/// A database by its name.
pub async fn find_by_name(db: &dyn Executor, name: &str) -> Result<Option<Database>, DbError> {
    let mut sql =
        Sql::new(format!("SELECT {} FROM {} WHERE d.database_name = ", Database::COLUMNS, Database::FROM));
    sql.push_bind(name);
    db.first(sql).await?.as_ref().map(Database::read).transpose()
}
