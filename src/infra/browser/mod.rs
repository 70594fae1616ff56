//! Pictures of pages, taken by one headless Chromium.
//!
//! Chromium is started when a picture is asked for and stopped when none has been for a while. Nobody but this process
//! can reach it: it is spoken with over two pipes (`--remote-debugging-pipe`), opens no port, and ends by itself when
//! the pipes close, however this process ended. Each picture has a browser context of its own, with one cookie.

mod allowed;
mod fence;
mod find;
mod launch;
mod memory;
mod pipe;
mod supervisor;
#[cfg(test)]
mod tests;
mod visit;

use std::{path::PathBuf, time::Duration};

pub use allowed::Allowed;
pub use find::{Found, find};
pub use supervisor::Browser;

/// How Chromium is run.
#[derive(Debug, Clone)]
pub struct BrowserSettings {
    /// The program that the configuration names; else the first that is found on `PATH`.
    pub program: Option<PathBuf>,
    /// Arguments of the operator's own.
    pub arguments: Vec<String>,
    /// Pages that are open at the same time.
    pub pages: usize,
    /// How long it stays without anything to do.
    pub idle: Duration,
    /// Megabytes of all its processes together; it is started anew when it takes more.
    pub max_mb: u64,
}

/// What a picture is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// One element: a chart.
    Element(&'static str),
    /// The whole page once an element is there: a dashboard.
    Page(&'static str),
}

impl Subject {
    /// The class of the element that must be there.
    pub fn class(self) -> &'static str {
        match self {
            Self::Element(class) | Self::Page(class) => class,
        }
    }
}

/// How long is waited for what, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// Until the page is opened.
    pub open: Duration,
    /// Then until the element is there and all charts are visible.
    pub locate: Duration,
    /// Then until nothing is loading.
    pub load: Duration,
    /// Then until nothing moves; afterwards the picture is taken anyway, once enough was drawn.
    pub settle: Duration,
}

impl Waits {
    /// All of them, and what taking the picture takes.
    pub fn together(&self) -> Duration {
        self.open + self.locate + self.load + self.settle * visit::PATIENCE + Duration::from_secs(60)
    }
}

/// When a page is taken piece by piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiling {
    /// From so many charts on.
    pub charts: u64,
    /// From more than so many pixels of height on.
    pub height: u32,
    /// Height of a piece.
    pub tile: u32,
}

/// How long the window of a failure is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Details {
    /// Until it is there.
    pub visible: Duration,
    /// Until it is gone.
    pub invisible: Duration,
}

/// A cookie, sent to the page's own address only.
#[derive(Clone)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A page of which a picture is wanted.
#[derive(Clone)]
pub struct Visit {
    /// The page.
    pub url: String,
    /// Who asks for it.
    pub cookie: Option<Cookie>,
    /// Which addresses it may ask; the same for all pages of one [`Browser`].
    pub allowed: Allowed,
    /// What paths of the page's own server begin with and the server does not know (`APPLICATION_ROOT`).
    pub prefix: String,
    /// Width and height in CSS pixels.
    pub window: (u32, u32),
    /// Pixels of the picture for one of CSS.
    pub scale: f64,
    /// What is taken.
    pub subject: Subject,
    /// Bounds.
    pub waits: Waits,
    /// Whether long pages are taken piece by piece.
    pub tiling: Option<Tiling>,
    /// Whether messages of failures are replaced by what their windows say.
    pub details: Option<Details>,
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Picture {
    /// A PNG.
    pub png: Vec<u8>,
    /// What charts say that failed: `name: text`. They are in the picture, too.
    pub problems: Vec<String>,
}

/// Why there is no picture.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BrowserError {
    /// There is no Chromium.
    #[error("{0}")]
    Missing(String),
    /// It did not start.
    #[error("Chromium could not be started: {0}")]
    Start(String),
    /// Something took longer than it may.
    #[error("{0}")]
    TimedOut(String),
    /// The page is not what it should be.
    #[error("{0}")]
    Failed(String),
    /// Chromium ended meanwhile, also when it was started anew.
    #[error("Chromium ended: {0}")]
    Ended(String),
}
