//! `GET /api/v1/explore/` (`superset.explore.api`) and `GET /api/v1/form_data/`.

use commands::{
    chart::{
        find::{self, ChartKey},
        form_data::form_data,
    },
    explore::get::{ExploreAnswer, ExploreRequest, get},
};
use infra::Error;
use query::form_data::update_time_range;
use serde_json::{Map, Value, json};

use crate::controllers::parse::{int_arg, result};
use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        rule(&["GET"], "/api/v1/explore/", Access::Protect("can_read", "Explore"), explore)
            .endpoint("ExploreRestApi.get"),
        rule(&["GET"], "/api/v1/form_data/", Access::PageApi("can_query_form_data", "Api"), chart_form_data)
            .endpoint("Api.query_form_data"),
    ]
}

async fn explore(cx: Cx) -> Handled {
    let text = |name: &str| cx.req.arg(name).map(str::to_owned);
    let ask = ExploreRequest {
        permalink_key: text("permalink_key"),
        form_data_key: text("form_data_key"),
        datasource_id: int_arg(&cx, "datasource_id"),
        datasource_type: text("datasource_type"),
        slice_id: int_arg(&cx, "slice_id"),
        form_data: text("form_data"),
        args: cx.req.args.clone(),
    };
    match get(&cx.caller, ask).await {
        Ok(ExploreAnswer::Page(page)) => Ok(result(page)),
        Ok(ExploreAnswer::Redirect(to)) => Ok(Answer::fab(302, &json!({"redirect": to}))),
        // this API spreads the error itself instead of wrapping it
        Err(Error::Sip40 { status, errors }) => {
            let error = errors.first();
            let mut map = Map::new();
            if let Some(error) = error {
                map.insert("message".into(), json!(error.message));
                map.insert("error_type".into(), json!(error.error_type));
                map.insert("extra".into(), json!(error.extra));
            }
            Ok(Answer::fab(status, &Value::Object(map)))
        }
        Err(e) => Err(e.into()),
    }
}

/// The stored form data of a chart that the caller sees; an empty object for any other.
async fn chart_form_data(cx: Cx) -> Handled {
    let key = cx.req.arg("slice_id").and_then(|id| id.trim().parse().ok()).map(ChartKey::Id);
    let chart = match key {
        // the original shows the form data of every chart
        Some(key) => find::listed(&cx.caller, &key).await?,
        None => None,
    };
    let mut form = chart.as_ref().map(form_data).unwrap_or_default();
    update_time_range(&mut form);
    let mut answer = Answer::json(200, &Value::Object(form));
    answer.headers = vec![("content-type", "application/json".to_owned())];
    Ok(answer)
}
