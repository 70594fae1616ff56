//! Certificates made by `openssl`, and a client that checks them.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

/// A certificate in a file, with its key in another one.
#[derive(Clone)]
pub struct Certificate {
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// The name that certificates are made for.
pub const NAME: &str = "bi.example.org";

impl Certificate {
    /// A certificate for [`NAME`] and this machine that counts so many days, signed by itself.
    pub fn make(folder: &Path, stem: &str, days: u32) -> Self {
        let (chain, key) = (folder.join(format!("{stem}.pem")), folder.join(format!("{stem}.key")));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-batch",
            ])
            .args(["-days", &days.to_string(), "-subj", "/CN=liteset test"])
            .args(["-addext", &format!("subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1")])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", key.to_str().unwrap(), "-out", chain.to_str().unwrap()])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { chain, key }
    }

    /// The same key in another form: `-traditional` is PKCS #1 for RSA and SEC 1 for curves.
    pub fn openssl(arguments: &[&str]) {
        let made = Command::new("openssl").args(arguments).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// Options of a server that shows it.
    pub fn options(&self) -> [&str; 4] {
        ["--tls-certificate", self.chain.to_str().unwrap(), "--tls-key", self.key.to_str().unwrap()]
    }

    /// Takes the place of another one, as who renews does it.
    pub fn replace(&self, old: &Self) {
        std::fs::copy(&self.key, &old.key).unwrap();
        std::fs::copy(&self.chain, &old.chain).unwrap();
    }
}

/// Connects to a server that shows a certificate which those of a file vouch for.
pub fn connect(
    address: SocketAddr,
    name: &str,
    trusted: &[u8],
) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
    let told = |e: &dyn std::fmt::Display| e.to_string();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(trusted) {
        roots.add(certificate.map_err(|e| told(&e))?).map_err(|e| told(&e))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|e| told(&e))?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(|e| told(&e))?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|e| told(&e))?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(60)).map_err(|e| told(&e))?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).map_err(|e| told(&e))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(|e| told(&e))?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// Says something over a connection of its own, and reads to the end.
pub fn exchange(address: SocketAddr, name: &str, trusted: &Path, said: &str) -> Result<String, String> {
    let trusted = std::fs::read(trusted).map_err(|e| e.to_string())?;
    let mut stream = connect(address, name, &trusted)?;
    stream.write_all(said.as_bytes()).map_err(|e| e.to_string())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Asks for a path; the whole answer.
pub fn get(
    address: SocketAddr,
    name: &str,
    trusted: &Path,
    path: &str,
    more: &str,
) -> Result<String, String> {
    let said = format!("GET {path} HTTP/1.1\r\nhost: {name}\r\n{more}connection: close\r\n\r\n");
    exchange(address, name, trusted, &said)
}
