//! What Flask-AppBuilder's commands do (`flask_appbuilder.cli`): roles as files, permissions of the registered views.

mod permissions;
mod roles;

pub use permissions::{Change, changes, cleanup, converge, create_permissions};
pub use roles::{export, import};

/// The version of Flask-AppBuilder in Superset 6.0.0.
pub const VERSION: &str = "5.3.0";

/// The views that Superset 6.0.0 registers, as `fab list-views` prints them.
pub const VIEWS: &str = include_str!("views.txt");
