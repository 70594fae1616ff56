//! How much one request may ask for.

use infra::config::Config;
use query::query_object::Bounds;

/// How much a query may ask for in this installation.
pub(crate) fn bounds(config: &Config) -> Bounds {
    let default = Bounds::default();
    let set = |key: &str| config.int(key).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    Bounds {
        queries: set("MAX_CONTEXT_QUERIES").unwrap_or(default.queries),
        columns: set("MAX_QUERY_COLUMNS").unwrap_or(default.columns),
        filters: set("MAX_QUERY_FILTERS").unwrap_or(default.filters),
        offsets: set("MAX_TIME_OFFSETS").unwrap_or(default.offsets),
        steps: default.steps,
    }
}
