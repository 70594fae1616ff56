//! POST, PUT and DELETE of `/api/v1/report/` (`superset.reports.api`, `superset.reports.schemas`).

use std::sync::LazyLock;

use commands::report;
use infra::{Error, config::Config, cron::Cron, timezone};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::crud::{
        Field, FieldKind,
        validate::{self, FieldErrors, json_body, nested, plain_json_body},
        write::ids,
    },
    error::Failure,
    error_pages,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let write = Access::Protect("can_write", "ReportSchedule");
    let rules = [
        rule(&["POST"], "/api/v1/report/", write, post).endpoint("ReportScheduleRestApi.post"),
        rule(&["DELETE"], "/api/v1/report/", write, bulk_delete)
            .endpoint("ReportScheduleRestApi.bulk_delete"),
        rule(&["PUT"], "/api/v1/report/<int:pk>", write, put).endpoint("ReportScheduleRestApi.put"),
        rule(&["DELETE"], "/api/v1/report/<int:pk>", write, delete).endpoint("ReportScheduleRestApi.delete"),
        rule(&["GET"], "/api/v1/report/slack_channels/", write, slack_channels)
            .endpoint("ReportScheduleRestApi.slack_channels"),
    ];
    rules.map(|rule| rule.flag("ALERT_REPORTS")).into()
}

macro_rules! one_of {
    ($name:ident: $($choice:literal),+) => {
        fn $name(value: &Value) -> Option<&'static str> {
            let text = concat!("Must be one of: ", one_of!(@join $($choice),+), ".");
            let good = matches!(value.as_str(), $(Some($choice))|+);
            (!good).then_some(text)
        }
    };
    (@join $first:literal $(, $more:literal)*) => { concat!($first $(, ", ", $more)*) };
}
one_of!(kind: "Alert", "Report");
one_of!(format: "PDF", "PNG", "CSV", "TEXT");
one_of!(validator: "not null", "operator");
one_of!(method: "charts", "dashboards", "alerts_reports");
one_of!(recipient: "Email", "Slack", "SlackV2");
one_of!(operator: "<", "<=", ">", ">=", "==", "!=");

fn crontab(value: &Value) -> Option<&'static str> {
    let good = value.as_str().is_some_and(|text| Cron::parse(text).is_some());
    (!good).then_some("Cron expression is not valid")
}

fn zone(value: &Value) -> Option<&'static str> {
    static MESSAGE: LazyLock<String> =
        LazyLock::new(|| format!("Must be one of: {}.", timezone::names().join(", ")));
    (!value.as_str().is_some_and(timezone::is_known)).then(|| MESSAGE.as_str())
}

fn positive(value: &Value) -> Option<&'static str> {
    value.as_i64().is_some_and(|n| n < 1).then_some("Value must be greater than 0")
}

fn not_negative(value: &Value) -> Option<&'static str> {
    value.as_i64().is_some_and(|n| n < 0).then_some("Value must be 0 or greater")
}

fn threshold(value: &Value) -> Option<&'static str> {
    let number = match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        None => Some("Not a valid number."),
        Some(n) if !n.is_finite() => Some("Special numeric values (nan or infinity) are not permitted."),
        Some(_) => None,
    }
}

const POST: &[Field] = &[
    Field::new("type", FieldKind::String).required().check(kind),
    Field::new("name", FieldKind::String).required().length(1, Some(150)),
    Field::text("description"),
    Field::text("email_subject"),
    Field::text("context_markdown"),
    Field::new("active", FieldKind::Boolean),
    Field::new("crontab", FieldKind::String).required().length(1, Some(1000)).check(crontab),
    Field::new("timezone", FieldKind::String).check(zone),
    Field::new("sql", FieldKind::String),
    Field::new("chart", FieldKind::Integer).nullable(),
    Field::new("creation_method", FieldKind::Other("Enum")).check(method),
    Field::new("dashboard", FieldKind::Integer).nullable(),
    Field::new("selected_tabs", FieldKind::List).nullable(),
    Field::new("database", FieldKind::Integer),
    Field::new("owners", FieldKind::List),
    Field::new("validator_type", FieldKind::String).check(validator),
    Field::new("validator_config_json", FieldKind::Other("Nested")),
    Field::new("log_retention", FieldKind::Integer).check(positive),
    Field::new("grace_period", FieldKind::Integer).check(positive),
    Field::new("working_timeout", FieldKind::Integer).check(positive),
    Field::new("recipients", FieldKind::Other("List")),
    Field::new("report_format", FieldKind::String).check(format),
    Field::new("extra", FieldKind::Other("Dict")),
    Field::new("force_screenshot", FieldKind::Boolean),
    Field::new("custom_width", FieldKind::Integer).nullable(),
];

const PUT: &[Field] = &[
    Field::new("type", FieldKind::String).check(kind),
    Field::new("name", FieldKind::String).length(1, Some(150)),
    Field::text("description"),
    Field::text("email_subject"),
    Field::text("context_markdown"),
    Field::new("active", FieldKind::Boolean),
    Field::new("crontab", FieldKind::String).length(1, Some(1000)).check(crontab),
    Field::new("timezone", FieldKind::String).check(zone),
    Field::text("sql"),
    Field::new("chart", FieldKind::Integer).nullable(),
    Field::new("creation_method", FieldKind::Other("Enum")).nullable().check(method),
    Field::new("dashboard", FieldKind::Integer).nullable(),
    Field::new("database", FieldKind::Integer),
    Field::new("owners", FieldKind::List),
    Field::text("validator_type").check(validator),
    Field::new("validator_config_json", FieldKind::Other("Nested")),
    Field::new("log_retention", FieldKind::Integer).check(not_negative),
    Field::new("grace_period", FieldKind::Integer).check(positive),
    Field::new("working_timeout", FieldKind::Integer).nullable().check(positive),
    Field::new("recipients", FieldKind::Other("List")),
    Field::new("report_format", FieldKind::String).check(format),
    Field::new("extra", FieldKind::Other("Dict")),
    Field::new("force_screenshot", FieldKind::Boolean),
    Field::new("custom_width", FieldKind::Integer).nullable(),
];

const RECIPIENT: &[Field] = &[
    Field::new("type", FieldKind::String).required().check(recipient),
    Field::new("recipient_config_json", FieldKind::Other("Nested")),
];
const ADDRESSES: &[Field] = &[
    Field::new("target", FieldKind::String),
    Field::new("ccTarget", FieldKind::String),
    Field::new("bccTarget", FieldKind::String),
];
const CONDITION: &[Field] = &[
    Field::new("op", FieldKind::String).check(operator),
    Field::new("threshold", FieldKind::Other("Float")).check(threshold),
];

fn load(config: &Config, fields: &[Field], body: &Value) -> Result<Map<String, Value>, Failure> {
    let (mut loaded, mut errors) = match validate::load(fields, body) {
        Ok(loaded) => (loaded, FieldErrors::new()),
        Err(errors) => (Map::new(), errors),
    };
    let mut take = |key: &str, outcome: Result<Value, Value>| match outcome {
        Ok(value) => drop(loaded.insert(key.to_owned(), value)),
        Err(wrong) => drop(errors.insert(key.to_owned(), wrong)),
    };
    if let Some(recipients) = body.get("recipients") {
        take("recipients", nested(RECIPIENT, recipients).and_then(with_addresses));
    }
    if let Some(condition) = body.get("validator_config_json").filter(|c| !c.is_null()) {
        take("validator_config_json", condition_of(condition));
    }
    if let Some(width) = body.get("custom_width").and_then(validate::integer) {
        let bound = |key: &str, default| config.int(key).unwrap_or(default);
        let min = bound("ALERT_REPORTS_MIN_CUSTOM_SCREENSHOT_WIDTH", 600);
        let max = bound("ALERT_REPORTS_MAX_CUSTOM_SCREENSHOT_WIDTH", 2400);
        if !(min..=max).contains(&width) {
            let text = format!("Screenshot width must be between {min}px and {max}px");
            errors.insert("custom_width".to_owned(), json!([text]));
        }
    }
    if errors.is_empty() { Ok(loaded) } else { Err(Error::bad_request(Value::Object(errors)).into()) }
}

fn with_addresses(mut recipients: Value) -> Result<Value, Value> {
    let mut errors = Map::new();
    for (i, recipient) in recipients.as_array_mut().into_iter().flatten().enumerate() {
        let Some(addresses) = recipient.get_mut("recipient_config_json") else { continue };
        match validate::load(ADDRESSES, addresses) {
            Ok(loaded) => *addresses = Value::Object(loaded),
            Err(wrong) => {
                errors.insert(i.to_string(), json!({"recipient_config_json": wrong}));
            }
        }
    }
    if errors.is_empty() { Ok(recipients) } else { Err(Value::Object(errors)) }
}

fn condition_of(value: &Value) -> Result<Value, Value> {
    let mut loaded = validate::load(CONDITION, value).map_err(Value::Object)?;
    if let Some(threshold) = loaded.get_mut("threshold") {
        let number = threshold.as_f64().or_else(|| threshold.as_str()?.trim().parse().ok());
        *threshold = json!(number);
    }
    Ok(Value::Object(loaded))
}

async fn post(cx: Cx) -> Handled {
    let body = match plain_json_body(&cx)? {
        Ok(body) => body,
        Err(answer) => return Ok(answer),
    };
    let fields = load(&cx.app.config, POST, &body)?;
    if fields.get("type") == Some(&json!("Report")) && fields.contains_key("database") {
        let text = "Database reference is not allowed on a report";
        return Err(Error::bad_request(json!({"database": [text]})).into());
    }
    match report::create(&cx.app, &cx.user, &fields).await {
        Ok(id) => Ok(Answer::fab(201, &json!({"id": id, "result": fields}))),
        // the original leaves this one to the application, which has a page for people
        Err(Error::Sip40 { status: 409, .. }) if error_pages::accepts_html(&cx.req) => {
            Ok(error_pages::abort(&cx.req, 500))
        }
        Err(other) => Err(other.into()),
    }
}

async fn put(cx: Cx) -> Handled {
    let fields = load(&cx.app.config, PUT, &json_body(&cx)?)?;
    let id = cx.req.int_param("pk");
    report::update(&cx.app, &cx.user, id, &fields).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": fields})))
}

async fn delete(cx: Cx) -> Handled {
    report::delete(&cx.app, &cx.user, &[cx.req.int_param("pk")]).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}

async fn bulk_delete(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    report::delete(&cx.app, &cx.user, &ids).await?;
    let noun = if ids.len() == 1 { "report schedule" } else { "report schedules" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}

/// Without a Slack workspace the original's client fails, and so do we.
async fn slack_channels(_: Cx) -> Handled {
    Err(Error::internal("no Slack workspace is connected").into())
}
