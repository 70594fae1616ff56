//! A query as the chart builder shows it (`Query.data`).

use daos::{database::Database, query::Query};
use infra::json::dumps;
use serde_json::{Value, json};

use crate::{connect::describe, query_run::query_columns};

/// `Query.data`.
pub fn data(query: &Query, database: &Database) -> Value {
    let spec = describe::engine(database);
    let columns = query_columns(query);
    let choice = |name: &str, up: bool| {
        let words = if up { "[asc]" } else { "[desc]" };
        json!([dumps(&json!([name, up])), format!("{name} {words}")])
    };
    let choices: Vec<Value> =
        columns.iter().flat_map(|c| [choice(&c.column_name, true), choice(&c.column_name, false)]).collect();
    let shown: Vec<Value> = columns
        .iter()
        .map(|c| {
            let generic = c.type_.as_deref().and_then(|kind| spec.generic_type(kind));
            json!({
                "advanced_data_type": null,
                "certification_details": null,
                "certified_by": null,
                "column_name": c.column_name,
                "description": null,
                "expression": null,
                "filterable": true,
                "groupby": true,
                "id": null,
                "is_certified": false,
                "is_dttm": c.is_dttm,
                "python_date_format": null,
                "type": c.type_,
                "type_generic": generic.map(|g| g as i64),
                "uuid": null,
                "verbose_name": null,
                "warning_markdown": null,
            })
        })
        .collect();
    json!({
        "time_grain_sqla": spec.time_grains().iter().map(|g| json!([g.duration, g.name])).collect::<Vec<_>>(),
        "filter_select": true,
        "name": query.tab_name,
        "columns": shown,
        "metrics": [],
        "id": query.id,
        "type": "query",
        "sql": query.sql,
        "owners": [],
        "database": {"id": query.database_id, "backend": database.backend(), "parameters": {}},
        "order_by_choices": choices,
        "catalog": query.catalog,
        "schema": query.schema,
        "verbose_map": {},
    })
}
