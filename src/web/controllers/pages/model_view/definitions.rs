//! The views: their tables, columns, fields (`flask_appbuilder.security.views`, `superset.views.dynamic_plugins`).

use daos::{
    Table,
    tables::{DYNAMIC_PLUGINS, GROUPS, ROLES, USERS},
};

/// A list with its forms (`flask_appbuilder.views:ModelView`).
pub struct ModelView {
    /// Path that all addresses begin with.
    pub base: &'static str,
    /// Name of the class: parameters of the list end with it.
    pub class: &'static str,
    /// View menu of its permissions.
    pub view_menu: &'static str,
    /// The table behind it.
    pub table: &'static Table,
    /// Titles of the list, of one row, of the forms that add and edit.
    pub titles: [&'static str; 4],
    /// Columns of the list: those of the table, or relations.
    pub list: &'static [&'static str],
    /// Columns of the page of one row.
    pub show: &'static [&'static str],
    /// Fields of both forms.
    pub fields: &'static [Field],
    /// Fields that only the form of a new row has.
    pub only_new: &'static [Field],
    /// Permission for deletions.
    pub delete_permission: &'static str,
    /// Feature flag without which there is nothing here.
    pub flag: Option<&'static str>,
}

/// A field of a form.
pub struct Field {
    /// Column or relation, also the name of the input.
    pub name: &'static str,
    /// Label.
    pub label: &'static str,
    /// Help under the input; may be empty.
    pub description: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Must be filled in.
    pub required: bool,
    /// No other row may have the same.
    pub unique: bool,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A text, with its greatest length in characters.
    Text(Option<usize>),
    /// Yes or no.
    Check,
    /// Rows of a relation.
    Many,
    /// A new password.
    Password,
    /// The same once more.
    Again,
}

const fn field(name: &'static str, label: &'static str, kind: FieldKind) -> Field {
    Field { name, label, description: "", kind, required: false, unique: false }
}

impl Field {
    const fn help(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
}

/// All of them.
pub static VIEWS: [ModelView; 4] = [
    ModelView {
        base: "/users",
        class: "UserDBModelView",
        view_menu: "UserDBModelView",
        table: &USERS,
        titles: ["List Users", "Show User", "Add User", "Edit User"],
        list: &["first_name", "last_name", "username", "email", "active", "roles", "groups"],
        show: &[
            "username",
            "active",
            "roles",
            "login_count",
            "first_name",
            "last_name",
            "email",
            "last_login",
            "fail_login_count",
            "created_on",
            "created_by",
            "changed_on",
            "changed_by",
        ],
        fields: &[
            field("first_name", "First Name", FieldKind::Text(Some(64)))
                .help("The given name of the user")
                .required(),
            field("last_name", "Last Name", FieldKind::Text(Some(64)))
                .help("The family name of the user")
                .required(),
            field("username", "User Name", FieldKind::Text(Some(128)))
                .help("The name that the user logs in with")
                .required()
                .unique(),
            field("active", "Is Active?", FieldKind::Check)
                .help("Somebody who left is better made inactive than removed"),
            field("email", "Email", FieldKind::Text(Some(320)))
                .help("The address of the user")
                .required()
                .unique(),
            field("roles", "Role", FieldKind::Many).help("Each role brings its permissions"),
            field("groups", "Groups", FieldKind::Many).help("Each group brings its roles"),
        ],
        only_new: &[
            field("password", "Password", FieldKind::Password).help("What the user logs in with").required(),
            field("conf_password", "Confirm Password", FieldKind::Again)
                .help("The password once more")
                .required(),
        ],
        delete_permission: "can_delete",
        flag: None,
    },
    ModelView {
        base: "/roles",
        class: "RoleModelView",
        view_menu: "RoleModelView",
        table: &ROLES,
        titles: ["List Roles", "Show Role", "Add Role", "Edit Role"],
        list: &["name", "permissions"],
        show: &["name", "permissions"],
        fields: &[
            field("name", "Name", FieldKind::Text(Some(64))).required().unique(),
            field("permissions", "Permissions", FieldKind::Many),
        ],
        only_new: &[],
        delete_permission: "can_delete",
        flag: None,
    },
    ModelView {
        base: "/groups",
        class: "UserGroupModelView",
        view_menu: "UserGroupModelView",
        table: &GROUPS,
        titles: ["List Groups", "Show Group", "Add Group", "Edit Group"],
        list: &["name", "label", "roles"],
        show: &["name", "label", "description", "users", "roles"],
        fields: &[
            field("name", "Name", FieldKind::Text(Some(100))).required().unique(),
            field("label", "Label", FieldKind::Text(Some(150))),
            field("description", "Description", FieldKind::Text(Some(512))),
            field("users", "Users", FieldKind::Many),
            field("roles", "Roles", FieldKind::Many),
        ],
        only_new: &[],
        delete_permission: "can_delete",
        flag: None,
    },
    ModelView {
        base: "/dynamic-plugins",
        class: "DynamicPluginsView",
        view_menu: "DynamicPlugin",
        table: &DYNAMIC_PLUGINS,
        titles: ["Custom Plugins", "Custom Plugin", "Add a Plugin", "Edit Plugin"],
        list: &["name", "key", "bundle_url", "id"],
        show: &["name", "key", "bundle_url", "id"],
        fields: &[
            field("name", "Name", FieldKind::Text(None)).help("A name for people").required().unique(),
            field("key", "Key", FieldKind::Text(None))
                .help("What charts call the plugin: the package name in its package.json")
                .required()
                .unique(),
            field("bundle_url", "Bundle URL", FieldKind::Text(None))
                .help("Where the built plugin lies, as a whole address")
                .required()
                .unique(),
        ],
        only_new: &[],
        delete_permission: "can_write",
        flag: Some("DYNAMIC_PLUGINS"),
    },
];

/// Actions on rows and the permission of each: view, name, whether it takes one row.
pub const ACTIONS: [(&str, &str, bool); 4] = [
    ("UserDBModelView", "userinfoedit", true),
    ("UserDBModelView", "resetmypassword", true),
    ("UserDBModelView", "resetpasswords", true),
    ("RoleModelView", "copyrole", false),
];
