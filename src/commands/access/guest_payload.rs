//! Guests may only ask for what a stored chart shows (`query_context_modified`).

use daos::chart::{self, Chart};
use infra::{Error, Result, error::SupersetError};
use serde_json::Value;

use super::Principal;
use crate::Services;

/// Fails with 403 when a guest's request differs from the stored chart: other chart, columns, metrics, order, or SQL.
pub async fn raise_for_modified_payload(
    app: &Services,
    user: &Principal,
    form_data: Option<&Value>,
    queries: &[Value],
) -> Result<()> {
    if user.guest_if_enabled(&app.config).is_none() {
        return Ok(());
    }
    let chart_id = form_data.and_then(|f| f.get("slice_id")).and_then(Value::as_i64);
    let chart = match chart_id {
        Some(id) => chart::find(app.db.exec(), id).await?,
        None => None,
    };
    let modified = match (form_data, &chart) {
        (Some(form_data), Some(chart)) => is_modified(form_data, queries, chart),
        // native filters: the original checks nothing here; we let no SQL through
        _ => queries.iter().any(has_sql),
    };
    if !modified {
        return Ok(());
    }
    let text = "Guest user cannot modify chart payload";
    let error = SupersetError::new("DASHBOARD_SECURITY_ACCESS_ERROR", text).level("warning");
    Err(Error::sip40(403, error))
}

fn items<'a>(value: Option<&'a Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    value.and_then(|v| v.get(key)).and_then(Value::as_array).into_iter().flatten()
}

fn is_modified(form_data: &Value, queries: &[Value], chart: &Chart) -> bool {
    if form_data.get("slice_id").and_then(Value::as_i64) != Some(chart.id) {
        return true;
    }
    let stored = |text: &Option<String>| serde_json::from_str::<Value>(text.as_deref()?).ok();
    let (params, context) = (stored(&chart.params), stored(&chart.query_context));
    let stored_queries: Vec<&Value> = items(context.as_ref(), "queries").collect();
    // a query object has no `groupby`: it is read into `columns`
    for (key, asked_keys, stored_keys) in [
        ("metrics", &["metrics"][..], &["metrics"][..]),
        ("columns", &["columns", "groupby"], &["columns", "groupby"]),
        ("groupby", &[], &["columns", "groupby"]),
        ("orderby", &["orderby"], &["orderby"]),
    ] {
        let mut known: Vec<&Value> = items(params.as_ref(), key).collect();
        if items(Some(form_data), key).any(|v| !known.contains(&v)) {
            return true;
        }
        for key in stored_keys {
            known.extend(stored_queries.iter().flat_map(|q| items(Some(q), key)));
        }
        let mut asked = queries.iter().flat_map(|q| asked_keys.iter().flat_map(move |k| items(Some(q), k)));
        if asked.any(|v| !known.contains(&v)) {
            return true;
        }
    }
    let sql = stored_sql(params.as_ref(), &stored_queries);
    queries.iter().any(|q| foreign_sql(q, &sql))
}

/// SQL conditions that the stored chart itself brings along.
fn stored_sql(params: Option<&Value>, stored_queries: &[&Value]) -> Vec<String> {
    let mut known = Vec::new();
    for query in stored_queries {
        for key in ["where", "having"] {
            known.extend(query.pointer(&format!("/extras/{key}")).and_then(Value::as_str).map(str::to_owned));
        }
    }
    for clause in ["WHERE", "HAVING"] {
        // the frontend sends the SQL filters of a clause as "(a) AND (b)"
        let parts: Vec<String> = items(params, "adhoc_filters")
            .filter(|f| f.get("expressionType").and_then(Value::as_str) == Some("SQL"))
            .filter(|f| f.get("clause").and_then(Value::as_str) == Some(clause))
            .filter_map(|f| f.get("sqlExpression")?.as_str())
            .map(|sql| format!("({sql})"))
            .collect();
        known.push(parts.join(" AND "));
    }
    known
}

/// SQL in `extras` or in the column of a filter that the stored chart does not have: the original lets it pass.
fn foreign_sql(query: &Value, known: &[String]) -> bool {
    let extra =
        |key: &str| query.pointer(&format!("/extras/{key}")).and_then(Value::as_str).unwrap_or_default();
    ["where", "having"].iter().any(|key| !extra(key).is_empty() && !known.iter().any(|k| k == extra(key)))
        || items(Some(query), "filters").any(|f| f.get("col").is_some_and(has_sql))
}

fn has_sql(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| {
            (matches!(key.as_str(), "sqlExpression" | "where" | "having")
                && value.as_str().is_some_and(|s| !s.is_empty()))
                || has_sql(value)
        }),
        Value::Array(items) => items.iter().any(has_sql),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chart(params: &Value, context: Option<&Value>) -> Chart {
        Chart {
            id: 5,
            slice_name: None,
            datasource_id: Some(1),
            datasource_type: None,
            datasource_name: None,
            viz_type: None,
            params: Some(params.to_string()),
            query_context: context.map(Value::to_string),
            description: None,
            cache_timeout: None,
            perm: None,
            schema_perm: None,
            catalog_perm: None,
            uuid: None,
            last_saved_at: None,
            last_saved_by_fk: None,
            certified_by: None,
            certification_details: None,
            is_managed_externally: false,
            external_url: None,
            created_on: None,
            changed_on: None,
            created_by_fk: None,
            changed_by_fk: None,
        }
    }

    #[test]
    fn only_the_stored_chart_passes() {
        let stored = chart(
            &json!({"metrics": ["count"], "groupby": ["gender"], "adhoc_filters":
                [{"expressionType": "SQL", "clause": "WHERE", "sqlExpression": "num > 1"}]}),
            Some(
                &json!({"queries": [{"columns": ["gender"], "metrics": ["count"], "orderby": [["count", false]]}]}),
            ),
        );
        let form = json!({"slice_id": 5, "groupby": ["gender"], "metrics": ["count"]});
        let ask = |form: &Value, query: Value| is_modified(form, &[query], &stored);
        let query = json!({"columns": ["gender"], "metrics": ["count"], "orderby": [["count", false]],
            "extras": {"where": "(num > 1)"}, "filters": [{"col": "state", "op": "==", "val": "CA"}]});
        assert!(!ask(&form, query.clone()));
        assert!(ask(&json!({"slice_id": 6}), query.clone()));
        assert!(ask(&json!({"slice_id": 5, "groupby": ["name"]}), query));
        assert!(ask(&form, json!({"columns": ["name"]})));
        assert!(ask(&form, json!({"groupby": ["name"]})));
        assert!(ask(&form, json!({"metrics": [{"sqlExpression": "1"}]})));
        assert!(ask(&form, json!({"orderby": [["name", true]]})));
        assert!(ask(&form, json!({"extras": {"where": "1 = (SELECT 1)"}})));
        assert!(ask(&form, json!({"filters": [{"col": {"sqlExpression": "x"}, "op": "==", "val": 1}]})));
        assert!(!ask(&form, json!({"extras": {"where": ""}})));
    }

    #[test]
    fn without_a_chart_no_sql_passes() {
        assert!(has_sql(&json!({"metrics": [{"sqlExpression": "max(x)"}]})));
        assert!(!has_sql(
            &json!({"columns": ["a"], "metrics": [{"expressionType": "SIMPLE", "sqlExpression": null}]})
        ));
    }
}
