//! What the page starts from (`bootstrap_sqllab_data`).

use daos::{database, tab_state};
use infra::Result;
use serde_json::{Map, Value, json};

use super::tabs;
use crate::{Caller, Services, access::lists};

/// `{tab_state_ids, active_tab, databases}`.
pub async fn bootstrap(caller: &Caller) -> Result<Value> {
    let db = caller.app.db.exec();
    let mut databases = Map::new();
    for database in database::find_all(db, lists::databases(&caller.user, "d")).await? {
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
    if let Some(user_id) =
        caller.user.user_id().filter(|_| caller.app.config.flag("SQLLAB_BACKEND_PERSISTENCE"))
    {
        let all = tab_state::labels_of(db, user_id).await?;
        labels = all.into_iter().map(|(id, label)| json!({"id": id, "label": label})).collect();
        if let Some(tab) = tab_state::active_of(db, user_id).await? {
            active = tabs::describe(&caller.app, &tab).await?;
        }
    }
    Ok(json!({"tab_state_ids": labels, "active_tab": active, "databases": databases}))
}

/// The state of a link of old (`kv:<id>`, table `keyvalue`).
pub async fn old_link(app: &Services, id: &str) -> Result<Option<Value>> {
    let Ok(id) = id.parse::<i64>() else { return Ok(None) };
    let text = daos::key_value::old_link(app.db.exec(), id).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
