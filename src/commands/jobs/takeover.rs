//! What a process left behind that is gone.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use daos::report::{self, Scheduled};
use infra::{Result, db::Executor};

use super::{Beat, Limits, beat::missed_entry, run::leave_working};
use crate::{
    Services,
    state::claims::{Claim, Stage, Subject},
};

/// What a log says of a firing that nobody ran.
pub(super) const MISSED: &str =
    "The alert or report was not run: no server was there at the time, nor soon enough afterwards.";

/// A row in the log for a firing that nobody ran.
pub(super) async fn log_missed(
    db: &dyn Executor,
    schedule: i64,
    due: DateTime<Utc>,
    more: &str,
) -> Result<()> {
    let message = format!("{MISSED}{more}");
    let execution = uuid::Uuid::new_v4();
    Ok(report::log(db, &missed_entry(schedule, execution, due, &message)).await?)
}

impl Beat {
    /// Takes over what processes have claimed that are gone, and what others have given back. What is due for longer
    /// than the bound is written off.
    pub async fn take_over(&self) {
        self.app().claims.write_ends(&self.app().db).await;
        if let Err(error) = self.try_take_over().await {
            tracing::warn!(%error, "claims of other processes could not be looked at");
        }
    }

    async fn try_take_over(&self) -> Result<()> {
        let app = self.app();
        let open = app.claims.open(&app.db).await?;
        let running = |claim: &&Claim| claim.stage == Stage::Running && claim.owner != app.claims.owner;
        let owners: Vec<_> = open.iter().filter(running).map(|claim| claim.owner).collect();
        let gone = app.processes.gone(&app.db, &owners).await?;
        let is_left = |claim: &Claim| match claim.stage {
            Stage::Released => true,
            _ => gone.contains(&claim.owner),
        };
        let left: Vec<Claim> =
            open.into_iter().filter(|claim| !app.claims.holds(claim.name()) && is_left(claim)).collect();
        if left.is_empty() {
            return Ok(());
        }
        let schedules = report::all_scheduled(app.db.exec()).await?;
        let schedules: HashMap<i64, &Scheduled> = schedules.iter().map(|s| (s.id, s)).collect();
        for claim in left {
            self.take_over_one(app, claim, &schedules).await?;
        }
        Ok(())
    }

    async fn take_over_one(
        &self,
        app: &Arc<Services>,
        claim: Claim,
        schedules: &HashMap<i64, &Scheduled>,
    ) -> Result<()> {
        let Subject::Schedule(id) = claim.subject else {
            // the next time will do
            app.claims.close(app.db.exec(), &claim, Stage::Missed).await?;
            return Ok(());
        };
        let Some(schedule) = schedules.get(&id) else {
            app.claims.close(app.db.exec(), &claim, Stage::Missed).await?;
            return Ok(());
        };
        if report::has_ended(app.db.exec(), claim.name()).await? {
            // all that it left undone was to say so
            app.claims.close(app.db.exec(), &claim, Stage::Done).await?;
            return Ok(());
        }
        if self.now() - claim.due.max(claim.at) > self.settings().catch_up {
            // all or nothing: what is written off without a row in the log would be lost silently
            let tx = app.db.begin().await?;
            if app.claims.close(tx.exec(), &claim, Stage::Missed).await? {
                leave_working(tx.exec(), id, &claim).await?;
                log_missed(tx.exec(), id, claim.due, " The server that had begun it was ended.").await?;
                tx.commit().await?;
            }
            return Ok(());
        }
        let Some(taken) = app.claims.take_over(&app.db, &claim).await? else { return Ok(()) };
        tracing::warn!(schedule = id, due = %claim.due, owner = %claim.owner, "a run was taken over");
        leave_working(app.db.exec(), id, &taken).await?;
        self.runs().report(taken, schedule.name.clone(), Limits::for_schedule(schedule, self.settings()));
        Ok(())
    }
}
