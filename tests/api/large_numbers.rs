//! Numbers that no column holds: not found in an address, refused in a body, and never a failure of the server.

use serde_json::{Value, json};

use crate::support::{Client, Installation};

/// Beyond 32 bits, the last of 64, beyond 64, beyond everything.
const LARGE: [&str; 5] = [
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1000000000000000000000000000000",
];

/// Where the original itself fails on what it does not find, on every database.
const FAILS: [&str; 8] = [
    "/lang/",
    "/groups/action",
    "/api/v1/dashboard/permalink/",
    "/api/v1/explore/permalink/",
    "/api/v1/sqllab/permalink/",
    "/users/action",
    "/roles/action",
    "/api/v1/database/oauth2/",
];

fn never_a_failure(
    client: &mut Client,
    method: &str,
    path: &str,
    body: Option<&Value>,
    wrong: &mut Vec<String>,
) {
    let answer = client.send(method, path, body);
    if answer.status >= 500 {
        let body = body.map(Value::to_string).unwrap_or_default();
        wrong.push(format!(
            "{method} {path} {body}: {} {}",
            answer.status,
            answer.text().chars().take(120).collect::<String>()
        ));
    }
}

fn addresses(on: &Installation, wrong: &mut Vec<String>) {
    let mut admin = on.server.admin();
    for rule in web::router::table().rules() {
        if !rule.rule.contains('<')
            || rule.rule.contains("<path:")
            || FAILS.iter().any(|f| rule.rule.starts_with(f))
        {
            continue;
        }
        for number in LARGE {
            let fill = |p: &str| match p {
                "<column_name>" => "owners".to_owned(),
                "<datasource_type>" => "table".to_owned(),
                p if p.starts_with('<') => number.to_owned(),
                p => p.to_owned(),
            };
            let path = rule.rule.split('/').map(fill).collect::<Vec<_>>().join("/");
            for method in rule.methods {
                let body = (*method != "GET").then(|| json!({}));
                never_a_failure(&mut admin, method, &path, body.as_ref(), wrong);
            }
        }
    }
}

fn questions(on: &Installation, wrong: &mut Vec<String>) {
    let mut admin = on.server.admin();
    let lists = [
        "chart",
        "dashboard",
        "dataset",
        "database",
        "saved_query",
        "report",
        "tag",
        "css_template",
        "theme",
        "annotation_layer",
        "rowlevelsecurity",
        "query",
        "log",
        "security/users",
        "security/roles",
        "security/groups",
        "security/permissions-resources",
    ];
    for n in LARGE {
        for list in lists {
            let filters = ["id", "created_by", "changed_by", "owners", "database", "roles", "user", "tags"];
            let mut questions = vec![
                format!("(page:{n},page_size:10)"),
                format!("(page:0,page_size:{n})"),
                format!("(page:{n},page_size:{n})"),
                format!("(page:-{n},page_size:-{n})"),
            ];
            for column in filters {
                for operator in ["eq", "rel_o_m", "rel_m_m", "gt", "neq"] {
                    questions.push(format!("(filters:!((col:{column},opr:{operator},value:{n})))"));
                }
            }
            for question in questions {
                never_a_failure(&mut admin, "GET", &format!("/api/v1/{list}/?q={question}"), None, wrong);
            }
            never_a_failure(&mut admin, "DELETE", &format!("/api/v1/{list}/?q=!({n})"), None, wrong);
        }
        for path in [
            format!("/api/v1/chart/favorite_status/?q=!({n})"),
            format!("/api/v1/dashboard/favorite_status/?q=!({n})"),
            format!("/api/v1/tag/favorite_status/?q=!({n})"),
            format!("/api/v1/tag/get_objects/?tagIds={n}"),
            format!("/api/v1/chart/related/owners?q=(include_ids:!({n}),page:{n})"),
            format!("/api/v1/chart/related/owners?q=(page:{n},page_size:{n})"),
            format!("/api/v1/dataset/distinct/schema?q=(page:{n},page_size:{n})"),
            format!("/api/v1/explore/?slice_id={n}&datasource_id={n}&datasource_type=table"),
            format!("/api/v1/explore/?dashboard_id={n}&permalink_key={n}"),
            format!("/explore/?slice_id={n}"),
            format!("/superset/dashboard/{n}/"),
            format!("/api/v1/dashboard/{n}/charts"),
            format!("/api/v1/log/recent_activity/?q=(page:{n},page_size:{n})"),
            format!("/datasource/external_metadata/table/{n}/"),
            format!("/resetpassword/form?pk={n}"),
            format!("/tablemodelview/edit/{n}"),
            format!("/api/v1/query/updated_since?q=(last_updated_ms:{n})"),
        ] {
            never_a_failure(&mut admin, "GET", &path, None, wrong);
        }
    }
}

fn bodies(on: &Installation, wrong: &mut Vec<String>) {
    let mut admin = on.server.admin();
    let large = LARGE
        .iter()
        .map(|n| serde_json::from_str::<Value>(n).unwrap())
        .chain([json!(1e300), json!(-2_147_483_649_i64)]);
    for (i, n) in large.enumerate() {
        let name = format!("large {i}");
        let all: Vec<(&str, String, Value)> = vec![
            (
                "POST",
                "chart/".into(),
                json!({"slice_name": name, "datasource_id": n, "datasource_type": "table"}),
            ),
            (
                "POST",
                "chart/".into(),
                json!({"slice_name": name, "datasource_id": on.dataset, "datasource_type": "table",
                    "owners": [n], "dashboards": [n], "cache_timeout": n}),
            ),
            ("PUT", format!("chart/{}", on.chart), json!({"cache_timeout": n})),
            ("PUT", format!("chart/{}", on.chart), json!({"owners": [n]})),
            ("PUT", format!("chart/{}", on.chart), json!({"dashboards": [n]})),
            ("PUT", format!("chart/{}", on.chart), json!({"tags": [n]})),
            ("POST", "dashboard/".into(), json!({"dashboard_title": name, "owners": [n], "roles": [n]})),
            ("PUT", format!("dashboard/{}", on.dashboard), json!({"owners": [n]})),
            ("PUT", format!("dashboard/{}", on.dashboard), json!({"roles": [n], "theme_id": n})),
            ("POST", "dataset/".into(), json!({"database": n, "table_name": "t"})),
            ("PUT", format!("dataset/{}", on.dataset), json!({"cache_timeout": n, "offset": n})),
            ("PUT", format!("dataset/{}", on.dataset), json!({"database_id": n, "owners": [n]})),
            (
                "PUT",
                format!("dataset/{}", on.dataset),
                json!({"columns": [{"id": n, "column_name": "a"}], "metrics": [{"id": n, "metric_name": "m",
                    "expression": "1"}]}),
            ),
            ("PUT", format!("database/{}", on.database), json!({"cache_timeout": n})),
            ("POST", "saved_query/".into(), json!({"label": name, "db_id": n, "sql": "SELECT 1"})),
            (
                "POST",
                "rowlevelsecurity/".into(),
                json!({"name": name, "filter_type": "Regular", "tables": [n], "roles": [n], "clause": "1=1"}),
            ),
            (
                "POST",
                "report/".into(),
                json!({"type": "Report", "name": name, "crontab": "0 9 * * *", "chart": n,
                    "creation_method": "alerts_reports", "working_timeout": n, "log_retention": n, "grace_period": n}),
            ),
            (
                "POST",
                "report/".into(),
                json!({"type": "Alert", "name": name, "crontab": "0 9 * * *", "dashboard": n, "database": n,
                    "owners": [n], "sql": "SELECT 1", "creation_method": "alerts_reports"}),
            ),
            ("POST", "tag/".into(), json!({"name": name, "objects_to_tag": [["chart", n]]})),
            (
                "POST",
                "security/users/".into(),
                json!({"username": name, "first_name": "a", "last_name": "b",
                    "email": format!("{i}@example.org"),
                    "password": "a long passphrase", "active": true, "roles": [n]}),
            ),
            (
                "POST",
                "security/groups/".into(),
                json!({"name": name, "label": "l", "description": "d", "roles": [n], "users": [n]}),
            ),
            (
                "POST",
                "chart/data".into(),
                json!({"datasource": {"id": n, "type": "table"}, "queries": [{"columns": ["a"]}]}),
            ),
            (
                "POST",
                "chart/data".into(),
                json!({"datasource": {"id": on.dataset, "type": "table"}, "queries": [{"columns": ["a"],
                    "row_limit": n, "row_offset": n}]}),
            ),
            (
                "POST",
                "explore/form_data".into(),
                json!({"datasource_id": n, "datasource_type": "table", "chart_id": n, "form_data": "{}"}),
            ),
            ("POST", "sqllab/permalink".into(), json!({"dbId": n, "name": "x", "sql": "SELECT 1"})),
            ("PUT", "chart/warm_up_cache".into(), json!({"chart_id": n, "dashboard_id": n})),
            ("POST", "dashboard/1/filter_state".into(), json!({"value": "1", "tab_id": n})),
            ("POST", "annotation_layer/".into(), json!({"name": name, "descr": n})),
            ("POST", "dataset/duplicate".into(), json!({"base_model_id": n, "table_name": "x"})),
            ("POST", "dataset/get_or_create/".into(), json!({"database_id": n, "table_name": "x"})),
        ];
        for (method, path, body) in all {
            never_a_failure(&mut admin, method, &format!("/api/v1/{path}"), Some(&body), wrong);
        }
    }
}

fn everywhere(on: &Installation) {
    let mut wrong = Vec::new();
    addresses(on, &mut wrong);
    questions(on, &mut wrong);
    bodies(on, &mut wrong);
    assert!(wrong.is_empty(), "{} of\n{}", wrong.len(), wrong.join("\n"));
    let mut admin = on.server.admin();
    for n in LARGE {
        for resource in ["chart", "dashboard", "dataset", "database", "saved_query", "tag", "css_template"] {
            let status = admin.get(&format!("/api/v1/{resource}/{n}")).status;
            assert_eq!(status, 404, "{resource} {n}");
        }
    }
}

#[test]
fn numbers_that_no_column_holds() {
    everywhere(&Installation::on_sqlite("large"));
}

#[test]
fn numbers_that_no_column_holds_on_postgresql() {
    if let Some(on) = Installation::on_postgres("large") {
        everywhere(&on);
    }
}

#[test]
fn numbers_that_no_column_holds_on_mysql() {
    if let Some(on) = Installation::on_mysql("large") {
        everywhere(&on);
    }
}
