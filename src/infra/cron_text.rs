//! Cron expressions in English, as the Python package cron-descriptor says them.

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// "At 09:00 AM, only on Monday"; the expression itself when it has not five fields.
pub fn describe(expression: &str) -> String {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else { return expression.to_owned() };
    let mut text = time(minute, hour);
    text.push_str(&segment(
        day,
        |v| v.to_owned(),
        ", every day",
        |v| format!(", on day {v} of the month"),
        |a, b| format!(", between day {a} and {b} of the month"),
        |n| format!(", every {n} days"),
    ));
    text.push_str(&segment(
        weekday,
        |v| named(v, &DAYS, 0),
        ", every day",
        |v| format!(", only on {v}"),
        |a, b| format!(", {a} through {b}"),
        |n| format!(", every {n} days of the week"),
    ));
    text.push_str(&segment(
        month,
        |v| named(v, &MONTHS, 1),
        "",
        |v| format!(", only in {v}"),
        |a, b| format!(", {a} through {b}"),
        |n| format!(", every {n} months"),
    ));
    for noise in [", every minute", ", every hour", ", every day"] {
        text = text.replace(noise, "");
    }
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn time(minute: &str, hour: &str) -> String {
    let special = |f: &str| f.contains(['*', ',', '-', '/']);
    if !special(minute) && !special(hour) {
        return format!("at {}", clock(hour, minute));
    }
    if minute.contains('-') && !minute.contains([',', '/']) && !special(hour) {
        let (from, to) = minute.split_once('-').unwrap_or((minute, minute));
        return format!("every minute between {} and {}", clock(hour, from), clock(hour, to));
    }
    if hour.contains(',') && !hour.contains(['-', '/', '*']) && !special(minute) {
        let times: Vec<String> = hour.split(',').map(|h| clock(h, minute)).collect();
        return format!("at {}", joined(&times));
    }
    let minutes = segment(
        minute,
        |v| v.to_owned(),
        "every minute",
        |v| if v == "0" { String::new() } else { format!("at {v} minutes past the hour") },
        |a, b| format!("minutes {a} through {b} past the hour"),
        |n| format!("every {n} minutes"),
    );
    let hours = segment(
        hour,
        |v| v.to_owned(),
        "every hour",
        |v| {
            let times: Vec<String> =
                v.split(" and ").flat_map(|v| v.split(", ")).map(|h| clock(h, "0")).collect();
            format!("at {}", joined(&times))
        },
        |a, b| format!("between {} and {}", clock(a, "0"), clock(b, "59")),
        |n| format!("every {n} hours"),
    );
    if minutes.is_empty() { hours } else { format!("{minutes}, {hours}") }
}

fn segment(
    field: &str,
    name: impl Fn(&str) -> String,
    all: &str,
    single: impl Fn(&str) -> String,
    between: impl Fn(&str, &str) -> String,
    every: impl Fn(&str) -> String,
) -> String {
    if field == "*" || field == "?" {
        return all.to_owned();
    }
    if let Some((range, step)) = field.split_once('/') {
        let every = every(step);
        return match range.split_once('-') {
            Some((a, b)) => format!("{every}{}", between(&name(a), &name(b))),
            None => every,
        };
    }
    if field.contains(',') {
        let names: Vec<String> =
            field.split(',').map(|f| f.split('-').map(&name).collect::<Vec<_>>().join(" through ")).collect();
        return single(&joined(&names));
    }
    match field.split_once('-') {
        Some((a, b)) => between(&name(a), &name(b)),
        None => single(&name(field)),
    }
}

fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn named(value: &str, names: &[&str], first: usize) -> String {
    if let Ok(n) = value.parse::<usize>() {
        let at = if first == 0 { n % 7 } else { n.saturating_sub(first) };
        return names.get(at).map_or_else(|| value.to_owned(), |n| (*n).to_owned());
    }
    let found = names.iter().find(|n| n.get(..3).is_some_and(|n| n.eq_ignore_ascii_case(value)));
    found.map_or_else(|| value.to_owned(), |n| (*n).to_owned())
}

/// `09:00 AM`.
fn clock(hour: &str, minute: &str) -> String {
    let (Ok(h), Ok(m)) = (hour.parse::<u32>(), minute.parse::<u32>()) else {
        return format!("{hour}:{minute}");
    };
    let half = if h % 24 >= 12 { "PM" } else { "AM" };
    let h = if h % 12 == 0 { 12 } else { h % 12 };
    format!("{h:02}:{m:02} {half}")
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn as_cron_descriptor_says() {
        for (cron, want) in [
            ("* * * * *", "Every minute"),
            ("0 * * * *", "Every hour"),
            ("*/5 * * * *", "Every 5 minutes"),
            ("0 9 * * *", "At 09:00 AM"),
            ("30 14 * * 1", "At 02:30 PM, only on Monday"),
            ("0 9 * * 1-5", "At 09:00 AM, Monday through Friday"),
            ("0 0 1 * *", "At 12:00 AM, on day 1 of the month"),
            ("0 12 * 1 *", "At 12:00 PM, only in January"),
            ("0 8,12 * * *", "At 08:00 AM and 12:00 PM"),
            ("bad", "bad"),
        ] {
            assert_eq!(describe(cron), want, "{cron}");
        }
    }
}
