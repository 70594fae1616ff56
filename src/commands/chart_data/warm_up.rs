//! Filling the cache before anybody asks (`ChartWarmUpCacheCommand`, `DatasetWarmUpCacheCommand`).

use daos::chart::{self, Chart};
use infra::{Error, Result};
use query::query_object::Filter;
use serde_json::{Value, json};

use super::run;
use crate::query_run::dashboard_filters;
use crate::{Caller, Services, chart::form_data::form_data, explore_json::Explored};

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
    pub async fn chart(&self, caller: &Caller, id: i64) -> Result<Value> {
        let found = chart::find(caller.app.db.exec(), id).await?;
        let chart = found.ok_or_else(|| Error::message(404, "Chart not found"))?;
        Ok(json!([self.outcome_of(caller, &chart).await]))
    }

    /// Warms up all charts of a dataset; 404 when there is no such dataset.
    pub async fn dataset(&self, caller: &Caller, database: &str, table: &str) -> Result<Value> {
        let missing = || Error::message(404, "The provided table was not found in the provided database");
        let charts = chart::of_table(caller.app.db.exec(), database, table).await?.ok_or_else(missing)?;
        let mut outcomes = Vec::new();
        for chart in &charts {
            outcomes.push(self.outcome_of(caller, chart).await);
        }
        Ok(Value::Array(outcomes))
    }

    /// The same for the address of old, which names a table alone (`Superset.warm_up_cache`).
    pub async fn table(&self, caller: &Caller, table: &str) -> Result<Value> {
        let charts = match chart::of_tables_named(caller.app.db.exec(), table).await? {
            chart::OfTable::Missing => return Ok(Value::Null),
            chart::OfTable::Several => {
                let error = "Multiple rows were found when one or none was required".to_owned();
                return Err(Error::Legacy { status: 500, error });
            }
            chart::OfTable::Charts(charts) => charts,
        };
        let mut outcomes = Vec::new();
        for chart in &charts {
            outcomes.push(self.outcome_of(caller, chart).await);
        }
        Ok(Value::Array(outcomes))
    }

    /// What became of one chart. Whatever goes wrong is told, not raised.
    async fn outcome_of(&self, caller: &Caller, chart: &Chart) -> Value {
        let legacy = chart.viz_type.as_deref().is_some_and(query::legacy_viz::is_known);
        let outcome = if legacy {
            self.warm_legacy(caller, chart).await
        } else {
            self.warm(caller, chart).await.map(|()| (Value::Null, json!("success")))
        };
        let (error, status) = outcome.unwrap_or_else(|error| (json!(sentence(error)), Value::Null));
        json!({"chart_id": chart.id, "viz_error": error, "viz_status": status})
    }

    /// The filters of the dashboard: those that were sent, or else its defaults.
    async fn filters(&self, app: &Services, chart: &Chart) -> Result<Vec<Value>> {
        match (self.dashboard_id, self.extra_filters.as_deref().filter(|text| !text.is_empty())) {
            (None, _) => Ok(Vec::new()),
            (Some(_), Some(text)) => {
                serde_json::from_str(text).map_err(|e| Error::bad_request(e.to_string()))
            }
            (Some(id), None) => dashboard_filters::for_chart(app, chart.id, id).await,
        }
    }

    async fn warm(&self, caller: &Caller, chart: &Chart) -> Result<()> {
        let stored = chart.query_context.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok());
        let missing = || Error::bad_request("Chart's query context does not exist");
        let body = stored.filter(Value::is_object).ok_or_else(missing)?;
        let mut prepared = run::prepare(caller, &body).await?;
        let filters = self.filters(&caller.app, chart).await?;
        let context = prepared.context_mut();
        context.force = true;
        for query in &mut context.queries {
            query.filter.extend(filters.iter().filter_map(Filter::from_json));
        }
        prepared.run().await.map(|_| ())
    }

    /// Errors and status of the payload of a visualisation of old.
    async fn warm_legacy(&self, caller: &Caller, chart: &Chart) -> Result<(Value, Value)> {
        let mut form_data = form_data(chart);
        if self.dashboard_id.is_some() {
            form_data.insert("extra_filters".into(), Value::Array(self.filters(&caller.app, chart).await?));
        }
        let explored = Explored::open(caller, form_data, None, true).await?;
        let mut body = explored.payload().await?.body;
        let errors =
            body.get_mut("errors").map(Value::take).filter(|e| e.as_array().is_some_and(|e| !e.is_empty()));
        Ok((errors.unwrap_or_default(), body.get_mut("status").map(Value::take).unwrap_or_default()))
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
