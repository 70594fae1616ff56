//! Addresses of what a report shows: for the browser, and in messages (`BaseReportState._get_url`).

use daos::dashboard::Dashboard;
use infra::{config::Config, json::dumps};
use serde_json::{Value, json};

use super::{ReportError, Run};
use crate::{access::objects, permalink::Permalink};

/// What a report is about.
pub(super) enum Subject {
    /// A chart: its id and name, and whether a query was saved with it.
    Chart {
        /// Primary key.
        id: i64,
        /// `slice_name`.
        name: Option<String>,
        /// A query context was saved.
        has_query: bool,
    },
    /// A dashboard.
    Dashboard(Box<Dashboard>),
}

impl Run {
    /// What the report is about. One whose chart or dashboard is gone fails in the original's words.
    pub(super) async fn subject(&self) -> Result<Subject, ReportError> {
        let db = self.app.db.exec();
        if let Some(id) = self.schedule.chart_id
            && let Some(chart) = daos::chart::find(db, id).await?
        {
            let has_query = chart.query_context.is_some();
            return Ok(Subject::Chart { id, name: chart.slice_name, has_query });
        }
        if let Some(id) = self.schedule.dashboard_id
            && let Some(dashboard) = daos::dashboard::find(db, id).await?
        {
            return Ok(Subject::Dashboard(Box::new(dashboard)));
        }
        Err(ReportError::unexpected("'NoneType' object has no attribute 'id'"))
    }

    /// `true` or `false`: whether caches are passed by.
    pub(super) fn force(&self) -> &'static str {
        if self.schedule.force_screenshot == Some(true) { "true" } else { "false" }
    }

    /// The address in messages.
    pub(super) async fn link(&self, subject: &Subject) -> Result<String, ReportError> {
        let path = match subject {
            Subject::Chart { id, .. } => self.chart_path(*id),
            Subject::Dashboard(dashboard) => match self.dashboard_state() {
                Some(state) => self.permalink(dashboard, &state).await?,
                None => self.dashboard_path(dashboard),
            },
        };
        Ok(absolute(self.app.config.str("WEBDRIVER_BASEURL_USER_FRIENDLY"), &rooted(&self.app.config, &path)))
    }

    /// The path of the chart builder.
    pub(super) fn chart_path(&self, id: i64) -> String {
        format!("/explore/?form_data=%7B%22slice_id%22:+{id}%7D&force={}", self.force())
    }

    /// The paths of a dashboard that pictures are taken of: one, or one for each of several tabs.
    pub(super) async fn dashboard_paths(&self, dashboard: &Dashboard) -> Result<Vec<String>, ReportError> {
        let Some(state) = self.dashboard_state() else { return Ok(vec![self.dashboard_path(dashboard)]) };
        let anchor = state.get("anchor").and_then(Value::as_str).filter(|anchor| !anchor.is_empty());
        let Some(Value::Array(tabs)) = anchor.and_then(|text| serde_json::from_str(text).ok()) else {
            return Ok(vec![self.permalink(dashboard, &state).await?]);
        };
        let mut paths = Vec::with_capacity(tabs.len());
        for tab in tabs {
            let state = json!({"anchor": tab, "dataMask": null, "activeTabs": null, "urlParams": null});
            paths.push(self.permalink(dashboard, &state).await?);
        }
        Ok(paths)
    }

    fn dashboard_path(&self, dashboard: &Dashboard) -> String {
        let key = dashboard.uuid.map_or_else(|| dashboard.id.to_string(), |uuid| uuid.to_string());
        format!("/superset/dashboard/{key}/?force={}", self.force())
    }

    /// Tabs and filters that a dashboard is to be shown with.
    fn dashboard_state(&self) -> Option<Value> {
        if !self.app.config.flag("ALERT_REPORT_TABS") {
            return None;
        }
        let extra: Value = serde_json::from_str(self.schedule.extra_json.as_deref()?).ok()?;
        extra.get("dashboard").filter(|state| infra::json::truthy(state)).cloned()
    }

    /// A link to a state of a dashboard. It is committed at once, so that the browser finds it.
    async fn permalink(&self, dashboard: &Dashboard, state: &Value) -> Result<String, ReportError> {
        let caller = self.caller();
        if !objects::can_access_dashboard(&caller, dashboard).await? {
            let text = "You don't have access to this dashboard.";
            return Err(ReportError::new("DashboardAccessDeniedError", 403, text));
        }
        let uuid = dashboard.uuid.map_or_else(|| "None".to_owned(), |uuid| uuid.to_string());
        let value = json!({"dashboardId": uuid, "state": state});
        tracing::debug!(report = self.schedule.id, state = dumps(&value), "a link to a state of a dashboard");
        let key = Permalink::Dashboard.create_once(&caller, &value).await?;
        Ok(format!("/superset/dashboard/p/{key}/"))
    }
}

/// A path behind `APPLICATION_ROOT`.
fn rooted(config: &Config, path: &str) -> String {
    format!("{}{path}", config.application_root())
}

/// `urljoin` of a base and a path that begins with a slash: the base's own path does not count.
fn absolute(base: &str, path: &str) -> String {
    let Some((scheme, rest)) = base.split_once("://") else { return path.to_owned() };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_base_does_not_count() {
        assert_eq!(
            absolute("https://bi.example.org/sub/", "/explore/?a=b"),
            "https://bi.example.org/explore/?a=b"
        );
        assert_eq!(absolute("http://h:8088", "/x"), "http://h:8088/x");
    }
}
