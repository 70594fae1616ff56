//! `GET /<int:pk>`.

use commands::resource as rows;
use infra::{Error, db::Sql, rison::schema};
use serde_json::json;

use super::{Resource, View, columns, list::chosen, resource::respond};
use crate::{Cx, Handled};

pub(super) async fn item(resource: &'static Resource, cx: Cx) -> Handled {
    let pk = cx.req.int_param("pk");
    let answer = answer(resource, &cx, pk, Vec::new()).await;
    resource.map_failure(answer)
}

impl Resource {
    /// The item under further conditions, for resources that live below another.
    pub async fn item_where(&'static self, cx: &Cx, pk: i64, conditions: Vec<Sql>) -> Handled {
        let handled = answer(self, cx, pk, conditions).await;
        self.map_failure(handled)
    }
}

async fn answer(resource: &'static Resource, cx: &Cx, pk: i64, mut conditions: Vec<Sql>) -> Handled {
    let args = resource.arguments(cx, &schema::ITEM)?;
    let asked = columns::asked(&args, resource.show_columns, &[])?;
    conditions.extend(resource.base_conditions(cx));
    // beyond 32 bits no key exists, and PostgreSQL refuses to compare
    if i32::try_from(pk).is_err() {
        return Err(Error::not_found().into());
    }
    let whole = resource.whole_item.filter(|_| !asked.pruned);
    let (shown_columns, computed) =
        whole.map_or((asked.columns.as_slice(), resource.computed), |w| (w.columns, w.computed));
    let selection = columns::selection(resource.table, computed, shown_columns);
    let record = rows::find(&cx.caller.app, &selection, pk, conditions).await?;
    let record = record.ok_or_else(Error::not_found)?;
    let mut payload = if resource.bare {
        serde_json::Map::new()
    } else {
        chosen(
            &args,
            [
                ("show_columns", json!(asked.columns)),
                ("label_columns", columns::labels(resource, &asked.columns)),
                ("description_columns", json!({})),
                ("show_title", json!(resource.title("Show"))),
            ],
        )
    };
    let prepared = resource.prepared(cx, shown_columns, &[pk.into()]).await?;
    let view = View { caller: &cx.caller, prepared };
    payload.insert("id".into(), pk.into());
    let shown = columns::shown(computed, shown_columns);
    payload.insert("result".into(), columns::render(&record, &shown, &view));
    Ok(respond(200, payload))
}
