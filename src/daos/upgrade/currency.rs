//! `sql_metrics.currency`, which becomes JSON.

use infra::db::{DbError, Dialect, Executor, Sql};

use super::{
    ddl::{self, Holds},
    shape,
};

/// The revision that makes the column JSON.
pub const REVISION: &str = "f1edd4a4d4f2";

/// Where the documents wait until the column of texts is gone.
pub const TEMPORARY: &str = "currency_tmp";

/// A currency of a metric.
#[derive(Debug)]
pub struct Currency {
    /// The metric.
    pub id: i64,
    /// Its text.
    pub text: String,
}

async fn read(db: &dyn Executor, select: &str) -> Result<Vec<Currency>, DbError> {
    let rows = db.query(Sql::new(select)).await?;
    rows.iter().map(|row| Ok(Currency { id: row.at(0)?, text: row.at(1)? })).collect()
}

/// Makes the column JSON. `encode` writes a text as what the column will hold, or leaves it out; PostgreSQL does it
/// with a function of its own, which stays, as that of the original does.
pub async fn make_json(db: &dyn Executor, encode: fn(&str) -> Option<String>) -> Result<(), DbError> {
    match db.dialect() {
        Dialect::Postgres => {
            let is_json = shape::columns(db, "sql_metrics")
                .await?
                .get("currency")
                .is_some_and(|c| c.kind.starts_with("json"));
            let function = "CREATE OR REPLACE FUNCTION safe_to_jsonb(input text) RETURNS jsonb LANGUAGE plpgsql \
                            IMMUTABLE AS $$\nBEGIN\n  RETURN input::jsonb;\nEXCEPTION WHEN invalid_text_representation \
                            THEN\n  RETURN NULL;\nEND;\n$$";
            let convert =
                "ALTER TABLE sql_metrics ALTER COLUMN currency TYPE jsonb USING safe_to_jsonb(currency)";
            db.execute(Sql::new(function)).await?;
            if is_json { Ok(()) } else { db.execute(Sql::new(convert)).await.map(drop) }
        }
        Dialect::Sqlite | Dialect::Mysql => {
            let columns = shape::columns(db, "sql_metrics").await?;
            // both are gone or made in statements of their own: an attempt may have ended between them
            if columns.contains_key("currency") {
                if !columns.contains_key(TEMPORARY) && is_json(&columns["currency"].kind) {
                    return Ok(());
                }
                ddl::add_column(db, "sql_metrics", TEMPORARY, Holds::Json).await?;
                for Currency { id, text } in
                    read(db, "SELECT id, currency FROM sql_metrics WHERE currency IS NOT NULL ORDER BY id")
                        .await?
                {
                    if let Some(encoded) = encode(&text) {
                        db.update_row("sql_metrics", id, vec![(TEMPORARY, encoded.into())]).await?;
                    }
                }
                db.execute(Sql::new("ALTER TABLE sql_metrics DROP COLUMN currency")).await?;
            }
            let rename = match db.dialect() {
                // what MariaDB checks in a JSON column follows its new name only so
                Dialect::Mysql => format!("ALTER TABLE sql_metrics CHANGE {TEMPORARY} currency JSON NULL"),
                _ => format!("ALTER TABLE sql_metrics RENAME COLUMN {TEMPORARY} TO currency"),
            };
            db.execute(Sql::new(rename)).await.map(drop)
        }
    }
}

/// MariaDB's JSON is a long text with a check.
fn is_json(kind: &str) -> bool {
    kind.starts_with("json") || kind == "longtext"
}

/// The documents of all currencies that are JSON strings.
pub async fn strings(db: &dyn Executor) -> Result<Vec<Currency>, DbError> {
    let sql = match db.dialect() {
        Dialect::Postgres => {
            "SELECT id, currency::text FROM sql_metrics WHERE jsonb_typeof(currency) = 'string' ORDER BY id"
        }
        Dialect::Sqlite => "SELECT id, currency FROM sql_metrics WHERE currency LIKE '\"%' ORDER BY id",
        Dialect::Mysql => {
            "SELECT id, CAST(currency AS CHAR) FROM sql_metrics WHERE JSON_TYPE(currency) = 'STRING' ORDER BY id"
        }
    };
    read(db, sql).await
}

/// Writes the document of a currency.
pub async fn set(db: &dyn Executor, id: i64, json: &str) -> Result<(), DbError> {
    db.update_row("sql_metrics", id, vec![("currency", json.into())]).await.map(drop)
}
