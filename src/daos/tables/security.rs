//! Users, roles, groups and permissions (Flask-AppBuilder's `ab_*` tables).

use crate::table::{Column, Fill, Kind, Relation, Table};

/// `ab_user`.
pub static USERS: Table = Table {
    name: "ab_user",
    pk: "id",
    columns: &[
        Column::new("id", Kind::Integer).required(),
        Column::new("first_name", Kind::String(64)).required(),
        Column::new("last_name", Kind::String(64)).required(),
        Column::new("username", Kind::String(128)).required().unique(),
        Column::new("password", Kind::String(256)),
        Column::new("active", Kind::Boolean).default(Fill::Boolean(true)),
        Column::new("email", Kind::String(320)).required().unique(),
        Column::new("last_login", Kind::DateTime),
        Column::new("login_count", Kind::Integer),
        Column::new("fail_login_count", Kind::Integer),
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId),
    ],
    relations: &[
        Relation::many_to_many("roles", &ROLES, "ab_user_role", "user_id", "role_id"),
        Relation::many_to_many("groups", &GROUPS, "ab_user_group", "user_id", "group_id"),
        Relation::one("created_by", &USERS, "created_by_fk"),
        Relation::one("changed_by", &USERS, "changed_by_fk"),
    ],
};

/// `ab_role`.
pub static ROLES: Table = Table {
    name: "ab_role",
    pk: "id",
    columns: &[
        Column::new("id", Kind::Integer).required(),
        Column::new("name", Kind::String(64)).required().unique(),
    ],
    relations: &[
        Relation::many_to_many(
            "permissions",
            &PERMISSION_VIEWS,
            "ab_permission_view_role",
            "role_id",
            "permission_view_id",
        ),
        Relation::many_to_many("user", &USERS, "ab_user_role", "role_id", "user_id"),
        Relation::many_to_many("groups", &GROUPS, "ab_group_role", "role_id", "group_id"),
    ],
};

/// `ab_group`.
pub static GROUPS: Table = Table {
    name: "ab_group",
    pk: "id",
    columns: &[
        Column::new("id", Kind::Integer).required(),
        Column::new("name", Kind::String(100)).required().unique(),
        Column::new("label", Kind::String(150)),
        Column::new("description", Kind::String(512)),
    ],
    relations: &[
        Relation::many_to_many("roles", &ROLES, "ab_group_role", "group_id", "role_id"),
        Relation::many_to_many("users", &USERS, "ab_user_group", "group_id", "user_id"),
    ],
};

/// `ab_permission`.
pub static PERMISSIONS: Table = Table {
    name: "ab_permission",
    pk: "id",
    columns: &[
        Column::new("id", Kind::Integer).required(),
        Column::new("name", Kind::String(100)).required().unique(),
    ],
    relations: &[],
};

/// `ab_view_menu`.
pub static VIEW_MENUS: Table = Table {
    name: "ab_view_menu",
    pk: "id",
    columns: &[
        Column::new("id", Kind::Integer).required(),
        Column::new("name", Kind::String(250)).required().unique(),
    ],
    relations: &[],
};

/// `ab_permission_view`.
pub static PERMISSION_VIEWS: Table = Table {
    name: "ab_permission_view",
    pk: "id",
    columns: &[
        Column::new("id", Kind::Integer).required(),
        Column::new("permission_id", Kind::Integer),
        Column::new("view_menu_id", Kind::Integer),
    ],
    relations: &[
        Relation::one("permission", &PERMISSIONS, "permission_id"),
        Relation::one("view_menu", &VIEW_MENUS, "view_menu_id"),
        Relation::many_to_many("role", &ROLES, "ab_permission_view_role", "permission_view_id", "role_id"),
    ],
};

/// `ab_register_user`.
pub static REGISTER_USERS: Table = Table {
    name: "ab_register_user",
    pk: "id",
    columns: &[
        Column::new("id", Kind::Integer).required(),
        Column::new("first_name", Kind::String(64)).required(),
        Column::new("last_name", Kind::String(64)).required(),
        Column::new("username", Kind::String(128)).required().unique(),
        Column::new("password", Kind::String(256)),
        Column::new("email", Kind::String(320)).required().unique(),
        Column::new("registration_date", Kind::DateTime).default(Fill::Now),
        Column::new("registration_hash", Kind::String(256)),
    ],
    relations: &[],
};

/// `user_attribute`.
pub static USER_ATTRIBUTES: Table = Table {
    name: "user_attribute",
    pk: "id",
    columns: &[
        Column::new("created_on", Kind::DateTime).default(Fill::Now),
        Column::new("changed_on", Kind::DateTime).default(Fill::Now).on_update(),
        Column::new("id", Kind::Integer).required(),
        Column::new("user_id", Kind::Integer),
        Column::new("welcome_dashboard_id", Kind::Integer),
        Column::new("avatar_url", Kind::String(100)),
        Column::new("created_by_fk", Kind::Integer).default(Fill::UserId),
        Column::new("changed_by_fk", Kind::Integer).default(Fill::UserId).on_update(),
    ],
    relations: &[Relation::one("user", &USERS, "user_id")],
};
