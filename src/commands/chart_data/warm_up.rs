//! Filling the cache before anybody asks (`ChartWarmUpCacheCommand`, `DatasetWarmUpCacheCommand`).

use std::sync::Arc;

use daos::chart::{self, Chart};
use infra::{Error, Result};
use query::query_object::Filter;
use serde_json::{Value, json};

use super::run;
use crate::{Principal, Services};

/// What is asked for besides the charts.
#[derive(Debug, Clone, Default)]
pub struct WarmUp {
    /// The dashboard whose filters apply.
    pub dashboard_id: Option<i64>,
    /// Its filters, as JSON.
    pub extra_filters: Option<String>,
}

impl WarmUp {
    /// Warms up a chart; 404 when there is none.
    pub async fn chart(&self, app: &Arc<Services>, user: &Arc<Principal>, id: i64) -> Result<Value> {
        let found = chart::find(app.db.exec(), id).await?;
        let chart = found.ok_or_else(|| Error::message(404, "Chart not found"))?;
        Ok(json!([self.told(app, user, &chart).await]))
    }

    /// Warms up all charts of a dataset; 404 when there is no such dataset.
    pub async fn dataset(
        &self,
        app: &Arc<Services>,
        user: &Arc<Principal>,
        database: &str,
        table: &str,
    ) -> Result<Value> {
        let missing = || Error::message(404, "The provided table was not found in the provided database");
        let charts = chart::of_table(app.db.exec(), database, table).await?.ok_or_else(missing)?;
        let mut told = Vec::new();
        for chart in &charts {
            told.push(self.told(app, user, chart).await);
        }
        Ok(Value::Array(told))
    }

    /// What became of one chart. Whatever goes wrong is told, not raised.
    async fn told(&self, app: &Arc<Services>, user: &Arc<Principal>, chart: &Chart) -> Value {
        match self.warm(app, user, chart).await {
            Ok(()) => json!({"chart_id": chart.id, "viz_error": null, "viz_status": "success"}),
            Err(error) => json!({"chart_id": chart.id, "viz_error": sentence(error), "viz_status": null}),
        }
    }

    async fn warm(&self, app: &Arc<Services>, user: &Arc<Principal>, chart: &Chart) -> Result<()> {
        let stored = chart.query_context.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok());
        let missing = || Error::bad_request("Chart's query context does not exist");
        let body = stored.filter(Value::is_object).ok_or_else(missing)?;
        let mut prepared = run::prepare(app, user, &body).await?;
        let context = prepared.context_mut();
        context.force = true;
        if let (Some(_), Some(text)) = (self.dashboard_id, &self.extra_filters) {
            let filters: Vec<Value> =
                serde_json::from_str(text).map_err(|e| Error::bad_request(e.to_string()))?;
            for query in &mut context.queries {
                query.filter.extend(filters.iter().filter_map(Filter::from_json));
            }
        }
        prepared.run().await.map(|_| ())
    }
}

/// The sentence of an error, as it is shown in the list.
fn sentence(error: Error) -> String {
    match error {
        Error::Message { message, .. } => message.as_str().map_or_else(|| message.to_string(), str::to_owned),
        Error::Sip40 { errors, .. } => errors.into_iter().next().map(|e| e.message).unwrap_or_default(),
        Error::Legacy { error, .. } => error,
        Error::Internal(source) => {
            tracing::error!(%source, "a chart could not be warmed up");
            "Internal error".to_owned()
        }
    }
}
