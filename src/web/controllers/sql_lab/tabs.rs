//! Tabs and the tables that are open in them (`superset.views.sql_lab.views`): forms whose fields are JSON.

use commands::sql_lab::tabs::{self, Refused};
use infra::json::dumps;
use serde_json::{Value, json};

use super::success;
use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let tab = |permission| Access::PageApi(permission, "TabStateView");
    let table = |permission| Access::PageApi(permission, "TableSchemaView");
    vec![
        rule(&["POST"], "/tabstateview/", tab("can_post"), post_tab).endpoint("TabStateView.post"),
        rule(&["GET"], "/tabstateview/<int:tab_state_id>", tab("can_get"), get_tab)
            .endpoint("TabStateView.get"),
        rule(&["PUT"], "/tabstateview/<int:tab_state_id>", tab("can_put"), put_tab)
            .endpoint("TabStateView.put"),
        rule(&["DELETE"], "/tabstateview/<int:tab_state_id>", tab("can_delete"), delete_tab)
            .endpoint("TabStateView.delete"),
        rule(&["POST"], "/tabstateview/<int:tab_state_id>/activate", tab("can_activate"), activate)
            .endpoint("TabStateView.activate"),
        rule(
            &["POST"],
            "/tabstateview/<int:tab_state_id>/migrate_query",
            tab("can_migrate_query"),
            migrate_query,
        )
        .endpoint("TabStateView.migrate_query"),
        rule(
            &["DELETE"],
            "/tabstateview/<int:tab_state_id>/query/<client_id>",
            tab("can_delete_query"),
            delete_query,
        )
        .endpoint("TabStateView.delete_query"),
        rule(&["POST"], "/tableschemaview/", table("can_post"), post_table).endpoint("TableSchemaView.post"),
        rule(&["DELETE"], "/tableschemaview/<int:table_schema_id>", table("can_delete"), delete_table)
            .endpoint("TableSchemaView.delete"),
        rule(
            &["POST"],
            "/tableschemaview/<int:table_schema_id>/expanded",
            table("can_expanded"),
            expand_table,
        )
        .endpoint("TableSchemaView.expanded"),
    ]
}

/// The answer of a view: empty pages for what is missing or somebody else's.
fn answered(outcome: Result<Value, Refused>) -> Handled {
    match outcome {
        Ok(value) => Ok(success(200, dumps(&value))),
        Err(Refused::Missing) => Ok(Answer::html(404, "")),
        Err(Refused::Forbidden) => Ok(Answer::html(403, "")),
        Err(Refused::Invalid(text)) => Ok(Answer::json(400, &json!({"error": text}))),
        Err(Refused::Error(error)) => Err(error.into()),
    }
}

/// A field of the form that holds JSON.
fn field(cx: &Cx, name: &str) -> Result<Value, Refused> {
    let text = cx.req.field(name).ok_or_else(|| {
        let text = crate::error::BAD_REQUEST;
        Refused::Invalid(text.to_owned())
    })?;
    serde_json::from_str(text).map_err(|e| Refused::Invalid(e.to_string()))
}

fn tab_id(cx: &Cx) -> i64 {
    cx.req.int_param("tab_state_id")
}

async fn post_tab(cx: Cx) -> Handled {
    let created = async {
        let editor = field(&cx, "queryEditor")?;
        Ok(json!({"id": tabs::create(&cx.caller, &editor).await?}))
    };
    answered(created.await)
}

async fn get_tab(cx: Cx) -> Handled {
    let found = async {
        let tab = tabs::own(&cx.caller, tab_id(&cx)).await?;
        Ok(tabs::describe(&cx.caller.app, &tab).await?)
    };
    answered(found.await)
}

async fn put_tab(cx: Cx) -> Handled {
    let done = tabs::update(&cx.caller, tab_id(&cx), &cx.req.form).await;
    answered(done.map(|()| json!(tab_id(&cx))))
}

async fn delete_tab(cx: Cx) -> Handled {
    answered(tabs::delete(&cx.caller, tab_id(&cx)).await.map(|()| json!("OK")))
}

async fn activate(cx: Cx) -> Handled {
    answered(tabs::activate(&cx.caller, tab_id(&cx)).await.map(|()| json!(tab_id(&cx))))
}

async fn migrate_query(cx: Cx) -> Handled {
    let done = async {
        tabs::own(&cx.caller, tab_id(&cx)).await?;
        let query = field(&cx, "queryId")?;
        let id = query.as_str().unwrap_or_default();
        tabs::migrate_query(&cx.caller, tab_id(&cx), id).await?;
        Ok(json!(tab_id(&cx)))
    };
    answered(done.await)
}

async fn delete_query(cx: Cx) -> Handled {
    let done = tabs::delete_query(&cx.caller, tab_id(&cx), cx.req.param("client_id")).await;
    answered(done.map(|()| json!("OK")))
}

async fn post_table(cx: Cx) -> Handled {
    let created = async {
        let table = field(&cx, "table")?;
        Ok(json!({"id": tabs::put_table(&cx.caller, &table).await?}))
    };
    answered(created.await)
}

async fn delete_table(cx: Cx) -> Handled {
    let done = tabs::delete_table(&cx.caller, cx.req.int_param("table_schema_id")).await;
    answered(done.map(|()| json!("OK")))
}

async fn expand_table(cx: Cx) -> Handled {
    let id = cx.req.int_param("table_schema_id");
    let done = async {
        let open = infra::json::truthy(&field(&cx, "expanded")?);
        tabs::expand_table(&cx.caller, id, open).await?;
        Ok(json!({"id": id, "expanded": open}))
    };
    answered(done.await)
}
