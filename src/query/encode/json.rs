//! JSON as `superset.utils.json:dumps` with `json_int_dttm_ser` writes it: `, ` and `: ` as separators, ASCII only,
//! NaN as null, timestamps as milliseconds, decimals with all their digits. Values go straight into the buffer.

use infra::{
    compute::Pace,
    engines::column::{ColumnData, Scalar},
};

use crate::frame::datetime::{date_micros, epoch_ms, to_micros};
pub use crate::frame::json_text::{value_text, write_str, write_value};
use crate::frame::python::{timedelta_json, write_float, write_int};
use crate::frame::{Frame, FrameError, Index, Label, LabelPositions, Result, decimal};

/// The frame as a list of records (`df.to_dict(orient="records")`), appended to `out`.
pub fn write_records(out: &mut Vec<u8>, frame: &Frame) -> Result<()> {
    // Of columns with equal labels the last one's values win, at the first one's place, as in a Python dict.
    let mut columns: Vec<(Vec<u8>, &ColumnData)> = Vec::with_capacity(frame.columns.len());
    let mut places = LabelPositions::default();
    for c in &frame.columns {
        if let Some(at) = places.find_or_add(&c.label) {
            if let Some(slot) = columns.get_mut(at) {
                slot.1 = &c.data;
            }
            continue;
        }
        let mut key = Vec::new();
        if !columns.is_empty() {
            key.extend_from_slice(b", ");
        }
        write_key(&mut key, &c.label)?;
        key.extend_from_slice(b": ");
        columns.push((key, &c.data));
    }
    let rows = frame.row_count();
    let width: usize = columns.iter().map(|(k, _)| k.len() + 8).sum::<usize>() + 4;
    out.reserve(width.saturating_mul(rows).min(64 << 20));
    let mut pace = Pace::default();
    out.push(b'[');
    for row in 0..rows {
        out.extend_from_slice(if row == 0 { b"{" } else { b", {" });
        for (key, data) in &columns {
            pace.step()?;
            out.extend_from_slice(key);
            write_cell(out, data, row);
        }
        out.push(b'}');
    }
    out.push(b']');
    Ok(())
}

/// A dict of columns, each a dict of the index labels (`df.to_dict()`), as `post_processed` answers carry it.
pub fn write_columns(out: &mut Vec<u8>, frame: &Frame) -> Result<()> {
    let mut pace = Pace::default();
    let mut row_keys = Vec::with_capacity(frame.row_count());
    for row in 0..frame.row_count() {
        pace.step()?;
        let labels = frame.index.row(row);
        let label = match labels.as_slice() {
            [one] if !frame.index.is_multi() => Label::Flat(one.clone()),
            _ => Label::Levels(labels),
        };
        let mut key = Vec::new();
        write_key(&mut key, &label)?;
        row_keys.push(key);
    }
    // A repeated index label keeps its first place and its last value.
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut at = std::collections::HashMap::new();
    for (row, key) in row_keys.iter().enumerate() {
        match at.entry(key.as_slice()) {
            std::collections::hash_map::Entry::Occupied(e) => {
                let place: usize = *e.get();
                if let Some(p) = places.get_mut(place) {
                    p.1 = row;
                }
            }
            std::collections::hash_map::Entry::Vacant(e) => {
                e.insert(places.len());
                places.push((row, row));
            }
        }
    }
    out.push(b'{');
    for (i, c) in frame.columns.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        write_key(out, &c.label)?;
        out.extend_from_slice(b": {");
        for (n, (first, last)) in places.iter().enumerate() {
            pace.step()?;
            if n > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(row_keys.get(*first).map(Vec::as_slice).unwrap_or_default());
            out.extend_from_slice(b": ");
            write_cell(out, &c.data, *last);
        }
        out.push(b'}');
    }
    out.push(b'}');
    Ok(())
}

/// The column labels as a JSON array (`colnames`).
pub fn write_colnames(out: &mut Vec<u8>, frame: &Frame) {
    out.push(b'[');
    for (i, c) in frame.columns.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        write_label(out, &c.label);
    }
    out.push(b']');
}

/// The index labels as a JSON array (`indexnames`).
pub fn write_indexnames(out: &mut Vec<u8>, frame: &Frame) {
    out.push(b'[');
    match &frame.index {
        Index::Range { start, len } => {
            for i in 0..*len {
                if i > 0 {
                    out.extend_from_slice(b", ");
                }
                write_int(out, start + i as i64);
            }
        }
        other => {
            for i in 0..other.len() {
                if i > 0 {
                    out.extend_from_slice(b", ");
                }
                let mut row = other.row(i);
                let label = match row.pop() {
                    Some(one) if row.is_empty() && !other.is_multi() => Label::Flat(one),
                    Some(last) => {
                        row.push(last);
                        Label::Levels(row)
                    }
                    None => Label::Levels(row),
                };
                write_label(out, &label);
            }
        }
    }
    out.push(b']');
}

/// A label: its value, or a list of values.
pub fn write_label(out: &mut Vec<u8>, label: &Label) {
    match label {
        Label::Flat(s) => write_scalar(out, s),
        Label::Levels(v) => {
            out.push(b'[');
            for (i, s) in v.iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(b", ");
                }
                write_scalar(out, s);
            }
            out.push(b']');
        }
    }
}

fn write_key(out: &mut Vec<u8>, label: &Label) -> Result<()> {
    match label {
        Label::Flat(Scalar::Text(s)) => write_str(out, s),
        Label::Flat(v @ (Scalar::Int(_) | Scalar::Bool(_) | Scalar::Float(_) | Scalar::Null)) => {
            out.push(b'"');
            match v {
                Scalar::Float(f) if f.is_nan() => out.extend_from_slice(b"NaN"),
                v => write_scalar(out, v),
            }
            out.push(b'"');
        }
        Label::Flat(other) => {
            let name = match other {
                Scalar::Timestamp(_) | Scalar::TimestampTz(..) => "Timestamp",
                Scalar::Date(_) => "date",
                Scalar::Decimal(_) => "Decimal",
                _ => "object",
            };
            return Err(FrameError::unexpected(format!(
                "keys must be str, int, float, bool or None, not {name}"
            )));
        }
        Label::Levels(_) => {
            return Err(FrameError::unexpected("keys must be str, int, float, bool or None, not tuple"));
        }
    }
    Ok(())
}

/// One cell.
pub fn write_cell(out: &mut Vec<u8>, data: &ColumnData, row: usize) {
    match data {
        ColumnData::Int(v) => match v.get(row).copied().flatten() {
            Some(i) => write_int(out, i),
            None => out.extend_from_slice(b"null"),
        },
        ColumnData::Float(v) => match v.get(row).copied().flatten() {
            Some(f) if f.is_finite() => write_float(out, f),
            _ => out.extend_from_slice(b"null"),
        },
        ColumnData::Text(v) => match v.get(row).and_then(Option::as_deref) {
            Some(s) => write_str(out, s),
            None => out.extend_from_slice(b"null"),
        },
        ColumnData::Timestamp(v) => match v.get(row).copied().flatten() {
            Some(us) => write_float(out, epoch_ms(us)),
            None => out.extend_from_slice(b"null"),
        },
        ColumnData::Decimal(v) => match v.get(row).and_then(Option::as_ref) {
            Some(d) => out.extend_from_slice(decimal::to_text(d).as_bytes()),
            None => out.extend_from_slice(b"null"),
        },
        ColumnData::Object(v) => match v.get(row) {
            Some(s) => write_scalar(out, s),
            None => out.extend_from_slice(b"null"),
        },
        other => write_scalar(out, &other.get(row)),
    }
}

/// One value.
pub fn write_scalar(out: &mut Vec<u8>, value: &Scalar) {
    match value {
        Scalar::Null => out.extend_from_slice(b"null"),
        Scalar::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Scalar::Int(i) => write_int(out, *i),
        Scalar::Float(f) if f.is_finite() => write_float(out, *f),
        Scalar::Float(_) => out.extend_from_slice(b"null"),
        Scalar::Decimal(d) => out.extend_from_slice(decimal::to_text(d).as_bytes()),
        Scalar::Text(s) => write_str(out, s),
        Scalar::Bytes(b) => write_str(out, &bytes_text(b)),
        Scalar::Date(d) => write_float(out, epoch_ms(date_micros(*d))),
        Scalar::Time(_) => write_str(out, &crate::frame::python::str_of(value)),
        Scalar::Timestamp(t) => write_float(out, epoch_ms(to_micros(*t))),
        // Superset replaces the zone by UTC before it counts: the wall clock is what the client sees.
        Scalar::TimestampTz(t, _) => write_float(out, epoch_ms(to_micros(*t))),
        Scalar::Interval(us) => write_str(out, &timedelta_json(*us)),
        Scalar::Json(v) => write_value(out, v),
    }
}

/// `bytes` as text: UTF-8, else UTF-16, else a placeholder (`base_json_conv`).
fn bytes_text(bytes: &[u8]) -> String {
    if let Ok(s) = std::str::from_utf8(bytes) {
        return s.to_owned();
    }
    let (body, big) = match bytes {
        [0xfe, 0xff, rest @ ..] => (rest, true),
        [0xff, 0xfe, rest @ ..] => (rest, false),
        all => (all, false),
    };
    let (pairs, rest) = body.as_chunks::<2>();
    let units: Vec<u16> =
        pairs.iter().map(|p| if big { u16::from_be_bytes(*p) } else { u16::from_le_bytes(*p) }).collect();
    match String::from_utf16(&units) {
        Ok(s) if rest.is_empty() => s,
        _ => "[bytes]".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Column;

    #[test]
    fn records_look_like_simplejson() {
        let frame = Frame::new(vec![
            Column::new("né", ColumnData::Float(vec![Some(1.0), Some(f64::INFINITY), None])),
            Column::new("t", ColumnData::Timestamp(vec![Some(0), Some(1_500), None])),
            Column::new("s", ColumnData::Text(vec![Some("😀\"\n\u{7f}".into()), None, Some("".into())])),
            Column::new(
                "o",
                ColumnData::Object(vec![
                    Scalar::Bytes(vec![0xff, 0x80]),
                    Scalar::Interval(-1_000_000),
                    Scalar::Null,
                ]),
            ),
        ]);
        let mut out = Vec::new();
        write_records(&mut out, &frame).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"[{"n\u00e9": 1.0, "t": 0.0, "s": "\ud83d\ude00\"\n\u007f", "o": "\u80ff"}, "#,
                r#"{"n\u00e9": null, "t": 1.5, "s": null, "o": "-0 days 00:00:01"}, "#,
                r#"{"n\u00e9": null, "t": null, "s": "", "o": null}]"#
            )
        );
    }
}
