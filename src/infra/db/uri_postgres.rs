//! Connection strings of PostgreSQL, with the parameters of libpq as psycopg2 gets them from SQLAlchemy.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use tokio_postgres::config::{ChannelBinding, Config, LoadBalanceHosts, SslMode, TargetSessionAttrs};

use super::uri::{UriError, decode, decode_option};
use crate::pg::{Target, Verify};

/// Port of a server that says none.
const PORT: u16 = 5432;

/// Options of libpq that lead elsewhere or demand more: left out they would promise in vain.
const NOT_HERE: &[&str] = &["require_auth", "requirepeer", "service"];

/// A server, or several that are tried in turn.
struct Hosts {
    /// Host names, and ports where they are told.
    named: Vec<(String, Option<u16>)>,
}

/// What stands between the slashes, and what stands behind the question mark.
pub(super) fn target(body: &str, query: &str) -> Result<Target, UriError> {
    let mut config = Config::new();
    config.connect_timeout(Duration::from_secs(10)).application_name("liteset");
    let (authority, name) = body.split_once('/').unwrap_or((body, ""));
    let (credentials, address) = match authority.rsplit_once('@') {
        Some((c, a)) => (Some(c), a),
        None => (None, authority),
    };
    if let Some(credentials) = credentials {
        let (user, password) = credentials.split_once(':').map_or((credentials, None), |(u, p)| (u, Some(p)));
        config.user(decode(user)?);
        if let Some(password) = password {
            config.password(decode(password)?);
        }
    }
    if !name.is_empty() {
        config.dbname(decode(name)?);
    }
    let mut hosts = Hosts { named: Vec::new() };
    for one in address.split(',').filter(|a| !a.is_empty()) {
        hosts.add(one, true)?;
    }
    let mut options = Vec::new();
    for (key, value) in query.split('&').filter_map(|p| p.split_once('=')) {
        options.push((key, decode_option(value)?));
    }
    hosts.read_options(&options)?;
    hosts.put_into(&mut config)?;
    let mut verify = Verification::default();
    for (key, value) in options {
        verify.read(key, &value);
        read(&mut config, key, value)?;
    }
    Ok(Target { config, verify: verify.outcome() })
}

impl Hosts {
    /// Adds `host`, `host:port`, `[address]:port` or a folder of sockets.
    fn add(&mut self, text: &str, is_encoded: bool) -> Result<(), UriError> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, port) = rest.split_once(']').ok_or(UriError::Malformed)?;
            (host, port.strip_prefix(':'))
        } else if text.starts_with('/') || text.matches(':').count() > 1 {
            (text, None)
        } else {
            text.split_once(':').map_or((text, None), |(h, p)| (h, Some(p)))
        };
        let port = port.filter(|port| !port.is_empty()).map(read_port).transpose()?;
        let host = if is_encoded { decode(host)? } else { host.to_owned() };
        self.named.push((host, port));
        Ok(())
    }

    /// `host` and `port` as options take the place of those before the slash: once with commas, as libpq has them, or
    /// `host=a:1` several times (`PGDialect_psycopg2.create_connect_args`).
    fn read_options(&mut self, options: &[(&str, String)]) -> Result<(), UriError> {
        let of = |name: &str| {
            let values = options.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value);
            values.flat_map(|value| value.split(',')).map(str::to_owned).collect::<Vec<_>>()
        };
        let (named, ports) = (of("host"), of("port"));
        if !named.is_empty() {
            self.named.clear();
            named.iter().try_for_each(|host| self.add(host, false))?;
        }
        if ports.is_empty() {
            return Ok(());
        }
        if !named.is_empty() && self.named.iter().any(|(_, port)| port.is_some()) {
            return Err(UriError::Part("ports stand either behind the hosts or in port=".into()));
        }
        if self.named.is_empty() {
            self.named.push((String::new(), None));
        }
        if ports.len() != 1 && ports.len() != self.named.len() {
            return Err(UriError::Part(format!("{} ports for {} hosts", ports.len(), self.named.len())));
        }
        for (i, (_, port)) in self.named.iter_mut().enumerate() {
            let text = ports.get(i).or(ports.first()).map(String::as_str).unwrap_or_default();
            *port = Some(if text.is_empty() { PORT } else { read_port(text)? });
        }
        Ok(())
    }

    fn put_into(self, config: &mut Config) -> Result<(), UriError> {
        let named = if self.named.is_empty() { vec![(String::new(), None)] } else { self.named };
        for (host, port) in named {
            // libpq's default: the local socket
            config.host(if host.is_empty() { "/var/run/postgresql".to_owned() } else { host });
            config.port(port.unwrap_or(PORT));
        }
        Ok(())
    }
}

fn read_port(text: &str) -> Result<u16, UriError> {
    text.trim().parse().map_err(|_| UriError::Part(format!("not a port: {text}")))
}

/// How far the server's certificate is trusted.
#[derive(Default)]
struct Verification {
    full: bool,
    roots: Option<PathBuf>,
}

impl Verification {
    fn read(&mut self, key: &str, value: &str) {
        match key {
            "sslmode" => self.full = value.starts_with("verify"),
            "sslrootcert" if value != "system" => self.roots = Some(PathBuf::from(value)),
            _ => {}
        }
    }

    fn outcome(self) -> Verify {
        if self.full { Verify::Full(self.roots) } else { Verify::Nothing }
    }
}

/// A value that none of those that are known is.
fn invalid(key: &str, value: &str) -> UriError {
    UriError::Part(format!("invalid {key} value: \"{value}\""))
}

fn read(config: &mut Config, key: &str, value: String) -> Result<(), UriError> {
    let number = || value.trim().parse::<i64>().map_err(|_| UriError::Part(format!("not a number: {value}")));
    let positive = || Ok::<_, UriError>(u64::try_from(number()?).ok().filter(|n| *n > 0));
    match key {
        "user" => {
            config.user(value);
        }
        "password" => {
            config.password(value);
        }
        "dbname" => {
            config.dbname(value);
        }
        "options" => {
            config.options(value);
        }
        "application_name" => {
            config.application_name(value);
        }
        "hostaddr" => {
            for one in value.split(',') {
                let address: IpAddr = one.trim().parse().map_err(|_| invalid(key, &value))?;
                config.hostaddr(address);
            }
        }
        // nothing and less than nothing is no limit to libpq; here ten seconds stay
        "connect_timeout" => {
            if let Some(seconds) = positive()? {
                config.connect_timeout(Duration::from_secs(seconds));
            }
        }
        "tcp_user_timeout" => {
            if let Some(milliseconds) = positive()? {
                config.tcp_user_timeout(Duration::from_millis(milliseconds));
            }
        }
        "keepalives" => {
            config.keepalives(number()? != 0);
        }
        "keepalives_idle" => {
            if let Some(seconds) = positive()? {
                config.keepalives_idle(Duration::from_secs(seconds));
            }
        }
        "keepalives_interval" => {
            if let Some(seconds) = positive()? {
                config.keepalives_interval(Duration::from_secs(seconds));
            }
        }
        "keepalives_count" => {
            if let Some(count) = positive()?.and_then(|count| u32::try_from(count).ok()) {
                config.keepalives_retries(count);
            }
        }
        "target_session_attrs" => {
            config.target_session_attrs(match value.as_str() {
                "any" | "prefer-standby" => TargetSessionAttrs::Any,
                "read-write" | "primary" => TargetSessionAttrs::ReadWrite,
                "read-only" | "standby" => TargetSessionAttrs::ReadOnly,
                _ => return Err(invalid(key, &value)),
            });
        }
        "load_balance_hosts" => {
            config.load_balance_hosts(match value.as_str() {
                "disable" => LoadBalanceHosts::Disable,
                "random" => LoadBalanceHosts::Random,
                _ => return Err(invalid(key, &value)),
            });
        }
        "channel_binding" => {
            config.channel_binding(match value.as_str() {
                "disable" => ChannelBinding::Disable,
                "prefer" => ChannelBinding::Prefer,
                "require" => ChannelBinding::Require,
                _ => return Err(invalid(key, &value)),
            });
        }
        "sslmode" => {
            config.ssl_mode(match value.as_str() {
                "disable" => SslMode::Disable,
                "allow" | "prefer" => SslMode::Prefer,
                "require" | "verify-ca" | "verify-full" => SslMode::Require,
                // a misspelt `verify-full` must not mean less than it says
                _ => return Err(invalid(key, &value)),
            });
        }
        "gssencmode" if value == "require" => {
            return Err(UriError::Part("gssencmode=require is not supported".into()));
        }
        _ if NOT_HERE.contains(&key) && !value.is_empty() => {
            return Err(UriError::Part(format!("{key} is not supported")));
        }
        _ => {} // keys of other drivers have no meaning here
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::Host;

    use super::super::uri::DbUri;
    use super::*;

    fn config(uri: &str) -> Config {
        match uri.parse::<DbUri>().unwrap() {
            DbUri::Postgres(target) => target.config,
            other => panic!("{other:?}"),
        }
    }

    fn error(uri: &str) -> String {
        uri.parse::<DbUri>().unwrap_err().to_string()
    }

    #[test]
    fn forms() {
        let found = config("postgresql+psycopg2://us%40er:p%2Fw@db.example:6543/meta?sslmode=disable");
        assert_eq!(found.get_user(), Some("us@er"));
        assert_eq!(found.get_password(), Some(&b"p/w"[..]));
        assert_eq!(found.get_ports(), [6543]);
        assert_eq!(found.get_dbname(), Some("meta"));
        assert!("postgresql:///meta".parse::<DbUri>().is_ok());
        assert_eq!(
            error("postgresql://db.example/meta?sslmode=verify_full"),
            "invalid sslmode value: \"verify_full\""
        );
        assert!(matches!("mssql://x/y".parse::<DbUri>(), Err(UriError::Unsupported(_))));
    }

    #[test]
    fn options_with_blanks() {
        for text in ["-c%20a%3D1%20-c%20b%3D2", "-c+a%3D1+-c+b%3D2", "-c a=1 -c b=2"] {
            let found = config(&format!("postgresql://h/d?options={text}&application_name=my%20app%2B1"));
            assert_eq!(found.get_options(), Some("-c a=1 -c b=2"), "{text}");
            assert_eq!(found.get_application_name(), Some("my app+1"));
        }
    }

    #[test]
    fn several_hosts() {
        let places = |uri: &str| {
            let found = config(uri);
            let name = |host: &Host| match host {
                Host::Tcp(name) => name.clone(),
                Host::Unix(folder) => folder.display().to_string(),
            };
            found.get_hosts().iter().map(name).zip(found.get_ports().to_vec()).collect::<Vec<_>>()
        };
        let two = [("a".to_owned(), 1), ("b".to_owned(), 2)];
        for form in [
            "a:1,b:2/d",
            "/d?host=a:1&host=b:2",
            "/d?host=a,b&port=1,2",
            "/d?host=a&host=b&port=1&port=2",
            "ignored:9/d?host=a:1&host=b:2",
            "a,b/d?port=1,2",
        ] {
            assert_eq!(places(&format!("postgresql://u:p@{form}")), two, "{form}");
        }
        assert_eq!(places("postgresql://h/d"), [("h".to_owned(), 5432)]);
        assert_eq!(places("postgresql://u@/d?host=/tmp&port=6000"), [("/tmp".to_owned(), 6000)]);
        assert_eq!(places("postgresql://u@/d?port=6000"), [("/var/run/postgresql".to_owned(), 6000)]);
        assert_eq!(places("postgresql://h:7/d?port=8"), [("h".to_owned(), 8)]);
        assert_eq!(places("postgresql://[::1]:7,h/d"), [("::1".to_owned(), 7), ("h".to_owned(), 5432)]);
        assert_eq!(places("postgresql:///d?host=a,b&port=7"), [("a".to_owned(), 7), ("b".to_owned(), 7)]);
        for wrong in ["?host=a:1,b&port=2", "?host=a,b,c&port=1,2", "?host=a:x", "?port=65536"] {
            assert!(format!("postgresql:///d{wrong}").parse::<DbUri>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn parameters_of_libpq() {
        let found = config(
            "postgresql://h/d?keepalives=1&keepalives_idle=30&keepalives_interval=5&keepalives_count=3\
             &tcp_user_timeout=2000&target_session_attrs=read-write&channel_binding=require&connect_timeout=3\
             &load_balance_hosts=random&client_encoding=utf8&hostaddr=127.0.0.1&dbname=e",
        );
        assert_eq!(found.get_keepalives_idle(), Duration::from_secs(30));
        assert_eq!(found.get_keepalives_interval(), Some(Duration::from_secs(5)));
        assert_eq!(found.get_keepalives_retries(), Some(3));
        assert_eq!(found.get_tcp_user_timeout(), Some(&Duration::from_secs(2)));
        assert_eq!(found.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(found.get_channel_binding(), ChannelBinding::Require);
        assert_eq!(found.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(found.get_hostaddrs(), ["127.0.0.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(found.get_dbname(), Some("e"));
        assert_eq!(
            config("postgresql://h/d?connect_timeout=0").get_connect_timeout(),
            Some(&Duration::from_secs(10))
        );
        for wrong in [
            "service=x",
            "require_auth=scram-sha-256",
            "target_session_attrs=x",
            "keepalives=x",
            "hostaddr=x",
        ] {
            assert!(format!("postgresql://h/d?{wrong}").parse::<DbUri>().is_err(), "{wrong}");
        }
    }
}
