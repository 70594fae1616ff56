//! Writes that fail half way: all of a change is kept, or nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Installation, Metadata};

/// Every row of the tables that writes of objects touch, as text.
fn state(metadata: &Metadata) -> BTreeMap<&'static str, Vec<String>> {
    const TABLES: [&str; 26] = [
        "slices",
        "slice_user",
        "dashboards",
        "dashboard_user",
        "dashboard_slices",
        "dashboard_roles",
        "tables",
        "table_columns",
        "sql_metrics",
        "sqlatable_user",
        "dbs",
        "ab_user",
        "ab_user_role",
        "ab_group",
        "ab_permission_view",
        "ab_view_menu",
        "ab_permission_view_role",
        "tag",
        "tagged_object",
        "row_level_security_filters",
        "rls_filter_roles",
        "rls_filter_tables",
        "report_schedule",
        "report_schedule_user",
        "report_recipient",
        "saved_query",
    ];
    TABLES.iter().map(|table| (*table, metadata.rows(table))).collect()
}

/// A write, and where it breaks.
struct Deed {
    method: &'static str,
    path: String,
    body: Value,
    table: &'static str,
    event: &'static str,
}

fn deeds(on: &Installation) -> Vec<Deed> {
    let all = |resource: &str| format!("/api/v1/{resource}/");
    let (chart, board, dataset, source) = (
        format!("/api/v1/chart/{}", on.chart),
        format!("/api/v1/dashboard/{}", on.dashboard),
        format!("/api/v1/dataset/{}", on.dataset),
        format!("/api/v1/database/{}", on.database),
    );
    let file = on.server.home.join("other.db");
    rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let uri = format!("sqlite:///{}", file.display());
    let new_chart = json!({"slice_name": "half", "datasource_id": on.dataset, "datasource_type": "table"});
    let new_dataset = json!({"database": on.database, "table_name": "half", "sql": "SELECT 1 AS a, 2 AS b"});
    let metric =
        json!({"metrics": [{"metric_name": "half", "expression": "count(*)"}], "description": "half"});
    let person = json!({
        "username": "half", "first_name": "h", "last_name": "h", "email": "half@example.org",
        "password": "a long passphrase", "active": true, "roles": [1],
    });
    let rule = json!({
        "name": "half", "filter_type": "Regular", "tables": [on.dataset], "roles": [1], "clause": "1 = 1",
    });
    let report = json!({
        "type": "Report", "name": "half", "crontab": "0 9 * * *", "chart": on.chart,
        "creation_method": "alerts_reports",
        "recipients": [{"type": "Email", "recipient_config_json": {"target": "a@example.org"}}],
    });
    let tags = json!({"tags": [{"name": "half", "objects_to_tag": [["chart", on.chart]]}]});
    let copy = json!({"dashboard_title": "half", "json_metadata": "{}", "duplicate_slices": true});
    let query = json!({"label": "half", "db_id": on.database, "sql": "SELECT 1"});
    let deed = |method, path: &str, body: Value, table, event| Deed {
        method,
        path: path.to_owned(),
        body,
        table,
        event,
    };
    vec![
        deed("POST", &all("chart"), new_chart.clone(), "tagged_object", "INSERT"),
        deed("POST", &all("chart"), new_chart, "slice_user", "INSERT"),
        deed(
            "PUT",
            &chart,
            json!({"slice_name": "half", "owners": [1], "dashboards": []}),
            "dashboard_slices",
            "DELETE",
        ),
        deed("DELETE", &chart, Value::Null, "slices", "DELETE"),
        deed("POST", &all("dashboard"), json!({"dashboard_title": "half"}), "tagged_object", "INSERT"),
        deed("PUT", &board, json!({"dashboard_title": "half", "roles": [1]}), "dashboard_roles", "INSERT"),
        deed("POST", &format!("{board}/copy/"), copy, "dashboard_slices", "INSERT"),
        deed("DELETE", &board, Value::Null, "dashboards", "DELETE"),
        deed("POST", &all("dataset"), new_dataset.clone(), "sql_metrics", "INSERT"),
        deed("POST", &all("dataset"), new_dataset, "tagged_object", "INSERT"),
        deed("PUT", &dataset, metric, "sql_metrics", "INSERT"),
        deed("DELETE", &dataset, Value::Null, "tables", "DELETE"),
        deed(
            "POST",
            &all("database"),
            json!({"database_name": "half", "sqlalchemy_uri": uri}),
            "ab_permission_view",
            "INSERT",
        ),
        deed("PUT", &source, json!({"database_name": "half"}), "ab_view_menu", "UPDATE"),
        deed("POST", &all("security/users"), person, "ab_user_role", "INSERT"),
        deed(
            "PUT",
            "/api/v1/security/users/1",
            json!({"first_name": "half", "roles": [1, 2]}),
            "ab_user_role",
            "INSERT",
        ),
        deed("POST", &all("rowlevelsecurity"), rule, "rls_filter_roles", "INSERT"),
        deed("POST", &all("report"), report, "report_recipient", "INSERT"),
        deed("POST", &all("saved_query"), query, "tagged_object", "INSERT"),
        deed("POST", "/api/v1/tag/bulk_create", tags, "tagged_object", "INSERT"),
    ]
}

fn a_write_that_fails_half_way_leaves_nothing(on: &Installation) {
    let mut admin = on.server.admin();
    let deeds = deeds(on);
    for Deed { method, path, body, table, event } in &deeds {
        let before = state(&on.metadata);
        on.metadata.break_table(table, event);
        let answer = admin.send(method, path, (!body.is_null()).then_some(body));
        on.metadata.mend();
        let what = format!("{method} {path} with {event} on {table} broken");
        assert!(answer.status >= 400, "{what}: {} {}", answer.status, answer.text());
        // people and roles answer with the database's own words, as the original does
        let named = answer.text().contains("injected fault");
        assert!(!named || table.starts_with("ab_"), "{what}: {}", answer.text());
        for (name, rows) in &state(&on.metadata) {
            assert_eq!(&before[name], rows, "{what} leaves {name} changed");
        }
    }
    // without the fault they all work
    for Deed { method, path, body, .. } in
        deeds.iter().filter(|deed| deed.method != "DELETE" && !deed.path.contains("database"))
    {
        let answer = admin.send(method, path, Some(body));
        assert!(
            matches!(answer.status, 200 | 201 | 422),
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
    }
}

#[test]
fn a_write_that_fails_half_way_leaves_nothing_on_sqlite() {
    a_write_that_fails_half_way_leaves_nothing(&Installation::on_sqlite("faults"));
}

#[test]
fn a_write_that_fails_half_way_leaves_nothing_on_postgresql() {
    if let Some(on) = Installation::on_postgres("faults") {
        a_write_that_fails_half_way_leaves_nothing(&on);
    }
}

#[test]
fn a_write_that_fails_half_way_leaves_nothing_on_mysql() {
    if let Some(on) = Installation::on_mysql("faults") {
        a_write_that_fails_half_way_leaves_nothing(&on);
    }
}
