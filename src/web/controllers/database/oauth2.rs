//! Where authorization servers send people back to (`DatabaseRestApi.oauth2`).

use commands::connect::oauth2::{self, Refused, Returned, StateError};
use infra::{
    Error,
    crypto::jwt::JwtError,
    error::{ErrorType, SupersetError},
};
use maud::{DOCTYPE, html};

use crate::{
    Answer, Cx, Handled, error_pages,
    guards::bearer::refusal,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let rule = rule(&["GET"], "/api/v1/database/oauth2/", Access::Open, oauth2);
    vec![rule.endpoint("DatabaseRestApi.oauth2")]
}

async fn oauth2(cx: Cx) -> Handled {
    let (code, state, error) = (cx.req.arg("code"), cx.req.arg("state"), cx.req.arg("error"));
    match oauth2::store_token(&cx.caller, Returned { code, state, error }).await {
        Ok(tab_id) => Ok(page(&cx, &tab_id)),
        Err(Refused::Error(error)) => Err(error.into()),
        // the handlers of flask-jwt-extended stand for every JSON Web Token, this one too
        Err(Refused::State(StateError::Token(JwtError::Invalid(text)))) => Ok(refusal(422, &text)),
        Err(Refused::State(StateError::Token(JwtError::Expired))) => Ok(error_pages::abort(&cx.req, 500)),
        Err(Refused::State(StateError::Fields(text))) => Ok(unexpected(&cx, text)),
        Err(Refused::Missing(name)) => Ok(unexpected(&cx, format!("'{name}'"))),
    }
}

/// An exception that the original does not expect (`show_unexpected_exception`).
fn unexpected(cx: &Cx, text: String) -> Answer {
    if error_pages::accepts_html(&cx.req) {
        return error_pages::abort(&cx.req, 500);
    }
    let error = Error::sip40(500, SupersetError::new(ErrorType::GenericBackendError, text));
    crate::error::Failure(error).into_answer()
}

/// `superset/oauth2.html`: tells the tab that waits, and closes. Under a content security policy the original's script
/// has no nonce and does not run.
fn page(cx: &Cx, tab_id: &str) -> Answer {
    let nonce = Some(cx.req.nonce.as_str()).filter(|nonce| !nonce.is_empty());
    // only letters that end neither the string nor the script
    let tab_id: String = tab_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let page = html! {
        (DOCTYPE)
        html {
            head { meta charset="utf-8"; }
            body {
                script nonce=[nonce] {
                    "window.opener.postMessage({ tabId: '" (tab_id) "' }); window.close();"
                }
                p { "You can close this window and re-run the query." }
            }
        }
    };
    Answer::html(200, page.into_string())
}
