//! Filter boxes become native filters (`superset.migrations.shared.native_filters:migrate_dashboard`).

mod native;

use daos::{chart, dashboard, tables::DASHBOARDS, write};
use infra::{
    Result,
    yaml::{Key, Map, Yaml, json_dumps, json_loads},
};

use super::{Importer, chart::FILTER_BOX};
use native::{FilterBox, native_filters};

impl Importer<'_> {
    /// The filters of a dashboard are native ones afterwards; what cannot be read stays as it is.
    pub(super) async fn replace_filter_boxes(&self, id: i64) -> Result<()> {
        let Some(dashboard) = dashboard::find(self.db, id).await? else { return Ok(()) };
        let charts = chart::of_dashboard(self.db, id).await?;
        let boxes: Vec<FilterBox> = charts
            .iter()
            .filter(|c| c.viz_type.as_deref() == Some(FILTER_BOX))
            .map(FilterBox::from_chart)
            .collect();
        let read =
            |text: &Option<String>| json_loads(text.as_deref().filter(|t| !t.is_empty()).unwrap_or("{}"));
        let (Some(Yaml::Map(metadata)), Some(Yaml::Map(position))) =
            (read(&dashboard.json_metadata), read(&dashboard.position_json))
        else {
            return Ok(());
        };
        let Some((metadata, position)) = converted(metadata, position, &boxes) else { return Ok(()) };
        let (Ok(metadata), Ok(position)) = (json_dumps(&metadata.into()), json_dumps(&position.into()))
        else {
            return Ok(());
        };
        let values = vec![("json_metadata", metadata.into()), ("position_json", position.into())];
        write::update_changed(self.db, &DASHBOARDS, id.into(), values, self.caller.user.user_id()).await?;
        let gone: Vec<i64> = boxes.iter().map(|b| b.id).collect();
        if !gone.is_empty() {
            let left: Vec<i64> = charts.iter().map(|c| c.id).filter(|id| !gone.contains(id)).collect();
            dashboard::set_charts(self.db, id, &left).await?;
        }
        Ok(())
    }
}

/// Metadata and layout without filter boxes; none where the original gives up.
fn converted(mut metadata: Map, mut position: Map, boxes: &[FilterBox]) -> Option<(Map, Map)> {
    let filters = metadata.entry("native_filter_configuration".into()).or_insert_with(|| Vec::new().into());
    let filters = filters.as_list_mut()?;
    let mut all = std::mem::take(filters);
    all.extend(native_filters(&metadata, &position, boxes)?);
    metadata.insert("native_filter_configuration".into(), all.into());
    for key in ["default_filters", "filter_scopes"] {
        metadata.shift_remove(key);
    }
    let mut renamed: Vec<(String, String)> = Vec::new();
    for key in position.keys().filter_map(Key::as_str).map(str::to_owned).collect::<Vec<_>>() {
        let Some(value) = position.get_mut(key.as_str()).and_then(Yaml::as_map_mut) else { continue };
        if value.get("type")?.as_str() != Some("CHART") {
            continue;
        }
        let Some(meta) = value.get_mut("meta").filter(|m| m.truthy()).and_then(Yaml::as_map_mut) else {
            continue;
        };
        let id = meta.get("chartId")?.as_i64();
        let Some(filter_box) = boxes.iter().find(|b| Some(b.id) == id) else { continue };
        let code = format!(
            "\n&#9888; The <a href=\"/superset/slice/{}/\">{}\n</a> filter-box chart has been migrated \
             to a native filter.\n",
            filter_box.id, filter_box.name
        );
        meta.insert("code".into(), code.into());
        let new = key.replace("CHART-", "MARKDOWN-");
        value.insert("id".into(), new.as_str().into());
        value.insert("type".into(), "MARKDOWN".into());
        let value = position.shift_remove(key.as_str())?;
        position.insert(new.as_str().into(), value);
        renamed.push((key, new));
    }
    for value in position.values_mut().filter_map(Yaml::as_map_mut) {
        for relation in ["children", "parents"] {
            for name in value.get_mut(relation).and_then(Yaml::as_list_mut).into_iter().flatten() {
                if let Some((_, new)) = renamed.iter().find(|(old, _)| name.as_str() == Some(old)) {
                    *name = new.as_str().into();
                }
            }
        }
    }
    Some((metadata, position))
}

#[cfg(test)]
mod tests {
    use infra::yaml::load;

    use super::*;

    fn map(text: &str) -> Map {
        match load(text).unwrap() {
            Yaml::Map(map) => map,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_filter_box_becomes_a_native_filter_and_a_text() {
        let params = r#"{"filter_configs": [{"column": "a", "asc": true, "metric": "m", "multiple": true}],
                         "date_filter": true, "time_range": "Last week"}"#;
        let filter_box = FilterBox { id: 7, name: "box".into(), dataset: Some(3), params: params.into() };
        let position = map("CHART-x: {type: CHART, id: CHART-x, meta: {chartId: 7}, parents: [ROOT_ID]}\n\
             ROW: {type: ROW, children: [CHART-x]}\n");
        let metadata =
            map(r#"{default_filters: '{"7": {"a": "v"}}', filter_scopes: {}, expanded_slices: {}}"#);
        let (metadata, position) = converted(metadata, position, &[filter_box]).unwrap();
        assert!(!metadata.contains_key("default_filters") && metadata.contains_key("expanded_slices"));
        let filters = metadata.get("native_filter_configuration").and_then(Yaml::as_list).unwrap();
        let kinds: Vec<_> = filters.iter().filter_map(|f| f.get("filterType")?.as_str()).collect();
        assert_eq!(kinds, ["filter_select", "filter_time"]);
        let mask = filters[0].get("defaultDataMask").unwrap();
        assert_eq!(mask.get("filterState"), Some(&load("{value: [v]}").unwrap()));
        assert_eq!(filters[0].get("targets"), Some(&load("[{column: {name: a}, datasetId: 3}]").unwrap()));
        let row = position.get("ROW").unwrap();
        assert_eq!(row.get("children"), Some(&load("[MARKDOWN-x]").unwrap()));
        assert_eq!(position.get("MARKDOWN-x").and_then(|m| m.get("type")), Some(&"MARKDOWN".into()));
    }

    #[test]
    fn a_dashboard_without_filter_boxes_has_a_list_of_native_filters() {
        let (metadata, _) = converted(map("{filter_scopes: {}, a: 1}"), Map::new(), &[]).unwrap();
        assert_eq!(Yaml::Map(metadata), load("{a: 1, native_filter_configuration: []}").unwrap());
        assert!(converted(map("{native_filter_configuration: null}"), Map::new(), &[]).is_none());
    }
}
