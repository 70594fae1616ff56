//! Columns that are functions of a row: what the Python models write as properties.

use std::collections::HashMap;

use chrono::{Local, NaiveDateTime, TimeZone};
use commands::Caller;
use daos::Record;
use infra::{db::BoxFuture, humanize};
use serde_json::Value;

use crate::{Cx, html::escape};

/// A computed column.
pub struct Computed {
    /// Name, dotted below a to-one relation (`database.backend`).
    pub path: &'static str,
    /// Paths that must be read for it.
    pub needs: &'static [&'static str],
    /// Column that stands for it in an order (`@renders`).
    pub order: Option<&'static str>,
    /// The value.
    pub value: fn(&Record, &View) -> Value,
}

/// What a computed column knows besides its row.
pub struct View<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// What was looked up for all rows at once ([`Prepare`]), by primary key.
    pub prepared: Prepared,
}

/// Values by primary key.
pub type Prepared = HashMap<i64, Value>;

/// A column that is looked up for all rows of a page at once: its name, and how.
pub type Prepare = (&'static str, for<'a> fn(&'a Cx, Vec<i64>) -> BoxFuture<'a, infra::Result<Prepared>>);

impl Computed {
    /// A column that nothing is ordered by.
    pub const fn new(
        path: &'static str,
        needs: &'static [&'static str],
        value: fn(&Record, &View) -> Value,
    ) -> Self {
        Self { path, needs, order: None, value }
    }
    /// Ordered by a stored column.
    pub const fn ordered_by(mut self, column: &'static str) -> Self {
        self.order = Some(column);
        self
    }
}

/// `changed_on_delta_humanized`.
pub const CHANGED_ON_DELTA: Computed =
    Computed::new("changed_on_delta_humanized", &["changed_on"], |r, _| humanized(r, "changed_on"))
        .ordered_by("changed_on");
/// `created_on_delta_humanized`.
pub const CREATED_ON_DELTA: Computed =
    Computed::new("created_on_delta_humanized", &["created_on"], |r, _| humanized(r, "created_on"))
        .ordered_by("created_on");
/// `changed_on_utc`: the stored server-local time with its offset taken away.
pub const CHANGED_ON_UTC: Computed = Computed::new("changed_on_utc", &["changed_on"], |r, _| {
    r.get::<NaiveDateTime>("changed_on").and_then(utc_text).into()
})
.ordered_by("changed_on");
/// `changed_on_dttm`: milliseconds of the epoch, the stored time taken as UTC.
pub const CHANGED_ON_DTTM: Computed = Computed::new("changed_on_dttm", &["changed_on"], |r, _| {
    r.get::<NaiveDateTime>("changed_on").map(epoch_ms).into()
})
.ordered_by("changed_on");
/// `changed_by_name`.
pub const CHANGED_BY_NAME: Computed =
    Computed::new("changed_by_name", &["changed_by.first_name", "changed_by.last_name"], |r, _| {
        user_name(r.one("changed_by")).into()
    });
/// `created_by_name`.
pub const CREATED_BY_NAME: Computed =
    Computed::new("created_by_name", &["created_by.first_name", "created_by.last_name"], |r, _| {
        user_name(r.one("created_by")).into()
    });

/// A stored time in words; null has none.
pub fn humanized(record: &Record, column: &str) -> Value {
    record.get::<NaiveDateTime>(column).map(humanize::since).into()
}

/// `%Y-%m-%dT%H:%M:%S.%f%z` in UTC.
pub fn utc_text(local: NaiveDateTime) -> Option<String> {
    let utc = Local.from_local_datetime(&local).earliest()?.naive_utc();
    Some(utc.format("%Y-%m-%dT%H:%M:%S%.6f+0000").to_string())
}

/// `datetime_to_epoch`.
pub fn epoch_ms(t: NaiveDateTime) -> f64 {
    t.and_utc().timestamp_micros() as f64 / 1000.0
}

/// First and last name, escaped for HTML as `markupsafe` does; empty for nobody.
pub fn user_name(user: Option<&Record>) -> String {
    user.map(|u| escape(&format!("{} {}", u.text("first_name"), u.text("last_name")))).unwrap_or_default()
}

/// A JSON text column as an object; anything else is an empty one (`ExtraJSONMixin.extra`).
pub fn json_object(record: &Record, column: &str) -> Value {
    match serde_json::from_str(&record.text(column)) {
        Ok(Value::Object(map)) => Value::Object(map),
        _ => Value::Object(serde_json::Map::new()),
    }
}

/// `sql_tables`: what a query reads; nothing when the SQL cannot be parsed.
pub const SQL_TABLES: Computed = Computed::new("sql_tables", &["sql", "database.sqlalchemy_uri"], |r, _| {
    let uri = r.one("database").map(|d| d.text("sqlalchemy_uri")).unwrap_or_default();
    let engine = &infra::engine_specs::spec_for_uri(&uri).engine;
    let Ok(script) = infra::sql::parse(&r.text("sql"), engine) else { return Value::Array(Vec::new()) };
    let tables = script
        .tables()
        .into_iter()
        .map(|t| serde_json::json!({"catalog": t.catalog, "schema": t.schema, "table": t.table}));
    Value::Array(tables.collect())
});
