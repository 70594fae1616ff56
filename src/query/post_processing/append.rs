//! Adding computed columns to a frame (`_append_columns`).

use infra::engines::column::{ColumnData, Scalar};

use crate::frame::{Column, Dtype, Frame, Label, dtype, from_scalars};

/// Computed columns replace their sources when every name stays the same; otherwise they are renamed and appended,
/// on all levels of their labels.
pub(super) fn append_columns(mut base: Frame, computed: Vec<Column>, names: &[(&str, &str)]) -> Frame {
    if names.iter().all(|(from, to)| from == to) {
        for c in computed {
            for slot in base.columns.iter_mut().filter(|b| b.label == c.label) {
                slot.data = hold(&slot.data, c.data.clone());
            }
        }
        return base;
    }
    let rename = |s: &Scalar| match s {
        Scalar::Text(t) => match names.iter().find(|(from, _)| *from == &**t) {
            Some((_, to)) => Scalar::Text((*to).into()),
            None => s.clone(),
        },
        other => other.clone(),
    };
    for c in computed {
        let label = match &c.label {
            Label::Flat(s) => Label::Flat(rename(s)),
            Label::Levels(v) => Label::Levels(v.iter().map(rename).collect()),
        };
        base.columns.push(Column { label, data: c.data });
    }
    base
}

/// Setting by `.loc` keeps a column's type when it can hold the new values without loss.
pub(super) fn hold(old: &ColumnData, new: ColumnData) -> ColumnData {
    if dtype(old) == Dtype::Int
        && let ColumnData::Float(v) = &new
    {
        let whole: Option<Vec<Option<i64>>> = v
            .iter()
            .map(|x| x.filter(|f| f.fract() == 0.0 && f.abs() < 9.0e18).map(|f| Some(f as i64)))
            .collect();
        if let Some(ints) = whole {
            return ColumnData::Int(ints);
        }
    }
    match (old, new) {
        (ColumnData::Float(_), new @ ColumnData::Int(_)) if dtype(&new) == Dtype::Int => from_scalars(
            (0..new.len())
                .map(|i| match new.get(i) {
                    Scalar::Int(n) => Scalar::Float(n as f64),
                    other => other,
                })
                .collect(),
        ),
        (_, new) => new,
    }
}
