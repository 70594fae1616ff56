//! What a body says of a dashboard (`superset.dashboards.schemas`).

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::schema::{checks::is_json, fields};

fields! {
    /// A dashboard as a body describes it.
    pub struct DashboardFields {
        dashboard_title: String,
        slug: String,
        owners: Vec<i64>,
        roles: Vec<i64>,
        position_json: String,
        css: String,
        theme_id: i64,
        json_metadata: String,
        published: bool,
        certified_by: String,
        certification_details: String,
        is_managed_externally: bool,
        external_url: String,
        tags: Vec<i64>,
        uuid: Uuid,
    }

    /// `DashboardPostSchema`.
    POST = [
        dashboard_title.nullable().length(0, Some(500)),
        slug.nullable().length(1, Some(255)),
        owners,
        roles,
        position_json.check(is_json),
        css,
        theme_id.nullable(),
        json_metadata,
        published,
        certified_by.nullable(),
        certification_details.nullable(),
        is_managed_externally.nullable(),
        external_url.nullable(),
        uuid.nullable(),
    ];

    /// `DashboardPutSchema`. It lets nulls into its lists: ids that nobody has.
    PUT = [
        dashboard_title.nullable().length(0, Some(500)),
        slug.nullable().length(0, Some(255)),
        owners.null_items(),
        roles.null_items(),
        position_json.nullable().check(is_json),
        css.nullable(),
        theme_id.nullable(),
        json_metadata.nullable(),
        published.nullable(),
        certified_by.nullable(),
        certification_details.nullable(),
        is_managed_externally.nullable(),
        external_url.nullable(),
        tags.null_items(),
        uuid.nullable(),
    ];
}

fields! {
    /// What a copy of a dashboard is to be.
    pub struct CopyFields {
        dashboard_title: String,
        css: String,
        json_metadata: String,
        duplicate_slices: bool,
    }

    /// `DashboardCopySchema`.
    SCHEMA = [
        dashboard_title.nullable().length(0, Some(500)),
        css,
        json_metadata.required(),
        duplicate_slices,
    ];
}

fields! {
    /// Changes of the native filters of a dashboard.
    pub struct FilterChanges {
        deleted: Vec<String>,
        modified: Vec<Value>,
        reordered: Vec<String>,
    }

    /// `DashboardNativeFiltersConfigUpdateSchema`.
    SCHEMA = [deleted, modified, reordered];
}

/// Old dashboards keep a mapping here.
fn shared_colors(value: &Value) -> Option<&'static str> {
    let is_known = match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().all(Value::is_string),
        _ => false,
    };
    (!is_known).then_some("Not a valid list")
}

fields! {
    /// Colours that the charts of a dashboard were given.
    pub struct ColorFields {
        color_namespace: String,
        color_scheme: String,
        map_label_colors: Map<String, Value>,
        shared_label_colors: Value,
        label_colors: Map<String, Value>,
        color_scheme_domain: Vec<String>,
    }

    /// `DashboardColorsConfigUpdateSchema`.
    SCHEMA = [
        color_namespace.nullable(),
        color_scheme.nullable(),
        map_label_colors,
        shared_label_colors.check(shared_colors),
        label_colors,
        color_scheme_domain,
    ];
}

fields! {
    /// Where a dashboard may be embedded.
    pub struct EmbeddedFields {
        allowed_domains: Vec<String>,
    }

    /// `EmbeddedDashboardConfigSchema`.
    SCHEMA = [allowed_domains.required()];
}
