//! Saved queries and themes in a bundle (`superset.commands.query.export`, `superset.commands.theme.export`).

use daos::{
    Record, database,
    tables::{SAVED_QUERIES, THEMES},
};
use infra::{Result, file_name};

use super::{
    super::document::{SAVED_QUERY, THEME, VERSION, decode, put, value, with_uuid},
    Export, distinct, fatal, id_of,
};

impl Export<'_> {
    /// Saved queries, each with its database.
    pub(super) async fn saved_queries(&mut self, ids: &[i64], related: bool) -> Result<()> {
        let columns = [SAVED_QUERY, &["db_id"]].concat();
        let queries = self.rows(&SAVED_QUERIES, &columns, ids).await?;
        let of = |query: &Record| query.get::<i64>("db_id");
        let databases = distinct(queries.iter().filter_map(of));
        let databases = database::find_many(self.db, &databases).await?;
        for query in &queries {
            let database = of(query).and_then(|id| databases.get(&id)).ok_or_else(fatal)?;
            let mut map = with_uuid(query, &SAVED_QUERIES, SAVED_QUERY);
            put(&mut map, "version", VERSION);
            put(&mut map, "database_uuid", database.uuid.map(|u| u.to_string()));
            let folder = file_name::secure(&database.database_name);
            let mut name = file_name::secure(&query.text("label"));
            if name.is_empty() {
                name = value(query, &SAVED_QUERIES, "uuid").as_str().unwrap_or_default().to_owned();
            }
            let path = match query.get::<String>("schema") {
                Some(schema) => format!("queries/{folder}/{}/{name}.yaml", file_name::secure(&schema)),
                None => format!("queries/{folder}/{name}.yaml"),
            };
            self.file(&path, map)?;
            if related {
                self.database_of_query(database)?;
            }
        }
        Ok(())
    }

    pub(super) async fn themes(&mut self, ids: &[i64]) -> Result<()> {
        for theme in self.rows(&THEMES, THEME, ids).await? {
            let mut map = with_uuid(&theme, &THEMES, THEME);
            decode(&mut map, &["json_data"]);
            put(&mut map, "version", VERSION);
            let name = file_name::without_id(&theme.text("theme_name"), id_of(&theme));
            self.file(&format!("themes/{name}.yaml"), map)?;
        }
        Ok(())
    }
}
