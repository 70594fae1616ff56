//! Logging in and out, tokens, the own account, and what roles grant.

mod account_forms;
mod complexity;
mod login;
mod me;
mod oauth;
mod register;
mod roles;
mod tokens;

pub(super) use complexity::password_complaint;

use std::sync::Arc;

use crate::{guards::login_limit::LoginLimit, routes::Rule};

/// Rules of these files.
pub fn rules() -> Vec<Rule> {
    let limit = Arc::new(LoginLimit::default());
    [
        login::rules(&limit),
        register::rules(&limit),
        tokens::rules(&limit),
        me::rules(),
        oauth::rules(),
        account_forms::rules(),
        roles::rules(),
    ]
    .concat()
}
