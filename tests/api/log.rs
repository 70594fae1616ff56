//! The event log: what is in it of a call, also of one that is refused, and who reads it.

use serde_json::{Value, json};

use crate::support::{Installation, NO_RIGHT, REFUSED, message, statuses};

/// The last events of an action, the newest first, when there are `number`: rows are written a moment after the answer.
fn events(on: &Installation, action: &str, number: usize) -> Vec<Value> {
    let sql = format!("SELECT json FROM logs WHERE action = '{action}' ORDER BY id DESC");
    for _ in 0..200 {
        let rows = on.metadata.texts(&sql);
        if rows.len() >= number {
            return rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("no {number} events of {action}");
}

#[test]
fn events_hold_what_was_asked() {
    let on = Installation::on_sqlite("log-events");
    let mut admin = on.server.admin();
    admin.get("/api/v1/css_template/?q=(page_size:2)");
    let listed = json!({"path": "/api/v1/css_template/", "q": "(page_size:2)", "rison": {"page_size": 2}});
    assert_eq!(events(&on, "CssTemplateRestApi.get_list", 1), [listed]);
    admin.get("/api/v1/css_template/");
    assert_eq!(events(&on, "CssTemplateRestApi.get_list", 2)[0]["rison"], json!({}));
    admin.get("/api/v1/css_template/7");
    let lost =
        json!({"path": "/api/v1/css_template/7", "url_rule": "/api/v1/css_template/<int:pk>", "rison": {}});
    assert_eq!(events(&on, "CssTemplateRestApi.get", 1), [lost], "what is not there is logged, too");
    let refused = admin.get("/api/v1/css_template/?q=(order_column:nope)");
    assert_eq!(refused.status, 400);
    assert_eq!(events(&on, "CssTemplateRestApi.get_list", 3)[0]["rison"], json!({"order_column": "nope"}));
    let path = format!("/api/v1/chart/{}", on.chart);
    let (mut alpha, alpha_id) = on.server.person("alf", "Alpha");
    assert_eq!(alpha.put(&path, &json!({"slice_name": "taken"})).status, 403);
    // the one before it has put the chart into its dashboard
    let put = events(&on, "ChartRestApi.put", 2).remove(0);
    let want = json!({"path": path, "slice_name": "taken", "url_rule": "/api/v1/chart/<pk>",
                      "object_ref": "ChartRestApi.put", "pk": on.chart.to_string()});
    assert_eq!(put, want, "who tried is logged");
    let who = "SELECT user_id || '' FROM logs WHERE action = 'ChartRestApi.put' ORDER BY id DESC";
    assert_eq!(on.metadata.texts(who)[0], alpha_id.to_string());
    // what is refused before the call is looked at is not
    admin.get("/api/v1/css_template/?q=(page:x)");
    on.server.anonymous().get("/api/v1/css_template/");
    admin.get("/api/v1/css_template/?q=(page_size:3)");
    let last = events(&on, "CssTemplateRestApi.get_list", 4);
    assert_eq!((last.len(), &last[0]["q"]), (4, &json!("(page_size:3)")));
}

#[test]
fn the_log_is_read_by_administrators() {
    let on = Installation::on_sqlite("log-read");
    let mut admin = on.server.admin();
    admin.get("/api/v1/theme/?q=(page_size:2)");
    assert_eq!(events(&on, "ThemeRestApi.get_list", 1).len(), 1);
    let rows = admin.result("log/?q=(filters:!((col:action,opr:eq,value:ThemeRestApi.get_list)))");
    assert_eq!((&rows[0]["user_id"], &rows[0]["user"]["username"]), (&json!(1), &json!("admin")));
    assert!(rows[0]["json"].as_str().unwrap().contains("\"q\": \"(page_size:2)\""), "{rows}");
    let id = admin.ids("log", "(filters:!((col:action,opr:eq,value:ThemeRestApi.get_list)))")[0];
    assert_eq!(admin.result(&format!("log/{id}"))["action"], "ThemeRestApi.get_list");
    assert_eq!(admin.get("/api/v1/log/?q=(order_column:id)").status, 400);
    for q in ["(page:x)", "(distinct:1)"] {
        assert_eq!(admin.get(&format!("/api/v1/log/recent_activity/?q={q}")).status, 400, "{q}");
    }
    // what a person looked at, as the frontend tells it
    let seen = json!([{"event_name": "mount_dashboard", "dashboard_id": on.dashboard}]).to_string();
    assert_eq!(admin.post_form("/superset/log/?explode=events", &[("events", &seen)]).status, 200);
    events(&on, "log", 1);
    let recent = admin.result("log/recent_activity/");
    assert_eq!((&recent[0]["item_title"], &recent[0]["item_type"]), (&json!("own"), &json!("dashboard")));
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    assert_eq!(gamma.result("log/recent_activity/"), json!([]), "of others nothing");
    let mut no_right = NO_RIGHT;
    no_right[2] = 404;
    no_right[4..].copy_from_slice(&[405, 405]);
    assert_eq!(statuses(&mut gamma, "log", id, &json!({})), no_right);
    let mut refused = REFUSED;
    refused[2] = 404;
    refused[4..].copy_from_slice(&[405, 405]);
    assert_eq!(statuses(&mut on.server.anonymous(), "log", id, &json!({})), refused);
    assert_eq!(admin.get("/api/v1/log/99999999").told(), (404, message("Not found")));
}
