//! Several who write at once; what is written along with an object.

use serde_json::{Value, json};

use crate::support::{Client, Installation, make};

/// The statuses of the same request of several people, sent at once.
fn at_once(
    people: &mut Vec<Client>,
    method: &'static str,
    path: &str,
    body: impl Fn(usize) -> Option<Value>,
) -> Vec<u16> {
    let threads: Vec<_> = people
        .drain(..)
        .enumerate()
        .map(|(i, mut client)| {
            let (path, body) = (path.to_owned(), body(i));
            std::thread::spawn(move || (client.send(method, &path, body.as_ref()).status, client))
        })
        .collect();
    let (statuses, back) = threads.into_iter().map(|t| t.join().unwrap()).unzip();
    *people = back;
    statuses
}

fn four_at_once_change_or_delete_one_object_once(on: &Installation) {
    let mut people: Vec<_> = (0..4).map(|_| on.server.admin()).collect();
    let mut admin = on.server.admin();
    let chart = json!({"slice_name": "shared", "datasource_id": on.dataset, "datasource_type": "table"});
    for (resource, body, names, owners) in [
        ("chart", chart, ["slice_name", "description"], "slice_user WHERE slice_id"),
        (
            "dashboard",
            json!({"dashboard_title": "shared"}),
            ["dashboard_title", "css"],
            "dashboard_user WHERE dashboard_id",
        ),
        (
            "dataset",
            json!({"database": on.database, "table_name": "shared", "sql": "SELECT 1 AS a"}),
            ["table_name", "description"],
            "sqlatable_user WHERE table_id",
        ),
    ] {
        for round in 0..3 {
            let made = make(&mut admin, resource, &body);
            let path = format!("/api/v1/{resource}/{made}");
            let change = |i: usize| Some(json!({names[0]: format!("by {i}"), names[1]: format!("by {i}")}));
            assert_eq!(at_once(&mut people, "PUT", &path, change), [200; 4], "{resource}, round {round}");
            let now = admin.get(&path).json();
            assert_eq!(now["result"][names[0]], now["result"][names[1]], "two writes are mixed: {resource}");
            let outcomes = at_once(&mut people, "DELETE", &path, |_| None);
            assert_eq!(outcomes.iter().filter(|s| **s == 200).count(), 1, "{resource}: {outcomes:?}");
            assert!(outcomes.iter().all(|s| matches!(s, 200 | 404)), "{resource}: {outcomes:?}");
            let left = on.metadata.texts(&format!("SELECT 'owner' FROM {owners} = {made}"));
            assert!(left.is_empty(), "{resource}: {left:?}");
        }
    }
}

#[test]
fn four_at_once_change_or_delete_one_object_once_on_sqlite() {
    four_at_once_change_or_delete_one_object_once(&Installation::on_sqlite("at-once"));
}

#[test]
fn four_at_once_change_or_delete_one_object_once_on_postgresql() {
    if let Some(on) = Installation::on_postgres("at-once") {
        four_at_once_change_or_delete_one_object_once(&on);
    }
}

#[test]
fn four_at_once_change_or_delete_one_object_once_on_mysql() {
    if let Some(on) = Installation::on_mysql("at-once") {
        four_at_once_change_or_delete_one_object_once(&on);
    }
}

/// The original looks first and writes then; whoever comes in between makes what it would have refused.
fn of_reports_sent_at_once_one_is_made(on: &Installation) {
    let mut people: Vec<_> = (0..4).map(|_| on.server.admin()).collect();
    let report = |name: String, method: &str| {
        json!({"type": "Report", "name": name, "crontab": "0 9 * * *", "chart": on.chart, "report_format": "PNG",
            "creation_method": method, "recipients": [
                {"type": "Email", "recipient_config_json": {"target": "ann@example.com"}}]})
    };
    let stored = || on.metadata.texts("SELECT name FROM report_schedule ORDER BY id");
    for round in 0..3 {
        let mut outcomes =
            at_once(&mut people, "POST", "/api/v1/report/", |i| Some(report(format!("by {i}"), "charts")));
        outcomes.sort_unstable();
        assert_eq!(outcomes, [201, 409, 409, 409], "round {round}: one report of a chart");
        assert_eq!(stored().len(), 1);
        let mut outcomes = at_once(&mut people, "POST", "/api/v1/report/", |_| {
            Some(report("the same".to_owned(), "alerts_reports"))
        });
        outcomes.sort_unstable();
        assert_eq!(outcomes, [201, 422, 422, 422], "round {round}: one report of a name");
        assert_eq!(stored().len(), 2);
        let ids = on.metadata.texts("SELECT trim(cast(id AS char(20))) FROM report_schedule ORDER BY id");
        let mut outcomes = at_once(&mut people, "PUT", &format!("/api/v1/report/{}", ids[0]), |i| {
            Some(json!({"name": if i % 2 == 0 { "the same" } else { "another" }}))
        });
        outcomes.sort_unstable();
        assert_eq!(outcomes, [200, 200, 422, 422], "round {round}: a name that another has");
        for id in ids {
            assert_eq!(people[0].delete(&format!("/api/v1/report/{id}")).status, 200);
        }
    }
}

#[test]
fn of_reports_sent_at_once_one_is_made_on_sqlite() {
    of_reports_sent_at_once_one_is_made(&Installation::on_sqlite("reports-at-once"));
}

#[test]
fn of_reports_sent_at_once_one_is_made_on_postgresql() {
    if let Some(on) = Installation::on_postgres("reports-at-once") {
        of_reports_sent_at_once_one_is_made(&on);
    }
}

#[test]
fn of_reports_sent_at_once_one_is_made_on_mysql() {
    if let Some(on) = Installation::on_mysql("reports-at-once") {
        of_reports_sent_at_once_one_is_made(&on);
    }
}

#[test]
fn saved_queries_get_tags_by_themselves() {
    let on = Installation::on_sqlite("implicit");
    let mut admin = on.server.admin();
    let made =
        make(&mut admin, "saved_query", &json!({"label": "mine", "db_id": on.database, "sql": "SELECT 1"}));
    let tags = || {
        on.metadata.texts(&format!(
            "SELECT t.name FROM tag t JOIN tagged_object o ON o.tag_id = t.id \
             WHERE o.object_type = 'query' AND o.object_id = {made} ORDER BY t.name"
        ))
    };
    assert_eq!(tags(), ["owner:1", "type:query"]);
    let path = format!("/api/v1/saved_query/{made}");
    assert_eq!(admin.put(&path, &json!({"label": "still mine"})).status, 200);
    assert_eq!(tags(), ["owner:1", "type:query"]);
    assert_eq!(admin.delete(&path).status, 200);
    assert!(tags().is_empty());
}
