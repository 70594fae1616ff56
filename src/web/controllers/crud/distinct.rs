//! `GET /distinct/<column_name>`.

use commands::resource as rows;
use daos::{base::Query, condition};
use infra::{
    Error,
    db::{Executor, Value as Stored},
    rison::schema,
};
use serde_json::{Map, Value, json};

use super::{Resource, resource::respond};
use crate::{Cx, Handled};

pub(super) async fn distinct(resource: &'static Resource, cx: Cx) -> Handled {
    let answer = answer(resource, &cx).await;
    resource.map_failure(answer)
}

async fn answer(resource: &'static Resource, cx: &Cx) -> Handled {
    // the argument is read before the column is looked at
    let args = resource.arguments(cx, &schema::RELATED)?;
    let name = cx.req.param("column_name");
    let column = resource
        .distinct
        .iter()
        .find(|c| **c == name)
        .and_then(|c| resource.table.column(c))
        .ok_or_else(Error::not_found)?;
    let (offset, limit) = resource.page(cx, &args)?;
    let mut conditions = resource.base_conditions(cx);
    if let Some(text) = args.get("filter").and_then(Value::as_str).filter(|t| !t.is_empty()) {
        let field = resource.table.qualified(column.name);
        conditions.push(condition::starts_with(cx.caller.app.db.dialect(), field, text));
    }
    let query = Query { conditions, limit, offset, ..Query::default() };
    let (count, values) = rows::distinct(&cx.caller.app, resource.table, column.name, &query).await?;
    let result: Vec<Value> = values
        .iter()
        .filter(|v| **v != Stored::Null)
        .map(|v| {
            let value = daos::record::column_json(column.kind, v);
            json!({"text": value, "value": value})
        })
        .collect();
    let mut payload = Map::new();
    payload.insert("count".into(), count.into());
    payload.insert("result".into(), result.into());
    Ok(respond(200, payload))
}
