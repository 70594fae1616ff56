//! `GET /<int:pk>`.

use daos::base;
use infra::{Error, db::Sql, rison::schema};
use serde_json::json;

use super::{Resource, View, columns, list::chosen, resource::respond};
use crate::{Cx, Handled};

pub(super) async fn item(resource: &'static Resource, cx: Cx) -> Handled {
    let pk = cx.req.int_param("pk");
    let answer = answer(resource, &cx, pk, Vec::new()).await;
    resource.shown(answer)
}

impl Resource {
    /// The item under further conditions, for resources that live below another.
    pub async fn item_where(&'static self, cx: &Cx, pk: i64, conditions: Vec<Sql>) -> Handled {
        let handled = answer(self, cx, pk, conditions).await;
        self.shown(handled)
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
    let (shown, computed) =
        whole.map_or((asked.shown.as_slice(), resource.computed), |w| (w.columns, w.computed));
    let selection = columns::selection(resource.table, computed, shown);
    let record = base::find(cx.app.db.exec(), &selection, pk.into(), conditions).await?;
    let record = record.ok_or_else(Error::not_found)?;
    let mut payload = if resource.bare {
        serde_json::Map::new()
    } else {
        chosen(
            &args,
            [
                ("show_columns", json!(asked.shown)),
                ("label_columns", columns::labels(resource, &asked.shown)),
                ("description_columns", json!({})),
                ("show_title", json!(resource.title("Show"))),
            ],
        )
    };
    let view = View { app: &cx.app, user: &cx.user };
    payload.insert("id".into(), pk.into());
    payload.insert("result".into(), columns::render(&record, computed, shown, &view));
    Ok(respond(200, payload))
}
