//! A file per resource.

pub mod avatar;
pub mod health;
pub mod menu;
pub mod pages;
pub mod static_files;
