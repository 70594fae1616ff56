//! A connection string tried from the command line (`superset.cli.test_db`).

use infra::{Error, Result, engine_specs::url::Url, engines::Source};
use serde_json::{Map, Value};

use super::test::try_source;
use crate::{Services, connect::arguments_of};

/// What became of a try that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// Name of the engine.
    pub engine: String,
}

/// Connects with a string and, as JSON, the arguments of `create_engine`; fails as a test of a connection does.
pub async fn test_uri(app: &Services, uri: &str, arguments: Option<&str>) -> Result<Tested> {
    let url =
        Url::parse(uri).ok_or_else(|| Error::unprocessable(format!("{uri} is no connection string")))?;
    let engine_params: Map<String, Value> = match arguments.map(str::trim).filter(|text| !text.is_empty()) {
        None => Map::new(),
        Some(text) => serde_json::from_str(text)
            .map_err(|e| Error::unprocessable(format!("the connection arguments are no JSON object: {e}")))?,
    };
    let extra = serde_json::json!({"engine_params": engine_params}).to_string();
    let source = Source { arguments: arguments_of(&url, Some(&extra), None), url, ..Source::default() };
    try_source(app, &source).await?;
    Ok(Tested { engine: source.spec().name.clone() })
}
