//! The log-in of the browser: a session like any other of the executor, which ends soon.

use std::time::Duration;

use daos::security;
use infra::{
    browser::Cookie,
    clock,
    crypto::{random, signer::Signer},
    json,
};
use serde_json::json;

use super::CaptureError;
use crate::{
    Services,
    access::log_in::{Kind, MARK, SESSION_NAME, new_mark},
};

/// A session of a user that holds for about as long as a picture takes: it is dated back.
pub(super) async fn cookie(app: &Services, user_id: i64, time: Duration) -> Result<Cookie, CaptureError> {
    let config = &app.config;
    let broken = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "no session for the browser");
        CaptureError::Failed("The executor could not be logged in".into())
    };
    let known = security::user_with_roles(app.db.exec(), user_id, None).await.map_err(|e| broken(&e))?;
    let known = known.filter(|known| known.credentials.user.active);
    let Some(known) = known else {
        return Err(CaptureError::Failed("The executor does not exist any more or is not active".into()));
    };
    let hash = known.credentials.password.unwrap_or_default();
    let mark = new_mark(app, Kind::Session, user_id, &hash).await.map_err(|e| broken(&e))?;
    let secret = config.str("SECRET_KEY");
    let values = json!({
        "_fresh": true,
        // `SESSION_PROTECTION` compares the browsers of sessions that are not
        "_permanent": true,
        "_user_id": user_id.to_string(),
        MARK: mark,
        SESSION_NAME: random::url_safe::<12>(),
    });
    let lifetime = config.int("PERMANENT_SESSION_LIFETIME").unwrap_or(2_678_400);
    let time = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let signed_at = clock::utc_now().and_utc().timestamp() - lifetime.saturating_sub(time).max(0);
    Ok(Cookie {
        name: config.get("SESSION_COOKIE_NAME").as_str().unwrap_or("session").to_owned(),
        value: Signer::session(secret).dumps(json::ascii_json(&values, false).as_bytes(), signed_at),
    })
}
