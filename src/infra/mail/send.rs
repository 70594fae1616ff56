//! One message to one server, with the words of Python's `smtplib` for what goes wrong.
//!
//! A server that cannot be reached, or that leaves before it has the message, is tried again. What it has answered
//! counts, and so does silence after the message: it may have been taken.

use std::{error::Error as _, fmt::Write as _, net::SocketAddr, time::Duration};

use lettre::transport::smtp::{
    Error as SmtpError,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, TlsParameters},
    extension::{ClientId, Extension},
};
use tokio::time::{sleep, timeout};

use super::{Message, Settings};
use crate::{net, python::str_repr};

/// For a connection, and for each answer but the last.
const TIMEOUT: Duration = Duration::from_secs(30);
/// For the answer to the message itself (RFC 5321 asks for ten minutes).
const LAST_PATIENCE: Duration = Duration::from_secs(600);
/// Waits before a server is tried again.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// Why a message was not sent, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct SendError {
    /// What `smtplib` says.
    pub words: String,
    /// What it means for the message.
    pub kind: Kind,
}

/// What a failure means for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The server was not reached, or left early: the message was not sent.
    Unreachable,
    /// The server has said no, or we have: the message was not sent.
    Refused,
    /// The connection ended after the message: it may have been sent.
    Unsure,
}

fn refused(words: impl Into<String>) -> SendError {
    SendError { words: words.into(), kind: Kind::Refused }
}

fn unreachable(words: impl Into<String>) -> SendError {
    SendError { words: words.into(), kind: Kind::Unreachable }
}

/// Sends a message.
pub async fn send(settings: &Settings, message: &Message) -> Result<(), SendError> {
    let mut waits = AGAIN.iter();
    loop {
        let done = Box::pin(once(settings, message)).await;
        let Err(SendError { kind: Kind::Unreachable, words }) = &done else { return done };
        let Some(wait) = waits.next() else { return done };
        tracing::info!(words, host = settings.host, "the mail server is tried again");
        sleep(*wait).await;
    }
}

async fn once(settings: &Settings, message: &Message) -> Result<(), SendError> {
    let mut connection = connect(settings).await?;
    let done = hand_over(&mut connection, settings, message).await;
    // whatever it answers
    let _ = timeout(Duration::from_secs(2), async {
        match &done {
            Ok(()) => drop(connection.quit().await),
            Err(_) => connection.abort().await,
        }
    })
    .await;
    done
}

async fn connect(settings: &Settings) -> Result<AsyncSmtpConnection, SendError> {
    let Some(ip) = net::address(&settings.host).await else {
        return Err(unreachable("[Errno -2] Name or service not known"));
    };
    let address = SocketAddr::new(ip, settings.port);
    let me = ClientId::default();
    let implicit = settings.tls.then(|| tls(settings)).transpose()?;
    let opened = AsyncSmtpConnection::connect_tokio1(address, Some(TIMEOUT), &me, implicit, None);
    let mut connection = step(opened).await?;
    if settings.starttls {
        if !connection.server_info().supports_feature(Extension::StartTls) {
            return Err(refused("STARTTLS extension not supported by server."));
        }
        step(connection.starttls(tls(settings)?, &me)).await?;
    }
    if let Some((user, password)) = &settings.login {
        let known = [Mechanism::Plain, Mechanism::Login];
        let info = connection.server_info();
        if info.get_auth_mechanism(&known).is_none() {
            let other = info.supports_auth_mechanism(Mechanism::Xoauth2);
            return Err(refused(match other {
                true => "No suitable authentication method found.",
                false => "SMTP AUTH extension not supported by server.",
            }));
        }
        step(connection.auth(&known, &Credentials::new(user.clone(), password.clone()))).await?;
    }
    Ok(connection)
}

fn tls(settings: &Settings) -> Result<TlsParameters, SendError> {
    let builder = TlsParameters::builder(settings.host.clone())
        .dangerous_accept_invalid_certs(!settings.verify)
        .dangerous_accept_invalid_hostnames(!settings.verify);
    builder.build_rustls().map_err(|e| refused(words(&e)))
}

async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    settings: &Settings,
    message: &Message,
) -> Result<(), SendError> {
    let from = route("mail FROM:", &message.from)?;
    step(connection.command(format!("{from}\r\n"))).await?;
    let recipients = message.recipients();
    let mut no: Vec<(&str, String)> = Vec::new();
    let mut taken = 0_usize;
    for recipient in &recipients {
        let to = route("rcpt TO:", recipient)?;
        match timeout(TIMEOUT, connection.command(format!("{to}\r\n"))).await {
            Ok(Ok(_)) => taken += 1,
            Ok(Err(e)) if e.status().is_some() => {
                no.retain(|(address, _)| address != recipient);
                no.push((recipient, words(&e)));
            }
            Ok(Err(e)) => return Err(failed(&e)),
            Err(_) => return Err(unreachable("timed out")),
        }
    }
    if taken == 0 {
        let all: Vec<String> = no.iter().map(|(to, why)| format!("{}: {why}", str_repr(to))).collect();
        return Err(refused(format!("{{{}}}", all.join(", "))));
    }
    for (recipient, why) in &no {
        tracing::warn!(recipient, why, host = settings.host, "the mail server refuses a recipient");
    }
    step(connection.command("data\r\n")).await?;
    match timeout(LAST_PATIENCE, connection.message(&on_the_wire(&message.bytes()))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(e)) if e.status().is_some() => Err(refused(words(&e))),
        Ok(Err(e)) => Err(SendError { words: words(&e), kind: Kind::Unsure }),
        Err(_) => Err(SendError { words: "timed out".to_owned(), kind: Kind::Unsure }),
    }
}

async fn step<T>(work: impl Future<Output = Result<T, SmtpError>>) -> Result<T, SendError> {
    match timeout(TIMEOUT, work).await {
        Ok(done) => done.map_err(|e| failed(&e)),
        Err(_) => Err(refused("timed out")),
    }
}

/// Before the message was sent.
fn failed(error: &SmtpError) -> SendError {
    let is_answer = error.status().is_some() || error.is_client() || error.is_tls() || error.is_timeout();
    SendError { words: words(error), kind: if is_answer { Kind::Refused } else { Kind::Unreachable } }
}

/// A command with an address (`smtplib.quoteaddr`); letters beyond ASCII are refused in Python's words.
fn route(command: &str, address: &str) -> Result<String, SendError> {
    let inner = match (address.rfind('<'), address.rfind('>')) {
        (Some(open), Some(close)) if open < close => address.get(open + 1..close).unwrap_or_default(),
        _ => address,
    };
    let inner: String = inner.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
    let text = format!("{command}<{inner}>");
    let foreign = |c: &char| !c.is_ascii();
    let Some(at) = text.chars().position(|c| foreign(&c)) else { return Ok(text) };
    let run: Vec<char> = text.chars().skip(at).take_while(foreign).collect();
    Err(refused(match run.as_slice() {
        [only] => format!(
            "'ascii' codec can't encode character '{}' in position {at}: ordinal not in range(128)",
            escaped(*only)
        ),
        several => format!(
            "'ascii' codec can't encode characters in position {at}-{}: ordinal not in range(128)",
            at + several.len() - 1
        ),
    }))
}

/// `\xfc`, `\u2713`, `\U0001f600`.
fn escaped(c: char) -> String {
    match u32::from(c) {
        n @ 0..=0xff => format!("\\x{n:02x}"),
        n @ 0x100..=0xffff => format!("\\u{n:04x}"),
        n => format!("\\U{n:08x}"),
    }
}

/// What `smtplib` would say.
fn words(error: &SmtpError) -> String {
    if let Some(code) = error.status() {
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        return format!("({code}, {})", bytes_repr(text.trim_end_matches(['\r', '\n'])));
    }
    let mut next: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            match (io.raw_os_error(), io.kind()) {
                (Some(number), _) => {
                    let text = io.to_string();
                    let text = text.split(" (os error").next().unwrap_or_default();
                    return format!("[Errno {number}] {text}");
                }
                (None, std::io::ErrorKind::TimedOut) => return "timed out".to_owned(),
                (None, std::io::ErrorKind::UnexpectedEof) => {
                    return "Connection unexpectedly closed".to_owned();
                }
                _ => {}
            }
        }
        next = cause.source();
    }
    if error.is_response() && error.to_string().contains("incomplete") {
        return "Connection unexpectedly closed".to_owned();
    }
    // lettre says so once for itself and once for what it stands on
    let text = error.to_string();
    text.strip_prefix("Connection error: ")
        .filter(|rest| rest.starts_with("Connection error: "))
        .unwrap_or(&text)
        .to_owned()
}

/// `repr(bytes)`.
fn bytes_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = format!("b{quote}");
    for b in text.bytes() {
        match b {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            b if char::from(b) == quote => {
                out.push('\\');
                out.push(quote);
            }
            0x20..0x7f => out.push(char::from(b)),
            b => {
                let _ = write!(out, "\\x{b:02x}");
            }
        }
    }
    out.push(quote);
    out
}

/// Every line break as SMTP has them.
fn on_the_wire(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 40);
    let mut rest = bytes.iter().peekable();
    while let Some(b) = rest.next() {
        match b {
            b'\r' => {
                if rest.peek() == Some(&&b'\n') {
                    rest.next();
                }
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            b => out.push(*b),
        }
    }
    // lettre ends the last line
    if out.ends_with(b"\r\n") {
        out.truncate(out.len() - 2);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_in_brackets_and_hold_ascii_alone() {
        assert_eq!(route("rcpt TO:", "Ann <a@b.c>").unwrap(), "rcpt TO:<a@b.c>");
        assert_eq!(route("rcpt TO:", "").unwrap(), "rcpt TO:<>");
        assert_eq!(route("rcpt TO:", "a@b.c>\r\nDATA").unwrap(), "rcpt TO:<a@b.cDATA>");
        let one = route("rcpt TO:", "ünï@example.com").unwrap_err().words;
        assert_eq!(
            one,
            "'ascii' codec can't encode character '\\xfc' in position 9: ordinal not in range(128)"
        );
        let two = route("mail FROM:", "üü@example.com").unwrap_err().words;
        assert_eq!(two, "'ascii' codec can't encode characters in position 11-12: ordinal not in range(128)");
    }

    #[test]
    fn line_breaks_on_the_wire() {
        assert_eq!(on_the_wire(b"a\nb\r\nc\rd\n\n"), b"a\r\nb\r\nc\r\nd\r\n");
        assert_eq!(bytes_repr("it's \"q\"\n\u{fc}"), r#"b'it\'s "q"\n\xc3\xbc'"#);
    }
}
