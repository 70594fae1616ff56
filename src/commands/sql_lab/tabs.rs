//! Tabs that outlive the browser (`superset.views.sql_lab.views`).

use daos::{
    query,
    tab_state::{self, TabState, TableSchema},
    write::Values,
};
use infra::{
    Error, Result,
    db::{DbError, Value as Column},
    json::dumps,
};
use serde_json::{Value, json};

use super::describe as describe_query;
use crate::{Caller, Services};

/// Why nothing became of a request; the views answer empty pages and `{"error"}`.
#[derive(Debug)]
pub enum Refused {
    /// 404.
    Missing,
    /// 403: somebody else's.
    Forbidden,
    /// 400 with a text.
    Invalid(String),
    /// Our own fault.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(e: E) -> Self {
        Self::Error(e.into())
    }
}

/// Texts of the form that say what goes into a column, with the kind of its values.
const COLUMNS: &[(&str, Kind)] = &[
    ("label", Kind::Text),
    ("active", Kind::Flag),
    ("database_id", Kind::Number),
    ("schema", Kind::Text),
    ("catalog", Kind::Text),
    ("sql", Kind::Text),
    ("query_limit", Kind::Number),
    ("latest_query_id", Kind::Text),
    ("autorun", Kind::Flag),
    ("template_params", Kind::Text),
    ("hide_left_bar", Kind::Flag),
    ("saved_query_id", Kind::Number),
    ("extra_json", Kind::Text),
];

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
}

impl Kind {
    fn column(self, value: &Value) -> Option<Column> {
        Some(match (self, value) {
            (_, Value::Null) => Column::Null,
            (Self::Text, Value::String(text)) => text.as_str().into(),
            (Self::Text, other) => dumps(other).into(),
            (Self::Number, other) => other.as_i64().or_else(|| other.as_str()?.trim().parse().ok())?.into(),
            (Self::Flag, Value::Bool(flag)) => (*flag).into(),
            (Self::Flag, _) => return None,
        })
    }
}

/// A tab as the frontend wants it (`TabState.to_dict`).
pub async fn describe(app: &Services, tab: &TabState) -> Result<Value> {
    let db = app.db.exec();
    let tables = tab_state::tables_of(db, tab.id).await?;
    let latest = match &tab.latest_query_id {
        Some(id) => query::find_by_client_id(db, id).await?,
        None => None,
    };
    let extra: Value =
        serde_json::from_str(tab.extra_json.as_deref().unwrap_or_default()).unwrap_or(json!({}));
    Ok(json!({
        "id": tab.id,
        "user_id": tab.user_id,
        "label": tab.label,
        "active": tab.active,
        "database_id": tab.database_id,
        "catalog": tab.catalog,
        "schema": tab.schema,
        "table_schemas": tables.iter().map(describe_table).collect::<Vec<_>>(),
        "sql": tab.sql,
        "query_limit": tab.query_limit,
        "latest_query": latest.as_ref().map(|query| describe_query(&app.config, query)),
        "autorun": tab.autorun,
        "template_params": tab.template_params,
        "hide_left_bar": tab.hide_left_bar,
        "saved_query": tab.saved_query_id.map(|id| json!({"id": id})),
        "extra_json": extra,
    }))
}

fn describe_table(table: &TableSchema) -> Value {
    let text = table.description.as_deref().unwrap_or_default();
    json!({
        "id": table.id,
        "tab_state_id": table.tab_state_id,
        "database_id": table.database_id,
        "catalog": table.catalog,
        "schema": table.schema,
        "table": table.table,
        "description": serde_json::from_str::<Value>(text).ok(),
        "expanded": table.expanded,
    })
}

/// The caller's own tab.
pub async fn own(caller: &Caller, id: i64) -> Result<TabState, Refused> {
    let tab = tab_state::find(caller.app.db.exec(), id).await?.ok_or(Refused::Missing)?;
    if tab.user_id.is_none() {
        return Err(Refused::Missing);
    }
    if tab.user_id == caller.user.user_id() { Ok(tab) } else { Err(Refused::Forbidden) }
}

/// A new tab, which becomes the active one; returns its id.
pub async fn create(caller: &Caller, editor: &Value) -> Result<i64, Refused> {
    let Some(editor) = editor.as_object() else { return Err(Refused::Invalid("queryEditor".into())) };
    let database = editor.get("dbId").ok_or_else(|| Refused::Invalid("'dbId'".into()))?;
    let name = |key: &str| editor.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
    let label = name("name").or_else(|| name("title")).unwrap_or("Untitled Query");
    let sql = editor.get("sql").cloned().unwrap_or_else(|| json!("SELECT ..."));
    let null = Value::Null;
    let of = |key: &str| editor.get(key).unwrap_or(&null);
    let mut values: Values =
        vec![("user_id", caller.user.user_id().into()), ("label", label.into()), ("active", true.into())];
    for (column, kind, value) in [
        ("database_id", Kind::Number, database),
        ("catalog", Kind::Text, of("catalog")),
        ("schema", Kind::Text, of("schema")),
        ("sql", Kind::Text, &sql),
        ("query_limit", Kind::Number, of("queryLimit")),
        ("hide_left_bar", Kind::Flag, of("hideLeftBar")),
        ("saved_query_id", Kind::Number, of("remoteId")),
        ("template_params", Kind::Text, of("templateParams")),
    ] {
        let value = kind.column(value).ok_or_else(|| Refused::Invalid(wrong(column)))?;
        // what is null takes its default, as with SQLAlchemy
        if value != Column::Null {
            values.push((column, value));
        }
    }
    let tx = caller.app.db.begin().await?;
    tab_state::activate(tx.exec(), caller.user.user_id(), None).await?;
    let id = tab_state::insert(tx.exec(), values, caller.user.user_id()).await.map_err(integrity)?;
    tx.commit().await?;
    Ok(id)
}

fn wrong(column: &str) -> String {
    format!("The value of {column} is not of its type.")
}

/// A reference that leads nowhere is the client's fault.
fn integrity(e: DbError) -> Refused {
    match e {
        DbError::Integrity(_) => Refused::Invalid("The tab refers to something that does not exist.".into()),
        e => Refused::Error(e.into()),
    }
}

/// Changes columns of a tab; the values are JSON texts.
pub async fn update(caller: &Caller, id: i64, fields: &[(String, String)]) -> Result<(), Refused> {
    own(caller, id).await?;
    let mut values: Values = Vec::new();
    for (name, text) in fields.iter().filter(|(name, _)| name != "csrf_token") {
        let (column, kind) = COLUMNS
            .iter()
            .find(|(column, _)| column == name)
            .ok_or_else(|| Refused::Invalid(format!("Unknown column: {name}")))?;
        let value: Value = serde_json::from_str(text).map_err(|e| Refused::Invalid(e.to_string()))?;
        values.push((column, kind.column(&value).ok_or_else(|| Refused::Invalid(wrong(column)))?));
    }
    tab_state::update(caller.app.db.exec(), id, values, caller.user.user_id()).await.map_err(integrity)
}

/// Makes a tab the active one.
pub async fn activate(caller: &Caller, id: i64) -> Result<(), Refused> {
    own(caller, id).await?;
    let tx = caller.app.db.begin().await?;
    tab_state::activate(tx.exec(), caller.user.user_id(), Some(id)).await?;
    Ok(tx.commit().await?)
}

/// Deletes a tab.
pub async fn delete(caller: &Caller, id: i64) -> Result<(), Refused> {
    own(caller, id).await?;
    let tx = caller.app.db.begin().await?;
    tab_state::delete(tx.exec(), id).await?;
    Ok(tx.commit().await?)
}

/// Gives a query of the browser's to a tab.
pub async fn migrate_query(caller: &Caller, id: i64, client_id: &str) -> Result<(), Refused> {
    own(caller, id).await?;
    query::move_to_editor(caller.app.db.exec(), caller.user.user_id(), client_id, &id.to_string()).await?;
    Ok(())
}

/// Deletes a query of a tab; a tab whose latest query it was falls back to the one before.
pub async fn delete_query(caller: &Caller, id: i64, client_id: &str) -> Result<(), Refused> {
    let editor = id.to_string();
    let tx = caller.app.db.begin().await?;
    let tab = tab_state::find(tx.exec(), id).await?;
    if tab.is_some_and(|t| {
        t.user_id == caller.user.user_id() && t.latest_query_id.as_deref() == Some(client_id)
    }) {
        let newest = query::newest_of_editor(tx.exec(), caller.user.user_id(), &editor, client_id).await?;
        let values: Values = vec![("latest_query_id", newest.map(|q| q.client_id).into())];
        tab_state::update(tx.exec(), id, values, caller.user.user_id()).await?;
    }
    query::delete_of_editor(tx.exec(), caller.user.user_id(), client_id, &editor).await?;
    Ok(tx.commit().await?)
}

/// Notes that a table is open in a tab of the caller's; returns its id.
pub async fn put_table(caller: &Caller, table: &Value) -> Result<i64, Refused> {
    let missing = |key: &str| Refused::Invalid(format!("'{key}'"));
    let number = |key: &str| {
        let value = table.get(key).ok_or_else(|| missing(key))?;
        let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
        number.ok_or_else(|| Refused::Invalid(wrong(key)))
    };
    let text = |key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let tab = number("queryEditorId")?;
    for key in ["schema", "name"] {
        table.get(key).ok_or_else(|| missing(key))?;
    }
    own(caller, tab).await.map_err(|refused| match refused {
        Refused::Missing | Refused::Forbidden => Refused::Invalid("There is no such tab.".into()),
        other => other,
    })?;
    let row = TableSchema {
        id: 0,
        tab_state_id: Some(tab),
        database_id: number("dbId")?,
        schema: text("schema"),
        catalog: text("catalog"),
        table: text("name"),
        description: Some(dumps(table)),
        expanded: Some(true),
    };
    let tx = caller.app.db.begin().await?;
    let id = tab_state::put_table(tx.exec(), &row, caller.user.user_id()).await.map_err(integrity)?;
    tx.commit().await?;
    Ok(id)
}

/// Whether a table stands in a tab of the caller's; the original asks nobody.
async fn is_own_table(caller: &Caller, id: i64) -> Result<bool, Refused> {
    let owner = tab_state::owner_of_table(caller.app.db.exec(), id).await?;
    Ok(owner.is_some_and(|owner| owner == caller.user.user_id()))
}

/// Forgets a table; one that is not the caller's stays.
pub async fn delete_table(caller: &Caller, id: i64) -> Result<(), Refused> {
    if is_own_table(caller, id).await? {
        tab_state::delete_table(caller.app.db.exec(), id).await?;
    }
    Ok(())
}

/// Opens or folds a table; one that is not the caller's stays.
pub async fn expand_table(caller: &Caller, id: i64, expanded: bool) -> Result<(), Refused> {
    if is_own_table(caller, id).await? {
        tab_state::expand_table(caller.app.db.exec(), id, expanded).await?;
    }
    Ok(())
}
