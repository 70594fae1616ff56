//! Pictures of charts and dashboards as somebody sees them (`superset.utils.webdriver`, `superset.utils.machine_auth`).

mod bounds;
mod session;

use std::sync::Arc;

pub use infra::browser::Picture;
use infra::browser::{Allowed, BrowserError, Subject, Visit};

use crate::{Principal, Services};

/// What a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// A chart: the picture is of `.chart-container`.
    Chart,
    /// A dashboard with `standalone=3`: the picture is of the whole page, however long.
    Dashboard,
}

/// A page of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Path and query below the base address: `/superset/dashboard/3/?standalone=3`.
    pub path: String,
    /// What it is.
    pub kind: PageKind,
    /// Width and height of the window in CSS pixels; none for those of `WEBDRIVER_WINDOW`.
    pub window: Option<(u32, u32)>,
}

/// Why there is no picture, in words for who owns what was to be seen.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CaptureError {
    /// There is no Chromium; says what to install.
    #[error("{0}")]
    NoBrowser(String),
    /// Something took too long; says what.
    #[error("{0}")]
    TimedOut(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl From<BrowserError> for CaptureError {
    fn from(error: BrowserError) -> Self {
        match error {
            BrowserError::Missing(text) => Self::NoBrowser(text),
            BrowserError::TimedOut(text) => Self::TimedOut(text),
            BrowserError::Failed(text) => Self::Failed(text),
            BrowserError::Start(_) | BrowserError::Ended(_) => Self::Failed(error.to_string()),
        }
    }
}

/// Takes a picture of a page as the executor sees it; waits for its turn. Charts that failed are in
/// [`Picture::problems`], not errors.
pub async fn capture(
    app: &Arc<Services>,
    executor: &Principal,
    page: &Page,
) -> Result<Picture, CaptureError> {
    // before anything is made for nothing
    app.browser.program()?;
    if !page.path.starts_with('/') || page.path.starts_with("//") {
        return Err(CaptureError::Failed(format!("{} is no path of ours", page.path)));
    }
    if executor.guest.is_some() {
        return Err(CaptureError::Failed("Pictures are not taken for guests of embedded dashboards".into()));
    }
    let base = base(app)?;
    let waits = bounds::waits(&app.config);
    let cookie = match executor.user_id() {
        Some(id) => Some(session::cookie(app, id, waits.together()).await?),
        None => None,
    };
    let visit = Visit {
        url: format!("{}{}{}", base.address, base.root, page.path),
        cookie,
        allowed: allowed(app, &base.address),
        prefix: base.prefix,
        window: bounds::window(&app.config, page),
        scale: bounds::scale(&app.config),
        subject: match page.kind {
            PageKind::Chart => Subject::Element("chart-container"),
            PageKind::Dashboard => Subject::Page("standalone"),
        },
        waits,
        tiling: bounds::tiling(&app.config),
        details: bounds::details(&app.config),
    };
    let picture = app.browser.picture(&visit).await?;
    if !picture.problems.is_empty() {
        tracing::warn!(page = page.path, problems = ?picture.problems, "charts failed in a picture");
    }
    Ok(picture)
}

/// Where pages are.
struct Base {
    /// Scheme, host and port, without a slash at the end.
    address: String,
    /// What the paths of pages begin with.
    root: String,
    /// What links have and this server does not expect.
    prefix: String,
}

/// `WEBDRIVER_BASEURL`, else this process.
fn base(app: &Services) -> Result<Base, CaptureError> {
    let named = app.config.str("WEBDRIVER_BASEURL").trim_end_matches('/');
    let is_web = named.starts_with("http://") || named.starts_with("https://");
    // Superset's default, which is nobody's address
    if is_web && !named.contains("//0.0.0.0") {
        return Ok(named_base(named, app.config.application_root()));
    }
    if app.config.tls().is_some() {
        return encrypted_base(
            app.config.str("WEBDRIVER_BASEURL_USER_FRIENDLY"),
            app.config.application_root(),
        );
    }
    let Some(address) = app.listening.get() else {
        let text = "There is no server to take pictures of: set WEBDRIVER_BASEURL to its address";
        return Err(CaptureError::Failed(text.into()));
    };
    let mut address = *address;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let (root, mount) = (app.config.application_root(), app.config.mount());
    let (root, prefix) = if mount.is_empty() { (root, root) } else { (mount, "") };
    Ok(Base { address: format!("http://{address}"), root: root.to_owned(), prefix: prefix.to_owned() })
}

/// This process where it encrypts: the browser wants the name that the certificate is for.
fn encrypted_base(public: &str, root: &str) -> Result<Base, CaptureError> {
    if !public.starts_with("https://") {
        let text = "The server's certificate is for a name: set WEBDRIVER_BASEURL to https and that name";
        return Err(CaptureError::Failed(text.into()));
    }
    Ok(named_base(public.trim_end_matches('/'), root))
}

/// An address that the configuration names. Behind `APPLICATION_ROOT` its own path does not count
/// (`superset.utils.urls:headless_url` joins them).
fn named_base(named: &str, root: &str) -> Base {
    let host_ends = named.find("://").and_then(|at| Some(at + 3 + named.get(at + 3..)?.find('/')?));
    let (host, path) = named.split_at(host_ends.unwrap_or(named.len()));
    let root = if root.is_empty() { path } else { root };
    Base { address: host.to_owned(), root: root.to_owned(), prefix: String::new() }
}

fn allowed(app: &Services, base: &str) -> Allowed {
    let talisman =
        app.config.talisman().filter(|talisman| !talisman.csp_report_only && !talisman.csp.is_empty());
    // the name of a directive stands before its sources
    let sources = talisman.as_ref().map(|talisman| {
        talisman.csp.iter().filter_map(|(directive, _)| directive.split_once(' ')).map(|(_, sources)| sources)
    });
    Allowed::new(base, sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_named_address() {
        let url = |named: &str, root: &str| {
            let base = named_base(named, root);
            format!("{} {}", base.address, base.root)
        };
        assert_eq!(url("https://h:1", ""), "https://h:1 ");
        assert_eq!(url("https://h/bi", ""), "https://h /bi");
        assert_eq!(url("https://h/bi", "/bi"), "https://h /bi");
        assert_eq!(url("https://h", "/bi"), "https://h /bi");
        assert!(encrypted_base("http://0.0.0.0:8080/", "").is_err());
        assert!(encrypted_base("https://h/", "").is_ok_and(|base| base.address == "https://h"));
    }
}
