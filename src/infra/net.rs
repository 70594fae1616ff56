//! Host names and ports without `getaddrinfo`, which a statically linked glibc cannot do.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
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

/// The address belongs to the public network, and to nobody's machine, neighbourhood or cloud metadata.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (18..20).contains(&b);
    let assigned = (a, b, c) == (192, 0, 0);
    !(ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || shared
        || benchmark
        || assigned)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let inner = |high: u16, low: u16| {
        let ([p, q], [r, s]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(p, q, r, s))
    };
    match (a, b) {
        // addresses of version 4 in disguise: mapped, compatible, NAT64, 6to4
        (0, 0) if c == 0 && d == 0 && e == 0 && matches!(f, 0 | 0xffff) => inner(g, h),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => inner(g, h),
        (0x2002, _) => inner(b, c),
        // only these are given out; Teredo and documentation among them are not
        (0x2001, 0 | 0xdb8) => false,
        _ => (0x2000..0x4000).contains(&a),
    }
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
