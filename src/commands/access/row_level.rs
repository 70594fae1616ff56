//! Row-level security: which clauses apply to a caller on a dataset. Admins are not exempt.

use indexmap::IndexMap;
use infra::config::Config;
use serde_json::Value;

use crate::state::Principal;

/// A clause that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRule {
    /// `row_level_security_filters.id`.
    pub id: i64,
    /// Rules of the same group are alternatives.
    pub group_key: Option<String>,
    /// SQL condition, before templates are rendered.
    pub clause: String,
}

/// All clauses that apply to a caller on a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowRules {
    /// Stored rules in the order of their ids.
    pub rules: Vec<RowRule>,
    /// Clauses of the guest's token.
    pub guest: Vec<String>,
}

impl RowRules {
    /// True when nothing restricts the rows.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.guest.is_empty()
    }

    /// Adds the rules of another dataset for the same table. Groups of one dataset are no alternatives to those of
    /// another.
    pub fn add(&mut self, dataset_id: i64, other: &Self) {
        for rule in &other.rules {
            if self.rules.iter().all(|known| known.id != rule.id) {
                let group = rule.group_key.as_deref().filter(|key| !key.is_empty());
                let group_key = group.map(|key| format!("{key} of {dataset_id}"));
                self.rules.push(RowRule { group_key, ..rule.clone() });
            }
        }
        for clause in &other.guest {
            if !self.guest.contains(clause) {
                self.guest.push(clause.clone());
            }
        }
    }

    /// Part of every cache key (`get_rls_cache_key`).
    pub fn cache_key(&self) -> Vec<String> {
        let stored =
            self.rules.iter().map(|r| format!("{}-{}", r.clause, r.group_key.as_deref().unwrap_or("")));
        self.guest.iter().cloned().chain(stored).collect()
    }

    /// The clauses that templates may show: a guest's own, or the stored ones (`current_user_rls_rules`).
    pub fn visible(&self, user: &Principal, config: &Config) -> Vec<String> {
        match user.guest_if_enabled(config) {
            Some(_) => self.guest.clone(),
            None => self.rules.iter().map(|r| r.clause.clone()).collect(),
        }
    }

    /// The conditions, to be joined by AND: each clause rendered and in parentheses, ungrouped ones first, then the
    /// guest's, then one alternative per group.
    pub fn conditions<E>(&self, mut render: impl FnMut(&str) -> Result<String, E>) -> Result<Vec<String>, E> {
        let mut conditions = Vec::new();
        let mut groups: IndexMap<&str, Vec<String>> = IndexMap::new();
        for rule in &self.rules {
            let clause = format!("({})", render(&rule.clause)?);
            match rule.group_key.as_deref() {
                Some(key) if !key.is_empty() => groups.entry(key).or_default().push(clause),
                _ => conditions.push(clause),
            }
        }
        for clause in &self.guest {
            conditions.push(format!("({})", render(clause)?));
        }
        for (_, clauses) in groups {
            conditions.push(match clauses.as_slice() {
                [one] => one.clone(),
                many => format!("({})", many.join(" OR ")),
            });
        }
        Ok(conditions)
    }
}

/// Clauses of the guest's token for a dataset; a rule without a dataset is for all of them.
pub(crate) fn guest_clauses(config: &Config, user: &Principal, dataset_id: i64) -> Vec<String> {
    let Some(guest) = user.guest_if_enabled(config) else { return Vec::new() };
    let applies = |rule: &&Value| match rule.get("dataset") {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::String(s)) => s.is_empty() || *s == dataset_id.to_string(),
        Some(Value::Number(n)) => n.as_f64() == Some(0.0) || n.to_string() == dataset_id.to_string(),
        Some(_) => false,
    };
    // a rule whose clause is no text cannot be honoured: it must hide rows, not show them
    let clause = |rule: &Value| rule.get("clause").and_then(Value::as_str).unwrap_or("1 = 0").to_owned();
    guest.rls_rules.iter().filter(applies).map(clause).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::GuestToken;

    fn rule(id: i64, group: Option<&str>, clause: &str) -> RowRule {
        RowRule { id, group_key: group.map(str::to_owned), clause: clause.to_owned() }
    }

    #[test]
    fn groups_are_alternatives() {
        let rules = RowRules {
            rules: vec![
                rule(1, Some("g"), "a = 1"),
                rule(2, None, "b = 2"),
                rule(3, Some("g"), "a = 3"),
                rule(4, Some(""), "c = 4"),
            ],
            guest: vec!["d = 5".into()],
        };
        let conditions: Vec<String> = rules.conditions(|c| Ok::<_, ()>(c.to_owned())).unwrap();
        assert_eq!(conditions, ["(b = 2)", "(c = 4)", "(d = 5)", "((a = 1) OR (a = 3))"]);
        assert_eq!(rules.cache_key(), ["d = 5", "a = 1-g", "b = 2-", "a = 3-g", "c = 4-"]);
        assert_eq!(rules.conditions(|_| Err(7)), Err(7));
    }

    #[test]
    fn guests_carry_their_own_rules() {
        let user = Principal {
            guest: Some(GuestToken {
                user: json!({}),
                resources: vec![],
                rls_rules: vec![
                    json!({"clause": "all"}),
                    json!({"dataset": 7, "clause": "seven"}),
                    json!({"dataset": "8", "clause": "eight"}),
                    json!({"dataset": 7}),
                ],
            }),
            ..Principal::default()
        };
        assert!(guest_clauses(&Config::default(), &user, 7).is_empty(), "embedding is off");
        let config = embedding();
        assert_eq!(guest_clauses(&config, &user, 7), ["all", "seven", "1 = 0"]);
        assert_eq!(guest_clauses(&config, &user, 8), ["all", "eight"]);
    }

    fn embedding() -> Config {
        let flags = IndexMap::from([("FEATURE_FLAGS".to_owned(), json!({"EMBEDDED_SUPERSET": true}))]);
        Config::with(flags)
    }
}
