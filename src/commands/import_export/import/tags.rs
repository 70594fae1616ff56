//! Tags of charts and dashboards in a bundle (`superset.commands.importers.v1.utils:import_tag`).

use std::collections::HashMap;

use daos::{rows, tables::TAGS, tag, tagged_object, write};
use infra::{
    Result,
    yaml::{Yaml, load},
};

use super::{Importer, contents::Contents};
use crate::tag::ObjectType;

/// What `tags.yaml` says of tags; nothing where it cannot be read.
pub(super) fn descriptions(contents: &Contents) -> Result<HashMap<String, Option<String>>> {
    let document = load(&contents.text("tags.yaml")?).unwrap_or_default();
    let tags = document.get("tags").and_then(Yaml::as_list).unwrap_or_default();
    let described = tags.iter().filter_map(|tag| {
        let name = tag.get("tag_name")?.as_str().filter(|n| !n.is_empty())?;
        Some((name.to_owned(), tag.get("description").and_then(Yaml::as_str).map(str::to_owned)))
    });
    Ok(described.collect())
}

impl Importer<'_> {
    /// An object has these tags and no others afterwards.
    pub(super) async fn tag(&self, kind: ObjectType, id: i64, tags: &Yaml) -> Result<()> {
        let object = (kind.name(), id);
        let me = self.caller.user.user_id();
        let before = tag::of_object(self.db, kind.name(), id).await?;
        let mut now = Vec::new();
        for name in tags.as_list().unwrap_or_default().iter().filter_map(Yaml::as_str) {
            let known = tag::find_by_name(self.db, name).await?;
            let found = match known {
                Some(found) => found,
                None => {
                    let description = self.tag_descriptions.get(name).cloned().flatten();
                    let values = vec![
                        ("name", name.into()),
                        ("description", description.into()),
                        ("type", "custom".into()),
                    ];
                    rows::key(&write::insert(self.db, &TAGS, values, me).await?)?
                }
            };
            tagged_object::attach(self.db, found, object, me).await?;
            now.push(found);
        }
        for gone in before.iter().map(|t| t.id).filter(|id| !now.contains(id)) {
            tagged_object::detach(self.db, gone, object).await?;
        }
        Ok(())
    }
}
