//! Source files of the workspace, read once per question.

use std::{fs, path::PathBuf};

/// The layers, innermost first.
pub const CRATES: &[&str] = &["infra", "query", "daos", "commands", "web"];

/// The root of the checkout.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A source file.
pub struct Source {
    /// Path from the root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// Tests beside the code: their files, by name.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs"
            || name.ends_with("_tests.rs")
            || (self.path.contains("/tests/") || self.path.contains("/benches/"))
            || name == "corpus.rs"
    }

    /// The lines before the file's own tests, without comments, with their numbers.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
        lines.enumerate().filter_map(|(at, line)| {
            let code = line.split("//").next().unwrap_or_default();
            (!line.trim_start().starts_with("//"))
                .then_some((at + 1, if code.contains('"') { line } else { code }))
        })
    }
}

/// The files below a folder whose names end in one of `endings`, in order.
pub fn below(folder: &str, endings: &[&str]) -> Vec<Source> {
    let root = root();
    let (mut open, mut found) = (vec![root.join(folder)], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_symlink()
                || ["target", "node_modules", "dist", "cache", "__pycache__"].contains(&name.as_str())
            {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap_or_default();
                let path = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The Rust files of a layer.
pub fn of_crate(name: &str) -> Vec<Source> {
    below(&format!("src/{name}"), &[".rs"])
}
