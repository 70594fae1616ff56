//! Where the server listens: addresses, names, a UNIX socket, or what systemd has opened already.

mod closing;
mod unix;

use std::{
    io::{Error as IoError, ErrorKind},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use listenfd::ListenFd;
use salvo::conn::{
    Holding,
    tcp::{DynTcpAcceptor, DynTcpAcceptors, TcpAcceptor, ToDynTcpAcceptor},
};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

pub use closing::closing;
use unix::UnixAcceptor;

/// Why there is no listener, and what to do.
type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Connections that wait for their turn to be taken.
const BACKLOG: u32 = 4_096;

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
    acceptors: Vec<Box<dyn DynTcpAcceptor>>,
    /// The first address that is none of a UNIX socket.
    pub address: Option<SocketAddr>,
    /// Somebody else holds the sockets, too, and gives them to the process that comes next.
    pub is_given: bool,
}

impl Place {
    /// Opens it; an error says what to do.
    pub async fn bind(&self) -> Result<Bound, StartError> {
        let given = given()?;
        if !given.is_empty() {
            return Ok(Bound::new(given, true)?);
        }
        if let Some(path) = self.path() {
            let socket = unix::bind(&path).map_err(|e| self.refusal(&path.display().to_string(), &e))?;
            return Ok(Bound::new(vec![socket], false)?);
        }
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
            _ => Ok(Bound::new(sockets, false)?),
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

/// A socket of either kind.
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, Option<PathBuf>),
}

/// What systemd has opened (`LISTEN_FDS`), in its order.
fn given() -> Result<Vec<Socket>, StartError> {
    let mut given = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..given.len() {
        let wrong =
            |e: IoError| format!("socket {} of LISTEN_FDS is of no kind to listen on: {e}", index + 3);
        if let Ok(Some(tcp)) = given.take_tcp_listener(index) {
            tcp.set_nonblocking(true)?;
            sockets.push(Socket::Tcp(TcpListener::from_std(tcp)?));
        } else if let Some(socket) = given.take_unix_listener(index).map_err(wrong)? {
            socket.set_nonblocking(true)?;
            sockets.push(Socket::Unix(UnixListener::from_std(socket)?, None));
        }
    }
    Ok(sockets)
}

impl Bound {
    fn new(sockets: Vec<Socket>, is_given: bool) -> Result<Self, IoError> {
        let (mut acceptors, mut address) = (Vec::new(), None);
        for socket in sockets {
            acceptors.push(match socket {
                Socket::Tcp(socket) => {
                    address = address.or(Some(socket.local_addr()?));
                    TcpAcceptor::try_from(socket)?.into_boxed()
                }
                Socket::Unix(socket, path) => {
                    let acceptor: Box<dyn DynTcpAcceptor> =
                        Box::new(ToDynTcpAcceptor(UnixAcceptor::new(socket, path)?));
                    acceptor
                }
            });
        }
        Ok(Self { acceptors, address, is_given })
    }

    /// Addresses as people write them.
    pub fn places(&self) -> Vec<String> {
        self.acceptors.iter().flat_map(|acceptor| acceptor.holdings()).map(place).collect()
    }

    /// What takes the connections of all of them.
    pub fn into_acceptor(self) -> DynTcpAcceptors {
        DynTcpAcceptors::new(self.acceptors)
    }
}

/// `http://127.0.0.1:8088`, or `unix:/run/liteset.sock`.
fn place(holding: &Holding) -> String {
    match &holding.local_addr {
        salvo::conn::SocketAddr::Unix(address) => {
            let path = address.as_pathname().unwrap_or_else(|| Path::new("(no path)"));
            format!("unix:{}", path.display())
        }
        // salvo writes `socket://127.0.0.1:8088`
        other => other.to_string().replace("socket://", "http://"),
    }
}
