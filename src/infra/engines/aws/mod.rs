//! What services of Amazon share: who asks (`credentials.rs` and what it is made of), and how a request is signed.

mod credentials;
mod givers;
mod profile;
mod sign;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub(super) use credentials::{Credentials, Wish, region_of};
pub(super) use sign::{Request, sign};

use super::error::EngineError;

/// Variables of the process that count; they are those of Amazon's own clients.
const VARIABLES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_ATHENA_S3_STAGING_DIR",
    "AWS_ATHENA_WORK_GROUP",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_ENDPOINT_URL_ATHENA",
    "AWS_ENDPOINT_URL_STS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "HOME",
];

/// What the operator says to all connections. It may hold secrets, and is printed nowhere.
#[derive(Clone, Default)]
pub(super) struct Environment(BTreeMap<&'static str, String>);

impl Environment {
    /// The environment of the process.
    pub fn read() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// Another one.
    pub fn of(value: impl Fn(&str) -> Option<String>) -> Self {
        let filled = |name| value(name).filter(|text| !text.is_empty()).map(|text| (name, text));
        Self(VARIABLES.iter().copied().filter_map(filled).collect())
    }

    /// The value of a variable that is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The region of connections that name none.
    pub fn region(&self) -> Option<&str> {
        self.get("AWS_REGION").or(self.get("AWS_DEFAULT_REGION"))
    }
}

/// What proves who we are.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Keys {
    pub id: String,
    pub secret: String,
    /// Only keys that end have one.
    pub token: Option<String>,
}

impl Keys {
    /// A text in which neither secret stands. The service quotes whole requests where it refuses a signature.
    pub fn masked(&self, text: &str) -> String {
        let secrets = [Some(&self.secret), self.token.as_ref()].into_iter().flatten();
        let secrets = secrets.filter(|secret| secret.len() > 3);
        secrets.fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), crate::engine_specs::url::MASK)
        })
    }
}

fn refused(text: impl Into<String>) -> EngineError {
    EngineError::Uri(text.into())
}

/// The name of a region, as a part of a host's name.
pub(super) fn is_region(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=40).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Where a region's services have their names.
pub(super) fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}
