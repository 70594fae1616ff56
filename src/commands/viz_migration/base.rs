//! What all migrations do: rename and remove controls, and make a filter of the time range (`MigrateViz`).

use infra::clock;
use query::{
    python::str_of,
    time_range::{SinceUntil, get_since_until_zoned},
};
use serde_json::{Map, Value, json};

use super::{FormData, NotMigrated, python::raised};

/// What all charts over time lose.
pub(super) const TIMESERIES_REMOVE: &[&str] =
    &["contribution", "line_interpolation", "reduce_x_ticks", "show_brush", "show_markers"];

/// A kind of chart and its successor.
#[derive(Debug)]
pub struct Migration {
    /// The kind that is no more.
    pub source: &'static str,
    /// Its successor, unless the controls say otherwise.
    pub(super) target: &'static str,
    pub(super) remove: &'static [&'static str],
    pub(super) rename: &'static [(&'static str, &'static str)],
    /// The time column becomes the x-axis.
    pub(super) has_x_axis: bool,
    /// What happens before: it may name another successor.
    pub(super) before: fn(&mut FormData) -> Result<Option<&'static str>, NotMigrated>,
    /// What happens once the filter of the time range is there.
    pub(super) after: fn(&mut FormData),
}

/// The lists of controls that the original's migrations of charts over time share, and that grow from chart to chart
/// while it upgrades a database: what one chart's kind adds, those after it lose, too.
#[derive(Debug, Default)]
pub struct Lists {
    remove: Vec<&'static str>,
    rename: Vec<(&'static str, &'static str)>,
}

impl Lists {
    fn meet(&mut self, migration: &Migration) {
        if migration.is_timeseries() {
            self.remove.extend(migration.remove);
            self.rename.extend(migration.rename);
        }
    }

    /// What is renamed and removed from a chart.
    fn of(&self, migration: &Migration) -> Self {
        let (mut remove, mut rename) = (migration.remove.to_vec(), migration.rename.to_vec());
        if migration.is_timeseries() {
            remove.extend(&self.remove);
            rename.extend(
                self.rename.iter().filter(|(from, _)| !migration.rename.iter().any(|(f, _)| f == from)),
            );
        }
        Self { remove, rename }
    }
}

/// A migrated chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Migrated {
    /// Its kind.
    pub viz_type: &'static str,
    /// Its controls.
    pub form_data: FormData,
}

/// Python's truth of a control.
pub(super) fn truthy(data: &FormData, key: &str) -> bool {
    data.get(key).is_some_and(infra::json::truthy)
}

/// Sets a control; a new one comes last.
pub(super) fn set(data: &mut FormData, key: &str, value: impl Into<Value>) {
    data.insert(key.to_owned(), value.into());
}

impl Migration {
    /// Migrations of lines, areas and bars have a base in common.
    fn is_timeseries(&self) -> bool {
        TIMESERIES_REMOVE.iter().all(|control| self.remove.contains(control))
    }

    /// Migrates form data; those of another kind only get the new kind.
    pub fn migrate(&self, data: FormData) -> Result<Migrated, NotMigrated> {
        // `DEFAULT_TIME_FILTER`
        let mut migrated = self.controls(data, &json!("No filter"), &mut Lists::default())?;
        set(&mut migrated.form_data, "viz_type", migrated.viz_type);
        Ok(migrated)
    }

    /// The new kind and the controls, of which only those of the old kind are changed. `default_range` is the range of
    /// time of charts that have none.
    pub fn controls(
        &self,
        mut data: FormData,
        default_range: &Value,
        lists: &mut Lists,
    ) -> Result<Migrated, NotMigrated> {
        let target = (self.before)(&mut data)?.unwrap_or(self.target);
        lists.meet(self);
        if data.get("viz_type").and_then(Value::as_str) == Some(self.source) {
            data = renamed(data, target, &lists.of(self))?;
            self.migrate_time_filter(&mut data, default_range)?;
            (self.after)(&mut data);
        }
        Ok(Migrated { viz_type: target, form_data: data })
    }

    fn migrate_time_filter(&self, data: &mut FormData, default_range: &Value) -> Result<(), NotMigrated> {
        let column = data.shift_remove("granularity_sqla").filter(infra::json::truthy);
        let range = data.shift_remove("time_range").filter(infra::json::truthy);
        let range = range.unwrap_or_else(|| default_range.clone());
        let Some(column) = column else { return Ok(()) };
        if self.has_x_axis {
            set(data, "x_axis", column.clone());
            if !truthy(data, "time_grain_sqla") {
                set(data, "time_grain_sqla", "P1D");
            }
        }
        let filter = match &column {
            Value::Object(column) => expression_filter(column, &range)?,
            column => Some(json!({
                "clause": "WHERE",
                "subject": column,
                "operator": "TEMPORAL_RANGE",
                "comparator": range,
                "expressionType": "SIMPLE",
            })),
        };
        if !truthy(data, "adhoc_filters") {
            set(data, "adhoc_filters", json!([]));
        }
        match (data.get_mut("adhoc_filters"), filter) {
            (Some(Value::Array(filters)), filter) => filters.extend(filter),
            (_, Some(_)) => return raised("filters that are no list"),
            _ => {}
        }
        Ok(())
    }
}

fn renamed(mut data: FormData, target: &str, lists: &Lists) -> Result<FormData, NotMigrated> {
    set(&mut data, "viz_type", target);
    for (from, to) in &lists.rename {
        if data.contains_key(*from) && data.contains_key(*to) {
            data.shift_remove(*to);
        }
    }
    let mut out = FormData::new();
    for (key, value) in data {
        match lists.rename.iter().find(|(from, _)| *from == key) {
            Some((_, to)) if out.contains_key(*to) => {
                return raised("Duplicate key in target viz");
            }
            Some((_, to)) => set(&mut out, to, value),
            None if lists.remove.contains(&key.as_str()) => {}
            None => set(&mut out, &key, value),
        }
    }
    Ok(out)
}

/// A time column that is an expression is compared with the ends of the range as they are today.
fn expression_filter(column: &Map<String, Value>, range: &Value) -> Result<Option<Value>, NotMigrated> {
    let spec = SinceUntil::new(range.as_str(), clock::now());
    let (since, until) = get_since_until_zoned(&spec).map_err(|e| NotMigrated(e.to_string()))?;
    let (Some(label), Some(expression)) = (column.get("label"), column.get("sqlExpression")) else {
        return if since.is_some() || until.is_some() {
            raised("no label or no expression")
        } else {
            Ok(None)
        };
    };
    let expression = str_of(expression);
    let ends: Vec<String> = since
        .map(|since| format!("{expression} >= '{}'", since.isoformat()))
        .into_iter()
        .chain(until.map(|until| format!("{expression} < '{}'", until.isoformat())))
        .collect();
    if ends.is_empty() {
        return Ok(None);
    }
    Ok(Some(json!({
        "clause": "WHERE",
        "subject": label,
        "operator": "TEMPORAL_RANGE",
        "comparator": null,
        "expressionType": "SQL",
        "sqlExpression": ends.join(" AND "),
    })))
}
