//! The operator's files of profiles (`~/.aws/credentials` and `~/.aws/config` of Amazon's own clients).
//!
//! They are read where the operator has named them, or a profile of them, in the environment: whoever makes connections
//! could otherwise ask with keys that lie about on this machine.

use std::{collections::BTreeMap, io::Read as _, path::PathBuf};

use super::{Environment, refused};
use crate::engines::error::EngineError;

/// Bytes that a file may have.
const MOST: u64 = 1 << 20;

/// The settings of each profile.
#[derive(Default)]
pub struct Profiles(BTreeMap<String, BTreeMap<String, String>>);

impl Profiles {
    /// Reads both files; none where the operator has named neither a file nor a profile.
    pub fn read(environment: &Environment) -> Result<Option<Self>, EngineError> {
        let named = ["AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"];
        if named.iter().all(|name| environment.get(name).is_none()) {
            return Ok(None);
        }
        let path = |variable: &str, usual: &str| match environment.get(variable) {
            Some(path) => Some((PathBuf::from(path), true)),
            None => environment.get("HOME").map(|home| (PathBuf::from(home).join(".aws").join(usual), false)),
        };
        let mut profiles = Self::default();
        for (place, is_config) in [
            (path("AWS_CONFIG_FILE", "config"), true),
            (path("AWS_SHARED_CREDENTIALS_FILE", "credentials"), false),
        ] {
            let Some((place, must_be_there)) = place else { continue };
            let mut text = String::new();
            let read = std::fs::File::open(&place).and_then(|file| file.take(MOST).read_to_string(&mut text));
            match read {
                Ok(_) => profiles.add(&text, is_config),
                Err(error) if must_be_there => {
                    // what the system says of the file is for the log
                    tracing::warn!(%error, "a file of AWS profiles that the environment names cannot be read");
                    return Err(refused("A file of AWS profiles that the environment names cannot be read"));
                }
                Err(_) => {}
            }
        }
        Ok(Some(profiles))
    }

    /// Adds a file's sections; of the two files the credentials' is the stronger.
    pub fn add(&mut self, text: &str, is_config: bool) {
        let mut section: Option<String> = None;
        for line in text.lines() {
            let line = line.trim_end();
            let trimmed = line.trim_start();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                let name = name.0.trim();
                section = match is_config {
                    false => Some(name.to_owned()),
                    true if name == "default" => Some(name.to_owned()),
                    true => name.strip_prefix("profile ").map(|name| name.trim().to_owned()),
                };
                if let Some(name) = &section {
                    self.0.entry(name.clone()).or_default();
                }
                continue;
            }
            // nested settings of services are indented
            let (Some(name), Some((key, value)), false) =
                (&section, trimmed.split_once('='), line.starts_with([' ', '\t']))
            else {
                continue;
            };
            let value = value.split(" #").next().unwrap_or(value).trim();
            let settings = self.0.entry(name.clone()).or_default();
            settings.insert(key.trim().to_ascii_lowercase(), value.to_owned());
        }
    }

    /// A profile's settings.
    pub fn get(&self, name: &str) -> Option<Profile<'_>> {
        self.0.get(name).map(Profile)
    }
}

/// The settings of one.
#[derive(Clone, Copy)]
pub struct Profile<'a>(&'a BTreeMap<String, String>);

impl<'a> Profile<'a> {
    /// A setting that is filled.
    pub fn get(self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(String::as_str).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_settings() {
        let mut profiles = Profiles::default();
        profiles.add(
            "# mine\n[default]\nregion = eu-west-1\n[profile other]\nrole_arn=arn:aws:iam::1:role/r # why\n\
             s3 =\n  max_concurrent_requests = 20\n[sso-session x]\nsso_region = us-east-1\n",
            true,
        );
        profiles.add("[default]\naws_access_key_id=A\naws_secret_access_key = s=cret\n", false);
        let default = profiles.get("default").unwrap();
        assert_eq!(default.get("region"), Some("eu-west-1"));
        assert_eq!(default.get("aws_secret_access_key"), Some("s=cret"));
        let other = profiles.get("other").unwrap();
        assert_eq!(other.get("role_arn"), Some("arn:aws:iam::1:role/r"));
        assert_eq!((other.get("max_concurrent_requests"), other.get("s3")), (None, None));
        assert!(profiles.get("x").is_none() && profiles.get("sso-session x").is_none());
    }

    #[test]
    fn files_that_nobody_has_named_are_not_read() {
        let folder = std::env::temp_dir().join(format!("liteset-profiles-{}", std::process::id()));
        std::fs::create_dir_all(folder.join(".aws")).unwrap();
        std::fs::write(folder.join(".aws/credentials"), "[default]\naws_access_key_id=A\n").unwrap();
        let home = folder.to_str().unwrap().to_owned();
        let with = |more: Option<(&'static str, &'static str)>| {
            let home = home.clone();
            let environment = Environment::of(move |name| match (name, more) {
                ("HOME", _) => Some(home.clone()),
                (name, Some((key, value))) if name == key => Some(value.to_owned()),
                _ => None,
            });
            Profiles::read(&environment)
        };
        assert!(with(None).unwrap().is_none());
        let found = with(Some(("AWS_PROFILE", "default"))).unwrap().unwrap();
        assert_eq!(found.get("default").unwrap().get("aws_access_key_id"), Some("A"));
        assert!(with(Some(("AWS_CONFIG_FILE", "/no/such/file"))).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
