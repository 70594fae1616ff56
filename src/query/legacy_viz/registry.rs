//! The visualisation types, a line each (`superset.viz.viz_types`).

use super::{
    Spec, bubble, cal_heatmap, chord, deck, mapbox, paired_ttest, para, partition, rose, time_pivot,
    time_series, time_table, world_map,
};

static SPECS: &[Spec] = &[
    Spec { name: "time_table", is_timeseries: true, query: time_table::query, data: time_table::data },
    Spec { name: "cal_heatmap", is_timeseries: true, query: cal_heatmap::query, data: cal_heatmap::data },
    Spec { name: "bubble", is_timeseries: false, query: bubble::query, data: bubble::data },
    Spec { name: "bullet", is_timeseries: false, query: bubble::bullet_query, data: bubble::bullet_data },
    Spec { name: "line", is_timeseries: true, query: time_series::query, data: time_series::data },
    Spec { name: "compare", is_timeseries: true, query: time_series::query, data: time_series::data },
    Spec { name: "horizon", is_timeseries: true, query: time_series::query, data: time_series::data },
    Spec { name: "time_pivot", is_timeseries: true, query: time_pivot::query, data: time_pivot::data },
    Spec { name: "rose", is_timeseries: true, query: time_series::query, data: rose::data },
    Spec { name: "partition", is_timeseries: true, query: partition::query, data: partition::data },
    Spec { name: "chord", is_timeseries: false, query: chord::query, data: chord::data },
    Spec {
        name: "country_map",
        is_timeseries: false,
        query: world_map::country_query,
        data: world_map::country_data,
    },
    Spec { name: "world_map", is_timeseries: false, query: world_map::query, data: world_map::data },
    Spec { name: "para", is_timeseries: false, query: para::query, data: para::data },
    Spec { name: "event_flow", is_timeseries: true, query: para::event_flow_query, data: para::data },
    Spec { name: "paired_ttest", is_timeseries: true, query: paired_ttest::query, data: paired_ttest::data },
    Spec { name: "mapbox", is_timeseries: false, query: mapbox::query, data: mapbox::data },
    Spec { name: "deck_multi", is_timeseries: false, query: deck::no_query, data: deck::multi_data },
    Spec { name: "deck_scatter", is_timeseries: false, query: deck::query, data: deck::data },
    Spec { name: "deck_screengrid", is_timeseries: false, query: deck::query, data: deck::data },
    Spec { name: "deck_grid", is_timeseries: false, query: deck::query, data: deck::data },
    Spec { name: "deck_hex", is_timeseries: false, query: deck::query, data: deck::data },
    Spec { name: "deck_heatmap", is_timeseries: false, query: deck::query, data: deck::data },
    Spec { name: "deck_contour", is_timeseries: false, query: deck::query, data: deck::data },
    Spec { name: "deck_geojson", is_timeseries: false, query: deck::query, data: deck::data },
    Spec { name: "deck_path", is_timeseries: false, query: deck::query, data: deck::data },
    Spec { name: "deck_polygon", is_timeseries: false, query: deck::query, data: deck::data },
    Spec { name: "deck_arc", is_timeseries: false, query: deck::query, data: deck::data },
];

pub(super) fn find(name: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.name == name)
}

/// The descendants of `NVD3TimeSeriesViz`, which compare with other times.
pub(super) fn is_time_series(spec: &Spec) -> bool {
    matches!(spec.name, "line" | "compare" | "horizon" | "time_pivot" | "rose" | "partition")
}
