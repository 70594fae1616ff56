//! `/api/v1/report/` and the execution logs below it: reads (`superset.reports.api`).

use commands::access::lists;
use daos::{
    condition,
    tables::{REPORT_EXECUTION_LOGS, REPORT_SCHEDULES},
};
use infra::db::Sql;

use crate::controllers::crud::{
    self, Computed, CustomFilter, Field, FieldKind, RelatedField, Resource, Search, Verb,
    computed::CHANGED_ON_DELTA, filters,
};
use crate::{
    Cx, Handled,
    routes::{Access, Rule, rule},
};
use infra::cron_text;

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    let read = Access::Protect("can_read", "ReportSchedule");
    let below = [
        rule(&["GET"], "/api/v1/report/<int:pk>/log/", read, list_logs)
            .endpoint("ReportExecutionLogRestApi.get_list"),
        rule(&["GET"], "/api/v1/report/<int:pk>/log/<int:log_id>", read, get_log)
            .endpoint("ReportExecutionLogRestApi.get"),
    ];
    [REPORTS.rules(), below.map(|rule| rule.flag("ALERT_REPORTS")).into()].concat()
}

async fn list_logs(cx: Cx) -> Handled {
    let report = of_report(&cx);
    EXECUTION_LOGS.list_where(&cx, vec![report]).await
}

async fn get_log(cx: Cx) -> Handled {
    let report = of_report(&cx);
    EXECUTION_LOGS.item_where(&cx, cx.req.int_param("log_id"), vec![report]).await
}

fn of_report(cx: &Cx) -> Sql {
    let report = i32::try_from(cx.req.int_param("pk")).unwrap_or(-1);
    condition::equals("report_execution_log.report_schedule_id", report)
}

// Validators of marshmallow, as `_info` shows them.
const GREATER_THAN_ZERO: &str = "<Range(min=1, max=None, min_inclusive=True, max_inclusive=True, \
     error='Value must be greater than 0')>";
const ZERO_OR_GREATER: &str = "<Range(min=0, max=None, min_inclusive=True, max_inclusive=True, \
     error='Value must be 0 or greater')>";
const FORMATS: &str = "<OneOf(choices=('PDF', 'PNG', 'CSV', 'TEXT'), labels=[], \
     error='Must be one of: {choices}.')>";
const TYPES: &str = "<OneOf(choices=('Alert', 'Report'), labels=[], error='Must be one of: {choices}.')>";
const VALIDATORS: &str = "<OneOf(choices=('not null', 'operator'), labels=[], \
     error='Must be one of: {choices}.')>";
const CRONTAB: &[&str] =
    &["<function validate_crontab at 0x7f0000000000>", "<Length(min=1, max=1000, equal=None, error=None)>"];

static REPORTS: Resource = Resource {
    name: "report",
    class: "ReportScheduleRestApi",
    permission: "ReportSchedule",
    verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Related],
    model: "ReportSchedule",
    table: &REPORT_SCHEDULES,
    list_columns: &[
        "active",
        "changed_by.first_name",
        "changed_by.last_name",
        "changed_on",
        "changed_on_delta_humanized",
        "chart_id",
        "created_by.first_name",
        "created_by.last_name",
        "created_on",
        "creation_method",
        "crontab",
        "crontab_humanized",
        "dashboard_id",
        "description",
        "extra",
        "id",
        "last_eval_dttm",
        "last_state",
        "name",
        "owners.first_name",
        "owners.id",
        "owners.last_name",
        "recipients.id",
        "recipients.type",
        "timezone",
        "type",
    ],
    show_columns: &[
        "id",
        "active",
        "chart.id",
        "chart.slice_name",
        "chart.viz_type",
        "context_markdown",
        "creation_method",
        "crontab",
        "custom_width",
        "dashboard.dashboard_title",
        "dashboard.id",
        "database.database_name",
        "database.id",
        "description",
        "extra",
        "force_screenshot",
        "grace_period",
        "last_eval_dttm",
        "last_state",
        "last_value",
        "last_value_row_json",
        "log_retention",
        "name",
        "owners.first_name",
        "owners.id",
        "owners.last_name",
        "recipients.id",
        "recipients.recipient_config_json",
        "recipients.type",
        "report_format",
        "sql",
        "timezone",
        "type",
        "validator_config_json",
        "validator_type",
        "working_timeout",
        "email_subject",
    ],
    order_columns: &[
        "active",
        "description",
        "created_by.first_name",
        "changed_by.first_name",
        "changed_on",
        "changed_on_delta_humanized",
        "created_on",
        "crontab",
        "last_eval_dttm",
        "name",
        "type",
        "crontab_humanized",
    ],
    search_columns: &[
        "name",
        "active",
        "changed_by",
        "created_by",
        "owners",
        "type",
        "last_state",
        "creation_method",
        "dashboard_id",
        "chart_id",
    ],
    add_fields: &[
        Field::new("active", FieldKind::Boolean),
        Field::new("chart", FieldKind::Integer).nullable(),
        Field::new("context_markdown", FieldKind::String).nullable(),
        Field::new("creation_method", FieldKind::Other("Enum")),
        Field::new("crontab", FieldKind::String).required().validate(CRONTAB).length(1, Some(1000)),
        Field::new("custom_width", FieldKind::Integer).nullable(),
        Field::new("dashboard", FieldKind::Integer).nullable(),
        Field::new("database", FieldKind::Integer),
        Field::new("description", FieldKind::String).nullable(),
        Field::new("extra", FieldKind::Other("Dict")),
        Field::new("force_screenshot", FieldKind::Boolean),
        Field::new("grace_period", FieldKind::Integer).validate(&[GREATER_THAN_ZERO]),
        Field::new("log_retention", FieldKind::Integer).validate(&[GREATER_THAN_ZERO]),
        Field::new("name", FieldKind::String)
            .required()
            .validate(&["<Length(min=1, max=150, equal=None, error=None)>"])
            .length(1, Some(150)),
        Field::new("owners", FieldKind::List),
        Field::new("recipients", FieldKind::List),
        Field::new("report_format", FieldKind::String).validate(&[FORMATS]),
        Field::new("sql", FieldKind::String),
        Field::new("timezone", FieldKind::String).validate(&[crud::TIME_ZONES]),
        Field::new("type", FieldKind::String).required().validate(&[TYPES]),
        Field::new("validator_config_json", FieldKind::Other("Nested")),
        Field::new("validator_type", FieldKind::String).validate(&[VALIDATORS]),
        Field::new("working_timeout", FieldKind::Integer).validate(&[GREATER_THAN_ZERO]),
    ],
    edit_fields: &[
        Field::new("active", FieldKind::Boolean),
        Field::new("chart", FieldKind::Integer).nullable(),
        Field::new("context_markdown", FieldKind::String).nullable(),
        Field::new("creation_method", FieldKind::Other("Enum")).nullable(),
        Field::new("crontab", FieldKind::String).validate(CRONTAB).length(1, Some(1000)),
        Field::new("custom_width", FieldKind::Integer).nullable(),
        Field::new("dashboard", FieldKind::Integer).nullable(),
        Field::new("database", FieldKind::Integer),
        Field::new("description", FieldKind::String).nullable(),
        Field::new("extra", FieldKind::Other("Dict")),
        Field::new("force_screenshot", FieldKind::Boolean),
        Field::new("grace_period", FieldKind::Integer).validate(&[GREATER_THAN_ZERO]),
        Field::new("log_retention", FieldKind::Integer).validate(&[ZERO_OR_GREATER]),
        Field::new("name", FieldKind::String)
            .validate(&["<Length(min=1, max=150, equal=None, error=None)>"])
            .length(1, Some(150)),
        Field::new("owners", FieldKind::List),
        Field::new("recipients", FieldKind::List),
        Field::new("report_format", FieldKind::String).validate(&[FORMATS]),
        Field::new("sql", FieldKind::String).nullable(),
        Field::new("timezone", FieldKind::String).validate(&[crud::TIME_ZONES]),
        Field::new("type", FieldKind::String).validate(&[TYPES]),
        Field::new("validator_config_json", FieldKind::Other("Nested")),
        Field::new("validator_type", FieldKind::String).nullable().validate(&[VALIDATORS]),
        Field::new("working_timeout", FieldKind::Integer).nullable().validate(&[GREATER_THAN_ZERO]),
    ],
    computed: &[
        CHANGED_ON_DELTA,
        Computed::new("extra", &["extra_json"], |r, _| crud::computed::json_object(r, "extra_json")),
        Computed::new("crontab_humanized", &["crontab"], |r, _| {
            cron_text::describe(&r.text("crontab")).into()
        }),
    ],
    filters: &[CustomFilter {
        column: "name",
        operator: "report_all_text",
        name: "All Text",
        apply: |cx, v| {
            Ok(filters::all_text(
                cx,
                &["report_schedule.name", "report_schedule.description", "report_schedule.sql"],
                v,
            ))
        },
    }],
    base_filter: Some(|cx| lists::reports(&cx.caller.user, "report_schedule")),
    related: &[
        RelatedField::person("changed_by"),
        RelatedField {
            search: Search::StartsWith("slice_name"),
            base: Some(|cx| lists::charts(&cx.caller.user, "slices")),
            text: Some("slice_name"),
            ..RelatedField::any_user("chart")
        },
        RelatedField::person("created_by"),
        RelatedField {
            search: Search::StartsWith("dashboard_title"),
            base: Some(|cx| {
                lists::dashboards(&cx.caller.app.config, &cx.caller.user, cx.dialect, "dashboards")
            }),
            text: Some("dashboard_title"),
            ..RelatedField::any_user("dashboard")
        },
        RelatedField {
            search: Search::StartsWith("database_name"),
            base: Some(|cx| lists::databases(&cx.caller.user, "dbs")),
            text: Some("database_name"),
            ..RelatedField::any_user("database")
        },
        RelatedField::owners(),
    ],
    flag: Some("ALERT_REPORTS"),
    ..Resource::PLAIN
};

const EXECUTION_LOG_FIELDS: &[Field] = &[Field::new("id", FieldKind::Integer)];

static EXECUTION_LOGS: Resource = Resource {
    name: "report",
    class: "ReportExecutionLogRestApi",
    permission: "ReportSchedule",
    permissions: &["can_read"],
    verbs: &[],
    model: "ReportExecutionLog",
    table: &REPORT_EXECUTION_LOGS,
    list_columns: &[
        "id",
        "scheduled_dttm",
        "end_dttm",
        "start_dttm",
        "value",
        "value_row_json",
        "state",
        "error_message",
        "uuid",
    ],
    show_columns: &[
        "id",
        "scheduled_dttm",
        "end_dttm",
        "start_dttm",
        "value",
        "value_row_json",
        "state",
        "error_message",
        "uuid",
    ],
    order_columns: &["state", "value", "error_message", "end_dttm", "start_dttm", "scheduled_dttm"],
    search_columns: &[
        "report_schedule",
        "uuid",
        "scheduled_dttm",
        "start_dttm",
        "end_dttm",
        "value",
        "value_row_json",
        "state",
        "error_message",
    ],
    add_fields: EXECUTION_LOG_FIELDS,
    edit_fields: EXECUTION_LOG_FIELDS,
    flag: Some("ALERT_REPORTS"),
    bare: true,
    ..Resource::PLAIN
};
