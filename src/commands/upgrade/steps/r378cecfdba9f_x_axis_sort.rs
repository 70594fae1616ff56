//! Charts over time are sorted by one control, whatever they show.

use daos::upgrade::charts;
use infra::{db::Executor, json};
use serde_json::Value;

use crate::{
    upgrade::{Result, Work},
    viz_migration::{NotMigrated, len},
};

const KINDS: [&str; 7] = [
    "echarts_timeseries_bar",
    "echarts_area",
    "echarts_timeseries_line",
    "echarts_timeseries_scatter",
    "echarts_timeseries_smooth",
    "echarts_timeseries_step",
    "echarts_timeseries",
];

pub(super) async fn apply(work: &Work<'_>) -> Result<()> {
    let total = charts::count(work.db, &KINDS).await?;
    let (mut last, mut done) = (i64::MIN, 0);
    loop {
        let page = charts::after(work.db, &KINDS, last).await?;
        let Some(chart) = page.last() else { return Ok(()) };
        last = chart.id;
        for chart in &page {
            if let Some(params) = chart.params.as_deref().and_then(merged) {
                charts::set_params(work.db, chart.id, &params).await?;
            }
        }
        done += page.len();
        work.progress.at("charts over time", done, total);
    }
}

/// The controls with the series' order as the order; none where the original leaves the chart alone. It writes all keys
/// in order, also where no control changes.
fn merged(params: &str) -> Option<String> {
    let Ok(Value::Object(mut data)) = serde_json::from_str(params) else { return None };
    let many = |key: &str, than: usize| -> std::result::Result<bool, NotMigrated> {
        data.get(key).map_or(Ok(false), |value| Ok(len(value)? > than))
    };
    if !(many("metrics", 1).ok()? || many("groupby", 0).ok()?) {
        return None;
    }
    for (old, new) in
        [("x_axis_sort_series", "x_axis_sort"), ("x_axis_sort_series_ascending", "x_axis_sort_asc")]
    {
        if let Some(value) = data.shift_remove(old) {
            data.insert(new.to_owned(), value);
        }
    }
    Some(json::dumps_sorted(&Value::Object(data)))
}

pub(super) async fn changes(db: &dyn Executor) -> Result<Vec<String>> {
    Ok(vec![format!("charts over time that are looked at: {}", charts::count(db, &KINDS).await?)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_charts_with_several_series() {
        let text =
            r#"{"metrics": ["a", "b"], "x_axis_sort_series": "name", "x_axis_sort_series_ascending": false}"#;
        let want = r#"{"metrics": ["a", "b"], "x_axis_sort": "name", "x_axis_sort_asc": false}"#;
        assert_eq!(merged(text).as_deref(), Some(want));
        assert_eq!(
            merged(r#"{"z": 1, "metrics": "ab", "a": {"c": 1, "b": 2}}"#).as_deref(),
            Some(r#"{"a": {"b": 2, "c": 1}, "metrics": "ab", "z": 1}"#)
        );
        for text in [
            "",
            "{",
            "[]",
            "null",
            r#"{"metrics": ["a"], "groupby": []}"#,
            r#"{"metrics": ["a"], "groupby": null}"#,
            r#"{"metrics": null, "groupby": ["a"]}"#,
        ] {
            assert_eq!(merged(text), None, "{text}");
        }
    }
}
