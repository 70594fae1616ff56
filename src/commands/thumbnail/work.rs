//! Taking the pictures of the queue.

use std::sync::Arc;

use infra::picture;

use crate::{
    Services,
    access::executor::find_user,
    screenshot::{self, Page, PageKind},
    state::thumbnails::{Kind, Payload, Status, Task, ThumbnailRequest},
};

/// Queues a picture, and begins with it if there is a free hand.
pub(super) fn add(app: &Arc<Services>, task: Task) {
    // one page is left to reports, where there are several
    let most = app.browser.pages().saturating_sub(1).max(1);
    if app.thumbnails.queue.add(task, most) {
        tokio::spawn(work(app.clone()));
    }
}

async fn work(app: Arc<Services>) {
    while let Some(task) = app.thumbnails.queue.next() {
        let key = task.key.clone();
        // what panics takes no worker along
        let _ = tokio::spawn(run(app.clone(), task)).await;
        app.thumbnails.queue.done(&key);
    }
}

async fn run(app: Arc<Services>, task: Task) {
    let Task { key, request, job } = task;
    let who = request.executor.as_deref().unwrap_or("nobody");
    let job = app.jobs.begin(job, format!("{} {} for {who}", request.kind.name(), request.id));
    let taken = Box::pin(take(&app, &request)).await;
    let (payload, failure) = match taken {
        Ok(image) => (Payload::with_image(image), None),
        Err(text) => (Payload::new(Status::Error), Some(text)),
    };
    let kept = app.thumbnails.cache.put(&key, payload).await;
    match (failure, kept) {
        (Some(text), _) => job.failed(text),
        (None, Err(error)) => job.failed(format!("The picture could not be kept: {error}")),
        (None, Ok(())) => job.succeeded(),
    }
}

/// Takes a picture at once and keeps it, unless there is one that is not to be taken anew; true when it was taken.
pub(super) async fn now(
    app: &Arc<Services>,
    request: &ThumbnailRequest,
    force: bool,
) -> Result<bool, String> {
    let (key, cache) = (request.key(), &app.thumbnails.cache);
    if !force && cache.get(&key).await.is_some_and(|payload| payload.image.is_some()) {
        return Ok(false);
    }
    let image = Box::pin(take(app, request)).await?;
    cache
        .put(&key, Payload::with_image(image))
        .await
        .map_err(|e| format!("The picture could not be kept: {e}"))?;
    Ok(true)
}

async fn take(app: &Arc<Services>, request: &ThumbnailRequest) -> Result<Vec<u8>, String> {
    let name = request.executor.as_deref().ok_or("There is nobody to take it for")?;
    let found = find_user(app, name).await.map_err(|e| e.to_string())?;
    let executor = found.ok_or_else(|| format!("There is no user {name} to take it for"))?;
    let (window, thumb) = request.sizes().ok_or("Its size makes no sense")?;
    let kind = match request.kind {
        Kind::Chart => PageKind::Chart,
        Kind::Dashboard => PageKind::Dashboard,
    };
    let page = Page { path: request.path.clone(), kind, window: Some(window) };
    let taken = screenshot::capture(app, &executor, &page).await.map_err(|e| e.to_string())?;
    if window == thumb {
        return Ok(taken.png);
    }
    let small = tokio::task::spawn_blocking(move || picture::thumbnail(&taken.png, thumb)).await;
    small.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
}
