//! Databases of a bundle (`superset.commands.database.importers.v1.utils`).

use std::collections::HashSet;

use daos::{
    access_rows,
    database::{self, Database},
    imported,
    tables::{DBS, SSH_TUNNELS},
    write::Values,
};
use infra::{
    Error, Result,
    engine_specs::url::Url,
    yaml::{Map, Yaml, json_dumps},
};

use super::{
    Importer,
    failure::import_failed,
    rows::{self, string_field, values},
    schema::uuid,
};
use crate::{
    connect::{
        secrets,
        uri::{MASK, refusal},
    },
    database::permissions,
};

/// `export_fields` and `extra_import_fields` that are plain columns.
const FIELDS: &[&str] = &[
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
    /// Makes a database, or changes it where `overwrite` says so; its key.
    pub(super) async fn database(&mut self, mut map: Map, overwrite: bool) -> Result<i64> {
        let can_write = self.can_write("Database");
        let existing = match uuid(string_field(&map, "uuid")) {
            Some(uuid) => imported::id_of(self.db, &DBS, uuid).await?,
            None => None,
        };
        match existing {
            Some(id) if !overwrite || !can_write => return Ok(id),
            None if !can_write => {
                let text = "Database doesn't exist and user doesn't have permission to create databases";
                return Err(import_failed(text));
            }
            _ => {}
        }
        let uri = string_field(&map, "sqlalchemy_uri").trim().to_owned();
        let url = Url::parse(&uri).ok_or_else(|| Error::internal("the connection string cannot be read"))?;
        if let Some(text) = refusal(&self.caller.app.config, &url) {
            return Err(import_failed(&text));
        }
        let tunnel = map.shift_remove("ssh_tunnel").filter(Yaml::truthy);
        let values = self.database_values(&mut map, &url)?;
        let unique: &[&[&str]] = &[&["database_name"], &["uuid"]];
        let found = rows::find(self.db, &DBS, &[], unique, &values).await?;
        let old = match found {
            Some(id) => database::find(self.db, id).await?,
            None => None,
        };
        let written = rows::write(self.db, &self.caller.user, &DBS, found, values).await?;
        if let Some(tunnel) = tunnel.as_ref().and_then(Yaml::as_map) {
            self.tunnel(written.id, tunnel).await?;
        }
        let new = database::find(self.db, written.id).await?.ok_or_else(Error::not_found)?;
        self.permissions_of(old.as_ref(), &new).await?;
        self.connections.push(new.id);
        Ok(new.id)
    }

    fn database_values(&self, map: &mut Map, url: &Url) -> Result<Values> {
        // the old name, which the schema has given it; a file without it fails in the original, too
        let flag = map.shift_remove("allow_csv_upload");
        map.insert("allow_file_upload".into(), flag.ok_or_else(|| Error::internal("allow_csv_upload"))?);
        let extra = map.get_mut("extra").ok_or_else(|| Error::internal("extra"))?;
        if let Some(extra) = extra.as_map_mut()
            && let Some(list) = extra.shift_remove("schemas_allowed_for_csv_upload")
        {
            extra.insert("schemas_allowed_for_file_upload".into(), list);
        }
        let text = json_dumps(extra).map_err(Error::internal)?;
        map.insert("extra".into(), text.into());
        let mut values = values(&DBS, map, FIELDS)?;
        let seal = |clear: Option<&str>| clear.map(|t| secrets::encrypt(&self.caller.app, t)).transpose();
        if let Some(secret) = map.get("encrypted_extra") {
            values.push(("encrypted_extra", seal(secret.as_str())?.into()));
        }
        // the string is stored without its password; the mask leaves what there is
        let password = match url.password.as_deref() {
            Some(MASK) => map.get("password").map(|p| p.as_str().map(str::to_owned)),
            other => Some(other.map(str::to_owned)),
        };
        if let Some(password) = password {
            values.push(("password", seal(password.as_deref())?.into()));
        }
        values.push(("sqlalchemy_uri", url.clone().masked().text().into()));
        Ok(values)
    }

    async fn tunnel(&self, database: i64, map: &Map) -> Result<()> {
        let mut values = values(&SSH_TUNNELS, map, &["server_address", "server_port"])?;
        for name in ["username", "password", "private_key", "private_key_password"] {
            if let Some(secret) = map.get(name) {
                let sealed = secret.as_str().map(|t| secrets::encrypt(&self.caller.app, t)).transpose()?;
                values.push((name, sealed.into()));
            }
        }
        values.push(("database_id", database.into()));
        let found = rows::find(self.db, &SSH_TUNNELS, &[], &[&["database_id"]], &values).await?;
        rows::write(self.db, &self.caller.user, &SSH_TUNNELS, found, values).await?;
        Ok(())
    }

    async fn permissions_of(&self, old: Option<&Database>, new: &Database) -> Result<()> {
        match old {
            Some(old) if old.database_name != new.database_name => {
                permissions::renamed(self.db, new, &old.database_name).await
            }
            Some(_) => Ok(()),
            None => Ok(access_rows::ensure(self.db, "database_access", &[new.perm()]).await?),
        }
    }

    /// Databases of a bundle that are referred to, by their UUIDs.
    pub(super) async fn databases(&mut self, wanted: Option<&[String]>, overwrite: bool) -> Result<()> {
        let wanted: Option<HashSet<&String>> = wanted.map(|wanted| wanted.iter().collect());
        for file in self.configs.known(super::AssetKind::Database) {
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&file.uuid)) {
                continue;
            }
            let map = self.configs.read(&file.name, super::AssetKind::Database)?;
            let id = self.database(map, overwrite).await?;
            if let Some(uuid) = database::find(self.db, id).await?.and_then(|d| d.uuid) {
                self.databases.insert(uuid.to_string(), id);
            }
            self.progress.done();
        }
        Ok(())
    }
}
