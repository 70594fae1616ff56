//! `/api/v1/log/`: the event log (`superset.views.log.api`).

use daos::tables::LOGS;

use crate::controllers::crud::{Field, FieldKind, Resource, Verb};
use crate::routes::Rule;

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    LOG_LISTS.rules()
}

static LOG_LISTS: Resource = Resource {
    name: "log",
    class: "LogRestApi",
    permission: "Log",
    permissions: &["can_read", "can_recent_activity", "can_write"],
    verbs: &[Verb::List, Verb::Item, Verb::Post],
    model: "Log",
    list_title: Some("Logs"),
    table: &LOGS,
    list_columns: &[
        "user.first_name",
        "user.last_name",
        "user.username",
        "user_id",
        "action",
        "dttm",
        "json",
        "slice_id",
        "dashboard_id",
        "duration_ms",
        "referrer",
    ],
    show_columns: &[
        "user.first_name",
        "user.last_name",
        "user.username",
        "user_id",
        "action",
        "dttm",
        "json",
        "slice_id",
        "dashboard_id",
        "duration_ms",
        "referrer",
    ],
    order_columns: &[
        "user.first_name",
        "user.last_name",
        "user.username",
        "user_id",
        "action",
        "dttm",
        "json",
        "slice_id",
        "dashboard_id",
        "duration_ms",
        "referrer",
    ],
    search_columns: &[
        "user",
        "user_id",
        "action",
        "dttm",
        "json",
        "slice_id",
        "dashboard_id",
        "duration_ms",
        "referrer",
    ],
    add_fields: &[Field::new("id", FieldKind::Integer)],
    edit_fields: &[
        Field::new("user", FieldKind::Other("Related")).nullable(),
        Field::new("action", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=None, max=512, equal=None, error=None)>"])
            .length(0, Some(512)),
        Field::new("dttm", FieldKind::Other("DateTime")).nullable(),
        Field::new("json", FieldKind::String).nullable(),
    ],
    base_order: Some(("dttm", true)),
    labels: &[("dttm", "dttm"), ("json", "JSON")],
    ..Resource::PLAIN
};
