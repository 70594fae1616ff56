//! A request to execute SQL (`ExecuteSqlCommand`).

use std::{sync::Arc, time::Duration};

use daos::{
    database::{self, Database},
    query as queries,
    write::Values,
};
use infra::{db::DbError, error::SupersetError, sql};
use serde_json::{Map, Value, json};

use super::{
    Failure,
    access::{self, Place},
    describe, now_ms, render,
    run::{Job, Outcome},
    status,
};
use crate::{
    Principal, Services, access::lists, database::describe as database_describe,
    databases::introspect::default_catalog,
};

/// What is asked for (`ExecutePayloadSchema`).
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields bear the names of the payload")]
pub struct Ask {
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

impl Ask {
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
pub enum Answered {
    /// 200 with the JSON of the result.
    Result(Vec<u8>),
    /// 200 with a query that had been begun before.
    Known(Value),
    /// 202 with the query, which goes on.
    Started(Value),
}

/// Checks, notes and executes.
pub async fn execute(app: &Arc<Services>, user: &Arc<Principal>, ask: Ask) -> Result<Answered, Failure> {
    let db = app.db.exec();
    let before = match &ask.client_id {
        Some(id) => queries::find_by_client_id(db, id).await?,
        None => None,
    };
    if let Some(query) = before
        && query.user_id == user.user_id()
        && query.sql_editor_id == ask.sql_editor_id
        && matches!(query.status.as_deref(), Some(status::RUNNING | status::PENDING | status::TIMED_OUT))
    {
        return Ok(Answered::Known(json!({"query": describe(&query)})));
    }
    let found = database::find_where(db, ask.database_id, lists::databases(user, "d")).await?;
    let Some(database) = found else {
        let text = "The database referenced in this query was not found. Please contact an administrator for further \
                    assistance or try again.";
        return Err(infra::Error::sip40(500, SupersetError::new("GENERIC_BACKEND_ERROR", text)).into());
    };
    let id = insert(app, user, &ask, &database).await?;
    match begin(app, user, &ask, &database, id).await {
        Ok(answered) => Ok(answered),
        Err(failure) => {
            let values: Values = vec![("status", status::FAILED.into()), ("end_time", now_ms().into())];
            queries::update_in_state(db, id, &[status::PENDING], values).await?;
            Err(failure)
        }
    }
}

async fn insert(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    ask: &Ask,
    database: &Database,
) -> Result<i64, Failure> {
    let generated = || uuid::Uuid::new_v4().simple().to_string().chars().take(10).collect::<String>();
    let client_id = ask.client_id.clone().unwrap_or_else(generated);
    let details = format!("query '{}'", ask.sql);
    if client_id.chars().count() > 11 {
        return Err(Failure::unexpected(&details, "client_id is longer than 11 characters"));
    }
    let view = ask.ctas_method.as_deref().is_some_and(|m| m.eq_ignore_ascii_case("VIEW"));
    let mut values: Values = vec![
        ("client_id", client_id.into()),
        ("database_id", database.id.into()),
        ("sql", ask.sql.as_str().into()),
        ("catalog", ask.catalog.clone().or_else(|| default_catalog(database)).into()),
        ("schema", ask.schema.clone().into()),
        ("select_as_cta", ask.select_as_cta.into()),
        ("start_time", now_ms().into()),
        ("tab_name", ask.tab.clone().into()),
        ("limit", ask.limit(app).into()),
        ("sql_editor_id", ask.sql_editor_id.clone().into()),
        ("user_id", user.user_id().into()),
        ("status", status::PENDING.into()),
    ];
    if ask.select_as_cta {
        values.push(("ctas_method", if view { "VIEW" } else { "TABLE" }.into()));
        values.push(("tmp_table_name", ask.tmp_table_name.clone().into()));
        values.push(("tmp_schema_name", database.force_ctas_schema.clone().filter(|s| !s.is_empty()).into()));
    }
    match queries::insert(app.db.exec(), values).await {
        Ok(id) => Ok(id),
        Err(DbError::Integrity(_) | DbError::Query(_)) => {
            Err(Failure::unexpected(&details, "The query record was not created as expected"))
        }
        Err(e) => Err(e.into()),
    }
}

async fn begin(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    ask: &Ask,
    database: &Database,
    id: i64,
) -> Result<Answered, Failure> {
    let db = app.db.exec();
    let gone = || infra::Error::internal("the row of a query is gone");
    let query = queries::find(db, id).await?.ok_or_else(gone)?;
    let place = Place { database, schema: query.schema.as_deref(), catalog: query.catalog.as_deref() };
    if let Err(cause) = access::raise_for_query(app, user, &place, &ask.sql, &ask.template_params).await {
        return Err(Failure::forbidden(&format!("query '{}'", ask.sql), cause));
    }
    let rendered = rendered(app, user, ask, database, id).await?;
    let details = format!("query '{id}' - '{}'", ask.sql);
    let limited = limit_of(app, ask, database, &rendered, &details)?;
    queries::update(db, id, limited).await?;
    let is_async = ask.run_async || app.config.flag("SQLLAB_FORCE_RUN_ASYNC");
    let key = if is_async { "SQLLAB_ASYNC_TIME_LIMIT_SEC" } else { "SQLLAB_TIMEOUT" };
    let seconds = app.config.int(key).and_then(|s| u64::try_from(s).ok()).unwrap_or(30).clamp(1, 604_800);
    let query = queries::find(db, id).await?.ok_or_else(gone)?;
    let started = json!({"query": describe(&query)});
    let job = Job {
        app: app.clone(),
        user: user.clone(),
        database: database.clone(),
        query,
        rendered,
        seconds,
        is_async,
        ignores_limit: ask.limit(app),
    };
    // a task of its own: the query goes on, and its row is settled, when the client has left
    let place = app.sql_lab.running.enter(id);
    let task = tokio::spawn(job.run(place));
    if is_async {
        return Ok(Answered::Started(started));
    }
    let late = Duration::from_secs(seconds + 10);
    match tokio::time::timeout(late, task).await {
        Ok(Ok(outcome)) => answer(app, id, seconds, outcome?).await,
        Ok(Err(e)) => Err(infra::Error::internal(e).into()),
        Err(_) => Err(timed_out(seconds).into()),
    }
}

async fn answer(app: &Services, id: i64, seconds: u64, outcome: Outcome) -> Result<Answered, Failure> {
    match outcome {
        Outcome::Success(result) => {
            let rows = app.config.int("DISPLAY_MAX_ROW").and_then(|n| usize::try_from(n).ok());
            let json = tokio::task::spawn_blocking(move || result.json(rows));
            Ok(Answered::Result(json.await.map_err(infra::Error::internal)?))
        }
        Outcome::Stopped => {
            let stopped = json!({"query_id": id, "status": status::STOPPED});
            Ok(Answered::Result(infra::json::dumps(&stopped).into_bytes()))
        }
        Outcome::Failed(refusal) => Err(infra::Error::Sip40 { status: 500, errors: refusal.errors }.into()),
        Outcome::TimedOut => Err(timed_out(seconds).into()),
    }
}

fn timed_out(seconds: u64) -> infra::Error {
    let text = format!("The query exceeded the {seconds} seconds timeout.");
    infra::Error::sip40(408, SupersetError::new("SQLLAB_TIMEOUT_ERROR", text))
}

/// The SQL after Jinja (`SqlQueryRenderImpl.render`).
async fn rendered(
    app: &Arc<Services>,
    user: &Arc<Principal>,
    ask: &Ask,
    database: &Database,
    id: i64,
) -> Result<String, Failure> {
    let details = format!("query '{id}' - '{}'", ask.sql);
    let plain = |error_type: &str, reason: &str, help: &str| {
        json!({
            "message": format!("Failed to execute {details}: {reason} \n {help}"),
            "error_type": error_type,
        })
    };
    let text = ask.sql.trim().trim_matches(';');
    let spec = database_describe::engine(database);
    let rendered = match render::render(app, user, spec, text, &ask.template_params).await {
        Ok(rendered) => rendered,
        Err(render::Broken::Malformed) => {
            let error = plain(
                "INVALID_TEMPLATE_PARAMS_ERROR",
                "The query contains one or more malformed template parameters.",
                "Please check your query and confirm that all template parameters are surround by double braces, for \
                 example, \"{{ ds }}\". Then, try running your query again.",
            );
            return Err(Failure::Plain { status: 500, error });
        }
        Err(render::Broken::Other(reason)) => return Err(Failure::unexpected(&details, &reason)),
        Err(render::Broken::Error(error)) => return Err(error.into()),
    };
    if app.config.flag("ENABLE_TEMPLATE_PROCESSING") {
        let undefined = render::undefined_names(&rendered);
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
                "MISSING_TEMPLATE_PARAMS_ERROR",
                &reason,
                "Please check your template parameters for syntax errors and make sure they match across your SQL \
                 query and Set Parameters. Then, try running your query again.",
            );
            let message = "Issue 1006 - One or more parameters specified in the query are missing.";
            error["extra"] = json!({
                "undefined_parameters": undefined,
                "template_parameters": ask.template_params,
                "issue_codes": [{"code": 1006, "message": message}],
            });
            return Err(Failure::Plain { status: 500, error });
        }
    }
    Ok(rendered)
}

/// The smaller of the limit in the SQL and the chosen one, and which of them it is (`_set_query_limit`).
fn limit_of(
    app: &Services,
    ask: &Ask,
    database: &Database,
    rendered: &str,
    details: &str,
) -> Result<Values, Failure> {
    if ask.select_as_cta && app.config.bool("SQLLAB_CTAS_NO_LIMIT") {
        return Ok(vec![("limit", ask.limit(app).into())]);
    }
    let script = sql::parse(rendered, &database_describe::engine(database).engine)?;
    let Some(last) = script.statements().last() else {
        return Err(Failure::unexpected(details, "list index out of range"));
    };
    let chosen = ask.limit(app);
    // a limit of nothing counts as none: a query without one is limited to the largest number of rows there is
    let own = last.limit_value().and_then(|limit| i64::try_from(limit).ok()).filter(|limit| *limit > 0);
    let (limit, factor) = match own {
        Some(own) if own < chosen => (own, "QUERY"),
        Some(own) if own == chosen => (own, "QUERY_AND_DROPDOWN"),
        _ => (chosen, "DROPDOWN"),
    };
    Ok(vec![("limit", limit.into()), ("limiting_factor", factor.into())])
}
