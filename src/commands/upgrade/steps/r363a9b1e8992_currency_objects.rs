//! Currencies that are texts are read until they are none; what cannot be read becomes an empty object.

use daos::upgrade::currency;
use infra::json;
use serde_json::{Value, json};

use crate::upgrade::{Result, Work};

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    for found in currency::strings(work.db).await? {
        let mut value: Value = serde_json::from_str(&found.text).unwrap_or_default();
        while let Value::String(text) = &value {
            value = serde_json::from_str(text).unwrap_or_else(|_| {
                tracing::warn!(metric = found.id, "the currency of a metric cannot be read: it has none now");
                json!({})
            });
        }
        currency::set(work.db, found.id, &json::dumps(&value)).await?;
    }
    Ok(())
}
