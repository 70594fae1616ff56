//! A thumbnail or screenshot that is asked for.

use infra::{crypto::md5_hex, json};
use serde_json::{Map, Value, json};

/// Pixels of the longest side that may be asked for.
const LONGEST: u64 = 10_000;

/// What is to be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// A chart.
    #[default]
    Chart,
    /// A dashboard.
    Dashboard,
}

impl Kind {
    /// `thumbnail_type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chart => "chart",
            Self::Dashboard => "dashboard",
        }
    }

    /// Window and picture, where nobody names others.
    pub fn default_sizes(self) -> (Value, Value) {
        match self {
            Self::Chart => (json!([800, 600]), json!([800, 600])),
            Self::Dashboard => (json!([1600, 1200]), json!([800, 600])),
        }
    }
}

/// What it is of, for whom, and how large.
#[derive(Debug, Clone, Default)]
pub struct ThumbnailRequest {
    /// What is to be seen.
    pub kind: Kind,
    /// Of which number.
    pub id: i64,
    /// Its page, below the base address.
    pub path: String,
    /// The version of what is to be seen, and for whom.
    pub digest: Option<String>,
    /// As whom the page is opened.
    pub executor: Option<String>,
    /// Width and height of the window, as they were asked for.
    pub window: Value,
    /// Width and height of the picture, as they were asked for.
    pub thumb: Value,
    /// The state of a dashboard.
    pub permalink: Option<String>,
}

impl ThumbnailRequest {
    /// The key in the cache (`superset.utils.screenshots:get_cache_key`).
    pub fn key(&self) -> String {
        let mut parts = Map::new();
        parts.insert("digest".into(), json!(self.digest));
        if self.kind == Kind::Dashboard {
            parts.insert("permalink_key".into(), json!(self.permalink));
        }
        parts.insert("thumb_size".into(), self.thumb.clone());
        parts.insert("thumbnail_type".into(), self.kind.name().into());
        parts.insert("type".into(), "thumb".into());
        parts.insert("window_size".into(), self.window.clone());
        md5_hex(json::dumps_sorted(&Value::Object(parts)))
    }

    /// Window and picture in pixels; nothing when they make no sense.
    pub fn sizes(&self) -> Option<((u32, u32), (u32, u32))> {
        let size = |value: &Value| {
            let sides = value.as_array()?;
            let side = |n: usize| sides.get(n)?.as_u64().filter(|n| (1..=LONGEST).contains(n));
            Some((u32::try_from(side(0)?).ok()?, u32::try_from(side(1)?).ok()?))
        };
        Some((size(&self.window)?, size(&self.thumb)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: Kind, digest: Option<&str>) -> ThumbnailRequest {
        let (window, thumb) = kind.default_sizes();
        ThumbnailRequest {
            kind,
            id: 1,
            path: "/".into(),
            digest: digest.map(str::to_owned),
            executor: None,
            window,
            thumb,
            permalink: None,
        }
    }

    /// `md5_sha_from_dict`.
    #[test]
    fn keys_are_those_of_the_original() {
        let rest = r#""type": "thumb", "window_size": ["#;
        let text = r#"{"digest": "d", "thumb_size": [800, 600], "thumbnail_type": "chart", "#;
        assert_eq!(request(Kind::Chart, Some("d")).key(), md5_hex(format!("{text}{rest}800, 600]}}")));
        let text = r#"{"digest": null, "permalink_key": "k", "thumb_size": [800, 600], "#;
        let of_link = ThumbnailRequest { permalink: Some("k".into()), ..request(Kind::Dashboard, None) };
        let text = format!(r#"{text}"thumbnail_type": "dashboard", {rest}1600, 1200]}}"#);
        assert_eq!(of_link.key(), md5_hex(text));
    }

    #[test]
    fn sizes_that_make_no_sense_are_none() {
        for (window, sizes) in [
            (json!([3, 2]), Some(((3, 2), (800, 600)))),
            (json!([3, 2, 1]), Some(((3, 2), (800, 600)))),
            (json!([3]), None),
            (json!([0, 2]), None),
            (json!([-3, 2]), None),
            (json!([3, 99_999]), None),
            (json!("3x2"), None),
        ] {
            assert_eq!(ThumbnailRequest { window, ..request(Kind::Chart, None) }.sizes(), sizes);
        }
    }
}
