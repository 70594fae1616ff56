//! Mails (`superset.reports.notifications.email`).

use chrono::{Local, Utc};
use infra::mail::{self, Inline, Message, Settings};
use query::build_sql::strftime_utc;

use super::{NotSent, Run, addresses, body, gathered};
use crate::report::execute::{ReportError, content::Content};

impl Run {
    /// Sends a mail; `which` tells those of one run apart.
    pub(super) async fn send_email(
        &self,
        config: Option<&str>,
        content: &Content,
        which: &str,
    ) -> Result<(), NotSent> {
        let message = self.message(config, content, which)?;
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
