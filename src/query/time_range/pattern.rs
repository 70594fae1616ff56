//! The phrases that Superset itself understands, rewritten as formal expressions: `start of last 2 months`, `prior
//! quarter`.

use std::sync::LazyLock;

use regex::Regex;

/// A pattern of ours; compiling it cannot fail, and a failure would match nothing rather than panic.
pub(crate) fn compiled(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

static MODIFIED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(
        r"(?i)^(start of|beginning of|end of)\s+(this|last|next|prior)\s+([0-9]+)?\s*(day|week|month|quarter|year)s?$",
    )
});
// "hour" is missing in Superset too: "last 4 hours" goes to the free-text readers.
static SCOPED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(r"(?i)^(this|last|next|prior)\s+([0-9]+)?\s*(second|minute|day|week|month|quarter|year)s?$")
});
static FORMAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(r"(?i)^(DATETIME.*|DATEADD.*|DATETRUNC.*|LASTDAY.*|HOLIDAY.*)$"));

/// The formal expression of one side of a range.
pub(super) fn formal_expression(text: &str, relative_start: Option<&str>) -> String {
    if let Some(m) = MODIFIED.as_ref().and_then(|re| re.captures(text)) {
        let group = |i: usize| m.get(i).map_or("", |g| g.as_str());
        let base = scoped(group(2), group(3), group(4), relative_start);
        let unit = group(4).to_lowercase();
        return if group(1).eq_ignore_ascii_case("end of") {
            format!("LASTDAY({base}, {unit})")
        } else {
            format!("DATETRUNC({base}, {unit})")
        };
    }
    if let Some(m) = SCOPED.as_ref().and_then(|re| re.captures(text)) {
        let group = |i: usize| m.get(i).map_or("", |g| g.as_str());
        return scoped(group(1), group(2), group(3), relative_start);
    }
    if FORMAL.as_ref().is_some_and(|re| re.is_match(text)) {
        return text.to_owned();
    }
    format!("DATETIME('{text}')")
}

fn scoped(scope: &str, count: &str, unit: &str, relative_start: Option<&str>) -> String {
    let base = relative_start.unwrap_or_else(|| match unit.to_ascii_lowercase().as_str() {
        "second" | "minute" | "hour" => "now",
        _ => "today",
    });
    let count = match count.trim_start_matches('0') {
        "" if count.is_empty() => "1",
        "" => "0",
        digits => digits,
    };
    match scope.to_ascii_lowercase().as_str() {
        "this" => format!("DATETIME('{base}')"),
        "next" => format!("DATEADD(DATETIME('{base}'), {count}, {unit})"),
        _ => format!("DATEADD(DATETIME('{base}'), -{count}, {unit})"),
    }
}
