//! Host names without `getaddrinfo`, which a statically linked glibc cannot do.

use std::net::{IpAddr, Ipv4Addr};

use hickory_resolver::TokioResolver;
use tokio::sync::OnceCell;
use tokio_postgres::{Config, config::Host};

static RESOLVER: OnceCell<Option<TokioResolver>> = OnceCell::const_new();

/// `/etc/hosts` and the servers of `/etc/resolv.conf`; none when there is no such configuration.
async fn resolver() -> Option<&'static TokioResolver> {
    let made = RESOLVER.get_or_init(async || TokioResolver::builder_tokio().and_then(|b| b.build()).ok());
    made.await.as_ref()
}

/// The first address of a name, IPv4 before IPv6; `None` when it is not known.
pub(super) async fn address(name: &str) -> Option<IpAddr> {
    if let Ok(ip) = name.parse() {
        return Some(ip);
    }
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    let found: Vec<IpAddr> = resolver().await?.lookup_ip(name).await.ok()?.iter().collect();
    found.iter().find(|ip| ip.is_ipv4()).or(found.first()).copied()
}

/// The configuration with an address beside each host name. A name that cannot be resolved is left to the
/// connection, which reports it; so are sockets.
pub(super) async fn with_addresses(mut config: Config) -> Config {
    if !config.get_hostaddrs().is_empty() {
        return config;
    }
    let mut found = Vec::new();
    for host in config.get_hosts() {
        let Host::Tcp(name) = host else { return config };
        let Some(ip) = address(name).await else { return config };
        found.push(ip);
    }
    for ip in found {
        config.hostaddr(ip);
    }
    config
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
    async fn sockets_are_left_alone() {
        let mut config = Config::new();
        config.host_path("/run/postgresql");
        assert!(with_addresses(config).await.get_hostaddrs().is_empty());
    }
}
