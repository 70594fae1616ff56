//! `geodetic_parse`: points as text into latitude, longitude, altitude (`geopy.point.Point`).

use std::sync::LazyLock;

use infra::engines::column::Scalar;
use regex::{Captures, Regex};

use super::geohash::append_named;
use super::options::Options;
use crate::frame::{Column, Frame, FrameError, Result, float_column};

/// geopy rejects longer texts.
const MAX_LENGTH: usize = 256;

static POINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let float = r"\d+(?:\.\d+)?";
    let sep = r"\s*[,;/\s]\s*";
    let angle = |name: &str, dirs: &str| {
        format!(
            "(?P<{name}_front>[{dirs}])?[ ]*(?P<{name}_degrees>[+-]?{float})(?:[\u{b0}D*\\s][ ]*\
             (?:(?P<{name}_minutes>{float})[\u{2032}'m][ ]*)?(?:(?P<{name}_seconds>{float})[\u{2033}\"s][ ]*)?)?\
             (?P<{name}_back>[{dirs}])?"
        )
    };
    Regex::new(&format!(
        r"^.*?{}{sep}{}(?:{sep}(?P<altitude>[+-]?{float})[ ]*(?P<unit>km|m|mi|ft|nm|nmi))?\s*$",
        angle("latitude", "NS"),
        angle("longitude", "EW"),
    ))
    .ok()
});

pub(super) fn apply(frame: Frame, o: &Options) -> Result<Frame> {
    o.signature(&["geodetic", "longitude", "latitude"], &["altitude"])?;
    let (source, longitude, latitude) = (o.text("geodetic")?, o.text("longitude")?, o.text("latitude")?);
    let Some(column) = frame.column(source) else {
        return Err(FrameError::unexpected(format!("'{source}'")));
    };
    let (mut lats, mut lons, mut alts) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..column.data.len() {
        let Scalar::Text(text) = column.data.get(row) else {
            return Err(FrameError::unexpected("Failed to create Point instance from None."));
        };
        let (lat, lon, alt) = point(&text).ok_or_else(|| FrameError::invalid("Invalid geodetic string"))?;
        lats.push(lat);
        lons.push(lon);
        alts.push(alt);
    }
    let mut names = vec![("latitude", latitude), ("longitude", longitude)];
    if o.truthy("altitude", false) {
        names.push(("altitude", o.text("altitude")?));
    }
    append_named(
        frame,
        vec![
            Column::new("latitude", float_column(lats)),
            Column::new("longitude", float_column(lons)),
            Column::new("altitude", float_column(alts)),
        ],
        &names,
    )
}

fn point(text: &str) -> Option<(f64, f64, f64)> {
    if text.chars().count() > MAX_LENGTH {
        return None;
    }
    let text = text.replace("''", "\"");
    let c = POINT.as_ref()?.captures(&text)?;
    let latitude = degrees(&c, "latitude")?;
    let mut longitude = degrees(&c, "longitude")?;
    if latitude.abs() > 90.0 || !longitude.is_finite() {
        return None;
    }
    if longitude.abs() > 180.0 {
        let m = longitude % 360.0;
        longitude = if m < -180.0 {
            m + 360.0
        } else if m >= 180.0 {
            m - 360.0
        } else {
            m
        };
    }
    let altitude = match c.name("altitude") {
        None => 0.0,
        Some(m) => {
            let d: f64 = m.as_str().parse().ok()?;
            match c.name("unit").map(|u| u.as_str()) {
                Some("m") => d / 1000.0,
                Some("mi") => d * 1.609_344,
                Some("ft") => d / (1.0 / 1.609_344 * 5280.0),
                Some("nm" | "nmi") => d / (1.0 / 1.852),
                _ => d,
            }
        }
    };
    Some((latitude, longitude, altitude))
}

fn degrees(c: &Captures, name: &str) -> Option<f64> {
    let part = |suffix: &str| c.name(&format!("{name}_{suffix}")).map(|m| m.as_str());
    let number = |suffix: &str| part(suffix).map_or(Some(0.0), |s| s.parse::<f64>().ok());
    let (mut value, minutes, seconds) = (number("degrees")?, number("minutes")?, number("seconds")?);
    let more = minutes / 60.0 + seconds / 3600.0;
    if value < 0.0 {
        value -= more
    } else {
        value += more
    }
    match part("front").or_else(|| part("back")) {
        Some("S" | "W") => Some(-value),
        _ => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_several_notations() {
        assert_eq!(point("41.5;-81.0"), Some((41.5, -81.0, 0.0)));
        assert_eq!(point("41.5 N 81.0 W"), Some((41.5, -81.0, 0.0)));
        let (lat, lon, _) = point("23 26m 22s N 23 27' 30\" E").unwrap();
        assert!((lat - 23.439_444).abs() < 1e-5 && (lon - 23.458_333).abs() < 1e-5);
        assert_eq!(point("10, 20, 712m").map(|p| p.2), Some(0.712));
        assert_eq!(point("nope"), None);
        assert_eq!(point("91 0"), None);
    }
}
