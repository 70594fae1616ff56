//! Layouts and filters of dashboards: which charts and datasets they name
//! (`superset.commands.dashboard.importers.v1.utils`).

use std::collections::HashSet;

use infra::yaml::{Map, Yaml};

/// `meta` of the charts of a layout that say which one they are; what has no kind or no `meta` is passed over.
pub fn charts(position: &Map) -> impl Iterator<Item = (&str, Option<&Yaml>)> {
    position.values().filter_map(|child| {
        let is_chart = child.get("type").and_then(Yaml::as_str) == Some("CHART");
        let meta = child.get("meta").filter(|_| is_chart)?;
        Some((meta.get("uuid")?.as_str()?, meta.get("chartId")))
    })
}

/// UUIDs of the charts of a layout, each once, in its order.
pub fn chart_uuids(position: &Map) -> Vec<String> {
    let mut known = HashSet::new();
    charts(position).filter(|(uuid, _)| known.insert(*uuid)).map(|(uuid, _)| uuid.to_owned()).collect()
}

/// Targets of the native filters.
pub fn filter_targets(metadata: &Yaml) -> impl Iterator<Item = &Map> {
    let filters = metadata.get("native_filter_configuration").and_then(Yaml::as_list).unwrap_or_default();
    filters
        .iter()
        .flat_map(|filter| filter.get("targets").and_then(Yaml::as_list).unwrap_or_default())
        .filter_map(Yaml::as_map)
}

/// Changes the targets of the native filters.
pub fn each_filter_target(metadata: &mut Yaml, mut change: impl FnMut(&mut Map)) {
    let filters = metadata.get_mut("native_filter_configuration").and_then(Yaml::as_list_mut);
    for filter in filters.into_iter().flatten() {
        let targets = filter.get_mut("targets").and_then(Yaml::as_list_mut);
        targets.into_iter().flatten().filter_map(Yaml::as_map_mut).for_each(&mut change);
    }
}
