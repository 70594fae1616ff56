//! The log in a file as well, a new one each day or so (`ENABLE_TIME_ROTATE`; Python's `TimedRotatingFileHandler`).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Datelike, Days, Local, NaiveDateTime, TimeDelta};
use infra::config::Config;

/// The file of this process; none is written without it.
static FILE: Mutex<Option<Rotating>> = Mutex::new(None);

/// When a new file is begun (`ROLLOVER`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rollover {
    Seconds(i64),
    /// At the end of the day.
    Midnight,
    /// At the end of the day before this one, counted from Monday.
    Weekday(u32),
}

impl Rollover {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "S" => Self::Seconds(1),
            "M" => Self::Seconds(60),
            "H" => Self::Seconds(3600),
            "D" => Self::Seconds(86_400),
            "MIDNIGHT" => Self::Midnight,
            day => Self::Weekday(day.strip_prefix('W')?.parse().ok().filter(|day| *day < 7)?),
        })
    }

    /// The moment after one at which the next file begins.
    fn after(self, now: NaiveDateTime, interval: i64) -> NaiveDateTime {
        let days = |count: u64| {
            let date = now.date().checked_add_days(Days::new(count)).unwrap_or(now.date());
            date.and_hms_opt(0, 0, 0).unwrap_or(now)
        };
        match self {
            Self::Seconds(unit) => now + TimeDelta::seconds(unit.saturating_mul(interval).min(1 << 40)),
            Self::Midnight => days(interval.unsigned_abs().min(36_500)),
            // the day itself is part of the file
            Self::Weekday(day) => days(u64::from((day + 7 - now.weekday().num_days_from_monday()) % 7) + 1),
        }
    }

    /// How the time stands in the names of older files.
    fn suffix(self) -> &'static str {
        match self {
            Self::Seconds(..60) => "%Y-%m-%d_%H-%M-%S",
            Self::Seconds(..3600) => "%Y-%m-%d_%H-%M",
            Self::Seconds(..86_400) => "%Y-%m-%d_%H",
            _ => "%Y-%m-%d",
        }
    }
}

struct Rotating {
    path: PathBuf,
    rollover: Rollover,
    /// Units of it.
    interval: i64,
    /// Older files that are kept; all when it is 0.
    keep: usize,
    file: File,
    begun: NaiveDateTime,
    until: NaiveDateTime,
}

fn file() -> MutexGuard<'static, Option<Rotating>> {
    FILE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Rotating {
    fn new(path: PathBuf, rollover: Rollover, interval: i64, keep: usize) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // what is there already goes on as if it had been written without an end
        let changed = fs::metadata(&path).and_then(|m| m.modified()).map(DateTime::<Local>::from);
        let begun = changed.unwrap_or_else(|_| Local::now()).naive_local();
        let interval = interval.max(1);
        let until = rollover.after(begun, interval);
        Ok(Self { file: open(&path)?, path, rollover, interval, keep, begun, until })
    }

    fn write(&mut self, line: &[u8], now: NaiveDateTime) -> io::Result<()> {
        if now >= self.until {
            self.rotate()?;
            (self.begun, self.until) = (now, self.rollover.after(now, self.interval));
        }
        self.file.write_all(line)
    }

    fn rotate(&mut self) -> io::Result<()> {
        let name = format!("{}.{}", self.path.display(), self.begun.format(self.rollover.suffix()));
        fs::rename(&self.path, name)?;
        self.file = open(&self.path)?;
        let mut old = self.old()?;
        let gone = if self.keep == 0 { 0 } else { old.len().saturating_sub(self.keep) };
        old.drain(..gone).try_for_each(fs::remove_file)
    }

    /// Older files, the oldest first.
    fn old(&self) -> io::Result<Vec<PathBuf>> {
        let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let own = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_old = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let suffix = name.strip_prefix(&own).and_then(|rest| rest.strip_prefix('.'));
            suffix.is_some_and(|s| s.starts_with(|c: char| c.is_ascii_digit()) && s.contains('-'))
        };
        let mut found: Vec<PathBuf> =
            fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).filter(is_old).collect();
        found.sort();
        Ok(found)
    }
}

/// Begins to write the file that the configuration names, if it wants one.
pub(super) fn start(config: &Config) {
    if !config.bool("ENABLE_TIME_ROTATE") {
        return;
    }
    let rollover = Rollover::named(config.str("ROLLOVER"));
    let Some(rollover) = rollover else {
        tracing::error!("ROLLOVER is none of S, M, H, D, midnight and W0 to W6: no log file is written");
        return;
    };
    let path = match config.str("FILENAME") {
        // Superset's default, in its own data directory
        "" | "~/.superset/superset.log" => Path::new(config.str("DATA_DIR")).join("superset.log"),
        own => PathBuf::from(own),
    };
    let keep = config.int("BACKUP_COUNT").and_then(|n| usize::try_from(n).ok()).unwrap_or(30);
    match Rotating::new(path.clone(), rollover, config.int("INTERVAL").unwrap_or(1), keep) {
        Ok(rotating) => *file() = Some(rotating),
        Err(error) => tracing::error!(%error, path = %path.display(), "the log file cannot be written"),
    }
}

/// Writes to standard error, and to the file if there is one. What the file does not take ends nothing.
pub(super) struct Both;

impl Write for Both {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(file) = file().as_mut() {
            let _ = file.write(line, Local::now().naive_local());
        }
        io::stderr().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn at(day: u32, hour: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 3, day).unwrap().and_hms_opt(hour, 0, 0).unwrap()
    }

    #[test]
    fn when_the_next_file_begins() {
        let after = |name: &str, interval| Rollover::named(name).unwrap().after(at(4, 13), interval);
        assert_eq!(after("midnight", 1), at(5, 0));
        assert_eq!(after("H", 2), at(4, 15));
        assert_eq!(after("D", 1), at(5, 13));
        // the fourth is a Wednesday
        assert_eq!((after("W2", 1), after("W6", 1), after("W1", 1)), (at(5, 0), at(9, 0), at(11, 0)));
        assert!(Rollover::named("W7").is_none() && Rollover::named("weekly").is_none());
    }

    #[test]
    fn old_files_are_named_by_their_day_and_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/superset.log");
        let mut log = Rotating::new(path.clone(), Rollover::Midnight, 1, 2).unwrap();
        (log.begun, log.until) = (at(1, 9), at(2, 0));
        for day in 1..=5 {
            log.write(format!("{day}\n").as_bytes(), at(day, 9)).unwrap();
            log.write(b"more\n", at(day, 10)).unwrap();
        }
        let mut names: Vec<String> = fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["superset.log", "superset.log.2026-03-03", "superset.log.2026-03-04"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "5\nmore\n");
    }
}
