//! The migrations of each kind of chart (`superset.migrations.shared.migrate_viz.processors`).

use serde_json::{Value, json};

use super::{
    FormData, NotMigrated,
    base::{Migration, TIMESERIES_REMOVE, set, truthy},
    python::{hashable, int, items, raised},
};

type Before = Result<Option<&'static str>, NotMigrated>;

const NOTHING: fn(&mut FormData) = |_| {};

const AREA_REMOVE: &[&str] =
    &["contribution", "line_interpolation", "reduce_x_ticks", "show_brush", "show_markers", "stacked_style"];
const BAR_REMOVE: &[&str] =
    &["contribution", "line_interpolation", "reduce_x_ticks", "show_brush", "show_markers", "bar_stacked"];
const DIST_BAR_REMOVE: &[&str] = &[
    "contribution",
    "line_interpolation",
    "reduce_x_ticks",
    "show_brush",
    "show_markers",
    "columns",
    "bar_stacked",
];
const TIMESERIES_RENAME: &[(&str, &str)] = &[
    ("bottom_margin", "x_axis_title_margin"),
    ("left_margin", "y_axis_title_margin"),
    ("show_controls", "show_extra_controls"),
    ("x_axis_label", "x_axis_title"),
    ("x_axis_format", "x_axis_time_format"),
    ("x_axis_showminmax", "truncateXAxis"),
    ("x_ticks_layout", "xAxisLabelRotation"),
    ("y_axis_label", "y_axis_title"),
    ("y_axis_showminmax", "truncateYAxis"),
    ("y_log_scale", "logAxis"),
];
const BAR_RENAME: &[(&str, &str)] = &[
    ("bottom_margin", "x_axis_title_margin"),
    ("left_margin", "y_axis_title_margin"),
    ("show_controls", "show_extra_controls"),
    ("x_axis_label", "x_axis_title"),
    ("x_axis_format", "x_axis_time_format"),
    ("x_axis_showminmax", "truncateXAxis"),
    ("x_ticks_layout", "xAxisLabelRotation"),
    ("y_axis_label", "y_axis_title"),
    ("y_axis_showminmax", "truncateYAxis"),
    ("y_log_scale", "logAxis"),
    ("show_bar_value", "show_value"),
];

/// All migrations.
pub static ALL: &[Migration] = &[
    Migration {
        source: "treemap",
        target: "treemap_v2",
        remove: &["metrics"],
        rename: &[("order_desc", "sort_by_metric")],
        has_x_axis: false,
        before: |data| {
            if let Some(metric) = data.get("metrics").and_then(|m| m.as_array()?.first()).cloned() {
                set(data, "metric", metric);
            }
            Ok(None)
        },
        after: NOTHING,
    },
    Migration {
        source: "pivot_table",
        target: "pivot_table_v2",
        remove: &["pivot_margins"],
        rename: &[
            ("columns", "groupbyColumns"),
            ("combine_metric", "combineMetric"),
            ("groupby", "groupbyRows"),
            ("number_format", "valueFormat"),
            ("pandas_aggfunc", "aggregateFunction"),
            ("row_limit", "series_limit"),
            ("timeseries_limit_metric", "series_limit_metric"),
            ("transpose_pivot", "transposePivot"),
        ],
        has_x_axis: false,
        before: pivot_table,
        after: NOTHING,
    },
    Migration {
        source: "dual_line",
        target: "mixed_timeseries",
        remove: &["metric", "metric_2"],
        rename: &[
            ("x_axis_format", "x_axis_time_format"),
            ("y_axis_2_format", "y_axis_format_secondary"),
            ("y_axis_2_bounds", "y_axis_bounds_secondary"),
        ],
        has_x_axis: true,
        before: dual_line,
        after: |data| {
            let filters = data.get("adhoc_filters").filter(|f| infra::json::truthy(f)).cloned();
            set(data, "adhoc_filters_b", filters.unwrap_or_else(|| json!([])));
        },
    },
    Migration {
        source: "sunburst",
        target: "sunburst_v2",
        remove: &[],
        rename: &[("groupby", "columns")],
        has_x_axis: false,
        before: |_| Ok(None),
        after: NOTHING,
    },
    Migration {
        source: "line",
        target: "echarts_timeseries_line",
        remove: TIMESERIES_REMOVE,
        rename: TIMESERIES_RENAME,
        has_x_axis: true,
        before: line,
        after: NOTHING,
    },
    Migration {
        source: "area",
        target: "echarts_area",
        remove: AREA_REMOVE,
        rename: TIMESERIES_RENAME,
        has_x_axis: true,
        before: area,
        after: NOTHING,
    },
    Migration {
        source: "bar",
        target: "echarts_timeseries_bar",
        remove: BAR_REMOVE,
        rename: BAR_RENAME,
        has_x_axis: true,
        before: |data| {
            timeseries(data)?;
            stack_bars(data);
            Ok(None)
        },
        after: NOTHING,
    },
    Migration {
        source: "dist_bar",
        target: "echarts_timeseries_bar",
        remove: DIST_BAR_REMOVE,
        rename: BAR_RENAME,
        has_x_axis: false,
        before: dist_bar,
        after: NOTHING,
    },
    Migration {
        source: "bubble",
        target: "bubble_v2",
        remove: &["x_axis_showminmax"],
        rename: &[
            ("bottom_margin", "x_axis_title_margin"),
            ("left_margin", "y_axis_title_margin"),
            ("limit", "row_limit"),
            ("x_axis_format", "xAxisFormat"),
            ("x_log_scale", "logXAxis"),
            ("x_ticks_layout", "xAxisLabelRotation"),
            ("y_axis_showminmax", "truncateYAxis"),
            ("y_log_scale", "logYAxis"),
        ],
        has_x_axis: false,
        before: |data| {
            margin(data, "x_axis_label", "bottom_margin");
            rotation(data);
            set(data, "y_axis_showminmax", true);
            Ok(None)
        },
        after: NOTHING,
    },
    Migration {
        source: "heatmap",
        target: "heatmap_v2",
        remove: &["sort_by_metric", "canvas_image_rendering"],
        rename: &[
            ("all_columns_x", "x_axis"),
            ("all_columns_y", "groupby"),
            ("y_axis_bounds", "value_bounds"),
            ("show_perc", "show_percentage"),
        ],
        has_x_axis: false,
        before: |data| {
            set(data, "legend_type", "continuous");
            Ok(None)
        },
        after: NOTHING,
    },
    Migration {
        source: "histogram",
        target: "histogram_v2",
        remove: &["all_columns_x", "link_length", "queryFields"],
        rename: &[
            ("x_axis_label", "x_axis_title"),
            ("y_axis_label", "y_axis_title"),
            ("normalized", "normalize"),
        ],
        has_x_axis: false,
        before: histogram,
        after: NOTHING,
    },
    Migration {
        source: "sankey",
        target: "sankey_v2",
        remove: &["groupby"],
        rename: &[],
        has_x_axis: false,
        before: |data| {
            if let Some([source, target, ..]) = indexed(data, "groupby")?.as_deref() {
                let (source, target) = (source.clone(), target.clone());
                set(data, "source", source);
                set(data, "target", target);
            }
            Ok(None)
        },
        after: NOTHING,
    },
];

/// A control whose values are asked for by number: a list, or the letters of a text.
fn indexed(data: &FormData, key: &str) -> Result<Option<Vec<Value>>, NotMigrated> {
    match data.get(key).filter(|value| infra::json::truthy(value)) {
        None => Ok(None),
        Some(Value::Object(_)) => raised("a dictionary where a list is needed"),
        Some(value) => items(value).map(Some),
    }
}

fn pivot_table(data: &mut FormData) -> Before {
    if truthy(data, "pivot_margins") {
        let margins = data.get("pivot_margins").cloned().unwrap_or_default();
        set(data, "colTotals", margins.clone());
        set(data, "colSubTotals", margins);
    }
    if truthy(data, "pandas_aggfunc") {
        let function = data.get("pandas_aggfunc").and_then(Value::as_str).unwrap_or_default();
        let name = match function {
            "sum" => "Sum",
            "mean" => "Average",
            "median" => "Median",
            "min" => "Minimum",
            "max" => "Maximum",
            "std" => "Sample Standard Deviation",
            "var" => "Sample Variance",
            other => return Err(NotMigrated(format!("unknown aggregate {other:?}"))),
        };
        set(data, "pandas_aggfunc", name);
    }
    set(data, "rowOrder", "value_z_to_a");
    Ok(None)
}

fn dual_line(data: &mut FormData) -> Before {
    let of = |data: &FormData, key: &str| data.get(key).cloned().unwrap_or_default();
    set(data, "yAxisIndex", 0);
    set(data, "yAxisIndexB", 1);
    set(data, "adhoc_filters_b", of(data, "adhoc_filters"));
    set(data, "truncateYAxis", true);
    set(data, "metrics", json!([of(data, "metric")]));
    set(data, "metrics_b", json!([of(data, "metric_2")]));
    Ok(None)
}

/// A title needs a margin.
fn margin(data: &mut FormData, label: &str, margin: &str) {
    let given = truthy(data, margin) && data.get(margin).and_then(Value::as_str) != Some("auto");
    if truthy(data, label) && !given {
        set(data, margin, 30);
    }
}

fn rotation(data: &mut FormData) {
    if truthy(data, "x_ticks_layout") {
        let degrees = if data.get("x_ticks_layout").and_then(Value::as_str) == Some("45°") { 45 } else { 0 };
        set(data, "x_ticks_layout", degrees);
    }
}

fn timeseries(data: &mut FormData) -> Result<(), NotMigrated> {
    let mode = if truthy(data, "contribution") { json!("row") } else { Value::Null };
    set(data, "contributionMode", mode);
    let brush = data.get("show_brush").and_then(Value::as_str) == Some("yes");
    set(data, "zoomable", brush);
    let markers = data.get("show_markers").filter(|m| infra::json::truthy(m)).cloned();
    set(data, "markerEnabled", markers.unwrap_or(Value::Bool(false)));
    set(data, "y_axis_showminmax", true);
    margin(data, "x_axis_label", "bottom_margin");
    margin(data, "y_axis_label", "left_margin");
    if let Some(compare) = data.get("time_compare").filter(|c| !c.is_null()) {
        let shifts = match compare {
            Value::Array(shifts) => shifts.clone(),
            one => vec![one.clone()],
        };
        let mut named = Vec::new();
        for shift in shifts {
            let text = shift.as_str().ok_or_else(|| NotMigrated("a time shift that is no text".into()))?;
            match text.trim() {
                "" => {}
                text if text.ends_with(" ago") => named.push(json!(text)),
                text => named.push(json!(format!("{text} ago"))),
            }
        }
        set(data, "time_compare", named);
    }
    let comparison = data.get("comparison_type").filter(|c| infra::json::truthy(c)).cloned();
    let comparison = comparison.unwrap_or_else(|| json!("values"));
    set(data, "comparison_type", if comparison == "absolute" { json!("difference") } else { comparison });
    rotation(data);
    Ok(())
}

fn line(data: &mut FormData) -> Before {
    timeseries(data)?;
    Ok(match data.get("line_interpolation").and_then(Value::as_str) {
        Some("cardinal") => Some("echarts_timeseries_smooth"),
        Some("step-before") => {
            set(data, "seriesType", "start");
            Some("echarts_timeseries_step")
        }
        Some("step-after") => {
            set(data, "seriesType", "end");
            Some("echarts_timeseries_step")
        }
        _ => None,
    })
}

fn area(data: &mut FormData) -> Before {
    timeseries(data)?;
    let style = data.get("stacked_style").filter(|s| infra::json::truthy(s));
    style.map(hashable).transpose()?;
    let stack = match style.map_or(Some("stack"), Value::as_str) {
        Some("expand") => json!("Expand"),
        Some("stack") => json!("Stack"),
        Some("stream") => json!("Stream"),
        _ => Value::Null,
    };
    set(data, "stack", stack);
    set(data, "opacity", 0.7);
    Ok(None)
}

fn stack_bars(data: &mut FormData) {
    let stack = if truthy(data, "bar_stacked") { json!("Stack") } else { Value::Null };
    set(data, "stack", stack);
}

fn dist_bar(data: &mut FormData) -> Before {
    timeseries(data)?;
    let mut dimensions = indexed(data, "groupby")?.unwrap_or_default();
    let columns = match data.get("columns").filter(|columns| infra::json::truthy(columns)) {
        Some(columns) => items(columns)?,
        None => Vec::new(),
    };
    if !dimensions.is_empty() {
        // an x-axis has one value only
        let first = dimensions.remove(0);
        set(data, "x_axis", first);
    }
    dimensions.extend(columns);
    set(data, "groupby", dimensions);
    stack_bars(data);
    set(data, "x_ticks_layout", 45);
    Ok(None)
}

fn histogram(data: &mut FormData) -> Before {
    if let Some(column) = indexed(data, "all_columns_x")?.and_then(|columns| columns.into_iter().next()) {
        set(data, "column", column);
    }
    let bins = data.get("link_length").filter(|length| infra::json::truthy(length)).map(int).transpose()?;
    set(data, "bins", bins.unwrap_or(5));
    if !truthy(data, "groupby") {
        set(data, "groupby", json!([]));
    }
    Ok(None)
}
