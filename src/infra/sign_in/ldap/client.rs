//! A connection to a directory: one request after the other.

use std::{pin::Pin, sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    Server, Settings,
    ber::{BOOLEAN, ENUMERATED, Elements, Front, INTEGER, OCTETS, SEQUENCE, element, front, integer, number},
    filter,
};
use crate::{net, sign_in::trust};

/// For connecting, and for each answer. The original sets no limit.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that one message of a directory may have; an entry is asked for a handful of attributes.
const MOST: usize = 1 << 20;
/// Messages that belong to one answer.
const MOST_MESSAGES: usize = 1_000;
/// Of the extended request that begins TLS.
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

const SUCCESS: i64 = 0;
const SIZE_LIMIT_EXCEEDED: i64 = 4;
const INVALID_CREDENTIALS: i64 = 49;

/// Why the directory did not answer as it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LdapError {
    /// It was not reached, or is not the right one.
    #[error("the directory {0}: {1}")]
    Unreachable(String, String),
    /// It says no.
    #[error("the directory answers with code {0}: {1}")]
    Code(i64, String),
    /// What it says makes no sense, is too long or comes too late.
    #[error("the directory's answer: {0}")]
    Answer(&'static str),
    /// The filter of the configuration makes no sense.
    #[error("the filter: {0}")]
    Filter(String),
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Distinguished name.
    pub dn: String,
    /// Attributes and their values; what is no text is left out.
    pub attributes: Vec<(String, Vec<String>)>,
}

impl Entry {
    /// All values of an attribute.
    pub fn values(&self, name: &str) -> &[String] {
        let found = self.attributes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, values)| values)
    }
    /// The first value; empty when there is none.
    pub fn first(&self, name: &str) -> &str {
        self.values(name).first().map_or("", String::as_str)
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection.
pub struct Connection {
    stream: Pin<Box<dyn Stream>>,
    read: Vec<u8>,
    last: u32,
}

/// What ends an answer.
struct Ending {
    code: i64,
    text: String,
}

impl Connection {
    /// Connects to the first server that answers.
    pub async fn open(settings: &Settings) -> Result<Self, LdapError> {
        let mut last = LdapError::Answer("no server is configured");
        for server in &settings.servers {
            match Self::open_one(settings, server).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn open_one(settings: &Settings, server: &Server) -> Result<Self, LdapError> {
        let failed = |why: String| LdapError::Unreachable(format!("{}:{}", server.host, server.port), why);
        let connecting = async {
            let ip = net::address(&server.host).await.ok_or_else(|| "the name is not known".to_owned())?;
            TcpStream::connect((ip, server.port)).await.map_err(|e| e.to_string())
        };
        let plain = in_time(connecting).await.map_err(&failed)?;
        if server.tls {
            let stream = encrypt(settings, server, plain).await.map_err(failed)?;
            return Ok(Self::over(stream));
        }
        if !settings.start_tls {
            return Ok(Self::over(plain));
        }
        let mut asking = Self::over(plain);
        let request = element(0x77, &element(0x80, START_TLS));
        let ending = asking.ask(&request, 0x78, |_, _| Ok(())).await?;
        if ending.code != SUCCESS {
            return Err(failed(format!("StartTLS is refused with code {}: {}", ending.code, ending.text)));
        }
        // whatever came before the handshake was said by nobody
        if !asking.read.is_empty() {
            return Err(LdapError::Answer("something before TLS began"));
        }
        let stream = encrypt(settings, server, asking.stream).await.map_err(failed)?;
        Ok(Self::over(stream))
    }

    fn over(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::pin(stream), read: Vec::new(), last: 0 }
    }

    /// Proves to be somebody; false when name or password is wrong. An empty password would be no proof: directories
    /// let it in as nobody (RFC 4513, 5.1.2), so it is never sent.
    pub async fn bind(&mut self, dn: &str, password: &str) -> Result<bool, LdapError> {
        if password.is_empty() || password.contains('\0') {
            return Ok(false);
        }
        let content =
            [number(INTEGER, 3), element(OCTETS, dn.as_bytes()), element(0x80, password.as_bytes())];
        let ending = self.ask(&element(0x60, &content.concat()), 0x61, |_, _| Ok(())).await?;
        match ending.code {
            SUCCESS => Ok(true),
            INVALID_CREDENTIALS => Ok(false),
            code => Err(LdapError::Code(code, ending.text)),
        }
    }

    /// Entries below `base` that fit a filter; two are enough to know that there are several.
    pub async fn search(
        &mut self,
        base: &str,
        filter: &str,
        attributes: &[&str],
    ) -> Result<Vec<Entry>, LdapError> {
        let names: Vec<u8> = attributes.iter().flat_map(|name| element(OCTETS, name.as_bytes())).collect();
        let content = [
            element(OCTETS, base.as_bytes()),
            number(ENUMERATED, 2), // the whole subtree
            number(ENUMERATED, 0), // aliases are not followed
            number(INTEGER, 2),    // entries
            number(INTEGER, 10),   // seconds
            element(BOOLEAN, &[0]),
            filter::encode(filter).map_err(LdapError::Filter)?,
            element(SEQUENCE, &names),
        ];
        let mut found = Vec::new();
        let collect = |tag: u8, content: &[u8]| match tag {
            0x64 => {
                found.push(entry(content).ok_or(LdapError::Answer("an entry makes no sense"))?);
                Ok(())
            }
            // references to other servers are not followed
            0x73 => Ok(()),
            _ => Err(LdapError::Answer("something else than entries")),
        };
        let ending = self.ask(&element(0x63, &content.concat()), 0x65, collect).await?;
        match ending.code {
            SUCCESS | SIZE_LIMIT_EXCEEDED => Ok(found),
            code => Err(LdapError::Code(code, ending.text)),
        }
    }

    /// Says good-bye.
    pub async fn close(mut self) {
        self.last += 1;
        let request = element(SEQUENCE, &[number(INTEGER, self.last), vec![0x42, 0]].concat());
        // it listens or not
        let _ = timeout(Duration::from_secs(1), async {
            let _ = self.stream.write_all(&request).await;
            let _ = self.stream.shutdown().await;
        })
        .await;
    }

    /// Sends a request and reads its answer: what comes before the message with the tag `end` goes to `each`.
    async fn ask(
        &mut self,
        request: &[u8],
        end: u8,
        mut each: impl FnMut(u8, &[u8]) -> Result<(), LdapError>,
    ) -> Result<Ending, LdapError> {
        self.last += 1;
        let message = element(SEQUENCE, &[&number(INTEGER, self.last), request].concat());
        let sending = async {
            self.stream.write_all(&message).await.map_err(|e| e.to_string())?;
            self.stream.flush().await.map_err(|e| e.to_string())
        };
        in_time(sending).await.map_err(|_| LdapError::Answer("the connection was closed"))?;
        for _ in 0..MOST_MESSAGES {
            let message = match timeout(PATIENCE, self.message()).await {
                Ok(message) => message?,
                Err(_) => return Err(LdapError::Answer("it did not come in time")),
            };
            let mut parts = Elements(&message);
            let id = parts.next().filter(|(tag, _)| *tag == INTEGER).and_then(|(_, id)| integer(id));
            let (Some(id), Some((tag, content))) = (id, parts.next()) else {
                return Err(LdapError::Answer("a message makes no sense"));
            };
            if id != i64::from(self.last) {
                return Err(LdapError::Answer("it belongs to another request"));
            }
            if tag == end {
                return ending(content).ok_or(LdapError::Answer("its end makes no sense"));
            }
            each(tag, content)?;
        }
        Err(LdapError::Answer("it has no end"))
    }

    /// The content of the next message.
    async fn message(&mut self) -> Result<Vec<u8>, LdapError> {
        loop {
            // nobody waits for the rest of what begins as no message does
            if self.read.first().is_some_and(|first| *first != SEQUENCE) {
                return Err(LdapError::Answer("it is no LDAP"));
            }
            match front(&self.read) {
                Front::Whole(SEQUENCE, content, rest) => {
                    let (content, rest) = (content.to_vec(), rest.to_vec());
                    self.read = rest;
                    return Ok(content);
                }
                Front::Part(length) if length <= MOST => {}
                Front::Part(_) => return Err(LdapError::Answer("it is too long")),
                _ => return Err(LdapError::Answer("it is no LDAP")),
            }
            let mut piece = [0; 8192];
            let n = self.stream.read(&mut piece).await.unwrap_or_default();
            if n == 0 {
                return Err(LdapError::Answer("the connection was closed"));
            }
            self.read.extend_from_slice(piece.get(..n).unwrap_or_default());
        }
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

async fn encrypt(
    settings: &Settings,
    server: &Server,
    plain: impl Stream + 'static,
) -> Result<impl Stream + 'static, String> {
    let connector = TlsConnector::from(Arc::new(trust::client(&settings.trust)?));
    let name = ServerName::try_from(server.host.clone()).map_err(|e| e.to_string())?;
    in_time(async { connector.connect(name, plain).await.map_err(|e| e.to_string()) }).await
}

fn ending(content: &[u8]) -> Option<Ending> {
    let mut parts = Elements(content);
    let code = parts.next().filter(|(tag, _)| *tag == ENUMERATED).and_then(|(_, code)| integer(code))?;
    let text = parts.nth(1).map(|(_, text)| String::from_utf8_lossy(text).escape_debug().take(300).collect());
    Some(Ending { code, text: text.unwrap_or_default() })
}

fn entry(content: &[u8]) -> Option<Entry> {
    let mut parts = Elements(content);
    let dn = String::from_utf8(parts.next()?.1.to_vec()).ok()?;
    let mut attributes = Vec::new();
    for (_, attribute) in Elements(parts.next()?.1) {
        let mut parts = Elements(attribute);
        let name = String::from_utf8(parts.next()?.1.to_vec()).ok()?;
        let values = Elements(parts.next()?.1).filter_map(|(_, v)| String::from_utf8(v.to_vec()).ok());
        attributes.push((name, values.collect()));
    }
    Some(Entry { dn, attributes })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::sign_in::trust::Trust;

    /// A connection to a directory that answers each request with the given bytes.
    async fn with(answers: Vec<Vec<u8>>) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in answers {
                let mut request = [0; 4096];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                stream.write_all(&answer).await.unwrap();
            }
        });
        let servers = vec![Server { host: "127.0.0.1".into(), port, tls: false }];
        let settings = Settings { servers, start_tls: false, trust: Trust::default() };
        Connection::open(&settings).await.unwrap()
    }

    fn message(id: u32, content: &[u8]) -> Vec<u8> {
        element(SEQUENCE, &[&number(INTEGER, id), content].concat())
    }

    fn result(tag: u8, code: u32) -> Vec<u8> {
        let content = [number(ENUMERATED, code), element(OCTETS, b""), element(OCTETS, b"no\n")];
        element(tag, &content.concat())
    }

    #[tokio::test]
    async fn binds() {
        let mut c = with(vec![message(1, &result(0x61, 0)), message(2, &result(0x61, 49))]).await;
        assert_eq!(c.bind("cn=a", "x").await, Ok(true));
        assert_eq!(c.bind("cn=a", "y").await, Ok(false));
        let mut c = with(vec![message(1, &result(0x61, 34))]).await;
        assert_eq!(c.bind("cn=a", "x").await, Err(LdapError::Code(34, "no\\n".into())));
        // never sent: there is nobody who would answer
        let mut c = with(vec![]).await;
        assert_eq!((c.bind("cn=a", "").await, c.bind("cn=a", "\0").await), (Ok(false), Ok(false)));
    }

    #[tokio::test]
    async fn searches() {
        let values =
            |v: &[&str]| element(0x31, &v.iter().flat_map(|v| element(4, v.as_bytes())).collect::<Vec<_>>());
        let attribute = [element(4, b"memberOf"), values(&["x", "y"])].concat();
        let found = [element(4, b"cn=a"), element(0x30, &element(0x30, &attribute))].concat();
        let answer = [
            message(1, &element(0x64, &found)),
            message(1, &element(0x73, b"")),
            message(1, &result(0x65, 0)),
        ];
        let mut c = with(vec![answer.concat()]).await;
        let entries = c.search("dc=x", "(uid=a)", &["memberof"]).await.unwrap();
        assert_eq!((entries.len(), entries[0].dn.as_str()), (1, "cn=a"));
        assert_eq!(entries[0].values("memberof"), ["x", "y"]);
        assert_eq!((entries[0].first("memberOf"), entries[0].first("mail")), ("x", ""));
    }

    #[tokio::test]
    async fn hostile_answers() {
        let endless = element(SEQUENCE, &vec![0; 2 << 20]);
        for (answer, why) in [
            (endless, "it is too long"),
            (b"HTTP/1.1 200 OK\r\n".to_vec(), "it is no LDAP"),
            (message(7, &result(0x61, 0)), "it belongs to another request"),
            (message(1, &element(0x61, b"")), "its end makes no sense"),
            (vec![], "the connection was closed"),
        ] {
            let mut c = with(vec![answer]).await;
            assert_eq!(c.bind("cn=a", "x").await, Err(LdapError::Answer(why)));
        }
    }
}
