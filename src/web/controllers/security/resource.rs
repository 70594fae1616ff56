//! `/api/v1/security/…`: roles, users, groups, permissions (`flask_appbuilder.security.sqla.apis`).

use daos::tables::{GROUPS, PERMISSION_VIEWS, PERMISSIONS, ROLES, USERS, VIEW_MENUS};

use crate::controllers::crud::{Field, FieldKind, Grants, Resource, Style, Verb};
use crate::routes::Rule;

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    let described = [&PERMISSION_NAMES, &RESOURCES, &GRANTS, &ROLE_LISTS, &USER_LISTS, &GROUP_LISTS];
    described
        .into_iter()
        .flat_map(Resource::rules)
        .chain(crate::controllers::security::write::rules())
        .collect()
}

const PERMISSION_NAME_FIELDS: &[Field] = &[Field::new("name", FieldKind::String)
    .required()
    .unique()
    .validate(&["<Length(min=None, max=100, equal=None, error=None)>"])
    .length(0, Some(100))];

static PERMISSION_NAMES: Resource = Resource {
    name: "security/permissions",
    class: "PermissionApi",
    permission: "Permission",
    permissions: &["can_get", "can_info"],
    grants: Grants::FAB,
    style: Style::Fab,
    verbs: &[Verb::List, Verb::Item, Verb::Info],
    model: "Permission",
    table: &PERMISSIONS,
    list_columns: &["id", "name"],
    show_columns: &["id", "name"],
    order_columns: &["id", "name"],
    search_columns: &["id", "name"],
    add_fields: PERMISSION_NAME_FIELDS,
    edit_fields: PERMISSION_NAME_FIELDS,
    ..Resource::PLAIN
};

const RESOURCE_FIELDS: &[Field] = &[Field::new("name", FieldKind::String)
    .required()
    .unique()
    .validate(&["<Length(min=None, max=250, equal=None, error=None)>"])
    .length(0, Some(250))];

static RESOURCES: Resource = Resource {
    name: "security/resources",
    class: "ViewMenuApi",
    permission: "ViewMenu",
    permissions: &["can_delete", "can_get", "can_info", "can_post", "can_put"],
    grants: Grants::FAB,
    style: Style::Fab,
    verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Post, Verb::Put, Verb::Delete],
    model: "ViewMenu",
    table: &VIEW_MENUS,
    list_columns: &["id", "name"],
    show_columns: &["id", "name"],
    order_columns: &["id", "name"],
    search_columns: &["id", "name"],
    add_fields: RESOURCE_FIELDS,
    edit_fields: RESOURCE_FIELDS,
    ..Resource::PLAIN
};

const GRANT_FIELDS: &[Field] = &[
    Field::new("permission_id", FieldKind::Other("Inferred")),
    Field::new("view_menu_id", FieldKind::Other("Inferred")),
];

static GRANTS: Resource = Resource {
    name: "security/permissions-resources",
    class: "PermissionViewMenuApi",
    permission: "PermissionViewMenu",
    permissions: &["can_delete", "can_get", "can_info", "can_post", "can_put"],
    grants: Grants::FAB,
    style: Style::Fab,
    verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Post, Verb::Put, Verb::Delete],
    model: "PermissionView",
    table: &PERMISSION_VIEWS,
    list_columns: &["id", "permission.name", "view_menu.name"],
    show_columns: &["id", "permission.name", "view_menu.name"],
    order_columns: &["id", "permission.name", "view_menu.name"],
    search_columns: &["permission", "view_menu", "role"],
    add_fields: GRANT_FIELDS,
    edit_fields: GRANT_FIELDS,
    ..Resource::PLAIN
};

const ROLE_LIST_FIELDS: &[Field] = &[Field::new("name", FieldKind::String)
    .required()
    .unique()
    .validate(&["<Length(min=None, max=64, equal=None, error=None)>"])
    .length(0, Some(64))];

static ROLE_LISTS: Resource = Resource {
    name: "security/roles",
    class: "SupersetRoleApi",
    permission: "Role",
    permissions: &[
        "can_add_role_permissions",
        "can_delete",
        "can_get",
        "can_info",
        "can_list_role_permissions",
        "can_post",
        "can_put",
        "can_update_role_groups",
        "can_update_role_users",
    ],
    grants: Grants::FAB,
    style: Style::Fab,
    verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Post, Verb::Put, Verb::Delete],
    model: "Role",
    table: &ROLES,
    list_columns: &["id", "name"],
    show_columns: &["id", "name"],
    order_columns: &["id", "name"],
    search_columns: &["id", "name"],
    add_fields: ROLE_LIST_FIELDS,
    edit_fields: ROLE_LIST_FIELDS,
    ..Resource::PLAIN
};

static USER_LISTS: Resource = Resource {
    name: "security/users",
    class: "SupersetUserApi",
    permission: "User",
    permissions: &["can_delete", "can_get", "can_info", "can_post", "can_put"],
    grants: Grants::FAB,
    style: Style::Fab,
    verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Delete],
    model: "User",
    table: &USERS,
    list_columns: &[
        "id",
        "roles.id",
        "roles.name",
        "first_name",
        "last_name",
        "username",
        "active",
        "email",
        "last_login",
        "login_count",
        "fail_login_count",
        "created_on",
        "changed_on",
        "created_by.id",
        "changed_by.id",
        "groups",
    ],
    show_columns: &[
        "id",
        "roles.id",
        "roles.name",
        "first_name",
        "last_name",
        "username",
        "active",
        "email",
        "last_login",
        "login_count",
        "fail_login_count",
        "created_on",
        "changed_on",
        "created_by.id",
        "changed_by.id",
        "groups",
    ],
    order_columns: &[
        "id",
        "roles.id",
        "roles.name",
        "first_name",
        "last_name",
        "username",
        "active",
        "email",
        "last_login",
        "login_count",
        "fail_login_count",
        "created_on",
        "changed_on",
        "created_by.id",
        "changed_by.id",
    ],
    search_columns: &[
        "id",
        "roles",
        "groups",
        "first_name",
        "last_name",
        "username",
        "active",
        "email",
        "last_login",
        "login_count",
        "fail_login_count",
        "created_on",
        "changed_on",
    ],
    add_fields: &[
        Field::new("roles", FieldKind::List),
        Field::new("first_name", FieldKind::String).required(),
        Field::new("last_name", FieldKind::String).required(),
        Field::new("username", FieldKind::String)
            .required()
            .validate(&["<Length(min=1, max=250, equal=None, error=None)>"])
            .length(1, Some(250)),
        Field::new("active", FieldKind::Boolean),
        Field::new("email", FieldKind::String).required(),
        Field::new("password", FieldKind::String)
            .required()
            .validate(&["<PasswordComplexityValidator(error=None)>"]),
        Field::new("groups", FieldKind::List),
    ],
    edit_fields: &[
        Field::new("roles", FieldKind::List),
        Field::new("first_name", FieldKind::String),
        Field::new("last_name", FieldKind::String),
        Field::new("username", FieldKind::String)
            .validate(&["<Length(min=1, max=250, equal=None, error=None)>"])
            .length(1, Some(250)),
        Field::new("active", FieldKind::Boolean),
        Field::new("email", FieldKind::String),
        Field::new("password", FieldKind::String).validate(&["<PasswordComplexityValidator(error=None)>"]),
        Field::new("groups", FieldKind::List),
    ],
    ..Resource::PLAIN
};

static GROUP_LISTS: Resource = Resource {
    name: "security/groups",
    class: "GroupApi",
    permission: "Group",
    permissions: &["can_delete", "can_get", "can_info", "can_post", "can_put"],
    grants: Grants::FAB,
    style: Style::Fab,
    verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Delete],
    model: "Group",
    table: &GROUPS,
    list_columns: &[
        "id",
        "name",
        "label",
        "description",
        "roles.name",
        "roles.id",
        "users.id",
        "users.username",
    ],
    show_columns: &[
        "id",
        "name",
        "label",
        "description",
        "roles.name",
        "roles.id",
        "users.id",
        "users.username",
    ],
    order_columns: &[
        "id",
        "name",
        "label",
        "description",
        "roles.name",
        "roles.id",
        "users.id",
        "users.username",
    ],
    search_columns: &[
        "id",
        "name",
        "label",
        "description",
        "roles.name",
        "roles.id",
        "users.id",
        "users.username",
    ],
    add_fields: &[
        Field::new("name", FieldKind::String)
            .required()
            .validate(&["<Length(min=1, max=100, equal=None, error=None)>"])
            .length(1, Some(100)),
        Field::new("label", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=150, equal=None, error=None)>"])
            .length(0, Some(150)),
        Field::new("description", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=512, equal=None, error=None)>"])
            .length(0, Some(512)),
        Field::new("users", FieldKind::List),
        Field::new("roles", FieldKind::List),
    ],
    edit_fields: &[
        Field::new("name", FieldKind::String)
            .validate(&["<Length(min=1, max=100, equal=None, error=None)>"])
            .length(1, Some(100)),
        Field::new("label", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=150, equal=None, error=None)>"])
            .length(0, Some(150)),
        Field::new("description", FieldKind::String)
            .nullable()
            .validate(&["<Length(min=0, max=512, equal=None, error=None)>"])
            .length(0, Some(512)),
        Field::new("users", FieldKind::List),
        Field::new("roles", FieldKind::List),
    ],
    ..Resource::PLAIN
};
