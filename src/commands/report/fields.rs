//! What a body says of an alert or report (`superset.reports.schemas`).

use std::sync::LazyLock;

use infra::{cron::Cron, timezone};
use serde_json::{Map, Value};

use crate::schema::{FieldKind, checks::one_of, fields};

const NESTED: FieldKind = FieldKind::Other("Nested");
const ENUM: FieldKind = FieldKind::Other("Enum");

fields! {
    /// An alert or report as a body describes it.
    pub struct ReportFields {
        kind as "type": String,
        name: String,
        description: String,
        email_subject: String,
        context_markdown: String,
        active: bool,
        crontab: String,
        timezone: String,
        sql: String,
        chart: i64,
        creation_method: String,
        dashboard: i64,
        selected_tabs: Vec<i64>,
        database: i64,
        owners: Vec<i64>,
        validator_type: String,
        validator_config_json: Map<String, Value>,
        log_retention: i64,
        grace_period: i64,
        working_timeout: i64,
        recipients: Vec<RecipientFields>,
        report_format: String,
        extra: Map<String, Value>,
        force_screenshot: bool,
        custom_width: i64,
    }

    /// `ReportSchedulePostSchema`.
    POST = [
        kind.required().check(kind),
        name.required().length(1, Some(150)),
        description.nullable(),
        email_subject.nullable(),
        context_markdown.nullable(),
        active,
        crontab.required().length(1, Some(1000)).check(crontab),
        timezone.check(zone),
        sql,
        chart.nullable(),
        creation_method.kind(ENUM).check(method),
        dashboard.nullable(),
        selected_tabs.nullable(),
        database,
        owners,
        validator_type.check(validator),
        validator_config_json.kind(NESTED),
        log_retention.check(positive),
        grace_period.check(positive),
        working_timeout.check(positive),
        recipients,
        report_format.check(format),
        extra,
        force_screenshot,
        custom_width.nullable(),
    ];

    /// `ReportSchedulePutSchema`.
    PUT = [
        kind.check(kind),
        name.length(1, Some(150)),
        description.nullable(),
        email_subject.nullable(),
        context_markdown.nullable(),
        active,
        crontab.length(1, Some(1000)).check(crontab),
        timezone.check(zone),
        sql.nullable(),
        chart.nullable(),
        creation_method.nullable().kind(ENUM).check(method),
        dashboard.nullable(),
        database,
        owners,
        validator_type.nullable().check(validator),
        validator_config_json.kind(NESTED),
        log_retention.check(not_negative),
        grace_period.check(positive),
        working_timeout.nullable().check(positive),
        recipients,
        report_format.check(format),
        extra,
        force_screenshot,
        custom_width.nullable(),
    ];
}

fields! {
    /// Somebody who gets a report.
    pub struct RecipientFields {
        kind as "type": String,
        recipient_config_json: Map<String, Value>,
    }

    /// `ReportRecipientSchema`.
    SCHEMA = [kind.required().check(recipient), recipient_config_json.kind(NESTED)];
}

fields! {
    /// Their addresses.
    pub struct AddressFields {
        target: String,
        cc as "ccTarget": String,
        bcc as "bccTarget": String,
    }

    /// `ReportRecipientConfigJSONSchema`.
    SCHEMA = [target, cc, bcc];
}

fields! {
    /// What the answer to an alert's query is compared with.
    pub struct ConditionFields {
        op: String,
        threshold: f64,
    }

    /// `ValidatorConfigJSONSchema`.
    SCHEMA = [op.check(operator), threshold.check(threshold)];
}

one_of!(kind: "Alert", "Report");
one_of!(format: "PDF", "PNG", "CSV", "TEXT");
one_of!(validator: "not null", "operator");
one_of!(method: "charts", "dashboards", "alerts_reports");
one_of!(recipient: "Email", "Slack", "SlackV2");
one_of!(operator: "<", "<=", ">", ">=", "==", "!=");

fn crontab(value: &Value) -> Option<&'static str> {
    let is_valid = value.as_str().is_some_and(|text| Cron::parse(text).is_ok());
    (!is_valid).then_some("Cron expression is not valid")
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
