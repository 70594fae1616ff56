//! SSH tunnels of connections (`superset.commands.database.ssh_tunnel`). liteset keeps and shows the rows of an
//! existing installation and deletes them, but opens no tunnel: a connection that asks for one is refused.

use infra::{
    Error, Result,
    db::{Executor, Sql},
    engines::url::Url,
};
use serde_json::Value;

use super::test::Fields;
use crate::Services;

/// The tunnel that a body asks for.
pub fn wanted(fields: &Fields) -> Option<&Value> {
    fields.get("ssh_tunnel").filter(|t| t.as_object().is_some_and(|o| !o.is_empty()))
}

/// 400 while the flag is off or no port is known; with both, the refusal that liteset opens no tunnels.
pub fn raise_unless_possible(app: &Services, _tunnel: &Value, url: &Url) -> Result<()> {
    if !app.config.flag("SSH_TUNNELING") {
        return Err(Error::bad_request("SSH Tunneling is not enabled"));
    }
    if url.port.is_none() {
        return Err(Error::bad_request("A database port is required when connecting via SSH Tunnel."));
    }
    Err(Error::bad_request(
        "liteset opens no SSH tunnels in this version: forward the port with ssh -L and connect to it",
    ))
}

/// Takes the tunnel of a database away; false when it has none.
pub async fn delete(app: &Services, db: &dyn Executor, database_id: i64) -> Result<bool> {
    let there =
        db.first(Sql::new("SELECT id FROM ssh_tunnels WHERE database_id = ?").bind(database_id)).await?;
    if there.is_none() {
        return Ok(false);
    }
    if !app.config.flag("SSH_TUNNELING") {
        return Err(Error::bad_request("SSH Tunneling is not enabled"));
    }
    db.execute(Sql::new("DELETE FROM ssh_tunnels WHERE database_id = ?").bind(database_id)).await?;
    Ok(true)
}
