//! Start of the page, execution, results, estimate, formatting.

use commands::sql_lab::{
    ExecuteRequest, Execution,
    estimate::{self, estimate},
    execute, read_results, start,
};
use infra::{Error, rison, rison::Schema, sql};
use serde_json::{Value, json};

use super::{failed, json_body, success};
use crate::{
    Answer, Cx, Handled,
    controllers::crud::{Field, FieldKind},
    error_pages,
    routes::{Access, Rule, rule},
    schemas::validate,
};

pub(super) fn rules() -> Vec<Rule> {
    let protect = |permission| Access::Protect(permission, "SQLLab");
    vec![
        rule(&["GET"], "/api/v1/sqllab/", protect("can_read"), bootstrap).endpoint("SqlLabRestApi.get"),
        rule(&["POST"], "/api/v1/sqllab/execute/", protect("can_execute_sql_query"), post_execute)
            .endpoint("SqlLabRestApi.execute_sql_query"),
        rule(&["GET"], "/api/v1/sqllab/results/", protect("can_get_results"), get_results)
            .endpoint("SqlLabRestApi.get_results")
            .computes(),
        rule(&["POST"], "/api/v1/sqllab/estimate/", protect("can_estimate_query_cost"), post_estimate)
            .endpoint("SqlLabRestApi.estimate_query_cost"),
        rule(&["POST"], "/api/v1/sqllab/format_sql/", protect("can_read"), post_format)
            .endpoint("SqlLabRestApi.format_sql"),
    ]
}

async fn bootstrap(cx: Cx) -> Handled {
    let result = start::bootstrap(&cx.caller).await?;
    Ok(success(200, infra::json::dumps(&json!({"result": result}))))
}

/// `ExecutePayloadSchema`.
const EXECUTE: &[Field] = &[
    Field::new("database_id", FieldKind::Integer).required(),
    Field::new("sql", FieldKind::String).required(),
    Field::new("client_id", FieldKind::String).nullable(),
    Field::new("queryLimit", FieldKind::Integer).nullable(),
    Field::new("sql_editor_id", FieldKind::String).nullable(),
    Field::new("catalog", FieldKind::String).nullable(),
    Field::new("schema", FieldKind::String).nullable(),
    Field::new("tab", FieldKind::String).nullable(),
    Field::new("ctas_method", FieldKind::String).nullable(),
    Field::new("templateParams", FieldKind::String).nullable(),
    Field::new("tmp_table_name", FieldKind::String).nullable(),
    Field::new("select_as_cta", FieldKind::Boolean).nullable(),
    Field::new("json", FieldKind::Boolean).nullable(),
    Field::new("runAsync", FieldKind::Boolean).nullable(),
    Field::new("expand_data", FieldKind::Boolean).nullable(),
];

async fn post_execute(cx: Cx) -> Handled {
    let body = validate::load_or_400(EXECUTE, &json_body(&cx)?)?;
    match execute(&cx.caller, ExecuteRequest::read(&body)).await {
        Ok(Execution::Result(payload)) => Ok(success(200, payload)),
        Ok(Execution::Known(query)) => Ok(success(200, infra::json::dumps(&query))),
        Ok(Execution::Started(query)) => Ok(success(202, infra::json::dumps(&query))),
        Err(failure) => failed(failure),
    }
}

static RESULTS: Schema =
    Schema { required: &["key"], ..Schema::object(&[("key", Schema::of_types(&["string"]))]) };

async fn get_results(cx: Cx) -> Handled {
    let q = rison::load(cx.req.arg("q"), &RESULTS)?;
    let key = q.get("key").and_then(Value::as_str).unwrap_or_default();
    let rows = q.get("rows").and_then(Value::as_u64).and_then(|rows| usize::try_from(rows).ok());
    Ok(success(200, read_results(&cx.caller, key, rows).await?))
}

/// `EstimateQueryCostSchema`.
const ESTIMATE: &[Field] = &[
    Field::new("database_id", FieldKind::Integer).required(),
    Field::new("sql", FieldKind::String).required(),
    Field::new("template_params", FieldKind::Other("Dict")),
    Field::new("catalog", FieldKind::String).nullable(),
    Field::new("schema", FieldKind::String).nullable(),
];

async fn post_estimate(cx: Cx) -> Handled {
    let body = match validate::plain_json_body(&cx)? {
        Ok(body) => body,
        Err(answer) => return Ok(answer),
    };
    let body = validate::load_or_400(ESTIMATE, &body)?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let params = body.get("template_params").and_then(Value::as_object).cloned().unwrap_or_default();
    let request = estimate::EstimateRequest {
        database_id: body.get("database_id").and_then(Value::as_i64).unwrap_or_default(),
        sql: text("sql").unwrap_or_default(),
        template_params: params,
        catalog: text("catalog"),
        schema: text("schema"),
    };
    let costs = estimate(&cx.caller, &request).await?;
    Ok(Answer::fab(200, &json!({"result": costs})))
}

/// `FormatQueryPayloadSchema`.
const FORMAT: &[Field] =
    &[Field::new("sql", FieldKind::String).required(), Field::new("engine", FieldKind::String).nullable()];

async fn post_format(cx: Cx) -> Handled {
    if !cx.req.is_json() {
        return Ok(error_pages::abort(&cx.req, 415));
    }
    let Ok(body) = serde_json::from_slice(&cx.req.body) else {
        return Ok(error_pages::abort(&cx.req, 400));
    };
    let body = validate::load_or_400(FORMAT, &body)?;
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let engine = text("engine").filter(|e| !e.is_empty()).unwrap_or("base").to_owned();
    let source = text("sql").unwrap_or_default().to_owned();
    let formatted = infra::compute::run_blocking(move || sql::format_with_comments(&source, &engine)).await?;
    Ok(Answer::fab(200, &json!({"result": formatted.map_err(Error::from)?})))
}
