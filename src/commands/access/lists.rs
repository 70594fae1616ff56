//! Which rows of a list the caller sees (`ChartFilter`, `DashboardAccessFilter`, `DatasourceFilter`, …).
//!
//! Each function returns a condition for a `WHERE`, or nothing when the caller sees everything. Conditions refer to
//! the listed table by the name that the caller gives (its alias, or the table's own name) and bring their joins
//! along as sub-queries, so that they can be added to any statement.

use infra::{
    config::Config,
    db::{Dialect, Sql},
};
use serde_json::Value;
use uuid::Uuid;

use crate::state::Principal;

/// Requests for accounts: an administrator's. Superset gives every role their list, with the secrets of the links that
/// confirm them.
pub fn registrations(user: &Principal, table: &str) -> Option<Sql> {
    (!user.is_admin).then(|| Sql::new(format!("{table}.id IS NULL")))
}

/// Charts: by their dataset. Ownership alone does not list a chart, and a chart without dataset is listed only to
/// those who see all datasets.
pub fn charts(user: &Principal, slices: &str) -> Option<Sql> {
    if user.all_datasources() {
        return None;
    }
    let mut sql = Sql::new(format!(
        "EXISTS (SELECT 1 FROM tables acl_t JOIN dbs acl_d ON acl_d.id = acl_t.database_id \
         WHERE acl_t.id = {slices}.datasource_id AND "
    ));
    sql.append(dataset_grants(user, "acl_d", slices)).push(")");
    Some(sql)
}

/// Datasets: by grants on them, their schema, catalog or database. Ownership alone does not list a dataset.
pub fn datasets(user: &Principal, tables: &str) -> Option<Sql> {
    if user.all_datasources() {
        return None;
    }
    let mut sql =
        Sql::new(format!("EXISTS (SELECT 1 FROM dbs acl_d WHERE acl_d.id = {tables}.database_id AND "));
    sql.append(dataset_grants(user, "acl_d", tables)).push(")");
    Some(sql)
}

/// Databases: granted themselves, or named in a grant on something inside them.
pub fn databases(user: &Principal, dbs: &str) -> Option<Sql> {
    if user.all_databases() {
        return None;
    }
    let mut sql = Sql::new(format!("(('[' || {dbs}.database_name || '].(id:' || {dbs}.id || ')') IN "));
    sql.push_list(user.listed_view_menus("database_access"));
    sql.push(&format!(" OR {dbs}.database_name IN "));
    sql.push_list(user.granted_database_names()).push(")");
    Some(sql)
}

/// Dashboards: owned, or published with at least one chart whose dataset is granted; with `DASHBOARD_RBAC` also
/// published ones given to a role; for a guest those of the token.
pub fn dashboards(config: &Config, user: &Principal, dialect: Dialect, dashboards: &str) -> Option<Sql> {
    if user.is_admin {
        return None;
    }
    let yes = dialect.boolean(true);
    let rbac = config.flag("DASHBOARD_RBAC");
    let mut sql =
        Sql::new(format!("({dashboards}.id IN (SELECT dashboard_id FROM dashboard_user WHERE user_id = "));
    sql.push_bind(user.user_id());

    sql.push(&format!(
        ") OR {dashboards}.id IN (SELECT acl_b.id FROM dashboards acl_b \
         JOIN dashboard_slices acl_bs ON acl_bs.dashboard_id = acl_b.id JOIN slices acl_s ON acl_s.id = \
         acl_bs.slice_id \
         JOIN tables acl_t ON acl_t.id = acl_s.datasource_id JOIN dbs acl_d ON acl_d.id = acl_t.database_id \
         WHERE acl_b.published = {yes}"
    ));
    if rbac {
        sql.push(" AND NOT EXISTS (SELECT 1 FROM dashboard_roles acl_r WHERE acl_r.dashboard_id = acl_b.id)");
    }
    if !user.all_datasources() {
        sql.push(" AND ").append(dataset_grants(user, "acl_d", "acl_s"));
    }
    sql.push(")");

    if rbac {
        sql.push(&format!(
            " OR {dashboards}.id IN (SELECT acl_b.id FROM dashboards acl_b \
             JOIN dashboard_roles acl_r ON acl_r.dashboard_id = acl_b.id WHERE acl_b.published = {yes} AND \
             acl_r.role_id IN "
        ));
        sql.push_list(user.role_ids()).push(")");
    }
    if let Some(guest) = user.guest_if_enabled(config) {
        let ids = guest.dashboard_ids();
        let uuids: Vec<Uuid> = ids.iter().filter_map(|id| Uuid::parse_str(id).ok()).collect();
        if uuids.is_empty() {
            sql.push(&format!(" OR {dashboards}.id IN "));
            sql.push_list(ids.iter().filter_map(|id| id.parse::<i64>().ok()));
        } else {
            sql.push(&format!(
                " OR {dashboards}.id IN (SELECT dashboard_id FROM embedded_dashboards WHERE uuid IN "
            ));
            sql.push_list(uuids).push(")");
        }
    }
    sql.push(")");
    Some(sql)
}

/// SQL Lab queries: one's own, unless all are granted.
pub fn queries(user: &Principal, query: &str) -> Option<Sql> {
    (!user.all_queries()).then(|| own(user, &format!("{query}.user_id")))
}

/// Saved queries: one's own, for everybody.
pub fn saved_queries(user: &Principal, saved_query: &str) -> Option<Sql> {
    Some(own(user, &format!("{saved_query}.created_by_fk")))
}

/// Alerts and reports: owned, unless all datasets are granted.
pub fn reports(user: &Principal, report_schedule: &str) -> Option<Sql> {
    if user.all_datasources() {
        return None;
    }
    let mut sql = Sql::new(format!(
        "{report_schedule}.id IN (SELECT report_schedule_id FROM report_schedule_user WHERE user_id = "
    ));
    sql.push_bind(user.user_id()).push(")");
    Some(sql)
}

/// Rows whose `column` is the caller. Nobody without a user id owns a row, also not those without an owner.
fn own(user: &Principal, column: &str) -> Sql {
    match user.user_id() {
        Some(id) => Sql::new(format!("{column} = ?")).bind(id),
        None => Sql::new("1 = 0"),
    }
}

/// `get_dataset_access_filters`: `dbs` and `model` (tables or slices) name what is in scope.
fn dataset_grants(user: &Principal, dbs: &str, model: &str) -> Sql {
    let mut sql = Sql::new(format!("({dbs}.id IN "));
    sql.push_list(user.granted_database_ids());
    for (column, permission) in
        [("perm", "datasource_access"), ("catalog_perm", "catalog_access"), ("schema_perm", "schema_access")]
    {
        sql.push(&format!(" OR {model}.{column} IN "));
        sql.push_list(user.listed_view_menus(permission));
    }
    sql.push(")");
    sql
}

impl crate::state::GuestToken {
    /// Ids (numbers or UUIDs, as text) of the dashboards that the token opens.
    pub fn dashboard_ids(&self) -> Vec<String> {
        self.resources
            .iter()
            .filter(|r| r.get("type").and_then(Value::as_str) == Some("dashboard"))
            .filter_map(|r| match r.get("id")? {
                Value::String(s) => Some(s.clone()),
                Value::Number(n) => Some(n.to_string()),
                _ => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use infra::db::{Db, DbUri};

    use super::*;
    use crate::state::{Role, User};

    fn user(id: i64, grants: &[(&str, &str)]) -> Principal {
        Principal {
            user: Some(User {
                id,
                username: String::new(),
                first_name: String::new(),
                last_name: String::new(),
                email: String::new(),
                ..User::default()
            }),
            roles: vec![Role { id: 9, name: "r".into() }],
            permissions: Arc::new(grants.iter().map(|(p, v)| ((*p).to_owned(), (*v).to_owned())).collect()),
            ..Principal::default()
        }
    }

    async fn ids(db: &Db, table: &str, condition: Option<Sql>) -> Vec<i64> {
        let mut sql = Sql::new(format!("SELECT {table}.id FROM {table}"));
        if let Some(condition) = condition {
            sql.push(" WHERE ").append(condition);
        }
        sql.push(&format!(" ORDER BY {table}.id"));
        db.exec().query(sql).await.unwrap().iter().map(|r| r.at(0).unwrap()).collect()
    }

    async fn world() -> Db {
        let path = std::env::temp_dir().join(format!("liteset-lists-{}.db", Uuid::new_v4()));
        let db = Db::connect(&DbUri::Sqlite { path }, 1).await.unwrap();
        for sql in [
            "CREATE TABLE dbs (id INTEGER, database_name TEXT)",
            "CREATE TABLE tables (id INTEGER, database_id INTEGER, perm TEXT, schema_perm TEXT, catalog_perm TEXT)",
            "CREATE TABLE slices (id INTEGER, datasource_id INTEGER, perm TEXT, schema_perm TEXT, catalog_perm TEXT)",
            "CREATE TABLE dashboards (id INTEGER, published INTEGER)",
            "CREATE TABLE dashboard_slices (dashboard_id INTEGER, slice_id INTEGER)",
            "CREATE TABLE dashboard_user (dashboard_id INTEGER, user_id INTEGER)",
            "CREATE TABLE query (id INTEGER, user_id INTEGER)",
            "INSERT INTO dbs VALUES (1, 'one'), (2, 'two')",
            "INSERT INTO tables VALUES (1, 1, '[one].[a](id:1)', '[one].[s]', NULL), (2, 2, '[two].[b](id:2)', \
             '[two].[s]', NULL)",
            "INSERT INTO slices SELECT id, id, perm, schema_perm, catalog_perm FROM tables",
            "INSERT INTO slices VALUES (3, 77, '[one].[a](id:1)', NULL, NULL)",
            "INSERT INTO dashboards VALUES (1, 1), (2, 0), (3, 1), (4, 1)",
            "INSERT INTO dashboard_slices VALUES (1, 1), (2, 1), (3, 2)",
            "INSERT INTO dashboard_user VALUES (2, 5)",
            "INSERT INTO query VALUES (1, 5), (2, NULL)",
        ] {
            db.exec().execute(Sql::new(sql)).await.unwrap();
        }
        db
    }

    #[tokio::test]
    async fn grants_decide_what_is_listed() {
        let db = world().await;
        let config = Config::default();
        let on_dataset = user(5, &[("datasource_access", "[one].[a](id:1)")]);
        assert_eq!(ids(&db, "tables", datasets(&on_dataset, "tables")).await, [1]);
        // a chart whose dataset is gone is not listed although its copied permission matches
        assert_eq!(ids(&db, "slices", charts(&on_dataset, "slices")).await, [1]);
        assert_eq!(ids(&db, "dbs", databases(&on_dataset, "dbs")).await, [1]);
        assert_eq!(ids(&db, "query", queries(&on_dataset, "query")).await, [1]);
        let boards = super::dashboards(&config, &on_dataset, Dialect::Sqlite, "dashboards");
        assert_eq!(ids(&db, "dashboards", boards).await, [1, 2]);

        let on_database = user(6, &[("database_access", "[two].(id:2)")]);
        assert_eq!(ids(&db, "tables", datasets(&on_database, "tables")).await, [2]);
        assert_eq!(ids(&db, "dbs", databases(&on_database, "dbs")).await, [2]);
        assert_eq!(
            ids(&db, "slices", charts(&user(6, &[("schema_access", "[two].[s]")]), "slices")).await,
            [2]
        );

        let all = user(6, &[("all_datasource_access", "all_datasource_access")]);
        assert_eq!(ids(&db, "slices", charts(&all, "slices")).await, [1, 2, 3]);
        assert_eq!(ids(&db, "dbs", databases(&all, "dbs")).await, Vec::<i64>::new());
        // published dashboards without charts stay hidden
        let boards = super::dashboards(&config, &all, Dialect::Sqlite, "dashboards");
        assert_eq!(ids(&db, "dashboards", boards).await, [1, 3]);

        let nobody = Principal::default();
        assert_eq!(ids(&db, "slices", charts(&nobody, "slices")).await, Vec::<i64>::new());
        assert_eq!(ids(&db, "query", queries(&nobody, "query")).await, Vec::<i64>::new());
    }
}
