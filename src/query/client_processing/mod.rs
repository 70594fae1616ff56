//! Tables as the browser would show them, for answers of type `post_processed` (`superset.charts.client_processing`).

#[cfg(test)]
mod golden;
mod number_format;
mod pivot;
mod read_csv;

use std::collections::HashMap;

use infra::engines::column::{ColumnData, Scalar};
use serde_json::{Map, Value};

use crate::encode::csv::{CsvOptions, to_csv};
use crate::encode::json;
use crate::frame::{
    Column, ColumnHint, Frame, FrameError, GenericType, Index, IndexLevel, Label, LabelPositions, Result,
    coltypes,
};
use crate::frame::{Dtype, dtype, python, to_float};
pub use read_csv::read_csv;

/// What replaces `colnames`, `indexnames`, `coltypes`, `rowcount` and `data` of a query's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Processed {
    /// `colnames` as JSON.
    pub colnames: Vec<u8>,
    /// `indexnames` as JSON.
    pub indexnames: Vec<u8>,
    /// Types of the columns.
    pub coltypes: Vec<GenericType>,
    /// Number of rows.
    pub rowcount: usize,
    /// The table with flat labels.
    pub frame: Frame,
    /// A row of labels that is no plain counting and therefore belongs into a CSV.
    pub show_index: bool,
}

impl Processed {
    /// `data` of a JSON answer: columns of cells by row label.
    pub fn json(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        json::write_columns(&mut out, &self.frame)?;
        Ok(out)
    }

    /// `data` of a CSV answer.
    pub fn csv(&self) -> Result<Vec<u8>> {
        to_csv(&self.frame, &CsvOptions::plain(self.show_index))
    }
}

/// The answer's frame as pandas rebuilds it from JSON records: plain counting index, whole numbers beside nulls
/// become floats.
pub fn from_records(frame: &Frame) -> Frame {
    let mut out: Vec<Column> = Vec::with_capacity(frame.columns.len());
    let mut places = LabelPositions::default();
    for c in &frame.columns {
        let data = match &c.data {
            ColumnData::Int(v) if v.iter().any(Option::is_none) => {
                ColumnData::Float(v.iter().map(|x| x.map(|i| i as f64)).collect())
            }
            other => other.clone(),
        };
        match places.find_or_add(&c.label).and_then(|at| out.get_mut(at)) {
            Some(slot) => slot.data = data,
            None => out.push(Column { label: c.label.clone(), data }),
        }
    }
    let mut f = Frame::new(out);
    f.index = Index::range(frame.row_count());
    f
}

/// Processes a table for its chart. `None` when the chart has no client processing or there is nothing to process.
/// `verbose` maps column names to the labels shown.
pub fn process(
    mut frame: Frame,
    form_data: &Map<String, Value>,
    verbose: &HashMap<String, String>,
    hint: impl Fn(&str) -> ColumnHint,
) -> Result<Option<Processed>> {
    let viz_type = form_data.get("viz_type").and_then(Value::as_str).unwrap_or_default();
    if !matches!(viz_type, "pivot_table_v2" | "table") || frame.row_count() == 0 {
        return Ok(None);
    }
    for c in &mut frame.columns {
        if let Some(shown) = c.label.text().and_then(|t| verbose.get(t)) {
            c.label = Label::from(shown.as_str());
        }
    }
    let table = if viz_type == "table" {
        table(frame, form_data)?
    } else {
        pivot::pivot_table_v2(&frame, form_data, verbose)?
    };
    let show_index = !table.index.is_range();
    let (mut colnames, mut indexnames) = (Vec::new(), Vec::new());
    json::write_colnames(&mut colnames, &table);
    json::write_indexnames(&mut indexnames, &table);
    let types = coltypes(&table, hint)?;
    let rowcount = table.row_count();
    Ok(Some(Processed { colnames, indexnames, coltypes: types, rowcount, frame: flat(table), show_index }))
}

/// Labels of several levels become one text each.
fn flat(table: Frame) -> Frame {
    let join = |levels: &[Scalar]| {
        let texts: Vec<String> = levels.iter().map(label_text).collect();
        texts.join(" ").trim().to_owned()
    };
    let columns = table
        .columns
        .into_iter()
        .map(|c| {
            let label = match &c.label {
                Label::Levels(v) => Label::from(join(v)),
                flat => flat.clone(),
            };
            Column { label, data: c.data }
        })
        .collect();
    let rows = table.index.len();
    let index = match &table.index {
        Index::Multi(_) => Index::Flat(IndexLevel {
            name: None,
            data: ColumnData::Text(
                (0..rows).map(|r| Some(join(&table.index.row(r)).into_boxed_str())).collect(),
            ),
        }),
        Index::Flat(l) => Index::Flat(IndexLevel { name: None, data: l.data.clone() }),
        Index::Range { start, len } => Index::Flat(IndexLevel {
            name: None,
            data: ColumnData::Int((*start..).take(*len).map(Some).collect()),
        }),
    };
    Frame { columns, index, multi: false }
}

fn label_text(s: &Scalar) -> String {
    match s {
        Scalar::Null => "nan".into(),
        other => python::str_of(other),
    }
}

/// `table`: number formats of columns, where Python understands them.
fn table(mut frame: Frame, form_data: &Map<String, Value>) -> Result<Frame> {
    let config = match form_data.get("column_config") {
        None => return Ok(frame),
        Some(Value::Object(m)) => m,
        Some(_) => return Err(FrameError::unexpected("'NoneType' object has no attribute 'items'")),
    };
    for (name, settings) in config {
        let Some(Value::String(format)) = settings.get("d3NumberFormat") else { continue };
        for at in frame.positions(name) {
            let Some(c) = frame.columns.get_mut(at) else { continue };
            let texts: Option<Vec<Option<Box<str>>>> = (0..c.data.len())
                .map(|i| {
                    let v = match (&c.data, c.data.get(i)) {
                        (ColumnData::Float(_), Scalar::Null) => Scalar::Float(f64::NAN),
                        (_, v) => v,
                    };
                    number_format::format(&v, format).map(|s| Some(s.into_boxed_str()))
                })
                .collect();
            if let Some(texts) = texts {
                c.data = ColumnData::Text(texts);
            }
        }
    }
    Ok(frame)
}

/// Columns that meet in one (by transposing or stacking) take a common type.
pub(crate) fn unify(columns: &mut [Column]) {
    let types: Vec<Dtype> = columns.iter().map(|c| dtype(&c.data)).collect();
    if types.iter().all(|t| t.is_number()) && types.contains(&Dtype::Float) {
        for c in columns.iter_mut().filter(|c| dtype(&c.data) == Dtype::Int) {
            c.data = crate::frame::float_column(to_float(&c.data).unwrap_or_default());
        }
    }
}
