//! A chart's answer as a table in a text: the data frame that reports make of it
//! (`superset.utils.csv:get_chart_dataframe`), as HTML (`DataFrame.to_html`) and as Markdown (`DataFrame.to_markdown`).

mod html;
mod markdown;

use infra::python::float_repr;
use serde_json::{Map, Value};

/// Generic type of a temporal column.
const TEMPORAL: i64 = 2;

/// The values of a column, by pandas' type.
#[derive(Debug, Clone, PartialEq)]
enum Cells {
    Bool(Vec<bool>),
    Int(Vec<i64>),
    /// Missing values are NaN.
    Float(Vec<f64>),
    /// Milliseconds since 1970.
    Time(Vec<Option<i64>>),
    Object(Vec<Value>),
}

/// A table with labels of one or more levels.
#[derive(Debug, Clone, PartialEq)]
pub struct TextTable {
    /// Levels of each column's label.
    columns: Vec<Vec<Value>>,
    /// Levels of each row's label.
    index: Vec<Vec<Value>>,
    cells: Vec<Cells>,
}

impl TextTable {
    /// The first result of `{"result": [{"data": …, "colnames": …, "indexnames": …, "coltypes": …}]}`; none when it
    /// has no rows or no columns. An answer of another shape is an error with Python's words.
    pub fn of_answer(answer: &Value) -> Result<Option<Self>, String> {
        let result = answer.get("result").and_then(|r| r.get(0)).ok_or("list index out of range")?;
        let list = |key: &str| {
            let found = result.get(key).and_then(Value::as_array);
            found.ok_or_else(|| format!("'{key}'"))
        };
        let (names, raw) = match result.get("data") {
            Some(Value::Array(records)) => of_records(records),
            Some(Value::Object(columns)) => of_columns(columns),
            _ => return Err("'data'".to_owned()),
        };
        let rows = raw.first().map_or(0, Vec::len);
        if rows == 0 {
            return Ok(None);
        }
        let columns: Vec<Vec<Value>> = list("colnames")?.iter().map(levels).collect();
        let index: Vec<Vec<Value>> = list("indexnames")?.iter().map(levels).collect();
        for (found, wanted) in [(columns.len(), raw.len()), (index.len(), rows)] {
            if found != wanted {
                return Err(format!(
                    "Length mismatch: Expected axis has {wanted} elements, new values have {found} elements"
                ));
            }
        }
        let mut cells: Vec<Cells> = raw.into_iter().map(Cells::inferred).collect();
        for (at, kind) in list("coltypes")?.iter().enumerate() {
            if kind.as_i64() != Some(TEMPORAL) {
                continue;
            }
            // a name that is none of the columns, or a value that is no moment, ends the conversion
            let name = columns.get(at).map(|label| text_of(label));
            let place = names.iter().position(|known| Some(known) == name.as_ref());
            let Some(column) = place.and_then(|place| cells.get_mut(place)) else { break };
            let Some(times) = column.as_times() else { break };
            *column = times;
        }
        Ok(Some(Self { columns, index, cells }))
    }

    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.index.len()
    }

    /// `DataFrame.to_html(na_rep="", index=True, escape=True)`.
    pub fn to_html(&self) -> String {
        html::write(self)
    }

    /// `DataFrame.to_markdown()`, labels of several levels joined by blanks.
    pub fn to_markdown(&self) -> String {
        markdown::write(self)
    }
}

/// A label's levels: those of a list, or the label alone.
fn levels(name: &Value) -> Vec<Value> {
    match name {
        Value::Array(levels) => levels.clone(),
        other => vec![other.clone()],
    }
}

/// The levels of a label as one text.
fn text_of(label: &[Value]) -> String {
    let all: Vec<String> = label.iter().map(python_str).collect();
    all.join(" ").trim().to_owned()
}

/// `str(value)`.
fn python_str(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => infra::python::json_repr(other),
    }
}

/// A list of records: the columns are their keys in the order in which they appear.
fn of_records(records: &[Value]) -> (Vec<String>, Vec<Vec<Value>>) {
    let mut names: Vec<String> = Vec::new();
    let mut first = true;
    for record in records.iter().filter_map(Value::as_object) {
        if first || record.len() != names.len() || record.keys().zip(&names).any(|(a, b)| a != b) {
            for key in record.keys() {
                if !names.contains(key) {
                    names.push(key.clone());
                }
            }
            first = false;
        }
    }
    let column = |name: &String| records.iter().map(|r| r.get(name).cloned().unwrap_or_default()).collect();
    let cells = names.iter().map(column).collect();
    (names, cells)
}

/// A column by each key, each with its values by the labels of the rows.
fn of_columns(columns: &Map<String, Value>) -> (Vec<String>, Vec<Vec<Value>>) {
    let mut rows: Vec<&String> = Vec::new();
    if let Some(Value::Object(first)) = columns.values().next() {
        rows = first.keys().collect();
    }
    let column =
        |values: &Value| rows.iter().map(|r| values.get(r.as_str()).cloned().unwrap_or_default()).collect();
    (columns.keys().cloned().collect(), columns.values().map(column).collect())
}

impl Cells {
    /// The type that pandas finds for a list of values.
    fn inferred(values: Vec<Value>) -> Self {
        let all = |is: fn(&Value) -> bool| values.iter().all(is);
        let is_number = |v: &Value| v.is_number() || v.is_null();
        if all(Value::is_boolean) {
            return Self::Bool(values.iter().filter_map(Value::as_bool).collect());
        }
        if all(Value::is_i64) {
            return Self::Int(values.iter().filter_map(Value::as_i64).collect());
        }
        if values.iter().all(is_number) && values.iter().any(Value::is_number) {
            return Self::Float(values.iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect());
        }
        Self::Object(values)
    }

    /// `astype("datetime64[ms]")`; none where that fails.
    fn as_times(&self) -> Option<Self> {
        let times = match self {
            Self::Int(v) => v.iter().map(|ms| Some(*ms)).collect(),
            Self::Float(v) => {
                #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
                let of = |ms: &f64| (!ms.is_nan()).then_some(*ms as i64);
                v.iter().map(of).collect()
            }
            Self::Object(v) => {
                // texts of one format: that of the first
                let mut shapes = v.iter().filter_map(Value::as_str).map(shape);
                let first = shapes.next();
                if shapes.any(|other| Some(other) != first) {
                    return None;
                }
                let parsed: Option<Vec<_>> = v.iter().map(moment).collect();
                parsed?
            }
            Self::Bool(_) | Self::Time(_) => return None,
        };
        Some(Self::Time(times))
    }
}

/// A text with all digits alike.
fn shape(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

/// A moment in milliseconds, from a number or a text; `Some(None)` for null.
fn moment(value: &Value) -> Option<Option<i64>> {
    match value {
        Value::Null => Some(None),
        Value::Number(n) => n.as_i64().map(Some),
        Value::String(text) => infra::db::parse_datetime(text).map(|t| Some(t.and_utc().timestamp_millis())),
        _ => None,
    }
}

/// Text of a number as `str` has it.
fn number_text(x: f64) -> String {
    float_repr(x)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Recorded with `tests/golden/text_table/record.py`.
    #[test]
    fn tables_are_written_as_pandas_writes_them() {
        let recorded = include_str!("../../../tests/golden/text_table/cases.json");
        let cases: Vec<Value> = serde_json::from_str(recorded).unwrap();
        assert!(cases.len() > 10);
        for case in cases {
            let table = TextTable::of_answer(&case["answer"]);
            let table = table.unwrap_or_else(|e| panic!("{}: {e}", case["name"]));
            let Some(table) = table else {
                assert!(case["html"].is_null(), "{}", case["name"]);
                continue;
            };
            assert_eq!(table.to_html(), case["html"].as_str().unwrap_or_default(), "{}", case["name"]);
            assert_eq!(
                table.to_markdown(),
                case["markdown"].as_str().unwrap_or_default(),
                "{}",
                case["name"]
            );
        }
    }

    #[test]
    fn answers_of_another_shape_are_errors() {
        for (answer, words) in [
            (json!({"result": []}), "list index out of range"),
            (json!({"result": [{"colnames": []}]}), "'data'"),
            (json!({"result": [{"data": [{"a": 1}]}]}), "'colnames'"),
            (
                json!({"result": [{"data": [{"a": 1}], "colnames": ["a", "b"], "indexnames": [0], "coltypes": []}]}),
                "Length mismatch: Expected axis has 1 elements, new values have 2 elements",
            ),
        ] {
            assert_eq!(TextTable::of_answer(&answer), Err(words.to_owned()));
        }
    }
}
