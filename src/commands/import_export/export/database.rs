//! Databases in a bundle (`superset.commands.database.export`): never a password, never what is encrypted.

use daos::database::{self, Database, SshTunnel};
use infra::{
    Result, file_name,
    yaml::{Map, Yaml, json_loads},
};

use super::{
    super::document::{DATABASE, VERSION, decode, put},
    Export,
};
use crate::connect::{secrets, uri::MASK};

impl Export<'_> {
    /// Databases, each with its datasets.
    pub(super) async fn databases(&mut self, ids: &[i64], related: bool) -> Result<()> {
        let rows = database::find_many(self.db, ids).await?;
        for id in ids {
            let Some(database) = rows.get(id) else { continue };
            let mut map = renamed(fields(database));
            self.tunnel(database, &mut map);
            put(&mut map, "version", VERSION);
            let folder = file_name::without_id(&database.database_name, database.id);
            self.file(&format!("databases/{folder}.yaml"), map)?;
            if !related {
                continue;
            }
            let datasets = daos::dataset::ids_of_database(self.db, *id).await?;
            for chunk in datasets.chunks(super::CHUNK) {
                let rows = self.dataset_rows(chunk, true).await?;
                for dataset in chunk.iter().filter_map(|id| rows.get(id)) {
                    let name = file_name::without_id(&dataset.table_name(), dataset.id());
                    self.file(&format!("datasets/{folder}/{name}.yaml"), dataset.document(false))?;
                }
            }
        }
        Ok(())
    }

    /// A database beside its datasets: under the names that its columns have today.
    pub(super) fn related_database(&mut self, database: &Database) -> Result<()> {
        let name = file_name::without_id(&database.database_name, database.id);
        let path = format!("databases/{name}.yaml");
        if self.is_seen(&path) {
            return Ok(());
        }
        let mut map = fields(database);
        decode(&mut map, &["extra"]);
        self.tunnel(database, &mut map);
        put(&mut map, "version", VERSION);
        self.file(&path, map)
    }

    /// A database beside a saved query: without its tunnel.
    pub(super) fn database_of_query(&mut self, database: &Database) -> Result<()> {
        let mut map = fields(database);
        decode(&mut map, &["extra"]);
        put(&mut map, "version", VERSION);
        self.file(&format!("databases/{}.yaml", file_name::secure(&database.database_name)), map)
    }

    fn tunnel(&self, database: &Database, map: &mut Map) {
        if let Some(tunnel) = &database.ssh_tunnel {
            put(map, "ssh_tunnel", self.masked(tunnel));
        }
    }

    /// `mask_password_info`.
    fn masked(&self, tunnel: &SshTunnel) -> Map {
        let mut map = Map::new();
        put(&mut map, "server_address", tunnel.server_address.clone());
        put(&mut map, "server_port", tunnel.server_port);
        let username = tunnel.username.as_deref().and_then(|v| secrets::decrypt(&self.caller.app, v));
        put(&mut map, "username", username);
        for (key, secret) in [
            ("password", &tunnel.password),
            ("private_key", &tunnel.private_key),
            ("private_key_password", &tunnel.private_key_password),
        ] {
            if secret.is_some() {
                put(&mut map, key, MASK);
            }
        }
        map
    }
}

fn fields(database: &Database) -> Map {
    let of = |name: &str| -> Yaml {
        match name {
            "database_name" => database.database_name.as_str().into(),
            "sqlalchemy_uri" => database.sqlalchemy_uri.as_str().into(),
            "cache_timeout" => database.cache_timeout.into(),
            "expose_in_sqllab" => database.expose_in_sqllab.into(),
            "allow_run_async" => database.allow_run_async.into(),
            "allow_ctas" => database.allow_ctas.into(),
            "allow_cvas" => database.allow_cvas.into(),
            "allow_dml" => database.allow_dml.into(),
            "allow_file_upload" => database.allow_file_upload.into(),
            "extra" => database.extra.clone().into(),
            _ => database.impersonate_user.into(),
        }
    };
    let mut map: Map = DATABASE.iter().map(|name| ((*name).into(), of(name))).collect();
    put(&mut map, "uuid", database.uuid.map(|u| u.to_string()));
    map
}

/// The names that the format was made with: uploads were of CSV files only then.
fn renamed(map: Map) -> Map {
    let mut map: Map = map
        .into_iter()
        .map(|(key, value)| match key.as_str() {
            Some("allow_file_upload") => ("allow_csv_upload".into(), value),
            _ => (key, value),
        })
        .collect();
    if let Some(Yaml::Text(text)) = map.get("extra").filter(|e| e.truthy()) {
        // what cannot be read is nothing
        let mut extra = json_loads(text).filter(|e| e.as_map().is_some()).unwrap_or_else(Yaml::map);
        if let Some(extra) = extra.as_map_mut() {
            let old = "schemas_allowed_for_csv_upload";
            if let Some(list) = extra.get(old).and_then(Yaml::as_str).and_then(json_loads) {
                put(extra, old, list);
            }
            if let Some(list) = extra.shift_remove("schemas_allowed_for_file_upload") {
                put(extra, old, list);
            }
        }
        put(&mut map, "extra", extra);
    }
    map
}
