//! What the caller's grants say about whole classes of data, before any object is looked at.

use crate::state::Principal;

impl Principal {
    /// `can_access_all_databases`.
    pub fn all_databases(&self) -> bool {
        self.can_access("all_database_access", "all_database_access")
    }
    /// `can_access_all_datasources`: all databases, or all datasets.
    pub fn all_datasources(&self) -> bool {
        self.all_databases() || self.can_access("all_datasource_access", "all_datasource_access")
    }
    /// `can_access_all_queries`.
    pub fn all_queries(&self) -> bool {
        self.can_access("all_query_access", "all_query_access")
    }
    /// View menus that list filters look at (`user_view_menu_names`), sorted; a guest has none there, whatever the
    /// guest role grants, because the original asks by user id.
    pub fn listed_view_menus(&self, permission: &str) -> Vec<&str> {
        if self.guest.is_some() {
            return Vec::new();
        }
        let mut names = self.view_menus(permission);
        names.sort_unstable();
        names
    }
    /// Ids of the databases named in `database_access` grants: `[name].(id:7)`.
    pub fn granted_database_ids(&self) -> Vec<i64> {
        self.listed_view_menus("database_access").into_iter().filter_map(database_id_of_perm).collect()
    }
    /// Names of databases of which something is granted: the first bracket of catalog, schema and dataset grants.
    pub fn granted_database_names(&self) -> Vec<String> {
        let mut names: Vec<String> = ["catalog_access", "schema_access", "datasource_access"]
            .into_iter()
            .flat_map(|permission| self.listed_view_menus(permission))
            .filter_map(first_bracket)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// `[name].(id:7)` → 7.
fn database_id_of_perm(view_menu: &str) -> Option<i64> {
    let (name, id) = view_menu.strip_suffix(')')?.rsplit_once("].(id:")?;
    if name.len() < 2 || !name.starts_with('[') || !id.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    id.parse().ok()
}

/// What stands before the first dot, without its first and last character, as the original cuts it; a database
/// whose name contains a dot is therefore not found this way.
fn first_bracket(view_menu: &str) -> Option<String> {
    let head = view_menu.split('.').next()?;
    let inner: Vec<char> = head.chars().collect();
    (inner.len() >= 2).then(|| inner.get(1..inner.len() - 1).unwrap_or_default().iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_as_the_original_cuts_them() {
        assert_eq!(database_id_of_perm("[a].(id:12)"), Some(12));
        assert_eq!(database_id_of_perm("[a.b].(id:3)"), Some(3));
        assert_eq!(database_id_of_perm("[].(id:3)"), None);
        assert_eq!(database_id_of_perm("[a].(id:x)"), None);
        assert_eq!(database_id_of_perm("all_database_access"), None);
        assert_eq!(first_bracket("[examples].[main]").as_deref(), Some("examples"));
        assert_eq!(first_bracket("[examples].[t](id:3)").as_deref(), Some("examples"));
        assert_eq!(first_bracket(""), None);
    }
}
