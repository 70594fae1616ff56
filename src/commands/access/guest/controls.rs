//! The controls of charts that hold columns and metrics, of all visualisations (`superset.utils.core:METRIC_KEYS`,
//! `superset.viz`, and the frontend's `queryFields` and `buildQuery`s).

/// What a control holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// Columns, one or several.
    Columns,
    /// Metrics, one or several.
    Metrics,
    /// Either, depending on the visualisation.
    Either,
    /// What rows are ordered by.
    Order,
    /// Filters of the chart's own.
    Filters,
    /// Layers of annotations.
    Annotations,
    /// SQL of an old filter: `where`, `having`.
    Clause,
    /// Something else.
    Other,
}

const COLUMNS: &[&str] = &[
    "all_columns",
    "all_columns_x",
    "all_columns_y",
    "category_name",
    "column",
    "columns",
    "dimension",
    "end_spatial",
    "end_time",
    "entity",
    "event",
    "geojson",
    "geom_column",
    "granularity",
    "granularity_sqla",
    "groupby",
    "groupbyColumns",
    "groupbyRows",
    "hierarchy",
    "id",
    "js_columns",
    "latitude",
    "line_column",
    "longitude",
    "mapbox_label",
    "name",
    "parent",
    "point_radius",
    "polygon",
    "series",
    "series_columns",
    "source",
    "source_category",
    "spatial",
    "start_spatial",
    "start_time",
    "subcategories",
    "target",
    "target_category",
    "tooltip_columns",
    "x_axis",
    "y_axis",
];

const METRICS: &[&str] = &[
    "legacy_order_by",
    "metric",
    "metric_2",
    "metrics",
    "percent_metrics",
    "point_radius_fixed",
    "secondary_metric",
    "series_limit_metric",
    "timeseries_limit_metric",
    "tooltip_metrics",
];

const EITHER: &[&str] = &["size", "tooltip_contents", "x", "y"];
const ORDER: &[&str] = &["order_by_cols", "orderby"];
const FILTERS: &[&str] = &["adhoc_filters", "extra_filters", "filters"];

/// What a control of that name holds. The second query of a mixed chart has controls of the same names with `_b`.
pub(super) fn control(key: &str) -> Control {
    let key = key.strip_suffix("_b").unwrap_or(key);
    match key {
        key if COLUMNS.contains(&key) => Control::Columns,
        key if METRICS.contains(&key) => Control::Metrics,
        key if EITHER.contains(&key) => Control::Either,
        key if ORDER.contains(&key) => Control::Order,
        key if FILTERS.contains(&key) => Control::Filters,
        "annotation_layers" => Control::Annotations,
        "where" | "having" => Control::Clause,
        _ => Control::Other,
    }
}
