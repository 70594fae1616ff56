//! A request to execute SQL (`ExecuteSqlCommand`).

use std::time::Duration;

use daos::{database, query as queries, write::Values};
use infra::{
    Result,
    compute::run_blocking,
    db::DbError,
    error::{ErrorType, SupersetError},
    telemetry,
};
use serde_json::{Map, Value, json};
use tracing::Instrument as _;

use super::{
    Failure, describe, now_ms,
    run::{Job, Outcome},
    status,
};
use crate::query_run::query_access::{self, Place};
use crate::query_run::{query_template, unread};
use crate::{
    Caller, Services, access::lists, connect::describe as database_describe,
    introspect::tables::default_catalog, state::functions,
};

/// What is asked for (`ExecutePayloadSchema`).
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields bear the names of the payload")]
pub struct ExecuteRequest {
    pub database_id: i64,
    pub sql: String,
    pub client_id: Option<String>,
    pub query_limit: Option<i64>,
    pub sql_editor_id: Option<String>,
    pub catalog: Option<String>,
    pub schema: Option<String>,
    pub tab: Option<String>,
    pub ctas_method: Option<String>,
    pub template_params: Map<String, Value>,
    pub tmp_table_name: Option<String>,
    pub select_as_cta: bool,
    pub run_async: bool,
}

impl ExecuteRequest {
    /// From a loaded body. Template parameters that cannot be read are none.
    pub fn read(body: &Map<String, Value>) -> Self {
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        let flag = |key: &str| body.get(key).and_then(Value::as_bool).unwrap_or_default();
        let params = text("templateParams").and_then(|text| serde_json::from_str(&text).ok());
        Self {
            database_id: body.get("database_id").and_then(Value::as_i64).unwrap_or_default(),
            sql: text("sql").unwrap_or_default(),
            client_id: text("client_id").filter(|id| !id.is_empty()),
            query_limit: body.get("queryLimit").and_then(Value::as_i64),
            sql_editor_id: text("sql_editor_id"),
            catalog: text("catalog"),
            schema: text("schema"),
            tab: text("tab"),
            ctas_method: text("ctas_method"),
            template_params: params.unwrap_or_default(),
            tmp_table_name: text("tmp_table_name"),
            select_as_cta: flag("select_as_cta"),
            run_async: flag("runAsync"),
        }
    }

    /// `apply_max_row_limit`; 0 when the limit makes no sense.
    fn limit(&self, app: &Services) -> i64 {
        let max = app.config.int("SQL_MAX_ROW").unwrap_or(100_000);
        match self.query_limit.unwrap_or_default() {
            0 => max,
            limit => limit.min(max).max(0),
        }
    }
}

/// The answer.
#[derive(Debug)]
pub enum Execution {
    /// 200 with the JSON of the result.
    Result(Vec<u8>),
    /// 200 with a query that had been begun before.
    Known(Value),
    /// 202 with the query, which goes on.
    Started(Value),
}

/// Checks, notes and executes.
pub async fn execute(caller: &Caller, request: ExecuteRequest) -> Result<Execution, Failure> {
    let db = caller.app.db.exec();
    let before = match &request.client_id {
        Some(id) => queries::find_by_client_id(db, id).await?,
        None => None,
    };
    if let Some(query) = before
        && query.user_id == caller.user.user_id()
        && query.sql_editor_id == request.sql_editor_id
        && matches!(query.status.as_deref(), Some(status::RUNNING | status::PENDING | status::TIMED_OUT))
    {
        return Ok(Execution::Known(json!({"query": describe(&caller.app.config, &query)})));
    }
    let found = database::find_where(db, request.database_id, lists::databases(&caller.user, "d")).await?;
    let Some(database) = found else {
        let text = "The database referenced in this query was not found. Please contact an administrator for further \
                    assistance or try again.";
        return Err(infra::Error::sip40(500, SupersetError::new(ErrorType::GenericBackendError, text)).into());
    };
    let catalog = request.catalog.clone().or_else(|| default_catalog(&database));
    let place = Place { database: &database, schema: request.schema.as_deref(), catalog: catalog.as_deref() };
    let id = insert(caller, &request, &place).await?;
    match begin(caller, &request, &place, id).await {
        Ok(answered) => Ok(answered),
        Err(failure) => {
            let values: Values = vec![("status", status::FAILED.into()), ("end_time", now_ms().into())];
            queries::update_in_state(db, id, &[status::PENDING], values).await?;
            Err(failure)
        }
    }
}

async fn insert(caller: &Caller, request: &ExecuteRequest, place: &Place<'_>) -> Result<i64, Failure> {
    let database = place.database;
    let generated = || uuid::Uuid::new_v4().simple().to_string().chars().take(10).collect::<String>();
    let client_id = request.client_id.clone().unwrap_or_else(generated);
    let details = format!("query '{}'", request.sql);
    if client_id.chars().count() > 11 {
        return Err(Failure::unexpected(&details, "client_id is longer than 11 characters"));
    }
    let view = request.ctas_method.as_deref().is_some_and(|m| m.eq_ignore_ascii_case("VIEW"));
    let mut values: Values = vec![
        ("client_id", client_id.into()),
        ("database_id", database.id.into()),
        ("sql", request.sql.as_str().into()),
        ("catalog", place.catalog.into()),
        ("schema", place.schema.into()),
        ("select_as_cta", request.select_as_cta.into()),
        ("start_time", now_ms().into()),
        ("tab_name", request.tab.clone().into()),
        ("limit", request.limit(&caller.app).into()),
        ("sql_editor_id", request.sql_editor_id.clone().into()),
        ("user_id", caller.user.user_id().into()),
        ("status", status::PENDING.into()),
    ];
    if request.select_as_cta {
        values.push(("ctas_method", if view { "VIEW" } else { "TABLE" }.into()));
        values.push(("tmp_table_name", request.tmp_table_name.clone().into()));
        let forced = database.force_ctas_schema.clone().filter(|s| !s.is_empty());
        let schema = match forced {
            Some(schema) => Some(schema),
            None => functions::ctas_schema(caller, database, place.schema, &request.sql)?,
        };
        values.push(("tmp_schema_name", schema.into()));
    }
    match queries::insert(caller.app.db.exec(), values).await {
        Ok(id) => Ok(id),
        Err(DbError::Integrity(_) | DbError::Query(_) | DbError::OutOfRange(_)) => {
            Err(Failure::unexpected(&details, "The query record was not created as expected"))
        }
        Err(e) => Err(e.into()),
    }
}

async fn begin(
    caller: &Caller,
    request: &ExecuteRequest,
    place: &Place<'_>,
    id: i64,
) -> Result<Execution, Failure> {
    let (db, database) = (caller.app.db.exec(), place.database);
    let text = request.sql.trim().trim_matches(';');
    let spec = database_describe::engine(database);
    let rendered = query_template::render(caller, spec, text, &request.template_params).await;
    let forbidden = |cause| Failure::forbidden(&format!("query '{}'", request.sql), cause);
    let rendered = match rendered {
        Ok(rendered) => {
            query_access::raise_for_query(caller, place, &rendered).await.map_err(forbidden)?;
            Ok(rendered)
        }
        // who may not read all of the database is refused whatever cannot be judged
        Err(broken) if !caller.user.can_access_database(database) => {
            return Err(forbidden(broken.into_error()));
        }
        broken => broken,
    };
    let rendered = complete(caller, request, rendered, id)?;
    let details = format!("query '{id}' - '{}'", request.sql);
    let limited = limit_of(caller, request, place, &rendered, &details).await?;
    queries::update(db, id, limited).await?;
    let is_async = request.run_async || caller.app.config.flag("SQLLAB_FORCE_RUN_ASYNC");
    let key = if is_async { "SQLLAB_ASYNC_TIME_LIMIT_SEC" } else { "SQLLAB_TIMEOUT" };
    let seconds =
        caller.app.config.int(key).and_then(|s| u64::try_from(s).ok()).unwrap_or(30).clamp(1, 604_800);
    let gone = || infra::Error::internal("the row of a query is gone");
    let query = queries::find(db, id).await?.ok_or_else(gone)?;
    let started = json!({"query": describe(&caller.app.config, &query)});
    let job = Job {
        caller: caller.clone(),
        database: database.clone(),
        query,
        rendered,
        seconds,
        is_async,
        dropdown_limit: request.limit(&caller.app),
        memory: caller.lease().await?,
    };
    // a task of its own: the query goes on, and its row is settled, when the client has left
    let place = caller.app.sql_lab.running.enter(id);
    let task = tokio::spawn(telemetry::carried(apart(caller.clone(), job.run(place), id)).in_current_span());
    if is_async {
        return Ok(Execution::Started(started));
    }
    let late = Duration::from_secs(seconds + 10);
    match tokio::time::timeout(late, task).await {
        Ok(Ok(outcome)) => answer(&caller.app, id, seconds, outcome?).await,
        Ok(Err(e)) => Err(infra::Error::internal(e).into()),
        Err(_) => Err(timed_out(seconds).into()),
    }
}

/// Runs a job where it holds nobody up. One that gets no turn has failed.
async fn apart(
    caller: Caller,
    job: impl Future<Output = Result<Outcome>> + Send + 'static,
    id: i64,
) -> Result<Outcome> {
    match caller.app.compute.spawn(&caller.user.quota_key(), job).await {
        Ok(outcome) => outcome,
        Err(why) => {
            let values: Values = vec![
                ("status", status::FAILED.into()),
                ("end_time", now_ms().into()),
                ("error_message", why.to_string().into()),
            ];
            let begun = [status::PENDING, status::RUNNING];
            queries::update_in_state(caller.app.db.exec(), id, &begun, values).await?;
            Err(why.into())
        }
    }
}

async fn answer(app: &Services, id: i64, seconds: u64, outcome: Outcome) -> Result<Execution, Failure> {
    match outcome {
        Outcome::Success(result) => {
            let rows = app.config.int("DISPLAY_MAX_ROW").and_then(|n| usize::try_from(n).ok());
            let json = run_blocking(move || result.json(rows));
            Ok(Execution::Result(json.await?))
        }
        Outcome::Stopped => {
            let stopped = json!({"query_id": id, "status": status::STOPPED});
            Ok(Execution::Result(infra::json::dumps(&stopped).into_bytes()))
        }
        Outcome::Failed(refusal) => Err(infra::Error::Sip40 { status: 500, errors: refusal.errors }.into()),
        Outcome::TimedOut => Err(timed_out(seconds).into()),
    }
}

fn timed_out(seconds: u64) -> infra::Error {
    let text = format!("The query exceeded the {seconds} seconds timeout.");
    infra::Error::sip40(408, SupersetError::new(ErrorType::SqllabTimeoutError, text))
}

/// The SQL after Jinja, of which nothing may be missing (`SqlQueryRenderImpl.render`).
fn complete(
    caller: &Caller,
    request: &ExecuteRequest,
    rendered: Result<String, query_template::TemplateError>,
    id: i64,
) -> Result<String, Failure> {
    let details = format!("query '{id}' - '{}'", request.sql);
    let plain = |error_type: ErrorType, reason: &str, help: &str| {
        json!({
            "message": format!("Failed to execute {details}: {reason} \n {help}"),
            "error_type": error_type,
        })
    };
    let rendered = match rendered {
        Ok(rendered) => rendered,
        Err(query_template::TemplateError::Malformed) => {
            let error = plain(
                ErrorType::InvalidTemplateParamsError,
                "The query contains one or more malformed template parameters.",
                "Please check your query and confirm that all template parameters are surround by double braces, for \
                 example, \"{{ ds }}\". Then, try running your query again.",
            );
            return Err(Failure::Plain { status: 500, error });
        }
        Err(query_template::TemplateError::Other(reason)) => {
            return Err(Failure::unexpected(&details, &reason));
        }
        Err(query_template::TemplateError::Error(error)) => return Err(error.into()),
    };
    if caller.app.config.flag("ENABLE_TEMPLATE_PROCESSING") {
        let undefined = query_template::undefined_names(&rendered);
        if !undefined.is_empty() {
            let names: Vec<String> =
                undefined.iter().map(|n| format!("\"{}\"", n.replace('"', "\\\""))).collect();
            let names = names.join(", ");
            let reason = if undefined.len() == 1 {
                format!("The parameter {names} in your query is undefined.")
            } else {
                format!("The following parameters in your query are undefined: {names}.")
            };
            let mut error = plain(
                ErrorType::MissingTemplateParamsError,
                &reason,
                "Please check your template parameters for syntax errors and make sure they match across your SQL \
                 query and Set Parameters. Then, try running your query again.",
            );
            let message = "Issue 1006 - One or more parameters specified in the query are missing.";
            error["extra"] = json!({
                "undefined_parameters": undefined,
                "template_parameters": request.template_params,
                "issue_codes": [{"code": 1006, "message": message}],
            });
            return Err(Failure::Plain { status: 500, error });
        }
    }
    Ok(rendered)
}

/// The smaller of the limit in the SQL and the chosen one, and which of them it is (`_set_query_limit`).
async fn limit_of(
    caller: &Caller,
    request: &ExecuteRequest,
    place: &Place<'_>,
    rendered: &str,
    details: &str,
) -> Result<Values, Failure> {
    let app = &caller.app;
    if request.select_as_cta && app.config.bool("SQLLAB_CTAS_NO_LIMIT") {
        return Ok(vec![("limit", request.limit(app).into())]);
    }
    let script = unread::read(caller, place, rendered).await??;
    let Some(last) = script.statements().last() else {
        return Err(Failure::unexpected(details, "list index out of range"));
    };
    let chosen = request.limit(app);
    // a limit of nothing counts as none: a query without one is limited to the largest number of rows there is
    let own = last.limit_value().and_then(|limit| i64::try_from(limit).ok()).filter(|limit| *limit > 0);
    let (limit, factor) = match own {
        Some(own) if own < chosen => (own, "QUERY"),
        Some(own) if own == chosen => (own, "QUERY_AND_DROPDOWN"),
        _ => (chosen, "DROPDOWN"),
    };
    Ok(vec![("limit", limit.into()), ("limiting_factor", factor.into())])
}
