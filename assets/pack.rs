//! Compresses the files of the frontend once, for all requests to come.
//!
//! `dist/files/` holds each file either as it is or, when that pays, only compressed (`.gz`, and for what every page
//! loads also `.br`); `dist/index.json` says which, with size, content hash and time. No file is stored uncompressed
//! beside its compressed forms: the rare client that takes neither gets it decompressed.

use std::{
    fs,
    io::{Result, Write},
    path::{Path, PathBuf},
    sync::Mutex,
    time::UNIX_EPOCH,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Map, Value, json};

/// Of 11. Quality 11 takes four times as long as 9 for about 7 % less; 10 and 11 are for those who compress on
/// another machine than the one that somebody waits for.
const BROTLI_QUALITY: i32 = 9;
/// A window of 4 MiB: the largest files are GeoJSON of up to 12 MB.
const BROTLI_WINDOW: i32 = 22;
/// Maps: big, seldom asked for, and hardly smaller as brotli than as gzip.
const GZIP_ONLY: [&str; 1] = ["geojson"];
/// Already compressed.
const AS_THEY_ARE: [&str; 6] = ["png", "jpg", "jpeg", "gif", "woff", "woff2"];

/// Packs the folder `raw` into the new folder `out`.
pub fn pack(raw: &Path, out: &Path) -> Result<()> {
    let mut names = Vec::new();
    collect(raw, raw, &mut names)?;
    // the biggest first, so that no thread is left alone with one at the end
    names.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let queue = Mutex::new(names.into_iter());
    let index = Mutex::new(Map::new());
    let next = || queue.lock().ok().and_then(|mut q| q.next());
    let work = || -> Result<()> {
        while let Some((name, _)) = next() {
            let entry = pack_file(&raw.join(&name), &out.join("files").join(&name))?;
            if let Ok(mut index) = index.lock() {
                index.insert(name, entry);
            }
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|w| w.join().unwrap_or_else(|_| Err(std::io::Error::other("packing failed"))))
    })?;
    let index = index.into_inner().unwrap_or_default();
    fs::write(out.join("index.json"), Value::Object(index).to_string())
}

fn collect(root: &Path, folder: &Path, names: &mut Vec<(String, u64)>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, names)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            names.push((name.to_owned(), path.metadata()?.len()));
        }
    }
    Ok(())
}

/// Writes one file in the forms that pay and describes it.
fn pack_file(from: &Path, to: &Path) -> Result<Value> {
    let content = fs::read(from)?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let extension = from.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let mut forms = Vec::new();
    if !AS_THEY_ARE.contains(&extension) && content.len() > 256 {
        let small = gzip(&content)?;
        if small.len() * 10 < content.len() * 9 {
            fs::write(with_suffix(to, "gz"), small)?;
            forms.push("gz");
            if !GZIP_ONLY.contains(&extension) {
                fs::write(with_suffix(to, "br"), brotli(&content)?)?;
                forms.push("br");
            }
        }
    }
    if forms.is_empty() {
        fs::write(to, &content)?;
    }
    let modified = from.metadata()?.modified()?.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Ok(
        json!({"size": content.len(), "forms": forms, "modified": modified, "hash": format!("{:016x}", fnv(&content))}),
    )
}

/// `name` → `name.suffix`.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        size_hint: content.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &content[..], &mut out, &params)?;
    Ok(out)
}

/// The smallest form that everybody reads.
pub fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

/// FNV-1a: names a content in an ETag, defends nothing.
fn fnv(content: &[u8]) -> u64 {
    content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
