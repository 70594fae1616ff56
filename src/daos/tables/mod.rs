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

pub use annotation::{ANNOTATIONS, ANNOTATION_LAYERS};
pub use chart::{SLICES};
pub use dashboard::{DASHBOARDS, EMBEDDED_DASHBOARDS};
pub use database::{DBS};
pub use dataset::{SQL_METRICS, TABLES, TABLE_COLUMNS};
pub use log::{CACHE_KEYS, LOGS};
pub use query::{QUERIES, SAVED_QUERIES, TABLE_SCHEMAS, TAB_STATES};
pub use report::{REPORT_EXECUTION_LOGS, REPORT_RECIPIENTS, REPORT_SCHEDULES};
pub use row_level_security::{ROW_LEVEL_SECURITY_FILTERS};
pub use security::{GROUPS, PERMISSIONS, PERMISSION_VIEWS, REGISTER_USERS, ROLES, USERS, USER_ATTRIBUTES, VIEW_MENUS};
pub use style::{CSS_TEMPLATES, THEMES};
pub use tag::{TAGGED_OBJECTS, TAGS};
