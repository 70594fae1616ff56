//! SSH tunnels of connections (`superset.commands.database.ssh_tunnel`): their rows, and what an engine needs of them.

use std::time::Duration;

use daos::{
    database::{Database, SshTunnel, find_tunnel},
    rows,
    tables::SSH_TUNNELS,
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::Executor,
    engines::{Gateway, Login, Source},
};
use serde_json::{Map, Value, json};

use super::{errors::command_error, secrets, uri::MASK};
use crate::{
    Caller, Services,
    access::lists,
    schema::{Sent, fields},
};

const SECRETS: &[&str] = &["password", "private_key", "private_key_password"];

fields! {
    /// A tunnel as a body describes it.
    pub struct TunnelFields {
        id: i64,
        server_address: String,
        server_port: i64,
        username: String,
        password: String,
        private_key: String,
        private_key_password: String,
    }

    /// `DatabaseSSHTunnel`.
    SCHEMA = [id, server_address, server_port, username, password, private_key, private_key_password];
}

impl TunnelFields {
    /// An empty object asks for no tunnel.
    pub(crate) fn is_filled(&self) -> bool {
        *self != Self::default()
    }
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
struct Parts {
    server_address: Option<String>,
    server_port: Option<i64>,
    username: Option<String>,
    password: Option<String>,
    private_key: Option<String>,
    private_key_password: Option<String>,
}

/// Lays what a body says over what there was.
fn lay<T: Clone>(sent: &Sent<T>, over: &mut Option<T>) {
    if sent.is_sent() {
        *over = sent.value().cloned();
    }
}

/// A secret that is not empty.
fn filled(part: &Option<String>) -> Option<&str> {
    part.as_deref().filter(|text| !text.is_empty())
}

fn is_mask(sent: &Sent<String>) -> bool {
    sent.text() == Some(MASK)
}

impl Parts {
    fn from_row(app: &Services, row: &SshTunnel) -> Self {
        let clear = |stored: &Option<Vec<u8>>| stored.as_deref().and_then(|v| secrets::decrypt(app, v));
        Self {
            server_address: row.server_address.clone(),
            server_port: row.server_port,
            username: clear(&row.username),
            password: clear(&row.password),
            private_key: clear(&row.private_key),
            private_key_password: clear(&row.private_key_password),
        }
    }

    /// The secrets that a body names by their mask.
    fn masked_in(self, body: &TunnelFields) -> Self {
        Self {
            password: self.password.filter(|_| is_mask(&body.password)),
            private_key: self.private_key.filter(|_| is_mask(&body.private_key)),
            private_key_password: self.private_key_password.filter(|_| is_mask(&body.private_key_password)),
            ..Self::default()
        }
    }

    /// The body laid over what there was: masks stand for what is stored, a new key takes the password's place and the
    /// other way round (`UpdateSSHTunnelCommand`).
    fn changed(mut self, body: &TunnelFields) -> Self {
        lay(&body.server_address, &mut self.server_address);
        lay(&body.server_port, &mut self.server_port);
        lay(&body.username, &mut self.username);
        for (sent, part) in [
            (&body.password, &mut self.password),
            (&body.private_key, &mut self.private_key),
            (&body.private_key_password, &mut self.private_key_password),
        ] {
            if !is_mask(sent) {
                lay(sent, part);
            }
        }
        if body.private_key.filled().is_some() {
            self.password = None;
        }
        if body.password.filled().is_some() {
            self.private_key = None;
            self.private_key_password = None;
        }
        self
    }

    /// What `CreateSSHTunnelCommand` demands.
    fn check(self) -> Result<Self> {
        let key = filled(&self.private_key);
        let complete = filled(&self.server_address).is_some()
            && self.server_port.is_some_and(|p| u16::try_from(p).is_ok_and(|p| p > 0))
            && filled(&self.username).is_some()
            && (filled(&self.password).or(key)).is_some()
            && (filled(&self.private_key_password).is_none() || key.is_some());
        if complete { Ok(self) } else { Err(invalid()) }
    }

    fn gateway(&self, app: &Services) -> Option<Gateway> {
        let login = match (filled(&self.password), filled(&self.private_key)) {
            (Some(password), _) => Login::Password(password.to_owned()),
            (None, Some(key)) => Login::Key {
                text: key.to_owned(),
                passphrase: filled(&self.private_key_password).map(str::to_owned),
            },
            (None, None) => return None,
        };
        let seconds = app.config.get("SSH_TUNNEL_TIMEOUT_SEC").as_f64().unwrap_or(10.0);
        Some(Gateway {
            host: filled(&self.server_address)?.to_owned(),
            port: self.server_port.and_then(|p| u16::try_from(p).ok())?,
            username: self.username.clone().unwrap_or_default(),
            login,
            patience: Duration::from_secs_f64(seconds.clamp(1.0, 120.0)),
        })
    }

    fn values(&self, app: &Services) -> Result<Values> {
        let sealed = |part| filled(part).map(|t| secrets::encrypt(app, t)).transpose();
        Ok(vec![
            ("server_address", filled(&self.server_address).into()),
            ("server_port", self.server_port.into()),
            ("username", sealed(&self.username)?.into()),
            ("password", sealed(&self.password)?.into()),
            ("private_key", sealed(&self.private_key)?.into()),
            ("private_key_password", sealed(&self.private_key_password)?.into()),
        ])
    }
}

/// The gateway of a row. A row that cannot be used is an error, never a direct connection.
pub fn gateway(app: &Services, row: &SshTunnel) -> Result<Gateway> {
    Parts::from_row(app, row)
        .gateway(app)
        .ok_or_else(|| command_error(422, "Must provide credentials for the SSH Tunnel"))
}

/// The gateway that a body asks for in front of a connection that is tested: with the secrets of the row that it
/// names, if its connection is visible to the caller.
pub async fn candidate(caller: &Caller, body: &TunnelFields) -> Result<Gateway> {
    let mut parts = Parts::default();
    if let Some(id) = body.id.get()
        && let Some(row) = visible(caller, id).await?
    {
        // only the secrets are restored; the body says the rest
        parts = Parts::from_row(&caller.app, &row).masked_in(body);
    }
    parts.changed(body).check()?.gateway(&caller.app).ok_or_else(invalid)
}

async fn visible(caller: &Caller, id: i64) -> Result<Option<SshTunnel>> {
    Ok(find_tunnel(caller.app.db.exec(), id, lists::databases(&caller.user, "d")).await?)
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
    sent: &Sent<TunnelFields>,
    source: &mut Source,
) -> Result<Change> {
    let body = sent.value();
    if !sent.is_sent() || old.is_none() && !body.is_some_and(TunnelFields::is_filled) {
        return Ok(Change::Keep);
    }
    raise_unless_enabled(app)?;
    let Some(body) = body else {
        source.tunnel = None;
        return Ok(Change::Delete);
    };
    raise_unless_possible(app, source)?;
    let stored = old.and_then(|d| d.ssh_tunnel.as_ref());
    let parts = stored.map(|row| Parts::from_row(app, row)).unwrap_or_default().changed(body).check()?;
    source.tunnel = parts.gateway(app);
    Ok(Change::Store(parts.values(app)?))
}

/// Writes the change.
pub async fn store(caller: &Caller, db: &dyn Executor, database: &Database, change: Change) -> Result<()> {
    match change {
        Change::Keep => {}
        Change::Delete => {
            delete(&caller.app, db, database.id).await?;
        }
        Change::Store(mut values) => match &database.ssh_tunnel {
            Some(row) => {
                write::update(db, &SSH_TUNNELS, row.id.into(), values, caller.user.user_id()).await?;
            }
            None => {
                values.push(("database_id", database.id.into()));
                write::insert(db, &SSH_TUNNELS, values, caller.user.user_id()).await?;
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
pub fn describe(app: &Services, row: &SshTunnel) -> Value {
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
    if !rows::has(db, SSH_TUNNELS.name, "database_id", database_id).await? {
        return Ok(false);
    }
    raise_unless_enabled(app)?;
    rows::delete_where(db, SSH_TUNNELS.name, "database_id", &[database_id]).await?;
    Ok(true)
}
