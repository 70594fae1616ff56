//! Events over WebSockets, in this server: what Superset needs a process of its own for
//! (`superset-websocket/src/index.ts`).

mod address;
mod origin;
mod owner;
mod socket;

use std::{collections::HashSet, sync::Arc};

use commands::{Services, async_query::channel_of_socket};
use infra::config::Config;
use salvo::{
    Request, Response,
    conn::ConnCtrl,
    http::{StatusCode, header::UPGRADE},
    websocket::WebSocketUpgrade,
};
use tokio::sync::Semaphore;
use tungstenite::protocol::WebSocketConfig;

use crate::{
    context::Req,
    guards::{async_token, session::cookie},
    incoming::{read_parts, trust_proxy},
};

pub use address::own_address;
use owner::Owner;

/// Sockets of one channel: windows of one browser.
const MAX_OF_CHANNEL: usize = 128;
/// Sockets of everybody.
const MAX_OF_ALL: usize = 50_000;
/// From so many sockets on, tokens that were made for nobody in particular get none: anybody can have such a token.
const MAX_WITH_ANONYMOUS: usize = 2_000;
/// The longest message of a client that is read at all; what it says is ignored.
const MAX_MESSAGE: usize = 4 << 10;
/// What each socket keeps for reading and writing.
const BUFFER: usize = 1 << 10;

/// The door for WebSockets.
pub struct Sockets {
    app: Arc<Services>,
    paths: HashSet<String>,
    /// Looks at log-ins that go on at once.
    looks: Arc<Semaphore>,
}

/// So many: a look takes memory, and there may be thousands of sockets.
const LOOKS: usize = 4;

impl Sockets {
    /// The paths at which sockets are opened; nothing where queries are not asynchronous.
    pub fn new(app: &Arc<Services>) -> Option<Self> {
        let is_on = app.config.flag("GLOBAL_ASYNC_QUERIES");
        let looks = Arc::new(Semaphore::new(LOOKS));
        is_on.then(|| Self { app: app.clone(), paths: address::paths(&app.config), looks })
    }

    /// Whether a request asks for a socket here.
    pub fn are_asked(&self, request: &Request) -> bool {
        let is_upgrade = request
            .headers()
            .get(UPGRADE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
        is_upgrade && self.paths.contains(request.uri().path())
    }

    /// Opens a socket for who has a channel. Without a good token the connection is cut, as the original does; pages
    /// of other sites are refused.
    pub async fn open(&self, request: &mut Request, response: &mut Response) {
        let status = match self.admit(request).await {
            Ok(admitted) => {
                let upgrade = WebSocketUpgrade::with_config(limits());
                let app = self.app.clone();
                let serve = |socket| async move { socket::serve(app, admitted, socket).await };
                match upgrade.upgrade(request, response, serve).await {
                    Ok(()) => return,
                    Err(_) => StatusCode::BAD_REQUEST,
                }
            }
            Err(Refusal::NoToken) => {
                tracing::debug!("a WebSocket without a good token was refused");
                if let Some(connection) = request.extensions().get::<ConnCtrl>() {
                    connection.abort();
                }
                StatusCode::UNAUTHORIZED
            }
            Err(Refusal::ForeignPage) => {
                tracing::warn!("a WebSocket was refused: a page of another site asked for it");
                StatusCode::FORBIDDEN
            }
            Err(Refusal::TooMany) => {
                tracing::warn!("a WebSocket was refused: there are too many");
                StatusCode::SERVICE_UNAVAILABLE
            }
            Err(Refusal::Unreadable) => StatusCode::BAD_REQUEST,
        };
        response.status_code(status);
    }

    async fn admit(&self, request: &Request) -> Result<Admitted, Refusal> {
        let mut req = read_parts(request).map_err(|_| Refusal::Unreadable)?;
        trust_proxy(&self.app.config, &mut req);
        let token = token(&self.app.config, &req).ok_or(Refusal::NoToken)?;
        let (channel, user_id) = channel_of_socket(&self.app.config, token).ok_or(Refusal::NoToken)?;
        if !origin::is_ours(&self.app.config, &req) {
            return Err(Refusal::ForeignPage);
        }
        let (all, events) = (self.app.events.listeners(), &self.app.events);
        if all >= MAX_OF_ALL
            || user_id.is_none() && all >= MAX_WITH_ANONYMOUS
            || events.listeners_of(&channel) >= MAX_OF_CHANNEL
        {
            return Err(Refusal::TooMany);
        }
        let owner = Owner::from_request(&self.app.config, &req, user_id, self.looks.clone());
        if !owner.may_listen(&self.app).await {
            return Err(Refusal::NoToken);
        }
        let last_id = req.arg("last_id").filter(|id| !id.is_empty()).map(str::to_owned);
        Ok(Admitted { channel, owner, last_id })
    }
}

fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}

fn token<'a>(config: &Config, req: &'a Req) -> Option<&'a str> {
    cookie(req, async_token::name(config)).filter(|token| !token.is_empty())
}

/// Who may listen, and what they have heard already.
struct Admitted {
    channel: String,
    owner: Owner,
    last_id: Option<String>,
}

/// Why there is no socket.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    NoToken,
    ForeignPage,
    TooMany,
    Unreadable,
}
