//! Verbs of Superset that mean nothing here: they say so and fail.

use super::ask;
use crate::app::StartError;

/// Whatever options the original has.
#[derive(Debug, clap::Args)]
pub struct Refused {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

/// Fails with the reason.
pub fn because(reason: &str) -> Result<(), StartError> {
    Err(reason.into())
}

/// `load-test-users`: outside of Superset's own tests the original prints its title and makes nobody, either.
pub fn load_test_users() -> Result<(), StartError> {
    ask::say("\u{1b}[32mLoading a set of users for unit tests\n")
}

/// `factory-reset`: off, as in the original, unless the flag is on.
pub fn factory_reset(common: &super::Common) -> Result<(), StartError> {
    if common.load()?.config.flag("ENABLE_FACTORY_RESET_COMMAND") {
        return because(
            "factory-reset is not done here: `liteset backup`, then start with an empty metadata database instead",
        );
    }
    ask::say("Factory reset command is disabled. Enable ENABLE_FACTORY_RESET_COMMAND feature flag.\n")?;
    Err(ask::Told.into())
}
