//! Addresses beside the host names of a configuration.

use tokio_postgres::{Config, config::Host};

use crate::net::address;

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
    async fn sockets_are_left_alone() {
        let mut config = Config::new();
        config.host_path("/run/postgresql");
        assert!(with_addresses(config).await.get_hostaddrs().is_empty());
    }
}
