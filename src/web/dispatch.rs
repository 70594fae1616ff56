//! A request's way: rule → rate limit → session → caller → CSRF → flag → access → handler → headers.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use commands::Services;
use futures_util::FutureExt;
use infra::Error;
use parking_lot::Mutex;
use salvo::{
    Depot, FlowCtrl, Handler, Request, Response, async_trait,
    http::{HeaderName, HeaderValue, StatusCode},
};

use crate::{
    Answer, Cx, Handled,
    context::Req,
    error::Failure,
    error_pages,
    event_log::EventLog,
    finish::{compress::compress, headers},
    guards::{access, csrf, identity, rate_limit::Limiter, session},
    incoming::{is_host, is_large, read_body, read_parts, trust_proxy},
    routes::{Access, Match, Rule, Table},
};

/// The one salvo handler: everything behind it is our own table.
pub struct Dispatch {
    app: Arc<Services>,
    table: Table,
    events: EventLog,
    limit: Option<Limiter>,
}

impl Dispatch {
    /// A dispatcher over a table of rules; starts the task that writes the event log.
    pub fn new(app: Arc<Services>, table: Table) -> Self {
        let limit = app.config.bool("RATELIMIT_ENABLED").then(|| app.config.str("RATELIMIT_APPLICATION"));
        let limit = limit.and_then(Limiter::parse);
        Self { events: EventLog::start(app.clone()), app, table, limit }
    }

    /// The event log, to be flushed when the server has stopped.
    pub fn event_log(&self) -> EventLog {
        self.events.clone()
    }

    async fn answer(&self, request: &mut Request) -> (Answer, Arc<Req>) {
        let mut req = match read_parts(request) {
            Ok(req) => req,
            Err(status) => return (error_pages::abort(&Req::default(), status), Arc::default()),
        };
        trust_proxy(&self.app.config, &mut req);
        if !req.host.is_empty() && !is_host(&req.host) {
            return (error_pages::abort(&req, 400), Arc::new(req));
        }
        req.nonce = headers::nonce(&self.app.config);
        let rule = match self.table.find(&req.method, &req.path) {
            Match::Found(rule, params) => {
                req.params = params;
                rule
            }
            Match::AddSlash => {
                let query = if req.query_string.is_empty() { "" } else { "?" };
                let location =
                    format!("{}://{}{}/{query}{}", req.scheme, req.host, req.path, req.query_string);
                return (Answer::redirect(308, location), Arc::new(req));
            }
            Match::MethodNotAllowed(methods) if req.method == "OPTIONS" => {
                let mut methods = methods;
                methods.extend(["HEAD", "OPTIONS"]);
                return (Answer::html(200, "").header("allow", methods.join(", ")), Arc::new(req));
            }
            Match::MethodNotAllowed(_) => return (error_pages::abort(&req, 405), Arc::new(req)),
            Match::NotFound => return (error_pages::abort(&req, 404), Arc::new(req)),
        };
        if self.limit.as_ref().is_some_and(|limit| !limit.hit(&req.remote_addr)) {
            return (error_pages::abort(&req, 429), Arc::new(req));
        }
        if rule.upload && is_large(&req) {
            req = match self.admit(rule, req).await {
                Ok(req) => req,
                Err(refused) => return refused,
            };
        }
        if let Err(status) = read_body(request, &mut req, &self.app.config, rule.upload).await {
            return (error_pages::abort(&req, status), Arc::new(req));
        }
        if is_static(rule) {
            let cx = self.context(req, Arc::default());
            let req = cx.req.clone();
            return (self.run(rule, cx).await.unwrap_or_else(Failure::into_answer), req);
        }
        let session = Arc::new(Mutex::new(session::load(&self.app.config, &req)));
        let cx = self.context(req, session.clone());
        let req = cx.req.clone();
        let mut answer = self.guarded(rule, cx).await;
        self.write_session(&mut session.lock(), &mut answer);
        headers::vary(&mut answer, "Cookie");
        (answer, req)
    }

    fn context(&self, req: Req, session: Arc<Mutex<crate::context::Session>>) -> Cx {
        Cx { app: self.app.clone(), user: Arc::default(), session, req: Arc::new(req) }
    }

    /// Who may not upload is told so before a large file is read.
    async fn admit(&self, rule: &Rule, req: Req) -> Result<Req, (Answer, Arc<Req>)> {
        let session = Arc::new(Mutex::new(session::load(&self.app.config, &req)));
        let mut cx = self.context(req, session);
        match identity::resolve(&self.app, &cx.req, &cx.session).await {
            Ok(user) => cx.user = Arc::new(user),
            Err(error) => return Err((Failure(error).into_answer(), cx.req)),
        }
        if let Err(refusal) = access::check(&mut cx, rule).await {
            let csrf = csrf::check(&self.app.config, rule, &cx.req, &cx.session.lock());
            return Err((csrf.err().unwrap_or(refusal), cx.req));
        }
        Arc::try_unwrap(cx.req).map_err(|req| (error_pages::abort(&req, 500), req))
    }

    /// Everything that may refuse the request, then the handler.
    async fn guarded(&self, rule: &Rule, mut cx: Cx) -> Answer {
        match identity::resolve(&self.app, &cx.req, &cx.session).await {
            Ok(user) => cx.user = Arc::new(user),
            Err(error) => return Failure(error).into_answer(),
        }
        let csrf = csrf::check(&self.app.config, rule, &cx.req, &cx.session.lock());
        if let Err(refusal) = csrf {
            return refusal;
        }
        if rule.flag.is_some_and(|flag| !self.app.config.flag(flag)) {
            return Failure(Error::not_found()).into_answer();
        }
        if let Err(refusal) = access::check(&mut cx, rule).await {
            return refusal;
        }
        Arc::make_mut(&mut cx.user).origin = format!("{}://{}", cx.req.scheme, cx.req.host);
        let start = Instant::now();
        let known = cx.clone();
        match self.run(rule, cx).await {
            Ok(answer) => {
                self.events.record(&known, rule, start.elapsed());
                answer
            }
            Err(failure) if matches!(rule.access, Access::Page(..)) => failure.into_page(&known.req),
            Err(failure) => failure.into_answer(),
        }
    }

    /// The handler; a panic in it is our fault and nobody else's.
    async fn run(&self, rule: &Rule, cx: Cx) -> Handled {
        let handled = AssertUnwindSafe((rule.handler)(cx)).catch_unwind().await;
        handled.unwrap_or_else(|_| Err(Error::internal(format!("{} panicked", rule.rule)).into()))
    }

    fn write_session(&self, session: &mut crate::context::Session, answer: &mut Answer) {
        let forget = identity::forget_remember_cookie(session);
        for cookie in [forget, session::save(&self.app.config, session)].into_iter().flatten() {
            answer.headers.push(("set-cookie", cookie));
        }
    }
}

/// Files and health checks are the same for everybody: no session, no caller.
fn is_static(rule: &Rule) -> bool {
    rule.rule.starts_with("/static/")
        || matches!(rule.rule.as_str(), "/health" | "/healthcheck" | "/ping" | "/readyz")
}

#[async_trait]
impl Handler for Dispatch {
    async fn handle(&self, req: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        let (mut answer, req) = self.answer(req).await;
        compress(&req, &mut answer).await;
        headers::add(&self.app.config, &req, &mut answer);
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
