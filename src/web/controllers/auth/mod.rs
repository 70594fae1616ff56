//! Logging in and out, tokens, the own account, and what roles grant.

mod account_forms;
mod login;
mod me;
mod roles;
mod tokens;

pub(super) use me::password_complaint;

use crate::routes::Rule;

/// Rules of these files.
pub fn rules() -> Vec<Rule> {
    [login::rules(), tokens::rules(), me::rules(), account_forms::rules(), roles::rules()].concat()
}
