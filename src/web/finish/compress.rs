//! Compression of answers (`flask_compress`); static files come packed and are left alone.

use std::io::Write;

use bytes::Bytes;
use infra::compute::{Pool, check};
use moka::future::Cache;
use sha2::{Digest as _, Sha256};

use super::headers::vary;
use crate::{Answer, context::Req};

/// Smaller bodies are sent as they are (`COMPRESS_MIN_SIZE`).
const MIN_SIZE: usize = 500;
/// Larger bodies are packed where that holds nobody up, so many bytes at a time.
const LARGE: usize = 64 << 10;

/// Bytes of packed bodies that are kept.
const KEPT: u64 = 32 << 20;

/// Names of encodings, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// Compresses answers; keeps those that are given again, by what they hold, so that nothing has to be forgotten when
/// something changes.
pub struct Compression(Cache<([u8; 32], Encoding), Bytes>);

impl Default for Compression {
    fn default() -> Self {
        let weigh = |_: &_, packed: &Bytes| u32::try_from(packed.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(KEPT).weigher(weigh).build())
    }
}

impl Compression {
    /// Packs the body when the client accepts it and it is worth it.
    pub async fn compress(&self, pool: &Pool, req: &Req, answer: &mut Answer) {
        let has = |name: &str| answer.headers.iter().any(|(n, _)| *n == name);
        if has("content-encoding") || has("content-range") || !is_text(answer) {
            return;
        }
        vary(answer, "Accept-Encoding");
        if answer.body.len() < MIN_SIZE || !(200..300).contains(&answer.status) {
            return;
        }
        let Some(encoding) = accepted(req.header("accept-encoding").unwrap_or_default()) else { return };
        let key = answer.repeats.then(|| (Sha256::digest(&answer.body).into(), encoding));
        let mut packed = match &key {
            Some(key) => self.0.get(key).await,
            None => None,
        };
        if packed.is_none() {
            let body = answer.body.clone();
            packed = if body.len() > LARGE {
                pool.spawn(&req.remote_addr, async move { pack(encoding, &body) }).await.ok().flatten()
            } else {
                pack(encoding, &body)
            };
            if let (Some(key), Some(packed)) = (key, &packed) {
                self.0.insert(key, packed.clone()).await;
            }
        }
        if let Some(packed) = packed.filter(|p| p.len() < answer.body.len()) {
            answer.body = packed;
            answer.headers.push(("content-encoding", encoding.name().to_owned()));
        }
    }
}

fn is_text(answer: &Answer) -> bool {
    let content_type =
        answer.headers.iter().find(|(n, _)| *n == "content-type").map_or("", |(_, v)| v.as_str());
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/")
        || matches!(kind, "application/json" | "application/javascript" | "application/xml" | "image/svg+xml")
}

/// The best of our encodings that an `Accept-Encoding` header does not refuse.
fn accepted(header: &str) -> Option<Encoding> {
    let quality = |wanted: &str| {
        let mut any = 0.0;
        for item in header.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let q = parts.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
            if name.eq_ignore_ascii_case(wanted) {
                return q;
            }
            if name == "*" {
                any = q;
            }
        }
        any
    };
    let (brotli, gzip): (f32, f32) = (quality("br"), quality("gzip"));
    match (brotli > 0.0, gzip > 0.0) {
        (true, _) if brotli >= gzip => Some(Encoding::Brotli),
        (_, true) => Some(Encoding::Gzip),
        _ => None,
    }
}

/// Writes as long as somebody waits for it.
fn write(writer: &mut impl Write, body: &[u8]) -> Option<()> {
    for piece in body.chunks(LARGE) {
        check().ok()?;
        writer.write_all(piece).ok()?;
    }
    Some(())
}

fn pack(encoding: Encoding, body: &[u8]) -> Option<Bytes> {
    let mut out = Vec::with_capacity(body.len() / 4);
    match encoding {
        Encoding::Brotli => {
            let mut writer = brotli::CompressorWriter::new(&mut out, 4096, 4, 22);
            write(&mut writer, body)?;
            writer.flush().ok()?;
            drop(writer);
        }
        Encoding::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(&mut out, flate2::Compression::default());
            write(&mut writer, body)?;
            writer.finish().ok()?;
        }
    }
    Some(out.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn encodings_by_preference() {
        assert_eq!(accepted("gzip, deflate, br, zstd"), Some(Encoding::Brotli));
        assert_eq!(accepted("gzip, br;q=0.5"), Some(Encoding::Gzip));
        assert_eq!(accepted("br;q=0, gzip;q=0"), None);
        assert_eq!(accepted("*"), Some(Encoding::Brotli));
        assert_eq!(accepted("deflate"), None);
        assert_eq!(accepted(""), None);
    }

    #[tokio::test]
    async fn bodies_survive() {
        let compression = Compression::default();
        let pool = Pool::new(2, std::time::Duration::from_secs(60));
        let text = "superset ".repeat(400);
        for (header, large) in [("gzip", 1), ("br", 1), ("gzip", 100), ("br", 100)] {
            let text = text.repeat(large);
            let req = Req { headers: vec![("accept-encoding".into(), header.into())], ..Req::default() };
            let mut answer = Answer::html(200, text.clone());
            compression.compress(&pool, &req, &mut answer).await;
            assert!(answer.body.len() < text.len() / 4);
            let mut out = String::new();
            if header == "gzip" {
                flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut out).unwrap();
            } else {
                brotli::Decompressor::new(&answer.body[..], 4096).read_to_string(&mut out).unwrap();
            }
            assert!(out == text);
        }
        let req = Req { headers: vec![("accept-encoding".into(), "br".into())], ..Req::default() };
        for body in ["short".to_owned(), text] {
            let mut answer = Answer::new(200, "application/zip", body.clone());
            compression.compress(&pool, &req, &mut answer).await;
            assert_eq!(answer.body, body);
        }
    }

    #[tokio::test]
    async fn what_is_given_again_is_packed_once() {
        let compression = Compression::default();
        let pool = Pool::new(2, std::time::Duration::from_secs(60));
        let packed = async |text: &str, encoding: &str, repeats: bool| {
            let req = Req { headers: vec![("accept-encoding".into(), encoding.into())], ..Req::default() };
            let mut answer = Answer::html(200, text.repeat(400));
            answer.repeats = repeats;
            compression.compress(&pool, &req, &mut answer).await;
            answer.body
        };
        let first = packed("superset ", "br", true).await;
        assert_eq!(first.as_ptr(), packed("superset ", "br", true).await.as_ptr());
        assert_ne!(first.as_ptr(), packed("superset ", "br", false).await.as_ptr());
        assert_ne!(first, packed("superset ", "gzip", true).await);
        assert_ne!(first, packed("supersets ", "br", true).await);
    }
}
