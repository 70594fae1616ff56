//! Access to single objects: databases, schemas, datasets, dashboards, charts (`raise_for_access`).

use daos::{
    chart::Chart,
    dashboard::{self, Dashboard},
    database::Database,
    dataset::{self, Dataset},
    embedded,
    person::Owned,
};
use infra::{
    Error, Result,
    config::Config,
    error::{ErrorType, SupersetError},
};
use serde_json::{Value, json};

use super::{ownership, via_dashboard};
use crate::Caller;
use crate::state::Principal;

impl Principal {
    /// `can_access_database`; `perm` is `[name].(id:n)`.
    pub fn can_access_database_perm(&self, perm: &str) -> bool {
        self.all_datasources() || self.can_access("database_access", perm)
    }
    /// `can_access_database`.
    pub fn can_access_database(&self, database: &Database) -> bool {
        self.can_access_database_perm(&database.perm())
    }
    /// `can_access_catalog`.
    pub fn can_access_catalog(&self, database: &Database, catalog: Option<&str>) -> bool {
        self.can_access_database(database)
            || catalog_perm(&database.database_name, catalog)
                .is_some_and(|perm| self.can_access("catalog_access", &perm))
    }
    /// `can_access_schema`: the schema of a dataset, or anything around it.
    pub fn can_access_schema_of(&self, dataset: &Dataset) -> bool {
        let database_perm = format!("[{}].(id:{})", dataset.database_name, dataset.database_id);
        self.can_access_database_perm(&database_perm)
            || catalog_perm(&dataset.database_name, dataset.catalog.as_deref())
                .is_some_and(|perm| self.can_access("catalog_access", &perm))
            || self.can_access("schema_access", dataset.schema_perm.as_deref().unwrap_or_default())
    }
    /// What the grants alone say about a dataset; ownership and dashboards come on top.
    pub fn is_granted(&self, dataset: &Dataset) -> bool {
        self.can_access_schema_of(dataset)
            || self.can_access("datasource_access", dataset.perm.as_deref().unwrap_or_default())
    }
}

/// View menu of a catalog (`get_catalog_perm`).
pub fn catalog_perm(database: &str, catalog: Option<&str>) -> Option<String> {
    catalog.filter(|c| !c.is_empty()).map(|catalog| format!("[{database}].[{catalog}]"))
}

/// View menu of a schema (`get_schema_perm`).
pub fn schema_perm(database: &str, catalog: Option<&str>, schema: Option<&str>) -> Option<String> {
    let schema = schema.filter(|s| !s.is_empty())?;
    Some(match catalog.filter(|c| !c.is_empty()) {
        Some(catalog) => format!("[{database}].[{catalog}].[{schema}]"),
        None => format!("[{database}].[{schema}]"),
    })
}

/// `can_access_datasource`: granted, or owned.
pub async fn can_access_dataset(caller: &Caller, dataset: &Dataset) -> Result<bool> {
    Ok(caller.user.is_granted(dataset) || ownership::owns(caller, Owned::Dataset, dataset.id).await?)
}

/// Fails with 403 unless the caller may use a dataset; `form_data` names the dashboard through which it may be reached.
pub async fn raise_for_dataset(caller: &Caller, dataset: &Dataset, form_data: Option<&Value>) -> Result<()> {
    if can_access_dataset(caller, dataset).await? {
        return Ok(());
    }
    if let Some(form_data) = form_data
        && via_dashboard::reaches(caller, dataset, form_data).await?
    {
        return Ok(());
    }
    Err(dataset_denied(&caller.app.config, dataset))
}

/// The refusal of a dataset.
pub fn dataset_denied(config: &Config, dataset: &Dataset) -> Error {
    let message = format!(
        "This endpoint requires the datasource {}, database or `all_datasource_access` permission",
        dataset.id
    );
    Error::sip40(
        403,
        SupersetError::new(ErrorType::DatasourceSecurityAccessError, message)
            .level("warning")
            .extra("link", config.get("PERMISSION_INSTRUCTIONS_LINK").clone())
            .extra("datasource", json!(dataset.id))
            .extra("datasource_name", json!(dataset.name())),
    )
}

/// `can_access_dashboard`. With `DASHBOARD_RBAC` a dashboard's roles decide alone; otherwise one accessible dataset
/// opens it, and so does having no charts at all. Publication counts only in lists and for roles.
pub async fn can_access_dashboard(caller: &Caller, dashboard: &Dashboard) -> Result<bool> {
    if caller.guest().is_some() {
        return has_guest_access(caller, dashboard).await;
    }
    if caller.user.is_admin || ownership::owns(caller, Owned::Dashboard, dashboard.id).await? {
        return Ok(true);
    }
    let db = caller.app.db.exec();
    if caller.app.config.flag("DASHBOARD_RBAC") {
        let roles = dashboard::roles(db, dashboard.id).await?;
        if !roles.is_empty() {
            let mine = caller.user.role_ids();
            return Ok(dashboard.published == Some(true) && roles.iter().any(|(id, _)| mine.contains(id)));
        }
    }
    let ids = dashboard::dataset_ids(db, dashboard.id).await?;
    let datasets = dataset::find_many(db, &ids).await?;
    if datasets.is_empty() || datasets.values().any(|d| caller.user.is_granted(d)) {
        return Ok(true);
    }
    let Some(user_id) = caller.user.user_id() else { return Ok(false) };
    let existing: Vec<i64> = datasets.keys().copied().collect();
    Ok(!daos::person::owned_by(db, Owned::Dataset, user_id, &existing).await?.is_empty())
}

/// Fails with 403 unless the caller may open a dashboard.
pub async fn raise_for_dashboard(caller: &Caller, dashboard: &Dashboard) -> Result<()> {
    if can_access_dashboard(caller, dashboard).await? {
        return Ok(());
    }
    let text = "You don't have access to this dashboard.";
    let error = SupersetError::new(ErrorType::DashboardSecurityAccessError, text).level("warning");
    Err(Error::sip40(403, error))
}

/// The guest's token names the dashboard, by its id or by the UUID of its embedding (`has_guest_access`).
pub async fn has_guest_access(caller: &Caller, dashboard: &Dashboard) -> Result<bool> {
    let Some(guest) = caller.guest() else { return Ok(false) };
    let ids = guest.dashboard_ids();
    if ids.contains(&dashboard.id.to_string()) {
        return Ok(true);
    }
    let embedded = embedded::of_dashboard(caller.app.db.exec(), dashboard.id).await?;
    Ok(embedded.first().is_some_and(|e| ids.contains(&e.uuid.to_string())))
}

/// `can_access_chart`: admins, owners, and whoever may use its dataset.
pub async fn can_access_chart(caller: &Caller, chart: &Chart) -> Result<bool> {
    if caller.user.is_admin || ownership::owns(caller, Owned::Chart, chart.id).await? {
        return Ok(true);
    }
    let Some(id) = chart.datasource_id else { return Ok(false) };
    match dataset::find(caller.app.db.exec(), id).await? {
        Some(dataset) => can_access_dataset(caller, &dataset).await,
        None => Ok(false),
    }
}

/// Fails with 403 unless the caller may use a chart.
pub async fn raise_for_chart(caller: &Caller, chart: &Chart) -> Result<()> {
    if can_access_chart(caller, chart).await? {
        return Ok(());
    }
    let text = "You don't have access to this chart.";
    Err(Error::sip40(403, SupersetError::new(ErrorType::ChartSecurityAccessError, text).level("warning")))
}

/// `can_drill_dataset_via_dashboard_access`: guests and readers by role may drill into the datasets of their
/// dashboards.
pub async fn can_drill_via_dashboard(
    caller: &Caller,
    dataset: &Dataset,
    dashboard: &Dashboard,
) -> Result<bool> {
    let open = if has_guest_access(caller, dashboard).await? {
        true
    } else if caller.app.config.flag("DASHBOARD_RBAC") && dashboard.published == Some(true) {
        let roles = dashboard::roles(caller.app.db.exec(), dashboard.id).await?;
        let mine = caller.user.role_ids();
        roles.iter().any(|(id, _)| mine.contains(id))
    } else {
        false
    };
    Ok(open && dashboard::dataset_ids(caller.app.db.exec(), dashboard.id).await?.contains(&dataset.id))
}
