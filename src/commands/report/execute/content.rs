//! What a report consists of (`BaseReportState._get_notification_content`).

use std::sync::Arc;

use query::text_table::TextTable;
use serde_json::Value;

use super::{ReportError, Run, links::Subject};
use crate::chart_data::{Stored, file, stored};

/// What is sent.
#[derive(Default)]
pub(super) struct Content {
    /// Subject of a mail, heading of a message.
    pub name: String,
    /// The address of the chart or dashboard.
    pub url: String,
    /// Markup of its author.
    pub description: Option<String>,
    /// In place of everything else: what went wrong.
    pub error: Option<String>,
    /// A CSV file.
    pub csv: Option<Vec<u8>>,
    /// A PDF file.
    pub pdf: Option<Vec<u8>>,
    /// PNG files.
    pub pictures: Vec<Vec<u8>>,
    /// A table in the text.
    pub table: Option<TextTable>,
}

const CSV_TIMEOUT: (&str, &str) = ("ReportScheduleCsvTimeout", "A timeout occurred while generating a csv.");
const TABLE_TIMEOUT: (&str, &str) =
    ("ReportScheduleDataFrameTimeout", "A timeout occurred while generating a dataframe.");

fn csv_failed(text: &str) -> ReportError {
    ReportError::new("ReportScheduleCsvFailedError", 500, text)
}

/// What is said of a chart without rows, or whose answer is empty.
const NO_CSV: &str = "Report Schedule execution failed when generating a csv.";

impl Run {
    /// Gathers the content.
    pub(super) async fn content(&self) -> Result<Content, ReportError> {
        let subject = self.subject().await?;
        let mut content = Content { url: self.link(&subject).await?, ..Content::default() };
        let format = self.schedule.report_format.as_deref().unwrap_or_default();
        if !self.is_alert() || self.app.config.flag("ALERTS_ATTACH_REPORTS") {
            match (format, &subject) {
                ("PNG", _) => content.pictures = self.pictures(&subject).await?,
                ("PDF", _) => content.pdf = Some(self.pdf(&subject).await?),
                ("CSV", Subject::Chart { id, has_query, .. }) => {
                    content.csv = Some(self.csv(*id, *has_query, &subject).await?);
                }
                _ => {}
            }
        }
        if let ("TEXT", Subject::Chart { id, has_query, .. }) = (format, &subject) {
            content.table = Some(self.table(*id, *has_query, &subject).await?);
        }
        let subject_line = self.schedule.email_subject.clone().filter(|text| !text.is_empty());
        content.name = subject_line.unwrap_or_else(|| {
            let title = match &subject {
                Subject::Chart { name, .. } => name.as_deref(),
                Subject::Dashboard(dashboard) => dashboard.dashboard_title.as_deref(),
            };
            format!("{}: {}", self.schedule.name, title.unwrap_or("None"))
        });
        content.description = self.schedule.description.clone();
        Ok(content)
    }

    async fn csv(&self, chart: i64, has_query: bool, subject: &Subject) -> Result<Vec<u8>, ReportError> {
        self.raise_for_nobody()?;
        if !has_query {
            self.save_query(subject).await?;
        }
        let failed =
            |error: infra::Error| csv_failed(&format!("Failed generating csv {}", http_error(&error)));
        let work = async {
            let data = self.data(chart, "csv").await?;
            file(&self.caller(), Arc::new(data)).await
        };
        let (_, body) = self.within(CSV_TIMEOUT, Box::pin(work)).await?.map_err(failed)?;
        if body.is_empty() { Err(csv_failed(NO_CSV)) } else { Ok(body) }
    }

    async fn table(&self, chart: i64, has_query: bool, subject: &Subject) -> Result<TextTable, ReportError> {
        self.raise_for_nobody()?;
        if !has_query {
            self.save_query(subject).await?;
        }
        let failed = |text: String| {
            let text = format!("Failed generating dataframe {text}");
            ReportError::new("ReportScheduleDataFrameFailedError", 500, text)
        };
        let work = async {
            let data = self.data(chart, "json").await?;
            data.to_json(false).map_err(query::QueryError::into_answer)
        };
        let json = self.within(TABLE_TIMEOUT, Box::pin(work)).await?.map_err(|e| failed(http_error(&e)))?;
        let made = infra::compute::run_blocking(move || {
            let answer: Value = serde_json::from_slice(&json).map_err(|e| e.to_string())?;
            TextTable::of_answer(&answer)
        });
        made.await?.map_err(failed)?.ok_or_else(|| csv_failed(NO_CSV))
    }

    /// The chart's data as the executor gets them over HTTP: the same checks.
    async fn data(&self, chart: i64, format: &str) -> infra::Result<crate::query_run::ChartData> {
        let caller = self.caller();
        let user = &caller.user;
        if user.user.as_ref().is_none_or(|user| !user.active) {
            return Err(infra::Error::message(401, "Missing Authorization Header"));
        }
        if !user.can_access("can_read", "Chart") {
            return Err(infra::Error::forbidden());
        }
        let ask = Stored { format, result_type: "post_processed", force: Some(self.force()), args: &[] };
        stored(&caller, chart, &ask).await
    }

    /// Nobody can be logged in for a name that nobody has.
    fn raise_for_nobody(&self) -> Result<(), ReportError> {
        match self.executor {
            Some(_) => Ok(()),
            None => Err(ReportError::unexpected("'NoneType' object has no attribute 'is_active'")),
        }
    }

    /// A chart that was saved without its query is opened, so that the page saves it.
    async fn save_query(&self, subject: &Subject) -> Result<(), ReportError> {
        let text = "Unable to fetch data because the chart has no query context saved, and an error occurred when \
                    fetching it via a screenshot. Please try loading the chart and saving it again.";
        self.pictures(subject).await.map(drop).map_err(|_| csv_failed(text))
    }
}

/// `urllib.error.HTTPError` of an answer.
fn http_error(error: &infra::Error) -> String {
    let status = error.status();
    if status >= 500 {
        tracing::warn!(%error, "the data of a report's chart failed");
    }
    let reason = match status {
        400 => "BAD REQUEST",
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "NOT FOUND",
        408 => "REQUEST TIMEOUT",
        422 => "UNPROCESSABLE ENTITY",
        429 => "TOO MANY REQUESTS",
        503 => "SERVICE UNAVAILABLE",
        504 => "GATEWAY TIMEOUT",
        _ => "INTERNAL SERVER ERROR",
    };
    format!("HTTP Error {status}: {reason}")
}
