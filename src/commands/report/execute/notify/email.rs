//! Mails (`superset.reports.notifications.email`).

use chrono::{Local, Utc};
use infra::mail::{self, Inline, Message, Settings};
use query::build_sql::strftime_utc;
use serde_json::json;

use super::{NotSent, Run, addresses, body, gathered};
use crate::{
    report::execute::{ReportError, content::Content},
    state::functions,
};

impl Run {
    /// Sends a mail; `which` tells those of one run apart.
    pub(super) async fn send_email(
        &self,
        config: Option<&str>,
        content: &Content,
        which: &str,
    ) -> Result<(), NotSent> {
        let message = self.mutated(self.message(config, content, which)?)?;
        let settings = Settings::from_config(&self.app.config);
        let sent = self
            .within(("SoftTimeLimitExceeded", "SoftTimeLimitExceeded()"), mail::send(&settings, &message));
        match Box::pin(sent).await {
            Ok(Ok(())) => {
                let recipients = message.recipients().len();
                tracing::info!(report = self.schedule.id, recipients, id = message.id, "a report was mailed");
                Ok(())
            }
            Ok(Err(error)) => Err(gathered(500, error.words)),
            Err(late) => Err(gathered(500, late.words())),
        }
    }

    /// The message as `EMAIL_HEADER_MUTATOR` wants its header (`superset.utils.core:send_email_smtp`).
    fn mutated(&self, message: Message) -> Result<Message, NotSent> {
        let config = &self.app.config;
        if config.function("EMAIL_HEADER_MUTATOR").is_none() {
            return Ok(message);
        }
        let schedule = &self.schedule;
        let source = if schedule.chart_id.is_some() { "chart" } else { "dashboard" };
        let slack = self.recipients.iter().filter(|recipient| recipient.kind.starts_with("Slack"));
        let about = json!({
            "notification_type": schedule.type_,
            "notification_source": source,
            "notification_format": schedule.report_format,
            "chart_id": schedule.chart_id,
            "dashboard_id": schedule.dashboard_id.filter(|_| source == "dashboard"),
            "slack_channels": slack.map(|recipient| recipient.config.clone()).collect::<Vec<_>>(),
            "execution_id": self.execution.to_string(),
        });
        let owners = self.owners.iter().map(|owner| {
            let names = json!({"id": owner.id, "username": owner.username, "email": owner.email});
            names.as_object().cloned().unwrap_or_default()
        });
        let fields = functions::mutate_mail(config, message.header(), about, owners.collect());
        match fields {
            Ok(fields) => Ok(Message { fields: Some(fields), ..message }),
            Err(error) => Err(gathered(500, functions::words(&error))),
        }
    }

    fn message(&self, config: Option<&str>, content: &Content, which: &str) -> Result<Message, NotSent> {
        let settings = &self.app.config;
        let from = settings.str("SMTP_MAIL_FROM");
        let domain = domain(from);
        let name = match settings.flag("DATE_FORMAT_IN_EMAIL_SUBJECT") {
            true => strftime_utc(Utc::now().naive_utc(), &content.name),
            false => content.name.clone(),
        };
        let mut message = Message {
            from: from.to_owned(),
            subject: format!("{} {name}", settings.str("EMAIL_REPORTS_SUBJECT_PREFIX")),
            to: mail::addresses(&addresses(config, "target")?.unwrap_or_default()),
            cc: None,
            bcc: Vec::new(),
            html: String::new(),
            files: Vec::new(),
            pictures: Vec::new(),
            id: self.message_id(domain.unwrap_or("localhost"), which),
            date: Local::now(),
            fields: None,
        };
        if let Some(cc) = addresses(config, "ccTarget")?.filter(|cc| !cc.is_empty()) {
            message.cc = Some(mail::addresses(&cc));
        }
        if let Some(bcc) = addresses(config, "bccTarget")? {
            message.bcc = mail::addresses(&bcc);
        }
        let call = settings.str("EMAIL_REPORTS_CTA");
        if let Some(error) = &content.error {
            message.html = body::of_error(error, &content.url, call);
            return Ok(message);
        }
        let domain = domain.ok_or_else(|| ReportError::unexpected("list index out of range"))?;
        for png in &content.pictures {
            message.pictures.push(Inline { id: mail::content_id(domain, message.date), png: png.clone() });
        }
        let ids: Vec<&str> = message.pictures.iter().map(|picture| picture.id.as_str()).collect();
        message.html = body::of_mail(content, call, &ids);
        message.files.extend(content.csv.clone().map(|csv| (format!("{name}.csv"), csv)));
        message.files.extend(content.pdf.clone().map(|pdf| (format!("{name}.pdf"), pdf)));
        Ok(message)
    }

    /// The same for the same mail of the same firing: a mail that came twice can be told.
    fn message_id(&self, domain: &str, which: &str) -> String {
        let due = self.scheduled.format("%Y%m%dT%H%M%SZ");
        format!("report-{}-{due}-{which}@{domain}", self.schedule.id)
    }
}

/// What stands behind the at sign of an address, which may have a name before it.
fn domain(address: &str) -> Option<&str> {
    let inner = address.rsplit('<').next().unwrap_or_default().trim_end_matches(['>', ' ']);
    inner.split('@').nth(1)
}
