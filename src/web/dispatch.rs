//! A request's way: rule → session → caller → CSRF → access → handler → headers.

use std::sync::Arc;

use commands::{Principal, Services};
use infra::{Error, error::SupersetError};
use salvo::{
    Depot, FlowCtrl, Handler, Request, Response, async_trait,
    http::{HeaderName, HeaderValue, ParseError, StatusCode},
};

use crate::{
    Answer, Cx,
    context::{Req, Upload},
    error::Failure,
    routes::{Match, Table},
};

/// The largest request body; uploads of files have their own, larger bound.
const MAX_BODY: usize = 64 << 20;

/// The one salvo handler: everything behind it is our own table.
pub struct Dispatch {
    app: Arc<Services>,
    table: Table,
}

impl Dispatch {
    /// A dispatcher over a table of rules.
    pub fn new(app: Arc<Services>, table: Table) -> Self {
        Self { app, table }
    }

    async fn answer(&self, request: &mut Request) -> Answer {
        let mut req = match read_parts(request) {
            Ok(req) => req,
            Err(status) => return status_error(status),
        };
        let rule = match self.table.find(&req.method, &req.path) {
            Match::Found(rule, params) => {
                req.params = params;
                rule
            }
            Match::AddSlash => {
                let query = if req.query_string.is_empty() { "" } else { "?" };
                let location =
                    format!("{}://{}{}/{query}{}", req.scheme, req.host, req.path, req.query_string);
                return Answer::redirect(308, location);
            }
            Match::MethodNotAllowed(_) => return status_error(405),
            Match::NotFound => return status_error(404),
        };
        if rule.flag.is_some_and(|flag| !self.app.config.flag(flag)) {
            return Failure(Error::not_found()).into_answer();
        }
        if let Err(status) = read_body(request, &mut req).await {
            return status_error(status);
        }
        let cx = Cx {
            app: self.app.clone(),
            user: Arc::new(Principal::default()),
            session: Arc::default(),
            req: Arc::new(req),
        };
        (rule.handler)(cx).await.unwrap_or_else(Failure::into_answer)
    }
}

#[async_trait]
impl Handler for Dispatch {
    async fn handle(&self, req: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        let answer = self.answer(req).await;
        res.status_code(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        for (name, value) in answer.headers {
            // a value with control characters would split the response: it is dropped
            if let Ok(value) = HeaderValue::from_str(&value) {
                res.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        res.body(answer.body);
    }
}

/// Werkzeug's sentence for a status, in the SIP-40 envelope.
fn status_error(status: u16) -> Answer {
    let text = match status {
        400 => {
            "400 Bad Request: The browser (or proxy) sent a request that this server could not understand."
        }
        405 => "405 Method Not Allowed: The method is not allowed for the requested URL.",
        413 => "413 Request Entity Too Large: The data value transmitted exceeds the capacity limit.",
        _ => {
            "404 Not Found: The requested URL was not found on the server. If you entered the URL manually \
             please check your spelling and try again."
        }
    };
    let error = SupersetError::new("GENERIC_BACKEND_ERROR", text);
    Failure(Error::sip40(status, error)).into_answer()
}

fn read_parts(request: &Request) -> Result<Req, u16> {
    let uri = request.uri();
    let path = percent_encoding::percent_decode_str(uri.path()).decode_utf8().map_err(|_| 404_u16)?;
    let query_string = uri.query().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let host = headers.iter().find(|(k, _)| k == "host").map(|(_, v)| v.clone()).unwrap_or_default();
    Ok(Req {
        method: request.method().as_str().to_owned(),
        path: path.into_owned(),
        args: parse_query(&query_string),
        query_string,
        headers,
        remote_addr: peer(request),
        scheme: request.scheme().as_str().to_owned(),
        host,
        ..Req::default()
    })
}

fn peer(request: &Request) -> String {
    let address = request.remote_addr().to_string();
    // "socket://127.0.0.1:4711" → "127.0.0.1"
    let address = address.rsplit("//").next().unwrap_or_default();
    address.rsplit_once(':').map_or(address, |(ip, _)| ip).trim_matches(['[', ']']).to_owned()
}

/// `a=1&b=%20` with `+` as a space; bytes that are not UTF-8 are replaced, as Werkzeug does.
pub fn parse_query(text: &str) -> Vec<(String, String)> {
    let decode = |s: &str| {
        let s = s.replace('+', " ");
        percent_encoding::percent_decode_str(&s).decode_utf8_lossy().into_owned()
    };
    text.split('&')
        .filter(|p| !p.is_empty())
        .map(|p| {
            p.split_once('=').map_or_else(|| (decode(p), String::new()), |(k, v)| (decode(k), decode(v)))
        })
        .collect()
}

async fn read_body(request: &mut Request, req: &mut Req) -> Result<(), u16> {
    let status = |e: &ParseError| if matches!(e, ParseError::PayloadTooLarge) { 413 } else { 400 };
    match req.content_type().as_str() {
        "multipart/form-data" => {
            let data = request.form_data_max_size(MAX_BODY).await.map_err(|e| status(&e))?;
            for (name, values) in data.fields.iter_all() {
                req.form.extend(values.iter().map(|v| (name.clone(), v.clone())));
            }
            for (field, parts) in data.files.iter_all() {
                for part in parts {
                    let content = tokio::fs::read(part.path()).await.map_err(|_| 400_u16)?.into();
                    let filename = part.name().unwrap_or_default().to_owned();
                    req.files.push(Upload { field: field.clone(), filename, content });
                }
            }
        }
        content_type => {
            let body = request.payload_with_max_size(MAX_BODY).await;
            let body = match body {
                Ok(body) => body.clone(),
                Err(e) => return Err(status(&e)),
            };
            if content_type == "application/x-www-form-urlencoded" {
                req.form = parse_query(&String::from_utf8_lossy(&body));
            } else {
                req.body = body;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_strings_decode_like_werkzeug() {
        let want = [("q", "(a:b c)"), ("x", ""), ("q", "é")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(parse_query("q=(a:b+c)&x&&q=%C3%A9"), want);
    }
}
