//! Doing what an entry of the beat is for.

use std::sync::Arc;

use infra::{Error, Result};

use super::{Task, retention, warm_up};
use crate::{
    Services, slack,
    state::{claims::Stage, jobs::JobKind},
};

/// Does it, and counts it.
pub(super) async fn run(app: &Arc<Services>, task: &Task) -> Stage {
    let (kind, about) = match task {
        Task::WarmUp(strategy) => (JobKind::CacheWarmUp, format!("cache-warmup {strategy}")),
        Task::PruneReportLogs => (JobKind::Retention, "reports.prune_log".to_owned()),
        Task::PruneQueries(days) => (JobKind::Retention, format!("prune_query, {days} days")),
        Task::PruneLogs(days) => (JobKind::Retention, format!("prune_logs, {days} days")),
        Task::PruneExpired => (JobKind::Retention, "expired entries".to_owned()),
        Task::SlackChannels => (JobKind::CacheWarmUp, "slack.cache_channels".to_owned()),
    };
    let job = app.jobs.begin(kind, about);
    match Box::pin(work(app, task)).await {
        Ok(()) => {
            job.succeeded();
            Stage::Done
        }
        Err(error) => {
            job.failed(error.to_string());
            Stage::Failed
        }
    }
}

async fn work(app: &Arc<Services>, task: &Task) -> Result<()> {
    let deleted = match task {
        Task::WarmUp(strategy) => return warm_up::run(app, strategy).await,
        Task::SlackChannels => {
            let search = slack::Search { force: true, ..slack::Search::default() };
            let found = slack::channels(app, &search).await.map_err(Error::internal)?;
            tracing::info!(channels = found.len(), "the list of Slack's channels was renewed");
            return Ok(());
        }
        Task::PruneReportLogs => retention::prune_report_logs(app).await?,
        Task::PruneQueries(days) => retention::prune_queries(app, *days).await?,
        Task::PruneLogs(days) => retention::prune_logs(app, *days).await?,
        Task::PruneExpired => retention::prune_expired(app).await?,
    };
    tracing::info!(deleted, "rows whose time was over");
    Ok(())
}
