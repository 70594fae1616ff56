//! Which program is Chromium.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::BrowserError;

/// Names under which it is packaged, the most free first.
const NAMES: [&str; 7] = [
    "chromium",
    "chromium-browser",
    "chromium-headless-shell",
    "chrome-headless-shell",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
];

/// What to do about it, where there is none.
const ADVICE: &str = "install Chromium (Debian and Ubuntu: `apt install chromium`), or name the program with \
                      LITESET_CHROMIUM";

/// A program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found(pub PathBuf);

/// The program that is named, else the first on `PATH`.
pub fn find(named: Option<&Path>) -> Result<Found, BrowserError> {
    if let Some(path) = named {
        let path = if path.components().count() > 1 { Some(path.to_owned()) } else { on_path(path) };
        return path.filter(|path| is_program(path)).map(Found).ok_or_else(|| {
            let name = named.map(|path| path.display().to_string()).unwrap_or_default();
            BrowserError::Missing(format!("There is no Chromium at {name}: {ADVICE}"))
        });
    }
    NAMES.iter().find_map(|name| on_path(Path::new(name))).map(Found).ok_or_else(|| {
        BrowserError::Missing(format!("There is no Chromium on this machine to take pictures with: {ADVICE}"))
    })
}

fn on_path(name: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_told_with_what_to_install() {
        let Err(BrowserError::Missing(text)) = find(Some(Path::new("/nowhere/chromium"))) else {
            unreachable!("found")
        };
        assert!(text.contains("/nowhere/chromium") && text.contains("apt install chromium"), "{text}");
        assert!(matches!(find(Some(Path::new("/etc/passwd"))), Err(BrowserError::Missing(_))), "no program");
        assert_eq!(find(Some(Path::new("sh"))).unwrap().0.file_name().unwrap(), "sh");
    }
}
