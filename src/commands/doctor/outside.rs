//! What lies outside of the metadata database: caches, the mail server, the browser, disks, a proxy.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use infra::{
    cache::{Backend, CacheSettings},
    config::Config,
    db::DbUri,
    mail,
};
use serde_json::json;
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};

use super::{Check, any_flag};
use crate::Services;

const PATIENCE: Duration = Duration::from_secs(5);
const KEY: &str = "liteset_doctor";

/// Each cache keeps something for a moment.
pub(super) async fn caches(app: &Services, each: &mut (dyn FnMut(Check) + Send)) {
    for (key, cache) in [
        ("CACHE_CONFIG", &app.cache),
        ("FILTER_STATE_CACHE_CONFIG", &app.filter_states),
        ("EXPLORE_FORM_DATA_CACHE_CONFIG", &app.explore_form_data),
    ] {
        let name = format!("cache {key}");
        let place = place(&CacheSettings::read(&app.config, key).backend);
        if !cache.is_enabled() {
            each(Check::off(name, place));
            continue;
        }
        let kept = async {
            cache.insert(KEY.to_owned(), Arc::new(json!(1)), 8, 60).await;
            let found = cache.get(KEY).await.is_some();
            let _ = cache.remove(KEY).await;
            found
        };
        each(match timeout(PATIENCE, kept).await {
            Ok(true) => Check::ok(name, place),
            _ => Check::failed(
                name,
                format!("{place}: what was put there is not there"),
                format!("see that the place of {key} is there and can be written to"),
            ),
        });
    }
    let settings = CacheSettings::read(&app.config, "DATA_CACHE_CONFIG");
    let name = "cache DATA_CACHE_CONFIG";
    each(match settings.backend {
        Backend::Null => Check::warning(
            name,
            "off: every view of a chart asks its database",
            "set DATA_CACHE_CONFIG (packaging/manual/configuration.md)",
        ),
        backend => Check::ok(name, place(&backend)),
    });
}

fn place(backend: &Backend) -> String {
    match backend {
        Backend::Null => "off".to_owned(),
        Backend::Memory => "in memory".to_owned(),
        Backend::Redis(_) => "in Redis".to_owned(),
        Backend::Files(folder) => format!("in files of {}", folder.display()),
        Backend::Metastore => "in the metadata database".to_owned(),
    }
}

/// The mail server greets.
pub(super) async fn mail(config: &Config) -> Check {
    const NAME: &str = "mail";
    if !config.flag("ALERT_REPORTS") {
        return Check::off(NAME, "ALERT_REPORTS is off");
    }
    let settings = mail::Settings::from_config(config);
    let place = format!("{}:{}", settings.host, settings.port);
    let greeted = async {
        let mut stream = TcpStream::connect((settings.host.as_str(), settings.port)).await?;
        // behind TLS the server waits for the client
        if settings.tls {
            return Ok(true);
        }
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await?;
        Ok::<_, std::io::Error>(&greeting == b"220")
    };
    let advice = "set SMTP_HOST and SMTP_PORT to a mail server that this machine can reach";
    match timeout(PATIENCE, greeted).await {
        Ok(Ok(true)) => Check::ok(NAME, format!("{place} answers")),
        Ok(Ok(false)) => Check::failed(NAME, format!("{place} is no mail server"), advice),
        Ok(Err(error)) => Check::failed(NAME, format!("{place}: {error}"), advice),
        Err(_) => Check::failed(NAME, format!("{place} does not answer"), advice),
    }
}

/// There is a Chromium where pictures are wanted.
pub(super) fn browser(app: &Services) -> Check {
    const NAME: &str = "browser";
    let flags = ["ALERT_REPORTS", "THUMBNAILS", "ENABLE_DASHBOARD_SCREENSHOT_ENDPOINTS"];
    let wanted = any_flag(&app.config, &flags);
    match (app.browser.program(), wanted) {
        (Ok(program), Some(_)) => Check::ok(NAME, program.display().to_string()),
        (Ok(program), None) => Check::off(NAME, format!("{}, which nothing needs", program.display())),
        (Err(_), None) => Check::off(NAME, "there is none, and nothing needs it"),
        (Err(error), Some(flag)) => Check::failed(
            NAME,
            format!("{error}; {flag} needs it"),
            "install Chromium (packaging/manual/screenshots.md)",
        ),
    }
}

const LITTLE: u64 = 1 << 30;
const HARDLY: u64 = 100 << 20;

/// Room for what is written.
pub(super) fn disks(app: &Services, home: &Path, each: &mut (dyn FnMut(Check) + Send)) {
    let mut places = vec![("disk of the data directory", home.to_owned())];
    if let Ok(DbUri::Sqlite { path }) = app.config.str("SQLALCHEMY_DATABASE_URI").parse() {
        let folder = path.parent().map(Path::to_path_buf).filter(|f| !f.as_os_str().is_empty());
        places.push(("disk of the database", folder.unwrap_or_else(|| PathBuf::from("."))));
    }
    places.push(("disk of temporary files", std::env::temp_dir()));
    for (name, folder) in places {
        let at = folder.display();
        each(match infra::disk::free(&folder) {
            Err(error) => Check::warning(name, format!("{at}: {error}"), "see that the folder is there"),
            Ok(free) => {
                let found = format!("{at}: {} MB free", free >> 20);
                let advice = "make room: a full disk stops every write";
                match free {
                    0..HARDLY => Check::failed(name, found, advice),
                    HARDLY..LITTLE => Check::warning(name, found, advice),
                    _ => Check::ok(name, found),
                }
            }
        });
    }
}

/// Whether what a proxy says is believed, where cookies and redirects depend on it.
pub(super) fn proxy(config: &Config) -> Check {
    const NAME: &str = "proxy headers";
    let believed = config.bool("ENABLE_PROXY_FIX");
    let https =
        config.talisman().is_some() && config.get("TALISMAN_CONFIG").get("force_https") == Some(&json!(true));
    match (believed, https) {
        (true, _) => Check::ok(
            NAME,
            "X-Forwarded-… headers are believed (ENABLE_PROXY_FIX): only a proxy may reach the port",
        ),
        (false, true) => Check::failed(
            NAME,
            "TALISMAN_CONFIG demands HTTPS, and no header of a proxy is believed: every request is sent elsewhere",
            "set ENABLE_PROXY_FIX, and let only the proxy reach the port",
        ),
        (false, false) if config.bool("SESSION_COOKIE_SECURE") => Check::warning(
            NAME,
            "log-ins work over HTTPS only (SESSION_COOKIE_SECURE), and no header of a proxy is believed",
            "set ENABLE_PROXY_FIX if there is a proxy",
        ),
        (false, false) => Check::ok(NAME, "not believed (ENABLE_PROXY_FIX is off)"),
    }
}
