//! Somebody comes back from the authorization server (`OAuth2StoreTokenCommand`).

use daos::{database, oauth2_token};
use infra::{Error, clock, db::DbError};

use super::{
    Client, State, StateError,
    client::callback,
    oauth2_error,
    state::Key,
    token::{ask, new_tokens, patience},
};
use crate::Caller;
use crate::connect::{errors::command_error, secrets};

/// What they bring (`OAuth2ProviderResponseSchema`).
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "the fields bear the names of the query string")]
pub struct Returned<'a> {
    pub code: Option<&'a str>,
    pub state: Option<&'a str>,
    pub error: Option<&'a str>,
}

/// Why no token is stored.
#[derive(Debug)]
pub enum Refused {
    /// An answer as anywhere.
    Error(Error),
    /// The state is none of ours.
    State(StateError),
    /// The query string lacks this.
    Missing(&'static str),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Has the code changed into tokens and stores them for who began it; returns the tab that waits for it.
///
/// `caller` is who the browser is logged in as, if anybody. The original does not ask: whoever lures somebody else to
/// the end of their own authorization gets that person's token. Here it ends for the user who began it.
pub async fn store_token(caller: &Caller, returned: Returned<'_>) -> Result<String, Refused> {
    if let Some(error) = returned.error.filter(|e| !e.is_empty()) {
        return Err(oauth2_error(error).into());
    }
    let text = returned.state.ok_or(Refused::Missing("state"))?;
    let key = Key::from_config(&caller.app.config).ok_or_else(|| oauth2_error("The state cannot be read"))?;
    let state = State::decode(text, &key).map_err(Refused::State)?;
    let id = state.database_id.unwrap_or_default();
    let found = database::find(caller.app.db.exec(), id).await?;
    let found = found.ok_or_else(|| command_error(404, "Database not found"))?;
    // the address that the authorization began at: both requests must name the same
    let began = state.default_redirect_uri.strip_suffix(&callback(&caller.app, ""));
    let client = Client::for_database(&caller.app, &found, began.unwrap_or_default());
    let client = client.ok_or_else(|| oauth2_error("No configuration found for OAuth2"))?;
    let code = returned.code.ok_or(Refused::Missing("code"))?;
    if caller.user.user_id().is_some_and(|user| user != state.user_id) {
        return Err(oauth2_error("Somebody else has asked for this token").into());
    }
    let pairs = [
        ("code", code),
        ("client_id", &client.id),
        ("client_secret", &client.secret),
        ("redirect_uri", &client.redirect_uri),
        ("grant_type", "authorization_code"),
    ];
    let answer = ask(&client, patience(&caller.app.config), &pairs).await.map_err(|e| oauth2_error(&e))?;
    let now = clock::now();
    let new_tokens =
        new_tokens(&secrets::cipher(&caller.app), &answer, now)?.map_err(|reason| oauth2_error(&reason))?;
    let tx = caller.app.db.begin().await?;
    let stored =
        oauth2_token::replace(tx.exec(), (state.user_id, id), new_tokens, now, caller.user.user_id()).await;
    stored.map_err(|error| match error {
        DbError::Integrity(_) => oauth2_error("The user or the database is gone"),
        other => other.into(),
    })?;
    tx.commit().await?;
    Ok(state.tab_id)
}
