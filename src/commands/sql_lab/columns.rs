//! Columns of a result (`SupersetResultSet.columns`).

use infra::{
    engine_specs::{EngineSpec, GenericType},
    engines::column::{ColumnData, Scalar},
};
use query::frame::Frame;
use serde_json::{Value, json};

/// `[{column_name, name, type, type_generic, is_dttm}]`; `native` are the driver's own type names.
pub(super) fn describe(frame: &Frame, native: &[String], spec: &EngineSpec) -> Value {
    let columns = frame.columns.iter().zip(native).map(|(column, native)| {
        let kind = spec.cursor_type(native).or_else(|| arrow_type(&column.data).map(str::to_owned));
        let generic = kind.as_deref().and_then(|kind| spec.generic_type(kind));
        let name = column.label.display();
        json!({
            "column_name": name,
            "name": name,
            "type": kind,
            "type_generic": generic.map(|g| g as i64),
            "is_dttm": generic == Some(GenericType::Temporal),
        })
    });
    Value::Array(columns.collect())
}

/// `convert_pa_dtype`: the name of a column's Arrow type, where it has one.
fn arrow_type(data: &ColumnData) -> Option<&'static str> {
    match data {
        _ if data.is_empty() => None,
        ColumnData::Bool(_) => Some("BOOL"),
        ColumnData::Int(_) => Some("INT"),
        ColumnData::Float(_) => Some("FLOAT"),
        ColumnData::Text(_) => Some("STRING"),
        ColumnData::Date(_) | ColumnData::Timestamp(_) => Some("DATETIME"),
        ColumnData::Null(_) | ColumnData::Decimal(_) => None,
        ColumnData::Object(values) => match values.iter().find(|v| !matches!(v, Scalar::Null))? {
            Scalar::Time(_) | Scalar::TimestampTz(..) | Scalar::Interval(_) => Some("DATETIME"),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use infra::engine_specs::spec;
    use query::frame::Column;

    use super::*;

    #[test]
    fn the_drivers_name_wins_over_arrows() {
        let frame = Frame::new(vec![Column::new("a", ColumnData::Int(vec![Some(1)]))]);
        let shown = |native: &str, engine: &str| {
            describe(&frame, &[native.to_owned()], spec(engine, None))[0].clone()
        };
        let wanted = json!({"column_name": "a", "name": "a", "type": "LONGINTEGER", "type_generic": 0,
            "is_dttm": false});
        assert_eq!(shown("int8", "postgresql"), wanted);
        assert_eq!(shown("", "sqlite")["type"], "INT");
        let empty = Frame::new(vec![Column::new("a", ColumnData::Null(0))]);
        assert_eq!(describe(&empty, &[String::new()], spec("sqlite", None))[0]["type"], Value::Null);
    }
}
