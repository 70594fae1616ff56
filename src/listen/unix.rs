//! A UNIX socket, for a proxy on the same machine.

use std::{
    fs::{self, Permissions},
    io::{Error as IoError, ErrorKind, Result as IoResult},
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::UnixStream as StdStream,
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use salvo::{
    conn::{Accepted, Acceptor, ConnCtrl, Holding, StraightStream, tcp::TcpCoupler},
    fuse::{ArcFusePolicy, FuseAction, FuseInfo, TransProto},
    http::{Version, uri::Scheme},
};
use tokio::net::{UnixListener, UnixStream};

use super::Socket;

/// Takes connections of a UNIX socket.
pub(super) struct UnixAcceptor {
    socket: UnixListener,
    /// Our own file, which goes with it.
    path: Option<PathBuf>,
    holdings: Vec<Holding>,
}

/// Opens a socket for its user and group; one that nobody listens on any more is taken away before.
pub(super) fn bind(path: &Path) -> IoResult<Socket> {
    if let Ok(found) = fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            return Err(IoError::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        match StdStream::connect(path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path)?,
            _ => return Err(ErrorKind::AddrInUse.into()),
        }
    }
    let socket = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o660))?;
    UnixAcceptor::new(socket, Some(path.to_owned())).map(Socket::Unix)
}

impl UnixAcceptor {
    /// Of an open socket.
    pub fn new(socket: UnixListener, path: Option<PathBuf>) -> IoResult<Self> {
        let holding = Holding {
            local_addr: socket.local_addr()?.into(),
            http_versions: vec![Version::HTTP_11],
            http_scheme: Scheme::HTTP,
        };
        Ok(Self { socket, path, holdings: vec![holding] })
    }
}

impl Drop for UnixAcceptor {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

impl Acceptor for UnixAcceptor {
    type Coupler = TcpCoupler<Self::Stream>;
    type Stream = StraightStream<UnixStream>;

    fn holdings(&self) -> &[Holding] {
        &self.holdings
    }

    async fn accept(
        &mut self,
        fuse_policy: Option<ArcFusePolicy>,
    ) -> IoResult<Accepted<Self::Coupler, Self::Stream>> {
        let local_addr: salvo::conn::SocketAddr = self.socket.local_addr()?.into();
        loop {
            let (stream, remote) = self.socket.accept().await?;
            let remote_addr: salvo::conn::SocketAddr = Arc::new(remote).into();
            let conn_ctrl = ConnCtrl::new();
            let (mut fuse_config, mut observer) = (None, None);
            if let Some(policy) = &fuse_policy {
                let info = FuseInfo {
                    trans_proto: TransProto::Tcp,
                    remote_addr: remote_addr.clone(),
                    local_addr: local_addr.clone(),
                };
                match policy.decide(&info).await {
                    FuseAction::Accept(config) => fuse_config = Some(config),
                    FuseAction::Reject => continue,
                }
                observer = policy.observe(&info, &conn_ctrl);
            }
            return Ok(Accepted {
                coupler: TcpCoupler::new(),
                stream: StraightStream::new(stream, fuse_config, conn_ctrl.clone(), observer),
                fuse_config,
                conn_ctrl,
                local_addr,
                remote_addr,
                http_scheme: Scheme::HTTP,
            });
        }
    }
}
