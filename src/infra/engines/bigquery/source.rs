//! What a connection string of sqlalchemy-bigquery means (`parse_url`), with what `encrypted_extra` and
//! `engine_params` hand to its dialect.

use std::{io::Read as _, path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Url;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Source,
        error::EngineError,
        http::{Access, Auth, Verify, connect_timeout},
    },
    account::Account,
};

/// Where the service is.
const HOST: &str = "bigquery.googleapis.com";
/// Bytes that a file of credentials may have.
const MOST: u64 = 64 << 10;
/// What sqlalchemy-bigquery refuses, and why.
const REFUSED: &[(&str, &str)] = &[
    ("use_legacy_sql", "legacy sql is not supported by this dialect"),
    (
        "allow_large_results",
        "allow_large_results is only allowed for legacy sql, which is not supported by this dialect",
    ),
    (
        "flatten_results",
        "flatten_results is only allowed for legacy sql, which is not supported by this dialect",
    ),
    ("maximum_billing_tier", "maximum_billing_tier is a deprecated argument"),
    ("default_dataset", DATASET),
    ("dataset_id", DATASET),
    ("project_id", DATASET),
    ("query_parameters", "url query query_parameters not implemented"),
    ("table_definitions", "url query table_definitions not implemented"),
    ("time_partitioning", "url query time_partitioning not implemented"),
    ("udf_resources", "url query udf_resources not implemented"),
];
const DATASET: &str = "don't pass default_dataset, dataset_id, project_id in url query, instead use the url host and \
                       database";
/// What would make every statement write a table, or none of them run.
const WRITING: &[&str] = &[
    "clustering_fields",
    "create_disposition",
    "destination",
    "dry_run",
    "schema_update_options",
    "user_supplied_client",
    "write_disposition",
];

/// What the operator says to all connections.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// `BIGQUERY_EMULATOR_HOST`: what stands in the place of the service.
    pub emulator: Option<String>,
    /// `GOOGLE_APPLICATION_CREDENTIALS`: the credentials of connections that have none.
    pub credentials: Option<PathBuf>,
    /// `GOOGLE_CLOUD_PROJECT`: the project of connections that name none.
    pub project: Option<String>,
}

impl Environment {
    /// The environment of the process.
    pub fn read() -> Self {
        let filled = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        Self {
            emulator: filled("BIGQUERY_EMULATOR_HOST"),
            credentials: filled("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from),
            project: filled("GOOGLE_CLOUD_PROJECT"),
        }
    }
}

/// How the service is spoken to.
pub(super) struct Target {
    pub access: Access,
    /// What stands before `/bigquery/v2` in paths.
    pub prefix: String,
    pub account: Account,
    /// The project of names without one.
    pub project: String,
    /// The project that pays.
    pub billing: String,
    pub dataset: Option<String>,
    pub location: Option<String>,
    /// Tables of a page of a list.
    pub list_page: u64,
    /// Rows of a page of a result, where that is limited.
    pub page: Option<usize>,
    /// `configuration.query` of jobs, without the statement.
    pub query: Map<String, Value>,
    pub labels: Option<Value>,
}

fn refused(text: impl Into<String>) -> EngineError {
    EngineError::Uri(text.into())
}

impl Target {
    pub fn from_source(source: &Source, environment: &Environment) -> Result<Self, EngineError> {
        let named = |key: &str| source.option(key).filter(|text| !text.is_empty());
        for (key, words) in REFUSED {
            if source.url.option(key).is_some() {
                return Err(refused(*words));
            }
        }
        if let Some(key) = WRITING.iter().find(|key| source.url.option(key).is_some()) {
            return Err(refused(format!("The option \"{key}\" is not supported")));
        }
        let (info, is_operators) = credentials(source, environment)?;
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let own = info.get("project_id").or(info.get("quota_project_id")).and_then(Value::as_str);
        let project = filled(&source.url.host)
            .or_else(|| own.map(str::to_owned))
            .or_else(|| environment.project.clone())
            .ok_or_else(|| {
                refused(
                    "Project was not passed and could not be determined from the environment. Name it in the \
                     connection string: bigquery://PROJECT",
                )
            })?;
        let billing = named("billing_project_id").unwrap_or_else(|| project.clone());
        let dataset = filled(&source.url.database).map(|name| name.trim_end_matches('/').to_owned());
        let dataset = dataset.filter(|name| !name.is_empty());
        let connect = connect_timeout(source, &["connect_timeout"]);
        let account = Account::new(&info, connect, (is_operators, environment.emulator.is_some()))?;
        let (access, prefix) = place(environment, connect)?;
        Ok(Self {
            access,
            prefix,
            account,
            query: query(source, &project, &billing, dataset.as_deref())?,
            labels: named("labels").map(|text| labels(&text)).transpose()?,
            location: named("location"),
            list_page: number(source, "list_tables_page_size")?.filter(|n| *n > 0).unwrap_or(1000),
            page: number(source, "arraysize")?.filter(|n| *n > 0).and_then(|n| usize::try_from(n).ok()),
            project,
            billing,
            dataset,
        })
    }
}

/// The service, or what the operator has put into its place.
fn place(environment: &Environment, connect: Duration) -> Result<(Access, String), EngineError> {
    let access = |host: String, port, tls| Access { host, port, tls, auth: Auth::Nobody, connect };
    let Some(given) = &environment.emulator else {
        return Ok((access(HOST.to_owned(), 443, Some(Verify::Public)), String::new()));
    };
    let wrong = || refused("BIGQUERY_EMULATOR_HOST is no address of HTTP");
    let given = Url::parse(given).map_err(|_| wrong())?;
    let tls = match given.scheme() {
        "https" => Some(Verify::Public),
        "http" => None,
        _ => return Err(wrong()),
    };
    let host = given.host_str().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
    let port = given.port_or_known_default().ok_or_else(wrong)?;
    Ok((access(host, port, tls), given.path().trim_end_matches('/').to_owned()))
}

/// The document of credentials: the connection's, or the one that the operator names for all
/// (`create_bigquery_client`), which is told. A file that a connection names is not read.
fn credentials(
    source: &Source,
    environment: &Environment,
) -> Result<(Map<String, Value>, bool), EngineError> {
    if source.option("credentials_path").is_some() {
        return Err(refused(
            "The option \"credentials_path\" names a file of this machine; put the file's contents into the \
             connection: credentials_info in its secure extra",
        ));
    }
    let broken = || refused("The credentials are no JSON object");
    let read = |text: &[u8]| serde_json::from_slice(text).map_err(|_| broken());
    if let Some(text) = source.option("credentials_base64") {
        return Ok((read(&STANDARD.decode(text.trim()).map_err(|_| broken())?)?, false));
    }
    match source.arguments.get("credentials_info") {
        Some(Value::Object(info)) if !info.is_empty() => return Ok((info.clone(), false)),
        Some(Value::String(text)) if !text.is_empty() => return Ok((read(text.as_bytes())?, false)),
        Some(Value::Null | Value::String(_) | Value::Object(_)) | None => {}
        Some(_) => return Err(broken()),
    }
    let Some(path) = &environment.credentials else {
        return Err(refused(
            "Your default credentials were not found. To set up Application Default Credentials, see \
             https://cloud.google.com/docs/authentication/external/set-up-adc for more information.",
        ));
    };
    let mut text = Vec::new();
    let opened = std::fs::File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut text));
    // what the system says of the file is for the log
    opened.map_err(|error| {
        tracing::warn!(%error, "the file of GOOGLE_APPLICATION_CREDENTIALS cannot be read");
        refused("The file that GOOGLE_APPLICATION_CREDENTIALS names cannot be read")
    })?;
    Ok((read(&text)?, true))
}

fn number(source: &Source, key: &str) -> Result<Option<u64>, EngineError> {
    let Some(text) = source.option(key) else { return Ok(None) };
    let wrong = |_| refused(format!("invalid int in url query {key}: {text}"));
    text.trim().parse().map(Some).map_err(wrong)
}

/// What is said of every statement.
fn query(
    source: &Source,
    project: &str,
    billing: &str,
    dataset: Option<&str>,
) -> Result<Map<String, Value>, EngineError> {
    let mut query = Map::new();
    query.insert("useLegacySql".to_owned(), false.into());
    if let Some(dataset) = dataset {
        query.insert("defaultDataset".to_owned(), json!({"projectId": project, "datasetId": dataset}));
    }
    if project != billing {
        let properties = json!([{"key": "dataset_project_id", "value": project}]);
        query.insert("connectionProperties".to_owned(), properties);
    }
    if let Some(most) = number(source, "maximum_bytes_billed")? {
        query.insert("maximumBytesBilled".to_owned(), most.to_string().into());
    }
    if let Some(priority) = source.url.option("priority") {
        if !matches!(priority, "INTERACTIVE" | "BATCH") {
            return Err(refused(format!("invalid priority in url query: {priority}")));
        }
        query.insert("priority".to_owned(), priority.into());
    }
    if let Some(cache) = source.url.option("use_query_cache") {
        let wrong = |_| refused(format!("invalid boolean in url query for use_query_cache: {cache}"));
        let cache: bool = cache.to_ascii_lowercase().parse().map_err(wrong)?;
        query.insert("useQueryCache".to_owned(), cache.into());
    }
    if let Some(key) = source.url.option("destination_encryption_configuration") {
        query.insert("destinationEncryptionConfiguration".to_owned(), json!({"kmsKeyName": key}));
    }
    Ok(query)
}

/// `a:1,b:2`.
fn labels(text: &str) -> Result<Value, EngineError> {
    let pair = |group: &str| {
        let parts: Vec<&str> = group.split(':').map(str::trim).collect();
        match parts.as_slice() {
            [key, value] => Ok(((*key).to_owned(), Value::from(*value))),
            _ => Err(refused(format!("malformed url query in labels: {}", group.trim()))),
        }
    };
    text.split(',').map(pair).collect::<Result<Map<_, _>, _>>().map(Value::Object)
}
