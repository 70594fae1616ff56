//! `/api/v1/time_range/`: what a time range means now (`superset.views.api.Api.time_range`).

use infra::{Error, clock, rison::Schema};
use query::time_range::{SinceUntil, get_since_until_zoned};
use serde_json::{Value, json};

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub fn rules() -> Vec<Rule> {
    let access = Access::PageApi("can_time_range", "Api");
    vec![rule(&["GET"], "/api/v1/time_range/", access, time_range).endpoint("Api.time_range")]
}

static RANGE: Schema =
    Schema::object(&[("timeRange", Schema::of_types(&["string"])), ("shift", Schema::of_types(&["string"]))]);
static QUERY: Schema = Schema { items: Some(&RANGE), ..Schema::of_types(&["string", "array"]) };

async fn time_range(cx: Cx) -> Handled {
    let asked = match infra::rison::load(cx.req.arg("q"), &QUERY)? {
        Value::Array(ranges) => ranges,
        Value::String(range) => vec![json!({"timeRange": range})],
        _ => Vec::new(),
    };
    let now = clock::now();
    let mut result = Vec::with_capacity(asked.len());
    for range in asked {
        let Some(text) = range.get("timeRange").and_then(Value::as_str) else {
            return Err(Error::Legacy { status: 500, error: "'timeRange'".to_owned() }.into());
        };
        let shift = range.get("shift").and_then(Value::as_str);
        let spec = SinceUntil { time_shift: shift, ..SinceUntil::new(Some(text), now) };
        let (since, until) = match get_since_until_zoned(&spec) {
            Ok(bounds) => bounds,
            Err(error) => {
                return Ok(answer(400, &json!({"message": format!("Unexpected time range: {error}")})));
            }
        };
        let shown =
            |moment: Option<query::time_range::Moment>| moment.map_or_else(String::new, |m| m.isoformat());
        result.push(json!({"since": shown(since), "until": shown(until), "timeRange": text, "shift": shift}));
    }
    Ok(answer(200, &json!({"result": result})))
}

/// `BaseSupersetView.json_response`: no charset in the content type.
fn answer(status: u16, value: &Value) -> Answer {
    Answer::new(status, "application/json", query::encode::json::value_text(value))
}
