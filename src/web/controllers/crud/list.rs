//! `GET /`: filter, order, page.

use commands::resource as rows;
use daos::{
    base::{Order, Query},
    filter,
};
use infra::{
    Error,
    db::{Executor, Sql},
    rison::schema,
};
use serde_json::{Map, Value, json};

use super::{FilterCx, Resource, View, columns, resource::respond};
use crate::{Cx, Handled};

pub(super) async fn list(resource: &'static Resource, cx: Cx) -> Handled {
    let answer = answer(resource, &cx, Vec::new()).await;
    resource.map_failure(answer)
}

impl Resource {
    /// The list under further conditions, for resources that live below another (annotations of a layer).
    pub async fn list_where(&'static self, cx: &Cx, conditions: Vec<Sql>) -> Handled {
        let handled = answer(self, cx, conditions).await;
        self.map_failure(handled)
    }
}

async fn answer(resource: &'static Resource, cx: &Cx, mut conditions: Vec<Sql>) -> Handled {
    let args = resource.arguments(cx, &schema::LIST)?;
    let asked = columns::asked(&args, resource.list_columns, resource.list_select_columns)?;
    let mut payload = if resource.bare { Map::new() } else { metadata(resource, &args, &asked) };
    conditions.extend(filters(resource, cx, &args)?);
    conditions.extend(resource.base_conditions(cx));
    let order = order(resource, &args)?;
    let (offset, limit) = resource.page(cx, &args)?;

    let count = rows::count(&cx.caller.app, resource.table, &conditions).await?;
    let whole = resource.whole_list.filter(|_| !asked.pruned);
    let (shown_columns, computed) =
        whole.map_or((asked.columns.as_slice(), resource.computed), |w| (w.columns, w.computed));
    let selection = columns::selection(resource.table, computed, shown_columns);
    let page = rows::fetch(&cx.caller.app, &selection, &Query { conditions, order, limit, offset }).await?;

    let ids: Vec<Value> = page.iter().map(|r| r.json(resource.table.pk)).collect();
    let prepared = resource.prepared(cx, shown_columns, &ids).await?;
    let view = View { caller: &cx.caller, prepared };
    let shown = columns::shown(computed, shown_columns);
    let result: Vec<Value> = page.iter().map(|r| columns::render(r, &shown, &view)).collect();
    payload.insert("ids".into(), ids.into());
    payload.insert("result".into(), result.into());
    payload.insert("count".into(), count.into());
    Ok(respond(200, payload))
}

/// The members that `keys` chooses.
fn metadata(resource: &Resource, args: &Map<String, Value>, asked: &columns::Asked) -> Map<String, Value> {
    let order: Vec<&str> = if asked.pruned {
        resource.order_columns.iter().copied().filter(|c| asked.columns.contains(c)).collect()
    } else {
        resource.order_columns.to_vec()
    };
    let all = [
        ("list_columns", json!(asked.columns)),
        ("order_columns", json!(order)),
        ("label_columns", columns::labels(resource, &asked.columns)),
        ("description_columns", json!({})),
        ("list_title", json!(resource.title("List"))),
    ];
    chosen(args, all)
}

/// `set_response_key_mappings`: no keys, or an empty list, means all.
pub(super) fn chosen<const N: usize>(
    args: &Map<String, Value>,
    all: [(&str, Value); N],
) -> Map<String, Value> {
    let keys: Vec<&str> =
        args.get("keys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    all.into_iter()
        .filter(|(name, _)| keys.is_empty() || keys.contains(name))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// `rest_add_filters`, applied.
fn filters(resource: &Resource, cx: &Cx, args: &Map<String, Value>) -> infra::Result<Vec<Sql>> {
    let filter_cx = FilterCx { caller: &cx.caller, dialect: cx.caller.app.db.dialect() };
    let mut asked = Vec::new();
    for item in args.get("filters").and_then(Value::as_array).into_iter().flatten() {
        let (Some(column), Some(operator), Some(value)) =
            (text(item, "col"), text(item, "opr"), item.get("value"))
        else {
            break;
        };
        let known = filter::operators(resource.table, column);
        let custom = resource.filters.iter().find(|f| f.column == column && f.operator == operator);
        let searchable = resource.search_columns.contains(&column);
        let refused =
            || Error::bad_request(format!("Filter operation: {operator} not allowed on column: {column}"));
        if filter::is_standard(operator) {
            if !searchable {
                return Err(Error::bad_request(format!("Filter column: {column} not allowed to filter")));
            }
            if !known.iter().any(|o| o.code == operator) {
                return Err(refused());
            }
            asked.push((column, operator, value, None));
        } else if let Some(custom) = custom {
            asked.push((column, operator, value, Some(custom)));
        } else if !searchable || known.is_empty() {
            return Err(refused());
        }
        // an operator that nobody knows, on a column that can be filtered, is ignored
    }
    let mut conditions = Vec::new();
    for (column, operator, value, custom) in asked {
        match (custom, value) {
            (None, _) => {
                conditions.extend(filter::condition(
                    resource.table,
                    column,
                    operator,
                    value,
                    filter_cx.dialect,
                )?);
            }
            (Some(custom), Value::Array(items)) => {
                for item in items {
                    conditions.extend((custom.apply)(&filter_cx, item)?);
                }
            }
            (Some(custom), _) => conditions.extend((custom.apply)(&filter_cx, value)?),
        }
    }
    Ok(conditions)
}

fn text<'a>(item: &'a Value, key: &str) -> Option<&'a str> {
    item.get(key).and_then(Value::as_str)
}

/// `_handle_order_args` and `apply_order_by`: the primary key breaks ties in the same direction.
fn order(resource: &Resource, args: &Map<String, Value>) -> infra::Result<Vec<Order>> {
    let asked = args.get("order_column").and_then(Value::as_str).filter(|c| !c.is_empty());
    let (column, descending) = match (asked, resource.base_order) {
        (Some(column), _) => {
            if !resource.order_columns.is_empty() && !resource.order_columns.contains(&column) {
                return Err(Error::bad_request(format!("Invalid order by column: {column}")));
            }
            // anything but `asc` is descending
            (column, args.get("order_direction").and_then(Value::as_str) != Some("asc"))
        }
        (None, Some((column, descending))) => (column, descending),
        (None, None) => return Ok(Vec::new()),
    };
    let column = resource.computed.iter().find(|c| c.path == column).and_then(|c| c.order).unwrap_or(column);
    let table = resource.table;
    if let Some((relation, leaf)) = column.split_once('.') {
        // the order by a to-many relation is ignored
        let Some(relation) = table.relation(relation).filter(|r| r.is_one()) else { return Ok(Vec::new()) };
        if relation.target.column(leaf).is_none() {
            return Ok(Vec::new());
        }
    } else if table.column(column).is_none() {
        return Ok(Vec::new());
    }
    let mut order = vec![Order { path: column.to_owned(), descending }];
    if column != table.pk {
        order.push(Order { path: table.pk.to_owned(), descending });
    }
    Ok(order)
}
