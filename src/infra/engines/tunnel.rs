//! SSH tunnels (`superset.extensions.ssh` over sshtunnel): a port of this machine that leads through a gateway to the
//! database, so that any driver can use it.
//!
//! The gateway is entered when a connection is wanted, kept with keep-alives, and entered again once it is lost.

use std::{fmt, net::Ipv4Addr, sync::Arc, time::Duration};

use russh::{
    Preferred,
    client::{AuthResult, Config, Handle, Handler, KeyboardInteractiveAuthResponse as Dialogue},
    keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::{Mutex, Semaphore},
    task::JoinHandle,
};

use super::EngineError;
use crate::net;

/// Silence after which the gateway is asked whether it is still there; three silences end the session.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Connections through one tunnel at a time.
const MOST: usize = 256;

/// Where a gateway is and how to get in.
#[derive(Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub username: String,
    /// Proof.
    pub login: Login,
    /// How long entering may take (`SSH_TUNNEL_TIMEOUT_SEC`).
    pub patience: Duration,
}

/// How a gateway is entered.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// With a password.
    Password(String),
    /// With a private key: OpenSSH, PKCS#1, PKCS#8 or PuTTY's form, of any kind (Superset knows RSA only).
    Key {
        /// The text of the key file.
        text: String,
        /// What the text is encrypted with.
        passphrase: Option<String>,
    },
}

/// Without its secrets, wherever it is printed.
impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Gateway {
    /// Tells gateways apart; holds secrets.
    pub(super) fn key(&self) -> String {
        let login = match &self.login {
            Login::Password(password) => format!("password {password:?}"),
            Login::Key { text, passphrase } => format!("key {text:?} {passphrase:?}"),
        };
        format!("{:?}@{:?}:{} {login}", self.username, self.host, self.port)
    }
}

/// A port that leads to a database. Dropping it closes the port; connections that are open stay until they end.
pub(super) struct Tunnel {
    inner: Arc<Inner>,
    port: u16,
    listening: JoinHandle<()>,
}

struct Inner {
    gateway: Gateway,
    /// The database as the gateway sees it.
    target: (String, u16),
    session: Mutex<Option<Arc<Handle<Witness>>>>,
}

fn failed(why: impl fmt::Display) -> EngineError {
    EngineError::Tunnel(format!("Could not establish session to SSH gateway: {why}"))
}

impl Tunnel {
    /// Opens a port that leads to a host as the gateway sees it; the gateway is entered later.
    pub fn open(gateway: Gateway, host: &str, port: u16) -> Result<Self, EngineError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(failed)?;
        let _inside = runtime.enter();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?.port();
        let inner = Arc::new(Inner { gateway, target: (host.to_owned(), port), session: Mutex::default() });
        let listening = runtime.spawn(listen(listener, inner.clone()));
        Ok(Self { inner, port: local, listening })
    }

    /// The port, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The gateway is entered, or the reason why it cannot be.
    pub async fn ready(&self) -> Result<(), EngineError> {
        self.inner.session().await.map(|_| ())
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, inner: Arc<Inner>) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let inner = inner.clone();
        tokio::spawn(async move {
            if let Err(error) = inner.forward(socket).await {
                tracing::warn!(gateway = ?inner.gateway, %error, "SSH tunnel");
            }
            drop(place);
        });
    }
}

impl Inner {
    async fn session(&self) -> Result<Arc<Handle<Witness>>, EngineError> {
        let mut known = self.session.lock().await;
        if let Some(session) = known.as_ref().filter(|s| !s.is_closed()) {
            return Ok(session.clone());
        }
        *known = None;
        let entering = tokio::time::timeout(self.gateway.patience, enter(&self.gateway)).await;
        let session = Arc::new(entering.map_err(|_| failed("it does not answer"))??);
        *known = Some(session.clone());
        Ok(session)
    }

    async fn forward(&self, mut socket: TcpStream) -> Result<(), EngineError> {
        let session = self.session().await?;
        let (host, port) = &self.target;
        let opening = session.channel_open_direct_tcpip(host.clone(), u32::from(*port), "127.0.0.1", 0);
        let opened = tokio::time::timeout(self.gateway.patience, opening).await;
        let channel = opened.map_err(|_| failed("it opens no channel"))?.map_err(failed)?;
        let _ = socket.set_nodelay(true);
        // an end that goes away is the drivers' affair
        let _ = copy_bidirectional(&mut socket, &mut channel.into_stream()).await;
        Ok(())
    }
}

/// Takes any host key, as sshtunnel does without known hosts, and writes down which.
struct Witness(String);

impl Handler for Witness {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let fingerprint = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.fingerprint(HashAlg::Sha256).to_string(),
            PublicKeyOrCertificate::Certificate(certificate) => {
                certificate.public_key().fingerprint(HashAlg::Sha256).to_string()
            }
        };
        tracing::info!(gateway = self.0, fingerprint, "SSH gateway's host key, not verified");
        Ok(true)
    }
}

async fn enter(gateway: &Gateway) -> Result<Handle<Witness>, EngineError> {
    // a key that cannot be read is told before anybody is called
    let key = match &gateway.login {
        Login::Key { text, passphrase } => Some(private_key(text, passphrase.as_deref())?),
        Login::Password(_) => None,
    };
    let ip = net::address(&gateway.host).await.ok_or_else(|| failed("its name cannot be resolved"))?;
    let stream = TcpStream::connect((ip, gateway.port)).await.map_err(failed)?;
    let config = Config {
        keepalive_interval: Some(KEEPALIVE),
        nodelay: true,
        preferred: Preferred::default(),
        ..Config::default()
    };
    let witness = Witness(format!("{gateway:?}"));
    let mut session =
        russh::client::connect_stream(Arc::new(config), stream, witness).await.map_err(failed)?;
    let user = gateway.username.as_str();
    let entered = match (key, &gateway.login) {
        (Some(key), _) => {
            // servers of today refuse signatures with SHA-1
            let hash = if key.algorithm().is_rsa() {
                session.best_supported_rsa_hash().await.map_err(failed)?.flatten()
            } else {
                None
            };
            let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
            session.authenticate_publickey(user, key).await.map_err(failed)?.success()
        }
        (None, Login::Password(password)) => {
            by_password(&mut session, user, password).await.map_err(failed)?
        }
        (None, Login::Key { .. }) => false,
    };
    if entered { Ok(session) } else { Err(failed("it refuses the login")) }
}

fn private_key(text: &str, passphrase: Option<&str>) -> Result<PrivateKey, EngineError> {
    let passphrase = passphrase.filter(|p| !p.is_empty());
    decode_secret_key(text, passphrase).map_err(|error| match error {
        russh::keys::Error::KeyIsEncrypted => {
            failed("the private key is encrypted and there is no passphrase")
        }
        _ if passphrase.is_some() => failed("the private key cannot be read with this passphrase"),
        _ => failed("the private key cannot be read"),
    })
}

/// By password, or by the dialogue that some servers have in its place.
async fn by_password(
    session: &mut Handle<Witness>,
    user: &str,
    password: &str,
) -> Result<bool, russh::Error> {
    let remaining = match session.authenticate_password(user, password).await? {
        AuthResult::Success => return Ok(true),
        AuthResult::Failure { remaining_methods, .. } => remaining_methods,
    };
    if !remaining.contains(&russh::MethodKind::KeyboardInteractive)
        || remaining.contains(&russh::MethodKind::Password)
    {
        return Ok(false);
    }
    let mut answer = session.authenticate_keyboard_interactive_start(user, None::<String>).await?;
    for _ in 0..8 {
        match answer {
            Dialogue::Success => return Ok(true),
            Dialogue::Failure { .. } => return Ok(false),
            Dialogue::InfoRequest { prompts, .. } => {
                let answers = prompts.iter().map(|_| password.to_owned()).collect();
                answer = session.authenticate_keyboard_interactive_respond(answers).await?;
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(port: u16) -> Gateway {
        Gateway {
            host: "127.0.0.1".into(),
            port,
            username: "u".into(),
            login: Login::Password("s3cret".into()),
            patience: Duration::from_millis(300),
        }
    }

    #[tokio::test]
    async fn a_silent_gateway_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tunnel = Tunnel::open(gateway(silent.local_addr().unwrap().port()), "db", 5432).unwrap();
        let error = tunnel.ready().await.unwrap_err().to_string();
        assert!(
            error.starts_with("Could not establish session to SSH gateway: it does not answer"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_closed_port_is_told() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let tunnel = Tunnel::open(gateway(port), "db", 5432).unwrap();
        let error = tunnel.ready().await.unwrap_err().to_string();
        assert!(error.contains("Connection refused"), "{error}");
        let local = tunnel.port();
        drop(tunnel);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!net::port_is_open("127.0.0.1", local).await);
    }

    #[test]
    fn unreadable_keys_are_told_without_their_text() {
        let error = private_key("s3cret no key", None).unwrap_err().to_string();
        assert!(error.ends_with("the private key cannot be read"), "{error}");
        assert!(!format!("{:?}", gateway(22)).contains("s3cret"));
    }
}
