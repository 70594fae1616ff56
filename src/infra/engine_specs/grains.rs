//! Time grains of the installation: those of the engines, fewer or more of them.

use std::sync::{LazyLock, OnceLock};

use regex::Regex;
use serde_json::Value;

use super::spec::EngineSpec;

/// Grains and their labels (`builtin_time_grains`), in the order in which Superset has them.
const NAMES: &[(&str, &str)] = &[
    ("PT1S", "Second"),
    ("PT5S", "5 second"),
    ("PT30S", "30 second"),
    ("PT1M", "Minute"),
    ("PT5M", "5 minute"),
    ("PT10M", "10 minute"),
    ("PT15M", "15 minute"),
    ("PT30M", "30 minute"),
    ("PT1H", "Hour"),
    ("PT6H", "6 hour"),
    ("P1D", "Day"),
    ("P1W", "Week"),
    ("P1M", "Month"),
    ("P3M", "Quarter"),
    ("P1Y", "Year"),
    ("1969-12-28T00:00:00Z/P1W", "Week starting Sunday"),
    ("1969-12-29T00:00:00Z/P1W", "Week starting Monday"),
    ("P1W/1970-01-03T00:00:00Z", "Week ending Saturday"),
    ("P1W/1970-01-04T00:00:00Z", "Week ending Sunday"),
];

/// What an installation has of its own.
#[derive(Debug, Default)]
pub struct Grains {
    /// `TIME_GRAIN_DENYLIST`.
    denied: Vec<String>,
    /// `TIME_GRAIN_ADDONS`: durations and labels.
    names: Vec<(String, String)>,
    /// `TIME_GRAIN_ADDON_EXPRESSIONS`: engines, durations, templates.
    expressions: Vec<(String, String, String)>,
}

static OWN: OnceLock<Grains> = OnceLock::new();

/// Sets what the installation has, once for the process and before an engine is asked for: engines are the same for
/// all of it.
pub fn configure(denied: &Value, names: &Value, expressions: &Value) {
    let _ = OWN.set(Grains::read(denied, names, expressions));
}

fn own() -> &'static Grains {
    static NONE: LazyLock<Grains> = LazyLock::new(Grains::default);
    OWN.get().unwrap_or(&NONE)
}

/// The label of a grain.
pub(super) fn name(duration: &str) -> Option<&'static str> {
    own().name(duration)
}

/// All grains that have a label: what requests may name.
pub fn durations() -> Vec<&'static str> {
    let own = own().names.iter().map(|(duration, _)| duration.as_str());
    let mut all: Vec<&str> = NAMES.iter().map(|(duration, _)| *duration).collect();
    for duration in own.filter(|duration| !duration.is_empty()) {
        if !all.contains(&duration) {
            all.push(duration);
        }
    }
    all
}

/// Gives an engine the grains of the installation.
pub(super) fn apply(spec: &mut EngineSpec) {
    own().apply(spec);
}

impl Grains {
    fn read(denied: &Value, names: &Value, expressions: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let pairs = |value: &Value| -> Vec<(String, String)> {
            let pairs = value.as_object().into_iter().flatten();
            pairs.filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect()
        };
        let engines = expressions.as_object().into_iter().flatten();
        Self {
            denied: denied.as_array().into_iter().flatten().filter_map(text).collect(),
            names: pairs(names),
            expressions: engines
                .flat_map(|(engine, of)| pairs(of).into_iter().map(|(d, f)| (engine.clone(), d, f)))
                .collect(),
        }
    }

    fn name(&self, duration: &str) -> Option<&str> {
        let own = self.names.iter().find(|(own, _)| own == duration).map(|(_, name)| name.as_str());
        own.or_else(|| NAMES.iter().find(|(known, _)| *known == duration).map(|(_, name)| *name))
    }

    /// `BaseEngineSpec.get_time_grain_expressions`.
    fn apply(&self, spec: &mut EngineSpec) {
        let added = self.expressions.iter().filter(|(engine, ..)| *engine == spec.engine);
        let mut is_changed = false;
        for (_, duration, template) in added {
            is_changed = true;
            match spec.grains.iter_mut().find(|(known, _)| known == duration) {
                Some((_, function)) => function.clone_from(template),
                None => spec.grains.push((duration.clone(), template.clone())),
            }
        }
        spec.grains.retain(|(duration, _)| !self.denied.contains(duration));
        if is_changed {
            spec.grains.sort_by(|(a, _), (b, _)| {
                let (a, b) = (order(a), order(b));
                a.0.cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)).then(a.3.total_cmp(&b.3))
            });
        }
    }
}

static DURATION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(.*/)?(P|PT)([0-9.]+)(S|M|H|D|W|Y)(/.*)?").ok());

/// Where a grain stands: parts of days, days and more, those that begin or end on a day of the week, and whatever is
/// none (`BaseEngineSpec._sort_time_grains`).
fn order(duration: &str) -> (u8, u8, usize, f64) {
    if duration.is_empty() {
        return (0, 0, 0, 0.0);
    }
    let Some(parts) = DURATION.as_ref().and_then(|pattern| pattern.captures(duration)) else {
        return (3, 3, 3, 3.0);
    };
    let part = |i: usize| parts.get(i).map_or("", |m| m.as_str());
    let is_part_of_day = part(2) == "PT";
    let has_day = !part(1).is_empty() || !part(5).is_empty();
    let units = if is_part_of_day { ["S", "M", "H", ""] } else { ["D", "W", "M", "Y"] };
    let unit = units.iter().position(|unit| *unit == part(4)).unwrap_or(units.len());
    let group = match (has_day, is_part_of_day) {
        (true, _) => 3,
        (false, true) => 1,
        (false, false) => 2,
    };
    (group, if is_part_of_day { 1 } else { 2 }, unit, part(3).parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine_specs::specs;

    #[test]
    fn fewer_and_more() {
        let grains = Grains::read(
            &json!(["PT1S", "P1Y"]),
            &json!({"PT2H": "2 hours", "P1D": "Tag"}),
            &json!({"sqlite": {"PT2H": "two({col})", "P1M": "month({col})"}, "postgresql": {"PT3H": "x"}}),
        );
        let mut lite = EngineSpec::parse(include_str!("specs/sqlite.toml")).unwrap();
        grains.apply(&mut lite);
        let durations: Vec<&str> = lite.grains.iter().map(|(d, _)| d.as_str()).collect();
        assert!(!durations.contains(&"PT1S") && !durations.contains(&"P1Y") && !durations.contains(&"PT3H"));
        let at = |wanted: &str| durations.iter().position(|d| *d == wanted).unwrap();
        assert!(at("PT1H") < at("PT2H") && at("PT2H") < at("PT6H"), "{durations:?}");
        assert_eq!((lite.grain("P1M"), lite.grain("PT2H")), (Some("month({col})"), Some("two({col})")));
        assert_eq!(
            (grains.name("P1D"), grains.name("PT2H"), grains.name("PT3H")),
            (Some("Tag"), Some("2 hours"), None)
        );
    }

    #[test]
    fn engines_have_their_grains_in_this_order() {
        for spec in specs() {
            let mut sorted = spec.grains.clone();
            sorted.sort_by(|(a, _), (b, _)| {
                let (a, b) = (order(a), order(b));
                (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)).then(a.3.total_cmp(&b.3))
            });
            assert_eq!(sorted, spec.grains, "{}", spec.name);
        }
    }
}
