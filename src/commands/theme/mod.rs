//! Themes (`superset.commands.theme`).

pub mod change;
mod seed;
mod validate;

pub use seed::seed_system_themes;
pub use validate::is_valid_theme;
