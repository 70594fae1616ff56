//! Whether an alert fires (`superset.commands.report.alert`): its query, what it returned, and the condition.

use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime};
use daos::database;
use infra::{
    engine_specs::spec::LimitMethod,
    engines::{
        QueryOptions,
        column::{ResultSet, Scalar},
    },
    python::{float_repr, parse_float, str_repr},
    sql,
};
use query::template::has_template_syntax;
use serde_json::{Map, Value};

use super::{ReportError, Run};
use crate::{
    access::{
        rules_in_force::any_rule,
        sql_calls::{self, Place, Reader},
    },
    connect,
    query_run::{query_access, render_sql, unread},
    state::functions,
};

/// Rows that are asked for: one more than there may be.
const LIMIT: u64 = 2;
/// Between two tries (`backoff.constant`).
const PAUSE: Duration = Duration::from_secs(1);

impl Run {
    /// Asks the query and notes what it returned; whether the alert fires.
    pub(super) async fn is_triggered(&mut self) -> Result<bool, ReportError> {
        let tries = self.app.config.int("ALERT_REPORTS_QUERY_EXECUTION_MAX_TRIES").unwrap_or(1).max(1);
        let mut tried = 0;
        let found = loop {
            tried += 1;
            match Box::pin(self.fetch()).await {
                Err(error) if error.class == "AlertQueryError" && tried < tries => {
                    tracing::info!(report = self.schedule.id, tried, "the query of an alert is tried again");
                    tokio::time::sleep(PAUSE).await;
                }
                other => break other?,
            }
        };
        let not_null = self.schedule.validator_type.as_deref() == Some("not null");
        let value = first_value(&found, not_null, self.schedule.validator_type.as_deref())?;
        if not_null {
            self.schedule.last_value_row_json = Some(python_str(&value));
            return Ok(!is_nothing(&value));
        }
        let number = number(&value)?;
        self.schedule.last_value = Some(number);
        compare(number, self.schedule.validator_config_json.as_deref())
    }

    async fn fetch(&self) -> Result<ResultSet, ReportError> {
        let failed =
            || ReportError::new("AlertQueryError", 400, "An error occurred when running alert query");
        let stored = match self.schedule.database_id {
            Some(id) => database::find(self.app.db.exec(), id).await?,
            None => None,
        };
        let templates = self.app.config.flag("ENABLE_TEMPLATE_PROCESSING");
        let Some(stored) = stored else {
            return Err(match templates {
                true => ReportError::unexpected("'NoneType' object has no attribute 'backend'"),
                false => failed(),
            });
        };
        let spec = connect::describe::engine(&stored);
        let caller = self.caller();
        let text = match self.schedule.sql.as_deref() {
            Some(text) if templates && has_template_syntax(text) => {
                render_sql(&caller, spec, text, &Map::new()).await.map_err(unrendered)?
            }
            Some(text) => text.to_owned(),
            None if templates => return Err(ReportError::unexpected("Can't compile non template nodes")),
            None => return Err(failed()),
        };
        let logged = |why: String| {
            tracing::warn!(report = self.schedule.id, why, "the query of an alert failed");
            failed()
        };
        // what only the engine can read runs as in SQL Lab, for who may read the whole database
        let place = query_access::Place { database: &stored, schema: None, catalog: None };
        let read = unread::read(&caller, &place, &text).await.map_err(|e| logged(e.to_string()))?;
        let mut script = read.map_err(|e| logged(e.to_string()))?;
        let ruled = sql_calls::needs_rules(&script);
        let has_rules = ruled && any_rule(&caller, stored.id).await?;
        let reader = Reader { by_table: !caller.user.can_access_database(&stored), has_rules };
        sql_calls::check_listed(&self.app.config, &spec.engine, &script, None)
            .and_then(|()| sql_calls::check_effects(&script, Place::Alert, reader))
            .map_err(|refused| logged(refused.message()))?;
        let Some(last) = script.statements_mut().last_mut() else {
            return Err(logged("no statement".into()));
        };
        let mut wrap = false;
        if last.limit_value().is_none_or(|own| own == 0 || own > LIMIT) && last.is_query() {
            match spec.limit_method {
                LimitMethod::ForceLimit => last.set_limit(LIMIT),
                LimitMethod::WrapSql => wrap = true,
                LimitMethod::FetchMany => {}
            }
        }
        let mut blocks: Vec<String> = script.statements().iter().map(sql::Statement::format).collect();
        if wrap && let Some(last) = blocks.last_mut() {
            *last = format!("SELECT\n  *\nFROM (\n  {}\n)\nLIMIT {LIMIT}", last.replace('\n', "\n  "));
        }
        if self.app.config.bool("MUTATE_ALERT_QUERY") && functions::mutates_sql(&caller) {
            let mut changed = Vec::new();
            for block in blocks {
                let text = functions::mutate_sql(&caller, &stored, block)
                    .map_err(|e| logged(functions::words(&e)))?;
                changed.extend(functions::pieces(&text, &spec.engine));
            }
            blocks = changed;
        }
        // the time of the run ends first: its words are the original's, those of an engine's own limit are not
        let patience = self.time_left().unwrap_or(Duration::from_secs(604_800));
        let patience = patience.saturating_add(Duration::from_secs(5));
        let options = QueryOptions {
            max_rows: usize::try_from(LIMIT).ok(),
            timeout: patience,
            memory: Some(caller.lease().await?),
            ..connect::limits(&self.app)
        };
        let work = async {
            let engine = connect::engine_as(&caller, &stored, None).await.map_err(|e| e.to_string())?;
            let mut session = engine.session(&options).await.map_err(|e| e.to_string())?;
            let mut found = ResultSet::default();
            for block in &blocks {
                found = session.query(block).await.map_err(|e| e.to_string())?;
            }
            session.finish(false).await.map_err(|e| e.to_string())?;
            Ok::<_, String>(found)
        };
        let timeout = ("AlertQueryTimeout", "A timeout occurred while executing the query.");
        self.within(timeout, Box::pin(work)).await?.map_err(logged)
    }
}

fn unrendered(error: query::QueryError) -> ReportError {
    match error {
        query::QueryError::Answer(answer) => answer.into(),
        other => ReportError::unexpected(other.to_string()),
    }
}

/// The only value of a result; none of an empty one.
fn first_value(found: &ResultSet, not_null: bool, validator: Option<&str>) -> Result<Scalar, ReportError> {
    let (rows, columns) = (found.row_count(), found.columns.len());
    if rows == 0 || columns == 0 {
        if not_null || validator == Some("operator") {
            return Ok(Scalar::Null);
        }
        return Err(ReportError::unexpected("index 0 is out of bounds for axis 0 with size 0"));
    }
    if rows > 1 {
        let text = format!("Alert query returned more than one row. {rows} rows returned");
        return Err(ReportError::new("AlertQueryMultipleRowsError", 422, text));
    }
    if columns > 1 {
        let text = format!("Alert query returned more than one column. {columns} columns returned");
        return Err(ReportError::new("AlertQueryMultipleColumnsError", 422, text));
    }
    Ok(found.data.first().map_or(Scalar::Null, |column| column.get(0)))
}

/// `value in (0, None, np.nan)`: a NaN of a row is another one.
fn is_nothing(value: &Scalar) -> bool {
    match value {
        Scalar::Null => true,
        Scalar::Bool(b) => !b,
        Scalar::Int(i) | Scalar::Interval(i) => *i == 0,
        Scalar::Float(f) => *f == 0.0,
        Scalar::Decimal(d) => d.sign() == bigdecimal::num_bigint::Sign::NoSign,
        Scalar::Json(Value::Number(n)) => n.as_f64() == Some(0.0),
        Scalar::Json(Value::Bool(b)) => !b,
        Scalar::Json(Value::Null) => true,
        _ => false,
    }
}

/// The value as a number; nothing is zero.
fn number(value: &Scalar) -> Result<f64, ReportError> {
    if is_nothing(value) {
        return Ok(0.0);
    }
    let found = match value {
        Scalar::Bool(_) => Some(1.0),
        Scalar::Int(i) => Some(*i as f64),
        Scalar::Float(f) => Some(*f),
        Scalar::Decimal(d) => d.to_string().parse().ok(),
        Scalar::Text(text) => parse_float(text),
        Scalar::Bytes(bytes) => std::str::from_utf8(bytes).ok().and_then(parse_float),
        // numpy counts nanoseconds
        Scalar::Timestamp(t) => t.and_utc().timestamp_nanos_opt().map(|ns| ns as f64),
        Scalar::Json(Value::Number(n)) => n.as_f64(),
        Scalar::Json(Value::Bool(_)) => Some(1.0),
        Scalar::Json(Value::String(text)) => parse_float(text),
        _ => None,
    };
    let none =
        || ReportError::new("AlertQueryInvalidTypeError", 422, "Alert query returned a non-number value.");
    found.ok_or_else(none)
}

/// `str(value)`, as numpy's records have it.
fn python_str(value: &Scalar) -> String {
    let date = |d: &NaiveDate| d.format("%Y-%m-%d").to_string();
    let micros = |nanos: u32| if nanos == 0 { String::new() } else { format!(".{:06}", nanos / 1000) };
    match value {
        Scalar::Null => "None".to_owned(),
        Scalar::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
        Scalar::Int(i) => i.to_string(),
        Scalar::Float(f) => float_repr(*f),
        Scalar::Decimal(d) => d.to_plain_string(),
        Scalar::Text(text) => text.to_string(),
        Scalar::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Scalar::Date(d) => date(d),
        Scalar::Time(t) => {
            use chrono::Timelike as _;
            format!("{}{}", t.format("%H:%M:%S"), micros(t.nanosecond()))
        }
        Scalar::Timestamp(t) => t.format("%Y-%m-%dT%H:%M:%S%.9f").to_string(),
        Scalar::TimestampTz(t, offset) => with_offset(t, *offset),
        Scalar::Interval(us) => format!("{} nanoseconds", us.saturating_mul(1000)),
        Scalar::Json(Value::String(text)) => text.clone(),
        Scalar::Json(other) => infra::json::dumps(other),
    }
}

/// `str(pandas.Timestamp)` with a zone.
fn with_offset(t: &NaiveDateTime, offset: i32) -> String {
    let (sign, seconds) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
    let fraction = match t.and_utc().timestamp_subsec_micros() {
        0 => String::new(),
        us => format!(".{us:06}"),
    };
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{}{fraction}{sign}{hours:02}:{minutes:02}", t.format("%Y-%m-%d %H:%M:%S"))
}

/// Whether a number meets the condition `{"op": …, "threshold": …}`; what makes no sense of it in Python's words.
fn compare(number: f64, config: Option<&str>) -> Result<bool, ReportError> {
    let wrong = || ReportError::new("AlertValidatorConfigError", 422, "Alert validator config error.");
    let text = config.ok_or_else(|| ReportError::unexpected("Input string must be text, not bytes"))?;
    let config: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let class = match &config {
        Value::Object(_) => None,
        Value::Array(_) => Some("list indices must be integers or slices, not str".to_owned()),
        Value::String(_) => Some("string indices must be integers, not 'str'".to_owned()),
        other => Some(format!("'{}' object is not subscriptable", class_of(other))),
    };
    if let Some(text) = class {
        return Err(ReportError::unexpected(text));
    }
    let op = config.get("op").ok_or_else(wrong)?;
    let threshold = config.get("threshold").ok_or_else(wrong)?;
    let op = match op {
        Value::String(op) => op.as_str(),
        Value::Array(_) | Value::Object(_) => {
            return Err(ReportError::unexpected(format!("unhashable type: {}", str_repr(class_of(op)))));
        }
        _ => return Err(wrong()),
    };
    let right = match threshold {
        Value::Number(n) => n.as_f64(),
        Value::Bool(b) => Some(f64::from(*b)),
        _ => None,
    };
    match (op, right) {
        ("==", right) => Ok(right.is_some_and(|right| number == right)),
        ("!=", right) => Ok(right.is_none_or(|right| number != right)),
        (">", Some(right)) => Ok(number > right),
        (">=", Some(right)) => Ok(number >= right),
        ("<", Some(right)) => Ok(number < right),
        ("<=", Some(right)) => Ok(number <= right),
        (">" | ">=" | "<" | "<=", None) => {
            let class = class_of(threshold);
            let text = format!("'{op}' not supported between instances of 'float' and '{class}'");
            Err(ReportError::unexpected(text))
        }
        _ => Err(wrong()),
    }
}

/// Python's class of a JSON value.
fn class_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions() {
        for (config, outcome) in [
            (r#"{"op": ">", "threshold": 10}"#, Ok(true)),
            (r#"{"op": "<=", "threshold": 10.5}"#, Ok(false)),
            (r#"{"op": "==", "threshold": "11"}"#, Ok(false)),
            (r#"{"op": "!=", "threshold": null}"#, Ok(true)),
            (r#"{"op": ">"}"#, Err("Alert validator config error.")),
            (r#"{"op": "~", "threshold": 1}"#, Err("Alert validator config error.")),
            ("", Err("Alert validator config error.")),
            ("[]", Err("list indices must be integers or slices, not str")),
            ("7", Err("'int' object is not subscriptable")),
            (
                r#"{"op": ">", "threshold": null}"#,
                Err("'>' not supported between instances of 'float' and 'NoneType'"),
            ),
        ] {
            let found = compare(11.0, Some(config)).map_err(|e| e.text());
            assert_eq!(found, outcome.map_err(str::to_owned), "{config}");
        }
    }

    #[test]
    fn values_are_numbers_as_python_has_them() {
        for (value, outcome) in [
            (Scalar::Null, Some(0.0)),
            (Scalar::Bool(true), Some(1.0)),
            (Scalar::Text(" 7 ".into()), Some(7.0)),
            (Scalar::Text("1_000".into()), Some(1000.0)),
            (Scalar::Text(String::new().into()), None),
            (Scalar::Text("0x10".into()), None),
            (Scalar::Date(NaiveDate::default()), None),
        ] {
            assert_eq!(number(&value).ok(), outcome, "{value:?}");
        }
        assert!(!is_nothing(&Scalar::Float(f64::NAN)) && !is_nothing(&Scalar::Text("0".into())));
        assert!(is_nothing(&Scalar::Float(-0.0)));
        assert_eq!(python_str(&Scalar::Float(0.0)), "0.0");
    }
}
