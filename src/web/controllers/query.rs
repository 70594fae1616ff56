//! `/api/v1/query/`: lists of SQL Lab queries (`superset.queries.api`).

use commands::{access::lists, state::functions};
use daos::tables::QUERIES;
use serde_json::json;

use super::crud::{self, Computed, Field, FieldKind, RelatedField, Resource, Search, Verb, WholeList};
use crate::routes::Rule;

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    QUERY_LISTS.rules()
}

const QUERY_LIST_FIELDS: &[Field] = &[Field::new("id", FieldKind::Integer)];

static QUERY_LISTS: Resource = Resource {
    name: "query",
    class: "QueryRestApi",
    permission: "Query",
    permissions: &["can_read"],
    verbs: &[Verb::List, Verb::Item, Verb::Related, Verb::Distinct],
    model: "Query",
    table: &QUERIES,
    list_columns: &[
        "id",
        "changed_on",
        "client_id",
        "database.id",
        "database.database_name",
        "executed_sql",
        "error_message",
        "limit",
        "limiting_factor",
        "progress",
        "rows",
        "schema",
        "select_as_cta",
        "sql",
        "sql_editor_id",
        "sql_tables",
        "status",
        "tab_name",
        "user.first_name",
        "user.id",
        "user.last_name",
        "start_time",
        "start_running_time",
        "end_time",
        "tmp_table_name",
        "tracking_url",
        "results_key",
    ],
    show_columns: &[
        "id",
        "changed_on",
        "client_id",
        "database.id",
        "end_result_backend_time",
        "end_time",
        "error_message",
        "executed_sql",
        "limit",
        "progress",
        "results_key",
        "rows",
        "schema",
        "select_as_cta",
        "select_as_cta_used",
        "select_sql",
        "sql",
        "sql_editor_id",
        "start_running_time",
        "start_time",
        "status",
        "tab_name",
        "tmp_schema_name",
        "tmp_table_name",
        "tracking_url",
    ],
    order_columns: &[
        "changed_on",
        "database.database_name",
        "rows",
        "schema",
        "start_time",
        "sql",
        "tab_name",
        "user.first_name",
    ],
    search_columns: &[
        "changed_on",
        "database",
        "sql",
        "status",
        "user",
        "start_time",
        "sql_editor_id",
        "uuid",
    ],
    add_fields: QUERY_LIST_FIELDS,
    edit_fields: QUERY_LIST_FIELDS,
    base_order: Some(("changed_on", true)),
    computed: &[crud::computed::SQL_TABLES, TRACKING_URL],
    base_filter: Some(|cx| lists::queries(&cx.caller.user, "query")),
    related: &[
        RelatedField {
            search: Search::Nothing,
            base: Some(|cx| lists::databases(&cx.caller.user, "dbs")),
            text: None,
            ..RelatedField::any_user("database")
        },
        RelatedField::person("user"),
    ],
    distinct: &["status"],
    whole_list: Some(WHOLE_LIST),
    ..Resource::PLAIN
};

/// `Query.tracking_url`, of lists with what they show of the query.
const TRACKING_URL: Computed =
    Computed::new("tracking_url", &["tracking_url", "id", "start_time", "end_time"], |record, view| {
        let url = record.get::<String>("tracking_url");
        let about = json!({
            "id": record.get::<i64>("id"), "start_time": record.get::<f64>("start_time"),
            "end_time": record.get::<f64>("end_time"), "tracking_url_raw": url,
        });
        functions::tracking_url(&view.caller.app.config, url.as_deref(), about)
    });

/// `QuerySchema`: what a list shows unless columns are asked for; times are numbers here and text elsewhere.
const WHOLE_LIST: WholeList = WholeList {
    columns: &[
        "changed_on",
        "database.database_name",
        "end_time",
        "executed_sql",
        "id",
        "rows",
        "schema",
        "sql",
        "sql_tables",
        "start_time",
        "status",
        "tab_name",
        "tmp_table_name",
        "tracking_url",
        "user.id",
        "user.first_name",
        "user.last_name",
    ],
    computed: &[
        crud::computed::SQL_TABLES,
        TRACKING_URL,
        Computed::new("start_time", &["start_time"], |r, _| r.get::<f64>("start_time").into()),
        Computed::new("end_time", &["end_time"], |r, _| r.get::<f64>("end_time").into()),
    ],
};
