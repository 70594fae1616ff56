//! A query as SQL Lab shows it (`Query.to_dict`).

use daos::query::Query;
use infra::{clock, config::Config};
use serde_json::{Value, json};

use crate::state::functions;

/// `Query.to_dict`, with times as numbers.
pub fn describe(config: &Config, query: &Query) -> Value {
    json!({
        "changed_on": query.changed_on.map(clock::isoformat),
        "dbId": query.database_id,
        "db": query.database_name,
        "endDttm": query.end_time,
        "errorMessage": query.error_message,
        "executedSql": query.executed_sql,
        "id": query.client_id,
        "queryId": query.id,
        "limit": query.limit,
        "limitingFactor": query.limiting_factor,
        "progress": query.progress,
        "rows": query.rows,
        "catalog": query.catalog,
        "schema": query.schema,
        "ctas": query.select_as_cta,
        "serverId": query.id,
        "sql": query.sql,
        "sqlEditorId": query.sql_editor_id,
        "startDttm": query.start_time,
        "state": query.status.as_deref().unwrap_or_default().to_lowercase(),
        "tab": query.tab_name,
        "tempSchema": query.tmp_schema_name,
        "tempTable": query.tmp_table_name,
        "userId": query.user_id,
        "user": query.user_label,
        "resultsKey": query.results_key,
        "trackingUrl": tracking_url(config, query),
        "extra": query.extra(),
    })
}

/// `Query.tracking_url`: as `TRACKING_URL_TRANSFORMER` makes it of the stored one.
fn tracking_url(config: &Config, query: &Query) -> Value {
    let about = json!({
        "id": query.id, "client_id": query.client_id, "database_id": query.database_id,
        "database_name": query.database_name, "user_id": query.user_id, "status": query.status,
        "schema": query.schema, "catalog": query.catalog, "sql": query.sql, "executed_sql": query.executed_sql,
        "start_time": query.start_time, "end_time": query.end_time, "rows": query.rows, "limit": query.limit,
        "tracking_url_raw": query.tracking_url, "extra": query.extra(),
    });
    functions::tracking_url(config, query.tracking_url.as_deref(), about)
}
