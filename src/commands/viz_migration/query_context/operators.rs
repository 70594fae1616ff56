//! Post-processing of charts over time, an operation a function; none is null.

use infra::json::truthy;
use query::python::str_of;
use serde_json::{Map, Value, json};

use super::super::{
    FormData, NotMigrated,
    base::set,
    python::{ensure_list, equal, float, given, hashable, int, int_or, key_text},
};
use super::columns::{column_labels, extra_metrics, metric_label, metrics_of, x_axis_label};

type Operation = Result<Value, NotMigrated>;

/// A chart's controls and its query object, as far as it is built.
pub struct Chart<'a> {
    pub data: &'a FormData,
    pub query: &'a FormData,
}

/// Each metric once more for each shift in time: name of the column, label of the metric.
type Offsets = Vec<(String, Value)>;

impl Chart<'_> {
    fn offsets(&self) -> Result<Offsets, NotMigrated> {
        let labels: Vec<Value> = metrics_of(self.query).iter().map(metric_label).collect::<Result<_, _>>()?;
        let shifts = ensure_list(self.data.get("time_compare"));
        let mut found = Offsets::new();
        for label in labels {
            for shift in &shifts {
                let name = format!("{}__{}", str_of(&label), str_of(shift));
                match found.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = label.clone(),
                    None => found.push((name, label.clone())),
                }
            }
        }
        Ok(found)
    }

    /// Is the chart compared with other times?
    pub fn is_compared(&self) -> Result<bool, NotMigrated> {
        let offsets = self.offsets()?;
        let kind = self.data.get("comparison_type").and_then(Value::as_str);
        Ok(matches!(kind, Some("values" | "difference" | "percentage" | "ratio")) && !offsets.is_empty())
    }

    fn comparison(&self) -> Option<&str> {
        self.data.get("comparison_type").and_then(Value::as_str)
    }

    fn series(&self) -> Value {
        let given = given(self.query, "series_columns").or_else(|| self.query.get("columns"));
        given.cloned().unwrap_or_default()
    }

    /// Labels of all columns with a metric, the metrics first.
    fn compared_labels(&self) -> Result<Vec<Value>, NotMigrated> {
        let offsets = self.offsets()?;
        let metrics = offsets.iter().map(|(_, metric)| metric.clone());
        Ok(metrics.chain(offsets.iter().map(|(name, _)| json!(name))).collect())
    }

    pub fn pivot(&self) -> Operation {
        let compared = self.is_compared()?;
        let labels = if compared {
            self.compared_labels()?
        } else {
            let metrics = metrics_of(self.query).into_iter().chain(extra_metrics(self.data)?);
            metrics.map(|metric| metric_label(&metric)).collect::<Result<_, _>>()?
        };
        let Some(index) = x_axis_label(self.data)? else { return Ok(Value::Null) };
        if labels.is_empty() {
            return Ok(Value::Null);
        }
        let mut aggregates = Map::new();
        for label in &labels {
            set(&mut aggregates, &key_text(label)?, json!({"operator": "mean"}));
        }
        let columns = column_labels(&self.series())?;
        let dropped = !self.data.get("show_empty_columns").is_some_and(truthy);
        Ok(if compared {
            json!({"operation": "pivot", "options": {
                "index": [index], "columns": columns, "drop_missing_columns": dropped, "aggregates": aggregates,
            }})
        } else {
            json!({"operation": "pivot", "options": {
                "index": [index], "columns": columns, "aggregates": aggregates, "drop_missing_columns": dropped,
            }})
        })
    }

    pub fn rolling(&self) -> Operation {
        let names = if self.is_compared()? {
            self.compared_labels()?
        } else {
            let names = metrics_of(self.query).into_iter().filter_map(|metric| match metric {
                Value::String(_) => Some(metric),
                Value::Object(map) => Some(map.get("label").cloned().unwrap_or_default()),
                _ => None,
            });
            names.collect()
        };
        let mut columns = Map::new();
        for name in names.iter().filter(|name| !name.is_null()) {
            set(&mut columns, &key_text(name)?, name.clone());
        }
        Ok(match self.data.get("rolling_type").and_then(Value::as_str) {
            Some("cumsum") => json!({"operation": "cum", "options": {"operator": "sum", "columns": columns}}),
            Some(kind @ ("sum" | "mean" | "std")) => json!({"operation": "rolling", "options": {
                "rolling_type": kind,
                "window": int_or(self.data.get("rolling_periods"), 1),
                "min_periods": int_or(self.data.get("min_periods"), 0),
                "columns": columns,
            }}),
            _ => Value::Null,
        })
    }

    pub fn compare(&self) -> Operation {
        let offsets = self.offsets()?;
        if !self.is_compared()? || self.comparison() == Some("values") {
            return Ok(Value::Null);
        }
        let (names, metrics): (Vec<String>, Vec<Value>) = offsets.into_iter().unzip();
        Ok(json!({"operation": "compare", "options": {
            "source_columns": metrics,
            "compare_columns": names,
            "compare_type": self.comparison(),
            "drop_original_columns": true,
        }}))
    }

    pub fn resample(&self) -> Operation {
        let method = self.data.get("resample_method").filter(|method| truthy(method));
        let rule = self.data.get("resample_rule").filter(|rule| truthy(rule));
        let (Some(method), Some(rule)) = (method, rule) else { return Ok(Value::Null) };
        let zeros = method == "zerofill";
        Ok(json!({"operation": "resample", "options": {
            "method": if zeros { json!("asfreq") } else { method.clone() },
            "rule": rule,
            "fill_value": zeros.then_some(0),
        }}))
    }

    pub fn rename(&self) -> Operation {
        let metrics = metrics_of(self.query);
        let columns = ensure_list(Some(&self.series()));
        let [metric] = &metrics[..] else { return Ok(Value::Null) };
        if columns.is_empty() || x_axis_label(self.data)?.is_none() {
            return Ok(Value::Null);
        }
        let compared = self.is_compared()?;
        if compared {
            hashable(self.data.get("comparison_type").unwrap_or(&Value::Null))?;
        }
        let differs = matches!(self.comparison(), Some("difference" | "ratio" | "percentage"));
        if compared && differs || !self.data.get("truncate_metric").is_some_and(truthy) {
            return Ok(Value::Null);
        }
        let mut names = Map::new();
        if compared && self.comparison() == Some("values") {
            let shifts = ensure_list(self.data.get("time_compare"));
            for (name, _) in self.offsets()? {
                let shift = shifts.iter().find(|s| s.as_str().is_some_and(|shift| name.contains(shift)));
                set(&mut names, &name, shift.cloned().unwrap_or_default());
            }
        }
        set(&mut names, &key_text(&metric_label(metric)?)?, Value::Null);
        Ok(json!({"operation": "rename", "options": {"columns": names, "level": 0, "inplace": true}}))
    }

    pub fn contribution(&self, shifts: &Value) -> Operation {
        Ok(match self.data.get("contributionMode").filter(|mode| truthy(mode)) {
            Some(mode) => json!({"operation": "contribution", "options": {
                "orientation": mode, "time_shifts": shifts,
            }}),
            None => Value::Null,
        })
    }

    pub fn sort(&self) -> Operation {
        let axis = x_axis_label(self.data)?;
        let mut labels: Vec<Value> = axis.iter().cloned().collect();
        for metric in ensure_list(self.data.get("metrics")).into_iter().chain(extra_metrics(self.data)?) {
            labels.push(metric_label(&metric)?);
        }
        let (Some(by), Some(ascending)) =
            (given(self.data, "x_axis_sort"), given(self.data, "x_axis_sort_asc"))
        else {
            return Ok(Value::Null);
        };
        let known = labels.iter().any(|label| truthy(label) && equal(label, by));
        let grouped = match self.data.get("groupby") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(_) | Value::Number(_)) => true,
            Some(groups) => truthy(groups),
        };
        Ok(if !known || grouped {
            Value::Null
        } else if axis.is_some_and(|axis| equal(&axis, by)) {
            json!({"operation": "sort", "options": {"is_sort_index": true, "ascending": ascending}})
        } else {
            json!({"operation": "sort", "options": {"by": by, "ascending": ascending}})
        })
    }

    pub fn prophet(&self) -> Operation {
        let on = self.data.get("forecastEnabled").is_some_and(truthy);
        let Some(index) = x_axis_label(self.data)?.filter(|_| on) else { return Ok(Value::Null) };
        let of = |key: &str| self.data.get(key).cloned().unwrap_or_default();
        Ok(json!({"operation": "prophet", "options": {
            "time_grain": of("time_grain_sqla"),
            "periods": int(&of("forecastPeriods")).unwrap_or(0),
            "confidence_interval": float(&of("forecastInterval")).unwrap_or(0.0),
            "yearly_seasonality": of("forecastSeasonalityYearly"),
            "weekly_seasonality": of("forecastSeasonalityWeekly"),
            "daily_seasonality": of("forecastSeasonalityDaily"),
            "index": index,
        }}))
    }
}
