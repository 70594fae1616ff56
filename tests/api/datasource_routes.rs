//! Older routes that people's scripts still ask: `/datasource/…`, charts saved by the address of the old chart builder,
//! keys that stand twice in one request, the language, the log-out.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Installation, Server};

fn error(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

fn told(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

/// A form as a page sends it.
fn form(client: &mut Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let quoted = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    let pairs: Vec<String> = fields.iter().map(|(k, v)| format!("{}={}", quoted(k), quoted(v))).collect();
    let body = pairs.join("&").into_bytes();
    client.post_form_data(path, ("application/x-www-form-urlencoded".to_owned(), body))
}

#[test]
fn kinds_and_ids_of_datasources() {
    let server = Server::start_with_settings("datasource-kinds", &[]);
    let mut admin = server.admin();
    for route in ["get", "external_metadata"] {
        let mut ask = |rest: &str| error(&admin.get(&format!("/datasource/{route}/{rest}/")));
        assert_eq!(ask("table/1").0, 200, "{route}");
        let unsupported = told(422, "DAO datasource query source type is not supported");
        for kind in ["dataset", "view"] {
            assert_eq!(ask(&format!("{kind}/1")), unsupported, "{route}");
        }
        assert_eq!(ask("druid/1"), told(500, "'druid' is not a valid DatasourceType"), "{route}");
        for rest in ["table/9999", "table/x", "query/1", "saved_query/1", "table/99999999999999999999"] {
            assert_eq!(ask(rest), told(404, "Datasource does not exist"), "{route} {rest}");
        }
    }
    let by_name = |admin: &mut Client, q: &str| {
        error(&admin.get(&format!("/datasource/external_metadata_by_name/?q={q}")))
    };
    let whole = "datasource_type:table,database_name:examples,schema_name:main,table_name:bakery_sales,\
                 normalize_columns:!f,always_filter_main_dttm:!f";
    assert_eq!(by_name(&mut admin, &format!("({whole})")).0, 200);
    let unknown = by_name(&mut admin, &format!("({whole},x:1)"));
    assert_eq!(unknown, told(400, "{'x': ['Unknown field.']}"));
    let wrong = by_name(&mut admin, "(datasource_type:table,database_name:1,table_name:!n,schema_name:!n)");
    let text = "{'database_name': ['Not a valid string.'], 'table_name': ['Field may not be null.']}";
    assert_eq!(wrong, told(400, text));
    assert_eq!(by_name(&mut admin, "!(1)"), told(400, "{'_schema': ['Invalid input type.']}"));
    let nowhere = whole.replace("bakery_sales", "nowhere");
    assert_eq!(by_name(&mut admin, &format!("({nowhere})")), told(404, "Dataset does not exist"));
}

#[test]
fn samples_by_all_wrong_ways() {
    let server = Server::start_with_settings("datasource-samples", &[]);
    let mut admin = server.admin();
    let path = |rest: &str| format!("/datasource/samples?datasource_type=table&datasource_id=1{rest}");
    let good = admin.post(&path("&per_page=2&page=1&force=TRUE"), &json!({}));
    assert_eq!(good.status, 200, "{}", good.text());
    assert_eq!(good.json()["result"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(admin.post(&path(""), &Value::Null).status, 200, "nothing is no filter");
    for rest in ["&force=maybe", "&page=x", "&per_page=0", "&per_page=1001", "&dashboard_id=", "&other=1"] {
        let answer = admin.post(&path(rest), &json!({}));
        assert_eq!((answer.status, answer.json()), (400, json!({})), "{rest}");
    }
    for body in [json!({"nope": 1}), json!({"filters": 5}), json!({"filters": [{"col": "a"}]}), json!([1])] {
        let answer = admin.post(&path(""), &body);
        assert_eq!((answer.status, answer.json()), (400, json!({})), "{body}");
    }
    for kind in ["dataset", "view"] {
        let answer = admin.post(&path("").replace("=table", &format!("={kind}")), &json!({}));
        assert_eq!(error(&answer), told(422, "DAO datasource query source type is not supported"));
    }
    let answer = admin.post(&path("").replace("=table", "=query"), &json!({}));
    assert_eq!(error(&answer), told(404, "Datasource does not exist"));
    let text = "415 Unsupported Media Type: Did not attempt to load JSON data because the request Content-Type was \
                not 'application/json'.";
    let answer = admin.post_form_data(&path(""), ("text/plain".to_owned(), b"{}".to_vec()));
    assert_eq!(error(&answer), told(415, text));
    let answer = admin.post_form_data(&path(""), ("application/json".to_owned(), b"{".to_vec()));
    let text =
        "400 Bad Request: The browser (or proxy) sent a request that this server could not understand.";
    assert_eq!(error(&answer), told(400, text));
}

#[test]
fn a_dataset_is_saved_as_a_whole() {
    let on = Installation::on_sqlite("datasource-save");
    let mut admin = on.server.admin();
    let mut save = |data: &str| error(&form(&mut admin, "/datasource/save/", &[("data", data)]));
    assert_eq!(
        save("{"),
        told(500, "Expecting property name enclosed in double quotes or '}': line 1 column 2 (char 1)")
    );
    assert_eq!(save("[]"), told(500, "'list' object has no attribute 'get'"));
    assert_eq!(save("{}"), told(500, "'database'"));
    assert_eq!(save(r#"{"database": null}"#), told(500, "'NoneType' object has no attribute 'get'"));
    let of = |rest: &str| format!(r#"{{"database": {{"id": {}}}{rest}}}"#, on.database);
    assert_eq!(save(&of("")), told(500, "None is not a valid DatasourceType"));
    assert_eq!(save(&of(r#", "type": "druid""#)), told(500, "'druid' is not a valid DatasourceType"));
    assert_eq!(save(&of(r#", "type": "table""#)), told(404, "Datasource does not exist"));
    let typed = format!(r#", "type": "table", "id": {}"#, on.dataset);
    assert_eq!(save(&of(&typed)), told(500, "'owners'"));
    assert_eq!(save(&of(&format!("{typed}, \"owners\": []"))), told(500, "'columns'"));
    let twice = r#", "owners": [], "columns": [{"column_name": "a"}, {"column_name": "a"}]"#;
    assert_eq!(save(&of(&format!("{typed}{twice}"))), told(409, "Duplicate column name(s): a"));
    let none = form(&mut admin, "/datasource/save/", &[("other", "1")]);
    assert_eq!(error(&none), told(500, "Request missing data field."));
    let whole = format!(r#"{typed}, "table_name": "t", "owners": [], "columns": [{{"column_name": "a"}}]"#);
    let saved = form(&mut admin, "/datasource/save/", &[("data", &of(&whole))]);
    assert_eq!(saved.status, 200, "{}", saved.text());
    // columns of a table whose catalog is not told
    on.metadata.run("UPDATE tables SET catalog = NULL");
    let columns = admin.get(&format!("/api/v1/dataset/{}", on.dataset)).json()["result"]["columns"].clone();
    let column = json!({"id": columns[0]["id"], "column_name": "a", "verbose_name": "A"});
    let put = admin.put(&format!("/api/v1/dataset/{}", on.dataset), &json!({"columns": [column]}));
    assert_eq!(put.status, 200, "{}", put.text());
}

#[test]
fn keys_that_stand_twice_are_not_found() {
    let on = Installation::on_sqlite("twice-in-bulk");
    let mut admin = on.server.admin();
    let layer = crate::support::make(&mut admin, "annotation_layer", &json!({"name": "l", "descr": ""}));
    let css = crate::support::make(&mut admin, "css_template", &json!({"template_name": "c", "css": ""}));
    let theme = crate::support::make(&mut admin, "theme", &json!({"theme_name": "t", "json_data": "{}"}));
    for (resource, id) in [
        ("annotation_layer", layer),
        ("css_template", css),
        ("theme", theme),
        ("dashboard", on.dashboard),
        ("chart", on.chart),
        ("dataset", on.dataset),
    ] {
        let twice = admin.delete(&format!("/api/v1/{resource}/?q=!({id},{id})"));
        assert_eq!((twice.status, twice.json()), (404, json!({"message": "Not found"})), "{resource}");
        let once = admin.delete(&format!("/api/v1/{resource}/?q=!({id})"));
        assert_eq!(once.status, 200, "{resource}: {}", once.text());
    }
}

#[test]
fn charts_are_saved_by_the_old_address() {
    let on = Installation::on_sqlite("old-explore");
    let mut admin = on.server.admin();
    let data = json!({"datasource": format!("{}__table", on.dataset), "viz_type": "table", "slice_id": on.chart,
                      "adhoc_filters": [{"isExtra": true}, {"clause": "WHERE"}], "js_tooltip": "x"});
    let text = data.to_string();
    let mut save = |rest: &str| {
        form(
            &mut admin,
            &format!("/superset/explore/?{rest}"),
            &[("form_data", text.as_str()), ("query_context", "{}")],
        )
    };
    let made = save("action=saveas&slice_name=Second&new_dashboard_name=Fresh&goto_dash=true");
    assert_eq!(made.status, 200, "{}", made.text());
    let made = made.json();
    let id = made["slice"]["slice_id"].as_i64().unwrap();
    assert_ne!(id, on.chart);
    assert_eq!(made["slice"]["slice_name"], "Second", "{made}");
    assert_eq!((&made["can_add"], &made["can_download"]), (&json!(true), &json!(true)));
    let dashboard = made["dashboard_id"].as_i64().unwrap();
    assert_eq!(made["dashboard_url"], format!("/superset/dashboard/{dashboard}/"));
    assert_eq!(made["dashboard"], made["dashboard_url"]);
    assert_eq!(made["form_data"]["adhoc_filters"], json!([{"clause": "WHERE"}]), "{made}");
    let path = format!("action=overwrite&slice_name=Own&save_to_dashboard_id={dashboard}");
    let changed = save(&path).json();
    assert_eq!(changed["slice"]["slice_id"], on.chart, "{changed}");
    assert_eq!(changed["slice"]["slice_name"], "Own");
    assert_eq!(save("action=saveas&slice_name=x&save_to_dashboard_id=9999").status, 404);
    let page = save("slice_name=x");
    assert!(page.text().contains("<html"), "without an action it is the page");
    let charts = admin.get(&format!("/api/v1/dashboard/{dashboard}/charts")).json();
    assert_eq!(charts["result"].as_array().unwrap().len(), 2, "{charts}");
    let stored = admin.get(&format!("/api/v1/chart/{id}")).json();
    assert!(!stored["result"]["params"].as_str().unwrap().contains("js_tooltip"), "{stored}");
    // somebody who reads the dataset, owns nothing, and may make no charts
    on.metadata.run(
        "DELETE FROM ab_permission_view_role WHERE role_id = (SELECT id FROM ab_role WHERE name = 'Alpha') AND \
         permission_view_id IN (SELECT pv.id FROM ab_permission_view pv JOIN ab_permission p ON p.id = \
         pv.permission_id JOIN ab_view_menu v ON v.id = pv.view_menu_id WHERE p.name = 'can_write' AND \
         v.name = 'Chart')",
    );
    let (mut reader, _) = on.server.person("reader", "Alpha");
    for (action, words) in [
        ("saveas", "You don't have the rights to create a chart"),
        ("overwrite", "You don't have the rights to alter this chart"),
    ] {
        let path = format!("/superset/explore/?action={action}&slice_name=x");
        let answer = form(&mut reader, &path, &[("form_data", text.as_str())]);
        assert_eq!(error(&answer), told(403, words), "{action}");
    }
}

#[test]
fn languages_and_the_log_out_lead_nowhere_else() {
    let settings = [(
        "LITESET_LANGUAGES",
        r#"{"en": {"flag": "us", "name": "English"}, "de": {"flag": "de", "name": "German"}}"#,
    )];
    let server = Server::start_with_settings("language", &settings);
    let mut admin = server.admin();
    let chosen = admin.get("/lang/de");
    assert_eq!((chosen.status, chosen.header("location")), (302, "/"));
    let page = admin.get("/superset/welcome/").text();
    assert!(page.contains("&#34;locale&#34;: &#34;de&#34;"), "{page}");
    let slash = admin.get("/logout");
    assert_eq!(slash.status, 308);
    assert!(slash.header("location").ends_with("/logout/"), "{}", slash.header("location"));
    assert_eq!(admin.get("/logout/").status, 302);
    assert_eq!(admin.get("/api/v1/me/").status, 401);
}

/// Which pages may be framed is `TALISMAN_CONFIG`'s to say, as in the original: the allowed domains of a dashboard are
/// compared with the referrer, and no policy is made of them.
#[test]
fn the_embedded_page_has_the_policy_of_all_pages() {
    let server =
        Server::start_with_settings("embedded-policy", &[("SUPERSET_FEATURE_EMBEDDED_SUPERSET", "true")]);
    let mut admin = server.admin();
    let made = admin.post("/api/v1/dashboard/1/embedded", &json!({"allowed_domains": ["https://a.example"]}));
    let uuid = made.json()["result"]["uuid"].as_str().unwrap().to_owned();
    let refused = server.anonymous().get(&format!("/embedded/{uuid}"));
    assert_eq!(refused.status, 403);
    let open = admin.post("/api/v1/dashboard/1/embedded", &json!({"allowed_domains": []}));
    let uuid = open.json()["result"]["uuid"].as_str().unwrap().to_owned();
    let page = server.anonymous().get(&format!("/embedded/{uuid}"));
    assert_eq!(page.status, 200);
    let without_nonce = |answer: &Answer| {
        let policy = answer.header("content-security-policy");
        policy.split(' ').filter(|word| !word.starts_with("'nonce-")).collect::<Vec<_>>().join(" ")
    };
    let other = admin.get("/superset/welcome/");
    assert!(!without_nonce(&page).is_empty());
    assert_eq!(without_nonce(&page), without_nonce(&other));
    assert!(!without_nonce(&page).contains("frame-ancestors"));
    assert_eq!(page.header("x-frame-options"), other.header("x-frame-options"));
}
