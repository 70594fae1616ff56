//! Who gives keys that end: the service of tokens (STS), a container's neighbour, and what tells a virtual machine
//! about itself.

use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, Url};
use serde::Deserialize;

use super::{Environment, Keys, Request, domain, refused, sign};
use crate::engines::{
    error::EngineError,
    http::{self, Access, Auth, Backoff, Endpoint, Failure, Verify},
};

/// What getting keys may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same on this machine and beside it.
const NEAR: Duration = Duration::from_secs(5);
/// Bytes that an answer may have.
const MOST: usize = 256 << 10;
/// How often somebody who is busy is asked.
const TRIES: u32 = 3;
/// Before that.
const PAUSE: Duration = Duration::from_millis(300);
/// The longest time before that.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Characters of a refusal that are told.
const MAX_WORDS: usize = 2000;
/// Where a virtual machine is told about itself.
const INSTANCE: &str = "http://169.254.169.254";
/// Where a container of ECS is told about itself.
const CONTAINER: &str = "http://169.254.170.2";
/// Hosts of containers' neighbours that may be asked without encryption.
const NEIGHBOURS: [&str; 6] =
    ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "127.0.0.1", "::1", "localhost"];

/// Keys that end.
#[derive(Clone)]
pub struct Given {
    pub keys: Keys,
    pub until: Option<Instant>,
}

/// A role that somebody takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub arn: String,
    pub session: String,
    pub external_id: Option<String>,
    pub seconds: u32,
}

fn failed(endpoint: &Endpoint, failure: &Failure) -> EngineError {
    EngineError::Connect(failure.text(endpoint.access(), "/"))
}

/// A place by its address.
fn endpoint(address: &Url, connect: Duration) -> Result<Endpoint, EngineError> {
    let wrong = || refused(format!("{address} is no address of HTTP"));
    let tls = match address.scheme() {
        "https" => Some(Verify::Public),
        "http" => None,
        _ => return Err(wrong()),
    };
    let host = address.host_str().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
    let port = address.port_or_known_default().ok_or_else(wrong)?;
    Endpoint::new(Access { host, port, tls, auth: Auth::Nobody, connect })
}

/// The answer to a request; who is busy is asked again.
async fn ask(
    endpoint: &Endpoint,
    request: impl Fn() -> RequestBuilder,
    patience: Duration,
) -> Result<(u16, Vec<u8>), EngineError> {
    let mut backoff = Backoff::new(PAUSE, LONGEST_PAUSE, TRIES);
    loop {
        let answer = http::send(request(), patience).await.map_err(|e| failed(endpoint, &e))?;
        let (status, after) = (answer.status().as_u16(), http::retry_after(&answer));
        let body = http::body(answer, MOST, patience).await.map_err(|e| failed(endpoint, &e))?;
        let busy = status == 429
            || status >= 500
            || tag(&String::from_utf8_lossy(&body), "Code").is_some_and(|code| code == "Throttling");
        if !busy || !backoff.again(after).await {
            return Ok((status, body));
        }
    }
}

/// The service that gives keys of roles.
pub struct Sts {
    endpoint: Endpoint,
    region: String,
    address: Url,
}

impl Sts {
    /// The one of a region, or the one that the operator has put into its place.
    pub fn new(region: &str, environment: &Environment) -> Result<Self, EngineError> {
        let usual = format!("https://sts.{region}.{}", domain(region));
        let address = environment.get("AWS_ENDPOINT_URL_STS").unwrap_or(&usual);
        let wrong = |_| refused("AWS_ENDPOINT_URL_STS is no address of HTTP");
        let address = Url::parse(address).map_err(wrong)?;
        let endpoint = endpoint(&address, Duration::from_secs(10))?;
        Ok(Self { endpoint, region: region.to_owned(), address })
    }

    /// Keys of a role for who has keys (`AssumeRole`).
    pub async fn assume(&self, keys: &Keys, role: &Role) -> Result<Given, EngineError> {
        self.give("AssumeRole", role, Some(keys), None).await
    }

    /// Keys of a role for who has a token of another giver of identities (`AssumeRoleWithWebIdentity`).
    pub async fn identified(&self, token: &str, role: &Role) -> Result<Given, EngineError> {
        self.give("AssumeRoleWithWebIdentity", role, None, Some(token)).await
    }

    async fn give(
        &self,
        action: &str,
        role: &Role,
        keys: Option<&Keys>,
        token: Option<&str>,
    ) -> Result<Given, EngineError> {
        let seconds = role.seconds.to_string();
        let mut fields = vec![("Action", action), ("Version", "2011-06-15"), ("RoleArn", role.arn.as_str())];
        fields.extend([("RoleSessionName", role.session.as_str()), ("DurationSeconds", seconds.as_str())]);
        fields.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
        fields.extend(token.map(|token| ("WebIdentityToken", token)));
        let encoded: Vec<String> = fields
            .iter()
            .map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        let body = encoded.join("&");
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        let post = || {
            let mut request = self
                .endpoint
                .request(Method::POST, &self.address)
                .header("content-type", kind)
                .body(body.clone());
            if let Some(keys) = keys {
                let signed = Request {
                    method: "POST",
                    host: &self.endpoint.host(),
                    path: self.address.path(),
                    query: &[],
                    headers: &[("content-type", kind)],
                    body: body.as_bytes(),
                };
                for (name, value) in sign(keys, (&self.region, "sts"), Utc::now(), &signed) {
                    request = request.header(name, value);
                }
            }
            request
        };
        let (status, answer) = ask(&self.endpoint, post, PATIENCE).await?;
        let text = String::from_utf8_lossy(&answer);
        let of = |name| tag(&text, name);
        if status != 200 {
            // what somebody else answers is nobody's to read
            let (Some(code), Some(words)) = (of("Code"), of("Message")) else {
                return Err(EngineError::Connect(format!(
                    "the service of tokens does not speak its protocol (HTTP {status})"
                )));
            };
            let words = keys.map_or(words.clone(), |keys| keys.masked(&words));
            let words: String = words.chars().take(MAX_WORDS).collect();
            return Err(refused(format!(
                "An error occurred ({code}) when calling the {action} operation: {words}"
            )));
        }
        let given = || {
            Some(Given {
                keys: Keys {
                    id: of("AccessKeyId")?,
                    secret: of("SecretAccessKey")?,
                    token: of("SessionToken"),
                },
                until: until(of("Expiration").as_deref()),
            })
        };
        given().ok_or_else(|| EngineError::Connect("the service of tokens gives no keys".to_owned()))
    }
}

/// The text of the first element of a name. Answers of the service have neither attributes nor sections.
fn tag(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(inner.trim().to_owned(), |text, (from, to)| text.replace(from, to)))
}

/// The moment, by the clock that cannot be set, that an answer names.
fn until(text: Option<&str>) -> Option<Instant> {
    let at: SystemTime = DateTime::parse_from_rfc3339(text?).ok()?.into();
    let left = at.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now().checked_add(left)
}

/// Keys as containers and virtual machines are told them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

impl Told {
    fn read(body: &[u8]) -> Option<Given> {
        let told: Self = serde_json::from_slice(body).ok()?;
        let keys = Keys { id: told.access_key_id, secret: told.secret_access_key, token: told.token };
        Some(Given { keys, until: until(told.expiration.as_deref()) })
    }
}

/// The neighbour of a container, which knows its role.
pub struct Container {
    endpoint: Endpoint,
    address: Url,
    token: Option<String>,
    /// A file whose contents are the token; they change.
    token_file: Option<String>,
}

impl Container {
    /// The one that the environment names.
    pub fn new(environment: &Environment) -> Result<Option<Self>, EngineError> {
        let relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        let whole = relative.map(|path| format!("{CONTAINER}/{}", path.trim_start_matches('/')));
        let full = || environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").map(str::to_owned);
        let Some(address) = whole.or_else(full) else { return Ok(None) };
        let wrong = "AWS_CONTAINER_CREDENTIALS_FULL_URI must be an address of HTTPS or of this machine";
        let address = Url::parse(&address).map_err(|_| refused(wrong))?;
        let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']);
        if address.scheme() != "https" && !NEIGHBOURS.contains(&host) {
            return Err(refused(wrong));
        }
        Ok(Some(Self {
            endpoint: endpoint(&address, NEAR)?,
            address,
            token: environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(str::to_owned),
            token_file: environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(str::to_owned),
        }))
    }

    pub async fn give(&self) -> Result<Given, EngineError> {
        let token = match &self.token_file {
            Some(path) => Some(token_in(path).await?),
            None => self.token.clone(),
        };
        let get = || {
            let request = self.endpoint.request(Method::GET, &self.address);
            token.iter().fold(request, |request, token| request.header("authorization", token))
        };
        let (status, body) = ask(&self.endpoint, get, NEAR).await?;
        let given = (status == 200).then(|| Told::read(&body)).flatten();
        given.ok_or_else(|| EngineError::Connect("the container is given no keys".to_owned()))
    }
}

/// The virtual machine that we run on, which knows its role (IMDSv2).
pub struct Instance {
    endpoint: Endpoint,
}

impl Instance {
    /// Only where the operator says that it may be asked: everybody who makes connections could use its role.
    pub fn new(environment: &Environment) -> Result<Option<Self>, EngineError> {
        let allowed = environment.get("AWS_EC2_METADATA_DISABLED");
        if !allowed.is_some_and(|text| text.eq_ignore_ascii_case("false")) {
            return Ok(None);
        }
        let address = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(INSTANCE);
        let wrong = |_| refused("AWS_EC2_METADATA_SERVICE_ENDPOINT is no address of HTTP");
        let address = Url::parse(address).map_err(wrong)?;
        Ok(Some(Self { endpoint: endpoint(&address, NEAR)? }))
    }

    async fn text(&self, method: Method, path: &str, header: (&str, &str)) -> Result<String, EngineError> {
        let none = || EngineError::Connect("the virtual machine is given no keys".to_owned());
        let mut address = self.endpoint.base().clone();
        address.set_path(path);
        let request = || self.endpoint.request(method.clone(), &address).header(header.0, header.1);
        let (status, body) = ask(&self.endpoint, request, NEAR).await?;
        let text = (status == 200).then(|| String::from_utf8(body).ok()).flatten();
        text.filter(|text| !text.trim().is_empty()).ok_or_else(none)
    }

    pub async fn give(&self) -> Result<Given, EngineError> {
        const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
        let life = ("x-aws-ec2-metadata-token-ttl-seconds", "300");
        let token = self.text(Method::PUT, "/latest/api/token", life).await?;
        let proof = ("x-aws-ec2-metadata-token", token.trim());
        let role = self.text(Method::GET, ROLES, proof).await?;
        let role = role.lines().next().unwrap_or_default().trim();
        let keys = self.text(Method::GET, &format!("{ROLES}{role}"), proof).await?;
        let none = || EngineError::Connect("the virtual machine is given no keys".to_owned());
        Told::read(keys.as_bytes()).ok_or_else(none)
    }
}

/// The token in a file of the operator's, which somebody writes anew now and then.
pub async fn token_in(path: &str) -> Result<String, EngineError> {
    let read = tokio::fs::read_to_string(path).await.ok().filter(|text| text.len() < MOST);
    let token = read.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    token.ok_or_else(|| refused("The file with the token of this container cannot be read"))
}
