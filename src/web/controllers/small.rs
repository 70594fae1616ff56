//! APIs of one or two rules: available domains, embedded dashboards by key, cache keys.

use daos::{Selection, base, tables::EMBEDDED_DASHBOARDS};
use infra::{
    Error,
    db::{Executor, Sql},
    rison::python_repr,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::crud::validate::json_body;
use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    vec![
        rule(
            &["GET"],
            "/api/v1/available_domains/",
            Access::Protect("can_read", "AvailableDomains"),
            available_domains,
        )
        .endpoint("AvailableDomainsRestApi.get"),
        rule(
            &["GET"],
            "/api/v1/embedded_dashboard/<uuid>",
            Access::Protect("can_read", "EmbeddedDashboard"),
            embedded_dashboard,
        )
        .flag("EMBEDDED_SUPERSET")
        .endpoint("EmbeddedDashboardRestApi.get_embedded"),
        rule(
            &["POST"],
            "/api/v1/cachekey/invalidate",
            Access::Protect("can_invalidate", "CacheRestApi"),
            invalidate_cache,
        )
        .endpoint("CacheRestApi.invalidate"),
    ]
}

async fn available_domains(cx: Cx) -> Handled {
    let domains = cx.app.config.get("SUPERSET_WEBSERVER_DOMAINS");
    Ok(Answer::fab(200, &json!({"result": {"domains": domains}})))
}

async fn embedded_dashboard(cx: Cx) -> Handled {
    let uuid = Uuid::parse_str(cx.req.param("uuid")).map_err(|_| Error::not_found())?;
    let paths = [
        "allow_domain_list",
        "dashboard_id",
        "changed_on",
        "changed_by.id",
        "changed_by.username",
        "changed_by.first_name",
        "changed_by.last_name",
    ];
    let selection = Selection::of(&EMBEDDED_DASHBOARDS, paths);
    let row = base::find(cx.app.db.exec(), &selection, uuid.into(), Vec::new()).await?;
    let row = row.ok_or_else(Error::not_found)?;
    let domains = row.text("allow_domain_list");
    let domains: Vec<&str> = domains.split(',').filter(|d| !d.is_empty()).collect();
    Ok(Answer::fab(
        200,
        &json!({"result": {
            "uuid": row.json("uuid"),
            "allowed_domains": domains,
            "dashboard_id": row.text("dashboard_id"),
            "changed_on": row.json("changed_on"),
            "changed_by": row.one("changed_by").map(daos::Record::to_json),
        }}),
    ))
}

/// Forgets what was cached for datasets, as far as keys were recorded (`STORE_CACHE_KEYS_IN_METADATA_DB`).
async fn invalidate_cache(cx: Cx) -> Handled {
    let body = json_body(&cx)?;
    let uids = match body.get("datasource_uids") {
        None => Vec::new(),
        Some(Value::Array(uids)) => uids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) => {
            let errors = json!({"datasource_uids": ["Not a valid list."]});
            return Err(Error::bad_request(python_repr(&errors)).into());
        }
    };
    let mut uids: Vec<String> = uids;
    for named in body.get("datasources").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| named.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut sql =
            Sql::new("SELECT t.id FROM tables t JOIN dbs d ON d.id = t.database_id WHERE t.table_name = ");
        sql.push_bind(text("datasource_name"))
            .push(" AND d.database_name = ")
            .push_bind(text("database_name"));
        if let Some(schema) = text("schema") {
            sql.push(" AND t.schema = ").push_bind(schema);
        }
        if let Some(row) = cx.app.db.exec().first(sql).await? {
            uids.push(format!("{}__table", row.at::<i64>(0)?));
        }
    }
    let mut sql = Sql::new("DELETE FROM cache_keys WHERE datasource_uid IN ");
    sql.push_list(uids);
    cx.app.db.execute(sql).await?;
    Ok(Answer::fab(201, &json!({})))
}
