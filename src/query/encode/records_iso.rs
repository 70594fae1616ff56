//! Records as SQL Lab shows them (`superset.dataframe:df_to_records`, `pessimistic_json_iso_dttm_ser`): times in ISO
//! 8601, integers beyond JavaScript's as text.

use infra::engines::column::{ColumnData, Scalar};

use super::json::{write_cell, write_scalar, write_str};
use crate::frame::Frame;
use crate::frame::datetime::from_micros;
use crate::frame::python::{offset_text, str_of, timestamp_text};

/// Integers above are shown as text (`JS_MAX_INTEGER`).
const MAX_INTEGER: u64 = 9_007_199_254_740_991;

/// The first `rows` rows, each an object on its own; the frame's labels are distinct.
pub fn records(frame: &Frame, rows: usize) -> impl Iterator<Item = Vec<u8>> + '_ {
    let keys: Vec<Vec<u8>> = frame
        .columns
        .iter()
        .map(|column| {
            let mut key = Vec::new();
            write_str(&mut key, &column.label.display());
            key.extend_from_slice(b": ");
            key
        })
        .collect();
    (0..frame.row_count().min(rows)).map(move |row| {
        let mut out = vec![b'{'];
        for (i, (key, column)) in keys.iter().zip(&frame.columns).enumerate() {
            if i > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(key);
            cell(&mut out, &column.data, row);
        }
        out.push(b'}');
        out
    })
}

fn cell(out: &mut Vec<u8>, data: &ColumnData, row: usize) {
    match data {
        ColumnData::Timestamp(v) => match v.get(row).copied().flatten().and_then(from_micros) {
            Some(t) => write_str(out, &timestamp_text(&t, 'T')),
            None => out.extend_from_slice(b"null"),
        },
        ColumnData::Int(v) => match v.get(row).copied().flatten() {
            Some(i) if i.unsigned_abs() > MAX_INTEGER => write_str(out, &i.to_string()),
            _ => write_cell(out, data, row),
        },
        ColumnData::Date(_) | ColumnData::Object(_) => scalar(out, &data.get(row)),
        other => write_cell(out, other, row),
    }
}

fn scalar(out: &mut Vec<u8>, value: &Scalar) {
    match value {
        Scalar::Date(d) => write_str(out, &d.format("%Y-%m-%d").to_string()),
        Scalar::Timestamp(t) => write_str(out, &timestamp_text(t, 'T')),
        Scalar::TimestampTz(t, offset) => {
            write_str(out, &format!("{}{}", timestamp_text(t, 'T'), offset_text(*offset)));
        }
        Scalar::Int(i) if i.unsigned_abs() > MAX_INTEGER => write_str(out, &i.to_string()),
        Scalar::Interval(_) => write_str(out, &str_of(value)),
        other => write_scalar(out, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Column;

    #[test]
    fn times_are_iso_and_large_integers_text() {
        let frame = Frame::new(vec![
            Column::new("t", ColumnData::Timestamp(vec![Some(0), None])),
            Column::new("i", ColumnData::Int(vec![Some(9_007_199_254_740_992), Some(1)])),
            Column::new("d", ColumnData::Date(vec![None, chrono::NaiveDate::from_ymd_opt(2020, 1, 2)])),
        ]);
        let text: Vec<String> = records(&frame, 10).map(|r| String::from_utf8(r).unwrap()).collect();
        assert_eq!(
            text,
            [
                r#"{"t": "1970-01-01T00:00:00", "i": "9007199254740992", "d": null}"#,
                r#"{"t": null, "i": 1, "d": "2020-01-02"}"#
            ]
        );
    }
}
