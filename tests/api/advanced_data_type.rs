//! `/api/v1/advanced_data_type/`: addresses and ports as numbers.

use serde_json::{Value, json};

use crate::support::{Server, message};

#[test]
fn values_become_numbers() {
    let server = Server::start_with_settings("advanced", &[]);
    let mut admin = server.admin();
    assert_eq!(admin.result("advanced_data_type/types"), json!(["internet_address", "port"]));
    for (q, values, display, error) in [
        ("(type:port,values:!(http))", json!([[80]]), "[80]", ""),
        ("(type:port,values:!(''))", json!([[""]]), "", ""),
        ("(type:internet_address,values:!('10.0.0.1'))", json!([167_772_161]), "167772161", ""),
        (
            "(type:internet_address,values:!('1.1.1.1/24',x))",
            Value::Null,
            "16843008 - 16843263",
            "'x' does not appear to be an IPv4 or IPv6 network",
        ),
    ] {
        let result = admin.result(&format!("advanced_data_type/convert?q={q}"));
        assert_eq!(
            (&result["display_value"], &result["error_message"]),
            (&json!(display), &json!(error)),
            "{q}"
        );
        assert!(values.is_null() || result["values"] == values, "{q}: {result}");
        assert!(result["valid_filter_operators"].as_array().unwrap().contains(&json!("EQUALS")), "{q}");
    }
    for (q, said) in [
        ("", "Not a valid rison schema 'type' is a required property"),
        ("?q=(type:port)", "Not a valid rison schema 'values' is a required property"),
        ("?q=(type:port,values:!())", "Not a valid rison schema [] should be non-empty"),
        ("?q=(type:nope,values:!(1))", "Invalid advanced data type: nope"),
    ] {
        let answer = admin.get(&format!("/api/v1/advanced_data_type/convert{q}"));
        assert_eq!(answer.told(), (400, message(said)), "{q}");
    }
    assert_eq!(server.anonymous().get("/api/v1/advanced_data_type/types").status, 401);
}
