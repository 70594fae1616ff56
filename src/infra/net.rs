//! Host names and ports without `getaddrinfo`, which a statically linked glibc cannot do.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use hickory_resolver::TokioResolver;
use tokio::{net::TcpStream, sync::OnceCell, time::timeout};

/// How long a closed port is waited for (`superset.utils.network:PORT_TIMEOUT`).
const PORT_TIMEOUT: Duration = Duration::from_secs(5);

static RESOLVER: OnceCell<Option<TokioResolver>> = OnceCell::const_new();

/// `/etc/hosts` and the servers of `/etc/resolv.conf`; none when there is no such configuration.
async fn resolver() -> Option<&'static TokioResolver> {
    let made = RESOLVER.get_or_init(async || TokioResolver::builder_tokio().and_then(|b| b.build()).ok());
    made.await.as_ref()
}

/// The first address of a name, IPv4 before IPv6; `None` when it is not known.
pub async fn address(name: &str) -> Option<IpAddr> {
    if let Ok(ip) = name.parse() {
        return Some(ip);
    }
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    let found: Vec<IpAddr> = resolver().await?.lookup_ip(name).await.ok()?.iter().collect();
    found.iter().find(|ip| ip.is_ipv4()).or(found.first()).copied()
}

/// Somebody listens there (`is_port_open`).
pub async fn port_is_open(host: &str, port: u16) -> bool {
    let Some(ip) = address(host).await else { return false };
    matches!(timeout(PORT_TIMEOUT, TcpStream::connect((ip, port))).await, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn literal_and_local_names_need_no_server() {
        assert_eq!(address("10.1.2.3").await, Some(Ipv4Addr::new(10, 1, 2, 3).into()));
        assert_eq!(address("localhost").await, Some(Ipv4Addr::LOCALHOST.into()));
        assert!(address("::1").await.unwrap().is_ipv6());
    }

    #[tokio::test]
    async fn ports() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(port_is_open("127.0.0.1", port).await);
        drop(listener);
        assert!(!port_is_open("127.0.0.1", port).await);
    }
}
