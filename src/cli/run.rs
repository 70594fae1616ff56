//! `liteset run`: the server.

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{Common, block_on, logging};
use crate::{
    app::{self, Serving, StartError},
    encryption::Encryption,
    first_start::FirstStart,
    listen::Place,
    metrics,
    reload::Reload,
};

/// Why a socket of systemd cannot be served.
const NOTHING_TO_REDIRECT_TO: &str = "systemd gives a socket named `redirect`, for requests in clear that are sent on \
     to https, which is not there: set TLS_CERTIFICATE and TLS_KEY, or ACME_DOMAINS, or stop that socket";

/// Options of `run`.
#[derive(Debug, clap::Args)]
pub struct Run {
    #[command(flatten)]
    common: Common,
    /// Where to listen: an address, a name, or unix:PATH.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on.
    #[arg(long, default_value_t = 8088)]
    port: u16,
    /// Let another process listen on the same port, to hand over to it.
    #[arg(long)]
    reuse_port: bool,
    /// Serve /metrics at ADDRESS:PORT, or at a port of this machine alone [default: METRICS of the configuration].
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<String>,
    /// The server's certificate and those between it and its authority, in PEM form [default: TLS_CERTIFICATE of the
    /// configuration].
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, in PEM form [default: TLS_KEY of the configuration].
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Send requests in clear on to https from ADDRESS:PORT, or from a port of --host [default: TLS_REDIRECT of the
    /// configuration].
    #[arg(long, value_name = "ADDRESS")]
    tls_redirect: Option<String>,
    /// Open the browser when the server answers.
    #[arg(long)]
    open: bool,
    /// Password of the first administrator [default: generated and shown once].
    #[arg(long, env = "LITESET_ADMIN_PASSWORD", hide_env_values = true)]
    admin_password: Option<String>,
    /// Start without the example dashboards.
    #[arg(long)]
    no_examples: bool,
    /// Start without a database for uploads.
    #[arg(long)]
    no_uploads: bool,
}

impl Run {
    /// Starts the server and blocks until it has stopped.
    pub fn run(mut self) -> Result<(), StartError> {
        if let Some(address) = self.metrics.take() {
            self.common.flags.insert("METRICS".to_owned(), address.into());
        }
        let paths = [("TLS_CERTIFICATE", self.tls_certificate.take()), ("TLS_KEY", self.tls_key.take())];
        let texts = paths.map(|(key, path)| (key, path.map(|path| path.to_string_lossy().into_owned())));
        for (key, text) in texts.into_iter().chain([("TLS_REDIRECT", self.tls_redirect.take())]) {
            self.common.flags.extend(text.map(|text| (key.to_owned(), Value::from(text))));
        }
        let place = Place { host: self.host, port: self.port, shared: self.reuse_port };
        let (common, opens) = (self.common, self.open);
        let first = FirstStart {
            admin_password: self.admin_password,
            examples: !self.no_examples,
            uploads: !self.no_uploads,
        };
        block_on(async {
            // whatever refuses the start comes before anything is made
            let mut bound = place.bind().await?;
            let loaded = common.read(false)?;
            let tls = loaded.config.tls();
            if let Some(redirect) = tls.as_ref().and_then(|tls| tls.redirect.as_deref()) {
                bound.redirect_from(redirect, &place).await?;
            }
            if bound.has_idle_redirect(tls.is_some()) {
                return Err(NOTHING_TO_REDIRECT_TO.into());
            }
            let encryption = tls.map(|tls| Encryption::prepare(tls, &loaded.home)).transpose()?;
            let metrics = metrics::bind(loaded.config.str("METRICS")).await?;
            let loaded = Common::begin(loaded)?;
            if !loaded.config.str("LOG_FILTER").is_empty()
                && let Err(why) = logging::set_filter(&loaded.config)
            {
                tracing::warn!(why, "LOG_FILTER has no effect");
            }
            let home = loaded.home.clone();
            let prepared = first.prepare(&loaded).await?;
            let config = if prepared.has_new_settings { common.load()?.config } else { loaded.config };
            let services = app::build(config).await?;
            let read = move || common.read(true).map(|loaded| loaded.config).map_err(|e| e.to_string());
            let reload = Reload { read: Box::new(read), set_log_filter: logging::set_filter };
            let ready = Box::new(move |places: &[String]| {
                greet(places, &home);
                if opens {
                    open(places);
                }
            });
            app::serve(services, Serving { bound, encryption, metrics, reload, ready }).await
        })
    }
}

/// Says on a terminal what somebody needs who sees this for the first time. Elsewhere the log has said it.
fn greet(places: &[String], home: &Path) {
    if !io::stderr().is_terminal() {
        return;
    }
    let text = format!(
        "\n  liteset answers at  {}\n  data and settings   {}\n  \
         forgotten password  liteset users set-password admin\n  stop                Ctrl-C\n\n",
        places.join(", "),
        home.display()
    );
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Opens the browser of the desktop; a machine without one is told.
fn open(places: &[String]) {
    let Some(address) = places.iter().find(|place| place.starts_with("http")) else { return };
    let address = address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let started = Command::new(program)
        .arg(&address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match started {
        // what has ended is waited for, so that nothing is left of it
        Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
        Err(error) => tracing::warn!(%error, program, "--open: no browser was opened"),
    }
}
