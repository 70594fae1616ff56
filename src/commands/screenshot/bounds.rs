//! Sizes and waits of pictures: `WEBDRIVER_WINDOW`, `SCREENSHOT_*`.

use std::time::Duration;

use infra::{
    browser::{Details, Tiling, Waits},
    config::Config,
};
use serde_json::Value;

use super::{Page, PageKind};

/// Pixels that the frame of Chrome's window takes of its height: Selenium sizes the window, not the page.
const FRAME: u32 = 143;
/// No side of a window is longer.
const LONGEST: u32 = 10_000;

/// The size of the page in CSS pixels. With `WEBDRIVER_TYPE = "chrome"` and Selenium it is lower than the window, so
/// that pictures are as high as they were; else it is the window (`superset.utils.webdriver:WebDriverPlaywright`).
pub(super) fn window(config: &Config, page: &Page) -> (u32, u32) {
    let (width, height) = page.window.unwrap_or_else(|| configured(config, page.kind));
    let selenium =
        config.str("WEBDRIVER_TYPE") == "chrome" && !config.flag("PLAYWRIGHT_REPORTS_AND_THUMBNAILS");
    let height = if selenium { height.saturating_sub(FRAME) } else { height };
    (width.clamp(1, LONGEST), height.clamp(1, LONGEST))
}

fn configured(config: &Config, kind: PageKind) -> (u32, u32) {
    let (key, default) = match kind {
        PageKind::Chart => ("slice", (3000, 1200)),
        PageKind::Dashboard => ("dashboard", (1600, 2000)),
    };
    let sides = config.get("WEBDRIVER_WINDOW").get(key).and_then(Value::as_array);
    let side = |n: usize| u32::try_from(sides?.get(n)?.as_u64()?).ok();
    side(0).zip(side(1)).unwrap_or(default)
}

/// Pixels of the picture for one of CSS.
pub(super) fn scale(config: &Config) -> f64 {
    let density = config.get("WEBDRIVER_WINDOW").get("pixel_density").and_then(Value::as_f64);
    density.filter(|density| (0.1..=4.0).contains(density)).unwrap_or(1.0)
}

fn time(config: &Config, key: &str, default: f64, unit: f64) -> Duration {
    let time = config.get(key).as_f64().unwrap_or(default) / unit;
    Duration::try_from_secs_f64(time.clamp(0.0, 3_600.0)).unwrap_or_default()
}

/// Whether failures are shown with their whole text (`SCREENSHOT_REPLACE_UNEXPECTED_ERRORS`).
pub(super) fn details(config: &Config) -> Option<Details> {
    config.bool("SCREENSHOT_REPLACE_UNEXPECTED_ERRORS").then(|| Details {
        visible: time(config, "SCREENSHOT_WAIT_FOR_ERROR_MODAL_VISIBLE", 5.0, 1.0),
        invisible: time(config, "SCREENSHOT_WAIT_FOR_ERROR_MODAL_INVISIBLE", 5.0, 1.0),
    })
}

/// The original sleeps; here its times are how long is waited at most.
pub(super) fn waits(config: &Config) -> Waits {
    let time = |key: &str, default: f64, unit: f64| time(config, key, default, unit);
    Waits {
        open: time("SCREENSHOT_PLAYWRIGHT_DEFAULT_TIMEOUT", 60_000.0, 1_000.0),
        locate: time("SCREENSHOT_SELENIUM_HEADSTART", 3.0, 1.0) + time("SCREENSHOT_LOCATE_WAIT", 10.0, 1.0),
        load: time("SCREENSHOT_LOAD_WAIT", 60.0, 1.0),
        settle: time("SCREENSHOT_SELENIUM_ANIMATION_WAIT", 5.0, 1.0),
    }
}

/// When a dashboard is taken piece by piece.
pub(super) fn tiling(config: &Config) -> Option<Tiling> {
    let number =
        |key: &str, default: u32| config.int(key).and_then(|n| u32::try_from(n).ok()).unwrap_or(default);
    config.get("SCREENSHOT_TILED_ENABLED").as_bool().unwrap_or(true).then(|| Tiling {
        charts: number("SCREENSHOT_TILED_CHART_THRESHOLD", 20).into(),
        height: number("SCREENSHOT_TILED_HEIGHT_THRESHOLD", 5_000),
        tile: number("SCREENSHOT_TILED_VIEWPORT_HEIGHT", 2_000),
    })
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;

    fn config(keys: &[(&str, Value)]) -> Config {
        Config::with(keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect::<IndexMap<_, _>>())
    }

    fn page(kind: PageKind, window: Option<(u32, u32)>) -> Page {
        Page { path: "/".into(), kind, window }
    }

    #[test]
    fn the_page_is_the_window_except_with_selenium_and_chrome() {
        let plain = config(&[]);
        assert_eq!(window(&plain, &page(PageKind::Chart, None)), (3000, 1200));
        assert_eq!(window(&plain, &page(PageKind::Dashboard, None)), (1600, 2000));
        assert_eq!(window(&plain, &page(PageKind::Chart, Some((800, 600)))), (800, 600));
        assert_eq!(window(&plain, &page(PageKind::Chart, Some((0, u32::MAX)))), (1, LONGEST));
        let chrome = config(&[("WEBDRIVER_TYPE", json!("chrome"))]);
        assert_eq!(window(&chrome, &page(PageKind::Chart, Some((800, 600)))), (800, 457));
        assert_eq!(window(&chrome, &page(PageKind::Chart, Some((100, 100)))), (100, 1));
        let own = json!({"slice": [100, 200], "dashboard": "wide", "pixel_density": 2});
        let own = config(&[("WEBDRIVER_WINDOW", own)]);
        assert_eq!((window(&own, &page(PageKind::Chart, None)), scale(&own)), ((100, 200), 2.0));
        assert_eq!(window(&own, &page(PageKind::Dashboard, None)), (1600, 2000));
    }

    #[test]
    fn waits_are_those_of_the_original() {
        let waits =
            waits(&config(&[("SCREENSHOT_LOAD_WAIT", json!(7)), ("SCREENSHOT_LOCATE_WAIT", json!(-1))]));
        let seconds = [waits.open, waits.locate, waits.load, waits.settle].map(|time| time.as_secs());
        assert_eq!(seconds, [60, 3, 7, 5]);
        assert_eq!(tiling(&config(&[("SCREENSHOT_TILED_ENABLED", json!(false))])), None);
        assert_eq!(tiling(&config(&[])), Some(Tiling { charts: 20, height: 5_000, tile: 2_000 }));
    }
}
