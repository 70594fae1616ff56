//! `superset compute-thumbnails`: the pictures of everything, one after the other (`superset.cli.thumbnails`).

use std::sync::Arc;

use daos::thumbnail;
use infra::{Error, Result};

use super::{digest, work};
use crate::{
    Caller, Principal, Services,
    access::executor::NoExecutor,
    state::thumbnails::{Kind, ThumbnailRequest},
};

/// An object whose picture is to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What it is.
    pub kind: Kind,
    /// Its key.
    pub id: i64,
    /// How the original names it.
    pub name: String,
}

/// All objects of a kind, or those of some keys.
pub async fn subjects(app: &Services, kind: Kind, ids: &[i64]) -> Result<Vec<Subject>> {
    let found = match kind {
        Kind::Chart => thumbnail::all_charts(app.db.exec(), ids).await?,
        Kind::Dashboard => thumbnail::all_dashboards(app.db.exec(), ids).await?,
    };
    let named = |(id, name): (i64, Option<String>)| {
        let name = match kind {
            Kind::Chart => name.filter(|name| !name.is_empty()).unwrap_or_else(|| "<empty>".to_owned()),
            Kind::Dashboard => format!("Dashboard<{id}>"),
        };
        Subject { kind, id, name }
    };
    Ok(found.into_iter().map(named).collect())
}

/// Takes the picture of an object; false when there was one. Without anybody to take it for it fails.
pub async fn take(app: &Arc<Services>, subject: &Subject, force: bool) -> Result<bool> {
    let caller = Caller::new(app, Principal::default());
    let (id, kind) = (subject.id, subject.kind);
    let mut digests = match kind {
        Kind::Chart => digest::charts(&caller, &[id]).await?,
        Kind::Dashboard => digest::dashboards(&caller, &[id]).await?,
    };
    let digest = digests.remove(&id).ok_or_else(|| Error::unprocessable(NoExecutor::NotFound.to_string()))?;
    let (window, thumb) = kind.default_sizes();
    let path = match kind {
        Kind::Chart => format!("/superset/slice/{id}/?standalone=true"),
        Kind::Dashboard => format!("/superset/dashboard/{id}/?standalone=3"),
    };
    let (text, executor) = (Some(digest.text), Some(digest.executor));
    let request = ThumbnailRequest { kind, id, path, digest: text, executor, window, thumb, permalink: None };
    Box::pin(work::now(app, &request, force)).await.map_err(Error::unprocessable)
}
