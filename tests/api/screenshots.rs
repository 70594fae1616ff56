//! Pictures that Chromium takes of our own pages: charts, dashboards, as image and as PDF; and that it goes with us.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use infra::picture;
use serde_json::json;

use crate::support::{Client, Server};

/// Taking pictures, with bounds for a loaded machine.
pub const SETTINGS: [(&str, &str); 5] = [
    ("SUPERSET_FEATURE_THUMBNAILS", "true"),
    ("SUPERSET_FEATURE_ENABLE_DASHBOARD_SCREENSHOT_ENDPOINTS", "true"),
    ("LITESET_SCREENSHOT_LOCATE_WAIT", "120"),
    ("LITESET_SCREENSHOT_LOAD_WAIT", "120"),
    ("LITESET_SCREENSHOT_PLAYWRIGHT_DEFAULT_TIMEOUT", "120000"),
];

/// Whether there is a Chromium; says so where there is none.
pub fn chromium_is_there() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .any(|folder| ["chromium", "google-chrome"].iter().any(|name| folder.join(name).exists()));
    if !found {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "Chromium is not installed");
        eprintln!("skipped: Chromium is not installed");
    }
    found
}

/// Looks until something is there.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(300);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what} did not come");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Keeps a picture for people to look at, where they ask for it.
fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("SCREENSHOTS") {
        fs::write(Path::new(&folder).join(name), bytes).unwrap();
    }
}

/// Processes of the Chromium of a server, and its profile.
fn chromiums_of(pid: u32) -> Vec<PathBuf> {
    let mark = format!("liteset-chromium-{pid}-");
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    entries
        .filter(|path| {
            let line = fs::read(path.join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&mark)
        })
        .collect()
}

fn profiles_of(pid: u32) -> usize {
    let mark = format!("liteset-chromium-{pid}-");
    let entries = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&mark)).count()
}

/// The number of the example dashboard with the most charts, and how many there are.
fn dashboard(admin: &mut Client) -> i64 {
    admin.get("/api/v1/dashboard/?q=(columns:!(id))").json()["ids"][0].as_i64().unwrap()
}

#[test]
fn a_dashboard_is_downloaded_as_picture_and_as_pdf() {
    if !chromium_is_there() {
        return;
    }
    let server = Server::start_with_settings("screenshots", &SETTINGS);
    let mut admin = server.admin();
    let id = dashboard(&mut admin);
    let ask = |admin: &mut Client, q: &str| {
        admin.post(&format!("/api/v1/dashboard/{id}/cache_dashboard_screenshot/{q}"), &json!({}))
    };
    let first = ask(&mut admin, "");
    assert_eq!((first.status, &first.json()["task_status"]), (202, &json!("Pending")), "{}", first.text());
    let key = first.json()["cache_key"].as_str().unwrap().to_owned();
    let address = format!("/api/v1/dashboard/{id}/screenshot/{key}/");
    assert_eq!(admin.get(&address).status, 404, "not yet");
    let image = wait_for("a picture", || Some(admin.get(&address)).filter(|answer| answer.status == 200));
    assert_eq!(image.header("content-type"), "image/png");
    keep("dashboard.png", &image.body);
    let (width, height) = picture::size(&image.body).unwrap();
    assert!(width == 1600 && height >= 1200, "{width}x{height}");
    assert!(image.body.len() > 40_000, "{} bytes: there is nothing in it", image.body.len());
    let again = ask(&mut admin, "");
    assert_eq!((again.status, &again.json()["task_status"]), (200, &json!("Updated")));
    let document = admin.get(&format!("{address}?download_format=pdf"));
    assert_eq!(document.header("content-type"), "application/pdf");
    assert_eq!(document.header("content-disposition"), "inline; filename=dashboard.pdf");
    keep("dashboard.pdf", &document.body);
    let size = format!("/MediaBox [0 0 {width} {height}]");
    assert!(document.text().contains(&size), "{size}");
    assert_eq!(admin.get(&format!("{address}?download_format=gif")).status, 404);
    // anew, and smaller
    let small = ask(&mut admin, "?q=(force:!t,window_size:!(800,600),thumb_size:!(400,300))");
    let key = small.json()["cache_key"].as_str().unwrap().to_owned();
    let address = format!("/api/v1/dashboard/{id}/screenshot/{key}/");
    let small = wait_for("a small one", || Some(admin.get(&address)).filter(|answer| answer.status == 200));
    assert_eq!(picture::size(&small.body), Some((400, 300)));
    let log = server.log();
    assert!(log.contains("Screenshot") && !log.contains("eyJ"), "no session stands in the log");
}

#[test]
fn a_chart_that_fails_is_in_the_picture_and_in_the_log() {
    if !chromium_is_there() {
        return;
    }
    let server = Server::start_with_settings("failing-chart", &SETTINGS);
    let mut admin = server.admin();
    let chart =
        admin.get("/api/v1/chart/?q=(columns:!(id,params,datasource_id))").json()["result"][0].clone();
    let mut params: serde_json::Value = serde_json::from_str(chart["params"].as_str().unwrap()).unwrap();
    params["adhoc_filters"] = json!([{
        "expressionType": "SQL", "clause": "WHERE", "sqlExpression": "there_is_no_such_column = 1",
    }]);
    let id = chart["id"].as_i64().unwrap();
    let body = json!({"params": params.to_string(), "query_context": null});
    let changed = admin.put(&format!("/api/v1/chart/{id}"), &body);
    assert_eq!(changed.status, 200, "{}", changed.text());
    let asked = admin.get(&format!("/api/v1/chart/{id}/cache_screenshot/")).json();
    let address = format!("/api/v1/chart/{id}/screenshot/{}/", asked["cache_key"].as_str().unwrap());
    let image = wait_for("a picture", || Some(admin.get(&address)).filter(|answer| answer.status == 200));
    keep("failing-chart.png", &image.body);
    let log = server.log();
    assert!(log.contains("charts failed in a picture") && log.contains("there_is_no_such_column"), "{log}");
}

#[test]
fn chromium_goes_with_the_server_however_that_ends() {
    if !chromium_is_there() {
        return;
    }
    for signal in ["-KILL", "-TERM"] {
        let mut server = Server::start_with_settings("chromium-goes", &SETTINGS);
        let mut admin = server.admin();
        let id = dashboard(&mut admin);
        admin.post(&format!("/api/v1/dashboard/{id}/cache_dashboard_screenshot/"), &json!({}));
        let pid = server.pid();
        wait_for("Chromium", || (chromiums_of(pid).len() > 2).then_some(()));
        assert_eq!(profiles_of(pid), 1);
        let sent = std::process::Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
        assert!(sent.success());
        wait_for("the end", || server.has_ended().then_some(()));
        wait_for("the end of Chromium", || chromiums_of(pid).is_empty().then_some(()));
        if signal == "-TERM" {
            assert_eq!(profiles_of(pid), 0, "the profile is gone");
        }
    }
}
