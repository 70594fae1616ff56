//! What a database tells about its schemas, tables and columns (`superset.databases.utils`,
//! `superset.connectors.sqla.utils`).

use daos::{database::Database, dataset};
use infra::{
    Error, Result,
    engine_specs::{
        GenericType,
        facts::{CatalogPlace, Inspector},
        url::Url,
    },
    engines::{Engine, EngineError, catalog::ColumnDescription},
    error::{ErrorType, SupersetError},
};
use serde_json::{Value, json};

use crate::connect::engine_as;
use crate::{
    Caller,
    access::{objects, sql_tables},
};

/// `Error` of the REST API for a database that cannot be reached.
fn unreachable(e: EngineError) -> Error {
    e.into_answer(|e| {
        tracing::warn!(error = %e, "database cannot be introspected");
        Error::message(500, "There was an error connecting to the database")
    })
}

/// Names of the schemas that the caller may see.
pub async fn schemas(caller: &Caller, database: &Database, catalog: Option<&str>) -> Result<Vec<String>> {
    let target = engine_as(caller, database, catalog).await?;
    let found = target.schemas_of(catalog).await.map_err(unreachable)?;
    visible_schemas(caller, database, catalog, found).await
}

/// Names of functions for completion; none where the database does not tell them (`get_function_names`).
pub async fn function_names(caller: &Caller, database: &Database) -> Result<Vec<String>> {
    let target = match engine_as(caller, database, None).await {
        Ok(target) => target,
        Err(_) => return Ok(infra::engine_specs::spec_for_uri(&database.sqlalchemy_uri).functions.clone()),
    };
    Ok(target.function_names().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "names of functions are not known");
        Vec::new()
    }))
}

/// Names of the catalogs that the caller may see.
pub async fn catalogs(caller: &Caller, database: &Database) -> Result<Vec<String>> {
    let target = engine_as(caller, database, None).await?;
    if !target.spec().caps.supports_catalog {
        return Ok(Vec::new());
    }
    let mut found = target.catalogs().await.map_err(unreachable)?;
    if !caller.user.can_access_database(database) {
        found.retain(|c| caller.user.can_access_catalog(database, Some(c)));
    }
    Ok(found)
}

/// The catalog of names without one: on PostgreSQL the database of the connection string.
pub fn default_catalog(database: &Database) -> Option<String> {
    let spec = infra::engine_specs::spec_for_uri(&database.sqlalchemy_uri);
    if !spec.caps.supports_catalog {
        return None;
    }
    if spec.connection.catalog == CatalogPlace::Option {
        return Url::parse(&database.sqlalchemy_uri)?.option("catalog").map(str::to_owned);
    }
    if spec.connection.catalog == CatalogPlace::Host {
        let url = Url::parse(&database.sqlalchemy_uri)?;
        return url.host.or(url.database).filter(|name| !name.is_empty());
    }
    let (_, rest) = database.sqlalchemy_uri.split_once("://")?;
    let (_, name) = rest.split('?').next()?.split_once('/')?;
    // Trino's and Presto's have a schema behind it
    let name = match spec.connection.catalog {
        CatalogPlace::Database => name,
        CatalogPlace::Fixed | CatalogPlace::FirstPart | CatalogPlace::Option | CatalogPlace::Host => {
            name.split('/').next()?
        }
    };
    (!name.is_empty()).then(|| name.to_owned())
}

/// Those of the schemas that a grant opens: on the database, the catalog, the schema, or a dataset in it.
async fn visible_schemas(
    caller: &Caller,
    database: &Database,
    catalog: Option<&str>,
    found: Vec<String>,
) -> Result<Vec<String>> {
    if caller.user.can_access_database(database) {
        return Ok(found);
    }
    let catalog = catalog.map(str::to_owned).or_else(|| default_catalog(database));
    if caller.user.can_access_catalog(database, catalog.as_deref()) {
        return Ok(found);
    }
    let granted = |schema: &str| {
        objects::schema_perm(&database.database_name, catalog.as_deref(), Some(schema))
            .is_some_and(|p| caller.user.can_access("schema_access", &p))
    };
    let perms: Vec<String> =
        caller.user.view_menus("datasource_access").into_iter().map(str::to_owned).collect();
    let target = engine_as(caller, database, catalog.as_deref()).await?;
    let default = match target.default_schema().await {
        Ok(default) => default,
        Err(e) => return Err(unreachable(e)),
    };
    let with_datasets: Vec<String> = dataset::of_database(caller.app.db.exec(), database.id)
        .await?
        .into_iter()
        .filter(|d| d.perm.as_ref().is_some_and(|p| perms.contains(p)))
        .filter_map(|d| d.schema.filter(|s| !s.is_empty()).or_else(|| default.clone()))
        .collect();
    Ok(found.into_iter().filter(|s| granted(s) || with_datasets.contains(s)).collect())
}

/// Tables and views of a schema that the caller may see, as the REST API lists them.
pub async fn tables(
    caller: &Caller,
    database: &Database,
    catalog: Option<&str>,
    schema: &str,
) -> Result<Value> {
    let target = engine_as(caller, database, catalog).await?;
    let failed = |e: EngineError, sql: &str| {
        e.into_answer(|e| Error::Legacy { status: 422, error: e.with_statement(sql) })
    };
    let sqlite =
        |kind: &str| format!("SELECT name FROM \"{schema}\".sqlite_master WHERE type='{kind}' ORDER BY name");
    // SQLAlchemy asks for the views first
    let mut views = target.views(schema).await.map_err(|e| failed(e, &sqlite("view")))?;
    let mut tables = target.tables(schema).await.map_err(|e| failed(e, &sqlite("table")))?;
    let default = default_catalog(database);
    let catalog = catalog.or(default.as_deref());
    let all = caller.user.can_access_database(database)
        || caller.user.can_access_catalog(database, catalog)
        || objects::schema_perm(&database.database_name, catalog, Some(schema))
            .is_some_and(|p| caller.user.can_access("schema_access", &p));
    let datasets: Vec<_> = dataset::of_database(caller.app.db.exec(), database.id)
        .await?
        .into_iter()
        .filter(|d| d.schema.as_deref() == Some(schema) && d.catalog.as_deref() == catalog)
        .collect();
    if !all {
        let mine = |name: &String| {
            datasets.iter().any(|d| {
                d.table_name == *name
                    && caller.user.can_access("datasource_access", d.perm.as_deref().unwrap_or_default())
            })
        };
        tables.retain(mine);
        views.retain(mine);
    }
    let extra = |name: &str| {
        let text = datasets.iter().find(|d| d.table_name == name)?.extra.clone()?;
        serde_json::from_str::<Value>(&text).ok()
    };
    let mut options: Vec<(String, Value)> = Vec::new();
    for name in tables {
        let extra = extra(&name).map(|e| dataset_extra(&e));
        options.push((name.clone(), json!({"value": name, "type": "table", "extra": extra})));
    }
    options.extend(views.into_iter().map(|name| (name.clone(), json!({"value": name, "type": "view"}))));
    options.sort_by(|a, b| a.0.cmp(&b.0));
    let result: Vec<Value> = options.into_iter().map(|(_, v)| v).collect();
    Ok(json!({"count": result.len(), "result": result}))
}

/// `extra` without what is empty, as `ExtraJSONMixin.extra` reads it.
fn dataset_extra(extra: &Value) -> Value {
    extra.clone()
}

/// Fails with 404 unless the caller may use a table.
pub async fn raise_for_table(
    caller: &Caller,
    database: &Database,
    catalog: Option<&str>,
    schema: Option<&str>,
    table: &str,
) -> Result<bool> {
    let mut name = sql_tables::TableName {
        catalog: catalog.map(str::to_owned).or_else(|| default_catalog(database)),
        schema: schema.map(str::to_owned),
        table: table.to_owned(),
    };
    if caller.user.can_access_database(database) {
        return Ok(true);
    }
    if name.schema.is_none() {
        let target = engine_as(caller, database, catalog).await?;
        name.schema = target.default_schema().await.ok().flatten();
    }
    sql_tables::can_access_table(caller, database, &name).await
}

/// `GET table_metadata`: columns, keys, indexes, `SELECT *`.
pub async fn table_metadata(
    caller: &Caller,
    database: &Database,
    catalog: Option<&str>,
    (schema, table): (Option<&str>, &str),
) -> Result<Value> {
    let target = engine_as(caller, database, catalog).await?;
    let fail = |e: EngineError| {
        e.into_answer(|e| {
            Error::sip40(500, SupersetError::new(ErrorType::GenericDbEngineError, e.to_string()))
        })
    };
    let inner = schema_or_default(&target, schema).await.map_err(fail)?;
    let columns = target.columns(&inner, table).await.map_err(fail)?;
    if columns.is_empty() && target.spec().sql.inspector != Inspector::Sqlite {
        // SQLAlchemy's error of a missing table has its name for a text
        let name = if target.spec().sql.inspector == Inspector::Snowflake {
            // Snowflake's dialect raises it without one
            "()".to_owned()
        } else if target.spec().quotes.0 == '`' && target.spec().sql.inspector != Inspector::Bigquery {
            format!("`{table}`")
        } else {
            table.to_owned()
        };
        return Err(Error::sip40(500, SupersetError::new(ErrorType::GenericBackendError, name)));
    }
    let primary = target.primary_key(&inner, table).await.map_err(fail)?;
    let mut keys = Vec::new();
    let mut primary_key = if primary.columns.is_empty() {
        // SQLAlchemy's PostgreSQL dialect tells an empty list, SQLite's none: both answers show null here
        json!({"constrained_columns": null, "name": primary.name})
    } else {
        let key = json!({"column_names": primary.columns, "name": primary.name, "type": "pk"});
        keys.push(key.clone());
        key
    };
    if target.spec().sql.inspector == Inspector::Bigquery {
        // keys have no names there
        primary_key = json!({"constrained_columns": null});
    }
    if target.spec().sql.inspector == Inspector::Athena {
        primary_key = json!({});
    }
    let mut foreign_keys = Vec::new();
    for key in target.foreign_keys(&inner, table).await.map_err(fail)? {
        foreign_keys.push(json!({
            "column_names": key.columns,
            "name": key.name,
            "options": {},
            "referred_columns": key.referred_columns,
            "referred_schema": key.referred_schema,
            "referred_table": key.referred_table,
            "type": "fk",
        }));
    }
    keys.extend(foreign_keys.clone());
    for index in target.indexes(&inner, table).await.map_err(fail)? {
        let kind = if index.unique { "unique" } else { "index" };
        keys.push(json!({"column_names": index.columns, "name": index.name, "type": kind}));
    }
    let described = |c: &ColumnDescription| {
        let of: Vec<&Value> = keys
            .iter()
            .filter(|k| {
                k["column_names"].as_array().is_some_and(|a| a.iter().any(|n| n.as_str() == Some(&c.name)))
            })
            .collect();
        let long = printed_type(&c.type_, target.spec().sql.inspector);
        let short = long.split('(').next().unwrap_or(&long);
        json!({"name": c.name, "type": short, "longType": long, "keys": of, "comment": c.comment})
    };
    Ok(json!({
        "name": table,
        "columns": columns.iter().map(described).collect::<Vec<_>>(),
        "selectStar": select_star(&target, catalog, schema, table),
        "primaryKey": primary_key,
        "foreignKeys": foreign_keys,
        "indexes": keys,
        "comment": target.table_comment(&inner, table).await.map_err(fail)?,
    }))
}

/// `str()` of SQLAlchemy's type, which says less than the dialect's own form of it.
fn printed_type(compiled: &str, inspector: Inspector) -> String {
    if inspector == Inspector::Postgres {
        return compiled.replace("DOUBLE PRECISION", "DOUBLE_PRECISION");
    }
    let name = compiled.split(['(', ' ']).next().unwrap_or(compiled);
    if inspector == Inspector::Bigquery {
        return printed_by_bigquery(compiled);
    }
    if inspector == Inspector::Athena {
        return match name {
            "STRING" => "VARCHAR",
            "DOUBLE" => "FLOAT",
            "UNKNOWN" => "NULL",
            _ => compiled,
        }
        .to_owned();
    }
    if inspector == Inspector::Presto {
        // what SQLAlchemy has no type for prints as its null type
        return match name {
            "UNKNOWN" => "NULL".to_owned(),
            "TIME" | "TIMESTAMP" | "ARRAY" | "MAP" | "ROW" => name.to_owned(),
            _ => compiled.to_owned(),
        };
    }
    let plain = ["INT", "FLOAT", "DOUBLE", "TIME", "DATETIME", "TIMESTAMP", "YEAR", "BIT", "ENUM", "SET"];
    if inspector == Inspector::Mysql && plain.iter().any(|p| name.ends_with(p) || name == "INTEGER") {
        return name.to_owned();
    }
    compiled.to_owned()
}

/// SQLAlchemy's own names of the service's types.
fn printed_by_bigquery(compiled: &str) -> String {
    if compiled.starts_with("ARRAY<") {
        return "ARRAY".to_owned();
    }
    let (name, length) = compiled.split_at(compiled.find('(').unwrap_or(compiled.len()));
    let name = match name {
        "BOOL" => "BOOLEAN",
        "INT64" => "INTEGER",
        "FLOAT64" => "FLOAT",
        "STRING" => "VARCHAR",
        "BYTES" => "BINARY",
        "BIGNUMERIC" => "NUMERIC",
        "UNKNOWN" => "NULL",
        _ => return compiled.to_owned(),
    };
    format!("{name}{length}")
}

async fn schema_or_default(target: &Engine, schema: Option<&str>) -> Result<String, EngineError> {
    match schema.filter(|s| !s.is_empty()) {
        Some(schema) => Ok(schema.to_owned()),
        None => Ok(target.default_schema().await?.unwrap_or_default()),
    }
}

/// The table has columns; SQLite's inspector finds nothing wrong with a table that is not there.
pub async fn table_exists(target: &Engine, schema: Option<&str>, table: &str) -> bool {
    if target.spec().sql.inspector == Inspector::Sqlite {
        return true;
    }
    match schema_or_default(target, schema).await {
        Ok(schema) => target.columns(&schema, table).await.is_ok_and(|c| !c.is_empty()),
        Err(_) => true,
    }
}

/// `SELECT * FROM table LIMIT 100` as Superset prints it; the catalog stands before the name where the engine reads
/// more than one.
pub fn select_star(target: &Engine, catalog: Option<&str>, schema: Option<&str>, table: &str) -> String {
    crate::introspect::select_star::select_star(target.spec(), catalog, schema, table)
}

/// Columns of a table as the source has them; none when there is no such table.
pub async fn table_columns(
    caller: &Caller,
    database: &Database,
    catalog: Option<&str>,
    (schema, table): (Option<&str>, &str),
) -> Result<Option<Vec<Value>>> {
    let target = engine_as(caller, database, catalog).await?;
    let spec = target.spec();
    let lite = spec.sql.inspector == Inspector::Sqlite;
    let inspector = spec.sql.inspector;
    let shown = schema.unwrap_or_default();
    let fail = |e: EngineError| {
        let statement = format!("PRAGMA \"{shown}\".table_info(\"{table}\")");
        e.into_answer(|e| Error::Legacy { status: 422, error: e.with_statement(&statement) })
    };
    let inner = schema_or_default(&target, schema).await.map_err(fail)?;
    let columns = target.columns(&inner, table).await.map_err(fail)?;
    if columns.is_empty() {
        return Ok(None);
    }
    let primary = target.primary_key(&inner, table).await.map_err(fail)?;
    let described = |c: &ColumnDescription| {
        let type_ = native_type(&c.type_, inspector);
        let generic = spec.generic_type(&type_);
        let mut map = serde_json::Map::new();
        map.insert("column_name".into(), json!(c.name));
        map.insert("name".into(), json!(c.name));
        map.insert("type".into(), json!(type_));
        map.insert("nullable".into(), json!(c.nullable));
        map.insert("default".into(), json!(c.default));
        if lite {
            map.insert("autoincrement".into(), json!("auto"));
            let at = primary.columns.iter().position(|p| *p == c.name);
            map.insert("primary_key".into(), json!(at.map_or(0, |i| i + 1)));
        } else {
            let serial = c.default.as_deref().is_some_and(|d| d.starts_with("nextval("));
            map.insert("autoincrement".into(), json!(serial));
            map.insert("comment".into(), json!(c.comment));
        }
        map.insert("type_generic".into(), json!(generic.map(|g| g as u8)));
        map.insert("is_dttm".into(), generic.map_or(Value::Null, |g| json!(g == GenericType::Temporal)));
        Value::Object(map)
    };
    Ok(Some(columns.iter().map(described).collect()))
}

/// Types as the dialect compiles them: PostgreSQL names the missing time zone, BigQuery no lengths but those of bytes.
fn native_type(type_: &str, inspector: Inspector) -> String {
    if inspector == Inspector::Bigquery && !type_.starts_with("BYTES") && !type_.contains('<') {
        return type_.split('(').next().unwrap_or(type_).to_owned();
    }
    let zoned = inspector == Inspector::Postgres;
    let bare = matches!(type_.split('(').next(), Some("TIMESTAMP" | "TIME"));
    if zoned && bare && !type_.ends_with("ZONE") {
        format!("{type_} WITHOUT TIME ZONE")
    } else {
        type_.to_owned()
    }
}
