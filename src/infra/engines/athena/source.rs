//! What a connection string of PyAthena means (`AthenaDialect._create_connect_args`), with the arguments of its
//! `Connection`.

use std::{net::IpAddr, sync::LazyLock, time::Duration};

use regex::Regex;
use reqwest::Url;
use serde_json::{Value, json};

use super::super::{
    Source,
    aws::{Credentials, Environment, Keys, Wish, domain, is_region, region_of},
    error::EngineError,
    http::{Access, Auth, Verify, connect_timeout},
};

/// Addresses of the service, which the operator's own keys may go to.
static OWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let text = r"(?x)^ (?:vpce-[a-z0-9-]+\.)? athena(?:-fips)?\. (?P<region>[a-z0-9-]+) (?:\.vpce)? \.
        (?: amazonaws\.com(?:\.cn)? | api\.aws | api\.amazonwebservices\.com\.cn ) $";
    Regex::new(text).ok()
});

/// How the service is spoken to.
pub(super) struct Target {
    pub access: Access,
    /// The path that requests are posted to.
    pub path: String,
    pub region: String,
    pub schema: String,
    pub catalog: String,
    pub work_group: Option<String>,
    /// `ResultConfiguration` of statements.
    pub results: Value,
    /// Minutes that an earlier result may be old that stands for a new one.
    pub reuse: Option<u64>,
    /// The longest time between two questions for a statement that runs.
    pub longest_pause: Option<Duration>,
    /// None where nobody has given any, which is told when it is asked for.
    pub credentials: Option<Credentials>,
    /// What is missing, in the words of the driver, which tells it only when it connects.
    pub missing: Option<&'static str>,
}

fn refused(text: impl Into<String>) -> EngineError {
    EngineError::Uri(text.into())
}

/// `strtobool`.
fn flag(source: &Source, key: &str) -> Result<Option<bool>, EngineError> {
    let Some(text) = source.option(key) else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Ok(Some(true)),
        "n" | "no" | "f" | "false" | "off" | "0" => Ok(Some(false)),
        _ => Err(refused(format!("invalid truth value of the option {key}: {text}"))),
    }
}

fn number<T: std::str::FromStr>(source: &Source, key: &str) -> Result<Option<T>, EngineError> {
    let Some(text) = source.option(key) else { return Ok(None) };
    let wrong = |_| refused(format!("invalid number of the option {key}: {text}"));
    text.trim().parse().map(Some).map_err(wrong)
}

impl Target {
    pub fn from_source(source: &Source, environment: &Environment) -> Result<Self, EngineError> {
        let named = |key: &str| source.option(key).filter(|text| !text.is_empty());
        if source.url.option("aws_secret_access_key").is_some() {
            return Err(refused(
                "The secret key belongs into the password's place, where it is stored encrypted: \
                 awsathena+rest://KEY:SECRET@athena.REGION.amazonaws.com:443/SCHEMA",
            ));
        }
        if named("serial_number").is_some() {
            let words = "The option \"serial_number\" demands a second factor, which nobody can give here";
            return Err(refused(words));
        }
        let profile = named("profile_name");
        let region = region(source, profile.as_deref(), environment)?;
        let (access, path, is_own) = place(source, &region, environment)?;
        let wish = Wish {
            keys: keys(source)?,
            profile,
            role: named("role_arn"),
            session: named("role_session_name"),
            external_id: named("external_id"),
            seconds: number(source, "duration_seconds")?,
        };
        let credentials = Credentials::new(wish, &region, environment)?;
        if credentials.as_ref().is_some_and(Credentials::is_operators) && !is_own {
            return Err(refused(
                "The keys of this server are used at the addresses of Athena only; a connection with an endpoint_url \
                 of its own needs keys of its own",
            ));
        }
        let staging =
            named("s3_staging_dir").or(environment.get("AWS_ATHENA_S3_STAGING_DIR").map(str::to_owned));
        let work_group = named("work_group").or(environment.get("AWS_ATHENA_WORK_GROUP").map(str::to_owned));
        let missing = match (&staging, &work_group, &credentials) {
            (None, None, _) => Some("Required argument `s3_staging_dir` or `work_group` not found."),
            (_, _, None) => Some("Unable to locate credentials"),
            _ => None,
        };
        let reuse = match flag(source, "result_reuse_enable")? {
            Some(true) => Some(number(source, "result_reuse_minutes")?.unwrap_or(60)),
            _ => None,
        };
        let path_schema = source.url.database.clone().filter(|name| !name.is_empty());
        let seconds: Option<f64> = number(source, "poll_interval")?;
        Ok(Self {
            access,
            path,
            region,
            schema: path_schema.or(named("schema_name")).unwrap_or_else(|| "default".to_owned()),
            catalog: named("catalog_name").unwrap_or_else(|| "awsdatacatalog".to_owned()),
            results: results(staging, named("encryption_option"), named("kms_key")),
            work_group,
            reuse,
            longest_pause: seconds.map(|seconds| Duration::from_secs_f64(seconds.clamp(0.1, 60.0))),
            credentials,
            missing,
        })
    }
}

/// Where results are kept, and how.
fn results(staging: Option<String>, encryption: Option<String>, key: Option<String>) -> Value {
    let mut results = json!({});
    if let Some(staging) = staging {
        results["OutputLocation"] = staging.into();
    }
    if let Some(encryption) = encryption {
        results["EncryptionConfiguration"] = json!({"EncryptionOption": encryption});
        if let Some(key) = key {
            results["EncryptionConfiguration"]["KmsKey"] = key.into();
        }
    }
    results
}

/// The keys of the connection: user and password of the string, or arguments of the driver.
fn keys(source: &Source) -> Result<Option<Keys>, EngineError> {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let argument = |key: &str| {
        source.arguments.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let id = argument("aws_access_key_id")
        .or(filled(&source.url.username))
        .or(source.url.option("aws_access_key_id").map(str::to_owned));
    let secret = argument("aws_secret_access_key").or(filled(&source.url.password));
    let partial =
        |missing: &str| refused(format!("Partial credentials found in explicit, missing: {missing}"));
    match (id, secret) {
        (Some(id), Some(secret)) => {
            let token = source.option("aws_session_token").filter(|text| !text.is_empty());
            Ok(Some(Keys { id, secret, token }))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(partial("aws_secret_access_key")),
        (None, Some(_)) => Err(partial("aws_access_key_id")),
    }
}

/// The region that an address of the service names.
fn region_in(host: &str) -> Option<String> {
    OWN.as_ref()?.captures(host).and_then(|found| found.name("region")).map(|found| found.as_str().to_owned())
}

fn region(source: &Source, profile: Option<&str>, environment: &Environment) -> Result<String, EngineError> {
    let host = source.url.host.as_deref().filter(|host| !host.is_empty());
    // a host that is no address of the service is a region, as in PyAthena
    let of_host = host.map(|host| region_in(host).unwrap_or_else(|| host.to_owned()));
    let given = source.option("region_name").filter(|text| !text.is_empty()).or(of_host);
    let found = match given.or(environment.region().map(str::to_owned)) {
        Some(region) => Some(region),
        None => region_of(profile, environment)?,
    };
    let region = found.ok_or_else(|| refused("You must specify a region."))?;
    if !is_region(&region) {
        return Err(refused(format!(
            "Provided region_name '{region}' doesn't match a supported format; the host must be \
             athena.REGION.amazonaws.com"
        )));
    }
    Ok(region)
}

fn verify(source: &Source) -> Result<Verify, EngineError> {
    if let Some(pem) = &source.server_cert {
        return Ok(Verify::Pem(pem.clone()));
    }
    match flag(source, "verify") {
        Ok(Some(false)) => Ok(Verify::Nothing),
        Ok(_) => Ok(Verify::Public),
        Err(_) => Err(refused(
            "The option \"verify\" names a file; put the certificate into the connection's field for it",
        )),
    }
}

/// The service, or what stands in its place; and whether the operator's own keys may go there.
fn place(
    source: &Source,
    region: &str,
    environment: &Environment,
) -> Result<(Access, String, bool), EngineError> {
    let connect = connect_timeout(source, &["connect_timeout"]);
    let own = source.option("endpoint_url").filter(|text| !text.is_empty());
    let operators = environment.get("AWS_ENDPOINT_URL_ATHENA").map(str::to_owned);
    let is_operators = own.is_none() && operators.is_some();
    let Some(address) = own.or(operators) else {
        let named = source.url.host.as_deref().filter(|host| region_in(host).as_deref() == Some(region));
        let host = named.map_or_else(|| format!("athena.{region}.{}", domain(region)), str::to_owned);
        let encrypted = flag(source, "use_ssl")?.unwrap_or(true);
        let tls = if encrypted { Some(verify(source)?) } else { None };
        let port = if encrypted { 443 } else { 80 };
        // nobody reads along, and nobody pretends to be the service
        let is_own = matches!(tls, Some(Verify::Public | Verify::Pem(_)));
        return Ok((Access { host, port, tls, auth: Auth::Nobody, connect }, "/".to_owned(), is_own));
    };
    let wrong = || refused(format!("Invalid endpoint: {address}"));
    let url = Url::parse(&address).map_err(|_| wrong())?;
    let tls = match url.scheme() {
        "https" => Some(verify(source)?),
        "http" => None,
        _ => return Err(wrong()),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let host = host.trim_matches(['[', ']']).to_owned();
    if host.parse::<IpAddr>().is_ok_and(is_link_local) {
        // virtual machines and containers are told their keys there
        return Err(refused("The endpoint_url must not be an address of the link"));
    }
    let is_own = is_operators || tls == Some(Verify::Public) && region_in(&host).is_some();
    let port = url.port_or_known_default().ok_or_else(wrong)?;
    let access = Access { host, port, tls, auth: Auth::Nobody, connect };
    Ok((access, url.path().to_owned(), is_own))
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => {
            ip.is_unicast_link_local()
                || matches!(ip.segments(), [0xfd00, 0xec2, ..])
                || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_link_local())
        }
    }
}
