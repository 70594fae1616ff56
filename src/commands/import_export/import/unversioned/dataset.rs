//! Datasets without version: a list as the interface exported them, or databases with theirs as the command line did.

use daos::{database, person::Owned, tables::DBS};
use infra::{
    Error, Result,
    engine_specs::url::Url,
    json_error::json_error,
    yaml::{Map, Yaml, json_dumps, json_loads},
};

use super::{
    super::{
        DatasetRef, Importer,
        failure::{exception, import_failed},
        rows::{self, string_field, values},
        schema::class_of,
    },
    mapping,
};
use crate::{
    connect::{
        secrets,
        uri::{MASK, refusal},
    },
    database::permissions,
};

const DATABASE_FIELDS: &[&str] = &[
    "uuid",
    "database_name",
    "cache_timeout",
    "expose_in_sqllab",
    "allow_run_async",
    "allow_ctas",
    "allow_cvas",
    "allow_dml",
    "allow_file_upload",
    "extra",
    "impersonate_user",
    "is_managed_externally",
    "external_url",
];

impl Importer<'_> {
    pub(super) async fn old_datasets(&mut self, document: Yaml, sync: (bool, bool)) -> Result<()> {
        match document {
            Yaml::List(items) => {
                for item in items {
                    let class = class_of(&item);
                    let Yaml::Map(map) = item else {
                        return Err(exception(match class {
                            "str" => "string indices must be integers, not 'str'".to_owned(),
                            class => format!("'{class}' object is not subscriptable"),
                        }));
                    };
                    let params = string_field(&map, "params");
                    if let Some(message) = json_error(params) {
                        return Err(exception(message));
                    }
                    let params = mapping(json_loads(params).unwrap_or_default(), "params")?;
                    let name = string_field(&params, "database_name");
                    let found = database::find_by_name(self.db, name).await?;
                    let found = found.ok_or_else(|| exception("No row was found when one was required"))?;
                    self.old_dataset(map, found.id, sync).await?;
                }
                Ok(())
            }
            Yaml::Map(mut map) => match map.shift_remove("databases") {
                Some(Yaml::List(databases)) => {
                    for database in databases {
                        let mut map = mapping(database, "a database")?;
                        let tables = map.shift_remove("tables");
                        let id = self.old_database(map).await?;
                        for table in tables.as_ref().and_then(Yaml::as_list).unwrap_or_default() {
                            self.old_dataset(mapping(table.clone(), "a table")?, id, sync).await?;
                        }
                    }
                    Ok(())
                }
                other => {
                    let class = other.as_ref().map_or("NoneType", class_of);
                    Err(exception(format!("'{class}' object is not iterable")))
                }
            },
            _ => Ok(()),
        }
    }

    async fn old_dataset(&mut self, map: Map, database: i64, sync: (bool, bool)) -> Result<DatasetRef> {
        if !self.can_write("Dataset") {
            let text = "Dataset doesn't exist and user doesn't have permission to create datasets";
            return Err(import_failed(text));
        }
        let mut map = map;
        // texts are JSON already; what is none becomes it
        for key in ["params", "template_params", "extra"] {
            as_text(&mut map, key);
        }
        for key in ["columns", "metrics"] {
            let children = map.get_mut(key).and_then(Yaml::as_list_mut).into_iter().flatten();
            children.filter_map(Yaml::as_map_mut).for_each(|child| as_text(child, "extra"));
        }
        let found = self.find_dataset(&map, database).await?;
        if let Some(id) = found
            && !self.owns(Owned::Dataset, id).await?
        {
            let text = "A dataset already exists and user doesn't have permissions to overwrite it";
            return Err(import_failed(text));
        }
        self.write_dataset(map, database, found, sync).await
    }

    async fn old_database(&mut self, mut map: Map) -> Result<i64> {
        as_text(&mut map, "extra");
        let mut row = values(&DBS, &map, DATABASE_FIELDS)?;
        let unique: &[&[&str]] = &[&["database_name"], &["uuid"]];
        let found = rows::find(self.db, &DBS, &[], unique, &row).await?;
        if !self.can_write("Database") {
            return found.ok_or_else(|| {
                import_failed("Database doesn't exist and user doesn't have permission to create databases")
            });
        }
        if let Some(uri) = map.get("sqlalchemy_uri").and_then(Yaml::as_str) {
            let url =
                Url::parse(uri.trim()).ok_or_else(|| Error::internal("Database parameters are invalid."))?;
            if let Some(text) = refusal(&self.caller.app.config, &url) {
                return Err(import_failed(&text));
            }
            // the password has a column of its own; the original leaves it in the string
            if let Some(password) = url.password.as_deref().filter(|p| *p != MASK) {
                row.push(("password", secrets::encrypt(&self.caller.app, password)?.into()));
            }
            row.push(("sqlalchemy_uri", url.masked().text().into()));
        }
        let old = match found {
            Some(id) => database::find(self.db, id).await?,
            None => None,
        };
        let written = rows::write(self.db, &self.caller.user, &DBS, found, row).await?;
        let new = database::find(self.db, written.id).await?.ok_or_else(Error::not_found)?;
        match &old {
            Some(old) if old.database_name != new.database_name => {
                permissions::renamed(self.db, &new, &old.database_name).await?;
            }
            Some(_) => {}
            None => permissions::created(self.db, &new, &Vec::new()).await?,
        }
        self.connections.push(new.id);
        Ok(written.id)
    }
}

/// A value that is no text as JSON.
fn as_text(map: &mut Map, key: &str) {
    if let Some(value) = map.get_mut(key).filter(|v| !v.is_null() && v.as_str().is_none())
        && let Ok(text) = json_dumps(value)
    {
        *value = text.into();
    }
}
