//! Messages on Slack (`superset.reports.notifications.slack`, `slackv2`).

use daos::report_run;
use infra::{
    json::dumps,
    mail,
    slack::{Client, SlackError},
};
use serde_json::json;

use super::{NotSent, Run, addresses, body, gathered};
use crate::{
    report::execute::content::Content,
    slack::{self, Channel},
};

impl From<SlackError> for NotSent {
    fn from(error: SlackError) -> Self {
        match error {
            SlackError::Api { words, .. } => gathered(400, words),
            SlackError::Request(words) => gathered(422, words),
            SlackError::Network(words) => Self::Unexpected(super::ReportError::unexpected(words)),
        }
    }
}

impl Run {
    fn client(&self) -> Result<Client, NotSent> {
        Ok(Client::from_config(&self.app.config)?)
    }

    /// The older way: one request for all channels.
    pub(super) async fn send_slack(&self, config: Option<&str>, content: &Content) -> Result<(), NotSent> {
        let client = self.client()?;
        if self.app.config.flag("ALERT_REPORT_SLACK_V2") {
            match client.may_list_channels().await {
                Ok(()) => return Err(NotSent::Outdated),
                Err(SlackError::Api { words, .. }) => {
                    tracing::warn!(
                        words,
                        "Slack grants no list of channels (channels:read): sent the older way"
                    );
                }
                Err(other) => return Err(other.into()),
            }
        }
        let channels = mail::addresses(&addresses(config, "target")?.unwrap_or_default()).join(",");
        let text = body::of_slack(content);
        let (extension, files) = files(content);
        for file in &files {
            client.upload_v1(&channels, file, &text, &content.name, extension).await?;
        }
        if files.is_empty() {
            client.post_message(&channels, &text).await?;
        }
        tracing::info!(report = self.schedule.id, "a report was sent to Slack");
        Ok(())
    }

    /// The newer way: channels by their ids, one after the other.
    pub(super) async fn send_slack_v2(&self, config: Option<&str>, content: &Content) -> Result<(), NotSent> {
        let client = self.client()?;
        let channels = mail::addresses(&addresses(config, "target")?.unwrap_or_default());
        if channels.is_empty() {
            // the original's status is that of its class, 422, and it counts as the client's
            return Err(gathered(422, "No recipients saved in the report"));
        }
        let text = body::of_slack(content);
        let (extension, files) = files(content);
        for channel in &channels {
            for file in &files {
                let name = format!("{}.{extension}", content.name);
                client.upload_v2(channel, file, &text, &content.name, &name).await?;
            }
            if files.is_empty() {
                client.post_message(channel, &text).await?;
            }
        }
        tracing::info!(report = self.schedule.id, channels = channels.len(), "a report was sent to Slack");
        Ok(())
    }

    /// Gives all recipients of the older kind the ids of their channels. Those whose channels are not all there stay.
    pub(super) async fn upgrade_slack(&mut self) -> Result<(), NotSent> {
        let failed = |why: String| gathered(500, format!("Failed to update slack recipients to v2: {why}"));
        let user = self.user_id();
        for recipient in self.recipients.iter_mut().filter(|recipient| recipient.kind == "Slack") {
            let names =
                addresses(recipient.config.as_deref(), "target")?.unwrap_or_default().replace('#', "");
            let search = slack::Search { text: &names, types: &[], exact: true, force: false };
            let found = slack::channels(&self.app, &search).await.map_err(|e| failed(e.to_string()))?;
            let wanted = mail::addresses(&names);
            if wanted.len() != found.len() {
                let is_missing = |name: &&String| !found.iter().any(|channel| channel.name == **name);
                let mut missing: Vec<&str> = wanted.iter().filter(is_missing).map(String::as_str).collect();
                missing.dedup();
                let names = missing.join(", ");
                return Err(failed(format!("Could not find the following channels: {names}")));
            }
            let ids: Vec<&str> = found.iter().map(|Channel { id, .. }| id.as_str()).collect();
            recipient.kind = "SlackV2".to_owned();
            recipient.config = Some(dumps(&json!({"target": ids.join(",")})));
            let tx = self.app.db.begin().await?;
            report_run::set_recipient(tx.exec(), recipient, user).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// What is attached, of one kind alone.
fn files(content: &Content) -> (&'static str, Vec<&[u8]>) {
    if let Some(csv) = &content.csv {
        return ("csv", vec![csv]);
    }
    if !content.pictures.is_empty() {
        return ("png", content.pictures.iter().map(Vec::as_slice).collect());
    }
    match &content.pdf {
        Some(pdf) => ("pdf", vec![pdf]),
        None => ("None", Vec::new()),
    }
}
