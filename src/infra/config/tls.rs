//! TLS without a proxy: a certificate and its key in files, or one that an ACME server gives (RFC 8555).

use std::path::PathBuf;

use indexmap::IndexMap;
use serde_json::Value;

/// Where certificates are asked for when the configuration names a domain and no directory.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// Keys whose values are texts.
const TEXTS: &[&str] = &[
    "ACME_CONTACT",
    "ACME_DIRECTORY",
    "ACME_ROOT_CERTIFICATE",
    "TLS_CERTIFICATE",
    "TLS_KEY",
    "TLS_REDIRECT",
];
/// More names than any authority puts into one certificate.
const MOST_DOMAINS: usize = 100;

/// How connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Where the certificate comes from.
    pub source: Source,
    /// Where requests in clear are sent on: an address with a port, or a port of `--host`.
    pub redirect: Option<String>,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files in PEM form.
    Files {
        /// The server's certificate and those between it and its authority.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// An authority that is asked for it.
    Acme(Acme),
}

/// What an authority is asked, and which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// Names in the certificate, the first one before the others.
    pub domains: Vec<String>,
    /// Whom the authority may write to.
    pub contact: Option<String>,
    /// The address of its directory.
    pub directory: String,
    /// Certificates of authorities that the directory's own server is checked against, besides the public ones.
    pub root: Option<PathBuf>,
}

fn text<'a>(values: &'a IndexMap<String, Value>, key: &str) -> Option<&'a str> {
    values.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// Names of `ACME_DOMAINS`: a list, or a text with commas.
fn domains(values: &IndexMap<String, Value>) -> Result<Vec<String>, String> {
    let given: Vec<&str> = match values.get("ACME_DOMAINS") {
        None | Some(Value::Null) => vec![],
        Some(Value::String(text)) => text.split([',', ' ']).filter(|name| !name.is_empty()).collect(),
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect()
        }
        Some(_) => return Err("ACME_DOMAINS is not a list of names".to_owned()),
    };
    if given.len() > MOST_DOMAINS {
        return Err(format!("ACME_DOMAINS has more than {MOST_DOMAINS} names"));
    }
    if let Some(wrong) = given.iter().find(|name| !is_domain(name)) {
        return Err(format!(
            "ACME_DOMAINS: {wrong:?} is no name that an authority can look at from outside: neither addresses nor \
             wildcards are"
        ));
    }
    Ok(given.into_iter().map(str::to_ascii_lowercase).collect())
}

fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253
        && name.split('.').all(is_label)
        && !name.rsplit('.').next().unwrap_or_default().bytes().all(|b| b.is_ascii_digit())
}

impl Tls {
    /// Reads the keys; `None` where none of them asks for TLS. Errors are reasons not to start.
    pub fn read(values: &IndexMap<String, Value>) -> Result<Option<Self>, Vec<String>> {
        let mut wrong = Vec::new();
        for key in TEXTS {
            if values.get(*key).is_some_and(|value| !value.is_null() && !value.is_string()) {
                wrong.push(format!("{key} is not a text"));
            }
        }
        for key in ["TLS_CERTIFICATE", "TLS_KEY"] {
            // the value is a secret perhaps: it stands in no message
            if text(values, key).is_some_and(|text| text.contains("-----BEGIN")) {
                wrong.push(format!(
                    "{key} is the path of a file, not its content (a credential of systemd: \
                     LoadCredential=tls:/path, and {key}=%d/tls in Environment=)"
                ));
            }
        }
        let (certificate, key) = (text(values, "TLS_CERTIFICATE"), text(values, "TLS_KEY"));
        let domains = domains(values).unwrap_or_else(|text| {
            wrong.push(text);
            vec![]
        });
        let redirect = text(values, "TLS_REDIRECT").map(str::to_owned);
        let source = match (certificate, key) {
            (Some(_), _) | (_, Some(_)) if !domains.is_empty() => {
                wrong.push(
                    "TLS_CERTIFICATE and TLS_KEY are files of your own, ACME_DOMAINS asks an authority for one: \
                     set one of both"
                        .to_owned(),
                );
                None
            }
            (Some(certificate), Some(key)) => {
                Some(Source::Files { certificate: certificate.into(), key: key.into() })
            }
            (Some(_), None) => {
                wrong.push("TLS_CERTIFICATE is set without TLS_KEY, the file of its private key".to_owned());
                None
            }
            (None, Some(_)) => {
                wrong.push("TLS_KEY is set without TLS_CERTIFICATE, the file of its certificate".to_owned());
                None
            }
            (None, None) if domains.is_empty() => None,
            (None, None) => Some(Source::Acme(Acme::read(values, domains, &mut wrong))),
        };
        if source.is_none() && wrong.is_empty() && redirect.is_some() {
            wrong.push(
                "TLS_REDIRECT leads to https, which is not there: set TLS_CERTIFICATE and TLS_KEY, or ACME_DOMAINS"
                    .to_owned(),
            );
        }
        if wrong.is_empty() { Ok(source.map(|source| Self { source, redirect })) } else { Err(wrong) }
    }
}

impl Acme {
    fn read(values: &IndexMap<String, Value>, domains: Vec<String>, wrong: &mut Vec<String>) -> Self {
        let directory = text(values, "ACME_DIRECTORY").unwrap_or(LETS_ENCRYPT).to_owned();
        if !directory.starts_with("https://") {
            wrong.push("ACME_DIRECTORY is not an address that begins with https://".to_owned());
        }
        if values.get("ACME_TERMS_AGREED") != Some(&Value::Bool(true)) {
            wrong.push(format!(
                "ACME_DOMAINS asks {directory} for a certificate, whose terms of service only you can agree to: read \
                 them, and set ACME_TERMS_AGREED to true"
            ));
        }
        let contact = text(values, "ACME_CONTACT").map(|to| to.trim_start_matches("mailto:").to_owned());
        if contact.as_ref().is_some_and(|to| !to.contains('@')) {
            wrong.push("ACME_CONTACT is not an address of mail".to_owned());
        }
        Self { domains, contact, directory, root: text(values, "ACME_ROOT_CERTIFICATE").map(PathBuf::from) }
    }
}

/// What follows from TLS where the configuration does not say otherwise: cookies are for encrypted connections alone,
/// and links lead to the name that the certificate is for. The keys that were set.
pub(super) fn fill(values: &mut IndexMap<String, Value>) -> Vec<&'static str> {
    let Ok(Some(tls)) = Tls::read(values) else { return vec![] };
    let mut filled = Vec::new();
    let mut set = |values: &mut IndexMap<String, Value>, key: &'static str, value: Value| {
        if !values.contains_key(key) {
            values.insert(key.to_owned(), value);
            filled.push(key);
        }
    };
    let says = |key: &str| {
        let options = values.get(key).and_then(Value::as_object);
        options.is_some_and(|options| options.contains_key("session_cookie_secure"))
    };
    if !says("TALISMAN_CONFIG") && !says("TALISMAN_DEV_CONFIG") {
        set(values, "SESSION_COOKIE_SECURE", true.into());
    }
    set(values, "GLOBAL_ASYNC_QUERIES_JWT_COOKIE_SECURE", true.into());
    if let Source::Acme(Acme { domains, .. }) = &tls.source
        && let Some(name) = domains.first()
    {
        set(values, "WEBDRIVER_BASEURL_USER_FRIENDLY", format!("https://{name}/").into());
    }
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(keys: &[(&str, Value)]) -> IndexMap<String, Value> {
        keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    fn refusal(keys: &[(&str, Value)]) -> String {
        Tls::read(&values(keys)).unwrap_err().join("\n")
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let (certificate, key) = (("TLS_CERTIFICATE", json!("/a.pem")), ("TLS_KEY", json!("/a.key")));
        assert_eq!(Tls::read(&values(&[])).unwrap(), None);
        assert!(refusal(std::slice::from_ref(&certificate)).contains("TLS_KEY"));
        assert!(refusal(std::slice::from_ref(&key)).contains("TLS_CERTIFICATE"));
        assert!(refusal(&[("TLS_REDIRECT", json!("80"))]).contains("TLS_REDIRECT"));
        assert!(refusal(&[("TLS_REDIRECT", json!(80))]).contains("not a text"));
        let content = ("TLS_KEY", json!("-----BEGIN PRIVATE KEY-----\nMIIsecret"));
        let said = refusal(&[certificate.clone(), content]);
        assert!(said.contains("path of a file") && !said.contains("MIIsecret"), "{said}");
        let domain = ("ACME_DOMAINS", json!(["bi.example.org"]));
        assert!(refusal(&[certificate.clone(), key.clone(), domain.clone()]).contains("one of both"));
        assert!(refusal(std::slice::from_ref(&domain)).contains("ACME_TERMS_AGREED"));
        let agreed = ("ACME_TERMS_AGREED", json!(true));
        for wrong in ["*.example.org", "10.0.0.7", "a..b", "-a.example", "a/b", "a_b.example"] {
            let said = refusal(&[("ACME_DOMAINS", json!([wrong])), agreed.clone()]);
            assert!(said.contains("no name"), "{wrong}: {said}");
        }
        let clear = ("ACME_DIRECTORY", json!("http://ca.example/directory"));
        assert!(refusal(&[domain, agreed, clear]).contains("ACME_DIRECTORY"));
        let files = Tls::read(&values(&[certificate, key])).unwrap().unwrap();
        assert_eq!(files.source, Source::Files { certificate: "/a.pem".into(), key: "/a.key".into() });
    }

    #[test]
    fn an_authority_is_named() {
        let keys = [
            ("ACME_DOMAINS", json!("BI.example.org, www.example.org")),
            ("ACME_TERMS_AGREED", json!(true)),
            ("ACME_CONTACT", json!("mailto:ops@example.org")),
        ];
        let Source::Acme(acme) = Tls::read(&values(&keys)).unwrap().unwrap().source else { panic!("files") };
        assert_eq!(acme.domains, ["bi.example.org", "www.example.org"]);
        assert_eq!((acme.contact.as_deref(), &*acme.directory), (Some("ops@example.org"), LETS_ENCRYPT));
        let mut filled = values(&keys);
        fill(&mut filled);
        assert_eq!(filled["WEBDRIVER_BASEURL_USER_FRIENDLY"], "https://bi.example.org/");
    }

    #[test]
    fn cookies_are_secure_unless_the_configuration_says_otherwise() {
        let of = |more: &[(&str, Value)]| {
            let mut keys = values(&[("TLS_CERTIFICATE", json!("/a")), ("TLS_KEY", json!("/b"))]);
            keys.extend(values(more));
            fill(&mut keys);
            keys.get("SESSION_COOKIE_SECURE").cloned()
        };
        assert_eq!(of(&[]), Some(json!(true)));
        assert_eq!(of(&[("SESSION_COOKIE_SECURE", json!(false))]), Some(json!(false)));
        assert_eq!(of(&[("TALISMAN_CONFIG", json!({"session_cookie_secure": false}))]), None);
        assert_eq!(of(&[("TALISMAN_CONFIG", json!({"force_https": false}))]), Some(json!(true)));
        let mut none = values(&[]);
        assert!(fill(&mut none).is_empty() && none.is_empty());
    }
}
