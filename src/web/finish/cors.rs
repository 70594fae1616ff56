//! Which other sites may read an answer (`flask_cors.core:get_cors_headers`).

use infra::config::{Allowed, Cors};
use percent_encoding::percent_decode_str;

use super::headers::{has, set, vary};
use crate::{Answer, context::Req};

const ORIGIN: &str = "access-control-allow-origin";

/// Adds what the resource of the request allows.
pub fn add(cors: &Cors, req: &Req, answer: &mut Answer) {
    let path = percent_decode_str(&req.path).decode_utf8_lossy();
    let Some(allowed) = cors.find(&path) else { return };
    if has(answer, ORIGIN) {
        return;
    }
    // also where nothing is allowed: a cache must not keep that for those who are
    if allowed.varies() {
        vary(answer, "Origin");
    }
    let Some(origin) = origin(allowed, req) else { return };
    set(answer, ORIGIN, origin);
    if let Some(names) = &allowed.expose_headers {
        set(answer, "access-control-expose-headers", names.as_str());
    }
    if allowed.credentials {
        set(answer, "access-control-allow-credentials", "true");
    }
    if req.header("access-control-request-private-network") == Some("true") {
        set(answer, "access-control-allow-private-network", allowed.private_network.to_string());
    }
    if req.method == "OPTIONS" {
        preflight(allowed, req, answer);
    }
}

fn origin(allowed: &Allowed, req: &Req) -> Option<String> {
    match req.header("origin").filter(|o| !o.is_empty()) {
        Some(_) if allowed.all_origins && allowed.send_wildcard => Some("*".to_owned()),
        Some(origin) => allowed.allows(origin).then(|| origin.to_owned()),
        // a quirk of flask_cors: who sends no origin is told the first one
        None if !allowed.always_send || allowed.all_origins && allowed.credentials => None,
        None if allowed.all_origins => Some("*".to_owned()),
        None => allowed.first_origin().map(str::to_owned),
    }
}

/// The question before a request: only a method that is allowed is answered.
fn preflight(allowed: &Allowed, req: &Req, answer: &mut Answer) {
    let method = req.header("access-control-request-method").unwrap_or_default().to_ascii_uppercase();
    let Some(methods) = &allowed.methods else { return };
    if method.is_empty() || !methods.split(", ").any(|m| m == method) {
        return;
    }
    let headers = req.header("access-control-request-headers").map(|asked| allowed.headers(asked));
    if let Some(headers) = headers.filter(|h| !h.is_empty()) {
        set(answer, "access-control-allow-headers", headers);
    }
    if let Some(age) = &allowed.max_age {
        set(answer, "access-control-max-age", age.as_str());
    }
    set(answer, "access-control-allow-methods", methods.as_str());
}
