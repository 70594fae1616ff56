//! Generic writes: Python-side defaults, audit columns, links.

use chrono::{Local, Utc};
use infra::db::{DbError, Executor, FromValue, Sql, Value, insert_sql};
use uuid::Uuid;

use crate::{
    base, departure,
    log_in::{self, Scope},
    record::{Record, Selection, column_json},
    table::{Fill, Link, Relation, Table},
    tables::{ROLES, USERS},
};

/// Column values to write.
pub type Values = Vec<(&'static str, Value)>;

/// The value of a default; `None` when the column has none.
fn fill(fill: Fill, user_id: Option<i64>) -> Option<Value> {
    Some(match fill {
        Fill::Nothing => return None,
        Fill::Now => Value::DateTime(Local::now().naive_local()),
        Fill::UtcNow => Value::DateTime(Utc::now().naive_utc()),
        Fill::UserId => user_id.into(),
        Fill::NewUuid => Value::Uuid(Uuid::new_v4()),
        Fill::Text(t) => t.into(),
        Fill::Integer(i) => i.into(),
        Fill::Boolean(b) => b.into(),
    })
}

/// Inserts a row with the defaults of the columns that are not given; returns its primary key.
pub async fn insert(
    ex: &dyn Executor,
    table: &Table,
    mut values: Values,
    user_id: Option<i64>,
) -> Result<Value, DbError> {
    complete(table, &mut values, user_id);
    ex.insert_returning(table.name, table.pk, values).await
}

fn complete(table: &Table, values: &mut Values, user_id: Option<i64>) {
    for column in table.columns {
        if !values.iter().any(|(name, _)| *name == column.name)
            && let Some(value) = fill(column.default, user_id)
        {
            values.push((column.name, value));
        }
    }
}

/// Rows of one statement.
const ROWS: usize = 200;

/// Inserts rows of a table that is not one of Flask-AppBuilder's: those with the same columns in one statement.
pub async fn insert_all(
    ex: &dyn Executor,
    table: &Table,
    rows: Vec<Values>,
    user_id: Option<i64>,
) -> Result<(), DbError> {
    let mut alike: Vec<(Vec<&'static str>, Vec<Vec<Value>>)> = Vec::new();
    for mut row in rows {
        complete(table, &mut row, user_id);
        let (columns, values): (Vec<&'static str>, Vec<Value>) = row.into_iter().unzip();
        match alike.last_mut() {
            Some((last, rows)) if *last == columns && rows.len() < ROWS => rows.push(values),
            _ => alike.push((columns, vec![values])),
        }
    }
    for (columns, rows) in alike {
        let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
        let mut sql = Sql::new(format!("INSERT INTO {} ({}) VALUES ", table.name, names.join(", ")));
        for (n, row) in rows.into_iter().enumerate() {
            sql.push(if n > 0 { ", " } else { "" }).push_list(row);
        }
        ex.execute(sql).await?;
    }
    Ok(())
}

/// Updates a row; audit columns follow.
pub async fn update(
    ex: &dyn Executor,
    table: &Table,
    pk: Value,
    mut values: Values,
    user_id: Option<i64>,
) -> Result<u64, DbError> {
    if values.is_empty() {
        return Ok(0);
    }
    for column in table.columns.iter().filter(|c| c.on_update) {
        if !values.iter().any(|(name, _)| *name == column.name)
            && let Some(value) = fill(column.default, user_id)
        {
            values.push((column.name, value));
        }
    }
    if table.name == USERS.name && ends_log_ins(&values) {
        end_log_ins(ex, &pk).await?;
    }
    let mut sql = Sql::new(format!("UPDATE {} SET ", table.name));
    for (i, (column, value)) in values.into_iter().enumerate() {
        sql.push(if i > 0 { ", \"" } else { "\"" }).push(column).push("\" = ").push_bind(value);
    }
    sql.push(&format!(" WHERE {} = ", table.pk)).push_bind(pk);
    ex.execute(sql).await
}

/// A password that changes and an account that is closed end the log-ins of the user.
fn ends_log_ins(values: &Values) -> bool {
    values.iter().any(|(name, value)| match *name {
        "password" => true,
        "active" => bool::from_value(value) != Some(true),
        _ => false,
    })
}

async fn end_log_ins(ex: &dyn Executor, pk: &Value) -> Result<(), DbError> {
    match i64::from_value(pk) {
        Some(id) => log_in::end_all(ex, id, Scope::All).await.map(drop),
        None => Ok(()),
    }
}

/// Updates only what differs, as SQLAlchemy's unit of work: a row that stays the same keeps its time of change.
pub async fn update_changed(
    ex: &dyn Executor,
    table: &'static Table,
    pk: Value,
    mut values: Values,
    user_id: Option<i64>,
) -> Result<u64, DbError> {
    let stored = base::find(ex, &Selection::all(table), pk.clone(), Vec::new()).await?;
    if let Some(stored) = stored {
        retain_changed(table, &stored, &mut values);
    }
    update(ex, table, pk, values, user_id).await
}

/// Leaves those values that differ from what is stored.
pub fn retain_changed(table: &Table, stored: &Record, values: &mut Values) {
    values.retain(|(name, value)| {
        table.column(name).is_none_or(|c| stored.json(name) != column_json(c.kind, value))
    });
}

/// Deletes a row and its many-to-many links.
pub async fn delete(ex: &dyn Executor, table: &Table, pk: Value) -> Result<u64, DbError> {
    if table.name == USERS.name {
        // a later user may get the same id
        end_log_ins(ex, &pk).await?;
        departure::let_go(ex, &pk).await?;
    }
    if table.name == ROLES.name {
        ex.execute(Sql::new("DELETE FROM rls_filter_roles WHERE role_id = ?").bind(pk.clone())).await?;
    }
    for relation in table.relations {
        if let Link::ManyToMany { .. } = relation.link {
            unlink(ex, relation, pk.clone()).await?;
        }
    }
    ex.execute(Sql::new(format!("DELETE FROM {} WHERE {} = ?", table.name, table.pk)).bind(pk)).await
}

async fn unlink(ex: &dyn Executor, relation: &Relation, pk: Value) -> Result<(), DbError> {
    if let Link::ManyToMany { through, local, .. } = relation.link {
        let mut sql = Sql::new(format!("DELETE FROM {through} WHERE \"{local}\" = ?")).bind(pk);
        if let Some((column, value)) = relation.only {
            sql.push(&format!(" AND \"{column}\" = ")).push_bind(value);
        }
        ex.execute(sql).await?;
    }
    Ok(())
}

/// Replaces the links of a many-to-many relation.
pub async fn set_links(
    ex: &dyn Executor,
    relation: &Relation,
    pk: Value,
    ids: &[i64],
) -> Result<(), DbError> {
    let Link::ManyToMany { through, local, remote } = relation.link else { return Ok(()) };
    unlink(ex, relation, pk.clone()).await?;
    for id in ids {
        let mut values = vec![(local, pk.clone()), (remote, Value::Int(*id))];
        values.extend(relation.only.map(|(column, value)| (column, Value::from(value))));
        ex.execute(insert_sql(ex.dialect(), through, values)).await?;
    }
    Ok(())
}
