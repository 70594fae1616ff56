//! SSH tunnels of connections (`superset.commands.database.ssh_tunnel`): their rows, and what an engine needs of them.

use std::time::Duration;

use daos::{
    database::{Database, SshTunnel, find_all},
    tables::SSH_TUNNELS,
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::{Executor, Sql},
    engines::{Gateway, Login, Source},
};
use serde_json::{Map, Value, json};

use super::{errors::command_error, secrets, test::Fields, uri::MASK};
use crate::{Principal, Services, access::lists};

const SECRETS: &[&str] = &["password", "private_key", "private_key_password"];

/// The tunnel that a body asks for.
pub fn wanted(fields: &Fields) -> Option<&Map<String, Value>> {
    fields.get("ssh_tunnel").and_then(Value::as_object).filter(|t| !t.is_empty())
}

fn raise_unless_enabled(app: &Services) -> Result<()> {
    if app.config.flag("SSH_TUNNELING") {
        return Ok(());
    }
    Err(Error::bad_request("SSH Tunneling is not enabled"))
}

/// 400 while the flag is off or no port is known.
pub fn raise_unless_possible(app: &Services, source: &Source) -> Result<()> {
    raise_unless_enabled(app)?;
    match source.port() {
        Some(_) => Ok(()),
        None => Err(Error::bad_request("A database port is required when connecting via SSH Tunnel.")),
    }
}

fn invalid() -> Error {
    command_error(422, "SSH Tunnel parameters are invalid.")
}

/// Parts of a tunnel in clear text, while a body is laid over a row.
#[derive(Clone, Default)]
struct Parts(Map<String, Value>);

impl Parts {
    fn of(app: &Services, row: &SshTunnel) -> Self {
        let clear =
            |stored: &Option<Vec<u8>>| json!(stored.as_deref().and_then(|v| secrets::decrypt(app, v)));
        Self(Map::from_iter([
            ("server_address".to_owned(), json!(row.server_address)),
            ("server_port".to_owned(), json!(row.server_port)),
            ("username".to_owned(), clear(&row.username)),
            ("password".to_owned(), clear(&row.password)),
            ("private_key".to_owned(), clear(&row.private_key)),
            ("private_key_password".to_owned(), clear(&row.private_key_password)),
        ]))
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str).filter(|t| !t.is_empty())
    }

    fn port(&self) -> Option<i64> {
        let port = self.0.get("server_port")?;
        port.as_i64().or_else(|| port.as_str()?.trim().parse().ok())
    }

    /// The body laid over what there was: masks stand for what is stored, a new key takes the password's place and the
    /// other way round (`UpdateSSHTunnelCommand`).
    fn changed(mut self, body: &Map<String, Value>) -> Self {
        let given = |key: &str| body.get(key).and_then(Value::as_str).is_some_and(|t| !t.is_empty());
        let (key, password) = (given("private_key"), given("password"));
        for (name, value) in body.iter().filter(|(name, _)| *name != "id") {
            if !(SECRETS.contains(&name.as_str()) && value == MASK) {
                self.0.insert(name.clone(), value.clone());
            }
        }
        if key {
            self.0.remove("password");
        }
        if password {
            self.0.remove("private_key");
            self.0.remove("private_key_password");
        }
        self
    }

    /// What `CreateSSHTunnelCommand` demands.
    fn check(self) -> Result<Self> {
        let known = self.text("server_address").is_some()
            && self.port().is_some_and(|p| u16::try_from(p).is_ok_and(|p| p > 0))
            && self.text("username").is_some()
            && (self.text("password").or(self.text("private_key"))).is_some()
            && (self.text("private_key_password").is_none() || self.text("private_key").is_some());
        if known { Ok(self) } else { Err(invalid()) }
    }

    fn gateway(&self, app: &Services) -> Option<Gateway> {
        let login = match (self.text("password"), self.text("private_key")) {
            (Some(password), _) => Login::Password(password.to_owned()),
            (None, Some(key)) => Login::Key {
                text: key.to_owned(),
                passphrase: self.text("private_key_password").map(str::to_owned),
            },
            (None, None) => return None,
        };
        let seconds = app.config.get("SSH_TUNNEL_TIMEOUT_SEC").as_f64().unwrap_or(10.0);
        Some(Gateway {
            host: self.text("server_address")?.to_owned(),
            port: self.port().and_then(|p| u16::try_from(p).ok())?,
            username: self.text("username").unwrap_or_default().to_owned(),
            login,
            patience: Duration::from_secs_f64(seconds.clamp(1.0, 120.0)),
        })
    }

    fn values(&self, app: &Services) -> Result<Values> {
        let sealed = |key: &str| self.text(key).map(|t| secrets::encrypt(app, t)).transpose();
        Ok(vec![
            ("server_address", self.text("server_address").into()),
            ("server_port", self.port().into()),
            ("username", sealed("username")?.into()),
            ("password", sealed("password")?.into()),
            ("private_key", sealed("private_key")?.into()),
            ("private_key_password", sealed("private_key_password")?.into()),
        ])
    }
}

/// The gateway of a row. A row that cannot be used is an error, never a direct connection.
pub fn gateway(app: &Services, row: &SshTunnel) -> Result<Gateway> {
    Parts::of(app, row)
        .gateway(app)
        .ok_or_else(|| command_error(422, "Must provide credentials for the SSH Tunnel"))
}

/// The gateway that a body asks for in front of a connection that is tested: with the secrets of the row that it
/// names, if its connection is visible to the caller.
pub async fn candidate(app: &Services, user: &Principal, body: &Map<String, Value>) -> Result<Gateway> {
    let mut parts = Parts::default();
    if let Some(id) = body.get("id").and_then(Value::as_i64)
        && let Some(row) = visible(app, user, id).await?
    {
        parts = Parts::of(app, &row);
        // only the secrets are restored; the rest is told by the body
        parts.0.retain(|key, _| body.get(key).is_some_and(|v| v == MASK));
    }
    parts.changed(body).check()?.gateway(app).ok_or_else(invalid)
}

async fn visible(app: &Services, user: &Principal, id: i64) -> Result<Option<SshTunnel>> {
    let mut condition = Sql::new("t.id = ");
    condition.push_bind(id);
    if let Some(seen) = lists::databases(user, "d") {
        condition.push(" AND ").append(seen);
    }
    let found = find_all(app.db.exec(), Some(condition)).await?;
    Ok(found.into_iter().next().and_then(|d| d.ssh_tunnel))
}

/// What a body does to the tunnel of a connection.
pub enum Change {
    /// Nothing.
    Keep,
    /// It is taken away.
    Delete,
    /// It is made or changed: the values of its row.
    Store(Values),
}

/// Reads what a body does to the tunnel of a connection, and lays it over the source that will be tried.
pub fn change(
    app: &Services,
    old: Option<&Database>,
    fields: &Fields,
    source: &mut Source,
) -> Result<Change> {
    let Some(body) = fields.get("ssh_tunnel") else { return Ok(Change::Keep) };
    if old.is_none() && wanted(fields).is_none() {
        return Ok(Change::Keep);
    }
    raise_unless_enabled(app)?;
    let Some(body) = body.as_object() else {
        source.tunnel = None;
        return Ok(Change::Delete);
    };
    raise_unless_possible(app, source)?;
    let stored = old.and_then(|d| d.ssh_tunnel.as_ref());
    let parts = stored.map(|row| Parts::of(app, row)).unwrap_or_default().changed(body).check()?;
    source.tunnel = parts.gateway(app);
    Ok(Change::Store(parts.values(app)?))
}

/// Writes the change.
pub async fn store(
    app: &Services,
    user: &Principal,
    db: &dyn Executor,
    database: &Database,
    change: Change,
) -> Result<()> {
    match change {
        Change::Keep => {}
        Change::Delete => {
            delete(app, db, database.id).await?;
        }
        Change::Store(mut values) => match &database.ssh_tunnel {
            Some(row) => {
                write::update(db, &SSH_TUNNELS, row.id.into(), values, user.user_id()).await?;
            }
            None => {
                values.push(("database_id", database.id.into()));
                write::insert(db, &SSH_TUNNELS, values, user.user_id()).await?;
            }
        },
    }
    Ok(())
}

/// A body's tunnel as it is echoed (`mask_password_info`).
pub fn masked(tunnel: &mut Map<String, Value>) {
    for key in SECRETS {
        if tunnel.remove(*key).is_some_and(|v| !v.is_null()) {
            tunnel.insert((*key).to_owned(), json!(MASK));
        }
    }
}

/// A row as the connection dialog sees it (`SSHTunnel.data`).
pub fn shown(app: &Services, row: &SshTunnel) -> Value {
    let username = row.username.as_deref().and_then(|v| secrets::decrypt(app, v));
    let mut map = json!({
        "id": row.id,
        "server_address": row.server_address,
        "server_port": row.server_port,
        "username": username,
    });
    let stored = [&row.password, &row.private_key, &row.private_key_password];
    for (key, _) in SECRETS.iter().zip(stored).filter(|(_, secret)| secret.is_some()) {
        map[*key] = json!(MASK);
    }
    map
}

/// Takes the tunnel of a database away; false when it has none.
pub async fn delete(app: &Services, db: &dyn Executor, database_id: i64) -> Result<bool> {
    let there =
        db.first(Sql::new("SELECT id FROM ssh_tunnels WHERE database_id = ?").bind(database_id)).await?;
    if there.is_none() {
        return Ok(false);
    }
    raise_unless_enabled(app)?;
    db.execute(Sql::new("DELETE FROM ssh_tunnels WHERE database_id = ?").bind(database_id)).await?;
    Ok(true)
}
