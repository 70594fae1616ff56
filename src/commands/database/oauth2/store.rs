//! Somebody comes back from the authorization server (`OAuth2StoreTokenCommand`).

use daos::{database, oauth2_token};
use infra::{Error, clock, db::DbError};

use super::{
    super::{errors::command_error, secrets},
    Client, State, StateError,
    state::Key,
    token::{ask, given, patience},
    went_wrong,
};
use crate::{Principal, Services};

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

/// Has the code changed into tokens and stores them for who began the dance; returns the tab that waits for it.
///
/// `caller` is who the browser is logged in as, if anybody. The original does not ask: whoever lures somebody else to
/// the end of their own dance gets that person's token. Here a dance ends as whom it began.
pub async fn store_token(
    app: &Services,
    caller: &Principal,
    returned: Returned<'_>,
) -> Result<String, Refused> {
    if let Some(error) = returned.error.filter(|e| !e.is_empty()) {
        return Err(went_wrong(error).into());
    }
    let text = returned.state.ok_or(Refused::Missing("state"))?;
    let key = Key::of(&app.config).ok_or_else(|| went_wrong("The state cannot be read"))?;
    let state = State::decode(text, &key).map_err(Refused::State)?;
    let id = state.database_id.unwrap_or_default();
    let found = database::find(app.db.exec(), id).await?;
    let found = found.ok_or_else(|| command_error(404, "Database not found"))?;
    let client = Client::of(app, &found, &caller.origin);
    let client = client.ok_or_else(|| went_wrong("No configuration found for OAuth2"))?;
    let code = returned.code.ok_or(Refused::Missing("code"))?;
    if caller.user_id().is_some_and(|user| user != state.user_id) {
        return Err(went_wrong("Somebody else has asked for this token").into());
    }
    let pairs = [
        ("code", code),
        ("client_id", &client.id),
        ("client_secret", &client.secret),
        ("redirect_uri", &client.redirect_uri),
        ("grant_type", "authorization_code"),
    ];
    let answer = ask(&client, patience(&app.config), &pairs).await.map_err(|e| went_wrong(&e))?;
    let now = clock::now();
    let given = given(&secrets::cipher(app), &answer, now)?.map_err(|reason| went_wrong(&reason))?;
    let tx = app.db.begin().await?;
    let stored = oauth2_token::replace(tx.exec(), (state.user_id, id), given, now, caller.user_id()).await;
    stored.map_err(|error| match error {
        DbError::Integrity(_) => went_wrong("The user or the database is gone"),
        other => other.into(),
    })?;
    tx.commit().await?;
    Ok(state.tab_id)
}
