//! Schemas, tables and columns, as PyAthena's dialect tells them.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{catalog::ColumnDescription, driver::Inspect, error::EngineError},
    Database, PAGE, TIMEOUT,
    protocol::{Databases, OneTable, Table, TableColumn, Tables},
    raised,
    server::Trouble,
};

/// Names of a page of a list, at most.
const NAMES: u32 = 50;
/// Pages of a list that are asked for; nobody has more schemas, or tables in one.
const MAX_PAGES: usize = 10_000;

/// The type as the dialect compiles it (`_get_column_type`, `AthenaTypeCompiler`); what it has no type for is unknown.
fn type_of(stored: &str) -> String {
    let (name, arguments) = match stored.find(['(', '<']) {
        Some(at) => {
            let (name, rest) = stored.split_at(at);
            let inner = rest.get(1..rest.len().saturating_sub(1)).filter(|_| rest.ends_with([')', '>']));
            match inner {
                Some(inner) if !inner.is_empty() => (name, Some(inner)),
                _ => (stored, None),
            }
        }
        None => (stored, None),
    };
    match (name.to_ascii_lowercase().as_str(), arguments) {
        ("boolean", _) => "BOOLEAN".to_owned(),
        ("float" | "double" | "real", _) => "DOUBLE".to_owned(),
        ("tinyint" | "smallint" | "integer" | "int", _) => "INTEGER".to_owned(),
        ("bigint", _) => "BIGINT".to_owned(),
        ("decimal", Some(digits)) => {
            let digits: Vec<&str> = digits.split(',').map(str::trim).collect();
            format!("DECIMAL({})", digits.join(", "))
        }
        ("decimal", None) => "DECIMAL".to_owned(),
        ("char", Some(length)) => format!("CHAR({length})"),
        ("varchar", Some(length)) => format!("VARCHAR({length})"),
        ("char" | "varchar" | "string" | "array" | "map" | "struct" | "row" | "json", _) => {
            "STRING".to_owned()
        }
        ("date", _) => "DATE".to_owned(),
        ("timestamp", _) => "TIMESTAMP".to_owned(),
        ("binary" | "varbinary", _) => "BINARY".to_owned(),
        _ => "UNKNOWN".to_owned(),
    }
}

fn described(column: TableColumn) -> ColumnDescription {
    ColumnDescription {
        type_: type_of(&column.type_),
        name: column.name,
        nullable: true,
        default: None,
        comment: column.comment.filter(|comment| !comment.is_empty()),
    }
}

impl Database {
    /// The pages of a list, one after the other, until `page` finds no next one.
    async fn listed<T: serde::de::DeserializeOwned>(
        &self,
        operation: &'static str,
        mut body: Value,
        mut page: impl FnMut(T) -> Option<String> + Send,
    ) -> Result<(), Trouble> {
        body["MaxResults"] = NAMES.into();
        let mut last = None;
        for _ in 0..MAX_PAGES {
            let found: T = self.server.call(operation, &body, (PAGE, TIMEOUT)).await?;
            let Some(next) = page(found).filter(|next| !next.is_empty()) else { return Ok(()) };
            if last.as_ref() == Some(&next) {
                break;
            }
            body["NextToken"] = next.as_str().into();
            last = Some(next);
        }
        Err(Trouble::Failed(raised("OperationalError", "the pages of the list repeat and do not end")))
    }

    async fn named(&self, schema: &str, kinds: &[&str]) -> Result<Vec<String>, EngineError> {
        let target = &self.server.target;
        let schema = if schema.is_empty() { &target.schema } else { schema };
        let body = json!({"CatalogName": target.catalog, "DatabaseName": schema});
        let mut names = Vec::new();
        let page = |found: Tables| {
            let of = found.table_metadata_list.into_iter();
            let of = of.filter(|table| kinds.contains(&table.table_type.as_deref().unwrap_or_default()));
            names.extend(of.map(|table| table.name));
            found.next_token
        };
        let listed = self.listed("ListTableMetadata", body, page).await;
        listed.map_err(Trouble::plain)?;
        Ok(names)
    }

    /// A table; none where it is not there.
    async fn table(&self, schema: &str, table: &str) -> Result<Option<Table>, EngineError> {
        if table.is_empty() {
            return Ok(None);
        }
        let target = &self.server.target;
        let schema = if schema.is_empty() { &target.schema } else { schema };
        let body = json!({"CatalogName": target.catalog, "DatabaseName": schema, "TableName": table});
        let found: Result<OneTable, _> = self.server.call("GetTableMetadata", &body, (PAGE, TIMEOUT)).await;
        match found {
            Ok(found) => Ok(Some(found.table_metadata)),
            Err(Trouble::Refused(refusal, _)) if refusal.kind == "MetadataException" => Ok(None),
            Err(trouble) => Err(trouble.plain()),
        }
    }
}

#[async_trait]
impl Inspect for Database {
    /// The schema of the connection string.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        Ok(Some(self.server.target.schema.clone()))
    }

    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        let mut names = Vec::new();
        let page = |found: Databases| {
            names.extend(found.database_list.into_iter().map(|database| database.name));
            found.next_token
        };
        let body = json!({"CatalogName": self.server.target.catalog});
        match self.listed("ListDatabases", body, page).await {
            // a catalog that does not list what it has
            Err(Trouble::Refused(refusal, _)) if refusal.kind == "InvalidRequestException" => Ok(Vec::new()),
            Err(trouble) => Err(trouble.plain()),
            Ok(()) => Ok(names),
        }
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.named(schema, &["EXTERNAL_TABLE", "MANAGED_TABLE", "EXTERNAL"]).await
    }

    async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.named(schema, &["VIRTUAL_VIEW"]).await
    }

    /// Columns, behind them those by whose values the table is cut into partitions.
    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        let Some(found) = self.table(schema, table).await? else { return Ok(Vec::new()) };
        Ok(found.columns.into_iter().chain(found.partition_keys).map(described).collect())
    }

    async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        let found = self.table(schema, table).await?;
        let comment = found.and_then(|mut found| found.parameters.remove("comment"));
        Ok(comment.filter(|comment| !comment.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::type_of;

    #[test]
    fn types() {
        for (stored, compiled) in [
            ("int", "INTEGER"),
            ("float", "DOUBLE"),
            ("decimal(10,2)", "DECIMAL(10, 2)"),
            ("decimal", "DECIMAL"),
            ("varchar(3)", "VARCHAR(3)"),
            ("string", "STRING"),
            ("array<struct<a:int>>", "STRING"),
            ("Map<string,int>", "STRING"),
            ("timestamp", "TIMESTAMP"),
            ("timestamp(3) with time zone", "UNKNOWN"),
            ("varchar(", "UNKNOWN"),
            ("uniontype<int,string>", "UNKNOWN"),
            ("", "UNKNOWN"),
        ] {
            assert_eq!(type_of(stored), compiled, "{stored}");
        }
    }
}
