//! What the page starts from (`bootstrap_sqllab_data`).

use daos::{database, tab_state};
use infra::Result;
use serde_json::{Map, Value, json};

use super::tabs;
use crate::{Principal, Services, access::lists};

/// `{tab_state_ids, active_tab, databases}`.
pub async fn bootstrap(app: &Services, user: &Principal) -> Result<Value> {
    let db = app.db.exec();
    let mut databases = Map::new();
    for database in database::find_all(db, lists::databases(user, "d")).await? {
        let shown = json!({
            "id": database.id,
            "database_name": database.database_name,
            "expose_in_sqllab": database.expose_in_sqllab,
            "allow_run_async": database.allow_run_async,
            "allow_file_upload": database.allow_file_upload,
            "allow_ctas": database.allow_ctas,
            "allow_cvas": database.allow_cvas,
            "allow_dml": database.allow_dml,
            "force_ctas_schema": database.force_ctas_schema,
            "backend": database.backend(),
        });
        databases.insert(database.id.to_string(), shown);
    }
    let (mut labels, mut active) = (Vec::new(), Value::Null);
    if let Some(user_id) = user.user_id().filter(|_| app.config.flag("SQLLAB_BACKEND_PERSISTENCE")) {
        let all = tab_state::labels_of(db, user_id).await?;
        labels = all.into_iter().map(|(id, label)| json!({"id": id, "label": label})).collect();
        if let Some(tab) = tab_state::active_of(db, user_id).await? {
            active = tabs::describe(app, &tab).await?;
        }
    }
    Ok(json!({"tab_state_ids": labels, "active_tab": active, "databases": databases}))
}

/// The state of a link of old (`kv:<id>`, table `keyvalue`).
pub async fn old_link(app: &Services, id: &str) -> Result<Option<Value>> {
    let Ok(id) = id.parse::<i64>() else { return Ok(None) };
    let sql = infra::db::Sql::new("SELECT value FROM keyvalue WHERE id = ?").bind(id);
    let Some(row) = app.db.exec().first(sql).await? else { return Ok(None) };
    let text: Option<String> = row.at(0)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
