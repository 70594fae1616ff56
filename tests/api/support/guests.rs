//! Guests of embedded dashboards.

use serde_json::{Value, json};

use super::{Client, Server};

impl Server {
    /// A guest of a dashboard, with rules of the token.
    pub fn guest(&self, admin: &mut Client, dashboard: i64, rls: &Value) -> Client {
        let embedded =
            admin.post(&format!("/api/v1/dashboard/{dashboard}/embedded"), &json!({"allowed_domains": []}));
        let resource = json!({"type": "dashboard", "id": embedded.json()["result"]["uuid"]});
        let body = json!({"user": {"username": "g"}, "resources": [resource], "rls": rls});
        let token = admin.post("/api/v1/security/guest_token/", &body).json();
        let mut guest = self.anonymous();
        guest.headers = vec![("x-guesttoken".into(), token["token"].as_str().unwrap().to_owned())];
        let csrf = guest.send("GET", "/api/v1/security/csrf_token/", None).json();
        guest.csrf = csrf["result"].as_str().unwrap_or_default().to_owned();
        guest
    }
}
