//! From state to state (`ReportScheduleStateMachine`).

use chrono::TimeDelta;
use daos::report_run::{self, Entry, Last};
use infra::clock;

use super::{ReportError, Run};

const WORKING: &str = "Working";
const SUCCESS: &str = "Success";
const ERROR: &str = "Error";
const NOT_TRIGGERED: &str = "Not triggered";
const ON_GRACE: &str = "On Grace";

/// What the log says when owners were told of an error.
const MARKER: &str = "Notification sent with error";

/// Runs of one schedule at a time from which the state is read anew when another run has changed it.
const RACES: usize = 3;

/// Another run has changed the state since it was read.
struct Overtaken;

impl Run {
    /// From the stored state to the next one that lasts.
    pub(super) async fn next(&mut self) -> Result<(), ReportError> {
        for _ in 0..RACES {
            let moved = match self.schedule.last_state.as_deref() {
                Some(WORKING) => self.refuse().await?,
                None | Some(NOT_TRIGGERED | ERROR) => match self.begin_to_work().await? {
                    Ok(()) => return self.work_and_tell_owners().await,
                    overtaken => overtaken,
                },
                Some(SUCCESS | ON_GRACE) => self.next_after_success().await?,
                Some(_) => {
                    let text = "Report Schedule state not found";
                    return Err(ReportError::new("ReportScheduleStateNotFoundError", 500, text));
                }
            };
            match moved {
                Ok(()) => return Ok(()),
                Err(Overtaken) => self.read_again().await?,
            }
        }
        Err(still_working())
    }

    async fn read_again(&mut self) -> Result<(), ReportError> {
        let found = report_run::find(self.app.db.exec(), self.schedule.id).await?;
        self.schedule = found.ok_or_else(gone)?;
        Ok(())
    }

    async fn begin_to_work(&mut self) -> Result<Result<(), Overtaken>, ReportError> {
        self.write(WORKING, None, true).await
    }

    /// `ReportNotTriggeredErrorState`, once it works.
    async fn work_and_tell_owners(&mut self) -> Result<(), ReportError> {
        let Err(first) = self.work().await else { return Ok(()) };
        if let Err(error) = self.note(ERROR, Some(first.words())).await {
            tracing::warn!(%error, report = self.schedule.id, "the failure of a report was not written down");
            return Err(first);
        }
        if self.is_in_error_grace().await? {
            return Err(first);
        }
        let message = match self.tell_owners(&first).await {
            Ok(()) => MARKER.to_owned(),
            Err(second) => second.words(),
        };
        if let Err(error) = self.note(ERROR, Some(message)).await {
            tracing::warn!(%error, report = self.schedule.id, "the end of a report was not written down");
        }
        Err(first)
    }

    async fn work(&mut self) -> Result<(), ReportError> {
        if self.is_alert() && !self.is_triggered().await? {
            return self.note(NOT_TRIGGERED, None).await;
        }
        Box::pin(self.send()).await?;
        self.note_success().await
    }

    /// It was sent; charts that failed in its pictures are named.
    async fn note_success(&mut self) -> Result<(), ReportError> {
        let problems = std::mem::take(&mut *self.problems.lock());
        let message = (!problems.is_empty()).then(|| problems.join(";"));
        self.note(SUCCESS, message).await
    }

    /// `ReportWorkingState`.
    async fn refuse(&mut self) -> Result<Result<(), Overtaken>, ReportError> {
        if self.is_late().await? {
            let text = "Report Schedule reached a working timeout.";
            return match self.write(ERROR, Some(text.to_owned()), true).await? {
                Ok(()) => Err(ReportError::new("ReportScheduleWorkingTimeoutError", 408, text)),
                overtaken => Ok(overtaken),
            };
        }
        let error = still_working();
        match self.write(WORKING, Some(error.words()), true).await? {
            Ok(()) => Err(error),
            overtaken => Ok(overtaken),
        }
    }

    /// `ReportSuccessState`.
    async fn next_after_success(&mut self) -> Result<Result<(), Overtaken>, ReportError> {
        if self.is_alert() {
            if self.is_in_grace().await? {
                return self.write(ON_GRACE, Some("Alert fired during grace period.".to_owned()), true).await;
            }
            if let Err(overtaken) = self.begin_to_work().await? {
                return Ok(Err(overtaken));
            }
            match self.is_triggered().await {
                Ok(true) => {}
                Ok(false) => return self.note(NOT_TRIGGERED, None).await.map(Ok),
                Err(error) => {
                    self.tell_owners(&error).await?;
                    self.note(ERROR, Some(MARKER.to_owned())).await?;
                    return Err(error);
                }
            }
        }
        let sent = Box::pin(self.send()).await;
        let done = match sent {
            Ok(()) => self.note_success().await,
            Err(error) => Err(error),
        };
        if let Err(error) = &done
            && let Err(second) = self.note(ERROR, Some(error.text())).await
        {
            tracing::warn!(error = %second, report = self.schedule.id, "the failure of a report was not written down");
        }
        done.map(Ok)
    }

    /// Writes a state and its entry of the log.
    pub(super) async fn note(
        &mut self,
        state: &'static str,
        error: Option<String>,
    ) -> Result<(), ReportError> {
        self.write(state, error, false).await?.map_err(|Overtaken| gone())
    }

    /// The same; where `checked`, only if the state is still the one that was read.
    async fn write(
        &mut self,
        state: &'static str,
        error: Option<String>,
        checked: bool,
    ) -> Result<Result<(), Overtaken>, ReportError> {
        if state == WORKING {
            self.schedule.last_value = None;
            self.schedule.last_value_row_json = None;
        }
        let now = clock::utc_now();
        let values = vec![
            ("last_state", state.into()),
            ("last_eval_dttm", now.into()),
            ("last_value", self.schedule.last_value.into()),
            ("last_value_row_json", self.schedule.last_value_row_json.clone().into()),
        ];
        let entry = Entry {
            schedule_id: self.schedule.id,
            execution: self.execution,
            scheduled: self.scheduled.naive_utc(),
            start: self.start,
            end: now,
            value: self.schedule.last_value,
            value_row_json: self.schedule.last_value_row_json.clone(),
            state,
            error_message: error,
        };
        let before = checked.then_some(self.schedule.last_state.as_deref());
        let tx = self.app.db.begin().await?;
        if !report_run::move_to(tx.exec(), self.schedule.id, before, values, self.user_id()).await? {
            return Ok(Err(Overtaken));
        }
        report_run::insert_log(tx.exec(), entry).await?;
        tx.commit().await?;
        self.schedule.last_state = Some(state.to_owned());
        self.schedule.last_eval_dttm = Some(now);
        Ok(Ok(()))
    }

    async fn is_in_grace(&self) -> Result<bool, ReportError> {
        let success = report_run::last_end(self.app.db.exec(), self.schedule.id, Last::Success).await?;
        Ok(success.is_some_and(|end| self.is_recent(end)))
    }

    /// Owners were told of an error within the grace period, and nothing but errors came before that. What came after
    /// does not count: the original compares so.
    async fn is_in_error_grace(&self) -> Result<bool, ReportError> {
        let (db, id) = (self.app.db.exec(), self.schedule.id);
        let Some(last) = report_run::last_end(db, id, Last::Message(MARKER)).await? else { return Ok(false) };
        if report_run::last_end(db, id, Last::OtherBefore(last)).await?.is_some() {
            return Ok(false);
        }
        Ok(self.is_recent(last))
    }

    fn is_recent(&self, end: chrono::NaiveDateTime) -> bool {
        let seconds = self.schedule.grace_period.unwrap_or_default();
        seconds != 0 && before_now(seconds) < end
    }

    /// It has worked for longer than `working_timeout`.
    async fn is_late(&self) -> Result<bool, ReportError> {
        let working = report_run::last_end(self.app.db.exec(), self.schedule.id, Last::Working).await?;
        let (Some(working), Some(seconds)) = (working, self.schedule.working_timeout) else {
            return Ok(false);
        };
        Ok(self.schedule.last_eval_dttm.is_some() && before_now(seconds) > working)
    }
}

/// This many seconds ago, UTC.
fn before_now(seconds: i64) -> chrono::NaiveDateTime {
    let now = clock::utc_now();
    TimeDelta::try_seconds(seconds).and_then(|delta| now.checked_sub_signed(delta)).unwrap_or(now)
}

fn still_working() -> ReportError {
    let text = "Report Schedule is still working, refusing to re-compute.";
    ReportError::new("ReportSchedulePreviousWorkingError", 429, text)
}

fn gone() -> ReportError {
    ReportError::unexpected("Report schedule was modified or deleted by another process during execution")
}
