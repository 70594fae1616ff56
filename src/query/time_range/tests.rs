//! Differential tests against recorded answers of the original (`tests/golden/time_range/`), and that no input panics.

use chrono::NaiveDateTime;
use serde_json::Value;

use super::*;

fn nows() -> [NaiveDateTime; 2] {
    ["2026-11-20T21:51:39", "2024-02-29T10:15:30"].map(|t| t.parse().unwrap())
}

fn cases(text: &str) -> Vec<(NaiveDateTime, Vec<Value>)> {
    text.lines()
        .map(|line| {
            let row: Vec<Value> = serde_json::from_str(line).unwrap();
            (nows()[usize::try_from(row[0].as_u64().unwrap()).unwrap()], row)
        })
        .collect()
}

fn name(error: &TimeRangeError) -> &'static str {
    match error {
        TimeRangeError::Ambiguous(_) => "TimeRangeAmbiguousError",
        TimeRangeError::ParseFail(_) => "TimeRangeParseFailError",
        TimeRangeError::DeltaAmbiguous(_) => "TimeDeltaAmbiguousError",
        TimeRangeError::Value(_) => "ValueError",
    }
}

/// Errors that the original never meant to raise (`TypeError`, `OverflowError`, …) only have to be errors here.
fn agrees<T>(expected: &Value, got: &Result<T, TimeRangeError>, show: impl Fn(&T) -> Value) -> bool {
    match got {
        Ok(value) => *expected == show(value),
        Err(error) => match expected["error"].as_str() {
            Some(
                "ValueError"
                | "TimeRangeAmbiguousError"
                | "TimeRangeParseFailError"
                | "TimeDeltaAmbiguousError",
            ) => expected["error"] == name(error) && expected["message"] == error.to_string(),
            other => other.is_some(),
        },
    }
}

fn report(wrong: Vec<String>, total: usize) {
    assert!(wrong.is_empty(), "{} of {total} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn phrases_read_as_the_original_reads_them() {
    let all = cases(include_str!("../../../tests/golden/time_range/phrases.jsonl"));
    let total = all.len();
    let wrong = all.into_iter().filter_map(|(now, row)| {
        let got = parse_human_datetime(row[1].as_str().unwrap(), now);
        (!agrees(&row[2], &got, |m| m.isoformat().into()))
            .then(|| format!("{now} {:?}: {} but {:?}", row[1], row[2], got.map(|m| m.isoformat())))
    });
    report(wrong.collect(), total);
}

#[test]
fn deltas_move_as_in_the_original() {
    let all = cases(include_str!("../../../tests/golden/time_range/deltas.jsonl"));
    let total = all.len();
    let wrong = all.into_iter().filter_map(|(now, row)| {
        let source = row[2].as_str().map(|t| t.parse().unwrap());
        let got = get_past_or_future(row[1].as_str().unwrap(), source, now);
        (!agrees(&row[3], &got, |t| t.format("%Y-%m-%dT%H:%M:%S").to_string().into()))
            .then(|| format!("{now} {row:?} but {got:?}"))
    });
    report(wrong.collect(), total);
}

#[test]
fn ranges_are_those_of_the_original() {
    let all = cases(include_str!("../../../tests/golden/time_range/ranges.jsonl"));
    let total = all.len();
    let wrong = all.into_iter().filter_map(|(now, row)| {
        let spec = SinceUntil { time_shift: row[2].as_str(), ..SinceUntil::new(row[1].as_str(), now) };
        let got = get_since_until_zoned(&spec);
        let show = |(a, b): &(Option<Moment>, Option<Moment>)| {
            serde_json::json!([a.map(|m| m.isoformat()), b.map(|m| m.isoformat())])
        };
        (!agrees(&row[3], &got, show))
            .then(|| format!("{now} {row:?} but {:?}", got.map(|r| show(&r).to_string())))
    });
    report(wrong.collect(), total);
}

#[test]
fn deltas_of_date_offsets() {
    assert_eq!(normalize_time_delta("1 year ago"), Ok(("years".to_owned(), -1)));
    assert_eq!(normalize_time_delta(" 28 days later"), Ok(("days".to_owned(), 28)));
    assert_eq!(normalize_time_delta("3 Weeks "), Ok(("Weeks".to_owned(), 3)));
    assert_eq!(normalize_time_delta("soon"), Err(TimeRangeError::DeltaAmbiguous("soon".to_owned())));
}

#[test]
fn time_comparison_shorthands() {
    let now = nows()[0];
    let spec = |range| SinceUntil {
        instant_time_comparison_range: Some(range),
        ..SinceUntil::new(Some("2020-03-01 : 2020-03-31"), now)
    };
    let day = |text: &str| Some(format!("{text}T00:00:00").parse().unwrap());
    assert_eq!(get_since_until(&spec("y")), Ok((day("2019-03-01"), day("2019-03-31"))));
    assert_eq!(get_since_until(&spec("m")), Ok((day("2020-02-01"), day("2020-02-29"))));
    assert_eq!(get_since_until(&spec("w")), Ok((day("2020-02-23"), day("2020-03-24"))));
    assert_eq!(get_since_until(&spec("r")), Ok((day("2020-01-31"), day("2020-03-01"))));
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("{}DATETIME('now'){} : now", "DATETRUNC(".repeat(5_000), ", day)".repeat(5_000));
    assert!(get_since_until(&SinceUntil::new(Some(&deep), nows()[0])).is_err());
    let many = format!("{} : now", "last ".repeat(700));
    let _ = get_since_until(&SinceUntil::new(Some(&many), nows()[0]));
}

#[test]
fn no_input_panics() {
    // A small generator of our own: a linear congruence picks words and characters.
    let words = [
        "last",
        "next",
        "ago",
        "from",
        " : ",
        "DATETIME('",
        "')",
        "DATEADD(",
        ", ",
        "1",
        "99999999999999999999",
        "day",
        "year",
        "feb",
        "29th",
        "may",
        "noon",
        "12:61",
        "am",
        "é",
        "日",
        "\u{a0}",
        "'",
        "\"",
        "\\",
        ".",
        ",",
        "-",
        "+",
        "eod",
        "end of",
        "friday",
        "0000",
        "9999-12-31",
        "1e9",
        "٣",
        "2.5",
        "hours",
        "before",
        "HOLIDAY('x'",
        "Z",
        "+99:99",
        "\0",
        "5p.m.",
        "T",
        "st",
    ];
    let mut state: u64 = 42;
    for _ in 0..3_000 {
        let mut text = String::new();
        for _ in 0..state % 9 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(words[usize::try_from((state >> 33) % words.len() as u64).unwrap()]);
            if state >> 62 == 0 {
                text.push(' ');
            }
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for now in nows() {
            let _ = parse_human_datetime(&text, now);
            let _ = get_past_or_future(&text, None, now);
            let _ =
                get_since_until(&SinceUntil { time_shift: Some(&text), ..SinceUntil::new(Some(&text), now) });
        }
    }
}
