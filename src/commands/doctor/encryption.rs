//! The server's certificate: whether it fits its key, until when it counts, and whether it is for this server's name.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use infra::{
    config::{
        Config,
        tls::{Source, Tls},
    },
    tls::{Facts, Identity, acme},
};

use super::Check;

const NAME: &str = "certificate";
/// A certificate that ends sooner is one to look at.
const SOON: i64 = 21;

pub(super) fn certificate(config: &Config, home: &Path) -> Check {
    let Some(Tls { source, .. }) = config.tls() else {
        return Check::off(NAME, "connections are not encrypted here (TLS_CERTIFICATE, ACME_DOMAINS)");
    };
    let (read, renews) = match &source {
        Source::Files { certificate, key } => (Some(Identity::read(certificate, key)), false),
        Source::Acme(acme) => (acme::kept(home, acme), true),
    };
    match read {
        None => Check::warning(
            NAME,
            "the authority has given none yet",
            "start the server: it asks for one. Its log says what the authority answers; the names of ACME_DOMAINS \
             must lead to port 443 of this machine",
        ),
        Some(Err(error)) => Check::failed(NAME, error, "packaging/manual/tls.md"),
        Some(Ok(identity)) => {
            let host = public_host(config.str("WEBDRIVER_BASEURL_USER_FRIENDLY"));
            judge(&identity.facts, host.as_deref(), renews, Utc::now())
        }
    }
}

fn judge(facts: &Facts, host: Option<&str>, renews: bool, now: DateTime<Utc>) -> Check {
    let (words, left) = (facts.words(), facts.left(now));
    let renew = if renews {
        "the log of the server says why the authority gives no new one"
    } else {
        "renew it; the server takes the new files over by itself"
    };
    if facts.ends <= now {
        return Check::failed(NAME, format!("it has ended: {words}"), renew);
    }
    if facts.begins > now {
        let begins = facts.begins.format("%Y-%m-%d %H:%M UTC");
        return Check::failed(
            NAME,
            format!("it counts only from {begins} on: {words}"),
            "is the clock right?",
        );
    }
    // what an authority renews is due a third before its end
    let soon = if renews { (facts.ends - facts.begins) / 4 } else { TimeDelta::days(SOON) };
    if left < soon {
        return Check::warning(NAME, format!("it ends in {} days: {words}", left.num_days()), renew);
    }
    if let Some(host) = host.filter(|host| !facts.covers(host)) {
        return Check::warning(
            NAME,
            format!("it is not for {host}, the host of WEBDRIVER_BASEURL_USER_FRIENDLY: {words}"),
            "browsers refuse it there: get one for that name, or change the key",
        );
    }
    if facts.names.is_empty() {
        return Check::warning(
            NAME,
            words,
            "browsers refuse it: names must stand among the alternative ones",
        );
    }
    Check::ok(NAME, words)
}

/// The host of an address of https that people use.
fn public_host(address: &str) -> Option<String> {
    let rest = address.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let host = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    Some(host.to_owned()).filter(|host| !host.is_empty() && host != "0.0.0.0")
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};

    #[test]
    fn ends_and_names() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let day = |days: i64| now + TimeDelta::days(days);
        let facts = |begins: i64, ends: i64, names: &[&str]| Facts {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            begins: day(begins),
            ends: day(ends),
            is_self_signed: false,
        };
        let bi = ["bi.example.org"];
        let state = |facts: &Facts, host: Option<&str>| judge(facts, host, false, now).state;
        assert_eq!(state(&facts(-1, 90, &bi), Some("bi.example.org")), State::Ok);
        assert_eq!(state(&facts(-1, 90, &bi), None), State::Ok);
        assert_eq!(state(&facts(-1, 90, &bi), Some("www.example.org")), State::Warning);
        assert_eq!(state(&facts(-80, 10, &bi), None), State::Warning);
        assert_eq!(state(&facts(-90, 0, &bi), None), State::Failed);
        assert_eq!(state(&facts(1, 90, &bi), None), State::Failed);
        assert_eq!(state(&facts(-1, 90, &[]), None), State::Warning);
        // six days are much of a week
        assert_eq!(judge(&facts(-1, 6, &bi), None, true, now).state, State::Ok);
        assert_eq!(judge(&facts(-6, 1, &bi), None, true, now).state, State::Warning);
    }

    #[test]
    fn hosts_of_addresses() {
        let hosts = [
            "https://bi.example.org:8443/x",
            "https://[::1]:1/",
            "http://bi.example.org",
            "https://0.0.0.0:80/",
        ];
        assert_eq!(hosts.map(public_host), [Some("bi.example.org".into()), Some("[::1]".into()), None, None]);
    }
}
