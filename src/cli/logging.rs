//! The log, on standard error: lines for a person on a terminal, JSON otherwise.
//!
//! `LITESET_LOG` filters it (`debug`, `info,liteset::sql=debug`, …). Every line of a request carries its id.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    borrow::Cow,
    io::{self, IsTerminal, Write},
    panic::PanicHookInfo,
    sync::OnceLock,
};

use infra::config::Config;
use log::LevelFilter;
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use super::log_file::{self, Both};

const VARIABLE: &str = "LITESET_LOG";

/// What is logged when nobody asks for anything else.
const DEFAULT: &str = "info";

/// What a filter says where it does not say otherwise: there is a span of each request, so that the id is in whatever
/// is logged, and libraries with much to say about connections are quiet; the one that speaks with Chromium warns of
/// every event that it does not know.
const ALWAYS: &[(&str, &str)] = &[
    ("liteset::request", "error"),
    ("salvo_core", "warn"),
    ("tiberius", "warn"),
    ("tokio_cron_scheduler", "warn"),
    ("chromiumoxide", "off"),
];

/// Puts a filter in the place of the one in force.
type SetFilter = Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>;

static SET_FILTER: OnceLock<SetFilter> = OnceLock::new();

/// Starts it; from here on panics are lines of it, too.
pub(super) fn start() {
    let wanted = std::env::var(VARIABLE).unwrap_or_default();
    let (filter, mistake) = match filter(&wanted) {
        Ok(filter) => (filter, None),
        Err(mistake) => (filter(DEFAULT).unwrap_or_default(), Some(mistake)),
    };
    // a line that cannot be written, as on a full disk, ends no request: that it could not would be printed to the same
    // place, in vain, and as a panic
    let log = tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false);
    if io::stderr().is_terminal() {
        let log =
            log.with_target(false).with_ansi(false).with_writer(|| Escaped(Both)).with_filter_reloading();
        let handle = log.reload_handle();
        let _ = SET_FILTER.set(Box::new(move |filter| handle.reload(filter).map_err(|e| e.to_string())));
        log.init();
    } else {
        // the list of spans has the request also where a library began one of its own
        let log = log.json().with_current_span(false).with_writer(|| Both).with_filter_reloading();
        let handle = log.reload_handle();
        let _ = SET_FILTER.set(Box::new(move |filter| handle.reload(filter).map_err(|e| e.to_string())));
        log.init();
    }
    // tokio-postgres writes the parameters of statements at debug
    log::set_max_level(log::max_level().min(LevelFilter::Warn));
    if let Some(mistake) = mistake {
        tracing::warn!(mistake, "{VARIABLE} cannot be read: it is taken for {DEFAULT}");
    }
    std::panic::set_hook(Box::new(log_panic));
}

/// What the configuration says of the log: its level (`LOG_LEVEL`), unless the environment filters it, and a file.
pub(super) fn configure(config: &Config) {
    log_file::start(config);
    if std::env::var(VARIABLE).is_ok_and(|wanted| !wanted.trim().is_empty()) {
        return;
    }
    let (key, value) = configured_level(config);
    match level(value) {
        Some(DEFAULT) => {}
        Some(level) => {
            if let (Ok(filter), Some(set)) = (filter(level), SET_FILTER.get()) {
                let _ = set(filter);
            }
        }
        None => tracing::warn!("{key} is no level of Python's logging: {DEFAULT} counts"),
    }
}

/// The key that names the level, and its value.
fn configured_level(config: &Config) -> (&'static str, &Value) {
    let key = if config.bool("ENABLE_TIME_ROTATE") { "TIME_ROTATE_LOG_LEVEL" } else { "LOG_LEVEL" };
    (key, config.get(key))
}

/// A level of Python's `logging`, by its number or its name.
fn level(value: &Value) -> Option<&'static str> {
    let number = match value.as_str() {
        Some(name) => match name.to_ascii_uppercase().as_str() {
            "DEBUG" => 10,
            "INFO" => 20,
            "WARNING" | "WARN" => 30,
            "ERROR" => 40,
            "CRITICAL" | "FATAL" => 50,
            _ => return None,
        },
        None => value.as_i64()?,
    };
    Some(match number {
        0 => DEFAULT,
        ..20 => "debug",
        20..30 => DEFAULT,
        30..40 => "warn",
        _ => "error",
    })
}

/// Puts the filter of a configuration in force (`LOG_FILTER`); without one it is the level of `LOG_LEVEL`. The
/// environment goes before it.
pub(super) fn set_filter(config: &Config) -> Result<(), String> {
    if std::env::var(VARIABLE).is_ok_and(|filter| !filter.trim().is_empty()) {
        return Err(format!("{VARIABLE} is set, which goes before it"));
    }
    let wanted = match config.str("LOG_FILTER") {
        none if none.trim().is_empty() => level(configured_level(config).1).unwrap_or(DEFAULT),
        named => named,
    };
    let filter = filter(wanted).map_err(|mistake| format!("LOG_FILTER cannot be read: {mistake}"))?;
    SET_FILTER.get().map_or(Ok(()), |set| set(filter))
}

fn filter(wanted: &str) -> Result<EnvFilter, String> {
    let mut text = if wanted.trim().is_empty() { DEFAULT } else { wanted }.to_owned();
    for (name, level) in ALWAYS {
        if !wanted.contains(name) {
            text.push_str(&format!(",{name}={level}"));
        }
    }
    EnvFilter::builder().parse(text).map_err(|e| e.to_string())
}

/// A panic in the words of the log. What it says may come from a client: it is a value of the line, which is escaped.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let reason = panic.payload_as_str().unwrap_or("no reason given");
    let place = panic.location().map(ToString::to_string);
    let thread = std::thread::current();
    tracing::error!(reason, place, thread = thread.name(), "panicked");
    // only where RUST_BACKTRACE asks for it
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        trace.to_string().lines().for_each(|line| tracing::error!("{line}"));
    }
}

/// A terminal on which one event is one line, whatever its values hold (T34). There are no colours: the formatter
/// leaves escape characters in values, where they could not be told from its own.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(one_line(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn one_line(event: &str) -> Cow<'_, str> {
    let text = event.strip_suffix('\n').unwrap_or(event);
    if !text.contains(char::is_control) {
        return event.into();
    }
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    (text.chars().map(escape).collect::<String>() + "\n").into()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What subscribers of a test have written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_on_a_terminal() {
        let written = Written::default();
        let out = written.clone();
        let log = tracing_subscriber::fmt().with_env_filter(filter("").unwrap()).with_ansi(false);
        let log = log.with_writer(move || Escaped(out.clone())).finish();
        let forged = "x\r\n2026-01-01 ERROR forged\u{1b}[31m\u{9b}2J";
        tracing::subscriber::with_default(log, || {
            tracing::warn!(shown = %forged, quoted = forged, "{forged}");
            tracing::warn!("next");
        });
        let text = written.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("forged") && text.ends_with("next\n"), "{text}");
        assert!(!text.contains("\u{1b}[31m") && !text.contains('\u{9b}') && !text.contains('\r'), "{text}");
    }

    #[test]
    fn a_panic_is_a_line_with_the_id_of_its_request() {
        let written = Written::default();
        let out = written.clone();
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter("off").unwrap().add_directive("liteset=error".parse().unwrap()));
        let log = log.json().with_current_span(false).with_writer(move || out.clone()).finish();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));
        let result = tracing::subscriber::with_default(log, || {
            let span = tracing::error_span!(target: "liteset::request", "request", id = "abc-1");
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                span.in_scope(|| panic!("told by\n{}", "a client"))
            }))
        });
        std::panic::set_hook(before);
        assert!(result.is_err());
        let line: serde_json::Value = serde_json::from_str(written.text().lines().next().unwrap()).unwrap();
        assert_eq!(line["fields"]["message"], "panicked");
        assert_eq!(line["fields"]["reason"], "told by\na client");
        assert!(line["fields"]["place"].as_str().unwrap().contains("logging.rs"), "{line}");
        assert_eq!(line["spans"][0]["id"], "abc-1");
    }

    #[test]
    fn levels_of_python() {
        let of = |value: Value| level(&value);
        assert_eq!(
            (of(10.into()), of("DEBUG".into()), of(20.into())),
            (Some("debug"), Some("debug"), Some("info"))
        );
        assert_eq!(
            (of("warning".into()), of(35.into()), of(50.into())),
            (Some("warn"), Some("warn"), Some("error"))
        );
        assert_eq!((of("loud".into()), of(Value::Null)), (None, None));
    }

    #[test]
    fn filters_that_cannot_be_read_are_told() {
        assert!(filter("info,[broken").is_err());
        let text = filter("warn,salvo_core=trace").unwrap().to_string();
        assert!(text.contains("salvo_core=trace") && !text.contains("salvo_core=warn"), "{text}");
        assert!(text.contains("liteset::request=error"), "{text}");
    }
}
