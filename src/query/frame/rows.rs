//! Picking and joining rows of a column.

use infra::engines::column::ColumnData;

use super::{astype_object, beside_nulls, from_scalars};

/// The values at these positions; a position beyond the end is null (integers then become floats, as when pandas
/// reindexes, unless floats would round one).
pub fn take(data: &ColumnData, rows: &[usize]) -> ColumnData {
    fn pick<T: Clone>(v: &[Option<T>], rows: &[usize]) -> Vec<Option<T>> {
        rows.iter().map(|r| v.get(*r).cloned().flatten()).collect()
    }
    let len = data.len();
    let holes = rows.iter().any(|r| *r >= len);
    match data {
        ColumnData::Null(_) => ColumnData::Null(rows.len()),
        ColumnData::Bool(v) => ColumnData::Bool(pick(v, rows)),
        ColumnData::Int(v) if holes && v.iter().all(Option::is_some) => {
            beside_nulls(&ColumnData::Int(pick(v, rows)))
        }
        ColumnData::Int(v) => ColumnData::Int(pick(v, rows)),
        ColumnData::Float(v) => ColumnData::Float(pick(v, rows)),
        ColumnData::Decimal(v) => ColumnData::Decimal(pick(v, rows)),
        ColumnData::Text(v) => ColumnData::Text(pick(v, rows)),
        ColumnData::Date(v) => ColumnData::Date(pick(v, rows)),
        ColumnData::Timestamp(v) => ColumnData::Timestamp(pick(v, rows)),
        ColumnData::Object(_) => ColumnData::Object(rows.iter().map(|r| data.get(*r)).collect()),
    }
}

/// A float column from values where NaN means null.
pub fn float_column(values: Vec<f64>) -> ColumnData {
    ColumnData::Float(values.into_iter().map(|x| if x.is_nan() { None } else { Some(x) }).collect())
}

/// One column after the other; types that differ meet as pandas' `concat` lets them meet.
pub fn concat_data(a: ColumnData, b: ColumnData) -> ColumnData {
    match (a, b) {
        (ColumnData::Int(mut x), ColumnData::Int(y)) => {
            x.extend(y);
            ColumnData::Int(x)
        }
        (ColumnData::Float(mut x), ColumnData::Float(y)) => {
            x.extend(y);
            ColumnData::Float(x)
        }
        (ColumnData::Text(mut x), ColumnData::Text(y)) => {
            x.extend(y);
            ColumnData::Text(x)
        }
        (a, b) => {
            let mut values = astype_object(&a);
            values.extend(astype_object(&b));
            from_scalars(values)
        }
    }
}
