//! Documents name files and folders; what they name must be there.

use regex::Regex;

use crate::source;

/// Paths in backquotes that begin with a folder of the top level, and are not there.
pub fn missing_paths() -> Vec<String> {
    let root = source::root();
    let path = Regex::new(r"`((?:src|tests|assets|packaging|migrations|\.ci)/[\w./{},*<>-]*)`").unwrap();
    let mut documents = source::below("src", &[".md"]);
    documents.extend(
        ["tests", "packaging", "migrations"].iter().flat_map(|folder| source::below(folder, &[".md"])),
    );
    for name in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] {
        let text = std::fs::read_to_string(root.join(name)).unwrap_or_default();
        documents.push(source::Source { path: name.to_owned(), text });
    }
    let mut missing = Vec::new();
    for document in &documents {
        for caught in path.captures_iter(&document.text) {
            missing.extend(
                alternatives(&caught[1])
                    .filter(|named| !named.contains(['*', '<']) && !root.join(named).exists())
                    .map(|named| format!("{}: {named}", document.path)),
            );
        }
    }
    missing
}

/// `a/{b,c}.rs` names two files.
fn alternatives(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split_once('{').and_then(|(before, rest)| {
        let (inner, after) = rest.split_once('}')?;
        Some(inner.split(',').map(|part| format!("{before}{}{after}", part.trim())).collect::<Vec<_>>())
    });
    parts.unwrap_or_else(|| vec![text.to_owned()]).into_iter()
}
