//! Where the server listens: addresses, names, a UNIX socket, or what systemd has opened already.

mod closing;
mod tls;
mod unix;

use std::{
    io::{Error as IoError, ErrorKind},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use listenfd::ListenFd;
use rustls::ServerConfig;
use salvo::conn::{
    Holding,
    tcp::{DynTcpAcceptor, DynTcpAcceptors, TcpAcceptor, ToDynTcpAcceptor},
};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

pub use closing::closing;
use tls::{Encrypting, UnderWay};
use unix::UnixAcceptor;

/// Why there is no listener, and what to do.
type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Connections that wait for their turn to be taken.
const BACKLOG: u32 = 4_096;
/// What systemd calls the socket of requests in clear (`FileDescriptorName=`).
const REDIRECT: &str = "redirect";

/// Where to listen.
#[derive(Debug, Clone)]
pub struct Place {
    /// An address, a name, or `unix:PATH`.
    pub host: String,
    /// Of addresses and names.
    pub port: u16,
    /// Another process may listen on the same port, which the kernel deals connections out to.
    pub shared: bool,
}

/// What was opened, and is not served yet: who comes waits.
pub struct Bound {
    sockets: Vec<Socket>,
    /// Where requests in clear come, to be sent on.
    redirects: Vec<Socket>,
    /// The first address that is none of a UNIX socket.
    pub address: Option<SocketAddr>,
    /// Somebody else holds the sockets, too, and gives them to the process that comes next.
    pub is_given: bool,
}

impl Place {
    /// Opens it; an error says what to do.
    pub async fn bind(&self) -> Result<Bound, StartError> {
        let (given, redirects) = given()?;
        let is_given = !given.is_empty();
        let sockets = match self.path() {
            _ if is_given => given,
            Some(path) => {
                let socket = unix::bind(&path);
                vec![socket.map_err(|e| self.refusal(&path.display().to_string(), &e))?]
            }
            None => self.open_all().await?,
        };
        Ok(Bound::new(sockets, redirects, is_given)?)
    }

    /// All addresses of the name.
    async fn open_all(&self) -> Result<Vec<Socket>, StartError> {
        let name = self.host.trim_matches(['[', ']']);
        let found = tokio::net::lookup_host((name, self.port)).await;
        let found = found.map_err(|e| format!("--host {}: the name is not known here ({e})", self.host))?;
        let (mut sockets, mut port, mut failure) = (Vec::new(), self.port, None);
        for mut address in found {
            address.set_port(port);
            match self.open(address) {
                Ok(socket) => {
                    // one port for all addresses of a name, also where the kernel chose it
                    port = socket.local_addr()?.port();
                    sockets.push(Socket::Tcp(socket));
                }
                // a name may have an address of a kind that this machine has switched off
                Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
                    failure = Some((address, error));
                }
                Err(error) => return Err(self.refusal(&address.to_string(), &error).into()),
            }
        }
        match failure {
            Some((address, error)) if sockets.is_empty() => {
                Err(self.refusal(&address.to_string(), &error).into())
            }
            _ if sockets.is_empty() => Err(format!("--host {}: the name has no address", self.host).into()),
            _ => Ok(sockets),
        }
    }

    fn path(&self) -> Option<PathBuf> {
        let path = self.host.strip_prefix("unix:");
        path.or_else(|| self.host.starts_with('/').then_some(self.host.as_str())).map(PathBuf::from)
    }

    fn open(&self, address: SocketAddr) -> Result<TcpListener, IoError> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        if self.shared {
            socket.set_reuseport(true)?;
        }
        socket.bind(address)?;
        socket.listen(BACKLOG)
    }

    fn refusal(&self, place: &str, error: &IoError) -> String {
        let advice = match error.kind() {
            ErrorKind::AddrInUse if self.path().is_some() => {
                "another process listens there: stop it, or choose another path with --host"
            }
            ErrorKind::AddrInUse => {
                "another process listens there, perhaps another liteset: stop it, or choose another port with --port"
            }
            ErrorKind::PermissionDenied if self.path().is_some() => {
                "the folder is not this user's: choose another path with --host"
            }
            ErrorKind::PermissionDenied => {
                "ports below 1024 are the administrator's: choose another one with --port, or let systemd open it \
                 (liteset.socket)"
            }
            ErrorKind::AddrNotAvailable => "it is no address of this machine: choose another one with --host",
            ErrorKind::NotFound => {
                "the folder of the socket is not there: make it, or choose another path with --host"
            }
            _ => "choose another place with --host and --port",
        };
        format!("cannot listen on {place}: {error}; {advice}")
    }
}

impl Bound {
    /// Opens the place of requests in clear, which `TLS_REDIRECT` names: ADDRESS:PORT, or a port of the same host.
    /// Where systemd has opened sockets, it has opened this one, too.
    pub async fn redirect_from(&mut self, wanted: &str, place: &Place) -> Result<(), StartError> {
        if self.is_given || !self.redirects.is_empty() {
            return Ok(());
        }
        let wrong = || {
            format!(
                "TLS_REDIRECT (--tls-redirect) is ADDRESS:PORT, or a port of --host where that is no socket: {wanted}"
            )
        };
        let (host, port) = match wanted.rsplit_once(':') {
            Some((host, port)) => (host.to_owned(), port),
            None if place.path().is_some() => return Err(wrong().into()),
            None => (place.host.clone(), wanted),
        };
        let port = port.parse().map_err(|_| wrong())?;
        let opened = Place { host, port, shared: place.shared }.open_all().await;
        self.redirects = opened.map_err(|e| format!("TLS_REDIRECT (--tls-redirect): {e}"))?;
        Ok(())
    }

    /// A socket that systemd gives for requests in clear, and nothing that they could be sent on to.
    pub fn has_idle_redirect(&self, is_encrypted: bool) -> bool {
        !is_encrypted && !self.redirects.is_empty()
    }
}

/// A socket of either kind.
enum Socket {
    Tcp(TcpListener),
    Unix(UnixAcceptor),
}

/// What systemd has opened (`LISTEN_FDS`), in its order; those named `redirect` apart.
fn given() -> Result<(Vec<Socket>, Vec<Socket>), StartError> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let names: Vec<&str> = names.split(':').collect();
    let mut given = ListenFd::from_env();
    let (mut sockets, mut redirects) = (Vec::new(), Vec::new());
    for index in 0..given.len() {
        let wrong =
            |e: IoError| format!("socket {} of LISTEN_FDS is of no kind to listen on: {e}", index + 3);
        let socket = if let Ok(Some(tcp)) = given.take_tcp_listener(index) {
            tcp.set_nonblocking(true)?;
            Socket::Tcp(TcpListener::from_std(tcp)?)
        } else if let Some(socket) = given.take_unix_listener(index).map_err(wrong)? {
            socket.set_nonblocking(true)?;
            Socket::Unix(UnixAcceptor::new(UnixListener::from_std(socket)?, None)?)
        } else {
            continue;
        };
        if names.get(index) == Some(&REDIRECT) { redirects.push(socket) } else { sockets.push(socket) }
    }
    Ok((sockets, redirects))
}

impl Bound {
    fn new(sockets: Vec<Socket>, redirects: Vec<Socket>, is_given: bool) -> Result<Self, IoError> {
        let mut addresses = sockets.iter().filter_map(|socket| match socket {
            Socket::Tcp(socket) => Some(socket.local_addr()),
            Socket::Unix(_) => None,
        });
        let address = addresses.next().transpose()?;
        Ok(Self { sockets, redirects, address, is_given })
    }

    /// What takes the connections of all of them, encrypted where there is a certificate. A UNIX socket is for a proxy
    /// of this machine, which encrypts itself.
    pub fn into_acceptor(self, tls: Option<Arc<ServerConfig>>) -> Result<Listening, IoError> {
        let under_way = Arc::new(UnderWay::default());
        let mut acceptors: Vec<Box<dyn DynTcpAcceptor>> = Vec::new();
        for socket in self.sockets {
            acceptors.push(match (socket, &tls) {
                (Socket::Tcp(socket), Some(config)) => {
                    let plain = TcpAcceptor::try_from(socket)?;
                    Box::new(ToDynTcpAcceptor(Encrypting::new(plain, config.clone(), under_way.clone())))
                }
                (socket, _) => socket.into_plain()?,
            });
        }
        let places = self::places(&acceptors);
        let redirecting =
            self.redirects.into_iter().map(Socket::into_plain).collect::<Result<Vec<_>, _>>()?;
        let redirects = self::places(&redirecting);
        acceptors.extend(redirecting);
        Ok(Listening { acceptor: DynTcpAcceptors::new(acceptors), places, redirects })
    }
}

/// What takes connections, and where, as people write it.
pub struct Listening {
    /// Takes them.
    pub acceptor: DynTcpAcceptors,
    /// Where the application is.
    pub places: Vec<String>,
    /// Where requests in clear are sent on.
    pub redirects: Vec<String>,
}

impl Socket {
    fn into_plain(self) -> Result<Box<dyn DynTcpAcceptor>, IoError> {
        Ok(match self {
            Self::Tcp(socket) => TcpAcceptor::try_from(socket)?.into_boxed(),
            Self::Unix(acceptor) => Box::new(ToDynTcpAcceptor(acceptor)),
        })
    }
}

fn places(acceptors: &[Box<dyn DynTcpAcceptor>]) -> Vec<String> {
    acceptors.iter().flat_map(|acceptor| acceptor.holdings()).map(place).collect()
}

/// `https://127.0.0.1:8088`, or `unix:/run/liteset.sock`.
fn place(holding: &Holding) -> String {
    match &holding.local_addr {
        salvo::conn::SocketAddr::Unix(address) => {
            let path = address.as_pathname().unwrap_or_else(|| Path::new("(no path)"));
            format!("unix:{}", path.display())
        }
        // salvo writes `socket://127.0.0.1:8088`
        other => other.to_string().replace("socket://", &format!("{}://", holding.http_scheme)),
    }
}
