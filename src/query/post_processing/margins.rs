//! Totals of a pivot (`pandas.core.reshape.pivot:_add_margins`).

use std::collections::HashMap;

use infra::engines::column::{ColumnData, Scalar};

use super::aggregate::{one_column, over_groups};
use super::append::hold;
use super::numpy;
use super::pivot::{Request, label_key};
use crate::frame::{
    CellKey, Column, Dtype, Frame, FrameError, Index, IndexLevel, Label, Result, beside_nulls, concat_data,
    dtype, from_scalars, group, is_na, key,
};

/// Adds a total column per metric and a total row.
pub(super) fn add(mut table: Frame, frame: &Frame, r: &Request, name: &str) -> Result<Frame> {
    let conflict = || FrameError::unexpected(format!("Conflicting name \"{name}\" in margins"));
    let text = Scalar::Text(name.into());
    let levels = table.index.clone().into_levels();
    if levels.iter().any(|l| (0..l.data.len()).any(|i| l.data.get(i) == text))
        || table.columns.iter().any(|c| c.label.levels().iter().skip(1).any(|s| *s == text))
    {
        return Err(conflict());
    }
    let names: Vec<&str> =
        r.index.iter().chain(&r.columns).copied().chain(r.values.iter().map(|(n, _)| *n)).collect();
    let data = if r.drop_missing {
        let full: Vec<usize> = (0..frame.row_count())
            .filter(|row| names.iter().all(|n| frame.column(n).is_some_and(|c| !is_na(&c.data.get(*row)))))
            .collect();
        frame.take(&full)
    } else {
        frame.clone()
    };
    let everything: Vec<usize> = (0..data.row_count()).collect();
    let mut grand = HashMap::new();
    for (value, f) in &r.values {
        grand.insert(*value, numpy::apply(*f, one_column(&data, value)?, &everything)?);
    }
    let mut total_row: HashMap<Vec<CellKey>, Scalar> = HashMap::new();
    if table.multi {
        table = total_columns(table, &data, r, name)?;
        total_row = column_totals(&data, r)?;
    }
    let depth = table.levels();
    let mut row = Vec::with_capacity(table.columns.len());
    for c in &table.columns {
        let levels = c.label.levels();
        let metric = c.label.first_text().unwrap_or_default();
        let is_total = depth == 1 || levels.get(1) == Some(&text);
        let v = if is_total {
            grand.get(metric).cloned()
        } else {
            total_row.get(&label_key(levels)).cloned().or_else(|| r.fill.clone())
        };
        row.push(v.unwrap_or(Scalar::Float(f64::NAN)));
    }
    append_row(table, row, r.index.len(), &text)
}

/// A `(metric, name, "", …)` column after each metric's columns.
fn total_columns(table: Frame, data: &Frame, r: &Request, name: &str) -> Result<Frame> {
    let mut keys = Vec::new();
    for k in &r.index {
        keys.push(one_column(data, k)?);
    }
    let groups = group(&keys, false);
    let mut at: HashMap<Vec<CellKey>, usize> = HashMap::new();
    for g in 0..groups.len() {
        let labels: Vec<CellKey> = (0..keys.len()).map(|k| key(&groups.key_column(k).get(g))).collect();
        at.insert(labels, g);
    }
    let rows: Vec<usize> = (0..table.row_count())
        .map(|row| at.get(&label_key(&table.index.row(row))).copied().unwrap_or(usize::MAX))
        .collect();
    let depth = table.levels();
    // Metrics of different types lose them here, because pandas transposes the table and back.
    let mixed = {
        let mut types: Vec<Dtype> = table.columns.iter().map(|c| dtype(&c.data)).collect();
        types.dedup();
        types.iter().any(|t| *t != Dtype::Int) && types.iter().all(|t| t.is_number())
    };
    let mut metrics: Vec<&(&str, numpy::Function)> = r.values.iter().collect();
    metrics.sort_by(|a, b| a.0.cmp(b.0));
    let mut columns = Vec::new();
    for (metric, f) in metrics {
        let before = columns.len();
        columns.extend(table.columns.iter().filter(|c| c.label.first_text() == Some(metric)).map(|c| {
            let data = if mixed { beside_nulls(&c.data) } else { c.data.clone() };
            Column { label: c.label.clone(), data }
        }));
        if columns.len() == before {
            continue;
        }
        let margin = over_groups(&groups, one_column(data, metric)?, *f)?;
        let label =
            Label::Levels(vec![Scalar::Text((*metric).into()), Scalar::Text(name.into())]).padded(depth);
        columns.push(Column { label, data: crate::frame::take(&margin, &rows) });
    }
    Ok(Frame { columns, index: table.index, multi: true })
}

/// Totals over the rows, by column label.
fn column_totals(data: &Frame, r: &Request) -> Result<HashMap<Vec<CellKey>, Scalar>> {
    let mut keys = Vec::new();
    for k in &r.columns {
        keys.push(one_column(data, k)?);
    }
    let groups = group(&keys, false);
    let labels: Vec<ColumnData> = (0..keys.len()).map(|k| groups.key_column(k)).collect();
    let mut out = HashMap::new();
    for (metric, f) in &r.values {
        let values = over_groups(&groups, one_column(data, metric)?, *f)?;
        for g in 0..groups.len() {
            let mut label = vec![key(&Scalar::Text((*metric).into()))];
            label.extend(labels.iter().map(|l| key(&l.get(g))));
            out.insert(label, values.get(g));
        }
    }
    Ok(out)
}

fn append_row(table: Frame, row: Vec<Scalar>, index_depth: usize, name: &Scalar) -> Result<Frame> {
    let multi = table.multi;
    let columns = table
        .columns
        .into_iter()
        .zip(row)
        .map(|(c, v)| {
            // The total takes the column's type when that loses nothing.
            let v = match v {
                Scalar::Int(i) if dtype(&c.data) == Dtype::Float => Scalar::Float(i as f64),
                other => other,
            };
            let cell = hold(&c.data, from_scalars(vec![v]));
            Column { label: c.label, data: concat_data(c.data, cell) }
        })
        .collect();
    let levels = table
        .index
        .into_levels()
        .into_iter()
        .enumerate()
        .map(|(i, l)| {
            let mut values = crate::frame::astype_object(&l.data);
            values.push(if i == 0 { name.clone() } else { Scalar::Text("".into()) });
            IndexLevel { name: l.name, data: from_scalars(values) }
        })
        .collect();
    Ok(Frame { columns, index: Index::from_levels(levels, index_depth > 1), multi })
}
