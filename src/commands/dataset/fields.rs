//! What a body says of a dataset, its columns, metrics and folders (`superset.datasets.schemas`).

use infra::clock;
use serde_json::Value;
use uuid::Uuid;

use super::date_format::is_date_format;
use crate::schema::{FieldKind, checks::one_of, fields};

/// Checked item by item, folder by folder, once the rest of the body is known to be good.
const CHECKED_LATER: FieldKind = FieldKind::Other("List");

fields! {
    /// A dataset as a body describes it.
    pub struct DatasetFields {
        database: i64,
        database_id: i64,
        catalog: String,
        schema: String,
        table_name: String,
        sql: String,
        filter_select_enabled: bool,
        fetch_values_predicate: String,
        description: String,
        main_dttm_col: String,
        normalize_columns: bool,
        always_filter_main_dttm: bool,
        offset: i64,
        default_endpoint: String,
        cache_timeout: i64,
        is_sqllab_view: bool,
        template_params: String,
        owners: Vec<i64>,
        columns: Vec<ColumnFields>,
        metrics: Vec<MetricFields>,
        folders: Vec<Value>,
        extra: String,
        is_managed_externally: bool,
        external_url: String,
        uuid: Uuid,
    }

    /// `DatasetPostSchema`.
    POST = [
        database.required(),
        catalog.nullable().length(0, Some(250)),
        schema.nullable().length(0, Some(250)),
        table_name.required().length(1, Some(250)),
        sql.nullable(),
        owners,
        is_managed_externally.nullable(),
        external_url.nullable(),
        normalize_columns,
        always_filter_main_dttm,
        template_params.nullable(),
        uuid.nullable(),
    ];

    /// `DatasetPutSchema`.
    PUT = [
        table_name.nullable().length(1, Some(250)),
        database_id,
        sql.nullable(),
        filter_select_enabled.nullable(),
        fetch_values_predicate.nullable().length(0, Some(1000)),
        catalog.nullable().length(0, Some(250)),
        schema.nullable().length(0, Some(255)),
        description.nullable(),
        main_dttm_col.nullable(),
        normalize_columns.nullable(),
        always_filter_main_dttm,
        offset.nullable(),
        default_endpoint.nullable(),
        cache_timeout.nullable(),
        is_sqllab_view.nullable(),
        template_params.nullable(),
        owners,
        columns.nullable(),
        metrics.nullable(),
        folders.nullable().kind(CHECKED_LATER),
        extra.nullable(),
        is_managed_externally.nullable(),
        external_url.nullable(),
        uuid.nullable(),
    ];

    /// `GetOrCreateDatasetSchema`.
    GET_OR_CREATE = [
        table_name.required(),
        database_id.required(),
        catalog.nullable().length(0, Some(250)),
        schema.nullable().length(0, Some(250)),
        template_params,
        normalize_columns,
        always_filter_main_dttm,
    ];
}

fields! {
    /// A column of a dataset.
    pub struct ColumnFields {
        id: i64,
        column_name: String,
        kind as "type": String,
        advanced_data_type: String,
        verbose_name: String,
        description: String,
        expression: String,
        extra: String,
        filterable: bool,
        groupby: bool,
        is_active: bool,
        is_dttm: bool,
        python_date_format: String,
        uuid: Uuid,
    }

    /// `DatasetColumnsPutSchema`.
    SCHEMA = [
        id,
        column_name.required().length(1, Some(255)),
        kind.nullable(),
        advanced_data_type.nullable().length(1, Some(255)),
        verbose_name.nullable(),
        description.nullable(),
        expression.nullable(),
        extra.nullable(),
        filterable,
        groupby,
        is_active.nullable(),
        is_dttm.nullable(),
        python_date_format.nullable().length(1, Some(255)).check(date_format),
        uuid.nullable(),
    ];
}

fields! {
    /// A metric of a dataset.
    pub struct MetricFields {
        id: i64,
        expression: String,
        description: String,
        extra: String,
        metric_name: String,
        metric_type: String,
        d3format: String,
        currency: Value,
        verbose_name: String,
        warning_text: String,
        uuid: Uuid,
    }

    /// `DatasetMetricsPutSchema`.
    SCHEMA = [
        id,
        expression.required(),
        description.nullable(),
        extra.nullable(),
        metric_name.required().length(1, Some(255)),
        metric_type.nullable().length(1, Some(32)),
        d3format.nullable().length(1, Some(128)),
        currency.nullable(),
        verbose_name.nullable(),
        warning_text.nullable(),
        uuid.nullable(),
    ];
}

fields! {
    /// The currency of a metric.
    pub struct CurrencyFields {
        symbol: String,
        symbol_position as "symbolPosition": String,
    }

    /// `DatasetMetricCurrencyPutSchema`.
    SCHEMA = [symbol.length(1, Some(128)), symbol_position.length(1, Some(128))];
}

fields! {
    /// A folder, or a column or metric in one.
    pub struct FolderFields {
        uuid: Uuid,
        kind as "type": String,
        name: String,
        description: String,
        children: Vec<Value>,
    }

    /// `FolderSchema`.
    SCHEMA = [
        uuid.required(),
        kind.check(folder_type),
        name.length(1, Some(250)),
        description.nullable().length(0, Some(1000)),
        children.nullable().kind(CHECKED_LATER),
    ];
}

fields! {
    /// What a copy of a dataset is to be.
    pub struct DuplicateFields {
        base_model_id: i64,
        table_name: String,
    }

    /// `DatasetDuplicateSchema`.
    SCHEMA = [base_model_id.required(), table_name.required().length(1, Some(250))];
}

one_of!(folder_type: "metric", "column", "folder");

fn date_format(value: &Value) -> Option<&'static str> {
    let is_valid = value.as_str().is_some_and(|format| is_date_format(format, clock::now()));
    (!is_valid).then_some("Invalid date/timestamp format")
}
