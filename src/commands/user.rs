//! What a user has beside the account.

use daos::user_attribute;
use infra::Result;

use crate::{Services, slack};

/// Address of a user's picture; none when there is no such user, or when Slack is to be asked and has none;
/// `Some(None)` when the user has no picture. What Slack says is kept (`SLACK_ENABLE_AVATARS`).
pub async fn avatar(app: &Services, user_id: i64) -> Result<Option<Option<String>>> {
    let db = app.db.exec();
    let Some((email, kept)) = user_attribute::avatar(db, user_id).await? else { return Ok(None) };
    let kept = kept.filter(|url| !url.is_empty());
    let asks_slack = app.config.flag("SLACK_ENABLE_AVATARS") && !app.config.str("SLACK_API_TOKEN").is_empty();
    if kept.is_some() || !asks_slack {
        return Ok(Some(kept));
    }
    let Some(url) = slack::avatar(app, email.as_deref().unwrap_or_default()).await else { return Ok(None) };
    let tx = app.db.begin().await?;
    user_attribute::set_avatar(tx.exec(), user_id, &url).await?;
    tx.commit().await?;
    Ok(Some(Some(url)))
}

/// The dashboard that greets a user, if one was chosen.
pub async fn welcome_dashboard(app: &Services, user_id: i64) -> Result<Option<i64>> {
    Ok(user_attribute::welcome_dashboard(app.db.exec(), user_id).await?)
}
