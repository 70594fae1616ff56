//! A file per resource.

pub mod avatar;
pub mod charts;
pub mod crud;
pub mod health;
pub mod menu;
pub mod openapi;
pub mod pages;
pub mod static_files;
