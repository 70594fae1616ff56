//! The generic read (`flask_appbuilder.models.sqla.interface`, `superset.daos.base`): filter, order, page, relations,
//! in a number of statements that depends on the selection only, never on the rows.

use std::collections::HashMap;

use infra::db::{BoxFuture, DbError, Dialect, Executor, Row, Sql, Value};

use crate::{
    natural_order,
    record::{Record, Selection},
    table::{Link, Table},
};

/// What to read of a table besides its columns.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Conditions, all of which hold; they name the table by its own name.
    pub conditions: Vec<Sql>,
    /// Order.
    pub order: Vec<Order>,
    /// Most rows.
    pub limit: Option<i64>,
    /// Rows to skip.
    pub offset: i64,
}

/// One term of an order: a column, or a column behind to-one relations (`changed_by.first_name`).
#[derive(Debug, Clone)]
pub struct Order {
    /// The path.
    pub path: String,
    /// Descending.
    pub descending: bool,
}

impl Query {
    /// All rows for which a condition holds.
    pub fn filter(condition: Sql) -> Self {
        Self { conditions: vec![condition], ..Self::default() }
    }
}

/// The condition that a row has one of the keys.
pub fn has_key(table: &Table, ids: &[i64]) -> Sql {
    let mut sql = Sql::new(format!("{} IN ", table.qualified(table.pk)));
    // PostgreSQL refuses to compare what no key can be
    sql.push_list(ids.iter().copied().filter(|id| i32::try_from(*id).is_ok()));
    sql
}

/// ` WHERE a AND b`, or nothing.
pub fn where_clause(conditions: &[Sql]) -> Sql {
    let mut sql = Sql::default();
    if !conditions.is_empty() {
        sql.push(" WHERE ").push_joined(
            conditions.iter().map(|c| {
                let mut part = Sql::new("(");
                part.append(c.clone()).push(")");
                part
            }),
            " AND ",
        );
    }
    sql
}

/// Number of rows for which all conditions hold.
pub async fn count(ex: &dyn Executor, table: &Table, conditions: &[Sql]) -> Result<i64, DbError> {
    let mut sql = Sql::new(format!("SELECT count(*) FROM {}", table.name));
    sql.append(where_clause(conditions));
    ex.first(sql).await?.map_or(Ok(0), |row| row.at(0))
}

/// The rows of a selection.
pub async fn fetch(ex: &dyn Executor, selection: &Selection, query: &Query) -> Result<Vec<Record>, DbError> {
    let table = selection.table;
    // order columns behind relations need their joins
    let mut selection = selection.clone();
    for order in query.order.iter().filter(|o| o.path.contains('.')) {
        selection.add(&order.path);
    }
    let mut sql = Sql::new("SELECT ");
    let mut joins = String::new();
    let mut columns = Vec::new();
    plan(&selection, table.name, "", &mut columns, &mut joins);
    sql.push(&columns.join(", "));
    if is_paged(&selection, query) {
        // the rows of the page first: joins and long columns of all the others are not looked at
        let pk = table.qualified(table.pk);
        sql.push(&format!(" FROM (SELECT {pk} FROM {}", table.name));
        sql.append(where_clause(&query.conditions));
        push_order(&mut sql, ex.dialect(), table, &query.order);
        sql.append(ex.dialect().limit(query.limit, query.offset));
        sql.push(&format!(") AS page JOIN {} ON {pk} = page.{}{joins}", table.name, table.pk));
        push_order(&mut sql, ex.dialect(), table, &query.order);
    } else {
        sql.push(&format!(" FROM {}{joins}", table.name));
        sql.append(where_clause(&query.conditions));
        push_order(&mut sql, ex.dialect(), table, &query.order);
        if query.order.is_empty() && !selection.ones.is_empty() {
            sql.push(&natural_order::of_join(ex.dialect(), table.name));
        }
        sql.append(ex.dialect().limit(query.limit, query.offset));
    }
    let rows = ex.query(sql).await?;
    let mut records: Vec<Record> =
        rows.into_iter().map(|mut row| decode(&selection, &mut row, &mut 0)).collect::<Result<_, _>>()?;
    load_many(ex, &selection, records.iter_mut().collect()).await?;
    Ok(records)
}

/// Whether a page is one of the table alone, and no two rows of it are alike in its order.
fn is_paged(selection: &Selection, query: &Query) -> bool {
    let own = query.order.iter().all(|order| !order.path.contains('.'));
    let ends_with_key = query.order.last().is_some_and(|order| order.path == selection.table.pk);
    own && ends_with_key && query.limit.is_some() && !selection.ones.is_empty()
}

fn push_order(sql: &mut Sql, dialect: Dialect, table: &Table, order: &[Order]) {
    for (i, term) in order.iter().enumerate() {
        sql.push(if i == 0 { " ORDER BY " } else { ", " }).push(&order_expression(table, &term.path));
        sql.push(if term.descending { " DESC" } else { " ASC" });
    }
    if !order.is_empty() {
        sql.push(&natural_order::of_ties(dialect, &table.qualified(table.pk)));
    }
}

/// The row with a primary key, if all conditions hold for it.
pub async fn find(
    ex: &dyn Executor,
    selection: &Selection,
    pk: Value,
    mut conditions: Vec<Sql>,
) -> Result<Option<Record>, DbError> {
    let table = selection.table;
    conditions.insert(0, Sql::new(format!("{} = ?", table.qualified(table.pk))).bind(pk));
    let query = Query { conditions, limit: Some(1), ..Query::default() };
    Ok(fetch(ex, selection, &query).await?.into_iter().next())
}

/// Distinct values of a column in ascending order, nulls included.
pub async fn distinct(
    ex: &dyn Executor,
    table: &Table,
    column: &str,
    query: &Query,
) -> Result<(i64, Vec<Value>), DbError> {
    let name = table.qualified(column);
    let mut sql = Sql::new(format!("SELECT count(DISTINCT {name}) FROM {}", table.name));
    sql.append(where_clause(&query.conditions));
    let count = ex.first(sql).await?.map_or(Ok(0), |row| row.at(0))?;
    if count == 0 {
        return Ok((0, Vec::new()));
    }
    let mut sql = Sql::new(format!("SELECT DISTINCT {name} FROM {}", table.name));
    sql.append(where_clause(&query.conditions)).push(&format!(" ORDER BY {name} ASC"));
    sql.append(ex.dialect().limit(query.limit, query.offset));
    let rows = ex.query(sql).await?;
    Ok((count, rows.iter().map(|row| row.at(0)).collect::<Result<_, _>>()?))
}

/// Alias of the join for a path of relations; the prefix keeps it clear of reserved words such as `table`.
fn alias(path: &str) -> String {
    format!("rel_{}", path.replace('.', "__"))
}

fn order_expression(table: &Table, path: &str) -> String {
    match path.rsplit_once('.') {
        None => table.qualified(path),
        Some((relations, column)) => format!("{}.\"{column}\"", alias(relations)),
    }
}

fn plan(selection: &Selection, name: &str, path: &str, columns: &mut Vec<String>, joins: &mut String) {
    columns.extend(selection.columns.iter().map(|c| format!("{name}.\"{}\"", c.name)));
    for (relation, inner) in &selection.ones {
        let Link::One { local } = relation.link else { continue };
        let path =
            if path.is_empty() { relation.name.to_owned() } else { format!("{path}.{}", relation.name) };
        let (other, target) = (alias(&path), relation.target);
        joins.push_str(&format!(
            " LEFT JOIN {} AS {other} ON {name}.\"{local}\" = {other}.{}",
            target.name, target.pk
        ));
        if let Some((column, value)) = relation.only {
            joins.push_str(&format!(" AND {name}.\"{column}\" = '{value}'"));
        }
        plan(inner, &other, &path, columns, joins);
    }
}

fn decode(selection: &Selection, row: &mut Row, at: &mut usize) -> Result<Record, DbError> {
    let mut record = Record::default();
    record.values.reserve(selection.columns.len());
    for column in &selection.columns {
        record.values.push((column, row.take(*at)?));
        *at += 1;
    }
    for (relation, inner) in &selection.ones {
        let other = decode(inner, row, at)?;
        let present = *other.value(relation.target.pk) != Value::Null;
        record.ones.push((relation.name, present.then(|| Box::new(other))));
    }
    Ok(record)
}

/// Reads the to-many relations of all records of one kind, one statement per relation, then their own.
fn load_many<'a>(
    ex: &'a dyn Executor,
    selection: &'a Selection,
    mut records: Vec<&'a mut Record>,
) -> BoxFuture<'a, Result<(), DbError>> {
    Box::pin(async move {
        for (relation, inner) in &selection.many {
            let ids: Vec<Value> = records.iter().map(|r| r.value(selection.table.pk).clone()).collect();
            let mut groups =
                if ids.is_empty() { HashMap::new() } else { fetch_links(ex, relation, inner, ids).await? };
            let mut children = Vec::new();
            for record in &mut records {
                let key = key_of(record.value(selection.table.pk));
                record.many.push((relation.name, groups.remove(&key).unwrap_or_default()));
                if let Some((_, rows)) = record.many.last_mut() {
                    children.extend(rows.iter_mut());
                }
            }
            load_many(ex, inner, children).await?;
        }
        for (relation, inner) in &selection.ones {
            if inner.many.is_empty() && inner.ones.is_empty() {
                continue;
            }
            let name = relation.name;
            let others = records
                .iter_mut()
                .flat_map(|r| r.ones.iter_mut().filter(|(n, _)| *n == name))
                .filter_map(|(_, r)| r.as_deref_mut())
                .collect();
            load_many(ex, inner, others).await?;
        }
        Ok(())
    })
}

fn key_of(value: &Value) -> String {
    format!("{value:?}")
}

async fn fetch_links(
    ex: &dyn Executor,
    relation: &crate::table::Relation,
    inner: &Selection,
    ids: Vec<Value>,
) -> Result<HashMap<String, Vec<Record>>, DbError> {
    let target = relation.target;
    let other = alias(relation.name);
    let (mut columns, mut joins) = (Vec::new(), String::new());
    plan(inner, &other, relation.name, &mut columns, &mut joins);
    let mut sql = Sql::default();
    let order = match relation.link {
        Link::Many { remote } => {
            sql.push(&format!(
                "SELECT {other}.\"{remote}\", {} FROM {} AS {other}{joins} WHERE {other}.\"{remote}\" IN ",
                columns.join(", "),
                target.name
            ));
            format!("{other}.{}", target.pk)
        }
        Link::ManyToMany { through, local, remote } => {
            sql.push(&format!(
                "SELECT link.\"{local}\", {} FROM {through} AS link JOIN {} AS {other} ON link.\"{remote}\" = \
                 {other}.{}{joins} \
                 WHERE link.\"{local}\" IN ",
                columns.join(", "),
                target.name,
                target.pk
            ));
            "link.id".to_owned()
        }
        Link::One { .. } => return Ok(HashMap::new()),
    };
    sql.push_list(ids);
    if let Some((column, value)) = relation.only {
        sql.push(&format!(" AND link.\"{column}\" = ")).push_bind(value);
    }
    sql.push(&format!(" ORDER BY {order}"));
    let mut groups: HashMap<String, Vec<Record>> = HashMap::new();
    for mut row in ex.query(sql).await? {
        let owner = row.take(0)?;
        groups.entry(key_of(&owner)).or_default().push(decode(inner, &mut row, &mut 1)?);
    }
    Ok(groups)
}

#[cfg(test)]
mod tests;
