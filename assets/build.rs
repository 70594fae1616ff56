//! Makes `assets/dist` when it is not there: `fetch.py` brings the published frontend, `pack` compresses it.
//!
//! The result depends on nothing but the pinned packages and this file, so it is kept in the user's cache folder
//! and `dist` is a link to it: another checkout neither downloads nor compresses again.
//! The licences of what is linked in are gathered beside the other results of the build.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

#[path = "licenses.rs"]
mod licenses;
#[path = "pack.rs"]
mod pack;

/// Changes when the packages or the form of `dist` change.
const KEY: &str = "superset-6.0.0-fab-5.3.0-3";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    for file in ["build.rs", "licenses.rs", "pack.rs", "fetch.py", "dist/index.json", "../Cargo.lock"] {
        println!("cargo:rerun-if-changed={file}");
    }
    println!("cargo:rerun-if-env-changed=LITESET_ASSETS_SOURCE");
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let (texts, bill) = licenses::gather(&here.join(".."))?;
    fs::write(out.join("licenses.txt.gz"), pack::gzip(texts.as_bytes())?)?;
    fs::write(out.join("bill.json.gz"), pack::gzip(bill.as_bytes())?)?;
    let dist = here.join("dist");
    if is_current(&dist) {
        return Ok(());
    }
    fs::create_dir_all(here.join("cache"))?;
    let kept = kept(&here);
    let lock_file = pack::with_suffix(&kept, "lock");
    if let Some(folder) = kept.parent() {
        fs::create_dir_all(folder)?;
    }
    // two builds at once: the second one waits and finds the work done
    let lock = fs::File::create(lock_file)?;
    lock.lock()?;
    if !is_current(&kept) {
        let raw = here.join("cache/raw");
        fetch(&here, &raw)?;
        let packed = pack::with_suffix(&kept, "new");
        let _ = fs::remove_dir_all(&packed);
        pack::pack(&raw, &packed)?;
        fs::write(packed.join("KEY"), KEY)?;
        let _ = fs::remove_dir_all(&kept);
        fs::rename(&packed, &kept)?;
        fs::remove_dir_all(&raw)?;
    }
    if kept != dist {
        let _ = fs::remove_file(&dist).or_else(|_| fs::remove_dir_all(&dist));
        std::os::unix::fs::symlink(&kept, &dist)?;
    }
    Ok(())
}

fn is_current(dist: &Path) -> bool {
    fs::read_to_string(dist.join("KEY")).is_ok_and(|key| key == KEY)
}

/// Where the packed bundle is kept between checkouts; `dist` itself without a home folder.
fn kept(here: &Path) -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let cache = cache.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    match cache {
        Some(cache) => cache.join("liteset").join(format!("assets-{KEY}")),
        None => here.join("dist"),
    }
}

fn fetch(here: &Path, raw: &Path) -> Result<()> {
    let status = Command::new("python3").arg(here.join("fetch.py")).arg(raw).status();
    let status = status
        .map_err(|e| format!("the frontend is fetched by assets/fetch.py, which needs python3: {e}"))?;
    if status.success() { Ok(()) } else { Err("assets/fetch.py failed; what it said is above".into()) }
}
