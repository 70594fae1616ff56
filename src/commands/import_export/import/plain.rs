//! Saved queries and themes of a bundle (`superset.commands.query.importers.v1.utils`,
//! `superset.commands.theme.import_themes`).

use std::collections::HashSet;

use daos::{
    imported,
    tables::{SAVED_QUERIES, THEMES},
};
use infra::{
    Error, Result,
    yaml::{Map, Yaml, json_dumps},
};

use super::{
    AssetKind, Importer,
    failure::import_failed,
    rows::{self, string_field, values},
    schema::uuid,
};
use crate::tag::ObjectType;

const QUERY_FIELDS: &[&str] = &["uuid", "catalog", "schema", "label", "description", "sql"];
const THEME_FIELDS: &[&str] = &["uuid", "theme_name", "json_data"];

impl Importer<'_> {
    /// Saved queries of a bundle whose databases were imported; `strict` fails for others.
    pub(super) async fn saved_queries(&mut self, overwrite: bool, strict: bool) -> Result<()> {
        for name in self.configs.files_of(AssetKind::SavedQuery) {
            let map = self.configs.read(&name, AssetKind::SavedQuery)?;
            match self.databases.get(string_field(&map, "database_uuid")).copied() {
                Some(database) => self.saved_query(&map, database, overwrite).await?,
                None if strict => return Err(Error::internal("a saved query without its database")),
                None => continue,
            }
            self.progress.done();
        }
        Ok(())
    }

    async fn saved_query(&self, map: &Map, database: i64, overwrite: bool) -> Result<()> {
        let existing = match uuid(string_field(map, "uuid")) {
            Some(uuid) => imported::id_of(self.db, &SAVED_QUERIES, uuid).await?,
            None => None,
        };
        if existing.is_some() && !overwrite {
            return Ok(());
        }
        let parent = [("db_id", database.into())];
        let mut row = values(&SAVED_QUERIES, map, QUERY_FIELDS)?;
        let found = rows::find(self.db, &SAVED_QUERIES, &parent, &[&["uuid"]], &row).await?;
        row.push(("db_id", database.into()));
        let written = rows::write(self.db, &self.caller.user, &SAVED_QUERIES, found, row).await?;
        self.implicit_tags(ObjectType::Query, written, &[]).await
    }

    /// Themes of a bundle; with `wanted`, only those. Their keys by UUID.
    pub(super) async fn themes(
        &mut self,
        wanted: Option<&[String]>,
        overwrite: bool,
    ) -> Result<Vec<(String, i64)>> {
        let mut themes = Vec::new();
        let wanted: Option<HashSet<&String>> = wanted.map(|wanted| wanted.iter().collect());
        for file in self.configs.known(AssetKind::Theme) {
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&file.uuid)) {
                continue;
            }
            let map = self.configs.read(&file.name, AssetKind::Theme)?;
            let given = uuid(string_field(&map, "uuid")).map(|u| u.to_string()).unwrap_or_default();
            themes.push((given, self.theme(map, overwrite).await?));
            self.progress.done();
        }
        Ok(themes)
    }

    async fn theme(&self, mut map: Map, overwrite: bool) -> Result<i64> {
        let can_write = self.can_write("Theme");
        let existing = match uuid(string_field(&map, "uuid")) {
            Some(uuid) => imported::id_of(self.db, &THEMES, uuid).await?,
            None => None,
        };
        match existing {
            Some(id) if !overwrite || !can_write => return Ok(id),
            None if !can_write => {
                let text = "Theme doesn't exist and user doesn't have permission to create themes";
                return Err(import_failed(text));
            }
            _ => {}
        }
        if let Some(data @ Yaml::Map(_)) = map.get("json_data") {
            let data = json_dumps(data).map_err(Error::internal)?;
            map.insert("json_data".into(), data.into());
        }
        let row = values(&THEMES, &map, THEME_FIELDS)?;
        let found = rows::find(self.db, &THEMES, &[], &[&["uuid"]], &row).await?;
        Ok(rows::write(self.db, &self.caller.user, &THEMES, found, row).await?.id)
    }
}
