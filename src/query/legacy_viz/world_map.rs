//! Maps by country (`WorldMapViz`, `CountryMapViz`).

use serde_json::{Value, json};

use super::{
    Comparison, LegacyQuery, LegacyViz, Result, VizError, cell_json, label_of_column, label_of_metric, values,
};
use crate::{form_data::truthy, frame::Frame};

/// Codes, position and name of the countries: cca2, cca3, cioc, latitude, longitude, name
/// (`superset.examples.countries`).
static COUNTRIES: &str = include_str!("countries.tsv");

struct Country {
    cca2: &'static str,
    cca3: &'static str,
    cioc: &'static str,
    latitude: Value,
    longitude: Value,
    name: &'static str,
}

impl Country {
    fn read(line: &'static str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [cca2, cca3, cioc, latitude, longitude, name] = fields.as_slice() else { return None };
        let number = |text: &str| serde_json::from_str(text).ok();
        Some(Self { cca2, cca3, cioc, latitude: number(latitude)?, longitude: number(longitude)?, name })
    }

    fn field(&self, name: &str) -> Option<&'static str> {
        Some(match name {
            "cca2" => self.cca2,
            "cca3" => self.cca3,
            "cioc" => self.cioc,
            "name" => self.name,
            _ => return None,
        })
    }

    /// The last of several entries with the same code wins, as in the original's dictionary.
    fn find(field: &str, symbol: &str) -> Option<Self> {
        let symbol = symbol.to_lowercase();
        COUNTRIES
            .lines()
            .rev()
            .filter_map(Self::read)
            .find(|c| c.field(field).is_some_and(|value| value.to_lowercase() == symbol))
    }
}

pub(super) fn query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    query.groupby = vec![viz.required("entity")?];
    if viz.is("sort_by_metric") {
        let first = query
            .metrics
            .iter()
            .flatten()
            .next()
            .cloned()
            .ok_or_else(|| VizError::unexpected("list index out of range"))?;
        query.orderby = vec![(first, false)];
    }
    Ok(())
}

pub(super) fn data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let entity = values::column(&frame, &label_of_column(&viz.get("entity"))?)?;
    let m1 = values::column(&frame, &label_of_metric(&viz.required("metric")?)?)?;
    let secondary = viz.get("secondary_metric");
    let m2 = if truthy(Some(&secondary)) {
        Some(values::column(&frame, &label_of_metric(&secondary)?)?)
    } else {
        None
    };
    let field = viz.form_data.get("country_fieldtype").map(|f| f.as_str().unwrap_or("").to_owned());
    if field.as_deref().is_some_and(|f| !matches!(f, "cca2" | "cca3" | "cioc" | "name")) {
        return Err(VizError::key(field.as_deref().unwrap_or("")));
    }
    let mut rows = Vec::with_capacity(frame.row_count());
    for row in 0..frame.row_count() {
        let symbol = cell_json(&entity.get(row));
        let country = field.as_deref().zip(symbol.as_str()).and_then(|(f, s)| Country::find(f, s));
        let mut out = json!({"country": "XXX", "m1": cell_json(&m1.get(row))});
        if let Some(m2) = m2 {
            out["m2"] = cell_json(&m2.get(row));
        }
        if let (Some(country), Some(field)) = (country, field.as_deref()) {
            out["code"] = country.field(field).into();
            out["country"] = country.cca3.into();
            out["latitude"] = country.latitude;
            out["longitude"] = country.longitude;
            out["name"] = country.name.into();
        }
        rows.push(out);
    }
    Ok(Value::Array(rows))
}

pub(super) fn country_query(viz: &mut LegacyViz, query: &mut LegacyQuery) -> Result<()> {
    for (key, message) in [
        ("select_country", "Must specify a country"),
        ("metric", "Must specify a metric"),
        ("entity", "Must provide ISO codes"),
    ] {
        if !viz.is(key) {
            return Err(VizError::invalid(message));
        }
    }
    query.metrics = Some(vec![viz.get("metric")]);
    query.groupby = vec![viz.get("entity")];
    Ok(())
}

pub(super) fn country_data(viz: &LegacyViz, frame: Frame, _: &[Comparison]) -> Result<Value> {
    if frame.is_empty() {
        return Ok(Value::Null);
    }
    let entity = values::column(&frame, &label_of_column(&viz.get("entity"))?)?;
    let labels = viz.metric_labels();
    let metric = values::column(
        &frame,
        labels.first().ok_or_else(|| VizError::unexpected("list index out of range"))?,
    )?;
    let rows = (0..frame.row_count())
        .map(|row| json!({"country_id": cell_json(&entity.get(row)), "metric": cell_json(&metric.get(row))}));
    Ok(rows.collect())
}
