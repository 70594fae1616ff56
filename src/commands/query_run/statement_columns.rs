//! Columns of a query that is to become a dataset (`superset.databases.utils`, `get_columns_description`).

use daos::database::Database;
use infra::{
    Error, Result,
    engine_specs::GenericType,
    engines::QueryOptions,
    error::{ErrorType, SupersetError},
};
use serde_json::{Value, json};

use super::{query_access::Place, table_rules, unread};
use crate::{Caller, access::sql_calls, connect::engine_as};

/// Columns of a statement, from one of its rows (`get_columns_description`).
pub async fn statement_columns(
    caller: &Caller,
    database: &Database,
    (catalog, schema): (Option<&str>, Option<&str>),
    text: &str,
) -> Result<Vec<Value>> {
    let target = engine_as(caller, database, catalog).await?;
    let spec = target.spec();
    let generic_error =
        |message: String| Error::sip40(400, SupersetError::new(ErrorType::GenericDbEngineError, message));
    let limited = {
        let mut script = unread::read(caller, &Place { database, schema, catalog }, text)
            .await?
            .map_err(|e| generic_error(format!("Invalid SQL: {}", e.message)))?;
        let refused = |text: &str| {
            Error::sip40(403, SupersetError::new(ErrorType::DatasourceSecurityAccessError, text))
        };
        if script.has_mutation() {
            return Err(refused("Only `SELECT` statements are allowed"));
        }
        sql_calls::check_listed(&caller.app.config, &spec.engine, &script, schema)
            .and_then(|()| {
                sql_calls::check_effects(&script, sql_calls::Place::Dataset, sql_calls::Reader::default())
            })
            .map_err(|refused| generic_error(refused.message()))?;
        // the type of a value may tell of a row
        let rules = Box::pin(table_rules::of_script(caller, database, (catalog, schema), &script)).await?;
        script.apply_rls(&rules)?;
        match script.statements_mut() {
            [one] => {
                one.set_limit(1);
                one.format()
            }
            _ => return Err(refused("Only single queries supported")),
        }
    };
    let options =
        QueryOptions { max_rows: Some(1), schema: schema.map(str::to_owned), ..QueryOptions::default() };
    let found = target.query(&limited, &options).await;
    let found = found.map_err(|e| e.into_answer(|e| generic_error(e.to_string())))?;
    let typed = query::frame::Frame::from(found.clone());
    let column = |(i, info): (usize, &infra::engines::column::ColumnInfo)| {
        let type_ = spec
            .cursor_type(&info.sql_type)
            .or_else(|| typed.columns.get(i).and_then(|c| arrow_type(&c.data)).map(str::to_owned));
        let generic = type_.as_deref().and_then(|t| spec.generic_type(t));
        json!({
            "column_name": info.name,
            "name": info.name,
            "type": type_,
            "type_generic": generic.map(|g| g as u8),
            "is_dttm": generic == Some(GenericType::Temporal),
        })
    };
    Ok(found.columns.iter().enumerate().map(column).collect())
}

/// The type as Arrow sees it (`convert_pa_dtype`), for drivers that tell none.
fn arrow_type(data: &infra::engines::column::ColumnData) -> Option<&'static str> {
    use infra::engines::column::ColumnData as C;
    match data {
        C::Bool(_) => Some("BOOL"),
        C::Int(_) => Some("INT"),
        C::Float(_) => Some("FLOAT"),
        C::Text(_) => Some("STRING"),
        C::Date(_) | C::Timestamp(_) => Some("DATETIME"),
        _ => None,
    }
}
