//! CSS templates: the plainest resource, and what Flask-AppBuilder's generic verbs answer.

use serde_json::{Value, json};

use crate::support::{Installation, NO_RIGHT, REFUSED, fields, make, message, refused, statuses};

fn template(name: &str, css: &str) -> Value {
    json!({"template_name": name, "css": css})
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let made = admin.post("/api/v1/css_template/", &template("wide", "a{}"));
    let id = made.json()["id"].as_i64().unwrap();
    assert_eq!(made.told(), (201, json!({"id": id, "result": template("wide", "a{}")})));
    let path = format!("css_template/{id}");
    let put = admin.put(&format!("/api/v1/{path}"), &json!({"css": "ü{}"}));
    assert_eq!(put.told(), (200, json!({"result": template("wide", "ü{}")})), "the rest stays");
    let read = admin.result(&path);
    assert_eq!((&read["css"], &read["template_name"]), (&json!("ü{}"), &json!("wide")));
    assert_eq!(read["changed_by"], json!({"first_name": "Superset", "id": 1, "last_name": "Admin"}));
    assert_eq!(read["created_by"], read["changed_by"]);
    // nothing becomes the column's default where a row is made, and stays nothing where it is changed
    let empty = make(&mut admin, "css_template", &json!({"css": null}));
    let put = admin.put(&format!("/api/v1/css_template/{empty}"), &json!({"css": null}));
    assert_eq!(put.json()["result"], json!({"css": null, "template_name": null}));
    let whole = "SELECT count(*) || '' FROM css_templates WHERE uuid IS NOT NULL AND created_by_fk = 1 \
                 AND changed_by_fk = 1 AND changed_on >= created_on";
    assert_eq!(on.metadata.texts(whole), ["2"]);
    let second = make(&mut admin, "css_template", &template("narrow", "b{}"));
    let third = make(&mut admin, "css_template", &template("Narrow 2", "c{}"));
    let mut ids = |q: &str| admin.ids("css_template", q);
    let ordered =
        "(order_column:template_name,order_direction:desc,filters:!((col:template_name,opr:neq,value:x)))";
    // case is sorted as the database does; without a name there is nothing to compare
    let found = ids(ordered);
    assert_eq!((found[0], found.len()), (id, 3), "{found:?}");
    assert!(found.contains(&second) && found.contains(&third), "{found:?}");
    assert_eq!(
        ids("(filters:!((col:template_name,opr:sw,value:NARROW)),order_column:template_name)").len(),
        2
    );
    assert_eq!(ids("(filters:!((col:template_name,opr:css_template_all_text,value:'b{')))"), [second]);
    assert_eq!(ids("(filters:!((col:created_by,opr:rel_o_m,value:1)))").len(), 4);
    let page =
        "(filters:!((col:template_name,opr:ct,value:n)),order_column:template_name,page_size:1,page:1)";
    assert_eq!(ids(page).len(), 1);
    let bulk = admin.delete(&format!("/api/v1/css_template/?q=!({second},99999)"));
    assert_eq!(bulk.told(), (404, message("Not found")), "all or none");
    let bulk = admin.delete(&format!("/api/v1/css_template/?q=!({second},{third})"));
    assert_eq!(bulk.told(), (200, message("Deleted 2 css templates")));
    assert_eq!(admin.delete(&format!("/api/v1/{path}")).told(), (200, message("OK")));
    assert_eq!(admin.get(&format!("/api/v1/{path}")).told(), (404, message("Not found")));
    assert_eq!(admin.delete(&format!("/api/v1/{path}")).told(), (404, message("Not found")));
    assert_eq!(admin.ids("css_template", "()"), [empty]);
}

#[test]
fn css_templates_are_written_and_read() {
    Installation::on_all("css", written_and_read);
}

#[test]
fn css_templates_that_are_refused_and_people() {
    let on = Installation::on_sqlite("css-refused");
    let mut admin = on.server.admin();
    let id = make(&mut admin, "css_template", &template("kept", ""));
    let long = "x".repeat(251);
    let cases = [
        (json!({"bogus": 1}), 422, fields("bogus", "Unknown field.")),
        (json!({"uuid": "x"}), 422, fields("uuid", "Unknown field.")),
        (json!({"template_name": 1}), 422, fields("template_name", "Not a valid string.")),
        (json!({"template_name": long}), 422, fields("template_name", "Longer than maximum length 250.")),
        (json!({"css": ["a"]}), 422, fields("css", "Not a valid string.")),
    ];
    refused(&mut admin, "POST", "css_template/", &cases);
    refused(&mut admin, "PUT", &format!("css_template/{id}"), &cases);
    let no = [(json!({}), 404, message("Not found"))];
    for key in ["99999", "x", "-1"] {
        refused(&mut admin, "PUT", &format!("css_template/{key}"), &no);
    }
    for (q, status, said) in [
        ("1", 400, "Not a valid rison schema 1 is not of type 'array'"),
        ("!(x)", 400, "Not a valid rison schema 'x' is not of type 'integer'"),
        ("!()", 404, "Not found"),
        ("!(-1)", 404, "Not found"),
    ] {
        let answer = admin.delete(&format!("/api/v1/css_template/?q={q}"));
        assert_eq!(answer.told(), (status, message(said)), "{q}");
    }
    for (q, said) in [
        ("(order_column:css)", "Invalid order by column: css"),
        ("(filters:!((col:id,opr:eq,value:1)))", "Filter column: id not allowed to filter"),
        ("(filters:!((col:css,opr:gt,value:1)))", "Filter operation: gt not allowed on column: css"),
        ("(page:x)", "Not a valid rison schema 'x' is not of type 'integer'"),
    ] {
        let answer = admin.get(&format!("/api/v1/css_template/?q={q}"));
        let text = answer.text();
        assert!(answer.status == 400 && text.contains(said), "{q}: {text}");
    }
    assert_eq!(statuses(&mut on.server.anonymous(), "css_template", id, &json!({})), REFUSED);
    assert_eq!(statuses(&mut on.server.person("gus", "Gamma").0, "css_template", id, &json!({})), NO_RIGHT);
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    assert_eq!(statuses(&mut alpha, "css_template", id, &json!({})), [200, 200, 200, 422, 200, 200]);
}
