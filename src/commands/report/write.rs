//! Creating, changing and deleting alerts and reports (`superset.commands.report.create`, `update`, `delete`).

use daos::{
    chart::{self, ChartKey},
    dashboard::Dashboard,
    database,
    person::{self, Owned},
    tables::{REPORT_RECIPIENTS, REPORT_SCHEDULES},
    write as rows,
};
use infra::{
    Error, Result, clock,
    cron::Cron,
    db::{DbError, Executor, Sql, Value as Stored},
    error::SupersetError,
    json::dumps,
};
use serde_json::{Map, Value, json};

use crate::{
    Principal, Services,
    access::{lists, ownership},
    annotation::key,
    dashboard::find,
    refused::refused,
    relations::{Invalid, delete_rows, set_owners},
};

/// Fields as the body had them, checked by their schema.
pub type Fields = Map<String, Value>;

/// Columns that a body sets as they are.
const COLUMNS: &[&str] = &[
    "type",
    "name",
    "description",
    "email_subject",
    "context_markdown",
    "active",
    "crontab",
    "timezone",
    "sql",
    "creation_method",
    "validator_type",
    "log_retention",
    "grace_period",
    "working_timeout",
    "report_format",
    "force_screenshot",
    "custom_width",
];

fn text<'a>(fields: &'a Fields, key: &str) -> Option<&'a str> {
    fields.get(key).and_then(Value::as_str)
}

/// A reference; zero counts as none.
fn reference(fields: &Fields, key: &str) -> Option<i64> {
    fields.get(key).and_then(Value::as_i64).filter(|id| *id != 0)
}

fn owner_ids(fields: &Fields) -> Option<Vec<i64>> {
    Some(fields.get("owners")?.as_array()?.iter().filter_map(Value::as_i64).collect())
}

/// Creates an alert or report; its id.
pub async fn create(app: &Services, user: &Principal, fields: &Fields) -> Result<i64> {
    let failed = "Report Schedule could not be created.";
    let db = app.db.exec();
    let mut invalid = Invalid::default();
    let kind = text(fields, "type").unwrap_or_default();
    let name = text(fields, "name").unwrap_or_default();
    check_name(db, kind, name, None, &mut invalid).await?;
    if kind == "Alert" {
        match fields.get("database").and_then(Value::as_i64) {
            Some(id) => check_database(app, user, id, &mut invalid).await?,
            None => invalid.say("database", "Database is required for alerts"),
        }
    }
    check_frequency(app, kind, text(fields, "crontab").unwrap_or_default(), &mut invalid);
    let board = check_subject(app, user, fields, false, &mut invalid).await?;
    check_tabs(fields, board.as_ref(), &mut invalid);
    if text(fields, "creation_method") != Some("alerts_reports") && has_one(db, user, fields).await? {
        let text = "Resource already has an attached report.";
        return Err(Error::sip40(409, SupersetError::new("GENERIC_COMMAND_ERROR", text).level("warning")));
    }
    let owners = ownership::owners_on_create(db, user, owner_ids(fields).as_deref()).await;
    let owners = invalid.owners(owners)?;
    invalid.check()?;
    let recipients = recipients(fields)?;

    let tx = app.db.begin().await?;
    let stored = insert(tx.exec(), user, fields, &owners, recipients).await;
    let id = stored.map_err(refused(failed))?;
    tx.commit().await.map_err(|e| refused(failed)(e.into()))?;
    Ok(id)
}

async fn insert(
    db: &dyn Executor,
    user: &Principal,
    fields: &Fields,
    owners: &[i64],
    recipients: Vec<rows::Values>,
) -> Result<i64> {
    let id = key(&rows::insert(db, &REPORT_SCHEDULES, values(fields)?, user.user_id()).await?)?;
    set_owners(db, Owned::Report, id, owners).await?;
    add_recipients(db, user, id, recipients).await?;
    Ok(id)
}

/// Changes an alert or report.
pub async fn update(app: &Services, user: &Principal, id: i64, fields: &Fields) -> Result<()> {
    let failed = "Report Schedule could not be updated.";
    let db = app.db.exec();
    let stored = known(app, user, id).await?.ok_or_else(Error::not_found)?;
    let mut invalid = Invalid::default();
    let kind = text(fields, "type").unwrap_or(&stored.kind);
    let name = text(fields, "name").unwrap_or(&stored.name);
    if name != stored.name || kind != stored.kind {
        check_name(db, kind, name, Some(id), &mut invalid).await?;
    }
    if let Some(database) = reference(fields, "database") {
        if kind != "Alert" {
            return Err(Error::internal("a report with a database"));
        }
        check_database(app, user, database, &mut invalid).await?;
    }
    check_frequency(app, kind, text(fields, "crontab").unwrap_or(&stored.crontab), &mut invalid);
    check_subject(app, user, fields, true, &mut invalid).await?;
    if !ownership::owns(app, user, Owned::Report, id).await? {
        return Err(Error::forbidden());
    }
    let current = person::owners(db, Owned::Report, &[id]).await?.remove(&id).unwrap_or_default();
    let current: Vec<i64> = current.iter().map(|p| p.id).collect();
    let asked = owner_ids(fields);
    let owners = ownership::owners_on_update(db, user, &current, asked.as_deref()).await;
    let owners = invalid.owners(owners)?;
    invalid.check()?;
    let recipients = recipients(fields)?;

    let mut changes = values(fields)?;
    // whoever stops a report that is at work can start it again
    if stored.last_state.as_deref() == Some("Working") && fields.get("active") == Some(&json!(false)) {
        changes.push(("last_state", "Not triggered".into()));
    }
    let tx = app.db.begin().await?;
    let outcome = replace(tx.exec(), user, id, changes, &owners, recipients).await;
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
    set_owners(db, Owned::Report, id, owners).await?;
    if !recipients.is_empty() {
        let gone = Sql::new("DELETE FROM report_recipient WHERE report_schedule_id = ?").bind(id);
        db.execute(gone).await?;
        add_recipients(db, user, id, recipients).await?;
    }
    Ok(())
}

/// Deletes alerts and reports: all of them or, if one is missing or foreign, none.
pub async fn delete(app: &Services, user: &Principal, ids: &[i64]) -> Result<()> {
    let failed = "Report Schedule delete failed.";
    let tx = app.db.begin().await?;
    let db = tx.exec();
    let mut sql = Sql::new("SELECT r.id FROM report_schedule r WHERE r.id IN ");
    sql.push_list(ids.iter().copied().filter(|id| i32::try_from(*id).is_ok()));
    if let Some(condition) = lists::reports(user, "r") {
        sql.push(" AND ").append(condition);
    }
    let found = db.query(sql).await?.len();
    if found == 0 || found != ids.len() {
        return Err(Error::not_found());
    }
    if !ownership::not_owned(db, user, Owned::Report, ids).await?.is_empty() {
        return Err(Error::forbidden());
    }
    for (table, column) in [
        ("report_recipient", "report_schedule_id"),
        ("report_execution_log", "report_schedule_id"),
        ("report_schedule_user", "report_schedule_id"),
    ] {
        let mut sql = Sql::new(format!("DELETE FROM {table} WHERE {column} IN "));
        sql.push_list(ids.iter().copied());
        db.execute(sql).await.map_err(|e| refused(failed)(e.into()))?;
    }
    delete_rows(db, "report_schedule", ids).await.map_err(refused(failed))?;
    Ok(tx.commit().await?)
}

/// A stored report as far as a change needs it.
struct Known {
    kind: String,
    name: String,
    crontab: String,
    last_state: Option<String>,
}

async fn known(app: &Services, user: &Principal, id: i64) -> Result<Option<Known>, DbError> {
    let sql = "SELECT r.type, r.name, r.crontab, r.last_state FROM report_schedule r WHERE r.id = ?";
    let mut sql = Sql::new(sql).bind(id);
    if let Some(condition) = lists::reports(user, "r") {
        sql.push(" AND ").append(condition);
    }
    let row = app.db.exec().first(sql).await?;
    row.map(|r| Ok(Known { kind: r.at(0)?, name: r.at(1)?, crontab: r.at(2)?, last_state: r.at(3)? }))
        .transpose()
}

async fn check_name(
    db: &dyn Executor,
    kind: &str,
    name: &str,
    but: Option<i64>,
    invalid: &mut Invalid,
) -> Result<()> {
    let sql = Sql::new("SELECT id FROM report_schedule WHERE name = ? AND type = ?").bind(name).bind(kind);
    let found: Option<i64> = db.first(sql).await?.map(|r| r.at(0)).transpose()?;
    if found.is_some() && found != but {
        let article = if kind == "Alert" { "An alert" } else { "A report" };
        invalid.add("name", &format!("{article} named \"{name}\" already exists"));
    }
    Ok(())
}

async fn check_database(app: &Services, user: &Principal, id: i64, invalid: &mut Invalid) -> Result<()> {
    let found = database::find_where(app.db.exec(), id, lists::databases(user, "d")).await?;
    if found.is_none() {
        invalid.say("database", "Database does not exist");
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
    let shortest = Cron::parse(crontab).and_then(|cron| cron.shortest_interval(clock::now(), firings));
    if shortest.is_some_and(|seconds| seconds < minimum) {
        let minutes = (minimum + 59) / 60;
        let text = format!(
            "{kind} schedule frequency exceeding limit. Please configure a schedule with a minimum interval of \
             {minutes} minutes per execution."
        );
        invalid.say("crontab", &text);
    }
}

/// What is sent: a chart or a dashboard that the caller sees. Returns the dashboard.
async fn check_subject(
    app: &Services,
    user: &Principal,
    fields: &Fields,
    update: bool,
    invalid: &mut Invalid,
) -> Result<Option<Dashboard>> {
    let (chart, board) = (reference(fields, "chart"), reference(fields, "dashboard"));
    let unsaved =
        |what: &str| format!("Please save your {what} first, then try creating a new email report.");
    match text(fields, "creation_method") {
        Some("charts") if chart.is_none() => {
            invalid.say("chart", &unsaved("chart"));
            return Ok(None);
        }
        Some("dashboards") if board.is_none() => {
            invalid.say("dashboard", &unsaved("dashboard"));
            return Ok(None);
        }
        _ => {}
    }
    if chart.is_some() && board.is_some() {
        invalid.say("chart", "Choose a chart or dashboard not both");
    }
    if let Some(id) = chart {
        let visible = lists::charts(user, "s");
        if chart::find_where(app.db.exec(), &ChartKey::Id(id), visible).await?.is_none() {
            invalid.say("chart", "Chart does not exist");
        }
    } else if let Some(id) = board {
        let found = find::listed(app, user, id).await?;
        if found.is_none() {
            invalid.say("dashboard", "Dashboard does not exist");
        }
        return Ok(found);
    } else if !update {
        invalid.say("chart", "Must choose either a chart or a dashboard");
    }
    Ok(None)
}

/// The tabs that a report of a dashboard shows must be tabs of it.
fn check_tabs(fields: &Fields, board: Option<&Dashboard>, invalid: &mut Invalid) {
    let state = fields.get("extra").and_then(|e| e.get("dashboard")).and_then(Value::as_object);
    let (Some(state), Some(board)) = (state, board) else { return };
    let layout: Map<String, Value> =
        serde_json::from_str(board.position_json.as_deref().unwrap_or_default()).unwrap_or_default();
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
        invalid.say("extra", "Invalid tab ids: %s(tab_ids)");
    }
}

/// The caller has a report of the same chart or dashboard (`validate_unique_creation_method`).
async fn has_one(db: &dyn Executor, user: &Principal, fields: &Fields) -> Result<bool, DbError> {
    let mut sql = Sql::new("SELECT id FROM report_schedule WHERE created_by_fk = ");
    sql.push_bind(user.user_id());
    for (column, key) in [("dashboard_id", "dashboard"), ("chart_id", "chart")] {
        if let Some(id) = fields.get(key).and_then(Value::as_i64) {
            sql.push(&format!(" AND {column} = ")).push_bind(id);
        }
    }
    Ok(db.first(sql).await?.is_some())
}

fn values(fields: &Fields) -> Result<rows::Values> {
    let mut values = rows::Values::new();
    for column in COLUMNS {
        let Some(value) = fields.get(*column) else { continue };
        let stored: Stored = match value {
            Value::Bool(b) => (*b).into(),
            Value::Number(n) => n.as_i64().into(),
            other => other.as_str().into(),
        };
        values.push((column, stored));
    }
    for (column, key) in [("chart_id", "chart"), ("dashboard_id", "dashboard"), ("database_id", "database")] {
        if fields.contains_key(key) {
            values.push((column, reference(fields, key).into()));
        }
    }
    if let Some(config) = fields.get("validator_config_json") {
        values.push(("validator_config_json", dumps(config).into()));
    }
    if let Some(extra) = fields.get("extra") {
        values.push(("extra_json", dumps(extra).into()));
    }
    Ok(values)
}

fn recipients(fields: &Fields) -> Result<Vec<rows::Values>> {
    let recipient = |r: &Value| {
        // the original stumbles over a recipient without an address
        let config = r
            .get("recipient_config_json")
            .ok_or_else(|| Error::internal("a recipient without an address"))?;
        let type_ = r.get("type").and_then(Value::as_str).unwrap_or_default();
        Ok(vec![("type", type_.into()), ("recipient_config_json", dumps(config).into())])
    };
    fields.get("recipients").and_then(Value::as_array).into_iter().flatten().map(recipient).collect()
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
