//! The encrypted columns of the metadata database, whatever table they stand in.

use infra::db::{DbError, Executor, Sql, Value};

/// Tables and their encrypted columns (`superset.models.core`, `superset.databases.ssh_tunnel.models`).
pub const COLUMNS: &[(&str, &str)] = &[
    ("dbs", "password"),
    ("dbs", "encrypted_extra"),
    ("dbs", "server_cert"),
    ("ssh_tunnels", "username"),
    ("ssh_tunnels", "password"),
    ("ssh_tunnels", "private_key"),
    ("ssh_tunnels", "private_key_password"),
    ("database_user_oauth2_tokens", "access_token"),
    ("database_user_oauth2_tokens", "refresh_token"),
];

/// Stored values of every column, the newest `most` of each.
pub async fn some(db: &dyn Executor, most: i64) -> Result<Vec<Vec<u8>>, DbError> {
    let mut found = Vec::new();
    for (table, column) in COLUMNS {
        let sql = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY id DESC LIMIT ?");
        for row in db.query(Sql::new(sql).bind(most)).await? {
            found.extend(row.at::<Option<Vec<u8>>>(0)?.filter(|stored| !stored.is_empty()));
        }
    }
    Ok(found)
}

/// Keys and stored values of a column that has any, held until the transaction ends.
pub async fn held(db: &dyn Executor, table: &str, column: &str) -> Result<Vec<(i64, Vec<u8>)>, DbError> {
    let hold = db.dialect().hold();
    let sql = format!("SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY id{hold}");
    let rows = db.query(Sql::new(sql)).await?;
    let pairs = rows.iter().map(|row| Ok((row.at(0)?, row.at::<Option<Vec<u8>>>(1)?.unwrap_or_default())));
    let pairs: Vec<(i64, Vec<u8>)> = pairs.collect::<Result<_, DbError>>()?;
    Ok(pairs.into_iter().filter(|(_, stored)| !stored.is_empty()).collect())
}

/// Stores another value.
pub async fn set(
    db: &dyn Executor,
    (table, column): (&str, &str),
    id: i64,
    stored: Vec<u8>,
) -> Result<(), DbError> {
    let sql = Sql::new(format!("UPDATE {table} SET {column} = ? WHERE id = ?"));
    db.execute(sql.bind(Value::Bytes(stored)).bind(id)).await.map(drop)
}
