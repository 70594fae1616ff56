//! A request's way: rule → rate limit → session → caller → CSRF → flag → access → handler → headers.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use commands::{Caller, Principal, Services};
use futures_util::FutureExt;
use infra::{Error, telemetry};
use parking_lot::Mutex;
use salvo::{
    Depot, FlowCtrl, Handler, Request, Response, async_trait,
    http::{HeaderName, HeaderValue, StatusCode},
};
use tracing::Instrument as _;

use crate::{
    Answer, Cx, Handled,
    bodies::{self, Bodies, BodyLength, Sender},
    context::{Req, Session},
    error::Failure,
    error_pages,
    event_log::EventLog,
    finish::{
        compress::Compression,
        headers::{self, Headers},
    },
    guards::{
        access,
        async_token::{self, Callers},
        csrf, host, identity,
        rate_limit::Limiter,
        session,
    },
    incoming::{is_host, is_in_clear, read_parts, trust_proxy, unmount},
    request_log::{self, RequestLog},
    routes::{Access, Match, Rule, Table},
    websocket::Sockets,
};

/// Query strings beyond it are more than an address.
const LONG_QUERY: usize = 8 << 10;

/// The one salvo handler: everything behind it is our own table.
pub struct Dispatch {
    app: Arc<Services>,
    table: Table,
    events: EventLog,
    limit: Option<Limiter>,
    headers: Headers,
    bodies: Bodies,
    compression: Compression,
    sockets: Option<Sockets>,
}

/// The caller, where it had to be known before the body was read.
type Known = Option<Arc<Principal>>;

/// An answer, and the request that it belongs to.
type Ended = (Answer, Arc<Req>);

impl Dispatch {
    /// A dispatcher over a table of rules; starts the task that writes the event log.
    pub fn new(app: Arc<Services>, table: Table) -> Self {
        let limit = app.config.bool("RATELIMIT_ENABLED").then(|| app.config.str("RATELIMIT_APPLICATION"));
        let limit = limit.and_then(Limiter::parse);
        let headers = Headers::new(&app.config);
        let events = EventLog::start(app.clone());
        let (bodies, compression, sockets) = (Bodies::default(), Compression::default(), Sockets::new(&app));
        Self { events, app, table, limit, headers, bodies, compression, sockets }
    }

    /// The event log, to be flushed when the server has stopped.
    pub fn event_log(&self) -> EventLog {
        self.events.clone()
    }

    /// The rule of a request, or the answer of one that has none.
    fn route(&self, request: &Request) -> Result<(&Rule, Req), Ended> {
        let mut req = read_parts(request)
            .map_err(|status| (error_pages::abort(&Req::default(), status), Arc::default()))?;
        trust_proxy(&self.app.config, &mut req);
        if !unmount(&self.app.config, &mut req) {
            return Err((error_pages::outside(), Arc::new(req)));
        }
        if !req.host.is_empty() && !is_host(&req.host) {
            return Err((error_pages::abort(&req, 400), Arc::new(req)));
        }
        req.origin = host::origin(&self.app.config, &req);
        let port = self.app.listening.get().map(|address| address.port());
        if let Some(redirect) = self.headers.to_https(&req, port) {
            return Err((redirect, Arc::new(req)));
        }
        req.nonce = self.headers.nonce();
        if req.path.is_empty() {
            // the root without its slash
            let query = if req.query_string.is_empty() { "" } else { "?" };
            let location = host::link(&req, &format!("/{query}{}", req.query_string));
            return Err((Answer::redirect(308, location), Arc::new(req)));
        }
        match self.table.find(&req.method, &req.path) {
            Match::Found(rule, params) => {
                req.params = params;
                Ok((rule, req))
            }
            Match::AddSlash => {
                let query = if req.query_string.is_empty() { "" } else { "?" };
                // one slash: two would begin the name of a host
                let path =
                    format!("/{}/{query}{}", req.path.trim_start_matches(['/', '\\']), req.query_string);
                let location = host::link(&req, &path);
                Err((Answer::redirect(308, location), Arc::new(req)))
            }
            Match::MethodNotAllowed(methods) if req.method == "OPTIONS" => {
                let mut methods = methods;
                methods.extend(["HEAD", "OPTIONS"]);
                Err((Answer::html(200, "").header("allow", methods.join(", ")), Arc::new(req)))
            }
            Match::MethodNotAllowed(_) => Err((error_pages::abort(&req, 405), Arc::new(req))),
            Match::NotFound => Err((error_pages::abort(&req, 404), Arc::new(req))),
        }
    }

    async fn answer(&self, request: &mut Request, rule: &Rule, req: Req) -> Ended {
        if self.limit.as_ref().is_some_and(|limit| !limit.hit(&req.remote_addr)) {
            return (error_pages::abort(&req, 429), Arc::new(req));
        }
        if rule.is_static() {
            let cx = self.context(req, Arc::default());
            let req = cx.req.clone();
            let mut answer = self.run(rule, cx).await.unwrap_or_else(Failure::into_answer);
            if !rule.rule.starts_with("/static/") && self.app.config.flag("GLOBAL_ASYNC_QUERIES") {
                self.greet(&req, &mut answer);
            }
            return (answer, req);
        }
        let session = Arc::new(Mutex::new(session::load(&self.app.config, &req)));
        let mut callers = Callers { before: async_token::of_session(&session.lock()), asking: None };
        let (req, known) = match self.receive(request, rule, req, &session).await {
            Ok(received) => received,
            Err(refused) => return refused,
        };
        let cx = self.context(req, session.clone());
        let req = cx.req.clone();
        let mut answer = self.guarded(rule, cx, known, &mut callers.asking).await;
        async_token::renew(&self.app, &req, &mut session.lock(), callers, &mut answer);
        self.write_session(&mut session.lock(), &mut answer);
        headers::vary(&mut answer, "Cookie");
        (answer, req)
    }

    /// The channel of somebody who has not logged in and asks for what is the same for all.
    fn greet(&self, req: &Req, answer: &mut Answer) {
        let mut session = session::load(&self.app.config, req);
        if async_token::of_session(&session).is_none() {
            identity::protect(&self.app.config, req, &mut session);
            async_token::renew(&self.app, req, &mut session, Callers::default(), answer);
            self.write_session(&mut session, answer);
        }
    }

    fn context(&self, req: Req, session: Arc<Mutex<Session>>) -> Cx {
        Cx { caller: Caller::new(&self.app, Principal::default()), session, req: Arc::new(req) }
    }

    /// Reads the body: a small one for everybody, a larger one when it is known who sends it.
    async fn receive(
        &self,
        request: &mut Request,
        rule: &Rule,
        mut req: Req,
        session: &Arc<Mutex<Session>>,
    ) -> Result<(Req, Known), Ended> {
        let (mut known, mut name) = (None, None);
        let announced = BodyLength::from_request(&req);
        if announced.is_large() {
            let mut cx = self.context(req, session.clone());
            match identity::resolve(&self.app, &cx.req, &cx.session).await {
                Ok(user) => cx.caller.user = Arc::new(user),
                Err(error) => return Err((Failure(error).into_answer(), cx.req)),
            }
            request_log::record_user(&cx.caller.user);
            if announced.is_over_anonymous() {
                self.admit(rule, &mut cx).await.map_err(|refusal| (refusal, cx.req.clone()))?;
            }
            let address = cx.req.remote_addr.clone();
            Arc::make_mut(&mut cx.caller.user).address = address;
            name = Some(cx.caller.user.quota_key());
            known = Some(cx.caller.user);
            req = Arc::try_unwrap(cx.req).map_err(|req| (error_pages::abort(&req, 500), req))?;
        }
        let is_anonymous = known.as_ref().is_none_or(|user| user.is_anonymous());
        let sender = Sender { name: name.as_deref(), is_anonymous, upload: rule.upload };
        match self.bodies.read(request, &mut req, &self.app.config, sender).await {
            Ok(()) => Ok((req, known)),
            Err(status) => Err((error_pages::abort(&req, status), Arc::new(req))),
        }
    }

    /// Who may not send a body is told so before it is read. A form whose token stands in it must be small.
    async fn admit(&self, rule: &Rule, cx: &mut Cx) -> Result<(), Answer> {
        let csrf = csrf::check(&self.app.config, rule, &cx.req, &cx.session.lock());
        if let Err(refusal) = access::check(cx, rule).await {
            return Err(csrf.err().unwrap_or(refusal));
        }
        if rule.upload { Ok(()) } else { csrf }
    }

    /// Everything that may refuse the request, then the handler.
    async fn guarded(&self, rule: &Rule, mut cx: Cx, known: Known, asking: &mut Option<i64>) -> Answer {
        match known {
            Some(user) => cx.caller.user = user,
            None => match identity::resolve(&self.app, &cx.req, &cx.session).await {
                Ok(user) => {
                    request_log::record_user(&user);
                    cx.caller.user = Arc::new(user);
                }
                Err(error) => return Failure(error).into_answer(),
            },
        }
        let csrf = csrf::check(&self.app.config, rule, &cx.req, &cx.session.lock());
        if let Err(refusal) = csrf {
            return refusal;
        }
        if rule.flags.iter().any(|flag| !self.app.config.flag(flag)) {
            return Failure(Error::not_found()).into_answer();
        }
        let checked = access::check(&mut cx, rule).await;
        *asking = cx.caller.user.user_id();
        if let Err(refusal) = checked {
            return refusal;
        }
        let user = Arc::make_mut(&mut cx.caller.user);
        user.origin = host::link(&cx.req, "");
        user.script_root.clone_from(&cx.req.script_root);
        user.address.clone_from(&cx.req.remote_addr);
        let start = Instant::now();
        let known = cx.clone();
        let answered = self.run(rule, cx).await;
        self.events.record(&known, rule, &answered, start.elapsed());
        match answered {
            Ok(answer) => answer,
            Err(failure) if matches!(rule.access, Access::Page(..)) => {
                error_pages::failed(&known.req, failure)
            }
            Err(failure) => failure.into_answer(),
        }
    }

    /// The handler; a panic in it is our fault and nobody else's. What may take the processor for a while runs apart.
    async fn run(&self, rule: &Rule, cx: Cx) -> Handled {
        let who = takes_time(rule, &cx).then(|| cx.caller.user.quota_key());
        let handled = AssertUnwindSafe((rule.handler)(cx)).catch_unwind();
        let handled = match who {
            Some(who) => self.app.compute.spawn(&who, handled).await?,
            None => handled.await,
        };
        handled.unwrap_or_else(|_| Err(Error::internal(format!("{} panicked", rule.rule)).into()))
    }

    fn write_session(&self, session: &mut Session, answer: &mut Answer) {
        let forget = identity::forget_remember_cookie(session);
        for cookie in [forget, session::save(&self.app.config, session)].into_iter().flatten() {
            answer.headers.push(("set-cookie", cookie));
        }
    }
}

/// Whether a handler works on what others chose: the rules that say so, whatever writes, whatever is long. Logging in
/// and whatever else needs no rights is for everybody, and short.
fn takes_time(rule: &Rule, cx: &Cx) -> bool {
    let writes = !matches!(cx.req.method.as_str(), "GET" | "HEAD" | "OPTIONS");
    rule.computes || writes && rule.access != Access::Open || cx.req.query_string.len() > LONG_QUERY
}

#[async_trait]
impl Handler for Dispatch {
    async fn handle(&self, request: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        let socket = self.sockets.as_ref().filter(|sockets| sockets.are_asked(request));
        if let Some(sockets) = socket.filter(|_| !self.headers.sends_on(is_in_clear(request))) {
            return sockets.open(request, res).await;
        }
        let routed = self.route(request);
        let rule = routed.as_ref().ok().map(|(rule, _)| *rule);
        let mut log = RequestLog::begin(request.method(), request.uri().path(), request.headers(), rule);
        let work = async {
            let (mut answer, req) = match routed {
                Ok((rule, parts)) => self.answer(request, rule, parts).await,
                Err(ended) => ended,
            };
            bodies::forget_small(request, &req).await;
            self.compression.compress(&self.app.compute, &req, &mut answer).await;
            (answer, req)
        };
        let (mut answer, req) = telemetry::account(log.spent(), work).instrument(log.span()).await;
        answer.headers.push((request_log::HEADER, log.id().to_owned()));
        self.headers.add(&req, &mut answer);
        log.answered(answer.status);
        res.status_code(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        for (name, value) in answer.headers {
            // a value with control characters would split the response: it is dropped
            if let Ok(value) = HeaderValue::from_str(&value) {
                res.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        for (name, value) in answer.extra {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value))
            {
                res.headers_mut().append(name, value);
            }
        }
        match answer.stream.and_then(|stream| stream.take()) {
            Some(pieces) => res.stream(pieces),
            None => {
                res.body(answer.body);
            }
        }
    }
}
