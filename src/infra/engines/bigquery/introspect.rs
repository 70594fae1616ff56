//! Projects, datasets, tables and columns, as sqlalchemy-bigquery tells them.

use async_trait::async_trait;
use reqwest::Method;

use super::{
    super::{catalog::ColumnDescription, driver::Inspect, error::EngineError},
    Database,
    protocol::{Datasets, Field, Projects, Table, Tables, in_path},
    server::Trouble,
};

/// Pages of a list that are asked for; a project has no more datasets, and a dataset no more tables.
const MAX_PAGES: usize = 1000;

/// A type as the dialect compiles it, with lengths that only `str()` tells; none for what sqlalchemy-bigquery has no
/// type for.
fn type_of(field: &Field) -> Option<String> {
    let inner = match field.type_.as_str() {
        "BOOLEAN" | "BOOL" => "BOOL".to_owned(),
        "INTEGER" | "INT64" => "INT64".to_owned(),
        "FLOAT" | "FLOAT64" => "FLOAT64".to_owned(),
        "DATE" | "DATETIME" | "TIME" | "TIMESTAMP" => field.type_.clone(),
        "STRING" | "BYTES" => match &field.max_length {
            Some(length) => format!("{}({length})", field.type_),
            None => field.type_.clone(),
        },
        "NUMERIC" | "BIGNUMERIC" => numeric(field),
        "RECORD" | "STRUCT" => {
            let parts: Option<Vec<String>> =
                field.fields.iter().map(|f| Some(format!("{} {}", f.name, bare(&type_of(f)?)))).collect();
            format!("STRUCT<{}>", parts?.join(", "))
        }
        _ => return None,
    };
    Some(if field.is_repeated() { format!("ARRAY<{}>", bare(&inner)) } else { inner })
}

/// `visit_NUMERIC`: which of the two it is depends on its digits alone.
fn numeric(field: &Field) -> String {
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<i64>().ok());
    let (precision, scale) = (number(&field.precision), number(&field.scale));
    let big = precision.is_some_and(|p| p > 38) || scale.is_some_and(|s| s > 9);
    let name = if big { "BIGNUMERIC" } else { "NUMERIC" };
    match (precision, scale) {
        (Some(precision), Some(scale)) => format!("{name}({precision}, {scale})"),
        (Some(precision), None) => format!("{name}({precision})"),
        _ => name.to_owned(),
    }
}

/// Inside of other types only bytes have a length.
fn bare(type_: &str) -> &str {
    if type_.starts_with("BYTES") || type_.contains('<') {
        return type_;
    }
    type_.split('(').next().unwrap_or(type_)
}

/// A column and, where it is a record, its parts (`_get_transitive_schema_fields`); what repeats has none.
fn described(field: &Field, prefix: &str, out: &mut Vec<ColumnDescription>) {
    let name = format!("{prefix}{}", field.name);
    out.push(ColumnDescription {
        name: name.clone(),
        type_: type_of(field).unwrap_or_else(|| "UNKNOWN".to_owned()),
        nullable: field.mode.as_deref().is_none_or(|mode| mode != "REQUIRED"),
        default: None,
        comment: field.description.clone().filter(|comment| !comment.is_empty()),
    });
    if field.is_record() && !field.is_repeated() {
        for part in &field.fields {
            described(part, &format!("{name}."), out);
        }
    }
}

impl Database {
    /// The path of a dataset; `schema` may name its project before a dot.
    fn dataset(&self, schema: &str) -> String {
        let target = &self.server.target;
        let (project, dataset) = match schema.split_once('.') {
            Some((project, dataset)) => (project, dataset),
            None if schema.is_empty() => (&*target.project, target.dataset.as_deref().unwrap_or_default()),
            None => (&*target.project, schema),
        };
        format!("/projects/{}/datasets/{}", in_path(project), in_path(dataset))
    }

    async fn listed(&self, schema: &str, kinds: &[&str]) -> Result<Vec<String>, EngineError> {
        let path = format!("{}/tables", self.dataset(schema));
        let (mut names, mut token) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let mut query = vec![("maxResults", self.server.target.list_page.to_string())];
            query.extend(token.take().map(|token| ("pageToken", token)));
            let page: Tables = match self.server.get(&path, &query).await {
                // no such dataset: the original looks for it among all
                Err(Trouble::Refused(refusal)) if refusal.status == 404 => break,
                page => page.map_err(|trouble| self.server.error(&Method::GET, &path, trouble))?,
            };
            let found = page.tables.into_iter().filter(|table| kinds.contains(&table.type_.as_str()));
            names.extend(found.map(|table| table.table_reference.table_id));
            token = page.next_page_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(names)
    }

    /// A table; none where it is not there.
    async fn table(&self, schema: &str, table: &str) -> Result<Option<Table>, EngineError> {
        if table.is_empty() {
            return Ok(None);
        }
        let path = format!("{}/tables/{}", self.dataset(schema), in_path(table));
        match self.server.get(&path, &[]).await {
            Ok(table) => Ok(Some(table)),
            Err(Trouble::Refused(refusal)) if refusal.status == 404 => Ok(None),
            Err(trouble) => Err(self.server.error(&Method::GET, &path, trouble)),
        }
    }
}

#[async_trait]
impl Inspect for Database {
    /// The dataset of the connection string.
    async fn default_schema(&self) -> Result<Option<String>, EngineError> {
        Ok(self.server.target.dataset.clone())
    }

    /// The projects that the account sees (`BigQueryEngineSpec.get_catalog_names`).
    async fn catalogs(&self) -> Result<Vec<String>, EngineError> {
        let (mut names, mut token) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let mut query = vec![("maxResults", "1000".to_owned())];
            query.extend(token.take().map(|token| ("pageToken", token)));
            let page: Result<Projects, _> = self.server.get("/projects", &query).await;
            let page = page.map_err(|trouble| self.server.error(&Method::GET, "/projects", trouble))?;
            names.extend(page.projects.into_iter().map(|project| project.id));
            token = page.next_page_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn schemas(&self) -> Result<Vec<String>, EngineError> {
        let path = format!("/projects/{}/datasets", in_path(&self.server.target.project));
        let (mut names, mut token) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let mut query = vec![("maxResults", "1000".to_owned())];
            query.extend(token.take().map(|token| ("pageToken", token)));
            let page: Result<Datasets, _> = self.server.get(&path, &query).await;
            let page = page.map_err(|trouble| self.server.error(&Method::GET, &path, trouble))?;
            names.extend(page.datasets.into_iter().map(|dataset| dataset.dataset_reference.dataset_id));
            token = page.next_page_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(names)
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.listed(schema, &["TABLE", "EXTERNAL"]).await
    }

    async fn views(&self, schema: &str) -> Result<Vec<String>, EngineError> {
        self.listed(schema, &["VIEW", "MATERIALIZED_VIEW"]).await
    }

    async fn columns(&self, schema: &str, table: &str) -> Result<Vec<ColumnDescription>, EngineError> {
        let mut columns = Vec::new();
        let found = self.table(schema, table).await?;
        for field in found.and_then(|table| table.schema).iter().flat_map(|schema| &schema.fields) {
            described(field, "", &mut columns);
        }
        Ok(columns)
    }

    async fn table_comment(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        let found = self.table(schema, table).await?;
        Ok(found.and_then(|table| table.description).filter(|comment| !comment.is_empty()))
    }

    async fn time_partition(&self, schema: &str, table: &str) -> Result<Option<String>, EngineError> {
        let found = self.table(schema, table).await?;
        Ok(found.and_then(|table| table.time_partitioning).and_then(|partitioning| partitioning.field))
    }
}
