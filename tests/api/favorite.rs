//! Stars of charts, dashboards and tags.

use serde_json::json;

use crate::support::{Installation, message};

fn starred(on: &Installation) {
    let mut admin = on.server.admin();
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    for (kind, id) in [("chart", on.chart), ("dashboard", on.dashboard)] {
        let path = format!("/api/v1/{kind}/{id}/favorites/");
        let status = format!("/api/v1/{kind}/favorite_status/?q=!({id},99999)");
        let told =
            |is: bool| (200, json!({"result": [{"id": id, "value": is}, {"id": 99999, "value": false}]}));
        assert_eq!(admin.get(&status).told(), told(false), "{kind}");
        for _ in 0..2 {
            assert_eq!(admin.post(&path, &json!({})).told(), (200, json!({"result": "OK"})), "{kind}");
        }
        assert_eq!(admin.get(&status).told(), told(true), "{kind}");
        let filter = format!("(filters:!((col:id,opr:{kind}_is_favorite,value:!t)))");
        assert_eq!(admin.ids(kind, &filter), [id], "{kind}");
        assert_eq!(admin.ids(kind, &filter.replace("!t", "!f")), [0; 0], "{kind}");
        // a star is its giver's; of a draft that somebody else made nothing is said
        let others = if kind == "chart" { told(false) } else { (404, message("Not found")) };
        assert_eq!(alpha.get(&status).told(), others, "{kind}");
        for _ in 0..2 {
            assert_eq!(admin.delete(&path).told(), (200, json!({"result": "OK"})), "{kind}");
        }
        assert_eq!(admin.get(&status).told(), told(false), "{kind}");
        for q in ["", "?q=1", "?q=!(x)"] {
            assert_eq!(admin.get(&format!("/api/v1/{kind}/favorite_status/{q}")).status, 400, "{kind} {q}");
        }
        assert_eq!(on.server.anonymous().get(&status).status, 401, "{kind}");
    }
    assert!(on.metadata.texts("SELECT class_name FROM favstar").is_empty());
}

#[test]
fn stars_are_given_and_taken() {
    starred(&Installation::on_sqlite("favorite"));
}

#[test]
fn stars_of_what_is_not_there() {
    let on = Installation::on_sqlite("favorite-nowhere");
    let mut admin = on.server.admin();
    let ok = json!({"result": "OK"});
    for (kind, key, given, taken) in [
        ("chart", "99999", 404, 200),
        ("chart", "x", 404, 200),
        ("dashboard", "99999", 404, 404),
        ("dashboard", "x", 404, 404),
    ] {
        let path = format!("/api/v1/{kind}/{key}/favorites/");
        let (post, delete) = (admin.post(&path, &json!({})), admin.delete(&path));
        assert_eq!(
            (post.status, delete.status),
            (given, taken),
            "{kind} {key}: {} {}",
            post.text(),
            delete.text()
        );
        if taken == 200 {
            assert_eq!(delete.json(), ok);
        }
    }
    // a draft that somebody else made
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    let hidden = alpha.post(&format!("/api/v1/dashboard/{}/favorites/", on.dashboard), &json!({}));
    assert_eq!(hidden.told(), (404, message("Not found")));
}
