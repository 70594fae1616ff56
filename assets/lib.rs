//! The frontend bundle: what Superset 6.0.0 was published with, unmodified, packed by the build script.
//!
//! A release build carries the files in the binary; a debug build reads them from `assets/dist`. A file is named as
//! in `dist/files`: `static/…` for what is served below `/static/`, `translations/<language>.json`.

use std::{borrow::Cow, collections::HashMap, io::Read, sync::OnceLock};

use rust_embed::RustEmbed;
use serde::Deserialize;

#[derive(RustEmbed)]
#[folder = "dist/"]
struct Dist;

/// How a file travels (`Content-Encoding`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// gzip.
    Gzip,
    /// Brotli.
    Brotli,
}

/// What is known of a file without reading it.
#[derive(Debug, Deserialize)]
pub struct File {
    /// Size in bytes, not compressed.
    pub size: u64,
    /// Seconds since 1970.
    pub modified: u64,
    /// Names the content, 16 hexadecimal digits.
    pub hash: String,
    /// `br`, `gz`; none when it is stored as it is.
    forms: Vec<String>,
}

/// A file of the bundle by its exact name; there are no folders to walk and so none to escape from.
pub fn find(name: &str) -> Option<&'static File> {
    static INDEX: OnceLock<HashMap<String, File>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        let json = Dist::get("index.json").map(|f| f.data).unwrap_or_default();
        serde_json::from_slice(&json).unwrap_or_default()
    });
    index.get(name)
}

impl File {
    /// The file is stored in this form.
    pub fn has(&self, encoding: Encoding) -> bool {
        match encoding {
            Encoding::Identity => self.forms.is_empty(),
            Encoding::Gzip => self.forms.iter().any(|f| f == "gz"),
            Encoding::Brotli => self.forms.iter().any(|f| f == "br"),
        }
    }
}

/// The bytes of a file in one of its forms, or decompressed when it is only stored compressed.
pub fn read(name: &str, encoding: Encoding) -> Option<Cow<'static, [u8]>> {
    let file = find(name)?;
    let suffix = match encoding {
        Encoding::Brotli => ".br",
        Encoding::Gzip => ".gz",
        Encoding::Identity if file.has(Encoding::Identity) => "",
        Encoding::Identity => return decompress(&read(name, Encoding::Gzip)?, file.size),
    };
    Dist::get(&format!("files/{name}{suffix}")).map(|f| f.data)
}

fn decompress(gz: &[u8], size: u64) -> Option<Cow<'static, [u8]>> {
    let mut content = Vec::with_capacity(usize::try_from(size).ok()?);
    flate2::read::GzDecoder::new(gz).read_to_end(&mut content).ok()?;
    Some(Cow::Owned(content))
}

/// The licences of everything that is linked in.
pub fn licenses() -> String {
    unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/licenses.txt.gz")))
}

/// What is linked in, as CycloneDX.
pub fn bill_of_materials() -> String {
    unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/bill.json.gz")))
}

fn unpacked(gz: &[u8]) -> String {
    let mut text = String::new();
    // it is our own file
    let _ = flate2::read::GzDecoder::new(gz).read_to_string(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_linked_in_has_a_licence() {
        let text = licenses();
        assert!(text.contains("\nrust-embed ") && text.contains("Permission is hereby granted"));
        assert!(!text.contains("\nproptest "), "it only tests");
        let bill: serde_json::Value = serde_json::from_str(&bill_of_materials()).unwrap();
        let components = bill["components"].as_array().unwrap();
        assert!(components.len() > 100);
        for one in components {
            let license = one["licenses"][0]["expression"].as_str().unwrap();
            assert!(!license.is_empty(), "{one}");
            assert!(text.contains(&format!(
                "\n{} {}: ",
                one["name"].as_str().unwrap(),
                one["version"].as_str().unwrap()
            )));
        }
    }

    #[test]
    fn every_form_is_the_same_file() {
        let name = "static/assets/manifest.json";
        let file = find(name).unwrap();
        let plain = read(name, Encoding::Identity).unwrap();
        assert_eq!(plain.len() as u64, file.size);
        let br = read(name, Encoding::Brotli).unwrap();
        let mut unpacked = Vec::new();
        brotli::Decompressor::new(&br[..], 4096).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, &plain[..]);
        assert!(br.len() < plain.len());
    }

    #[test]
    fn only_exact_names_are_found() {
        assert!(find("static/appbuilder/css/flags/flags16.css").is_some());
        assert!(find("static/../index.json").is_none());
        assert!(find("static/assets").is_none());
        assert!(find("").is_none());
    }
}
