//! Pictures of charts and dashboards (`BaseReportState._get_screenshots`).

use infra::{compute::run_blocking, picture};

use super::{ReportError, Run, links::Subject};
use crate::screenshot::{self, Page, PageKind};

const TIMEOUT: (&str, &str) =
    ("ReportScheduleScreenshotTimeout", "A timeout occurred while taking a screenshot.");

/// What stands in a dashboard in the place of a chart that was deleted: no chart that failed.
const NO_CHART: &str = "There is no chart definition associated with this component";

fn failed(text: &str) -> ReportError {
    ReportError::new("ReportScheduleScreenshotFailedError", 500, text)
}

impl Run {
    /// A picture of a chart; of a dashboard one, or one for each of several tabs.
    pub(super) async fn pictures(&self, subject: &Subject) -> Result<Vec<Vec<u8>>, ReportError> {
        let pages: Vec<Page> = match subject {
            Subject::Chart { id, .. } => {
                vec![self.page(&format!("{}&standalone=true", self.chart_path(*id)), PageKind::Chart)]
            }
            Subject::Dashboard(dashboard) => {
                let paths = self.dashboard_paths(dashboard).await?;
                let standalone = |path: &String| match path.contains('?') {
                    true => format!("{path}&standalone=3"),
                    false => format!("{path}?standalone=3"),
                };
                paths.iter().map(|path| self.page(&standalone(path), PageKind::Dashboard)).collect()
            }
        };
        let caller = self.caller();
        let mut pictures = Vec::with_capacity(pages.len());
        for page in &pages {
            let capture = Box::pin(screenshot::capture(&self.app, &caller.user, page));
            let taken = self.within(TIMEOUT, capture).await?;
            let taken = taken.map_err(|e| failed(&format!("Failed taking a screenshot {e}")))?;
            let failed_charts = taken.problems.into_iter().filter(|text| !text.starts_with(NO_CHART));
            self.problems.lock().extend(failed_charts);
            pictures.push(taken.png);
        }
        if pictures.is_empty() {
            return Err(failed("Report Schedule execution failed when generating a screenshot."));
        }
        Ok(pictures)
    }

    /// The pictures as pages of one file.
    pub(super) async fn pdf(&self, subject: &Subject) -> Result<Vec<u8>, ReportError> {
        let pictures = self.pictures(subject).await?;
        let made = run_blocking(move || picture::pdf(&pictures)).await?;
        made.map_err(|e| {
            let text = format!("Failed converting screenshots to pdf {e}");
            ReportError::new("ReportSchedulePdfFailedError", 500, text)
        })
    }

    /// A page in a window of `WEBDRIVER_WINDOW`, or of the schedule's own width and height; wider than
    /// `ALERT_REPORTS_MAX_CUSTOM_SCREENSHOT_WIDTH` is none.
    fn page(&self, path: &str, kind: PageKind) -> Page {
        let config = &self.app.config;
        let (key, default) = match kind {
            PageKind::Chart => ("slice", (3000, 1200)),
            PageKind::Dashboard => ("dashboard", (1600, 2000)),
        };
        let sizes = config.get("WEBDRIVER_WINDOW").get(key);
        let size = |at: usize, default: u32| {
            let set = sizes.and_then(|sizes| sizes.get(at)?.as_u64()).and_then(|n| u32::try_from(n).ok());
            set.unwrap_or(default)
        };
        let own = |set: Option<i64>| set.filter(|n| *n > 0).and_then(|n| u32::try_from(n).ok());
        let most = own(config.int("ALERT_REPORTS_MAX_CUSTOM_SCREENSHOT_WIDTH")).unwrap_or(2400);
        let width = own(self.schedule.custom_width).unwrap_or_else(|| size(0, default.0)).min(most);
        let height = own(self.schedule.custom_height).unwrap_or_else(|| size(1, default.1));
        Page { path: path.to_owned(), kind, window: Some((width, height)) }
    }
}
