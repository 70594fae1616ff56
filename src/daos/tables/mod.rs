//! The metadata tables as data: columns with types and defaults, keys, relations. A file per table family.

mod annotation;
mod chart;
mod dashboard;
mod database;
mod dataset;
mod log;
mod query;
mod report;
mod row_level_security;
mod security;
mod style;
mod tag;

pub use annotation::{ANNOTATION_LAYERS, ANNOTATIONS};
pub use chart::SLICES;
pub use dashboard::{DASHBOARDS, EMBEDDED_DASHBOARDS};
pub use database::{DBS, SSH_TUNNELS};
pub use dataset::{SQL_METRICS, TABLE_COLUMNS, TABLES};
pub use log::{CACHE_KEYS, LOGS};
pub use query::{QUERIES, SAVED_QUERIES, TAB_STATES, TABLE_SCHEMAS};
pub use report::{REPORT_EXECUTION_LOGS, REPORT_RECIPIENTS, REPORT_SCHEDULES};
pub use row_level_security::ROW_LEVEL_SECURITY_FILTERS;
pub use security::{
    GROUPS, PERMISSION_VIEWS, PERMISSIONS, REGISTER_USERS, ROLES, USER_ATTRIBUTES, USERS, VIEW_MENUS,
};
pub use style::{CSS_TEMPLATES, DYNAMIC_PLUGINS, THEMES};
pub use tag::{TAGGED_OBJECTS, TAGS};
