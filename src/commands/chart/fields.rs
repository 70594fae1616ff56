//! What a body says of a chart (`superset.charts.schemas`).

use uuid::Uuid;

use crate::schema::{
    checks::{is_json, one_of},
    fields,
};

one_of!(datasource_type: "table", "dataset", "query", "saved_query", "view");

fields! {
    /// A chart as a body describes it.
    pub struct ChartFields {
        slice_name: String,
        description: String,
        viz_type: String,
        owners: Vec<i64>,
        params: String,
        query_context: String,
        query_context_generation: bool,
        cache_timeout: i64,
        datasource_id: i64,
        datasource_type: String,
        datasource_name: String,
        dashboards: Vec<i64>,
        certified_by: String,
        certification_details: String,
        is_managed_externally: bool,
        external_url: String,
        tags: Vec<i64>,
        uuid: Uuid,
    }

    /// `ChartPostSchema`.
    POST = [
        slice_name.required().length(1, Some(250)),
        description.nullable(),
        viz_type.length(0, Some(250)),
        owners,
        params.nullable().check(is_json),
        query_context.nullable().check(is_json),
        query_context_generation.nullable(),
        cache_timeout.nullable(),
        datasource_id.required(),
        datasource_type.required().check(datasource_type),
        datasource_name.nullable(),
        dashboards,
        certified_by.nullable(),
        certification_details.nullable(),
        is_managed_externally.nullable(),
        external_url.nullable(),
        uuid.nullable(),
    ];

    /// `ChartPutSchema`, which does not look into the query context.
    PUT = [
        slice_name.nullable().length(0, Some(250)),
        description.nullable(),
        viz_type.nullable().length(0, Some(250)),
        owners,
        params.nullable().check(is_json),
        query_context.nullable(),
        query_context_generation.nullable(),
        cache_timeout.nullable(),
        datasource_id.nullable(),
        datasource_type.nullable().check(datasource_type),
        dashboards,
        certified_by.nullable(),
        certification_details.nullable(),
        is_managed_externally.nullable(),
        external_url.nullable(),
        tags,
        uuid.nullable(),
    ];
}
