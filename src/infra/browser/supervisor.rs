//! One Chromium for all: started on demand, stopped when idle, ended when it hangs or grows.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use chromiumoxide::{
    Handler,
    browser::Browser as Client,
    cdp::browser_protocol::{browser::GetVersionParams, target::CreateBrowserContextParams},
    handler::HandlerConfig,
};
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::{sleep, timeout},
};

use super::{
    BrowserError, BrowserSettings, Picture, Visit,
    fence::Fence,
    find,
    launch::{Process, launch},
    memory, pipe, visit,
};

/// How long it may take until it answers for the first time.
const START: Duration = Duration::from_secs(60);
/// How long a living one takes to say its version.
const ANSWER: Duration = Duration::from_secs(10);
/// How often it is looked after.
const BEAT: Duration = Duration::from_secs(1);

/// Takes pictures of pages; what runs is started when it is needed.
pub struct Browser {
    settings: BrowserSettings,
    running: tokio::sync::Mutex<Option<Arc<Running>>>,
    pages: Semaphore,
    /// How many were started.
    starts: AtomicUsize,
}

/// A Chromium that runs.
pub(super) struct Running {
    pub client: Client,
    usage: Arc<Usage>,
    /// Why it ended.
    ended: watch::Receiver<Option<String>>,
    /// Why it is to end.
    stop: watch::Sender<Option<String>>,
}

/// Who uses it.
struct Usage {
    pages: AtomicUsize,
    last: Mutex<Instant>,
}

impl Browser {
    /// Nothing is started yet.
    pub fn new(settings: BrowserSettings) -> Self {
        let pages = Semaphore::new(settings.pages.max(1));
        Self { settings, running: tokio::sync::Mutex::default(), pages, starts: AtomicUsize::new(0) }
    }

    /// The program that would be started.
    pub fn program(&self) -> Result<PathBuf, BrowserError> {
        find(self.settings.program.as_deref()).map(|found| found.0)
    }

    /// How many pages may be open at the same time.
    pub fn pages(&self) -> usize {
        self.settings.pages.max(1)
    }

    /// How many times Chromium was started.
    pub fn starts(&self) -> usize {
        self.starts.load(SeqCst)
    }

    /// Whether it runs.
    pub async fn is_running(&self) -> bool {
        self.running.lock().await.as_ref().is_some_and(|running| running.ended.borrow().is_none())
    }

    /// Takes a picture; waits for its turn. When Chromium ends meanwhile it is tried once more with a new one.
    pub async fn picture(&self, visit: &Visit) -> Result<Picture, BrowserError> {
        let _turn = self.turn().await?;
        match self.attempt(visit).await {
            Err(BrowserError::Ended(why)) => {
                tracing::warn!(why, "Chromium ended while it took a picture: tried once more");
                self.attempt(visit).await
            }
            other => other,
        }
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, BrowserError> {
        self.pages.acquire().await.map_err(|_| BrowserError::Ended("liteset stops".into()))
    }

    async fn attempt(&self, visit: &Visit) -> Result<Picture, BrowserError> {
        let running = self.running(visit).await?;
        let _page = running.usage.page();
        let mut ended = running.ended.clone();
        let most = visit.waits.together();
        let mut outcome = tokio::select! {
            why = ended.wait_for(Option::is_some) => Err(BrowserError::Ended(reason(why.ok().as_deref()))),
            taken = timeout(most, Box::pin(visit::take(&running, visit))) => taken.unwrap_or_else(|_| {
                Err(BrowserError::TimedOut(format!("The picture was not taken within {} s", most.as_secs())))
            }),
        };
        if let Err(BrowserError::Ended(why)) = &mut outcome
            && let Ok(Ok(cause)) = timeout(ANSWER, ended.wait_for(Option::is_some)).await
        {
            // who breaks off is seen before it is known why
            *why = reason(Some(&cause));
        }
        if matches!(outcome, Err(BrowserError::TimedOut(_) | BrowserError::Failed(_)))
            && !running.answers().await
        {
            running.stop("it did not answer any more");
            let _ = timeout(ANSWER, ended.wait_for(Option::is_some)).await;
        }
        outcome
    }

    /// Stops it, and waits until it is gone. No picture is taken afterwards.
    pub async fn close(&self) {
        self.pages.close();
        let Some(running) = self.running.lock().await.take() else { return };
        running.stop("liteset stops");
        let mut ended = running.ended.clone();
        let _ = timeout(ANSWER, ended.wait_for(Option::is_some)).await;
    }

    async fn running(&self, visit: &Visit) -> Result<Arc<Running>, BrowserError> {
        let mut slot = self.running.lock().await;
        if let Some(running) = slot.as_ref().filter(|running| running.is_usable()) {
            return Ok(running.clone());
        }
        if self.pages.is_closed() {
            return Err(BrowserError::Ended("liteset stops".into()));
        }
        let running = Arc::new(self.start(visit).await?);
        *slot = Some(running.clone());
        Ok(running)
    }

    async fn start(&self, visit: &Visit) -> Result<Running, BrowserError> {
        let program = self.program()?;
        let began = Instant::now();
        let failed = |error: &dyn std::fmt::Display| BrowserError::Start(error.to_string());
        let fence = Fence::open(visit.allowed.clone(), visit.prefix.clone()).await.map_err(|e| failed(&e))?;
        let (process, pipes) = launch(&program, &self.settings, fence.address).map_err(|e| failed(&e))?;
        self.starts.fetch_add(1, SeqCst);
        let error_output = process.error_output.clone();
        let url = pipe::bridge(pipes).await.map_err(|e| failed(&e))?;
        // commands that have no bound of their own are bounded by the visit
        let config = HandlerConfig {
            ignore_https_errors: false,
            viewport: None,
            request_timeout: Duration::from_secs(600),
            ..HandlerConfig::default()
        };
        let connected = Client::connect_with_config(url, config).await;
        let (client, handler) = match connected {
            Ok(both) => both,
            Err(error) => {
                process.kill().await;
                return Err(failed(&error));
            }
        };
        let usage = Arc::new(Usage { pages: AtomicUsize::new(0), last: Mutex::new(Instant::now()) });
        // what starts is not idle
        let _starting = usage.page();
        let (stop, asked) = watch::channel(None);
        let (tell, ended) = watch::channel(None);
        let keeper = Keeper {
            usage: usage.clone(),
            asked,
            tell,
            idle: self.settings.idle,
            most: self.settings.max_mb,
        };
        tokio::spawn(keeper.keep(process, handler, fence));
        let running = Running { client, usage, ended, stop };
        let mut ended = running.ended.clone();
        let answer = tokio::select! {
            answer = timeout(START, running.client.execute(GetVersionParams::default())) => answer,
            _ = ended.wait_for(Option::is_some) => Ok(Err(chromiumoxide::error::CdpError::NoResponse)),
        };
        match answer {
            Ok(Ok(version)) => {
                let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::info!(program = %program.display(), version = version.result.product, ms, "Chromium started");
                Ok(running)
            }
            _ => {
                running.stop("it does not answer");
                // what it complained about comes just before its end
                let cause = timeout(ANSWER, ended.wait_for(Option::is_some)).await;
                let why =
                    cause.ok().and_then(|cause| cause.ok().and_then(|why| why.clone())).unwrap_or_default();
                let said = [why, error_output.text()]
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect::<Vec<_>>();
                Err(BrowserError::Start(said.join(": ")))
            }
        }
    }
}

fn reason(why: Option<&Option<String>>) -> String {
    why.and_then(Clone::clone).unwrap_or_else(|| "nobody looks after it".to_owned())
}

impl Running {
    fn is_usable(&self) -> bool {
        self.ended.borrow().is_none() && self.stop.borrow().is_none() && self.ended.has_changed().is_ok()
    }

    fn stop(&self, why: &str) {
        let _ = self.stop.send(Some(why.to_owned()));
    }

    async fn answers(&self) -> bool {
        matches!(timeout(ANSWER, self.client.execute(GetVersionParams::default())).await, Ok(Ok(_)))
    }

    /// A browser context that nobody else shares.
    pub async fn context(self: &Arc<Self>) -> chromiumoxide::error::Result<Context> {
        let params = CreateBrowserContextParams::builder().dispose_on_detach(true).build();
        let id = self.client.create_browser_context(params).await?;
        Ok(Context { running: self.clone(), id })
    }
}

/// A browser context; everything in it goes when it is dropped.
pub(super) struct Context {
    running: Arc<Running>,
    pub id: chromiumoxide::cdp::browser_protocol::browser::BrowserContextId,
}

impl Drop for Context {
    fn drop(&mut self) {
        let (running, id) = (self.running.clone(), self.id.clone());
        let page = running.usage.page();
        tokio::spawn(async move {
            let _ = timeout(ANSWER, running.client.dispose_browser_context(id)).await;
            drop(page);
        });
    }
}

impl Usage {
    fn page(self: &Arc<Self>) -> PageGuard {
        self.pages.fetch_add(1, SeqCst);
        PageGuard(self.clone())
    }

    fn is_idle(&self, time: Duration) -> bool {
        self.pages.load(SeqCst) == 0 && self.last.lock().elapsed() >= time
    }
}

struct PageGuard(Arc<Usage>);

impl Drop for PageGuard {
    fn drop(&mut self) {
        *self.0.last.lock() = Instant::now();
        self.0.pages.fetch_sub(1, SeqCst);
    }
}

/// Looks after one Chromium until it ends.
struct Keeper {
    usage: Arc<Usage>,
    asked: watch::Receiver<Option<String>>,
    tell: watch::Sender<Option<String>>,
    idle: Duration,
    most: u64,
}

impl Keeper {
    async fn keep(mut self, mut process: Process, mut handler: Handler, fence: Fence) {
        let id = process.child.id();
        let conversation = tokio::spawn(async move { while let Some(Ok(())) = handler.next().await {} });
        tokio::pin!(conversation);
        let why = loop {
            tokio::select! {
                exit = process.child.wait() => {
                    let exit = exit.map_or_else(|e| e.to_string(), |exit| exit.to_string());
                    break format!("it ended by itself ({exit})");
                }
                _ = &mut conversation => break "it broke off the conversation".to_owned(),
                asked = self.asked.wait_for(Option::is_some) => break reason(asked.ok().as_deref()),
                () = sleep(BEAT) => {}
            }
            if self.usage.is_idle(self.idle) {
                break "nothing to do".to_owned();
            }
            let most = self.most;
            let measured = tokio::task::spawn_blocking(move || id.and_then(memory::of_family));
            if let Ok(Some(taken)) = measured.await
                && taken > most
            {
                break format!("it took {taken} MB of memory, more than BROWSER_MAX_MB = {most}");
            }
        };
        tracing::info!(why, "Chromium stops");
        process.kill().await;
        drop(fence);
        conversation.abort();
        let _ = self.tell.send(Some(why));
    }
}
