//! From SQL to the blocks that are executed (`execute_sql_statements`): what is forbidden, row-level rules, limits.

use std::sync::Arc;

use ::query::template::has_template_syntax;
use daos::{database::Database, dataset, query::Query};
use infra::{
    engines::spec::LimitMethod,
    sql::{self, RlsRule, RlsRules, Script},
};

use super::{
    create::{Created, create_as},
    error::Refusal,
};
use crate::{
    Principal, Services,
    access::row_level::row_rules,
    database::describe,
    databases::{self, functions::disallowed, introspect::default_catalog},
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
        "DML_NOT_ALLOWED_ERROR",
        "This database does not allow for DDL/DML, but the query mutates data. Please contact your administrator for \
         more assistance.",
    )
}

/// Parses, judges and rewrites.
pub(super) async fn prepare(
    app: &Services,
    user: &Arc<Principal>,
    database: &Database,
    query: &Query,
    rendered: &str,
) -> Result<Prepared, NotPrepared> {
    let spec = describe::engine(database);
    let mut script = sql::parse(rendered, &spec.engine)?;
    check_functions(app, &spec.engine, &script)?;
    let mutates = script.has_mutation();
    if mutates && database.allow_dml != Some(true) {
        return Err(dml_not_allowed().into());
    }
    if app.config.flag("RLS_IN_SQLLAB") {
        apply_rules(app, user, database, query, &mut script).await?;
    }
    let creates = query.select_as_cta == Some(true);
    let created = if creates { Some(create_as(database, spec, query, &script)?) } else { None };
    let max = app.config.int("SQL_MAX_ROW").filter(|max| *max > 0);
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

fn check_functions(app: &Services, engine: &str, script: &Script) -> Result<(), Refusal> {
    let Some(names) = disallowed(&app.config, engine, script) else { return Ok(()) };
    // the original prints the whole set, in no order
    let shown: Vec<String> = names.iter().map(|name| ::query::python::repr_str(name)).collect();
    let message = format!("SQL statement contains disallowed function(s): {{{}}}", shown.join(", "));
    Err(Refusal::new("SYNTAX_ERROR", message))
}

/// Puts the caller's row-level rules into the statements (`superset.utils.rls:apply_rls`).
async fn apply_rules(
    app: &Services,
    user: &Arc<Principal>,
    database: &Database,
    query: &Query,
    script: &mut Script,
) -> Result<(), NotPrepared> {
    let error = NotPrepared::Error;
    let catalog = query.catalog.clone().or_else(|| default_catalog(database));
    let schema = match query.schema.clone().filter(|schema| !schema.is_empty()) {
        Some(schema) => Some(schema),
        None => {
            let engine =
                databases::engine_as(app, user, database, catalog.as_deref()).await.map_err(error)?;
            engine.default_schema().await.map_err(|e| error(infra::Error::internal(e)))?
        }
    };
    // what names lead to must stay what was looked up
    let moved = ["search_path", "schema", "database"].iter().any(|setting| script.sets(setting));
    if moved || script.functions().contains("SET_CONFIG") {
        return Err(Refusal::new(
            "QUERY_SECURITY_ACCESS_ERROR",
            "Users are not allowed to set a search path for security reasons.",
        )
        .into());
    }
    let mut rules = RlsRules {
        default_catalog: catalog.clone(),
        default_schema: schema.clone(),
        as_predicate: false,
        rules: Vec::new(),
    };
    let mut tables: Vec<_> =
        script.tables().into_iter().map(|t| t.qualify(catalog.as_deref(), schema.as_deref())).collect();
    tables.sort();
    tables.dedup();
    for table in tables {
        let db = app.db.exec();
        let found = dataset::find_by_name(db, database.id, &table.table, table.schema.as_deref(), None).await;
        let mut predicates = Vec::new();
        for dataset in found.map_err(|e| error(e.into()))?.iter().filter(|d| {
            d.sql.as_deref().is_none_or(str::is_empty)
                && d.catalog.as_deref().is_none_or(|c| Some(c) == table.catalog.as_deref())
        }) {
            let own = row_rules(app, user, dataset.id).await.map_err(error)?;
            let render = |clause: &str| -> Result<String, ::query::QueryError> {
                if app.config.flag("ENABLE_TEMPLATE_PROCESSING") && has_template_syntax(clause) {
                    crate::chart_data::render_clause(app, user, describe::engine(database), clause)
                } else {
                    Ok(clause.to_owned())
                }
            };
            let rendered = own.conditions(render);
            predicates.extend(rendered.map_err(|e| error(e.into_answer()))?);
        }
        rules.rules.push(RlsRule { table, predicates });
    }
    if rules.rules.iter().any(|rule| !rule.predicates.is_empty()) {
        script.apply_rls(&rules)?;
        if !script.survives_printing() {
            return Err(Refusal::new(
                "QUERY_SECURITY_ACCESS_ERROR",
                "Row-level security cannot be applied to this query",
            )
            .into());
        }
    }
    Ok(())
}
