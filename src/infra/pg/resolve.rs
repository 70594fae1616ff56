//! Addresses beside the host names of a configuration.

use std::net::{IpAddr, Ipv4Addr};

use tokio_postgres::{Config, config::Host};

use crate::net::address;

/// The configuration with an address beside each host name. A name that cannot be resolved is left to the
/// connection, which reports it, unless another one can be; so are sockets.
pub(super) async fn with_addresses(mut config: Config) -> Config {
    if !config.get_hostaddrs().is_empty() {
        return config;
    }
    let mut found = Vec::new();
    for host in config.get_hosts() {
        let Host::Tcp(name) = host else { return config };
        found.push(address(name).await);
    }
    if found.iter().all(Option::is_none) {
        return config;
    }
    for ip in found {
        // one of several that is not known must not keep the others from being tried: nobody answers there
        config.hostaddr(ip.unwrap_or(IpAddr::V4(Ipv4Addr::BROADCAST)));
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sockets_are_left_alone() {
        let mut config = Config::new();
        config.host_path("/run/postgresql");
        assert!(with_addresses(config).await.get_hostaddrs().is_empty());
    }
}
