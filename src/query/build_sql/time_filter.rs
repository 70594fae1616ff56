//! Ranges on time columns and date literals.

use chrono::{Datelike, NaiveDateTime, Timelike};
use serde_json::Value;

use super::{
    Builder,
    condition::{Condition, Operand},
    expr::Expr,
};
use crate::{dataset::DatasetColumn, error::Result};

impl Builder<'_> {
    /// `column >= start AND column < end` (`get_time_filter`); says nothing when both ends are open.
    pub(super) fn time_filter(
        &self,
        column: &DatasetColumn,
        start: Option<NaiveDateTime>,
        end: Option<NaiveDateTime>,
        grain: Option<&str>,
    ) -> Result<Condition> {
        let left = match grain.filter(|grain| !grain.is_empty()) {
            Some(grain) => self.timestamp(column, Some(grain), "__time")?.expr,
            None => self.column_expr(column)?,
        };
        let compare = |operator, dttm| Condition::Compare {
            left: Expr::clone(&left),
            operator,
            right: Operand::Text(self.dttm_literal(dttm, column)),
        };
        let start = start.map(|dttm| compare(">=", dttm));
        let end = end.map(|dttm| compare("<", dttm));
        Ok(Condition::And(start.into_iter().chain(end).collect()))
    }

    /// A moment as a literal for a column (`dttm_sql_literal`): the engine's form, else the column's date format.
    fn dttm_literal(&self, dttm: NaiveDateTime, column: &DatasetColumn) -> String {
        let native = column.type_.as_deref().filter(|text| !text.is_empty());
        if let Some(literal) = native.and_then(|native| self.spec.time_literal(native, dttm)) {
            return literal;
        }
        let of_extra = || {
            let formats = self.dataset.db_extra.get("python_date_format_by_column_name")?;
            formats.get(&column.column_name).and_then(Value::as_str)
        };
        let format = column.python_date_format.as_deref().filter(|text| !text.is_empty()).or_else(of_extra);
        match format {
            Some("epoch_s") => dttm.and_utc().timestamp().to_string(),
            Some("epoch_ms") => (dttm.and_utc().timestamp() * 1000).to_string(),
            Some(format) => self.dialect.string_literal(&strftime(dttm, format)),
            None => format!("'{}'", dttm.format("%Y-%m-%d %H:%M:%S%.6f")),
        }
    }
}

/// Python's `strftime` for the directives that date formats of columns use; unknown ones stay as they are.
pub fn strftime(dttm: NaiveDateTime, format: &str) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('Y') => out += &format!("{:04}", dttm.year()),
            Some('y') => out += &format!("{:02}", dttm.year().rem_euclid(100)),
            Some('m') => out += &format!("{:02}", dttm.month()),
            Some('d') => out += &format!("{:02}", dttm.day()),
            Some('H') => out += &format!("{:02}", dttm.hour()),
            Some('I') => out += &format!("{:02}", dttm.hour12().1),
            Some('M') => out += &format!("{:02}", dttm.minute()),
            Some('S') => out += &format!("{:02}", dttm.second()),
            Some('f') => out += &format!("{:06}", dttm.and_utc().timestamp_subsec_micros()),
            Some('j') => out += &format!("{:03}", dttm.ordinal()),
            Some('p') => out += if dttm.hour12().0 { "PM" } else { "AM" },
            Some('b') => out += &dttm.format("%b").to_string(),
            Some('B') => out += &dttm.format("%B").to_string(),
            Some('a') => out += &dttm.format("%a").to_string(),
            Some('A') => out += &dttm.format("%A").to_string(),
            Some('s') => out += &dttm.and_utc().timestamp().to_string(),
            // A naive datetime has no zone.
            Some('z' | 'Z') => {}
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_dates_as_python_does() {
        let dttm =
            chrono::NaiveDate::from_ymd_opt(2004, 2, 9).unwrap().and_hms_micro_opt(13, 2, 3, 45).unwrap();
        assert_eq!(strftime(dttm, "%Y%m%d %I%p %f %q 100%%"), "20040209 01PM 000045 %q 100%");
    }
}
