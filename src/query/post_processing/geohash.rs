//! `geohash_decode` and `geohash_encode` (the `python-geohash` package).

use infra::engines::column::{ColumnData, Scalar};

use super::append::append_columns;
use super::options::Options;
use crate::frame::{Column, Frame, FrameError, Result, as_f64, float_column};

const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
const PRECISION: usize = 12;

pub(super) fn decode(frame: Frame, o: &Options) -> Result<Frame> {
    o.signature(&["geohash", "longitude", "latitude"], &[])?;
    let (source, longitude, latitude) = (o.text("geohash")?, o.text("longitude")?, o.text("latitude")?);
    let Some(column) = frame.column(source) else {
        return Err(FrameError::unexpected(format!("'{source}'")));
    };
    let mut lats = Vec::new();
    let mut lons = Vec::new();
    for row in 0..column.data.len() {
        let Scalar::Text(hash) = column.data.get(row) else {
            return Err(FrameError::unexpected("decode() argument 1 must be str, not None"));
        };
        let (lat, lon) = decode_one(&hash).ok_or_else(|| FrameError::invalid("Invalid geohash string"))?;
        lats.push(lat);
        lons.push(lon);
    }
    append_named(
        frame,
        vec![Column::new("latitude", float_column(lats)), Column::new("longitude", float_column(lons))],
        &[("latitude", latitude), ("longitude", longitude)],
    )
}

pub(super) fn encode(frame: Frame, o: &Options) -> Result<Frame> {
    o.signature(&["geohash", "longitude", "latitude"], &[])?;
    let (target, longitude, latitude) = (o.text("geohash")?, o.text("longitude")?, o.text("latitude")?);
    let find = |name: &str| {
        frame
            .column(name)
            .map(|c| c.data.clone())
            .ok_or_else(|| FrameError::unexpected(format!("\"['{name}'] not in index\"")))
    };
    let (lats, lons) = (find(latitude)?, find(longitude)?);
    let mut hashes = Vec::with_capacity(lats.len());
    for row in 0..lats.len() {
        let number = |d: &ColumnData| match as_f64(&d.get(row)) {
            Some(x) => Ok(x),
            None => Err(FrameError::unexpected("must be real number, not str")),
        };
        let (lat, lon) = (number(&lats)?, number(&lons)?);
        hashes.push(Some(encode_one(lat, lon)?.into_boxed_str()));
    }
    // The helper frame keeps its coordinates, so they show up once more under their plain names.
    append_named(
        frame,
        vec![
            Column::new("latitude", lats),
            Column::new("longitude", lons),
            Column::new("geohash", ColumnData::Text(hashes)),
        ],
        &[("geohash", target)],
    )
}

/// Appends columns; when every name stays the same pandas looks for columns that do not exist yet.
pub(super) fn append_named(frame: Frame, columns: Vec<Column>, names: &[(&str, &str)]) -> Result<Frame> {
    if names.iter().all(|(a, b)| a == b)
        && let Some((missing, _)) = names.iter().find(|(a, _)| !frame.has(a))
    {
        return Err(FrameError::unexpected(format!("\"['{missing}'] not in index\"")));
    }
    Ok(append_columns(frame, columns, names))
}

fn decode_one(hash: &str) -> Option<(f64, f64)> {
    // More letters than a double has bits for add nothing.
    let (mut lat, mut lon) = ((-90.0, 90.0), (-180.0, 180.0));
    let mut even = true;
    if hash.len() > 64 {
        return None;
    }
    for c in hash.bytes() {
        let v = ALPHABET.iter().position(|a| *a == c.to_ascii_lowercase())?;
        for bit in (0..5).rev() {
            let range: &mut (f64, f64) = if even { &mut lon } else { &mut lat };
            let mid = f64::midpoint(range.0, range.1);
            if v >> bit & 1 == 1 {
                range.0 = mid;
            } else {
                range.1 = mid;
            }
            even = !even;
        }
    }
    Some((f64::midpoint(lat.0, lat.1), f64::midpoint(lon.0, lon.1)))
}

fn encode_one(latitude: f64, mut longitude: f64) -> Result<String> {
    if !(-90.0..=90.0).contains(&latitude) {
        return Err(FrameError::unexpected("invalid latitude."));
    }
    if !latitude.is_finite() || !longitude.is_finite() {
        return Err(FrameError::invalid("Invalid longitude/latitude"));
    }
    let latitude = if latitude == 90.0 { 90.0f64.next_down() } else { latitude };
    longitude = (longitude + 180.0).rem_euclid(360.0) - 180.0;
    let (mut lat, mut lon) = ((-90.0, 90.0), (-180.0, 180.0));
    let mut even = true;
    let mut out = String::with_capacity(PRECISION);
    for _ in 0..PRECISION {
        let mut v = 0usize;
        for _ in 0..5 {
            let (range, x): (&mut (f64, f64), f64) =
                if even { (&mut lon, longitude) } else { (&mut lat, latitude) };
            let mid = f64::midpoint(range.0, range.1);
            v <<= 1;
            if x >= mid {
                v |= 1;
                range.0 = mid;
            } else {
                range.1 = mid;
            }
            even = !even;
        }
        out.push(char::from(*ALPHABET.get(v).unwrap_or(&b'0')));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_round_trip() {
        let hash = encode_one(37.7749, -122.4194).unwrap();
        assert_eq!(hash, "9q8yyk8ytpxr");
        let (lat, lon) = decode_one(&hash).unwrap();
        assert!((lat - 37.7749).abs() < 1e-6 && (lon + 122.4194).abs() < 1e-6);
        assert_eq!(decode_one("a"), None);
    }
}
