//! Rows and values of datasets (`superset.views.datasource.views:Datasource`, `superset.datasource.api`).

use commands::{
    access::{
        objects::can_access_dataset,
        sql_tables::{TableName, can_access_table},
    },
    chart_data::{SamplesRequest, column_values, samples},
    database::find as database,
    dataset::{
        find as dataset,
        source::{self, Source},
    },
    introspect::tables,
    query_run::LoadedDataset,
};
use infra::{Error, Result, json::ascii_json, rison, rison::Schema};
use query::query_object::{self, DatasourceType};
use serde_json::{Value, json};

use super::kinds;
use crate::controllers::parse::failure_for;
use crate::{
    Answer, Cx, Handled,
    error::Failure,
    error_pages,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["POST"], "/datasource/samples", Access::PageApi("can_samples", "Datasource"), post_samples)
            .endpoint("Datasource.samples"),
        rule(
            &["GET"],
            "/api/v1/datasource/<datasource_type>/<int:datasource_id>/column/<column_name>/values/",
            Access::Protect("can_get_column_values", "Datasource"),
            get_column_values,
        )
        .endpoint("DatasourceRestApi.get_column_values")
        .computes(),
        rule(
            &["GET"],
            "/datasource/external_metadata/<datasource_type>/<datasource_id>/",
            Access::PageApi("can_external_metadata", "Datasource"),
            external_metadata,
        )
        .endpoint("Datasource.external_metadata")
        .computes(),
        rule(
            &["GET"],
            "/datasource/external_metadata_by_name/",
            Access::PageApi("can_external_metadata_by_name", "Datasource"),
            external_metadata_by_name,
        )
        .endpoint("Datasource.external_metadata_by_name")
        .computes(),
    ]
}

/// The columns of a dataset as its source has them.
async fn external_metadata(cx: Cx) -> Handled {
    let id = kinds::dataset_id(cx.req.param("datasource_type"), cx.req.param("datasource_id"))?;
    let dataset = readable(&cx, id).await?.ok_or_else(kinds::missing)?;
    let columns = source_columns(&cx, &dataset).await?;
    Ok(Answer::new(200, "application/json", ascii_json(&Value::Array(columns), true)))
}

/// A dataset that the caller may use; the original asks nothing, and tells everybody all columns (T23).
async fn readable(cx: &Cx, id: i64) -> Result<Option<LoadedDataset>> {
    let Some(dataset) = LoadedDataset::find(&cx.caller, id).await? else { return Ok(None) };
    let may = can_access_dataset(&cx.caller, &dataset.row).await?;
    Ok(may.then_some(dataset))
}

async fn source_columns(cx: &Cx, dataset: &LoadedDataset) -> Result<Vec<Value>> {
    let source = Source::from_dataset(&dataset.row, &dataset.database);
    let found = source::columns(&cx.caller, &source).await.map_err(|error| match error {
        Error::Sip40 { errors, .. } => {
            let error = errors.into_iter().next().map(|e| e.message).unwrap_or_default();
            Error::Legacy { status: 400, error }
        }
        other => other,
    })?;
    found.ok_or_else(|| Error::Legacy { status: 400, error: dataset.row.table_name.clone() })
}

/// The columns of a table by the names of its database, schema and self; a dataset of it answers first.
async fn external_metadata_by_name(cx: Cx) -> Handled {
    // the original looks for a method that this class does not have
    let question = rison::load(cx.req.arg("q"), &Schema::ANY).map_err(|_| Error::Legacy {
        status: 500,
        error: "'Datasource' object has no attribute 'response_400'".to_owned(),
    })?;
    let question = query_object::schema::load_external_metadata(&question)
        .map_err(|error| Error::Legacy { status: 400, error })?;
    let text = |key: &str| question.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
    let missing = || Error::Legacy { status: 404, error: "Dataset does not exist".to_owned() };
    let name = text("database_name").unwrap_or_default();
    let database = database::by_name(&cx.caller.app, name).await?.ok_or_else(missing)?;
    let (schema, catalog, table) =
        (text("schema_name"), text("catalog_name"), text("table_name").unwrap_or_default());
    let known = dataset::by_place(&cx.caller.app, database.id, (catalog, schema, table)).await?;
    let known =
        known.into_iter().find(|d| d.schema.as_deref().unwrap_or_default() == schema.unwrap_or_default());
    let columns = match known {
        Some(row) => {
            let dataset = readable(&cx, row.id).await?.ok_or_else(missing)?;
            source_columns(&cx, &dataset).await?
        }
        None => {
            let [catalog_, schema_] = [catalog, schema].map(|part| part.map(str::to_owned));
            let named = TableName { catalog: catalog_, schema: schema_, table: table.to_owned() };
            if !can_access_table(&cx.caller, &database, &named).await? {
                return Err(missing().into());
            }
            let name = (schema, table);
            let found = tables::table_columns(&cx.caller, &database, catalog, name).await?;
            found.ok_or_else(missing)?
        }
    };
    Ok(Answer::new(200, "application/json", ascii_json(&Value::Array(columns), true)))
}

async fn get_column_values(cx: Cx) -> Handled {
    let kind = cx.req.param("datasource_type");
    match DatasourceType::named(kind) {
        None => return Err(Error::bad_request(format!("Invalid datasource type: {kind}")).into()),
        Some(DatasourceType::Table) => {}
        // queries and the rest know no values
        Some(_) => return Err(Error::message(404, "Datasource does not exist").into()),
    }
    let values = column_values(&cx.caller, cx.req.int_param("datasource_id"), cx.req.param("column_name"))
        .await
        .map_err(|error| failure_for(&cx, error))?;
    let mut body = b"{\"result\": ".to_vec();
    body.extend_from_slice(&values);
    body.push(b'}');
    Ok(Answer::new(200, "application/json; charset=utf-8", body))
}

async fn post_samples(cx: Cx) -> Handled {
    // the original's helper knows what to do with texts only, and says nothing about the others
    let refused = || Ok(Answer::json(400, &json!({})));
    let Some(asked) = Asked::read(&cx) else { return refused() };
    if !cx.req.is_json() {
        return Err(Error::Legacy { status: 415, error: error_pages::error(415).message }.into());
    }
    let Ok(body) = serde_json::from_slice::<Value>(&cx.req.body) else {
        return Err(Error::Legacy { status: 400, error: error_pages::error(400).message }.into());
    };
    let Ok(payload) = query_object::schema::load_samples(&body) else { return refused() };
    if cx.caller.guest().is_some() && asked.dashboard_id.is_none() {
        return Err(Error::Legacy { status: 403, error: "Forbidden".to_owned() }.into());
    }
    match asked.kind {
        DatasourceType::Table => {}
        DatasourceType::Dataset | DatasourceType::View => return Err(kinds::unsupported()),
        // queries of SQL Lab are no datasets: the original shows anybody's rows to everybody
        DatasourceType::Query | DatasourceType::SavedQuery => return Err(kinds::missing()),
    }
    let request = SamplesRequest {
        dataset_id: asked.dataset_id,
        force: asked.force,
        page: asked.page,
        per_page: Some(asked.per_page),
        payload,
        dashboard_id: asked.dashboard_id,
    };
    let answer = samples(&cx.caller, &request).await.map_err(|error| failure_for(&cx, error))?;
    let mut body = b"{\"result\": ".to_vec();
    let is_guest = cx.caller.guest().is_some();
    answer.write(&mut body, is_guest).map_err(|e| Failure(e.into_answer()))?;
    body.push(b'}');
    Ok(Answer::new(200, "application/json", body))
}

/// The arguments of samples (`SamplesRequestSchema`).
struct Asked {
    kind: DatasourceType,
    dataset_id: i64,
    force: bool,
    page: i64,
    per_page: i64,
    dashboard_id: Option<i64>,
}

impl Asked {
    /// None where one is missing, wrong, or unknown.
    fn read(cx: &Cx) -> Option<Self> {
        let known = ["datasource_type", "datasource_id", "force", "page", "per_page", "dashboard_id"];
        if cx.req.args.iter().any(|(name, _)| !known.contains(&name.as_str())) {
            return None;
        }
        // the inner one is what was sent
        let integer = |name: &str| -> Option<Option<i64>> {
            cx.req.arg(name).map_or(Some(None), |text| text.trim().parse().ok().map(Some))
        };
        let per_page = match integer("per_page")? {
            Some(given) => Some(given).filter(|n| (1..=1000).contains(n))?,
            None => cx.caller.app.config.int("SAMPLES_ROW_LIMIT").unwrap_or(1000),
        };
        Some(Self {
            kind: DatasourceType::named(cx.req.arg("datasource_type")?)?,
            dataset_id: integer("datasource_id")??,
            force: cx.req.arg("force").map_or(Some(false), kinds::boolean)?,
            page: integer("page")?.unwrap_or(1),
            per_page,
            dashboard_id: integer("dashboard_id")?,
        })
    }
}
