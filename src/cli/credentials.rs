//! Credentials of systemd (`LoadCredential=SECRET_KEY:/path`): a file in `$CREDENTIALS_DIRECTORY` that is named like a
//! key of the configuration holds its value. It is neither in the environment, which children inherit, nor in a file
//! that the service could read otherwise.

use std::{collections::HashMap, fs, io, path::Path};

/// Adds them to the variables of the process, as `LITESET_<KEY>`; a variable that is set goes before.
pub(super) fn add_to(environment: &mut HashMap<String, String>) -> io::Result<()> {
    let Some(folder) = environment.get("CREDENTIALS_DIRECTORY").cloned() else { return Ok(()) };
    for (key, value) in read(Path::new(&folder))? {
        environment.entry(format!("LITESET_{key}")).or_insert(value);
    }
    Ok(())
}

fn read(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_key = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if is_key && entry.path().is_file() {
            let value = fs::read_to_string(entry.path())?;
            found.push((name, value.trim_end_matches(['\r', '\n']).to_owned()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_named_like_keys_are_their_values() {
        let folder = std::env::temp_dir().join(format!("liteset-credentials-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("SECRET_KEY"), "from a credential\n").unwrap();
        fs::write(folder.join("SMTP_PASSWORD"), "other").unwrap();
        fs::write(folder.join("liteset.other"), "x").unwrap();
        let mut environment = HashMap::from([
            ("CREDENTIALS_DIRECTORY".to_owned(), folder.to_str().unwrap().to_owned()),
            ("LITESET_SMTP_PASSWORD".to_owned(), "from the environment".to_owned()),
        ]);
        add_to(&mut environment).unwrap();
        assert_eq!(environment["LITESET_SECRET_KEY"], "from a credential");
        assert_eq!(environment["LITESET_SMTP_PASSWORD"], "from the environment");
        assert_eq!(environment.len(), 3);
        fs::remove_dir_all(&folder).unwrap();
        assert!(add_to(&mut environment).is_err(), "a folder that is named is there");
    }
}
