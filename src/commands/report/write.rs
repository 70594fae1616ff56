//! Creating, changing and deleting alerts and reports (`superset.commands.report.create`, `update`, `delete`).

use super::{RecipientFields, ReportFields};
use crate::connect;
use daos::{
    chart::{self, ChartKey},
    dashboard::Dashboard,
    database,
    person::{self, Owned},
    report,
    rows::{self as stored_rows, key},
    tables::{REPORT_RECIPIENTS, REPORT_SCHEDULES},
    write as rows,
};
use infra::{
    Error, Result, clock,
    cron::Cron,
    db::{DbError, Executor},
    error::{ErrorType, SupersetError},
    json::dumps,
};
use serde_json::{Map, Value};

use crate::{
    Caller, Principal, Services,
    access::{
        lists, ownership,
        rules_in_force::any_rule,
        sql_calls::{self, Place, Reader},
    },
    dashboard::find,
    refused::refused,
    relations::Invalid,
    schema::{Sent, columns},
};

/// A reference; zero counts as none.
fn reference(sent: &Sent<i64>) -> Option<i64> {
    sent.get().filter(|id| *id != 0)
}

/// Creates an alert or report; its id.
pub async fn create(caller: &Caller, fields: &ReportFields) -> Result<i64> {
    let failed = "Report Schedule could not be created.";
    let db = caller.app.db.exec();
    let mut invalid = Invalid::default();
    let kind = fields.kind.text().unwrap_or_default();
    if kind == "Alert" {
        match fields.database.get() {
            Some(id) => check_database(caller, id, fields.sql.text(), &mut invalid).await?,
            None => invalid.add_text("database", "Database is required for alerts"),
        }
    }
    check_frequency(&caller.app, kind, fields.crontab.text().unwrap_or_default(), &mut invalid);
    let dashboard = check_subject(caller, fields, false, &mut invalid).await?;
    check_tabs(fields, dashboard.as_ref(), &mut invalid);
    let owners = ownership::owners_on_create(db, &caller.user, fields.owners.items()).await;
    let owners = invalid.owners(owners)?;

    // nobody else writes a report of the caller's between the look and the write
    let tx = caller.app.db.begin().await?;
    hold_reports_of(tx.exec(), &caller.user).await?;
    check_name(tx.exec(), kind, fields.name.text().unwrap_or_default(), None, &mut invalid).await?;
    let by_page = fields.creation_method.text() != Some("alerts_reports");
    if by_page && has_one(tx.exec(), &caller.user, fields).await? {
        let text = "Resource already has an attached report.";
        return Err(Error::sip40(
            409,
            SupersetError::new(ErrorType::GenericCommandError, text).level("warning"),
        ));
    }
    invalid.check()?;
    let recipients = recipients(fields)?;
    let stored = insert(tx.exec(), &caller.user, fields, &owners, recipients).await;
    let id = stored.map_err(refused(failed))?;
    tx.commit().await.map_err(|e| refused(failed)(e.into()))?;
    Ok(id)
}

async fn insert(
    db: &dyn Executor,
    user: &Principal,
    fields: &ReportFields,
    owners: &[i64],
    recipients: Vec<rows::Values>,
) -> Result<i64> {
    let id = key(&rows::insert(db, &REPORT_SCHEDULES, values(fields), user.user_id()).await?)?;
    person::set_owners(db, Owned::Report, id, owners).await?;
    add_recipients(db, user, id, recipients).await?;
    Ok(id)
}

/// Changes an alert or report.
pub async fn update(caller: &Caller, id: i64, fields: &ReportFields) -> Result<()> {
    let failed = "Report Schedule could not be updated.";
    let db = caller.app.db.exec();
    let stored =
        report::find_where(db, id, lists::reports(&caller.user, "r")).await?.ok_or_else(Error::not_found)?;
    let mut invalid = Invalid::default();
    let kind = fields.kind.text().unwrap_or(&stored.kind);
    let name = fields.name.text().unwrap_or(&stored.name);
    if let Some(database) = reference(&fields.database) {
        if kind != "Alert" {
            return Err(Error::internal("a report with a database"));
        }
        check_database(caller, database, fields.sql.text(), &mut invalid).await?;
    }
    check_frequency(&caller.app, kind, fields.crontab.text().unwrap_or(&stored.crontab), &mut invalid);
    check_subject(caller, fields, true, &mut invalid).await?;
    if !ownership::owns(caller, Owned::Report, id).await? {
        return Err(Error::forbidden());
    }
    let current = person::owners(db, Owned::Report, &[id]).await?.remove(&id).unwrap_or_default();
    let current: Vec<i64> = current.iter().map(|p| p.id).collect();
    let owners = ownership::owners_on_update(db, &caller.user, &current, fields.owners.items()).await;
    let owners = invalid.owners(owners)?;

    let tx = caller.app.db.begin().await?;
    if name != stored.name || kind != stored.kind {
        hold_reports_of(tx.exec(), &caller.user).await?;
        check_name(tx.exec(), kind, name, Some(id), &mut invalid).await?;
    }
    invalid.check()?;
    let recipients = recipients(fields)?;
    let mut changes = values(fields);
    // whoever stops a report that is at work can start it again
    if stored.last_state.as_deref() == Some("Working") && fields.active.get() == Some(false) {
        changes.push(("last_state", "Not triggered".into()));
    }
    let outcome = replace(tx.exec(), &caller.user, id, changes, &owners, recipients).await;
    outcome.map_err(refused(failed))?;
    tx.commit().await.map_err(|e| refused(failed)(e.into()))?;
    Ok(())
}

async fn replace(
    db: &dyn Executor,
    user: &Principal,
    id: i64,
    changes: rows::Values,
    owners: &[i64],
    recipients: Vec<rows::Values>,
) -> Result<()> {
    rows::update_changed(db, &REPORT_SCHEDULES, id.into(), changes, user.user_id()).await?;
    person::set_owners(db, Owned::Report, id, owners).await?;
    if !recipients.is_empty() {
        stored_rows::delete_where(db, REPORT_RECIPIENTS.name, "report_schedule_id", &[id]).await?;
        add_recipients(db, user, id, recipients).await?;
    }
    Ok(())
}

/// Deletes alerts and reports: all of them or, if one is missing or foreign, none.
pub async fn delete(caller: &Caller, ids: &[i64]) -> Result<()> {
    let failed = "Report Schedule delete failed.";
    let tx = caller.app.db.begin().await?;
    let db = tx.exec();
    let found = report::existing(db, ids, lists::reports(&caller.user, "r")).await?.len();
    if found == 0 || found != ids.len() {
        return Err(Error::not_found());
    }
    if !ownership::not_owned(db, &caller.user, Owned::Report, ids).await?.is_empty() {
        return Err(Error::forbidden());
    }
    report::delete(db, ids).await.map_err(refused(failed))?;
    Ok(tx.commit().await?)
}

async fn check_name(
    db: &dyn Executor,
    kind: &str,
    name: &str,
    but: Option<i64>,
    invalid: &mut Invalid,
) -> Result<()> {
    let found = report::id_by_name(db, kind, name).await?;
    if found.is_some() && found != but {
        let article = if kind == "Alert" { "An alert" } else { "A report" };
        invalid.add("name", &format!("{article} named \"{name}\" already exists"));
    }
    Ok(())
}

/// The database of an alert is one that the caller sees, and its query calls nothing that is refused there. A query
/// with templates, or one that cannot be read, is judged when it runs.
async fn check_database(caller: &Caller, id: i64, sql: Option<&str>, invalid: &mut Invalid) -> Result<()> {
    let found = database::find_where(caller.app.db.exec(), id, lists::databases(&caller.user, "d")).await?;
    let Some(database) = found else {
        invalid.add_text("database", "Database does not exist");
        return Ok(());
    };
    let engine = connect::engine_name(&database);
    let Some(Ok(script)) = sql.map(|sql| infra::sql::parse(sql, engine)) else { return Ok(()) };
    let has_rules = sql_calls::needs_rules(&script) && any_rule(caller, database.id).await?;
    let reader = Reader { by_table: !caller.user.can_access_database(&database), has_rules };
    let judged = sql_calls::check_listed(&caller.app.config, engine, &script, None)
        .and_then(|()| sql_calls::check_effects(&script, Place::Alert, reader));
    if let Err(refused) = judged {
        invalid.add("sql", &refused.message());
    }
    Ok(())
}

/// `ALERT_MINIMUM_INTERVAL` and `REPORT_MINIMUM_INTERVAL`, in seconds; below two minutes there is nothing to check.
fn check_frequency(app: &Services, kind: &str, crontab: &str, invalid: &mut Invalid) {
    let key = if kind == "Alert" { "ALERT_MINIMUM_INTERVAL" } else { "REPORT_MINIMUM_INTERVAL" };
    let minimum = app.config.int(key).unwrap_or_default();
    if minimum < 120 {
        return;
    }
    let firings = if minimum <= 3660 { 60 } else { 24 };
    let shortest = Cron::parse(crontab).ok().and_then(|cron| cron.shortest_interval(clock::now(), firings));
    if shortest.is_some_and(|seconds| seconds < minimum) {
        let minutes = (minimum + 59) / 60;
        let text = format!(
            "{kind} schedule frequency exceeding limit. Please configure a schedule with a minimum interval of \
             {minutes} minutes per execution."
        );
        invalid.add_text("crontab", &text);
    }
}

/// What is sent: a chart or a dashboard that the caller sees. Returns the dashboard.
async fn check_subject(
    caller: &Caller,
    fields: &ReportFields,
    update: bool,
    invalid: &mut Invalid,
) -> Result<Option<Dashboard>> {
    let (chart, dashboard) = (reference(&fields.chart), reference(&fields.dashboard));
    let unsaved =
        |what: &str| format!("Please save your {what} first, then try creating a new email report.");
    match fields.creation_method.text() {
        Some("charts") if chart.is_none() => {
            invalid.add_text("chart", &unsaved("chart"));
            return Ok(None);
        }
        Some("dashboards") if dashboard.is_none() => {
            invalid.add_text("dashboard", &unsaved("dashboard"));
            return Ok(None);
        }
        _ => {}
    }
    if chart.is_some() && dashboard.is_some() {
        invalid.add_text("chart", "Choose a chart or dashboard not both");
    }
    if let Some(id) = chart {
        let visible = lists::charts(&caller.user, "s");
        if chart::find_where(caller.app.db.exec(), &ChartKey::Id(id), visible).await?.is_none() {
            invalid.add_text("chart", "Chart does not exist");
        }
    } else if let Some(id) = dashboard {
        let found = find::listed(caller, id).await?;
        if found.is_none() {
            invalid.add_text("dashboard", "Dashboard does not exist");
        }
        return Ok(found);
    } else if !update {
        invalid.add_text("chart", "Must choose either a chart or a dashboard");
    }
    Ok(None)
}

/// The tabs that a report of a dashboard shows must be tabs of it.
fn check_tabs(fields: &ReportFields, dashboard: Option<&Dashboard>, invalid: &mut Invalid) {
    let state = fields.extra.value().and_then(|e| e.get("dashboard")).and_then(Value::as_object);
    let (Some(state), Some(dashboard)) = (state, dashboard) else { return };
    let layout: Map<String, Value> =
        serde_json::from_str(dashboard.position_json.as_deref().unwrap_or_default()).unwrap_or_default();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut tabs = state.get("activeTabs").map(&texts).unwrap_or_default();
    if let Some(anchor) = state.get("anchor").and_then(Value::as_str).filter(|a| !a.is_empty()) {
        match serde_json::from_str::<Value>(anchor) {
            Ok(list) => tabs.extend(texts(&list)),
            Err(_) => tabs.push(anchor.to_owned()),
        }
    }
    // the original's text was meant to name them
    if tabs.iter().any(|tab| !layout.contains_key(tab)) {
        invalid.add_text("extra", "Invalid tab ids: %s(tab_ids)");
    }
}

/// Keeps other transactions from writing reports of a user until this one ends: what is unique among them is not
/// constrained by the schema.
async fn hold_reports_of(db: &dyn Executor, user: &Principal) -> Result<()> {
    match user.user_id() {
        Some(id) => Ok(person::lock(db, id).await?),
        None => Ok(()),
    }
}

/// The caller has a report of the same chart or dashboard (`validate_unique_creation_method`).
async fn has_one(db: &dyn Executor, user: &Principal, fields: &ReportFields) -> Result<bool, DbError> {
    report::has_any(db, user.user_id(), fields.chart.get(), fields.dashboard.get()).await
}

/// Columns of `report_schedule` that a body sets.
fn values(fields: &ReportFields) -> rows::Values {
    let mut values = columns![
        fields; name, description, email_subject, context_markdown, active, crontab, timezone, sql,
        creation_method, validator_type, log_retention, grace_period, working_timeout, report_format,
        force_screenshot, custom_width,
    ];
    values.extend(fields.kind.stored().map(|kind| ("type", kind)));
    for (column, sent) in
        [("chart_id", &fields.chart), ("dashboard_id", &fields.dashboard), ("database_id", &fields.database)]
    {
        if sent.is_sent() {
            values.push((column, reference(sent).into()));
        }
    }
    for (column, sent) in
        [("validator_config_json", &fields.validator_config_json), ("extra_json", &fields.extra)]
    {
        values.extend(sent.json().map(|value| (column, dumps(&value).into())));
    }
    values
}

fn recipients(fields: &ReportFields) -> Result<Vec<rows::Values>> {
    let recipient = |r: &RecipientFields| {
        // the original stumbles over a recipient without an address
        let missing = || Error::internal("a recipient without an address");
        let config = r.recipient_config_json.json().ok_or_else(missing)?;
        let kind = r.kind.text().unwrap_or_default();
        Ok(vec![("type", kind.into()), ("recipient_config_json", dumps(&config).into())])
    };
    fields.recipients.items().into_iter().flatten().map(recipient).collect()
}

async fn add_recipients(
    db: &dyn Executor,
    user: &Principal,
    id: i64,
    recipients: Vec<rows::Values>,
) -> Result<(), DbError> {
    for mut recipient in recipients {
        recipient.push(("report_schedule_id", id.into()));
        rows::insert(db, &REPORT_RECIPIENTS, recipient, user.user_id()).await?;
    }
    Ok(())
}
