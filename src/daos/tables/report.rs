//! Alerts and reports (`superset.reports.models`).

use crate::{
    table::{Column, Fill, Kind, Relation, Table},
    tables::{DASHBOARDS, DBS, SLICES, USERS},
};

/// `report_schedule`.
pub static REPORT_SCHEDULES: Table = Table {
    name: "report_schedule",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("extra_json", Kind::Text).default(Fill::Text("{}")),
        Column::new("id", Kind::Integer).required(),
        Column::new("type", Kind::String(50)).required(),
        Column::new("name", Kind::String(150)).required(),
        Column::new("description", Kind::Text),
        Column::new("context_markdown", Kind::Text),
        Column::new("active", Kind::Boolean).default(Fill::Boolean(true)),
        Column::new("crontab", Kind::String(1000)).required(),
        Column::new("creation_method", Kind::String(255)),
        Column::new("timezone", Kind::String(100)).required().default(Fill::Text("UTC")),
        Column::new("report_format", Kind::String(50)).default(Fill::Text("PNG")),
        Column::new("sql", Kind::Text),
        Column::new("chart_id", Kind::Integer),
        Column::new("dashboard_id", Kind::Integer),
        Column::new("database_id", Kind::Integer),
        Column::new("last_eval_dttm", Kind::DateTime),
        Column::new("last_state", Kind::String(50)).default(Fill::Text("Not triggered")),
        Column::new("last_value", Kind::Float),
        Column::new("last_value_row_json", Kind::Text),
        Column::new("validator_type", Kind::String(100)),
        Column::new("validator_config_json", Kind::Text).default(Fill::Text("{}")),
        Column::new("log_retention", Kind::Integer).default(Fill::Integer(90)),
        Column::new("grace_period", Kind::Integer).default(Fill::Integer(14400)),
        Column::new("working_timeout", Kind::Integer).default(Fill::Integer(3600)),
        Column::new("force_screenshot", Kind::Boolean).default(Fill::Boolean(false)),
        Column::new("custom_width", Kind::Integer),
        Column::new("custom_height", Kind::Integer),
        Column::new("email_subject", Kind::String(255)),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("chart", &SLICES, "chart_id"),
        Relation::one("dashboard", &DASHBOARDS, "dashboard_id"),
        Relation::one("database", &DBS, "database_id"),
        Relation::many_to_many("owners", &USERS, "report_schedule_user", "report_schedule_id", "user_id"),
        Relation::many("recipients", &REPORT_RECIPIENTS, "report_schedule_id"),
        Relation::many("logs", &REPORT_EXECUTION_LOGS, "report_schedule_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `report_recipient`.
pub static REPORT_RECIPIENTS: Table = Table {
    name: "report_recipient",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("type", Kind::String(50)).required(),
        Column::new("recipient_config_json", Kind::Text).default(Fill::Text("{}")),
        Column::new("report_schedule_id", Kind::Integer).required(),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[
        Relation::one("report_schedule", &REPORT_SCHEDULES, "report_schedule_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `report_execution_log`.
pub static REPORT_EXECUTION_LOGS: Table = Table {
    name: "report_execution_log",
    pk: "id",
    columns: &[
        Column::new("id", Kind::Integer).required(),
        Column::new("uuid", Kind::Uuid),
        Column::new("scheduled_dttm", Kind::DateTime).required(),
        Column::new("start_dttm", Kind::DateTime),
        Column::new("end_dttm", Kind::DateTime),
        Column::new("value", Kind::Float),
        Column::new("value_row_json", Kind::Text),
        Column::new("state", Kind::String(50)).required(),
        Column::new("error_message", Kind::Text),
        Column::new("report_schedule_id", Kind::Integer).required(),
    ],
    relations: &[Relation::one("report_schedule", &REPORT_SCHEDULES, "report_schedule_id")],
};
