//! Connections that liteset makes itself: to its examples, and to a file that takes what people upload.

use std::{
    fs::{DirBuilder, File},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
};

use chrono::NaiveDateTime;
use daos::{database, rows, view_menu};
use infra::{
    Error, Result,
    config::Config,
    db::{Db, Executor, Value},
};
use uuid::Uuid;

use crate::state::local_files::{KEY, folder};

/// `dbs.extra` of a new database, as Superset writes it.
const EXTRA: &str = "{\n    \"metadata_params\": {},\n    \"engine_params\": {},\n    \
                     \"metadata_cache_timeout\": {},\n    \"schemas_allowed_for_file_upload\": []\n}\n";

/// The connection for uploads.
const UPLOADS: &str = "uploads";

/// What is particular about one of them.
pub(crate) struct Own<'a> {
    /// Its name.
    pub name: &'static str,
    /// Its uuid.
    pub uuid: Uuid,
    /// The schema of its tables.
    pub schema: &'a str,
    /// Files may become tables in it.
    pub takes_files: bool,
}

impl Own<'_> {
    /// Writes the row, beside the values that say where the database is, and its permissions.
    pub async fn insert(
        &self,
        exec: &dyn Executor,
        mut values: Vec<(&'static str, Value)>,
        owner: Option<i64>,
        now: NaiveDateTime,
    ) -> Result<i64> {
        values.extend([
            ("database_name", self.name.into()),
            ("extra", EXTRA.into()),
            ("expose_in_sqllab", true.into()),
            ("uuid", self.uuid.into()),
            ("configuration_method", "sqlalchemy_form".into()),
            ("allow_file_upload", self.takes_files.into()),
        ]);
        for off in [
            "allow_run_async",
            "allow_ctas",
            "allow_cvas",
            "allow_dml",
            "impersonate_user",
            "select_as_create_table_as",
            "is_managed_externally",
        ] {
            values.push((off, false.into()));
        }
        values.extend(audit(now, owner));
        let id = database::insert(exec, values).await?;
        view_menu::ensure(exec, "database_access", &format!("[{}].(id:{id})", self.name)).await?;
        view_menu::ensure(exec, "schema_access", &format!("[{}].[{}]", self.name, self.schema)).await?;
        Ok(id)
    }
}

/// Columns of Superset's audit mix-in.
pub(crate) fn audit(now: NaiveDateTime, owner: Option<i64>) -> [(&'static str, Value); 4] {
    [
        ("created_on", now.into()),
        ("changed_on", now.into()),
        ("created_by_fk", owner.into()),
        ("changed_by_fk", owner.into()),
    ]
}

/// The folder of files that may be connected, with a database for uploads in it. What is there already is left alone.
pub async fn make_uploads(db: &Db, config: &Config, owner: i64) -> Result<()> {
    if rows::has(db, "dbs", "database_name", UPLOADS).await? {
        return Ok(());
    }
    let named = config.str(KEY);
    if !named.is_empty() {
        DirBuilder::new().recursive(true).mode(0o700).create(named).map_err(Error::internal)?;
    }
    let Some(folder) = folder(config) else { return Ok(()) };
    let file = folder.join("uploads.db");
    // an empty file is an empty database of SQLite
    match File::options().write(true).create_new(true).mode(0o600).open(&file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(Error::internal(error)),
        _ => {}
    }
    let own = Own { name: UPLOADS, uuid: Uuid::new_v4(), schema: "main", takes_files: true };
    let uri = format!("sqlite:///{}", file.display());
    let now = chrono::Local::now().naive_local();
    let tx = db.begin().await?;
    own.insert(tx.exec(), vec![("sqlalchemy_uri", uri.into())], Some(owner), now).await?;
    tx.commit().await?;
    Ok(())
}
