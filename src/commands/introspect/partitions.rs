//! What Trino, Presto and BigQuery tell of a table beyond its columns: its partitions, and the text of a view
//! (`get_extra_table_metadata`).

use daos::database::Database;
use infra::{
    Error, Result,
    engine_specs::facts::TableExtra,
    engines::{Engine, EngineError, QueryOptions, column::Scalar},
    error::{ErrorType, SupersetError},
};
use serde_json::{Map, Value, json};

use crate::Caller;
use crate::connect::engine_as;

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn scalar_json(value: &Scalar) -> Value {
    match value {
        Scalar::Null => Value::Null,
        Scalar::Text(text) => json!(text),
        Scalar::Int(n) => json!(n),
        Scalar::Bool(b) => json!(b),
        Scalar::Float(f) => json!(f),
        Scalar::Decimal(d) => json!(d.to_string()),
        Scalar::Date(d) => json!(d.to_string()),
        Scalar::Timestamp(t) => json!(t.format("%Y-%m-%dT%H:%M:%S%.f").to_string()),
        other => json!(format!("{other:?}")),
    }
}

/// Partitions and view of a table; nothing on other engines.
pub async fn table_extra(
    caller: &Caller,
    database: &Database,
    catalog: Option<&str>,
    schema: Option<&str>,
    table: &str,
) -> Result<Value> {
    let kind = infra::engine_specs::spec_for_uri(&database.sqlalchemy_uri).sql.table_extra;
    if kind == TableExtra::Nothing {
        return Ok(json!({}));
    }
    let target = engine_as(caller, database, catalog).await?;
    let failed = |e: EngineError| {
        e.into_answer(|e| {
            Error::sip40(500, SupersetError::new(ErrorType::GenericDbEngineError, e.to_string()))
        })
    };
    if kind == TableExtra::TimePartition {
        return time_partition(&target, catalog, schema, table).await.map_err(failed);
    }
    extra(&target, kind == TableExtra::ShowCreateView, schema, table).await.map_err(failed)
}

/// The column that a table is cut by, its newest partition, and the statement that shows that one
/// (`BigQueryEngineSpec.get_extra_table_metadata`).
async fn time_partition(
    target: &Engine,
    catalog: Option<&str>,
    schema: Option<&str>,
    table: &str,
) -> Result<Value, EngineError> {
    let schema = schema.filter(|s| !s.is_empty());
    let inner = match schema {
        Some(schema) => schema.to_owned(),
        None => target.default_schema().await?.unwrap_or_default(),
    };
    let Some(column) = target.time_partition(&inner, table).await? else { return Ok(json!({})) };
    let dialect = query::engine::Dialect::for_engine(target.spec());
    let quoted = |name: &str| dialect.quote(name);
    let place = catalog.into_iter().chain(Some(&*inner).filter(|inner| !inner.is_empty()));
    let schema_parts: Vec<String> = place.map(quoted).collect();
    let literal = format!("'{}'", table.replace('\\', "\\\\").replace('\'', "\\'"));
    let sql = format!(
        "SELECT max(`PARTITIONS`.`partition_id`) AS `max_partition_id` FROM \
         {}.`INFORMATION_SCHEMA`.`PARTITIONS` WHERE `PARTITIONS`.`table_name` = {literal}",
        schema_parts.join(".")
    );
    let found = target.query(&sql, &QueryOptions::default()).await?;
    let latest = found.data.first().map_or(Value::Null, |column| scalar_json(&column.get(0)));
    let parts = [catalog, schema, Some(table)].into_iter().flatten();
    let name = parts.map(quoted).collect::<Vec<_>>().join(".");
    let value = match latest.as_str() {
        Some(id) => format!("'{}'", id.replace('\\', "\\\\").replace('\'', "\\'")),
        None => "NULL".to_owned(),
    };
    let shown = format!(
        "SELECT * \nFROM {name} \nWHERE {} = PARSE_DATE('%Y%m%d', {value})\n LIMIT 100",
        quoted(&column)
    );
    Ok(json!({
        "partitions": {
            "cols": [column],
            "latest": Map::from_iter([(column.clone(), latest)]),
            "partitionQuery": shown,
        },
        "indexes": [{"name": "partitioned", "cols": [column], "type": "partitioned"}],
    }))
}

async fn extra(
    target: &Engine,
    shows_create: bool,
    schema: Option<&str>,
    table: &str,
) -> Result<Value, EngineError> {
    let mut metadata = Map::new();
    let inner = match schema.filter(|s| !s.is_empty()) {
        Some(schema) => schema.to_owned(),
        None => target.default_schema().await?.unwrap_or_default(),
    };
    if let Some(index) = target.indexes(&inner, table).await?.into_iter().next() {
        let place = format!("{}.{}", quoted(&inner), quoted(&format!("{table}$partitions")));
        let order: Vec<String> = index.columns.iter().map(|c| format!("{} DESC", quoted(c))).collect();
        let sql = format!("SELECT * FROM {place} ORDER BY {} LIMIT 1", order.join(", "));
        let found = target.query(&sql, &QueryOptions::default()).await?;
        // the first values stand for the columns of the key, in their order
        let value = |i: usize| found.data.get(i).map_or(Value::Null, |column| scalar_json(&column.get(0)));
        let latest: Map<String, Value> =
            index.columns.iter().enumerate().map(|(i, name)| (name.clone(), value(i))).collect();
        let mut columns = index.columns.clone();
        columns.sort_unstable();
        let prefix = schema.filter(|s| !s.is_empty()).map(|s| format!("{s}.")).unwrap_or_default();
        metadata.insert(
            "partitions".into(),
            json!({
                "cols": columns,
                "latest": latest,
                "partitionQuery": format!("SELECT * FROM {prefix}\"{table}$partitions\"\n\n\n\n"),
            }),
        );
    }
    let is_view = target.views(&inner).await?.iter().any(|view| view == table);
    if is_view {
        let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let sql = if shows_create {
            format!("SHOW CREATE VIEW {}.{}", quoted(&inner), quoted(table))
        } else {
            format!(
                "SELECT \"view_definition\" FROM \"information_schema\".\"views\" WHERE \"table_schema\" = {} AND \
                 \"table_name\" = {}",
                literal(&inner),
                literal(table)
            )
        };
        let found = target.query(&sql, &QueryOptions::default()).await?;
        let text = found.data.first().map_or(Value::Null, |column| scalar_json(&column.get(0)));
        metadata.insert("view".into(), text);
    } else if shows_create {
        metadata.insert("view".into(), Value::Null);
    }
    Ok(Value::Object(metadata))
}
