//! Questions to a REST resource, and answers in a form that is compared in one line.

use serde_json::{Value, json};

use super::{Answer, Client};

/// What somebody gets who lacks the permission, for [`statuses`].
pub const NO_RIGHT: [u16; 6] = [403; 6];
/// What nobody gets: reads ask for a log-in, writes fail at the CSRF token before.
pub const REFUSED: [u16; 6] = [401, 401, 401, 400, 400, 400];
/// What somebody gets to whom an object is hidden that they could write otherwise.
pub const HIDDEN: [u16; 6] = [200, 404, 200, 400, 404, 404];

/// A body with a message.
pub fn message(text: &str) -> Value {
    json!({"message": text})
}

/// A body with the messages of one field.
pub fn fields(name: &str, text: &str) -> Value {
    json!({"message": {name: [text]}})
}

impl Answer {
    /// Status and body.
    pub fn told(&self) -> (u16, Value) {
        (self.status, self.json())
    }
}

impl Client {
    /// The member `result` of what is at a path.
    pub fn result(&mut self, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1/{path}"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()["result"].clone()
    }

    /// The keys of a list, in its order.
    pub fn ids(&mut self, resource: &str, q: &str) -> Vec<i64> {
        let answer = self.get(&format!("/api/v1/{resource}/?q={q}"));
        assert_eq!(answer.status, 200, "{resource} {q}: {}", answer.text());
        let ids = answer.json()["ids"].clone();
        ids.as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect()
    }
}

/// Asserts that bodies are refused with a status and a body.
pub fn refused(client: &mut Client, method: &str, path: &str, cases: &[(Value, u16, Value)]) {
    for (body, status, said) in cases {
        let answer = client.send(method, &format!("/api/v1/{path}"), Some(body));
        assert_eq!(answer.told(), (*status, said.clone()), "{method} {path} {body}");
    }
}

/// The statuses of somebody's list, item, `_info`, POST, PUT and DELETE, in this order. The POST has no valid body, so
/// that nothing is made: 400 or 422 means that it was allowed.
pub fn statuses(client: &mut Client, resource: &str, id: i64, change: &Value) -> [u16; 6] {
    let base = format!("/api/v1/{resource}/");
    let item = format!("{base}{id}");
    [
        client.get(&base).status,
        client.get(&item).status,
        client.get(&format!("{base}_info?q=(keys:!(permissions))")).status,
        client.send("POST", &base, Some(&json!({"bogus": 1}))).status,
        client.send("PUT", &item, Some(change)).status,
        client.send("DELETE", &item, None).status,
    ]
}
