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

/// Python's `strftime` of a moment without a zone, as glibc does it; unknown directives stay as they are.
pub fn strftime(dttm: NaiveDateTime, format: &str) -> String {
    formatted(dttm, format, ("", ""))
}

/// The same of a moment in UTC.
pub fn strftime_utc(dttm: NaiveDateTime, format: &str) -> String {
    formatted(dttm, format, ("+0000", "UTC"))
}

fn formatted(dttm: NaiveDateTime, format: &str, (offset, zone): (&str, &str)) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        // glibc's flags: another padding, capitals
        let rest = chars.as_str();
        if let (Some(flag @ ('-' | '_' | '0' | '^')), Some(of)) = (rest.chars().next(), rest.chars().nth(1)) {
            let of_numbers = flag != '^' && "ymdHIMSjekluwUWVGg".contains(of);
            if of_numbers || (flag == '^' && "pbBaAh".contains(of)) {
                let format = if flag == '^' { format!("%{of}") } else { format!("%{flag}{of}") };
                let text = dttm.format(&format).to_string();
                out += &if flag == '^' { text.to_uppercase() } else { text };
                chars.nth(1);
                continue;
            }
        }
        match chars.next() {
            Some('Y') => out += &format!("{:04}", dttm.year()),
            Some('f') => out += &format!("{:06}", dttm.and_utc().timestamp_subsec_micros()),
            Some('s') => out += &dttm.and_utc().timestamp().to_string(),
            Some('z') => out += offset,
            Some('Z') => out += zone,
            Some('%') => out.push('%'),
            Some('P') => out += if dttm.hour12().0 { "pm" } else { "am" },
            Some('c') => out += &dttm.format("%a %b %e %H:%M:%S %Y").to_string(),
            Some('x') => out += &dttm.format("%m/%d/%y").to_string(),
            Some('X') => out += &dttm.format("%H:%M:%S").to_string(),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some(same) if "ymdHIMSjpbBaAhekluwUWVGgCDFTRr".contains(same) => {
                out += &dttm.format(&format!("%{same}")).to_string();
            }
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
        assert_eq!(
            strftime(dttm, "%V %G %e|%D %T %Z %c"),
            "07 2004  9|02/09/04 13:02:03  Mon Feb  9 13:02:03 2004"
        );
        assert_eq!(strftime(dttm, "%-d/%-m %_d %^b %-q"), "9/2  9 FEB %-q");
        assert_eq!(strftime_utc(dttm, "%A %B %z %Z %"), "Monday February +0000 UTC %");
    }
}
