//! The generic model API (`flask_appbuilder.api:ModelRestApi`, `superset.views.base_api:BaseSupersetModelRestApi`).
//!
//! A controller describes its resource as a [`Resource`] and gets list, item, `_info`, related, distinct, POST, PUT,
//! DELETE and bulk DELETE from [`Resource::rules`]; only what Superset does by hand is written as a handler.

pub mod columns;
pub mod computed;
mod distinct;
pub mod filters;
mod info;
mod item;
mod list;
mod related;
mod resource;
pub mod write;

pub use crate::schemas::{Field, FieldKind};
pub use computed::{Computed, View};
pub use info::TIME_ZONES;
pub use related::{RelatedField, Search};
pub use resource::{CustomFilter, FilterCx, Grants, Resource, Style, Verb, WholeList, respond};
