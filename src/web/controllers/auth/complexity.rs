//! What passwords must be like (`flask_appbuilder.validators:PasswordComplexityValidator`).

use commands::state::functions;
use infra::{Result, config::Config};

const COMPLEXITY: &str = "Must have at least two capital letters, one special character, two digits, three lower case \
     letters and a minimal length of 10.";

/// What is wrong with a new password, when the installation asks for complex ones
/// (`FAB_PASSWORD_COMPLEXITY_ENABLED`), by its own rule if it has one (`FAB_PASSWORD_COMPLEXITY_VALIDATOR`).
pub(in crate::controllers) fn password_complaint(config: &Config, password: &str) -> Result<Option<String>> {
    if !config.bool("FAB_PASSWORD_COMPLEXITY_ENABLED") {
        return Ok(None);
    }
    match functions::judge_password(config, password) {
        Some(judged) => judged,
        None => Ok((!is_complex(password)).then(|| COMPLEXITY.to_owned())),
    }
}

/// `flask_appbuilder.validators:default_password_complexity`.
fn is_complex(password: &str) -> bool {
    let count = |test: fn(&char) -> bool| password.chars().filter(test).count();
    password.chars().count() >= 10
        && count(|c| c.is_ascii_uppercase()) >= 2
        && count(|c| c.is_ascii_lowercase()) >= 3
        && count(|c| c.is_ascii_digit()) >= 2
        && count(|c| !c.is_ascii_alphanumeric()) >= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complexity() {
        assert!(is_complex("password-1234A1BC"));
        assert!(!is_complex("Password1234") && !is_complex("AB12cde!") && !is_complex(""));
    }
}
