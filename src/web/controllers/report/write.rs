//! POST, PUT and DELETE of `/api/v1/report/` (`superset.reports.api`, `superset.reports.schemas`).

use commands::{
    report::{self, AddressFields, ConditionFields, RecipientFields, ReportFields},
    slack::{self, Channel, NoChannels, Search},
};
use infra::{
    Error,
    config::Config,
    rison::{self, Schema},
};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Cx, Handled,
    controllers::{crud::write::ids, parse::result},
    error::Failure,
    error_pages,
    routes::{Access, Rule, rule},
    schemas::{
        Field,
        validate::{self, FieldErrors, json_body, nested, plain_json_body},
    },
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
        take("recipients", nested(RecipientFields::SCHEMA, recipients).and_then(with_addresses));
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
        match validate::load(AddressFields::SCHEMA, addresses) {
            Ok(loaded) => *addresses = Value::Object(loaded),
            Err(wrong) => {
                errors.insert(i.to_string(), json!({"recipient_config_json": wrong}));
            }
        }
    }
    if errors.is_empty() { Ok(recipients) } else { Err(Value::Object(errors)) }
}

fn condition_of(value: &Value) -> Result<Value, Value> {
    let mut loaded = validate::load(ConditionFields::SCHEMA, value).map_err(Value::Object)?;
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
    let echo = load(&cx.caller.app.config, ReportFields::POST, &body)?;
    let fields = ReportFields::read(&echo);
    if fields.kind.text() == Some("Report") && fields.database.is_sent() {
        let text = "Database reference is not allowed on a report";
        return Err(Error::bad_request(json!({"database": [text]})).into());
    }
    match report::create(&cx.caller, &fields).await {
        Ok(id) => Ok(Answer::fab(201, &json!({"id": id, "result": echo}))),
        // the original leaves this one to the application, which has a page for people
        Err(Error::Sip40 { status: 409, .. }) if error_pages::accepts_html(&cx.req) => {
            Ok(error_pages::abort(&cx.req, 500))
        }
        Err(other) => Err(other.into()),
    }
}

async fn put(cx: Cx) -> Handled {
    let echo = load(&cx.caller.app.config, ReportFields::PUT, &json_body(&cx)?)?;
    let id = cx.req.int_param("pk");
    report::update(&cx.caller, id, &ReportFields::read(&echo)).await?;
    Ok(Answer::fab(200, &json!({"id": id, "result": echo})))
}

async fn delete(cx: Cx) -> Handled {
    report::delete(&cx.caller, &[cx.req.int_param("pk")]).await?;
    Ok(Answer::fab(200, &json!({"message": "OK"})))
}

async fn bulk_delete(cx: Cx) -> Handled {
    let ids = ids(&cx)?;
    report::delete(&cx.caller, &ids).await?;
    let noun = if ids.len() == 1 { "report schedule" } else { "report schedules" };
    Ok(Answer::fab(200, &json!({"message": format!("Deleted {} {noun}", ids.len())})))
}

const BOOLEAN: Schema = Schema::of_types(&["boolean"]);
const STRING: Schema = Schema::of_types(&["string"]);
/// What of Slack's channels is looked for (`get_slack_channels_schema`).
static CHANNELS: Schema =
    Schema::object(&[("search_string", STRING), ("types", Schema::array(&KIND)), ("exact_match", BOOLEAN)]);
static KIND: Schema = Schema::choice(&["public_channel", "private_channel"]);

async fn slack_channels(cx: Cx) -> Handled {
    let asked = rison::load(cx.req.arg("q"), &CHANNELS)?;
    let flag = |key: &str| asked.get(key).and_then(Value::as_bool).unwrap_or_default();
    let types: Vec<String> = asked
        .get("types")
        .and_then(Value::as_array)
        .map(|types| types.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    let search = Search {
        text: asked.get("search_string").and_then(Value::as_str).unwrap_or_default(),
        types: &types,
        exact: flag("exact_match"),
        force: flag("force"),
    };
    match slack::channels(&cx.caller.app, &search).await {
        Ok(found) => Ok(result(found.iter().map(Channel::to_json).collect::<Vec<_>>())),
        Err(NoChannels::Refused(text)) => Err(Error::unprocessable(text).into()),
        Err(NoChannels::Unreachable(text)) => Err(Error::internal(text).into()),
    }
}
