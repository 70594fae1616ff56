//! Chromium itself, on pages of a server of ours.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

const CHART: &str = r#"<body style="margin:0"><div id="a" class="chart-container" style="width:300px;height:200px">
    <div class="loading" style="width:9px;height:9px"></div></div>
    <script>setTimeout(() => { a.style.background = 'rgb(0,128,0)'; a.innerHTML = ''; }, 700)</script>"#;

/// A server that answers each path with one of the pages; notes what it was asked and with which cookies.
struct Site {
    address: String,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Site {
    async fn start(pages: Vec<(&'static str, u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = asked.clone();
        let pages = Arc::new(pages);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (pages, noted) = (pages.clone(), noted.clone());
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        let mut part = [0; 4096];
                        match stream.read(&mut part).await {
                            Ok(n) if n > 0 => request.extend_from_slice(&part[..n]),
                            _ => return,
                        }
                    }
                    let request = String::from_utf8_lossy(&request).into_owned();
                    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                    let cookie = request.lines().find_map(|l| l.strip_prefix("Cookie: ")).unwrap_or_default();
                    noted.lock().push((path.clone(), cookie.to_owned()));
                    let found = pages.iter().find(|(p, ..)| *p == path);
                    let (status, body) = found.map_or((404, ""), |(_, status, body)| (*status, body));
                    let answer = format!(
                        "HTTP/1.1 {status} x\r\nContent-Type: text/html\r\nSet-Cookie: left=behind\r\n\
                         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { address, asked }
    }

    fn visit(&self, path: &str, subject: Subject) -> Visit {
        Visit {
            url: format!("{}{path}", self.address),
            cookie: None,
            allowed: Allowed::new(&self.address, Some(["img-src 'self' data:"].into_iter())),
            prefix: String::new(),
            window: (800, 600),
            scale: 1.0,
            subject,
            waits: Waits {
                open: Duration::from_secs(60),
                locate: Duration::from_secs(60),
                load: Duration::from_secs(60),
                settle: Duration::from_secs(10),
            },
            tiling: Some(Tiling { charts: 20, height: 5_000, tile: 2_000 }),
            details: None,
        }
    }
}

/// A browser, where there is one.
fn browser(change: impl FnOnce(&mut BrowserSettings)) -> Option<Browser> {
    let mut settings = BrowserSettings {
        program: None,
        arguments: Vec::new(),
        pages: 2,
        idle: Duration::from_secs(60),
        max_mb: 8_192,
    };
    change(&mut settings);
    let browser = Browser::new(settings);
    match browser.program() {
        Ok(_) => Some(browser),
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true") => unreachable!("{error}"),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

fn open(picture: &Picture) -> image::RgbImage {
    image::load_from_memory(&picture.png).unwrap().to_rgb8()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_is_taken_once_it_is_drawn_and_nobody_inherits_cookies() {
    let Some(browser) = browser(|_| {}) else { return };
    let site = Site::start(vec![("/chart", 200, CHART.to_owned())]).await;
    let mut visit = site.visit("/chart", Subject::Element("chart-container"));
    visit.cookie = Some(Cookie { name: "session".into(), value: "of-ada".into() });
    let picture = browser.picture(&visit).await.unwrap();
    let seen = open(&picture);
    assert_eq!((seen.dimensions(), picture.problems.len()), ((300, 200), 0));
    assert!(seen.pixels().all(|p| p.0 == [0, 128, 0]), "{:?}", seen.get_pixel(0, 0));
    visit.cookie = None;
    visit.scale = 2.0;
    let doubled = open(&browser.picture(&visit).await.unwrap());
    assert_eq!(doubled.dimensions(), (600, 400));
    let pages = |asked: &[(String, String)]| -> Vec<String> {
        asked.iter().filter(|(path, _)| path == "/chart").map(|(_, cookie)| cookie.clone()).collect()
    };
    assert_eq!(pages(&site.asked.lock()), ["session=of-ada", ""]);
    assert_eq!(browser.starts(), 1);
    browser.close().await;
    assert!(!browser.is_running().await);
    let after = browser.picture(&visit).await;
    assert!(matches!(after, Err(BrowserError::Ended(_))), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_animation_ends_before_the_picture_however_slowly_it_is_drawn() {
    let Some(browser) = browser(|_| {}) else { return };
    // seven frames of half a second: as on a machine where Chromium hardly gets the processor
    let slow = r#"<body style="margin:0"><div id="a" class="chart-container" style="width:300px;height:200px"></div>
        <script>let n = 0; const step = () => {
            for (const end = performance.now() + 500; performance.now() < end; );
            n += 1;
            if (n < 7) requestAnimationFrame(step); else a.style.background = 'rgb(0,128,0)';
        }; requestAnimationFrame(step)</script>"#;
    let late = r#"<body style="margin:0"><div id="a" class="chart-container" style="width:300px;height:200px">
        <div class="slice_container"></div></div><script>setTimeout(() => {
            a.innerHTML = '<div class="slice_container"><canvas></canvas></div>';
            a.style.background = 'rgb(0,128,0)';
        }, 3000)</script>"#;
    let endless = r#"<body style="margin:0"><div class="chart-container" style="width:300px;height:200px"></div>
        <script>const step = () => requestAnimationFrame(step); step();
            cancelAnimationFrame(requestAnimationFrame(() => 0))</script>"#;
    let pages = [("/slow", slow), ("/late", late), ("/endless", endless)];
    let site = Site::start(pages.map(|(path, page)| (path, 200, page.to_owned())).into()).await;
    let mut visit = site.visit("/", Subject::Element("chart-container"));
    visit.waits.settle = Duration::from_secs(2);
    for path in ["/slow", "/late"] {
        visit.url = format!("{}{path}", site.address);
        let seen = open(&browser.picture(&visit).await.unwrap());
        assert!(seen.pixels().all(|p| p.0 == [0, 128, 0]), "{path}: {:?}", seen.get_pixel(0, 0));
    }
    visit.url = format!("{}/endless", site.address);
    let began = Instant::now();
    browser.picture(&visit).await.unwrap();
    assert!(began.elapsed() >= visit.waits.settle);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_dashboard_is_taken_piece_by_piece() {
    let Some(browser) = browser(|_| {}) else { return };
    let band = |n: u32| {
        format!(r#"<div class="chart-container" style="height:240px;background:rgb({n},0,0)"></div>"#)
    };
    let bands: String = (0..25).map(|n| band(n * 10)).collect();
    let long = format!(r#"<body style="margin:0"><div class="standalone">{bands}</div>"#);
    let empty =
        r#"<body style="margin:0"><div class="standalone"><div class="grid-container">no charts</div></div>"#;
    let site = Site::start(vec![("/long", 200, long), ("/empty", 200, empty.to_owned())]).await;
    for tiled in [true, false] {
        let mut visit = site.visit("/long", Subject::Page("standalone"));
        visit.tiling = visit.tiling.filter(|_| tiled);
        let seen = open(&browser.picture(&visit).await.unwrap());
        assert_eq!(seen.dimensions(), (800, 6_000));
        for n in 0..25 {
            let red = u8::try_from(n * 10).unwrap();
            for y in [0, 239] {
                assert_eq!(seen.get_pixel(400, n * 240 + y).0, [red, 0, 0], "band {n}, tiled: {tiled}");
            }
        }
    }
    let empty = browser.picture(&site.visit("/empty", Subject::Page("standalone"))).await.unwrap();
    assert_eq!(open(&empty).dimensions(), (800, 600));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_page_is_told() {
    let Some(browser) = browser(|_| {}) else { return };
    let failed = r#"<div class="chart-slice"><span class="header-title">Sales</span>
        <div class="chart-container" style="height:99px"><div role="alert">no such <b>table</b></div></div></div>"#;
    let explained = r#"<div class="chart-slice"><span class="header-title">Sales</span><div class="chart-container"
        style="height:99px"><div role="alert">no table <span role="button" onclick="more.style.display = 'block'">
        See more</span></div></div></div><div id="more" class="ant-modal-content" style="display:none">
        <button class="ant-modal-close" onclick="more.style.display = 'none'">x</button><div class="ant-modal-body">
        <div style="background:#008000">no such table: sales_of_2024</div></div></div>"#;
    let endless = r#"<div class="chart-slice"><span class="header-title">Slow one</span>
        <div class="chart-container" style="height:99px"><div class="loading">...</div></div></div>"#;
    let site = Site::start(vec![
        ("/failed", 200, failed.to_owned()),
        ("/explained", 200, explained.to_owned()),
        ("/endless", 200, endless.to_owned()),
        ("/other", 200, "another page".to_owned()),
        ("/refused", 403, "not for you".to_owned()),
    ])
    .await;
    let chart = Subject::Element("chart-container");
    let picture = browser.picture(&site.visit("/failed", chart)).await.unwrap();
    assert_eq!(picture.problems, ["Sales: no such table"]);
    // the whole text of the failure's window, in its place
    let mut explained = site.visit("/explained", chart);
    explained.details = Some(Details { visible: Duration::from_secs(5), invisible: Duration::from_secs(5) });
    let picture = browser.picture(&explained).await.unwrap();
    assert_eq!(picture.problems, ["Sales: no table See more", "no such table: sales_of_2024"]);
    let has = |picture: &Picture, colour: [u8; 3]| open(picture).pixels().any(|pixel| pixel.0 == colour);
    assert!(has(&picture, [0, 128, 0]), "the text of the window");
    explained.details = None;
    assert!(!has(&browser.picture(&explained).await.unwrap(), [0, 128, 0]));
    let error = async |path: &str| {
        let mut visit = site.visit(path, chart);
        visit.waits.load = Duration::from_secs(2);
        visit.waits.locate = Duration::from_secs(5);
        browser.picture(&visit).await.unwrap_err()
    };
    let endless = error("/endless").await;
    let words = "1 charts were still loading after 2 s: Slow one";
    assert!(matches!(&endless, BrowserError::TimedOut(text) if text == words), "{endless}");
    let other = error("/other").await.to_string();
    assert!(other.contains("within 5 s") && other.contains("another page"), "{other}");
    let refused = error("/refused").await;
    assert!(
        matches!(&refused, BrowserError::Failed(text) if text.contains("HTTP 403: not for you")),
        "{refused}"
    );
    let nobody = Visit { url: "http://127.0.0.1:1/".into(), ..site.visit("/", chart) };
    let blocked = browser.picture(&nobody).await.unwrap_err();
    assert!(matches!(blocked, BrowserError::Failed(_)), "{blocked}");
    assert_eq!(browser.starts(), 1, "a page that is wrong is no reason to start anew");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reaches_no_other_server() {
    let Some(browser) = browser(|_| {}) else { return };
    let connections = Arc::new(AtomicUsize::new(0));
    let secret = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = secret.local_addr().unwrap().port();
    let counted = connections.clone();
    tokio::spawn(async move {
        while secret.accept().await.is_ok() {
            counted.fetch_add(1, SeqCst);
        }
    });
    let page = format!(
        r#"<div class="chart-container" style="height:99px"></div>
        <img src="http://127.0.0.1:{port}/a.png"><img src="http://localhost:{port}/b.png">
        <iframe src="http://127.0.0.1:{port}/c"></iframe><link rel="stylesheet" href="http://[::1]:{port}/d.css">
        <script>fetch('http://127.0.0.1:{port}/e').catch(() => 0); open('http://127.0.0.1:{port}/f');
        new Worker(URL.createObjectURL(new Blob(['fetch("http://localhost:{port}/g")'])));
        navigator.sendBeacon('http://localhost:{port}/h')</script>"#
    );
    let site = Site::start(vec![("/page", 200, page)]).await;
    browser.picture(&site.visit("/page", Subject::Element("chart-container"))).await.unwrap();
    assert_eq!(connections.load(SeqCst), 0);
    browser.close().await;
}

/// The process group of the Chromium that this process has started with an argument.
fn group_of(mark: &str) -> Option<Pid> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let group = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()).find(|id| {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        // its children have a type; the shell before it has the script
        line.contains(mark) && !line.contains("--type=") && !line.contains("exec ")
    })?;
    Pid::from_raw(group)
}

async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chromium_that_dies_is_started_anew() {
    let mark = format!("--lang=de-x-{}", std::process::id());
    let Some(browser) = browser(|settings| settings.arguments = vec![mark.clone()]) else { return };
    let site = Site::start(vec![("/chart", 200, CHART.to_owned())]).await;
    let visit = site.visit("/chart", Subject::Element("chart-container"));
    let browser = Arc::new(browser);
    let working = tokio::spawn({
        let (browser, visit) = (browser.clone(), visit.clone());
        async move { browser.picture(&visit).await }
    });
    // it is killed while the page is open
    wait_for("a page", async || (!site.asked.lock().is_empty()).then_some(())).await;
    kill_process_group(group_of(&mark).unwrap(), Signal::KILL).unwrap();
    working.await.unwrap().unwrap();
    assert_eq!(browser.starts(), 2);
    browser.close().await;
    wait_for("all gone", async || group_of(&mark).is_none().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chromium_that_hangs_is_ended() {
    let mark = format!("--lang=fr-x-{}", std::process::id());
    let Some(browser) = browser(|settings| settings.arguments = vec![mark.clone()]) else { return };
    let site = Site::start(vec![("/chart", 200, CHART.to_owned())]).await;
    let visit = site.visit("/chart", Subject::Element("chart-container"));
    browser.picture(&visit).await.unwrap();
    kill_process_group(group_of(&mark).unwrap(), Signal::STOP).unwrap();
    let zero = Waits {
        open: Duration::from_secs(1),
        locate: Duration::ZERO,
        load: Duration::ZERO,
        settle: Duration::ZERO,
    };
    let began = Instant::now();
    let error = browser.picture(&Visit { waits: zero, ..visit.clone() }).await.unwrap_err();
    assert!(matches!(error, BrowserError::TimedOut(_)), "{error}");
    assert!(began.elapsed() < zero.together() + Duration::from_secs(60));
    browser.picture(&visit).await.unwrap();
    assert_eq!(browser.starts(), 2);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chromium_that_grows_is_ended_and_an_idle_one_too() {
    let Some(greedy) = browser(|settings| settings.max_mb = 10) else { return };
    let site = Site::start(vec![("/chart", 200, CHART.replace("700", "20000"))]).await;
    let error = greedy.picture(&site.visit("/chart", Subject::Element("chart-container"))).await.unwrap_err();
    assert!(error.to_string().contains("more than BROWSER_MAX_MB = 10"), "{error}");
    assert!(greedy.starts() <= 2, "tried once more, not for ever");
    let Some(idle) = browser(|settings| settings.idle = Duration::from_millis(1)) else { return };
    let site = Site::start(vec![("/chart", 200, CHART.to_owned())]).await;
    idle.picture(&site.visit("/chart", Subject::Element("chart-container"))).await.unwrap();
    wait_for("idle", async || (!idle.is_running().await).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_no_chromium_is_told() {
    for (program, words) in
        [("/nowhere/chromium", "apt install chromium"), ("/bin/false", "could not be started")]
    {
        let settings = BrowserSettings {
            program: Some(program.into()),
            arguments: Vec::new(),
            pages: 1,
            idle: Duration::from_secs(1),
            max_mb: 1_000,
        };
        let site = Site::start(Vec::new()).await;
        let visit = site.visit("/", Subject::Page("standalone"));
        let error = Browser::new(settings).picture(&visit).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
