//! Every route of the original, and who serves it.

use std::path::Path;

use serde_json::Value;
use web::routes::Match;

/// Routes that belong to other work: what they begin or end with, and whose they are.
const ELSEWHERE: &[(&str, &str)] = &[
    ("/export/", "export of assets"),
    ("/import/", "import of assets"),
    ("/screenshot/", "screenshots"),
    ("/thumbnail/", "screenshots"),
    ("/cache_screenshot/", "screenshots"),
    ("/cache_dashboard_screenshot/", "screenshots"),
    ("/api/v1/async_event/", "asynchronous queries"),
    ("/superset/explore_json/data/", "asynchronous queries"),
];

#[test]
fn every_route_of_the_original_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/contract/endpoints.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: ../shared/contract/endpoints.json is not there");
        return;
    };
    let endpoints: Vec<Value> = serde_json::from_str(&text).unwrap();
    let table = web::router::table();
    let (mut served, mut elsewhere, mut missing) = (0, Vec::new(), Vec::new());
    for endpoint in &endpoints {
        let rule = endpoint["rule"].as_str().unwrap();
        let fill = |part: &str| if part.starts_with('<') { "1".to_owned() } else { part.to_owned() };
        let path = rule.split('/').map(fill).collect::<Vec<_>>().join("/");
        for method in endpoint["methods"].as_array().unwrap().iter().filter_map(Value::as_str) {
            if matches!(table.find(method, &path), Match::Found(..)) || rule.starts_with("/static/") {
                served += 1;
                continue;
            }
            let line = format!("{method} {rule} ({})", endpoint["endpoint"].as_str().unwrap_or_default());
            match ELSEWHERE.iter().find(|(part, _)| rule.contains(part)) {
                Some((_, whose)) => elsewhere.push(format!("{line}: {whose}")),
                None => missing.push(line),
            }
        }
    }
    println!("{served} routes served, {} of other work, {} missing", elsewhere.len(), missing.len());
    println!("{}", elsewhere.join("\n"));
    assert!(missing.is_empty(), "not served:\n{}", missing.join("\n"));
    assert!(served > 300, "the table of routes is not read: {served}");
}
