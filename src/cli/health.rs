//! `liteset health`: asks a server whether it answers, for containers and scripts.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    os::unix::net::UnixStream,
    sync::Arc,
    time::Duration,
};

use infra::pg::{Verify, client_config};
use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

use super::ask;
use crate::app::StartError;

/// Options of `health`.
#[derive(Debug, clap::Args)]
pub struct Health {
    /// Where the server listens: HOST:PORT, https://HOST:PORT, or unix:PATH.
    #[arg(default_value = "127.0.0.1:8088")]
    address: String,
    /// Ask whether it can do all of its work, too: the metadata database answers, and writing works.
    #[arg(long)]
    ready: bool,
    /// Seconds to wait for the answer.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

/// Bytes of an answer that are read.
const LONGEST: u64 = 64 << 10;

impl Health {
    /// Prints the answer; fails unless it is a good one.
    pub fn run(self) -> Result<(), StartError> {
        let path = if self.ready { "/readyz" } else { "/health" };
        let told = |e: std::io::Error| format!("{}: {e}", self.address);
        let answer = self.answer(path).map_err(told)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split_whitespace().nth(1).unwrap_or("no status");
        // whoever answers there may be anybody
        let body: String = body.chars().filter(|c| !c.is_control()).take(200).collect();
        if status == "200" {
            return ask::say(&format!("{body}\n"));
        }
        Err(format!("{}: {status} {body}", self.address).into())
    }

    fn answer(&self, path: &str) -> std::io::Result<String> {
        let timeout = Some(Duration::from_secs(self.timeout));
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: liteset\r\nconnection: close\r\n\r\n"
        );
        if let Some(path) = self.address.strip_prefix("unix:") {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(timeout)?;
            return exchange(stream, &request);
        }
        let (address, encrypts) = match self.address.strip_prefix("https://") {
            Some(address) => (address, true),
            None => (self.address.trim_start_matches("http://"), false),
        };
        let address = address.trim_end_matches('/');
        let mut failure = std::io::Error::other("the name has no address");
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, Duration::from_secs(self.timeout)) {
                Ok(stream) => {
                    stream.set_read_timeout(timeout)?;
                    return if encrypts {
                        exchange(encrypted(stream)?, &request)
                    } else {
                        exchange(stream, &request)
                    };
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

/// Whose certificate it is does not matter: nothing secret is said, and the address is perhaps none that it is for.
fn encrypted(stream: TcpStream) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let config = client_config(&Verify::Nothing).map_err(std::io::Error::other)?;
    let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(std::io::Error::other)?;
    Ok(StreamOwned::new(connection, stream))
}

fn exchange(mut stream: impl Read + Write, request: &str) -> std::io::Result<String> {
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
