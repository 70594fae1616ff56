//! Presentation: HTTP in, HTTP out.
//!
//! [`routes`] holds the table of all rules with the permission that each demands; [`dispatch`] carries a request
//! through session, CSRF, access and handler; handlers in [`controllers`] parse, call a command, and render.

pub mod answer;
mod bodies;
pub mod context;
pub mod controllers;
pub mod dispatch;
pub mod error;
pub mod error_pages;
pub mod event_log;
pub mod files;
pub mod finish;
pub mod flash;
pub mod guards;
pub mod history;
pub mod html;
pub mod incoming;
mod json_encoding;
pub mod locale;
mod multipart;
mod request_log;
pub mod router;
pub mod routes;
pub mod schemas;
pub mod spa;
mod switches;
mod websocket;

pub use answer::Answer;
pub use context::Cx;
pub use error::Handled;
