//! Access to the tables that a statement reads.

use std::collections::BTreeSet;

use daos::{database::Database, dataset, person::Owned};
use infra::{
    Error, Result,
    config::Config,
    error::{ErrorType, SupersetError},
};
use serde_json::json;

use super::{objects, ownership};
use crate::Caller;

/// A table as a statement names it, completed with the defaults of the connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// Catalog.
    pub catalog: Option<String>,
    /// Schema.
    pub schema: Option<String>,
    /// Table.
    pub table: String,
}

impl std::fmt::Display for TableName {
    /// Parts joined by dots; what is special in a URL is escaped inside a part, dots too.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [self.catalog.as_deref(), self.schema.as_deref(), Some(self.table.as_str())];
        let parts: Vec<String> = parts.into_iter().flatten().filter(|p| !p.is_empty()).map(quoted).collect();
        f.write_str(&parts.join("."))
    }
}

/// `urllib.parse.quote(part, safe="").replace(".", "%2E")`.
fn quoted(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"_-~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Fails with 403 unless every table is covered: by its database, catalog, schema, or by a dataset of its name that is
/// granted or owned. The caller passes *all* tables of the rendered statement; a statement that cannot be parsed must
/// never get here as an empty list.
pub async fn raise_for_tables(
    caller: &Caller,
    database: &Database,
    tables: impl IntoIterator<Item = TableName>,
) -> Result<()> {
    if caller.user.can_access_database(database) {
        return Ok(());
    }
    let mut denied = BTreeSet::new();
    for table in tables.into_iter().collect::<BTreeSet<_>>() {
        if !covers(caller, database, &table).await? {
            denied.insert(table);
        }
    }
    if denied.is_empty() { Ok(()) } else { Err(tables_denied(&caller.app.config, &denied)) }
}

/// `can_access_table`.
pub async fn can_access_table(caller: &Caller, database: &Database, table: &TableName) -> Result<bool> {
    Ok(caller.user.can_access_database(database) || covers(caller, database, table).await?)
}

async fn covers(caller: &Caller, database: &Database, table: &TableName) -> Result<bool> {
    let name = &database.database_name;
    let (catalog, schema) = (table.catalog.as_deref(), table.schema.as_deref());
    if objects::catalog_perm(name, catalog).is_some_and(|p| caller.user.can_access("catalog_access", &p))
        || objects::schema_perm(name, catalog, schema)
            .is_some_and(|p| caller.user.can_access("schema_access", &p))
    {
        return Ok(true);
    }
    for dataset in
        dataset::find_by_name(caller.app.db.exec(), database.id, &table.table, schema, catalog).await?
    {
        if caller.user.can_access("datasource_access", dataset.perm.as_deref().unwrap_or_default())
            || ownership::owns(caller, Owned::Dataset, dataset.id).await?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn tables_denied(config: &Config, denied: &BTreeSet<TableName>) -> Error {
    let names: Vec<String> = denied.iter().map(ToString::to_string).collect();
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    // the break and the twelve spaces are in the original's text
    let message = format!(
        "You need access to the following tables: {},\n            `all_database_access` or \
         `all_datasource_access` permission",
        quoted.join(", ")
    );
    Error::sip40(
        403,
        SupersetError::new(ErrorType::TableSecurityAccessError, message)
            .level("warning")
            .extra("link", config.get("PERMISSION_INSTRUCTIONS_LINK").clone())
            .extra("tables", json!(names)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_the_tables() {
        let table = |schema: Option<&str>, table: &str| TableName {
            catalog: None,
            schema: schema.map(str::to_owned),
            table: table.to_owned(),
        };
        let denied = BTreeSet::from([table(Some("main"), "a"), table(None, "b.c")]);
        let Error::Sip40 { status, errors } = tables_denied(&Config::default(), &denied) else { panic!() };
        assert_eq!(status, 403);
        assert!(
            errors[0].message.starts_with("You need access to the following tables: `b%2Ec`, `main.a`,\n   ")
        );
        assert_eq!(errors[0].extra.as_ref().unwrap()["tables"], json!(["b%2Ec", "main.a"]));
    }
}
