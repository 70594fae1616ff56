//! From SQL to the blocks that are executed (`execute_sql_statements`): what is forbidden, row-level rules, limits.

use daos::{database::Database, query::Query};
use infra::error::ErrorType;
use infra::{
    engine_specs::spec::LimitMethod,
    sql::{RlsRules, Script},
};

use super::{
    create::{Created, create_as},
    error::Refusal,
};
use crate::query_run::query_access::Place;
use crate::{
    Caller,
    access::{
        rules_in_force::any_rule,
        sql_calls::{self, Reader},
    },
    connect::describe,
    query_run::{table_rules, unread},
};

/// What is to be executed.
pub(super) struct Prepared {
    /// Texts of the statements.
    pub blocks: Vec<String>,
    /// The session may write, and commits.
    pub writes: bool,
    /// The table or view that is made.
    pub created: Option<Created>,
    /// Rows that the result may have.
    pub limit: Option<i64>,
}

/// Why nothing is executed.
pub(super) enum NotPrepared {
    Refused(Refusal),
    Error(infra::Error),
}

impl<E: Into<Refusal>> From<E> for NotPrepared {
    fn from(e: E) -> Self {
        Self::Refused(e.into())
    }
}

pub(super) fn dml_not_allowed() -> Refusal {
    Refusal::new(
        ErrorType::DmlNotAllowedError,
        "This database does not allow for DDL/DML, but the query mutates data. Please contact your administrator for \
         more assistance.",
    )
}

/// Parses, judges and rewrites.
pub(super) async fn prepare(
    caller: &Caller,
    database: &Database,
    query: &Query,
    rendered: &str,
) -> Result<Prepared, NotPrepared> {
    let spec = describe::engine(database);
    let place = Place { database, schema: query.schema.as_deref(), catalog: query.catalog.as_deref() };
    let mut script = unread::read(caller, &place, rendered).await.map_err(NotPrepared::Error)??;
    check_calls(caller, database, query.schema.as_deref(), &script)
        .await
        .map_err(NotPrepared::Error)?
        .map_err(|refused| Refusal::new(refused.error_type(), refused.message()))?;
    let mutates = script.has_mutation();
    if mutates && database.allow_dml != Some(true) {
        return Err(dml_not_allowed().into());
    }
    if caller.app.config.flag("RLS_IN_SQLLAB") {
        apply_rules(caller, database, query, &mut script).await?;
    }
    let creates = query.select_as_cta == Some(true);
    let created = if creates { Some(create_as(database, spec, query, &script)?) } else { None };
    let max = caller.app.config.int("SQL_MAX_ROW").filter(|max| *max > 0);
    let mut limit = query.limit;
    let count = script.statements().len();
    let mut blocks = Vec::with_capacity(count);
    for (i, statement) in script.statements_mut().iter_mut().enumerate() {
        if let Some((text, _)) = created.as_ref().filter(|_| i + 1 == count) {
            blocks.push(text.clone());
            continue;
        }
        if statement.is_mutating() {
            blocks.push(statement.format());
            continue;
        }
        if let Some(max) = max
            && limit.is_none_or(|limit| limit <= 0 || limit > max)
        {
            limit = Some(max);
        }
        // one row more tells that there are more
        let rows = limit.and_then(|limit| u64::try_from(limit).ok()).map(|limit| limit + 1);
        let mut wrap = None;
        match (rows, spec.limit_method) {
            (Some(rows), LimitMethod::ForceLimit) => statement.set_limit(rows),
            (Some(rows), LimitMethod::WrapSql) if statement.is_query() => wrap = Some(rows),
            _ => {}
        }
        let text = statement.format();
        blocks.push(match wrap {
            Some(rows) => {
                format!("SELECT\n  *\nFROM (\n  {}\n)\nLIMIT {rows}", text.replace('\n', "\n  "))
            }
            None => text,
        });
    }
    if spec.caps.run_multiple_statements_as_one {
        blocks = vec![blocks.join(";\n")];
    }
    Ok(Prepared { blocks, writes: mutates || creates, created: created.map(|(_, created)| created), limit })
}

/// What the configuration or the place forbids to call and to read. Who may read single tables only has been refused
/// more before ([`crate::query_run::query_access`]).
pub(super) async fn check_calls(
    caller: &Caller,
    database: &Database,
    schema: Option<&str>,
    script: &Script,
) -> infra::Result<Result<(), sql_calls::Refused>> {
    let ruled = caller.app.config.flag("RLS_IN_SQLLAB") && sql_calls::needs_rules(script);
    let has_rules = ruled && any_rule(caller, database.id).await?;
    let reader = Reader { by_table: false, has_rules };
    let listed =
        sql_calls::check_listed(&caller.app.config, &describe::engine(database).engine, script, schema);
    Ok(listed.and_then(|()| sql_calls::check_effects(script, sql_calls::Place::SqlLab, reader)))
}

/// Puts the caller's row-level rules into the statements (`superset.utils.rls:apply_rls`).
async fn apply_rules(
    caller: &Caller,
    database: &Database,
    query: &Query,
    script: &mut Script,
) -> Result<(), NotPrepared> {
    let error = NotPrepared::Error;
    // what names lead to must stay what was looked up
    let moved = ["search_path", "schema", "database"].iter().any(|setting| script.sets(setting));
    if moved || script.functions().contains("SET_CONFIG") {
        return Err(Refusal::new(
            ErrorType::QuerySecurityAccessError,
            "Users are not allowed to set a search path for security reasons.",
        )
        .into());
    }
    let place = Place { database, schema: query.schema.as_deref(), catalog: query.catalog.as_deref() };
    let rules = rules_of(caller, &place, script).await.map_err(error)?;
    Ok(script.apply_rls(&rules)?)
}

/// The caller's row-level rules for the tables of a script; none unless SQL Lab has them (`RLS_IN_SQLLAB`).
pub(super) async fn rules_of(caller: &Caller, place: &Place<'_>, script: &Script) -> infra::Result<RlsRules> {
    if !caller.app.config.flag("RLS_IN_SQLLAB") {
        return Ok(RlsRules::default());
    }
    table_rules::of_script(caller, place.database, (place.catalog, place.schema), script).await
}
