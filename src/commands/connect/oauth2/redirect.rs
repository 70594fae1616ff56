//! Sending a user to the authorization server (`superset.db_engine_specs.base:BaseEngineSpec.start_oauth2_dance`).

use infra::{
    engine_specs::url::quoted_plus,
    engines::OAuth2Redirect,
    error::{ErrorType, SupersetError},
};
use serde_json::json;
use uuid::Uuid;

use super::{Client, State, client::callback, state::Key};
use crate::Caller;

/// What a user is answered when a database wants a personal token; nothing for guests, who can have none.
pub fn redirect(caller: &Caller, client: &Client, database_id: Option<i64>) -> Option<OAuth2Redirect> {
    let (user_id, key, client) =
        (caller.user.user_id()?, Key::from_config(&caller.app.config)?, client.clone());
    let redirect = callback(&caller.app, &caller.user.origin);
    Some(OAuth2Redirect::new(move || {
        let tab_id = Uuid::new_v4().to_string();
        let state =
            State { database_id, user_id, default_redirect_uri: redirect.clone(), tab_id: tab_id.clone() };
        let url = authorization(&client, &state.encode(&key));
        let text = "You don't have permission to access the data.";
        SupersetError::new(ErrorType::Oauth2Redirect, text)
            .level("warning")
            .extra("url", json!(url))
            .extra("tab_id", json!(tab_id))
            .extra("redirect_uri", json!(redirect))
    }))
}

/// The address of the server's question (`get_oauth2_authorization_uri`); a query that the address has already is
/// lost, as `urljoin` loses it.
fn authorization(client: &Client, state: &str) -> String {
    let bare = client.authorization_request_uri.split(['?', '#']).next().unwrap_or_default();
    let pairs = [
        ("scope", client.scope.as_str()),
        ("access_type", "offline"),
        ("include_granted_scopes", "false"),
        ("response_type", "code"),
        ("state", state),
        ("redirect_uri", &client.redirect_uri),
        ("client_id", &client.id),
        ("prompt", "consent"),
    ];
    format!("{bare}?{}", form(&pairs))
}

/// `urlencode`.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(k, v)| format!("{k}={}", quoted_plus(v))).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use infra::outbound::Reach;

    use super::*;

    #[test]
    fn the_question_of_the_server() {
        let client = Client {
            id: "us".into(),
            secret: "s".into(),
            scope: "openid a/b".into(),
            redirect_uri: "http://h/api/v1/database/oauth2/".into(),
            authorization_request_uri: "https://auth.example/x/auth?kc_idp=1".into(),
            token_request_uri: "https://auth.example/token".into(),
            json: false,
            reach: Reach::Public,
        };
        // get_oauth2_authorization_uri of superset 6.0.0
        assert_eq!(
            authorization(&client, "a%2Eb"),
            "https://auth.example/x/auth?scope=openid+a%2Fb&access_type=offline&include_granted_scopes=false\
             &response_type=code&state=a%252Eb&redirect_uri=http%3A%2F%2Fh%2Fapi%2Fv1%2Fdatabase%2Foauth2%2F\
             &client_id=us&prompt=consent"
        );
    }
}
