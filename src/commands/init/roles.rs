//! Which permission belongs to which built-in role (`superset.security.manager:sync_role_definitions`).

use std::collections::HashSet;

use daos::{role, security, view_menu};
use infra::{Error, Result, config::Config, db::Executor};

/// View menus of administrators.
const ADMIN_ONLY_VIEWS: &[&str] = &[
    "Access Requests",
    "Action Logs",
    "Log",
    "List Users",
    "UsersListView",
    "List Roles",
    "List Groups",
    "ResetPasswordView",
    "RoleModelView",
    "UserGroupModelView",
    "Row Level Security",
    "Row Level Security Filters",
    "Security",
    "SQL Lab",
    "User Registrations",
    "User's Statistics",
    "RoleRestAPI",
    "Group",
    "Role",
    "Permission",
    "PermissionViewMenu",
    "ViewMenu",
    "User",
    "RegisterUserModelView",
    "UserDBModelView",
    "UserLDAPModelView",
    "UserInfoEditView",
    "UserOAuthModelView",
    "UserOIDModelView",
    "UserRemoteUserModelView",
];

/// Permissions of administrators on whatever view menu.
const ADMIN_ONLY_PERMISSIONS: &[&str] = &[
    "update_roles_users",
    "list_roles",
    "can_update_role",
    "all_query_access",
    "can_grant_guest_token",
    "can_set_embedded",
    "can_warm_up_cache",
];

/// View menus that Gamma does not get.
const ALPHA_ONLY_VIEWS: &[&str] = &[
    "Alerts & Report",
    "Annotation Layers",
    "Annotation",
    "CSS Templates",
    "ColumnarToDatabaseView",
    "CssTemplate",
    "ExcelToDatabaseView",
    "Import dashboards",
    "ImportExportRestApi",
    "Manage",
    "Queries",
    "ReportSchedule",
];

/// Permissions that Gamma does not get on whatever view menu.
const ALPHA_ONLY_PERMISSIONS: &[&str] = &["muldelete", "all_database_access", "all_datasource_access"];

/// Permissions that only look.
const READ_ONLY: &[&str] = &[
    "can_show",
    "can_list",
    "can_get",
    "can_external_metadata",
    "can_external_metadata_by_name",
    "can_read",
    "can_get_drill_info",
];

/// Permissions that everybody gets.
const FOR_ALL: &[&str] = &["can_userinfo", "resetmypassword", "can_recent_activity"];

/// Permissions on single databases, schemas and datasets: granted by hand, never by a rule.
const OBJECTS: &[&str] = &["database_access", "catalog_access", "schema_access", "datasource_access"];

/// What the sql_lab role adds to another one.
const SQL_LAB: &[(&str, &str)] = &[
    ("can_read", "SavedQuery"),
    ("can_write", "SavedQuery"),
    ("can_export", "SavedQuery"),
    ("can_read", "Query"),
    ("can_export_csv", "Query"),
    ("can_get_results", "SQLLab"),
    ("can_execute_sql_query", "SQLLab"),
    ("can_estimate_query_cost", "SQL Lab"),
    ("can_export_csv", "SQLLab"),
    ("can_read", "SQLLab"),
    ("can_sqllab_history", "Superset"),
    ("can_sqllab", "Superset"),
    ("can_test_conn", "Superset"),
    ("can_activate", "TabStateView"),
    ("can_get", "TabStateView"),
    ("can_delete_query", "TabStateView"),
    ("can_post", "TabStateView"),
    ("can_delete", "TabStateView"),
    ("can_put", "TabStateView"),
    ("can_migrate_query", "TabStateView"),
    ("menu_access", "SQL Lab"),
    ("menu_access", "SQL Editor"),
    ("menu_access", "Saved Queries"),
    ("menu_access", "Query Search"),
    ("can_read", "SqlLabPermalinkRestApi"),
    ("can_write", "SqlLabPermalinkRestApi"),
    ("can_post", "TableSchemaView"),
    ("can_expanded", "TableSchemaView"),
    ("can_delete", "TableSchemaView"),
];

/// What the sql_lab role has besides, and others have too.
const SQL_LAB_EXTRA: &[(&str, &str)] =
    &[("can_csv", "Superset"), ("can_read", "Superset"), ("can_read", "Database")];

/// May upload files to databases: Alpha, although `Database` is otherwise the administrators'.
const UPLOAD: (&str, &str) = ("can_upload", "Database");

/// A permission on a view menu.
type Pair<'a> = (&'a str, &'a str);

fn admin_only((permission, view): Pair<'_>) -> bool {
    (permission, view) != UPLOAD
        && (matches!(view, "Database" | "DynamicPlugin") && !READ_ONLY.contains(&permission)
            || ADMIN_ONLY_VIEWS.contains(&view)
            || ADMIN_ONLY_PERMISSIONS.contains(&permission))
}

fn alpha_only((permission, view): Pair<'_>) -> bool {
    matches!(view, "Dataset" | "Datasource" | "Database" | "DynamicPlugin")
        && !READ_ONLY.contains(&permission)
        || (permission, view) == UPLOAD
        || ALPHA_ONLY_VIEWS.contains(&view)
        || ALPHA_ONLY_PERMISSIONS.contains(&permission)
}

fn of_admin((permission, _): Pair<'_>) -> bool {
    !OBJECTS.contains(&permission)
}

fn of_alpha(pair: Pair<'_>) -> bool {
    of_admin(pair) && !admin_only(pair) && !SQL_LAB.contains(&pair) || FOR_ALL.contains(&pair.0)
}

fn of_gamma(pair: Pair<'_>) -> bool {
    of_admin(pair) && !admin_only(pair) && !alpha_only(pair) && !SQL_LAB.contains(&pair)
        || FOR_ALL.contains(&pair.0)
}

fn of_sql_lab(pair: Pair<'_>) -> bool {
    SQL_LAB.contains(&pair) || SQL_LAB_EXTRA.contains(&pair)
}

/// Replaces the grants of the built-in roles; creates the roles that are missing, in Superset's order of ids.
pub(super) async fn sync(exec: &dyn Executor, config: &Config) -> Result<()> {
    let pairs = view_menu::pairs(exec).await?;
    let admin = named(config, "AUTH_ROLE_ADMIN", "Admin");
    let public = named(config, "AUTH_ROLE_PUBLIC", "Public");
    type Rule = fn(Pair<'_>) -> bool;
    let roles: [(&str, Option<Rule>); 5] = [
        (admin, Some(of_admin)),
        (public, None),
        ("Alpha", Some(of_alpha)),
        ("Gamma", Some(of_gamma)),
        ("sql_lab", Some(of_sql_lab)),
    ];
    for (name, rule) in roles {
        let id = role_id(exec, name).await?;
        let Some(rule) = rule else { continue };
        let wanted = pairs.iter().filter(|(_, p, v)| rule((p, v))).map(|(id, ..)| *id).collect();
        replace_grants(exec, id, wanted).await?;
    }
    if let Some(like) = config.get("PUBLIC_ROLE_LIKE").as_str() {
        copy_to_public(exec, like, public, &pairs).await?;
    }
    Ok(())
}

fn named<'a>(config: &'a Config, key: &str, default: &'a str) -> &'a str {
    config.get(key).as_str().filter(|s| !s.is_empty()).unwrap_or(default)
}

async fn role_id(exec: &dyn Executor, name: &str) -> Result<i64> {
    match security::role_by_name(exec, name).await? {
        Some(role) => Ok(role.id),
        None => Ok(role::insert(exec, name).await?),
    }
}

async fn grants(exec: &dyn Executor, role: i64) -> Result<HashSet<i64>> {
    Ok(role::grant_ids(exec, role).await?.into_iter().collect())
}

/// Only what differs is written: a second run changes no row.
async fn replace_grants(exec: &dyn Executor, role: i64, wanted: HashSet<i64>) -> Result<()> {
    let present = grants(exec, role).await?;
    let mut surplus: Vec<i64> = present.difference(&wanted).copied().collect();
    surplus.sort_unstable();
    if !surplus.is_empty() {
        role::revoke(exec, role, &surplus).await?;
    }
    let mut missing: Vec<i64> = wanted.difference(&present).copied().collect();
    missing.sort_unstable();
    for pair in missing {
        role::grant(exec, role, pair).await?;
    }
    Ok(())
}

/// `PUBLIC_ROLE_LIKE`: Public gets another role's permissions and keeps its own access to data.
async fn copy_to_public(
    exec: &dyn Executor,
    like: &str,
    public: &str,
    pairs: &[(i64, String, String)],
) -> Result<()> {
    const DATA: &[&str] = &[
        "database_access",
        "schema_access",
        "datasource_access",
        "all_datasource_access",
        "all_database_access",
        "all_query_access",
    ];
    let public = role_id(exec, public).await?;
    let present = grants(exec, public).await?;
    let Some(role) = security::role_by_name(exec, like).await? else {
        return Err(Error::internal(format!("PUBLIC_ROLE_LIKE names {like:?}, and there is no such role")));
    };
    let mut wanted = grants(exec, role.id).await?;
    wanted.extend(
        pairs
            .iter()
            .filter(|(id, p, _)| DATA.contains(&p.as_str()) && present.contains(id))
            .map(|(id, ..)| *id),
    );
    replace_grants(exec, public, wanted).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_give_the_counts_of_a_fresh_superset() {
        let pairs: Vec<Pair<'_>> =
            super::super::PERMISSIONS.lines().filter_map(|l| l.split_once(' ')).collect();
        let count = |rule: fn(Pair<'_>) -> bool| pairs.iter().filter(|p| rule(**p)).count();
        assert_eq!(
            [count(of_admin), count(of_alpha), count(of_gamma), count(of_sql_lab)],
            [215, 110, 88, 28]
        );
        assert!(!of_gamma(("can_write", "Dataset")) && of_gamma(("can_recent_activity", "Log")));
        assert!(of_alpha(("can_upload", "Database")) && !of_alpha(("can_write", "Database")));
    }
}
