//! JMESPath (jmespath.org), the language of `AUTH_USER_REGISTRATION_ROLE_JMESPATH`: all of it but the functions that
//! take expressions (`sort_by` and the like). The crate of the language switches a feature of serde on for everything.

mod evaluate;
mod functions;
mod lexer;
mod parser;

use serde_json::Value;

use parser::Node;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(Node);

impl Expression {
    /// Reads one; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text).map(Self)
    }

    /// What it is of a value.
    pub fn of(&self, value: &Value) -> Result<Value, String> {
        evaluate::evaluate(&self.0, value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions() {
        let data = json!({
            "email": "bob@example.net", "role_keys": ["analysts", "staff"], "a b": 1, "n": null, "empty": [],
            "people": [{"name": "x", "age": 3, "tags": ["p"]}, {"name": "y", "age": 5, "tags": ["q", "r"]}],
            "map": {"k": {"v": 1}, "l": {"v": 2}},
        });
        for (text, value) in [
            ("email", json!("bob@example.net")),
            ("\"a b\"", json!(1)),
            ("nothing", json!(null)),
            ("contains(role_keys, 'analysts') && 'Alpha' || 'Gamma'", json!("Alpha")),
            ("contains(role_keys, 'admins') && 'Alpha' || 'Gamma'", json!("Gamma")),
            ("email == 'bob@example.net' && 'Alpha' || 'Public'", json!("Alpha")),
            ("ends_with(email, '@example.net') && !contains(role_keys, 'x')", json!(true)),
            ("role_keys[0]", json!("analysts")),
            ("role_keys[-1]", json!("staff")),
            ("role_keys[5]", json!(null)),
            ("role_keys[::-1]", json!(["staff", "analysts"])),
            ("role_keys[1:]", json!(["staff"])),
            ("people[*].name", json!(["x", "y"])),
            ("people[?age > `4`].name | [0]", json!("y")),
            ("people[?name=='x' || age>=`5`] | length(@)", json!(2)),
            ("people[].tags[]", json!(["p", "q", "r"])),
            ("people[*].tags", json!([["p"], ["q", "r"]])),
            ("map.*.v", json!([1, 2])),
            ("map.k.v", json!(1)),
            ("[email, n]", json!(["bob@example.net", null])),
            ("{a: email, b: map.k.v}", json!({"a": "bob@example.net", "b": 1})),
            ("empty && 'yes' || 'no'", json!("no")),
            ("(n || email) == email", json!(true)),
            ("not_null(n, nothing, email)", json!("bob@example.net")),
            ("join('-', role_keys)", json!("analysts-staff")),
            ("sort(keys(map))", json!(["k", "l"])),
            ("type(n)", json!("null")),
            ("to_string(`{\"a\": [1]}`)", json!("{\"a\":[1]}")),
            ("'it\\'s'", json!("it's")),
            ("starts_with(email, 'bob') && length(role_keys) == `2`", json!(true)),
        ] {
            let got = Expression::parse(text).and_then(|e| e.of(&data));
            assert_eq!(got, Ok(value), "{text}");
        }
        for wrong in
            ["", "a ||", "contains(", "a.b.", "[", "'open", "`{`", "a b", "nosuch(a)", "people[?", "a[x", "#"]
        {
            assert!(Expression::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in ["contains(n, 'x')", "length(`1`)", "join('-', people)", "starts_with(email)"] {
            assert!(Expression::parse(wrong).and_then(|e| e.of(&data)).is_err(), "{wrong}");
        }
        assert!(
            Expression::parse(&"(".repeat(10_000)).is_err()
                && Expression::parse(&"!".repeat(10_000)).is_err()
        );
    }
}
