//! What stands in a certificate: names and dates.

use std::{net::IpAddr, time::SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use x509_cert::{
    Certificate,
    der::{Decode as _, Encode as _},
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Names and addresses that it is for.
    pub names: Vec<String>,
    /// It counts from then on.
    pub begins: DateTime<Utc>,
    /// It counts until then.
    pub ends: DateTime<Utc>,
    /// It is signed by who it is of.
    pub is_self_signed: bool,
}

impl Facts {
    /// Reads a certificate in DER form.
    pub fn read(der: &[u8]) -> Result<Self, String> {
        let certificate = Certificate::from_der(der).map_err(|e| e.to_string())?;
        let body = &certificate.tbs_certificate;
        let found: Option<(bool, SubjectAltName)> = body.get().map_err(|e| e.to_string())?;
        let names = found.map(|(_, names)| names.0).unwrap_or_default();
        let names = names.iter().filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(name.as_str().to_ascii_lowercase()),
            GeneralName::IpAddress(bytes) => address(bytes.as_bytes()),
            _ => None,
        });
        let at = |time: SystemTime| DateTime::<Utc>::from(time);
        Ok(Self {
            names: names.collect(),
            begins: at(body.validity.not_before.to_system_time()),
            ends: at(body.validity.not_after.to_system_time()),
            is_self_signed: body.issuer.to_der().ok() == body.subject.to_der().ok(),
        })
    }

    /// Whether it is for a host: a name, also by a wildcard of its first label, or an address.
    pub fn covers(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        self.names.iter().any(|name| {
            let wildcard = name.strip_prefix("*.").zip(host.split_once('.'));
            *name == host || wildcard.is_some_and(|(rest, (_, domain))| rest == domain)
        })
    }

    /// What is left of its time.
    pub fn left(&self, now: DateTime<Utc>) -> TimeDelta {
        self.ends - now
    }

    /// Names and the end, for people.
    pub fn words(&self) -> String {
        let names = if self.names.is_empty() { "no name".to_owned() } else { self.names.join(", ") };
        format!("for {names}, until {}", self.ends.format("%Y-%m-%d %H:%M UTC"))
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let ip = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
        _ => return None,
    };
    Some(ip.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_dates() {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = ["BI.example.org", "*.bi.example.org", "127.0.0.1", "::1"].map(str::to_owned);
        let mut asked = rcgen::CertificateParams::new(names).unwrap();
        asked.not_after = rcgen::date_time_ymd(2031, 5, 6);
        let facts = Facts::read(asked.self_signed(&key).unwrap().der()).unwrap();
        assert_eq!(facts.names, ["bi.example.org", "*.bi.example.org", "127.0.0.1", "::1"]);
        assert_eq!(facts.ends.format("%F").to_string(), "2031-05-06");
        assert!(facts.is_self_signed);
        for host in ["bi.example.org", "BI.EXAMPLE.ORG.", "a.bi.example.org", "127.0.0.1", "[::1]"] {
            assert!(facts.covers(host), "{host}");
        }
        for host in ["example.org", "a.b.bi.example.org", "127.0.0.2", "", "*"] {
            assert!(!facts.covers(host), "{host}");
        }
        assert!(Facts::read(b"no certificate").is_err());
    }
}
