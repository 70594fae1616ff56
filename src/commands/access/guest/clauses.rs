//! SQL conditions that a chart brings along (`extras.where`, `extras.having`).

use infra::sql::spelling;
use query::dataset::Dataset;

/// The conditions of one kind.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    /// What the SQL filters of the chart say, one each.
    parts: Vec<Vec<String>>,
    /// Whole clauses, as stored queries have them.
    whole: Vec<Vec<String>>,
}

impl Clauses {
    /// A SQL filter of the chart.
    pub(super) fn add_part(&mut self, sql: &str, dataset: &Dataset) {
        let part = spelling(sql, &dataset.engine.engine);
        // behind a comment the frontend ends the line (`sanitizeClause`)
        if sql.contains("--") {
            self.parts.push(spelling(&format!("{sql}\n"), &dataset.engine.engine));
        }
        self.parts.push(part);
    }

    /// A clause of a stored query.
    pub(super) fn add_whole(&mut self, sql: &str, dataset: &Dataset) {
        self.whole.push(spelling(sql, &dataset.engine.engine));
    }

    /// Whether a clause is one of the chart's, or made of its filters as the frontend makes it: `(a) AND (b)`. Filters
    /// may be left out: they hide nothing, rules do.
    pub(super) fn allow(&self, sql: Option<&str>, dataset: &Dataset) -> bool {
        let asked = spelling(sql.unwrap_or_default(), &dataset.engine.engine);
        let is_blank = asked.iter().all(String::is_empty);
        is_blank || self.whole.contains(&asked) || self.is_joined(&asked)
    }

    fn is_joined(&self, asked: &[String]) -> bool {
        // the places where a filter may begin; each is looked at once
        let mut seen = vec![false; asked.len() + 1];
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let is_new = seen.get_mut(at).is_some_and(|seen| !std::mem::replace(seen, true));
            let Some(rest) = asked.get(at..).filter(|_| is_new) else { continue };
            for part in &self.parts {
                let Some(behind) = in_parentheses(rest, part) else { continue };
                match behind.split_first() {
                    None => return true,
                    Some((and, more)) if and.eq_ignore_ascii_case("and") => {
                        open.push(asked.len() - more.len())
                    }
                    Some(_) => {}
                }
            }
        }
        false
    }
}

/// What comes behind `(part)` at the beginning.
fn in_parentheses<'a>(text: &'a [String], part: &[String]) -> Option<&'a [String]> {
    let inside = text.split_first().filter(|(first, _)| *first == "(")?.1;
    inside.strip_prefix(part)?.split_first().filter(|(last, _)| *last == ")").map(|(_, behind)| behind)
}
