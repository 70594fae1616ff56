//! Permissions that follow a connection: on the database, its catalogs and its schemas
//! (`superset.commands.database.sync_permissions`, `superset.security.manager:database_after_update`).

use daos::{access_rows, database::Database, dataset};
use infra::{
    Error, Result,
    db::Executor,
    engines::{Engine, EngineError},
};
use serde_json::Value;

use crate::{
    Caller,
    access::objects::{catalog_perm, schema_perm},
    connect::engine_as,
    introspect::tables::default_catalog,
};

/// A catalog, none where the engine has no catalogs, and its schemas.
pub type Layout = Vec<(Option<String>, Vec<String>)>;

/// 422: the database does not answer.
pub fn connection_failed() -> Error {
    Error::unprocessable("Connection failed, please check your connection settings")
}

/// The catalogs and schemas that permissions are kept for: those of the default catalog, unless catalogs mix.
/// A catalog that does not answer is left out. Asked before any transaction is open.
pub async fn layout(caller: &Caller, database: &Database, target: &Engine) -> Result<Layout> {
    let caps = &target.spec().caps;
    let default = default_catalog(database);
    if !caps.supports_catalog {
        let schemas = target.schemas().await.unwrap_or_default();
        return Ok(vec![(None, schemas)]);
    }
    let many = database.extra_json().get("allow_multi_catalog").and_then(Value::as_bool) == Some(true);
    let catalogs = if caps.supports_cross_catalog_queries || many {
        let listed = target.catalogs().await;
        listed.map_err(|_| connection_failed())?.into_iter().map(Some).collect()
    } else {
        vec![default.clone()]
    };
    let mut layout = Layout::new();
    for catalog in catalogs {
        let schemas = match engine_as(caller, database, catalog.as_deref()).await {
            Ok(engine) => engine.schemas_of(catalog.as_deref()).await,
            Err(error) => Err(EngineError::Connect(error.to_string())),
        };
        match schemas {
            Ok(schemas) => layout.push((catalog, schemas)),
            Err(error) => tracing::warn!(%error, "a catalog does not answer"),
        }
    }
    Ok(layout)
}

/// Makes the permissions of a new connection.
pub async fn created(db: &dyn Executor, database: &Database, layout: &Layout) -> Result<()> {
    let name = &database.database_name;
    access_rows::ensure(db, "database_access", &[database.perm()]).await?;
    let catalogs: Vec<String> = layout.iter().filter_map(|(c, _)| catalog_perm(name, c.as_deref())).collect();
    access_rows::ensure(db, "catalog_access", &catalogs).await?;
    let schemas: Vec<String> = layout.iter().flat_map(|(c, s)| schema_perms(name, c.as_deref(), s)).collect();
    Ok(access_rows::ensure(db, "schema_access", &schemas).await?)
}

fn schema_perms(database: &str, catalog: Option<&str>, schemas: &[String]) -> Vec<String> {
    schemas.iter().filter_map(|s| schema_perm(database, catalog, Some(s))).collect()
}

/// Brings the permissions in step with the catalogs and schemas of a connection that was called `old` before.
pub async fn synchronize(db: &dyn Executor, database: &Database, old: &str, layout: &Layout) -> Result<()> {
    let new = database.database_name.as_str();
    for (catalog, schemas) in layout {
        let catalog = catalog.as_deref();
        if let Some(perm) = catalog_perm(old, catalog)
            && access_rows::granted_on(db, "catalog_access", &[perm]).await?.is_empty()
        {
            let fresh: Vec<String> = catalog_perm(new, catalog).into_iter().collect();
            access_rows::ensure(db, "catalog_access", &fresh).await?;
            access_rows::ensure(db, "schema_access", &schema_perms(new, catalog, schemas)).await?;
            continue;
        }
        let known = schema_perms(old, catalog, schemas);
        let there = access_rows::granted_on(db, "schema_access", &known).await?;
        let fresh: Vec<String> = schemas
            .iter()
            .filter(|s| schema_perm(old, catalog, Some(s)).is_some_and(|p| !there.contains(&p)))
            .filter_map(|s| schema_perm(new, catalog, Some(s)))
            .collect();
        access_rows::ensure(db, "schema_access", &fresh).await?;
        if old != new {
            rename_catalog(db, database, old, catalog, schemas).await?;
        }
    }
    Ok(())
}

async fn rename_catalog(
    db: &dyn Executor,
    database: &Database,
    old: &str,
    catalog: Option<&str>,
    schemas: &[String],
) -> Result<()> {
    let new = database.database_name.as_str();
    let mut pairs: Vec<(String, String)> = Vec::new();
    pairs.extend(catalog_perm(old, catalog).zip(catalog_perm(new, catalog)));
    for schema in schemas {
        pairs.extend(schema_perm(old, catalog, Some(schema)).zip(schema_perm(new, catalog, Some(schema))));
    }
    access_rows::rename(db, &pairs).await?;
    for dataset in dataset::of_database(db, database.id).await? {
        let schema = dataset.schema.as_deref().filter(|s| schemas.iter().any(|known| known == s));
        if schema.is_none() || dataset.catalog.as_deref() != catalog {
            continue;
        }
        let perms = (catalog_perm(new, catalog), schema_perm(new, catalog, schema));
        dataset::set_place(db, dataset.id, perms.0, perms.1).await?;
    }
    Ok(())
}

/// A connection has a new name: its own permission and those of its datasets follow.
pub async fn renamed(db: &dyn Executor, database: &Database, old: &str) -> Result<()> {
    let old_perm = format!("[{old}].(id:{})", database.id);
    if access_rows::rename(db, &[(old_perm, database.perm())]).await?.is_empty() {
        access_rows::ensure(db, "database_access", &[database.perm()]).await?;
    }
    let datasets = dataset::of_database(db, database.id).await?;
    let perm = |name: &str, d: &dataset::Dataset| format!("[{name}].[{}](id:{})", d.table_name, d.id);
    let pairs: Vec<(String, String)> =
        datasets.iter().map(|d| (perm(old, d), perm(&database.database_name, d))).collect();
    for (old, new) in access_rows::rename(db, &pairs).await? {
        dataset::rename_perm(db, &old, &new).await?;
    }
    Ok(())
}
