use super::*;

fn at(text: &str) -> DateTime<Utc> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap().and_utc()
}

fn firings(cron: &str, zone: Tz, after: &str, before: &str) -> Vec<String> {
    let found = Cron::parse(cron).unwrap().firings(at(after), at(before), zone);
    found.iter().map(|t| t.format("%m-%d %H:%M:%S").to_string()).collect()
}

fn refusal(cron: &str) -> String {
    Cron::parse(cron).unwrap_err().to_string()
}

#[test]
fn what_croniter_reads() {
    for good in [
        "* * * * *",
        "*/5 0-12/2 1,15 JAN-mar mon-fri",
        "0 0 L * *",
        "0 0 * * 5#2",
        "0 0 * * l5",
        "@Daily",
        "0 0 * * sat-mon",
        "0 0 * * mon-fri#2",
        "0 0 * * * 30",
        "0 0 * * * 0 2026-2030",
        "0 0 ? * 1",
        "10/5 * * * *",
        "0 0 * * 7",
        "0 22-2 * * *",
        "*/100 * * * *",
        "R(1-5) r/15 * * *",
        "0 0 0 * * 0",
        "0 0 1-l * *",
    ] {
        assert!(Cron::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "0 0 * * 7 0",
        "0 0 15w * *",
        "0 0 lw * *",
        "0 0 * * 5l",
        "0 0 l-2 * *",
        "0 0 * * 1-5#1",
        "0 0 * * 5#6",
        "1,,2 * * * *",
        "r(5-1) * * * *",
        "* * * * * * * *",
    ] {
        assert!(Cron::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn refusals_are_croniters() {
    let columns =
        "CroniterBadCronError: Exactly 5, 6 or 7 columns has to be specified for iterator expression.";
    assert_eq!(refusal(" @daily"), columns);
    assert_eq!(refusal("60 * * * *"), "CroniterBadCronError: [60 * * * *] is not acceptable, out of range");
    assert_eq!(refusal("70-80 * * * *"), "CroniterBadCronError: 70-80 * * * * is out of bands");
    assert_eq!(refusal("A * * * *"), "CroniterNotAlphaError: [a * * * *] is not acceptable");
    assert_eq!(
        refusal("0 0 * * 2,1,5#2,5#1"),
        "CroniterUnsupportedSyntaxError: day-of-week field does not support mixing literal values and nth day of \
         week syntax.  Cron: '0 0 * * 2,1,5#2,5#1'    dow={1, 2} vs nth={5: {1, 2}}"
    );
}

#[test]
fn both_ends_of_a_window_are_excluded() {
    let window = |after, before| firings("* * * * *", Tz::UTC, after, before).len();
    assert_eq!(window("2026-11-20 09:00:00", "2026-11-20 09:02:00"), 1);
    assert_eq!(window("2026-11-20 08:59:59.5", "2026-11-20 09:00:00.5"), 1);
    assert_eq!(window("2026-11-20 09:00:00.5", "2026-11-20 09:01:00"), 0);
}

#[test]
fn days_of_month_and_of_week_add_up() {
    let month = |cron: &str| -> Vec<String> {
        let found = firings(cron, Tz::UTC, "2024-02-01 00:00:00", "2024-03-01 00:00:00");
        found.iter().map(|t| t[3..5].to_owned()).collect()
    };
    assert_eq!(month("0 9 13 * 5"), ["02", "09", "13", "16", "23"]);
    assert_eq!(month("0 9 * * 5#2,5#5"), ["09"]);
    assert_eq!(month("0 9 * * l4"), ["29"]);
    assert_eq!(month("0 9 28-2 * *"), ["01", "02", "28", "29"]);
    assert_eq!(month("0 9 l,1 * *"), ["01", "29"]);
    assert_eq!(month("0 9 1-31 * ?"), month("0 9 * * *"));
    assert_eq!(
        month("0 9 * * 6-1/2"),
        ["03", "10", "17", "24"],
        "steps around the end, as croniter counts them"
    );
}

#[test]
fn clocks_that_are_changed() {
    let berlin = |cron, after, before| firings(cron, Tz::Europe__Berlin, after, before);
    let spring = |cron| berlin(cron, "2024-03-30 12:00:00", "2024-03-31 12:00:00");
    assert!(spring("30 2 * * *").is_empty(), "the time does not exist on that day");
    assert_eq!(spring("0 3 * * *"), ["03-31 01:00:00"]);
    let autumn = |cron| berlin(cron, "2024-10-26 12:00:00", "2024-10-27 12:00:00");
    assert_eq!(autumn("30 2 * * *"), ["10-27 00:30:00", "10-27 01:30:00"], "the time exists twice");
    assert_eq!(autumn("0 9 * * *"), ["10-27 08:00:00"]);
}

#[test]
fn what_never_fires_ends() {
    let begun = std::time::Instant::now();
    let next = |cron: &str| Cron::parse(cron).unwrap().next(at("2024-03-06 09:00:00"), Tz::Europe__Berlin);
    for never in ["0 9 30 2 *", "0 9 15 * 3#1", "0 9 30 2 1", "0 9 * * * 0 2020"] {
        assert_eq!(next(never), None, "{never}");
    }
    assert_eq!(next("0 9 29 2 *"), Some(at("2028-02-29 08:00:00")));
    assert_eq!(next("0 0 1 1 * 0 2070"), Some(at("2069-12-31 23:00:00")));
    assert!(begun.elapsed().as_secs() < 20);
}

#[test]
fn the_shortest_time_between_firings() {
    let every =
        |cron: &str| Cron::parse(cron).unwrap().shortest_interval(at("2026-11-20 00:00:00").naive_utc(), 60);
    assert_eq!(
        (every("*/5 * * * *"), every("0 9 * * *"), every("0 0 30 2 *")),
        (Some(300), Some(86400), None)
    );
    assert_eq!(every("58,59 * * * *"), Some(60));
}
