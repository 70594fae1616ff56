//! One picture: a page is opened, waited for, and taken.

use std::{sync::Arc, time::Duration};

use base64::Engine as _;
use chromiumoxide::{
    Page,
    cdp::{
        browser_protocol::{
            browser::{SetDownloadBehaviorBehavior, SetDownloadBehaviorParams},
            emulation::SetDeviceMetricsOverrideParams,
            network::{CookieParam, CookieSameSite, SetBypassServiceWorkerParams, SetCookiesParams},
            page::{
                AddScriptToEvaluateOnNewDocumentParams, CaptureScreenshotFormat, CaptureScreenshotParams,
                Viewport,
            },
            target::CreateTargetParams,
        },
        js_protocol::runtime::EvaluateParams,
    },
    error::CdpError,
};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::{BrowserError, Details, Picture, Subject, Visit, Waits, supervisor::Running};
use crate::picture;

/// How often a page is asked how far it is.
const LOOK: Duration = Duration::from_millis(150);
/// Nothing was drawn for so long: it is finished.
const STILL: f64 = 400.0;
/// A page that does not come to rest has drawn at least so often before it is taken: where the processor is wanted by
/// others, an animation of a second has not ended after five.
const FRAMES: u64 = 60;
/// It is taken nevertheless after so many times what it may settle.
pub(super) const PATIENCE: u32 = 4;
/// Pixels of the largest picture.
const MOST_PIXELS: f64 = 120e6;
/// Height of a piece, where the configuration has none and the page is too long for one.
const TILE: u32 = 2_000;
/// The longest page that Chromium draws at once.
const AT_ONCE: u32 = 8_000;

type Taken<T> = Result<T, BrowserError>;

/// What a page says of itself (`state.js`).
#[derive(Debug, Deserialize)]
struct State {
    protocol: String,
    complete: bool,
    status: u16,
    path: String,
    title: String,
    text: String,
    located: bool,
    charts: u64,
    visible: bool,
    loading: u64,
    slow: Vec<String>,
    waiting: i64,
    /// How often it has drawn.
    frames: u64,
    /// Milliseconds since it last did; 0 while it waits for its turn to.
    still: f64,
    problems: Vec<String>,
    /// Left, top, width, height.
    #[serde(rename = "box")]
    place: Option<[f64; 4]>,
    height: f64,
}

/// Takes the picture; all that it opened is closed, however it ends.
pub(super) async fn take(running: &Arc<Running>, visit: &Visit) -> Taken<Picture> {
    let context = running.context().await.map_err(broken)?;
    let target =
        CreateTargetParams::builder().url("about:blank").browser_context_id(context.id.clone()).build();
    let page = running.client.new_page(target.map_err(BrowserError::Failed)?).await.map_err(broken)?;
    let no_downloads = SetDownloadBehaviorParams::builder()
        .behavior(SetDownloadBehaviorBehavior::Deny)
        .browser_context_id(context.id.clone())
        .build();
    running.client.execute(no_downloads.map_err(BrowserError::Failed)?).await.map_err(broken)?;
    prepare(&page, visit).await?;
    open(&page, visit).await?;
    let mut state = ready(&page, visit).await?;
    let mut details = Vec::new();
    if let Some(waits) = visit.details.filter(|_| !state.problems.is_empty()) {
        details = explain(&page, waits).await?;
        if !details.is_empty() {
            still(&page, visit).await?;
            // messages have grown; what they said before is told with the rest
            state = State { problems: state.problems, ..self::state(&page, visit).await? };
        }
    }
    let (png, note) = shoot(&page, visit, &state).await?;
    let mut problems = state.problems;
    problems.extend(details);
    problems.extend(note);
    Ok(Picture { png, problems })
}

fn broken(error: CdpError) -> BrowserError {
    match error {
        CdpError::ChannelSendError(_) | CdpError::NoResponse | CdpError::Ws(_) => {
            BrowserError::Ended("the conversation ended".into())
        }
        CdpError::Timeout => BrowserError::TimedOut("Chromium did not answer in time".into()),
        other => BrowserError::Failed(format!("Chromium: {other}")),
    }
}

async fn prepare(page: &Page, visit: &Visit) -> Taken<()> {
    resize(page, visit, visit.window.1).await?;
    let script = AddScriptToEvaluateOnNewDocumentParams::new(include_str!("prepare.js"));
    page.execute(script).await.map_err(broken)?;
    page.execute(SetBypassServiceWorkerParams::new(true)).await.map_err(broken)?;
    if let Some(cookie) = &visit.cookie {
        let cookie = CookieParam::builder()
            .name(&cookie.name)
            .value(&cookie.value)
            .url(&visit.url)
            .path("/")
            .http_only(true)
            .same_site(CookieSameSite::Lax)
            .build();
        let cookies = SetCookiesParams::new(vec![cookie.map_err(BrowserError::Failed)?]);
        page.execute(cookies).await.map_err(broken)?;
    }
    Ok(())
}

async fn resize(page: &Page, visit: &Visit, height: u32) -> Taken<()> {
    let (width, _) = visit.window;
    let metrics =
        SetDeviceMetricsOverrideParams::new(i64::from(width), i64::from(height), visit.scale, false);
    page.execute(metrics).await.map(|_| ()).map_err(broken)
}

/// Goes to the page and waits until it is loaded. chromiumoxide would wait for all frames, also for those that are
/// blocked, and never longer than half a minute.
async fn open(page: &Page, visit: &Visit) -> Taken<()> {
    let url = serde_json::Value::from(visit.url.as_str());
    page.execute(EvaluateParams::new(format!("location.replace({url})"))).await.map_err(broken)?;
    let deadline = Instant::now() + visit.waits.open;
    loop {
        sleep(LOOK).await;
        let state = match state(page, visit).await {
            Ok(state) => state,
            // between two documents there is nothing to ask
            Err(BrowserError::Failed(_)) if Instant::now() < deadline => continue,
            Err(error) => return Err(error),
        };
        if state.protocol == "chrome-error:" {
            return Err(BrowserError::Failed(format!("The page could not be opened: {}", seen(&state))));
        }
        let begun = state.protocol != "about:";
        if begun && state.complete {
            return Ok(());
        }
        if Instant::now() >= deadline {
            // scripts that hang: what is there is waited for, as in the original
            if begun {
                return Ok(());
            }
            let seconds = visit.waits.open.as_secs();
            return Err(BrowserError::TimedOut(format!("The page was not opened within {seconds} s")));
        }
    }
}

/// Puts the whole text of every failure into the page (`superset.utils.webdriver:find_unexpected_errors`).
async fn explain(page: &Page, waits: Details) -> Taken<Vec<String>> {
    let script = include_str!("errors.js")
        .replace("INVISIBLE", &waits.invisible.as_millis().to_string())
        .replace("VISIBLE", &waits.visible.as_millis().to_string());
    let expression = EvaluateParams::builder().expression(script).await_promise(true).return_by_value(true);
    let answer = page.execute(expression.build().map_err(BrowserError::Failed)?).await.map_err(broken)?;
    let texts = answer.result.result.value.and_then(|value| serde_json::from_value(value).ok());
    Ok(texts.unwrap_or_else(|| {
        tracing::warn!("the windows of failures on a page could not be read");
        Vec::new()
    }))
}

async fn state(page: &Page, visit: &Visit) -> Taken<State> {
    let script = include_str!("state.js").replace("CLASS", visit.subject.class());
    let expression = EvaluateParams::builder().expression(script).return_by_value(true).build();
    let answer = page.execute(expression.map_err(BrowserError::Failed)?).await.map_err(broken)?;
    let value = answer.result.result.value.unwrap_or_default();
    serde_json::from_value(value)
        .map_err(|error| BrowserError::Failed(format!("The page cannot be read: {error}")))
}

/// Waits until all charts are drawn and nothing moves.
async fn ready(page: &Page, visit: &Visit) -> Taken<State> {
    let waits = &visit.waits;
    let mut deadline = Instant::now() + waits.locate;
    let mut located = false;
    let mut settling: Option<(Instant, u64)> = None;
    loop {
        let state = match state(page, visit).await {
            Ok(state) => state,
            // the page goes on to another one
            Err(BrowserError::Failed(_)) if Instant::now() < deadline => {
                sleep(LOOK).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        if state.status >= 400 || state.path.ends_with("/login/") {
            return Err(BrowserError::Failed(format!(
                "The page is not there for this user: {}",
                seen(&state)
            )));
        }
        let now = Instant::now();
        if !located && state.located && state.visible {
            located = true;
            deadline = now + waits.load;
        }
        if located && state.loading == 0 && state.waiting <= 0 {
            let (since, frames) = *settling.get_or_insert((now, state.frames));
            if state.still >= STILL || drawn_enough(waits, since, state.frames.saturating_sub(frames)) {
                return Ok(state);
            }
        } else {
            settling = None;
            if now >= deadline {
                return Err(BrowserError::TimedOut(overdue(visit, &state, located)));
            }
        }
        sleep(LOOK).await;
    }
}

/// A page that is always drawing is taken at the end of its time.
fn drawn_enough(waits: &Waits, since: Instant, frames: u64) -> bool {
    let passed = since.elapsed();
    passed >= waits.settle && (frames >= FRAMES || passed >= waits.settle * PATIENCE)
}

fn overdue(visit: &Visit, state: &State, located: bool) -> String {
    if !located {
        let seconds = visit.waits.locate.as_secs();
        return format!("The page did not show its charts within {seconds} s: {}", seen(state));
    }
    let seconds = visit.waits.load.as_secs();
    let which = if state.slow.is_empty() { String::new() } else { format!(": {}", state.slow.join(", ")) };
    format!("{} charts were still loading after {seconds} s{which}", state.loading.max(1))
}

/// What a page shows that is not what was wanted.
fn seen(state: &State) -> String {
    let text = if state.text.is_empty() { &state.title } else { &state.text };
    let text: String = text.chars().take(200).collect();
    if state.status >= 400 {
        format!("HTTP {}: {text}", state.status)
    } else {
        format!("it shows \"{text}\"")
    }
}

/// The picture, and what is to be said about it.
async fn shoot(page: &Page, visit: &Visit, state: &State) -> Taken<(Vec<u8>, Option<String>)> {
    match visit.subject {
        Subject::Element(_) => {
            let [x, y, width, height] = state.place.unwrap_or_default();
            // a chart that failed may leave nothing but its message: then it is the window that is to be seen
            let (x, y, width, height) = if width < 1.0 || height < 1.0 {
                (0.0, 0.0, f64::from(visit.window.0), f64::from(visit.window.1))
            } else {
                (x, y, width, height)
            };
            let bottom = pixels(y + height);
            if bottom > visit.window.1 {
                resize(page, visit, bottom.min(AT_ONCE)).await?;
                still(page, visit).await?;
            }
            let height = height.min(f64::from(AT_ONCE));
            Ok((clip(page, x, y, width, height).await?, None))
        }
        Subject::Page(_) => dashboard(page, visit, state).await,
    }
}

async fn dashboard(page: &Page, visit: &Visit, state: &State) -> Taken<(Vec<u8>, Option<String>)> {
    let width = f64::from(visit.window.0);
    let all = pixels(state.height).max(visit.window.1);
    let most = MOST_PIXELS / (visit.scale * visit.scale) / width.max(1.0);
    let height = all.min(pixels(most));
    let note = (height < all).then(|| format!("The picture ends after {height} of {all} pixels of height"));
    let tile = match visit.tiling {
        Some(t) if (state.charts >= t.charts || all > t.height) && height > t.tile => Some(t.tile.max(100)),
        _ if height > AT_ONCE => Some(TILE),
        _ => None,
    };
    let Some(tile) = tile else {
        if height > visit.window.1 {
            resize(page, visit, height).await?;
            still(page, visit).await?;
        }
        return Ok((clip(page, 0.0, 0.0, width, f64::from(height)).await?, note));
    };
    resize(page, visit, tile).await?;
    let mut pieces = Vec::new();
    let mut top = 0;
    while top < height {
        let script = format!("window.scrollTo(0, {top})");
        page.execute(EvaluateParams::new(script)).await.map_err(broken)?;
        still(page, visit).await?;
        let part = tile.min(height - top);
        pieces.push(clip(page, 0.0, f64::from(top), width, f64::from(part)).await?);
        top += part;
    }
    let joined = tokio::task::spawn_blocking(move || picture::stack(&pieces)).await;
    let joined =
        joined.map_err(|error| error.to_string()).and_then(|joined| joined.map_err(|e| e.to_string()));
    Ok((joined.map_err(|error| BrowserError::Failed(format!("The pieces do not fit: {error}")))?, note))
}

/// Waits until a page has drawn itself anew, not longer than it may settle.
async fn still(page: &Page, visit: &Visit) -> Taken<()> {
    let begun = Instant::now();
    let mut frames = None;
    loop {
        sleep(LOOK).await;
        let state = state(page, visit).await?;
        let before = *frames.get_or_insert(state.frames);
        let is_still = state.loading == 0 && state.waiting <= 0 && state.still >= STILL;
        if is_still || drawn_enough(&visit.waits, begun, state.frames.saturating_sub(before)) {
            return Ok(());
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded on both sides")]
fn pixels(length: f64) -> u32 {
    length.ceil().clamp(1.0, 1e6) as u32
}

async fn clip(page: &Page, x: f64, y: f64, width: f64, height: f64) -> Taken<Vec<u8>> {
    let params = CaptureScreenshotParams::builder()
        .format(CaptureScreenshotFormat::Png)
        .clip(Viewport { x, y, width, height, scale: 1.0 })
        .capture_beyond_viewport(false)
        .build();
    let taken = page.execute(params).await.map_err(broken)?;
    let png = base64::engine::general_purpose::STANDARD.decode(AsRef::<str>::as_ref(&taken.result.data));
    png.map_err(|error| BrowserError::Failed(format!("Chromium sent no picture: {error}")))
}
