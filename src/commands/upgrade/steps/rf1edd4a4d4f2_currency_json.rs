//! Currencies of metrics move into a JSON column. Where the backend does not convert them itself, a text that is JSON
//! becomes a JSON string, as in the original; the next revision reads it.

use daos::upgrade::currency;
use infra::json;
use serde_json::Value;

use crate::upgrade::{Result, Work};

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    Ok(currency::make_json(work.db, encoded).await?)
}

fn encoded(text: &str) -> Option<String> {
    serde_json::from_str::<Value>(text).ok()?;
    Some(json::dumps(&Value::String(text.to_owned())))
}
