//! PostgreSQL: tokio-postgres behind a deadpool.

use std::{error::Error as StdError, sync::Arc};

use bytes::BytesMut;
use deadpool_postgres::{Client, Hook, HookError, Manager, ManagerConfig, RecyclingMethod, Runtime};
use tokio_postgres::{
    Statement,
    error::SqlState,
    types::{FromSql, IsNull, ToSql, Type},
};

use crate::{
    pg::{Connector, Target},
    telemetry::{self, Database},
};

use super::{DbError, Dialect, PoolOptions, Row, Sql, Value};

#[derive(Clone)]
pub(super) struct Pool(deadpool_postgres::Pool);

impl Pool {
    pub async fn open(target: &Target, options: PoolOptions) -> Result<Self, DbError> {
        let method = if options.ping { RecyclingMethod::Verified } else { RecyclingMethod::Fast };
        let recycle = ManagerConfig { recycling_method: method };
        let connector = Connector::new(&target.verify).map_err(|e| DbError::Unavailable(e.to_string()))?;
        let manager = Manager::from_connect(target.config.clone(), connector, recycle);
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(options.size.max(2))
            .wait_timeout(options.wait)
            .runtime(Runtime::Tokio1)
            .pre_recycle(Hook::sync_fn(move |_, metrics| match options.max_age {
                Some(most) if metrics.age() > most => Err(HookError::message("the connection is too old")),
                _ => Ok(()),
            }))
            .build()
            .map_err(|e| DbError::Unavailable(e.to_string()))?;
        let pool = Self(pool);
        pool.query(Sql::new("SELECT 1")).await?;
        Ok(pool)
    }
    async fn get(&self) -> Result<Client, DbError> {
        let got = telemetry::connection(Database::Metadata, self.0.get()).await;
        got.map_err(|e| DbError::Unavailable(describe(&e)))
    }
    pub async fn query(&self, sql: Sql) -> Result<Vec<Row>, DbError> {
        run_query(&self.get().await?, &sql).await
    }
    pub async fn execute(&self, sql: Sql) -> Result<u64, DbError> {
        run_execute(&self.get().await?, &sql).await
    }
    pub async fn begin(&self) -> Result<Tx, DbError> {
        self.begin_with("BEGIN").await
    }
    pub async fn begin_with(&self, begin: &'static str) -> Result<Tx, DbError> {
        // owned before it begins: who gives up meanwhile must not leave an open transaction to the pool
        let tx = Tx { client: Some(self.get().await?) };
        tx.batch(begin).await?;
        Ok(tx)
    }
}

pub(super) struct Tx {
    client: Option<Client>,
}

impl Tx {
    fn client(&self) -> Result<&Client, DbError> {
        self.client.as_ref().ok_or_else(|| DbError::Query("transaction is over".into()))
    }
    pub async fn query(&self, sql: Sql) -> Result<Vec<Row>, DbError> {
        run_query(self.client()?, &sql).await
    }
    pub async fn execute(&self, sql: Sql) -> Result<u64, DbError> {
        run_execute(self.client()?, &sql).await
    }
    pub async fn batch(&self, text: &'static str) -> Result<(), DbError> {
        self.client()?.batch_execute(text).await.map_err(error)
    }
    pub async fn commit(mut self) -> Result<(), DbError> {
        self.client()?.batch_execute("COMMIT").await.map_err(error)?;
        self.client = None;
        Ok(())
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = client.batch_execute("ROLLBACK").await;
            });
        }
    }
}

/// The whole chain of causes; some errors already say their cause, others only "error connecting to server".
fn describe(e: &dyn StdError) -> String {
    let (mut text, mut source) = (e.to_string(), e.source());
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

fn error(e: tokio_postgres::Error) -> DbError {
    let Some(db) = e.as_db_error() else {
        let text = describe(&e);
        return if e.is_closed() { DbError::Unavailable(text) } else { DbError::Query(text) };
    };
    let text = match db.detail() {
        Some(detail) => format!("{}\nDETAIL:  {detail}", db.message()),
        None => db.message().to_owned(),
    };
    if *db.code() == SqlState::NUMERIC_VALUE_OUT_OF_RANGE {
        return DbError::OutOfRange(text);
    }
    match db.code().code().get(..2) {
        Some("23") => DbError::Integrity(text),
        Some("57" | "53" | "08") => DbError::Unavailable(text),
        _ => DbError::Query(text),
    }
}

/// A statement whose numbers fit. Where a column is narrower than a number, the number is compared as what it is and
/// equals nothing, as psycopg2's literals do; only storing it is refused.
async fn prepare(client: &Client, sql: &Sql) -> Result<Statement, DbError> {
    let statement = client.prepare_cached(&Dialect::Postgres.placeholders(sql)).await.map_err(error)?;
    let pairs = || sql.params.iter().zip(statement.params());
    if !pairs().any(|(value, ty)| is_too_large(value, ty)) {
        return Ok(statement);
    }
    let wide: Vec<bool> = pairs().map(|(value, ty)| is_too_large(value, ty)).collect();
    let cast = |n: usize| if wide.get(n) == Some(&true) { "::int8" } else { "" };
    let text = Dialect::Postgres.placeholders_cast(sql, cast);
    client.prepare(&text).await.map_err(error)
}

fn is_too_large(value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (Value::Int(n), &Type::INT4) => i32::try_from(*n).is_err(),
        (Value::Int(n), &Type::INT2) => i16::try_from(*n).is_err(),
        _ => false,
    }
}

async fn run_query(client: &Client, sql: &Sql) -> Result<Vec<Row>, DbError> {
    let statement = prepare(client, sql).await?;
    let columns: Arc<[String]> = statement.columns().iter().map(|c| c.name().to_owned()).collect();
    let params: Vec<&(dyn ToSql + Sync)> = sql.params.iter().map(|p| p as _).collect();
    let rows = client.query(&statement, &params).await.map_err(error)?;
    rows.iter()
        .map(|row| {
            let values = (0..columns.len()).map(|i| row.try_get::<_, Value>(i)).collect::<Result<_, _>>();
            Ok(Row { columns: columns.clone(), values: values.map_err(error)? })
        })
        .collect()
}

async fn run_execute(client: &Client, sql: &Sql) -> Result<u64, DbError> {
    let statement = prepare(client, sql).await?;
    let params: Vec<&(dyn ToSql + Sync)> = sql.params.iter().map(|p| p as _).collect();
    client.execute(&statement, &params).await.map_err(error)
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(match *ty {
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::OID => Self::Int(u32::from_sql(ty, raw)?.into()),
            Type::FLOAT4 => Self::Float(f32::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Self::Float(f64::from_sql(ty, raw)?),
            Type::NUMERIC => Self::Text(numeric_text(raw)?),
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            Type::UUID => Self::Uuid(uuid::Uuid::from_sql(ty, raw)?),
            Type::TIMESTAMP => Self::DateTime(chrono::NaiveDateTime::from_sql(ty, raw)?),
            Type::TIMESTAMPTZ => {
                Self::DateTime(chrono::DateTime::<chrono::Utc>::from_sql(ty, raw)?.naive_utc())
            }
            Type::DATE => Self::Text(chrono::NaiveDate::from_sql(ty, raw)?.to_string()),
            Type::JSON | Type::JSONB => Self::Text(serde_json::Value::from_sql(ty, raw)?.to_string()),
            _ => Self::Text(std::str::from_utf8(raw)?.to_owned()),
        })
    }
    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self::Null)
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Decimal text of the binary `numeric` format: base-10000 digits, weight, sign, scale.
fn numeric_text(raw: &[u8]) -> Result<String, Box<dyn StdError + Sync + Send>> {
    let field = |i: usize| -> Result<i16, Box<dyn StdError + Sync + Send>> {
        let bytes = raw.get(i * 2..i * 2 + 2).ok_or("short numeric")?;
        Ok(i16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let (digits, weight, sign, scale) = (field(0)?, field(1)?, field(2)? as u16, field(3)?.max(0) as usize);
    if sign == 0xC000 {
        return Ok("NaN".into());
    }
    let mut text = String::new();
    if sign == 0x4000 {
        text.push('-');
    }
    if weight < 0 {
        text.push('0');
    }
    for i in 0..=weight.max(-1) {
        let digit = if i < digits { field(4 + i as usize)? } else { 0 };
        if i == 0 { text.push_str(&digit.to_string()) } else { text.push_str(&format!("{digit:04}")) }
    }
    if scale > 0 {
        let mut fraction = String::new();
        let mut i = weight + 1;
        while fraction.len() < scale {
            let digit = if i >= 0 && i < digits { field(4 + i as usize)? } else { 0 };
            fraction.push_str(&format!("{digit:04}"));
            i += 1;
        }
        text.push('.');
        text.push_str(&fraction[..scale]);
    }
    Ok(text)
}

/// Parameters adapt to the type that PostgreSQL inferred for the placeholder.
impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Bool(b), &Type::BOOL) => b.to_sql(ty, out),
            (Self::Bool(b), _) => Self::Int(i64::from(*b)).to_sql(ty, out),
            (Self::Int(i), &Type::BOOL) => (*i != 0).to_sql(ty, out),
            (Self::Int(i), &Type::INT2) => i16::try_from(*i)?.to_sql(ty, out),
            (Self::Int(i), &Type::INT4) => i32::try_from(*i)?.to_sql(ty, out),
            (Self::Int(i), &Type::INT8) => i.to_sql(ty, out),
            (Self::Int(i), &Type::FLOAT4) => (*i as f32).to_sql(ty, out),
            (Self::Int(i), &Type::FLOAT8) => (*i as f64).to_sql(ty, out),
            (Self::Float(f), &Type::FLOAT4) => (*f as f32).to_sql(ty, out),
            (Self::Float(f), &Type::FLOAT8) => f.to_sql(ty, out),
            (Self::Int(_) | Self::Float(_), &Type::NUMERIC) => write_numeric(&self.plain(), out),
            (Self::Text(t), &Type::NUMERIC) => write_numeric(t, out),
            (Self::Text(t), &Type::UUID) => uuid::Uuid::parse_str(t)?.to_sql(ty, out),
            (Self::Text(t), &Type::INT2 | &Type::INT4 | &Type::INT8) => {
                Self::Int(t.trim().parse()?).to_sql(ty, out)
            }
            (Self::Text(t), &Type::TIMESTAMP | &Type::TIMESTAMPTZ) => {
                let t = super::parse_datetime(t).ok_or("not a timestamp")?;
                Self::DateTime(t).to_sql(ty, out)
            }
            (Self::Text(t), &Type::JSONB) => serde_json::from_str::<serde_json::Value>(t)?.to_sql(ty, out),
            (Self::Text(t), _) => {
                out.extend_from_slice(t.as_bytes());
                Ok(IsNull::No)
            }
            (Self::Bytes(b), _) => {
                out.extend_from_slice(b);
                Ok(IsNull::No)
            }
            (Self::DateTime(t), &Type::TIMESTAMPTZ) => t.and_utc().to_sql(ty, out),
            (Self::DateTime(t), &Type::TIMESTAMP) => t.to_sql(ty, out),
            (Self::Uuid(u), &Type::UUID) => u.to_sql(ty, out),
            (other, _) => {
                out.extend_from_slice(other.plain().as_bytes());
                Ok(IsNull::No)
            }
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    tokio_postgres::types::to_sql_checked!();
}

impl Value {
    fn plain(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(b) => b.to_string(),
            Self::Int(i) => i.to_string(),
            Self::Float(f) => f.to_string(),
            Self::Text(t) => t.clone(),
            Self::Bytes(b) => String::from_utf8_lossy(b).into_owned(),
            Self::DateTime(t) => t.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
            Self::Uuid(u) => u.to_string(),
        }
    }
}

/// Writes decimal text in the binary `numeric` format.
fn write_numeric(text: &str, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
    let (sign, digits) = text.strip_prefix('-').map_or((0_i16, text), |rest| (0x4000, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(format!("not a number: {text}").into());
    }
    let mut padded = format!("{}{whole}", "0".repeat((4 - whole.len() % 4) % 4));
    let weight = i16::try_from(padded.len() / 4)? - 1;
    padded.push_str(fraction);
    padded.push_str(&"0".repeat((4 - fraction.len() % 4) % 4));
    let groups = padded.as_bytes().chunks(4).map(|c| std::str::from_utf8(c).map(str::parse::<i16>));
    let groups: Vec<i16> =
        groups.map(|g| Ok::<_, Box<dyn StdError + Sync + Send>>(g??)).collect::<Result<_, _>>()?;
    for field in [i16::try_from(groups.len())?, weight, sign, i16::try_from(fraction.len())?] {
        out.extend_from_slice(&field.to_be_bytes());
    }
    for group in groups {
        out.extend_from_slice(&group.to_be_bytes());
    }
    Ok(IsNull::No)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerics_survive_the_binary_format() {
        for text in ["0.000000", "1.5", "-12345.678900", "1795212350450.104980", "10000", "0.0001"] {
            let mut out = BytesMut::new();
            write_numeric(text, &mut out).unwrap();
            assert_eq!(numeric_text(&out).unwrap(), text);
        }
        assert!(write_numeric("1e5", &mut BytesMut::new()).is_err());
    }
}
