//! Roles as the role pages of the frontend list and change them (`superset.security.api:RoleRestAPI`,
//! `flask_appbuilder.security.sqla.apis.role`).

use std::collections::HashMap;

use infra::db::{DbError, Executor, Sql, insert_sql};

use crate::{natural_order, rows, security::Role};

/// Which roles are wanted.
#[derive(Debug, Default)]
pub struct RoleQuery {
    /// Held by this user.
    pub user_id: Option<i64>,
    /// Granting this permission on a view menu.
    pub permission_id: Option<i64>,
    /// Held by this group.
    pub group_id: Option<i64>,
    /// With this text in the name.
    pub name: Option<String>,
    /// By name instead of by id.
    pub by_name: bool,
    /// From the last to the first.
    pub descending: bool,
    /// Rows of the page.
    pub limit: i64,
    /// Rows before the page.
    pub offset: i64,
}

/// What roles are linked with, by role id.
pub type Links = HashMap<i64, Vec<i64>>;

/// Three kinds of links of a role.
#[derive(Debug, Clone, Copy)]
pub enum Link {
    /// Users who hold it.
    User,
    /// Permissions on view menus that it grants.
    Permission,
    /// Groups that hold it.
    Group,
}

impl Link {
    fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::User => ("ab_user_role", "user_id"),
            Self::Permission => ("ab_permission_view_role", "permission_view_id"),
            Self::Group => ("ab_group_role", "group_id"),
        }
    }
    fn target(self) -> &'static str {
        match self {
            Self::User => "ab_user",
            Self::Permission => "ab_permission_view",
            Self::Group => "ab_group",
        }
    }
}

fn condition(db: &dyn Executor, query: &RoleQuery) -> Sql {
    let mut parts = vec![Sql::new("1 = 1")];
    let links =
        [(Link::User, query.user_id), (Link::Permission, query.permission_id), (Link::Group, query.group_id)];
    for (link, id) in links {
        let (table, column) = link.table();
        if let Some(id) = id {
            let text = format!("EXISTS (SELECT 1 FROM {table} l WHERE l.role_id = r.id AND l.{column} = ?)");
            parts.push(Sql::new(text).bind(id));
        }
    }
    if let Some(name) = &query.name {
        parts.push(db.dialect().ilike(Sql::new("r.name"), &format!("%{name}%"), false));
    }
    let mut sql = Sql::default();
    sql.push_joined(parts, " AND ");
    sql
}

/// A page of roles and the number of all that match.
pub async fn search(db: &dyn Executor, query: &RoleQuery) -> Result<(Vec<Role>, i64), DbError> {
    let condition = condition(db, query);
    let mut count = Sql::new("SELECT COUNT(*) AS n FROM ab_role r WHERE ");
    count.append(condition.clone());
    let count = db.first(count).await?.map_or(Ok(0), |row| row.get("n"))?;
    let mut sql = Sql::new("SELECT r.id, r.name FROM ab_role r WHERE ");
    sql.append(condition);
    sql.push(if query.by_name { " ORDER BY r.name" } else { " ORDER BY r.id" });
    sql.push(if query.descending { " DESC" } else { " ASC" });
    sql.append(db.dialect().limit(Some(query.limit), query.offset));
    let rows = db.query(sql).await?;
    let roles = rows.iter().map(|row| Ok(Role { id: row.get("id")?, name: row.get("name")? }));
    Ok((roles.collect::<Result<_, DbError>>()?, count))
}

/// What several roles are linked with, in one statement.
pub async fn links(db: &dyn Executor, link: Link, role_ids: &[i64]) -> Result<Links, DbError> {
    let (table, column) = link.table();
    let mut sql = Sql::new(format!("SELECT role_id, {column} AS linked FROM {table} WHERE role_id IN "));
    sql.push_list(role_ids.iter().copied()).push(natural_order::of_role_links(db.dialect()));
    let mut links = Links::new();
    for row in db.query(sql).await? {
        links.entry(row.get("role_id")?).or_default().push(row.get("linked")?);
    }
    Ok(links)
}

/// Whether there is such a role.
pub async fn exists(db: &dyn Executor, id: i64) -> Result<bool, DbError> {
    rows::exists(db, "ab_role", id).await
}

/// Id, permission and view menu of everything that a role grants.
pub async fn permissions(db: &dyn Executor, role_id: i64) -> Result<Vec<(i64, String, String)>, DbError> {
    let sql = "SELECT pv.id, p.name AS permission, v.name AS view_menu FROM ab_permission_view_role pvr \
         JOIN ab_permission_view pv ON pv.id = pvr.permission_view_id \
         JOIN ab_permission p ON p.id = pv.permission_id JOIN ab_view_menu v ON v.id = pv.view_menu_id \
         WHERE pvr.role_id = ?";
    let order = natural_order::of_role_permissions(db.dialect());
    let rows = db.query(Sql::new(format!("{sql}{order}")).bind(role_id)).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("permission")?, row.get("view_menu")?))).collect()
}

/// Which of the given users, permissions or groups there are.
pub async fn existing(db: &dyn Executor, link: Link, ids: &[i64]) -> Result<Vec<i64>, DbError> {
    rows::existing(db, link.target(), ids).await
}

/// Links a role with these and no others.
pub async fn replace_links(db: &dyn Executor, link: Link, role_id: i64, ids: &[i64]) -> Result<(), DbError> {
    let (table, column) = link.table();
    let mut sql = Sql::new(format!("DELETE FROM {table} WHERE role_id = "));
    sql.push_bind(role_id).push(&format!(" AND {column} NOT IN ")).push_list(ids.iter().copied());
    if ids.is_empty() {
        sql = Sql::new(format!("DELETE FROM {table} WHERE role_id = ?")).bind(role_id);
    }
    db.execute(sql).await?;
    let kept = links(db, link, &[role_id]).await?.remove(&role_id).unwrap_or_default();
    for id in ids.iter().filter(|id| !kept.contains(id)) {
        db.execute(insert_sql(
            db.dialect(),
            table,
            vec![("role_id", role_id.into()), (column, (*id).into())],
        ))
        .await?;
    }
    Ok(())
}

/// Makes a role; its id.
pub async fn insert(db: &dyn Executor, name: &str) -> Result<i64, DbError> {
    db.insert_row("ab_role", vec![("name", name.into())]).await
}

/// Ids of the permissions on view menus that a role grants.
pub async fn grant_ids(db: &dyn Executor, role_id: i64) -> Result<Vec<i64>, DbError> {
    let sql = Sql::new("SELECT permission_view_id FROM ab_permission_view_role WHERE role_id = ?");
    db.query(sql.bind(role_id)).await?.iter().map(|r| r.at(0)).collect()
}

/// Lets a role grant a permission on a view menu that it does not grant yet.
pub async fn grant(db: &dyn Executor, role_id: i64, pair: i64) -> Result<(), DbError> {
    let values = vec![("permission_view_id", pair.into()), ("role_id", role_id.into())];
    db.insert_row("ab_permission_view_role", values).await.map(drop)
}

/// Takes permissions on view menus away from a role.
pub async fn revoke(db: &dyn Executor, role_id: i64, pairs: &[i64]) -> Result<(), DbError> {
    let mut sql = Sql::new("DELETE FROM ab_permission_view_role WHERE role_id = ");
    sql.push_bind(role_id).push(" AND permission_view_id IN ").push_list(pairs.iter().copied());
    db.execute(sql).await.map(drop)
}
