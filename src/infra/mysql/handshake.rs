//! Getting in: greeting, encryption, authentication.

use std::{sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::{
    Failure, Target, Tls,
    wire::{Io, Reader, Wire},
};
use crate::{net, pg};

const CONNECT_WITH_DB: u32 = 1 << 3;
const SSL: u32 = 1 << 11;
/// `LONG_PASSWORD`, `FOUND_ROWS`, `LONG_FLAG`, `PROTOCOL_41`, `TRANSACTIONS`, `SECURE_CONNECTION`, `PLUGIN_AUTH`. Not
/// among them: `LOCAL_FILES`, by which a server reads files of its clients, and `MULTI_STATEMENTS`.
const WANTED: u32 = 1 | 1 << 1 | 1 << 2 | 1 << 9 | 1 << 13 | 1 << 15 | 1 << 19;
/// `utf8mb4_general_ci`.
const CHARSET: u8 = 45;

/// A connection that was let in.
pub(crate) struct Entered {
    pub wire: Wire,
    /// Number of the connection, by which it is killed.
    pub thread: u32,
    /// Version of the server.
    pub version: String,
}

/// The server's first words.
struct Greeting {
    version: String,
    thread: u32,
    capabilities: u32,
    scramble: Vec<u8>,
    plugin: String,
}

/// Connects and authenticates.
pub(crate) async fn enter(target: &Target) -> Result<Entered, Failure> {
    let late = || Failure::Io(std::io::ErrorKind::TimedOut.into());
    tokio::time::timeout(target.patience, enter_now(target)).await.map_err(|_| late())?
}

async fn connect(target: &Target) -> Result<Box<dyn Io>, Failure> {
    if let Some(file) = &target.socket {
        return Ok(Box::new(UnixStream::connect(file).await?));
    }
    let unknown = || Failure::Io(std::io::ErrorKind::NotFound.into());
    let address = net::address(&target.host).await.ok_or_else(unknown)?;
    let stream = TcpStream::connect((address, target.port)).await?;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

async fn enter_now(target: &Target) -> Result<Entered, Failure> {
    let mut wire = Wire::new(connect(target).await?);
    let greeting = greeting(&wire.read().await?)?;
    let mut flags = WANTED;
    if target.database.is_some() {
        flags |= CONNECT_WITH_DB;
    }
    let can_encrypt = greeting.capabilities & SSL != 0;
    let encrypted = match &target.tls {
        Tls::Off => false,
        // what goes through a file stays on this machine
        Tls::Preferred => can_encrypt && target.socket.is_none(),
        Tls::Required(_) if can_encrypt => true,
        Tls::Required(_) => {
            return Err(Failure::Refused("encryption is demanded, but the server offers none".to_owned()));
        }
    };
    if encrypted {
        flags |= SSL;
        wire.write(&head(flags)).await?;
        wire = encrypt(wire, target).await?;
    }
    let mut answer = head(flags);
    answer.extend_from_slice(target.user.as_bytes());
    answer.push(0);
    let proof = proof(&greeting.plugin, &target.password, &greeting.scramble).unwrap_or_default();
    answer.push(u8::try_from(proof.len()).unwrap_or_default());
    answer.extend_from_slice(&proof);
    if let Some(database) = &target.database {
        answer.extend_from_slice(database.as_bytes());
        answer.push(0);
    }
    answer.extend_from_slice(greeting.plugin.as_bytes());
    answer.push(0);
    wire.write(&answer).await?;
    authenticate(&mut wire, target, encrypted || target.socket.is_some()).await?;
    Ok(Entered { wire, thread: greeting.thread, version: greeting.version })
}

/// The start of our answer, which alone asks for encryption.
fn head(flags: u32) -> Vec<u8> {
    let mut head = flags.to_le_bytes().to_vec();
    head.extend_from_slice(&(16_u32 << 20).to_le_bytes());
    head.push(CHARSET);
    head.resize(32, 0);
    head
}

async fn encrypt(wire: Wire, target: &Target) -> Result<Wire, Failure> {
    let verify = match &target.tls {
        Tls::Required(verify) => verify.clone(),
        Tls::Off | Tls::Preferred => pg::Verify::Nothing,
    };
    let refused = |e: &dyn std::fmt::Display| Failure::Refused(e.to_string());
    let config = pg::client_config(&verify).map_err(|e| refused(&e))?;
    let name = ServerName::try_from(target.host.clone()).map_err(|e| refused(&e))?;
    let sequence = wire.sequence;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, wire.into_stream()).await?;
    let mut wire = Wire::new(Box::new(stream));
    wire.sequence = sequence;
    Ok(wire)
}

fn greeting(payload: &[u8]) -> Result<Greeting, Failure> {
    raise(payload)?;
    let read = || {
        let mut r = Reader(payload);
        if r.u8()? != 10 {
            return None;
        }
        let version = String::from_utf8_lossy(r.until_zero()).into_owned();
        let thread = u32::try_from(r.int(4)?).ok()?;
        let mut scramble = r.bytes(8)?.to_vec();
        r.u8()?;
        let low = r.int(2)?;
        r.bytes(3)?;
        let high = r.int(2)?;
        let length = usize::from(r.u8()?);
        r.bytes(10)?;
        let rest = r.bytes(length.saturating_sub(8).max(13))?;
        scramble.extend_from_slice(rest.get(..12)?);
        let plugin = String::from_utf8_lossy(r.until_zero()).into_owned();
        let capabilities = u32::try_from(high << 16 | low).ok()?;
        Some(Greeting { version, thread, capabilities, scramble, plugin })
    };
    read().ok_or(Failure::Protocol)
}

/// The server's error, if the payload is one.
pub(super) fn raise(payload: &[u8]) -> Result<(), Failure> {
    if payload.first() != Some(&0xff) {
        return Ok(());
    }
    let mut r = Reader(payload.get(1..).unwrap_or_default());
    let code = r.int(2).and_then(|c| u16::try_from(c).ok()).unwrap_or_default();
    if r.0.first() == Some(&b'#') {
        r.bytes(6);
    }
    Err(Failure::Server(code, String::from_utf8_lossy(r.0).into_owned()))
}

/// What proves that we know the password; `None` for plugins that ask for more than that.
fn proof(plugin: &str, password: &str, scramble: &[u8]) -> Option<Vec<u8>> {
    if password.is_empty() {
        return matches!(plugin, "mysql_native_password" | "caching_sha2_password").then(Vec::new);
    }
    let xor = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| a ^ b).collect();
    match plugin {
        "mysql_native_password" => {
            let once = Sha1::digest(password);
            let mut hash = Sha1::new();
            hash.update(scramble);
            hash.update(Sha1::digest(once));
            Some(xor(&once, &hash.finalize()))
        }
        "caching_sha2_password" => {
            let once = Sha256::digest(password);
            let mut hash = Sha256::new();
            hash.update(Sha256::digest(once));
            hash.update(scramble);
            Some(xor(&once, &hash.finalize()))
        }
        _ => None,
    }
}

async fn authenticate(wire: &mut Wire, target: &Target, private: bool) -> Result<(), Failure> {
    let mut clear = target.password.as_bytes().to_vec();
    clear.push(0);
    let unsafe_way =
        || Failure::Refused("the password is only sent over an encrypted connection: add ssl=1".to_owned());
    // a server that never comes to an end is left
    for _ in 0..8 {
        let payload = wire.read().await?;
        raise(&payload)?;
        match payload.first() {
            Some(0x00) => return Ok(()),
            Some(0xfe) => {
                let mut r = Reader(payload.get(1..).unwrap_or_default());
                let plugin = String::from_utf8_lossy(r.until_zero()).into_owned();
                let scramble = r.0.get(..20).unwrap_or(r.0);
                if plugin == "mysql_clear_password" {
                    if !private {
                        return Err(unsafe_way());
                    }
                    wire.write(&clear).await?;
                    continue;
                }
                let unknown =
                    || Failure::Refused(format!("authentication plugin '{plugin}' is not supported"));
                let proof = proof(&plugin, &target.password, scramble).ok_or_else(unknown)?;
                wire.write(&proof).await?;
            }
            Some(0x01) => match payload.get(1) {
                // the server knew the password already
                Some(3) => {}
                Some(4) if private => wire.write(&clear).await?,
                Some(4) => return Err(unsafe_way()),
                _ => return Err(Failure::Protocol),
            },
            _ => return Err(Failure::Protocol),
        }
    }
    Err(Failure::Protocol)
}

/// How long a connection may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with PyMySQL 1.2.
    #[test]
    fn proofs() {
        let scramble: Vec<u8> = (1..=20).collect();
        let hex = |p: Option<Vec<u8>>| p.unwrap().iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(proof("mysql_native_password", "secret", &scramble)), NATIVE);
        assert_eq!(hex(proof("caching_sha2_password", "secret", &scramble)), SHA2);
        assert_eq!(proof("mysql_native_password", "", &scramble), Some(Vec::new()));
        assert_eq!(proof("client_ed25519", "secret", &scramble), None);
    }
    const NATIVE: &str = "b32bb3a583e1340c0a1108d58b1be49781ad8c2f";
    const SHA2: &str = "746ebe205d56a0707acb3e796e834e0dd7b1d61743b26bd5202c7a623230c7c9";

    #[test]
    fn hostile_greetings() {
        for wrong in [&b""[..], b"\x09old", b"\x0a8.0\0\x01", &[0xff, 1]] {
            assert!(greeting(wrong).is_err());
        }
        let Err(Failure::Server(1040, text)) = greeting(b"\xff\x10\x04Too many connections") else {
            panic!()
        };
        assert_eq!(text, "Too many connections");
    }
}
