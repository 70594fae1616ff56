//! Gathers the licences of every crate that is linked into the binary, from the sources that cargo has of them: the
//! texts for people, and a bill of materials (CycloneDX) for tools.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
};

use serde_json::{Value, json};

/// What the names of licence files begin with.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];
/// A licence is no book.
const MAX_BYTES: u64 = 200_000;
const RULE: &str = "================================================================================";

/// A crate that is linked in.
struct Linked<'a> {
    name: &'a str,
    version: &'a str,
    license: &'a str,
    repository: &'a str,
    texts: Vec<String>,
}

/// The texts, and the bill of materials as JSON.
pub fn gather(workspace: &Path) -> Result<(String, String), Box<dyn Error>> {
    let metadata = metadata(workspace)?;
    let mut linked = linked(&metadata);
    linked.sort_by_key(|one| (one.name, one.version));
    Ok((text(&linked)?, bill(&linked)))
}

fn metadata(workspace: &Path) -> Result<Value, Box<dyn Error>> {
    let mut cargo = Command::new(env::var_os("CARGO").ok_or("CARGO is not set")?);
    cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &env::var("TARGET")?]);
    cargo.arg("--manifest-path").arg(workspace.join("Cargo.toml"));
    if env::var_os("CARGO_FEATURE_DUCKDB").is_some() {
        cargo.args(["--features", "duckdb"]);
    }
    let output = cargo.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the licences could not be gathered: cargo metadata said {said}").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn each<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// What the package `liteset` reaches without going through what only builds or tests it.
fn linked(metadata: &Value) -> Vec<Linked<'_>> {
    let packages: BTreeMap<&str, &Value> =
        each(metadata, "packages").filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let nodes: BTreeMap<&str, &Value> =
        each(&metadata["resolve"], "nodes").filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let mut waiting: Vec<&str> =
        packages.iter().filter(|(_, package)| package["name"] == "liteset").map(|(id, _)| *id).collect();
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(id) = waiting.pop() {
        let (Some(package), Some(node)) = (packages.get(id), nodes.get(id)) else { continue };
        let runs_in_compiler =
            each(package, "targets").any(|target| each(target, "kind").any(|kind| kind == "proc-macro"));
        if runs_in_compiler || !seen.insert(id) {
            continue;
        }
        let is_normal = |dep: &&Value| each(dep, "dep_kinds").any(|kind| kind["kind"].is_null());
        waiting.extend(each(node, "deps").filter(is_normal).filter_map(|dep| dep["pkg"].as_str()));
        // what has no source is of this repository
        if !package["source"].is_null() {
            let word = |key: &str| package[key].as_str().unwrap_or_default();
            found.push(Linked {
                name: word("name"),
                version: word("version"),
                license: word("license"),
                repository: word("repository"),
                texts: texts(word("manifest_path")),
            });
        }
    }
    found
}

/// The licence files beside a manifest, in the order of their names.
fn texts(manifest: &str) -> Vec<String> {
    let folder = Path::new(manifest).parent().unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let is_licence = |path: &&std::path::PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_uppercase();
        NAMES.iter().any(|start| name.starts_with(start))
            && path.metadata().is_ok_and(|file| file.is_file() && file.len() <= MAX_BYTES)
    };
    let read = |path: &std::path::PathBuf| fs::read(path).ok();
    let plain = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim_end().to_owned();
    files.iter().filter(is_licence).filter_map(read).map(plain).collect()
}

/// A list of all, then each text once with whom it belongs to.
fn text(linked: &[Linked<'_>]) -> Result<String, std::fmt::Error> {
    let mut out = String::from("Crates that are linked into this binary, and their licences.\n\n");
    let mut owners: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in linked {
        let name = format!("{} {}", one.name, one.version);
        writeln!(out, "{name}: {}; {}", one.license, one.repository)?;
        for text in &one.texts {
            owners.entry(text).or_default().push(name.clone());
        }
    }
    let bare = linked.iter().filter(|one| one.texts.is_empty()).map(|one| one.name);
    let bare = bare.collect::<Vec<_>>().join(", ");
    if !bare.is_empty() {
        writeln!(
            out,
            "\nThese packages hold no text of their own; the names of their licences are above: {bare}"
        )?;
    }
    for (text, names) in owners {
        write!(out, "\n{RULE}\n{}\n{RULE}\n{text}\n", names.join(", "))?;
    }
    Ok(out)
}

/// CycloneDX 1.5. There is no time and no random number in it: the same source makes the same file.
fn bill(linked: &[Linked<'_>]) -> String {
    let component = |one: &Linked<'_>| {
        let address = format!("pkg:cargo/{}@{}", one.name, one.version);
        // old manifests write a slash where SPDX has OR
        let license = one.license.replace('/', " OR ");
        json!({
            "type": "library", "bom-ref": address, "name": one.name, "version": one.version, "purl": address,
            "licenses": [{"expression": license}],
        })
    };
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "liteset", "version": version}},
        "components": linked.iter().map(component).collect::<Vec<_>>(),
    })
    .to_string()
}
