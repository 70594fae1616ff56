//! Sending to recipients (`BaseReportState._send`, `superset.reports.notifications`).

mod body;
mod email;
mod slack;

use daos::report_run::Recipient;
use infra::{
    error::{ErrorType, SupersetError},
    json::dumps,
};
use serde_json::{Value, json};

use super::{ReportError, Run, content::Content};

/// Why a recipient got nothing.
enum NotSent {
    /// What the original gathers over all recipients: words and a status.
    Gathered { words: String, status: u16 },
    /// What ends its run.
    Unexpected(ReportError),
    /// Slack wants the newer way of sending.
    Outdated,
}

impl<E: Into<ReportError>> From<E> for NotSent {
    fn from(error: E) -> Self {
        Self::Unexpected(error.into())
    }
}

fn gathered(status: u16, words: impl Into<String>) -> NotSent {
    NotSent::Gathered { words: words.into(), status }
}

impl Run {
    /// Gathers the content and sends it to all recipients.
    pub(super) async fn send(&mut self) -> Result<(), ReportError> {
        let content = Box::pin(self.content()).await?;
        self.send_to_all(&content).await
    }

    /// Tells the owners of an error.
    pub(super) async fn tell_owners(&self, error: &ReportError) -> Result<(), ReportError> {
        let content = Content {
            name: format!("Error occurred for {}: {}", self.schedule.type_, self.schedule.name),
            url: self.link(&self.subject().await?).await?,
            error: Some(error.text()),
            ..Content::default()
        };
        let mut failed = Failures::default();
        for (at, owner) in self.owners.iter().enumerate() {
            let config = dumps(&json!({"target": owner.email}));
            let which = format!("error-{at}");
            let send = self.send_email(Some(&config), &content, &which);
            failed.add(Box::pin(self.once(&which, send)).await);
        }
        failed.into_result()
    }

    async fn send_to_all(&mut self, content: &Content) -> Result<(), ReportError> {
        let mut failed = Failures::default();
        for at in 0..self.recipients.len() {
            let which = at.to_string();
            failed.add(match self.may_send(&which).await {
                Ok(true) => match Box::pin(self.send_to(at, content)).await {
                    Ok(()) => self.note_sent(&which).await,
                    error => error,
                },
                other => other.map(drop),
            });
        }
        failed.into_result()
    }

    async fn once(
        &self,
        which: &str,
        send: impl Future<Output = Result<(), NotSent>>,
    ) -> Result<(), NotSent> {
        if self.may_send(which).await? {
            send.await?;
            self.note_sent(which).await?;
        }
        Ok(())
    }

    /// Whether a message of this run is still to be sent: not when a process that has ended handed it over before, and
    /// an error when another process has taken the run over meanwhile.
    async fn may_send(&self, which: &str) -> Result<bool, NotSent> {
        let claims = &self.app.claims;
        if claims.is_sent(self.execution, which) {
            tracing::info!(report = self.schedule.id, which, "a message was sent before: not sent again");
            return Ok(false);
        }
        if claims.confirm(&self.app.db, self.execution).await? {
            return Ok(true);
        }
        Err(gathered(500, "Another server process has taken over this run."))
    }

    /// Writes down that a message was handed over: from here on it cannot be doubled.
    async fn note_sent(&self, which: &str) -> Result<(), NotSent> {
        if !self.dry_run && !self.app.claims.sent(&self.app.db, self.execution, which).await? {
            tracing::warn!(
                report = self.schedule.id,
                which,
                "another process has taken over a run that sent"
            );
        }
        Ok(())
    }

    async fn send_to(&mut self, at: usize, content: &Content) -> Result<(), NotSent> {
        let Some(recipient) = self.recipients.get(at).cloned() else { return Ok(()) };
        let known = matches!(recipient.kind.as_str(), "Email" | "Slack" | "SlackV2");
        if !known {
            return Err(ReportError::unexpected("Recipient type not supported").into());
        }
        if self.dry_run {
            let (report, to) = (&self.schedule.name, recipient.config.as_deref().unwrap_or_default());
            tracing::info!(report, to, "nothing is sent: ALERT_REPORTS_NOTIFICATION_DRY_RUN or --dry-run");
            return Ok(());
        }
        match self.send_once(at, &recipient, content).await {
            Err(NotSent::Outdated) => {
                self.upgrade_slack().await?;
                let Some(recipient) = self.recipients.get(at).cloned() else { return Ok(()) };
                self.send_slack_v2(recipient.config.as_deref(), content).await
            }
            other => other,
        }
    }

    async fn send_once(&self, at: usize, recipient: &Recipient, content: &Content) -> Result<(), NotSent> {
        let config = recipient.config.as_deref();
        match recipient.kind.as_str() {
            "Slack" => self.send_slack(config, content).await,
            "SlackV2" => self.send_slack_v2(config, content).await,
            _ => self.send_email(config, content, &at.to_string()).await,
        }
    }
}

/// The addresses of a recipient under a name; none for null.
fn addresses(config: Option<&str>, name: &str) -> Result<Option<String>, NotSent> {
    let config: Value = serde_json::from_str(config.unwrap_or("{}"))
        .map_err(|e| NotSent::Unexpected(ReportError::unexpected(e.to_string())))?;
    match config.get(name) {
        Some(value) => Ok(value.as_str().map(str::to_owned)),
        None if name == "target" => Err(ReportError::unexpected("'target'").into()),
        None => Ok(None),
    }
}

/// What went wrong over several recipients.
#[derive(Default)]
struct Failures {
    errors: Vec<SupersetError>,
    unexpected: Option<ReportError>,
}

impl Failures {
    fn add(&mut self, outcome: Result<(), NotSent>) {
        match outcome {
            Ok(()) | Err(NotSent::Outdated) => {}
            Err(NotSent::Gathered { words, status }) => {
                tracing::warn!(words, "a recipient of a report got nothing");
                self.errors.push(SupersetError {
                    message: words,
                    error_type: ErrorType::ReportNotificationError,
                    level: if status >= 500 { "error" } else { "warning" },
                    extra: None,
                });
            }
            Err(NotSent::Unexpected(error)) => {
                tracing::warn!(%error, "a recipient of a report got nothing");
                self.unexpected.get_or_insert(error);
            }
        }
    }

    /// The worst of them gives the class; what the original does not expect comes first.
    fn into_result(self) -> Result<(), ReportError> {
        if let Some(error) = self.unexpected {
            return Err(error);
        }
        if self.errors.is_empty() {
            return Ok(());
        }
        let (class, status) = match self.errors.iter().any(|e| e.level == "error") {
            true => ("ReportScheduleSystemErrorsException", 500),
            false => ("ReportScheduleClientErrorsException", 400),
        };
        Err(ReportError::of_errors(class, status, self.errors))
    }
}
