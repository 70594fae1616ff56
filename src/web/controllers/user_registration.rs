//! `/api/v1/security/user_registrations/` (`superset.security.api:UserRegistrationsRestAPI`).

use commands::access::lists;
use daos::tables::REGISTER_USERS;

use super::crud::{Field, FieldKind, Grants, Resource, Verb};
use crate::routes::Rule;

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    USER_REGISTRATIONS.rules()
}

const USER_REGISTRATION_FIELDS: &[Field] = &[Field::new("id", FieldKind::Integer)];

static USER_REGISTRATIONS: Resource = Resource {
    name: "security/user_registrations",
    class: "UserRegistrationsRestAPI",
    permission: "UserRegistrationsRestAPI",
    permissions: &["can_add", "can_delete", "can_edit", "can_list", "can_show"],
    grants: Grants::VERBS,
    verbs: &[
        Verb::List,
        Verb::Item,
        Verb::Info,
        Verb::Related,
        Verb::Distinct,
        Verb::Post,
        Verb::Put,
        Verb::Delete,
    ],
    model: "RegisterUser",
    table: &REGISTER_USERS,
    list_columns: &[
        "id",
        "username",
        "email",
        "first_name",
        "last_name",
        "registration_date",
        "registration_hash",
    ],
    order_columns: &[
        "id",
        "username",
        "email",
        "first_name",
        "last_name",
        "registration_date",
        "registration_hash",
    ],
    search_columns: &[
        "first_name",
        "last_name",
        "username",
        "password",
        "email",
        "registration_date",
        "registration_hash",
    ],
    base_filter: Some(|cx| lists::registrations(&cx.caller.user, "ab_register_user")),
    add_fields: USER_REGISTRATION_FIELDS,
    edit_fields: USER_REGISTRATION_FIELDS,
    ..Resource::PLAIN
};
