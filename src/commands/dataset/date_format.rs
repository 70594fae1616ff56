//! Date formats of columns (`superset.datasets.schemas:validate_python_date_format`).

use chrono::NaiveDateTime;

/// `epoch_s`, `epoch_ms`, or a `strftime` format whose output is a date of ISO 8601.
pub fn is_date_format(format: &str, now: NaiveDateTime) -> bool {
    matches!(format, "epoch_s" | "epoch_ms") || is_iso(&query::build_sql::strftime(now, format))
}

/// `dateutil.parser.isoparse` reads the text.
fn is_iso(text: &str) -> bool {
    if !text.is_ascii() {
        return false;
    }
    date_ends(text).iter().any(|end| {
        let rest = &text[*end..];
        match rest.chars().next() {
            None => true,
            // any one character that is no digit stands between date and time
            Some(c) if !c.is_ascii_digit() => is_time(&rest[1..]),
            Some(_) => false,
        }
    })
}

fn number(text: &str, range: std::ops::Range<usize>, bounds: std::ops::RangeInclusive<u32>) -> bool {
    let digits = text.get(range).filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|t| t.parse().ok()).is_some_and(|n| bounds.contains(&n))
}

/// Where a date at the beginning may end.
fn date_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    if !number(text, 0..4, 1..=9999) {
        return ends;
    }
    let dash = text[4..].starts_with('-');
    let at = |i: usize| if dash { i + 1 } else { i };
    let separated = |i: usize| !dash || text.get(i..=i) == Some("-");
    if text[at(4)..].starts_with('W') {
        if number(text, at(5)..at(5) + 2, 1..=53) {
            let end = at(5) + 2;
            ends.push(end);
            let day = if dash { end + 1 } else { end };
            if separated(end) && number(text, day..day + 1, 1..=7) {
                ends.push(day + 1);
            }
        }
    } else if number(text, at(4)..at(4) + 2, 1..=12) {
        let end = at(4) + 2;
        let day = if dash { end + 1 } else { end };
        if dash {
            ends.push(end);
        }
        if separated(end) && number(text, day..day + 2, 1..=31) {
            ends.push(day + 2);
        }
    }
    if number(text, at(4)..at(4) + 3, 1..=366) {
        ends.push(at(4) + 3);
    }
    ends.push(4);
    ends
}

/// `HH`, `HH:MM`, `HHMM`, … with a fraction and an offset.
fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(i) => text.split_at(i),
        None => (text, ""),
    };
    let zone_ok = match zone.chars().next() {
        None | Some('Z' | 'z') => zone.len() <= 1,
        Some(_) => is_clock(&zone[1..], 23, 2),
    };
    let (whole, fraction) = match clock.find(['.', ',']) {
        Some(i) => (&clock[..i], Some(&clock[i + 1..])),
        None => (clock, None),
    };
    let seconds = whole.bytes().filter(u8::is_ascii_digit).count() == 6;
    let fraction_ok = fraction
        .is_none_or(|f| seconds && (1..=6).contains(&f.len()) && f.bytes().all(|b| b.is_ascii_digit()));
    zone_ok && fraction_ok && is_clock(whole, 24, 3)
}

/// Up to `parts` numbers of two digits, all with or all without colons.
fn is_clock(text: &str, hours: u32, parts: usize) -> bool {
    let pieces: Vec<&str> = if text.contains(':') {
        text.split(':').collect()
    } else {
        (0..text.len()).step_by(2).filter_map(|i| text.get(i..(i + 2).min(text.len()))).collect()
    };
    let fits = |(i, piece): (usize, &&str)| {
        piece.len() == 2 && number(piece, 0..2, 0..=if i == 0 { hours } else { 59 })
    };
    !pieces.is_empty() && pieces.len() <= parts && pieces.iter().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_make_iso_dates() {
        let now = chrono::NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(13, 4, 5).unwrap();
        for good in [
            "epoch_s",
            "epoch_ms",
            "%Y-%m-%d",
            "%Y",
            "%Y-%m",
            "%Y%m%d",
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%d %H:%M:%S.%f",
            "%Y%m%d %H%M%SZ",
        ] {
            assert!(is_date_format(good, now), "{good}");
        }
        for bad in ["", "%d/%m/%Y", "x", "%Y-%m-%d %", "%H:%M", "%Y-%m-%dT%H:%M:%S foo", "é%Y", "%"] {
            assert!(!is_date_format(bad, now), "{bad}");
        }
    }
}
