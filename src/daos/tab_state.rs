//! Tabs of SQL Lab and the tables that are open in them (`superset.models.sql_lab:TabState`, `TableSchema`).

use infra::db::{DbError, Executor, Sql, Value};

use crate::{
    tables::{TAB_STATES, TABLE_SCHEMAS},
    typed_row::row,
    write,
};

row! {
    /// A row of `tab_state`.
    #[derive(Debug, Clone, PartialEq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct TabState over "tab_state" {
        pub id: i64,
        pub user_id: Option<i64>,
        pub label: Option<String>,
        pub active: Option<bool>,
        pub database_id: Option<i64>,
        pub schema: Option<String>,
        pub catalog: Option<String>,
        pub sql: Option<String>,
        pub query_limit: Option<i64>,
        pub latest_query_id: Option<String>,
        pub autorun: Option<bool>,
        pub template_params: Option<String>,
        pub hide_left_bar: Option<bool>,
        pub saved_query_id: Option<i64>,
        pub extra_json: Option<String>,
    }
}

row! {
    /// A row of `table_schema`.
    #[derive(Debug, Clone, PartialEq)]
    #[expect(missing_docs, reason = "the fields bear the names of the columns")]
    pub struct TableSchema over "table_schema" {
        pub id: i64,
        pub tab_state_id: Option<i64>,
        pub database_id: i64,
        pub schema: Option<String>,
        pub catalog: Option<String>,
        pub table: Option<String>,
        pub description: Option<String>,
        pub expanded: Option<bool>,
    }
}

/// A tab by its id.
pub async fn find(db: &dyn Executor, id: i64) -> Result<Option<TabState>, DbError> {
    let sql = Sql::new(format!("SELECT {} FROM tab_state WHERE id = ?", TabState::COLUMNS)).bind(id);
    db.first(sql).await?.as_ref().map(TabState::read).transpose()
}

/// The active tab of a user, or any of them.
pub async fn active_of(db: &dyn Executor, user_id: i64) -> Result<Option<TabState>, DbError> {
    let text = format!(
        "SELECT {} FROM tab_state WHERE user_id = ? ORDER BY CASE WHEN active THEN 0 ELSE 1 END, id LIMIT 1",
        TabState::COLUMNS
    );
    db.first(Sql::new(text).bind(user_id)).await?.as_ref().map(TabState::read).transpose()
}

/// Ids and labels of a user's tabs.
pub async fn labels_of(db: &dyn Executor, user_id: i64) -> Result<Vec<(i64, Option<String>)>, DbError> {
    let sql = Sql::new("SELECT id, label FROM tab_state WHERE user_id = ? ORDER BY id").bind(user_id);
    db.query(sql).await?.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}

/// Id, label and whether it is active of the tabs on a database.
pub async fn of_database(
    db: &dyn Executor,
    database_id: i64,
) -> Result<Vec<(i64, Option<String>, Option<bool>)>, DbError> {
    let sql = Sql::new("SELECT id, label, active FROM tab_state WHERE database_id = ? ORDER BY id");
    let rows = db.query(sql.bind(database_id)).await?;
    rows.iter().map(|row| Ok((row.at(0)?, row.at(1)?, row.at(2)?))).collect()
}

/// Makes one tab of a user the active one; none when `id` is none.
pub async fn activate(db: &dyn Executor, user_id: Option<i64>, id: Option<i64>) -> Result<(), DbError> {
    let sql = Sql::new("UPDATE tab_state SET active = ? WHERE user_id = ?").bind(false).bind(user_id);
    db.execute(sql).await?;
    if let Some(id) = id {
        let sql = Sql::new("UPDATE tab_state SET active = ? WHERE id = ? AND user_id = ?");
        db.execute(sql.bind(true).bind(id).bind(user_id)).await?;
    }
    Ok(())
}

/// Inserts a tab; returns its id.
pub async fn insert(db: &dyn Executor, values: write::Values, user_id: Option<i64>) -> Result<i64, DbError> {
    id_of(write::insert(db, &TAB_STATES, values, user_id).await?)
}

/// Changes a tab.
pub async fn update(
    db: &dyn Executor,
    id: i64,
    values: write::Values,
    user_id: Option<i64>,
) -> Result<(), DbError> {
    write::update(db, &TAB_STATES, Value::Int(id), values, user_id).await.map(drop)
}

/// Deletes a tab and its tables.
pub async fn delete(db: &dyn Executor, id: i64) -> Result<(), DbError> {
    db.execute(Sql::new("DELETE FROM table_schema WHERE tab_state_id = ?").bind(id)).await?;
    db.execute(Sql::new("DELETE FROM tab_state WHERE id = ?").bind(id)).await.map(drop)
}

/// The tables that are open in a tab.
pub async fn tables_of(db: &dyn Executor, tab_id: i64) -> Result<Vec<TableSchema>, DbError> {
    let text =
        format!("SELECT {} FROM table_schema WHERE tab_state_id = ? ORDER BY id", TableSchema::COLUMNS);
    db.query(Sql::new(text).bind(tab_id)).await?.iter().map(TableSchema::read).collect()
}

/// Replaces the row of a table in a tab; returns the new id.
pub async fn put_table(db: &dyn Executor, table: &TableSchema, user_id: Option<i64>) -> Result<i64, DbError> {
    let mut sql = Sql::new("DELETE FROM table_schema WHERE tab_state_id = ");
    sql.push_bind(table.tab_state_id).push(" AND database_id = ").push_bind(table.database_id);
    for (column, value) in
        [("catalog", &table.catalog), ("schema", &table.schema), ("\"table\"", &table.table)]
    {
        match value {
            Some(value) => sql.push(&format!(" AND {column} = ")).push_bind(value.as_str()),
            None => sql.push(&format!(" AND {column} IS NULL")),
        };
    }
    db.execute(sql).await?;
    let values: write::Values = vec![
        ("tab_state_id", table.tab_state_id.into()),
        ("database_id", table.database_id.into()),
        ("catalog", table.catalog.clone().into()),
        ("schema", table.schema.clone().into()),
        ("table", table.table.clone().into()),
        ("description", table.description.clone().into()),
        ("expanded", table.expanded.into()),
    ];
    id_of(write::insert(db, &TABLE_SCHEMAS, values, user_id).await?)
}

/// The user whose tab shows a table; none when there is no such row.
pub async fn owner_of_table(db: &dyn Executor, id: i64) -> Result<Option<Option<i64>>, DbError> {
    let text =
        "SELECT t.user_id FROM table_schema s LEFT JOIN tab_state t ON t.id = s.tab_state_id WHERE s.id = ?";
    db.first(Sql::new(text).bind(id)).await?.map(|row| row.at(0)).transpose()
}

/// Opens or folds a table.
pub async fn expand_table(db: &dyn Executor, id: i64, expanded: bool) -> Result<(), DbError> {
    let sql = Sql::new("UPDATE table_schema SET expanded = ? WHERE id = ?").bind(expanded).bind(id);
    db.execute(sql).await.map(drop)
}

/// Forgets a table.
pub async fn delete_table(db: &dyn Executor, id: i64) -> Result<(), DbError> {
    db.execute(Sql::new("DELETE FROM table_schema WHERE id = ?").bind(id)).await.map(drop)
}

fn id_of(value: Value) -> Result<i64, DbError> {
    match value {
        Value::Int(id) => Ok(id),
        _ => Err(DbError::Decode("an id is no integer".into())),
    }
}
