//! Guests may only ask for what the charts and filters of their dashboards show (`query_context_modified`).
//!
//! The original compares pieces of JSON, and only where a guest sees the chart through a role. Here a request has to
//! come from a dashboard of the token, and is compared by its meaning: what the frontend derives from the stored chart
//! passes, however it is spelled; every other column, metric, condition or kind of answer does not.

mod answers;
mod check;
mod clauses;
mod controls;
mod exposed;
mod filters;
mod meaning;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use daos::{
    chart::{self, Chart},
    dashboard::{self, Dashboard},
    embedded,
};
use infra::{
    Error, Result,
    error::{ErrorType, SupersetError},
    json,
};
use query::{
    dataset::Dataset,
    query_object::{DatasourceType, QueryContext, QueryObject},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use self::meaning::ColumnMeaning;
use super::objects;
use crate::state::Principal;
use crate::{Caller, Services};

pub(super) use self::filters::{native_filter, targets};
pub use self::{
    answers::{error_without_sql, refusal, without_sql},
    exposed::Exposed,
};

/// The refusal of a guest's request.
fn modified() -> Error {
    let text = "Guest user cannot modify chart payload";
    let error = SupersetError::new(ErrorType::DashboardSecurityAccessError, text).level("warning");
    Error::sip40(403, error)
}

/// Fails with 403 when a guest's request asks for more than the dashboard that it names shows.
pub async fn raise_for_modified(
    caller: &Caller,
    dataset: &Arc<Dataset>,
    context: &QueryContext,
) -> Result<()> {
    match Scope::from_form_data(caller, dataset, context.form_data.as_ref()).await? {
        None => Ok(()),
        // the ids of queries and datasets are not the same
        Some(_) if context.datasource.type_ != DatasourceType::Table => Err(modified()),
        Some(mut scope) => context.queries.iter().try_for_each(|query| scope.raise_for(query)),
    }
}

/// What a guest's request may ask for, and the dashboard that it comes from.
pub struct Scope {
    exposed: Exposed,
    dashboard: Dashboard,
    charts: Vec<Chart>,
    /// The chart that it is about.
    chart_id: Option<i64>,
    /// The filters of the dashboard are part of `exposed`.
    is_complete: bool,
}

impl Scope {
    /// Reads it from the form data of a request; none for everybody who is no guest. Fails with 403 when the dashboard
    /// is not the guest's, or has no such chart or filter of the dataset.
    pub async fn from_form_data(
        caller: &Caller,
        dataset: &Arc<Dataset>,
        form_data: Option<&Value>,
    ) -> Result<Option<Self>> {
        if caller.guest().is_none() {
            return Ok(None);
        }
        let form_data = form_data.ok_or_else(modified)?;
        let id = |key: &str| form_data.get(key).and_then(json::id);
        let dashboard = match id("dashboardId") {
            Some(id) => dashboard::find(caller.app.db.exec(), id).await?.ok_or_else(modified)?,
            None => return Err(modified()),
        };
        if !objects::has_guest_access(caller, &dashboard).await? {
            return Err(modified());
        }
        let charts = chart::of_dashboard(caller.app.db.exec(), dashboard.id).await?;
        let mut exposed = Exposed::new(dataset.clone());
        let mut chart_id = None;
        if may_drill(caller) {
            exposed.filters.extend(drillable(dataset).map(ColumnMeaning::Name));
        }
        if form_data.get("type").and_then(Value::as_str) == Some("NATIVE_FILTER") {
            let name = form_data.get("native_filter_id").and_then(Value::as_str).unwrap_or_default();
            let filter = native_filter(&dashboard, name).filter(|f| targets(f, dataset.id).next().is_some());
            exposed.add_native_filter(&filter.ok_or_else(modified)?);
        } else {
            let is_drill_by = id("slice_id") == Some(0);
            chart_id = if is_drill_by { id("chart_id") } else { id("slice_id") };
            let of_dataset = |c: &&Chart| Some(c.id) == chart_id && is_of(c, dataset);
            exposed.add_chart(charts.iter().find(of_dataset).ok_or_else(modified)?);
            if is_drill_by {
                if !may_drill(caller) {
                    return Err(modified());
                }
                exposed.columns.extend(drilled(form_data, dataset));
            }
            if !exposed.allows_controls(form_data) {
                return Err(modified());
            }
        }
        Ok(Some(Self { exposed, dashboard, charts, chart_id, is_complete: false }))
    }

    /// The chart that it is about.
    pub(crate) fn chart(&self) -> Option<&Chart> {
        self.charts.iter().find(|chart| Some(chart.id) == self.chart_id)
    }

    /// Adds a query that the server makes of the stored chart itself.
    pub(crate) fn add_query(&mut self, query: &QueryObject) {
        self.exposed.add_query(query);
    }

    /// Fails with 403 when a query asks for more.
    pub fn raise_for(&mut self, query: &QueryObject) -> Result<()> {
        if self.exposed.allows(query) {
            return Ok(());
        }
        if !self.is_complete {
            self.exposed.add_dashboard_filters(&self.dashboard, &self.charts);
            self.is_complete = true;
        }
        if self.exposed.allows(query) { Ok(()) } else { Err(modified()) }
    }
}

fn is_of(chart: &Chart, dataset: &Dataset) -> bool {
    chart.datasource_id == Some(dataset.id) && chart.datasource_type.as_deref().unwrap_or("table") == "table"
}

/// As the frontend decides it (`usePermissions`).
fn may_drill(caller: &Caller) -> bool {
    caller.app.config.flag("DRILL_BY") && has_drill_right(&caller.user)
}

fn has_drill_right(user: &Principal) -> bool {
    user.can_access("can_drill", "Dashboard") || user.can_access("can_explore", "Superset")
}

/// The columns that are meant for grouping.
fn drillable(dataset: &Dataset) -> impl Iterator<Item = String> {
    dataset.columns.iter().filter(|column| column.groupby).map(|column| column.column_name.clone())
}

/// The columns that a drill-by names, as far as they are meant for it (`has_drill_by_access`).
fn drilled(form_data: &Value, dataset: &Arc<Dataset>) -> Vec<ColumnMeaning> {
    let mut named = Exposed::new(dataset.clone());
    if let Some(form_data) = form_data.as_object() {
        named.add_form_data(form_data);
    }
    drillable(dataset).map(ColumnMeaning::Name).filter(|column| named.columns.contains(column)).collect()
}

/// Fails with 403 unless a guest may see the rows behind the numbers of a dashboard
/// (`can_drill_dataset_via_dashboard_access`). All columns are shown there, also in the original; SQL has to be known.
pub async fn raise_for_detail(
    caller: &Caller,
    dataset: &daos::dataset::Dataset,
    description: &Arc<Dataset>,
    dashboard_id: Option<i64>,
    payload: &Map<String, Value>,
) -> Result<()> {
    let forbidden = || Error::Legacy { status: 403, error: "Forbidden".to_owned() };
    let dashboard = match dashboard_id {
        Some(id) => dashboard::find(caller.app.db.exec(), id).await?.ok_or_else(forbidden)?,
        None => return Err(forbidden()),
    };
    let by_feature = caller.app.config.flag("DRILL_TO_DETAIL") && has_drill_right(&caller.user);
    if !by_feature || !objects::can_drill_via_dashboard(caller, dataset, &dashboard).await? {
        return Err(forbidden());
    }
    let exposed = exposed_on(&caller.app, std::slice::from_ref(&dashboard), description).await?;
    if exposed.allows_detail_of(payload) { Ok(()) } else { Err(forbidden()) }
}

/// Fails with 403 when a guest asks for the values of a column that no dashboard of the token shows or filters by.
pub async fn raise_for_values(caller: &Caller, dataset: &Arc<Dataset>, column: &str) -> Result<()> {
    let Some(guest) = caller.guest() else { return Ok(()) };
    let exposed = exposed_on(&caller.app, &dashboards_of(&caller.app, guest).await?, dataset).await?;
    if exposed.has_values_of(column) { Ok(()) } else { Err(Error::message(403, "Forbidden")) }
}

/// Fails with 404 when a guest asks for a chart that is on none of the token's dashboards.
pub async fn raise_for_stored(caller: &Caller, chart_id: i64) -> Result<()> {
    let Some(guest) = caller.guest() else { return Ok(()) };
    for dashboard in dashboards_of(&caller.app, guest).await? {
        if chart::of_dashboard(caller.app.db.exec(), dashboard.id)
            .await?
            .iter()
            .any(|chart| chart.id == chart_id)
        {
            return Ok(());
        }
    }
    Err(Error::not_found())
}

/// Fails with 403 when a guest wants another answer to a chart's stored query than charts get.
pub fn raise_for_result_types(caller: &Caller, context: &QueryContext) -> Result<()> {
    let known = |query: &QueryObject| exposed::OF_CHARTS.contains(&query.result_type);
    let is_guest = caller.guest().is_some();
    if is_guest && !context.queries.iter().all(known) { Err(modified()) } else { Ok(()) }
}

/// What the charts and filters of some dashboards show of a dataset.
async fn exposed_on(app: &Services, dashboards: &[Dashboard], dataset: &Arc<Dataset>) -> Result<Exposed> {
    let mut exposed = Exposed::new(dataset.clone());
    for dashboard in dashboards {
        let charts = chart::of_dashboard(app.db.exec(), dashboard.id).await?;
        charts.iter().filter(|chart| is_of(chart, dataset)).for_each(|chart| exposed.add_chart(chart));
        let filters = filters::native(dashboard);
        let of_dataset = |f: &&Value| targets(f, dataset.id).next().is_some();
        filters.iter().filter(of_dataset).for_each(|filter| exposed.add_native_filter(filter));
    }
    Ok(exposed)
}

/// The dashboards of a token, by their ids or the UUIDs of their embedding.
async fn dashboards_of(app: &Services, guest: &crate::state::GuestToken) -> Result<Vec<Dashboard>> {
    let mut ids = Vec::new();
    for id in guest.dashboard_ids() {
        match Uuid::parse_str(&id) {
            Ok(uuid) => {
                ids.extend(embedded::find(app.db.exec(), uuid).await?.map(|found| found.dashboard_id))
            }
            Err(_) => ids.extend(id.parse::<i64>().ok()),
        }
    }
    Ok(dashboard::find_many(app.db.exec(), &ids).await?)
}
