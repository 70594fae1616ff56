//! `datetime`, `time`.

use chrono::{
    DateTime, Datelike, Local, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike, Utc,
};
use ruff_text_size::TextSize;

use super::{
    error::{Done, Problem},
    interp::Interp,
    text::isoformat,
    value::{Arguments, Value},
};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

pub(super) const METHODS: &[&str] = &[
    "total_seconds",
    "isoformat",
    "strftime",
    "date",
    "time",
    "timestamp",
    "weekday",
    "isoweekday",
    "replace",
    "astimezone",
    "utcoffset",
    "timetuple",
    "toordinal",
];

pub(super) fn constant(name: &str) -> Option<Value> {
    Some(match name.strip_prefix("datetime.")? {
        "timezone.utc" | "UTC" => Value::known("datetime.timezone.utc"),
        "timedelta.max" => Value::Timedelta(i64::MAX),
        "datetime.datetime" | "datetime.timedelta" | "datetime.date" | "datetime.timezone" => {
            // `import datetime as d; d.datetime.now()` and `from datetime import datetime`
            return None;
        }
        _ => return None,
    })
}

/// Seconds from UTC of a time zone that is given as an argument.
fn offset_of(zone: Option<&Value>, at: NaiveDateTime) -> Option<i32> {
    match zone? {
        Value::Known(name) if name.ends_with(".utc") || name.ends_with("UTC") => Some(0),
        Value::Timedelta(t) => i32::try_from(t / SECOND).ok(),
        Value::Record(record) => {
            let name = record.attributes.lock().get("name").map(Value::to_text)?;
            let zone: chrono_tz::Tz = name.parse().ok()?;
            Some(zone.offset_from_utc_datetime(&at).fix().local_minus_utc())
        }
        _ => None,
    }
}

fn now(zone: Option<&Value>) -> Value {
    let utc = Utc::now().naive_utc();
    match offset_of(zone, utc) {
        Some(offset) => Value::Datetime(utc + chrono::Duration::seconds(i64::from(offset)), Some(offset)),
        None => Value::Datetime(Local::now().naive_local(), None),
    }
}

pub(super) fn call(
    interp: &mut Interp<'_>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let args = &arguments.positional[..];
    let number = |i: usize, n: &str| arguments.get(i, n).and_then(Value::number);
    let wrong = |interp: &Interp<'_>, text: &str| Some(interp.raise(Problem::safe("ValueError", text), at));
    if let Some(function) = name.strip_prefix("time.") {
        return Some(Ok(match function {
            "time" => Value::Float(Utc::now().timestamp_micros() as f64 / 1e6),
            "monotonic" | "perf_counter" => Value::Float(Utc::now().timestamp_micros() as f64 / 1e6),
            "strftime" => {
                let now = Local::now().naive_local();
                return Some(
                    interp.or_raise(strftime(now, None, &args.first()?.to_text()), at).map(Value::text),
                );
            }
            "sleep" | "tzset" => Value::None,
            _ => return None,
        }));
    }
    if matches!(name, "pytz.timezone" | "zoneinfo.ZoneInfo" | "dateutil.tz.gettz") {
        let zone = args.first()?.to_text();
        return match crate::timezone::is_known(&zone) {
            true => Some(Ok(Value::record(
                "timezone",
                [("name", Value::text(&zone)), ("key", Value::text(&zone))],
            ))),
            false => Some(interp.raise(Problem::safe("ValueError", "no such time zone"), at)),
        };
    }
    let function = name.strip_prefix("datetime.")?;
    let function = function.strip_prefix("datetime.").map_or_else(
        || if function == "datetime" { "new" } else { function },
        |inner| if inner == "datetime" { "new" } else { inner },
    );
    Some(Ok(match function {
        "timedelta" => match timedelta(arguments) {
            Some(t) => Value::Timedelta(t),
            None => return Some(interp.raise(Problem::kind("timedelta() needs numbers"), at)),
        },
        "timezone" => args.first()?.clone(),
        "now" | "datetime.now" => now(arguments.get(0, "tz")),
        "today" => now(None),
        "utcnow" => Value::Datetime(Utc::now().naive_utc(), None),
        "date.today" => Value::Date(Local::now().date_naive()),
        "new" => {
            let part = |i: usize, n: &str, default: u32| number(i, n).map_or(default, |f| f as u32);
            let date =
                NaiveDate::from_ymd_opt(number(0, "year")? as i32, part(1, "month", 1), part(2, "day", 1));
            let time = NaiveTime::from_hms_micro_opt(
                part(3, "hour", 0),
                part(4, "minute", 0),
                part(5, "second", 0),
                part(6, "microsecond", 0),
            );
            match (date, time) {
                (Some(date), Some(time)) => {
                    let t = date.and_time(time);
                    Value::Datetime(t, offset_of(arguments.get(7, "tzinfo"), t))
                }
                _ => return wrong(interp, "a date out of range"),
            }
        }
        "date" => {
            let part = |i: usize, n: &str| number(i, n).map_or(1, |f| f as u32);
            match NaiveDate::from_ymd_opt(number(0, "year")? as i32, part(1, "month"), part(2, "day")) {
                Some(date) => Value::Date(date),
                None => return wrong(interp, "a date out of range"),
            }
        }
        "fromtimestamp" | "utcfromtimestamp" => {
            let seconds = number(0, "timestamp")?;
            let utc = DateTime::from_timestamp_micros((seconds * 1e6) as i64)?.naive_utc();
            match (function, offset_of(arguments.get(1, "tz"), utc)) {
                ("utcfromtimestamp", _) => Value::Datetime(utc, None),
                (_, Some(o)) => Value::Datetime(utc + chrono::Duration::seconds(o.into()), Some(o)),
                _ => Value::Datetime(Local.from_utc_datetime(&utc).naive_local(), None),
            }
        }
        "fromisoformat" | "date.fromisoformat" => {
            let text = args.first()?.to_text();
            match (parse_iso(&text), NaiveDate::parse_from_str(&text, "%Y-%m-%d")) {
                (_, Ok(date)) if function == "date.fromisoformat" => Value::Date(date),
                (Some((t, o)), _) => Value::Datetime(t, o),
                _ => return wrong(interp, "not a date in ISO format"),
            }
        }
        "strptime" => {
            let (text, format) = (args.first()?.to_text(), args.get(1)?.to_text());
            let whole = NaiveDateTime::parse_from_str(&text, &format)
                .or_else(|_| NaiveDate::parse_from_str(&text, &format).map(|d| d.and_time(NaiveTime::MIN)));
            match whole {
                Ok(t) => Value::Datetime(t, None),
                Err(_) => return wrong(interp, "the time does not have that format"),
            }
        }
        "combine" | "min" | "max" => return None,
        _ => return None,
    }))
}

fn parse_iso(text: &str) -> Option<(NaiveDateTime, Option<i32>)> {
    if let Ok(t) = DateTime::parse_from_rfc3339(text) {
        return Some((t.naive_local(), Some(t.offset().local_minus_utc())));
    }
    let text = text.replacen(' ', "T", 1);
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let time = formats.iter().find_map(|f| NaiveDateTime::parse_from_str(&text, f).ok());
    let date = || NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().map(|d| d.and_time(NaiveTime::MIN));
    time.or_else(date).map(|t| (t, None))
}

/// Microseconds of `timedelta(…)`.
fn timedelta(arguments: &Arguments) -> Option<i64> {
    let units = [
        ("days", 86400.0),
        ("seconds", 1.0),
        ("microseconds", 1e-6),
        ("milliseconds", 1e-3),
        ("minutes", 60.0),
        ("hours", 3600.0),
        ("weeks", 604_800.0),
    ];
    let mut seconds = 0.0;
    for (value, (_, unit)) in arguments.positional.iter().zip(units) {
        seconds += value.number()? * unit;
    }
    for (key, value) in &arguments.named {
        seconds += value.number()? * units.iter().find(|(name, _)| name == key)?.1;
    }
    Some((seconds * 1e6).round() as i64)
}

/// `datetime.strftime(format)`.
pub(super) fn strftime(t: NaiveDateTime, offset: Option<i32>, format: &str) -> Result<String, Problem> {
    use std::fmt::Write as _;
    let items: Vec<_> = chrono::format::StrftimeItems::new(&format.replace("%f", "%6f"))
        .map(|item| item.to_owned())
        .collect();
    let zone = chrono::FixedOffset::east_opt(offset.unwrap_or(0));
    let mut out = String::new();
    let done = match zone.and_then(|z| z.from_local_datetime(&t).single()) {
        Some(t) => write!(out, "{}", t.format_with_items(items.iter())),
        None => write!(out, "{}", t.format_with_items(items.iter())),
    };
    done.map(|()| out).map_err(|_| Problem::safe("ValueError", "a format that is not understood"))
}

/// Attributes of times.
pub(super) fn member(value: &Value, name: &str) -> Option<Value> {
    let int = |i: i64| Some(Value::Int(i.into()));
    match value {
        Value::Timedelta(t) => match name {
            "days" => int(t.div_euclid(DAY)),
            "seconds" => int(t.rem_euclid(DAY) / SECOND),
            "microseconds" => int(t.rem_euclid(SECOND)),
            _ => None,
        },
        Value::Datetime(t, offset) => match name {
            "hour" => int(t.hour().into()),
            "minute" => int(t.minute().into()),
            "second" => int(t.second().into()),
            "microsecond" => int((t.nanosecond() / 1000).into()),
            "tzinfo" => Some(offset.map_or(Value::None, |o| Value::Timedelta(i64::from(o) * SECOND))),
            _ => member(&Value::Date(t.date()), name),
        },
        Value::Date(d) => match name {
            "year" => int(d.year().into()),
            "month" => int(d.month().into()),
            "day" => int(d.day().into()),
            _ => None,
        },
        _ => None,
    }
}

/// Methods of times.
pub(super) fn method(
    interp: &mut Interp<'_>,
    value: &Value,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let (t, offset) = match value {
        Value::Timedelta(t) if name == "total_seconds" => return Some(Ok(Value::Float(*t as f64 / 1e6))),
        Value::Datetime(t, offset) => (*t, *offset),
        Value::Date(d) => (d.and_time(NaiveTime::MIN), None),
        _ => return None,
    };
    let is_date = matches!(value, Value::Date(_));
    Some(Ok(match name {
        "isoformat" if is_date => Value::text(t.date().to_string()),
        "isoformat" => {
            let between = arguments.text(0, "sep").and_then(|s| s.chars().next()).unwrap_or('T');
            Value::text(isoformat(t, offset, between))
        }
        "strftime" => {
            let format = arguments.text(0, "format")?;
            return Some(interp.or_raise(strftime(t, offset, &format), at).map(Value::text));
        }
        "date" => Value::Date(t.date()),
        "weekday" => Value::Int(t.weekday().num_days_from_monday().into()),
        "isoweekday" => Value::Int(t.weekday().number_from_monday().into()),
        "timestamp" => {
            let utc = match offset {
                Some(o) => t - chrono::Duration::seconds(o.into()),
                None => Local.from_local_datetime(&t).earliest()?.naive_utc(),
            };
            Value::Float(utc.and_utc().timestamp_micros() as f64 / 1e6)
        }
        "replace" => {
            let part =
                |n: &str, own: u32| arguments.named(n).and_then(Value::integer).map_or(own, |i| i as u32);
            let year = arguments.named("year").and_then(Value::integer).map_or(t.year(), |y| y as i32);
            let date = NaiveDate::from_ymd_opt(year, part("month", t.month()), part("day", t.day()));
            let time = NaiveTime::from_hms_micro_opt(
                part("hour", t.hour()),
                part("minute", t.minute()),
                part("second", t.second()),
                part("microsecond", t.nanosecond() / 1000),
            );
            let (Some(date), Some(time)) = (date, time) else {
                return Some(interp.raise(Problem::safe("ValueError", "a date out of range"), at));
            };
            if is_date {
                return Some(Ok(Value::Date(date)));
            }
            let t = date.and_time(time);
            let offset = match arguments.named("tzinfo") {
                None => offset,
                zone => offset_of(zone, t),
            };
            Value::Datetime(t, offset)
        }
        "astimezone" => {
            let utc = match offset {
                Some(o) => t - chrono::Duration::seconds(o.into()),
                None => Local.from_local_datetime(&t).earliest()?.naive_utc(),
            };
            let offset = offset_of(arguments.get(0, "tz"), utc)
                .unwrap_or_else(|| Local.offset_from_utc_datetime(&utc).local_minus_utc());
            Value::Datetime(utc + chrono::Duration::seconds(offset.into()), Some(offset))
        }
        _ => return None,
    }))
}
