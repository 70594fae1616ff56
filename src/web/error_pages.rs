//! Werkzeug's aborts as the client sees them (`superset.views.error_handling:show_http_exception`).
//!
//! 404 and 500 are pages for whoever accepts HTML (also for `*/*`), everything else is SIP-40 JSON.

use infra::{
    Error,
    error::{ErrorType, SupersetError},
};

use crate::{
    Answer,
    context::Req,
    error::Failure,
    files::{CachePolicy, send},
};

/// The answer to a request that ends with a status and nothing to say beyond it.
pub fn abort(req: &Req, status: u16) -> Answer {
    abort_with(req, status, description(status))
}

/// The same with a sentence of our own after `404 Not Found: `.
pub fn abort_with(req: &Req, status: u16, description: &str) -> Answer {
    if matches!(status, 404 | 500)
        && accepts_html(req)
        && let Some(page) = page(status)
    {
        return page;
    }
    Failure(Error::sip40(status, described(status, description))).into_answer()
}

/// The answer to a request outside of `SUPERSET_APP_ROOT`: that of the middleware, which knows no pages.
pub fn outside() -> Answer {
    Answer::html(
        404,
        format!(
            "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>{}</p>\n",
            description(404)
        ),
    )
}

/// The page of a status (`superset.views.error_handling:show_http_exception` sends the file). The one difference: what
/// it loads from other hosts, a font and its preparation, is taken out.
fn page(status: u16) -> Option<Answer> {
    let name = format!("static/assets/{status}.html");
    // whole and as it is: an error page is neither a part nor unchanged
    let mut page = send(&Req::default(), &name, &CachePolicy::NoCache)?;
    let own = without_foreign_links(std::str::from_utf8(&page.body).ok()?);
    page.body = own.into();
    // of the file as it is
    page.headers.retain(|(name, _)| *name != "etag");
    page.status = status;
    Some(page)
}

/// A page without the `<link>` elements that lead to other hosts.
fn without_foreign_links(page: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(page.len()), page);
    while let Some(at) = rest.find("<link ") {
        let (before, link) = rest.split_at(at);
        let Some(end) = link.find('>') else { break };
        let (link, after) = link.split_at(end + 1);
        kept.push_str(before);
        if !["\"http:", "\"https:", "\"//"].iter().any(|foreign| link.contains(foreign)) {
            kept.push_str(link);
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// The response of a page that failed: our own fault is a page, too.
pub fn failed(req: &Req, failure: Failure) -> Answer {
    if let Error::Internal(source) = &failure.0 {
        tracing::error!(error = %source, path = req.path, "page failed");
        return abort(req, 500);
    }
    failure.into_answer()
}

/// What JSON clients are told of a status.
pub fn error(status: u16) -> SupersetError {
    described(status, description(status))
}

fn described(status: u16, description: &str) -> SupersetError {
    SupersetError::new(ErrorType::GenericBackendError, format!("{status} {}: {description}", name(status)))
}

/// `"text/html" in request.accept_mimetypes`.
pub fn accepts_html(req: &Req) -> bool {
    let accept = req.header("accept").unwrap_or_default();
    let ranges = accept.split(',').map(|r| r.split(';').next().unwrap_or_default().trim());
    ranges
        .into_iter()
        .any(|r| matches!(r.to_ascii_lowercase().as_str(), "text/html" | "text/*" | "*/*" | "*"))
}

fn name(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

fn description(status: u16) -> &'static str {
    match status {
        400 => "The browser (or proxy) sent a request that this server could not understand.",
        403 => {
            "You don't have the permission to access the requested resource. It is either read-protected or not \
             readable by the server."
        }
        404 => {
            "The requested URL was not found on the server. If you entered the URL manually please check your \
             spelling and try again."
        }
        405 => "The method is not allowed for the requested URL.",
        408 => {
            "The server closed the network connection because the browser didn't finish the request within the \
                specified time."
        }
        429 => "",
        413 => "The data value transmitted exceeds the capacity limit.",
        503 => {
            "The server is temporarily unable to service your request due to maintenance downtime or capacity \
             problems. Please try again later."
        }
        415 => {
            "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
        }
        _ => {
            "The server encountered an internal error and was unable to complete your request. Either the server is \
             overloaded or there is an error in the application."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_other_hosts_are_taken_out() {
        let page = r#"<head><link rel="icon" href="/a.png"/><link rel="preconnect" href="https://b"/><link href="//c">
            <style>h1 {}</style></head>"#;
        let own = r#"<head><link rel="icon" href="/a.png"/>
            <style>h1 {}</style></head>"#;
        assert_eq!(without_foreign_links(page), own);
        assert_eq!(without_foreign_links("<link "), "<link ");
    }

    fn request(accept: &str) -> Req {
        Req { headers: vec![("accept".into(), accept.into())], ..Req::default() }
    }

    #[test]
    fn pages_for_people_json_for_programs() {
        for accept in ["text/html", "*/*", "text/html,application/xhtml+xml;q=0.9", "TEXT/*;q=0.1"] {
            let page = abort(&request(accept), 404);
            assert_eq!(page.status, 404);
            assert!(page.body.starts_with(b"<!doctype html>"), "{accept}");
        }
        let json = abort(&request("application/json"), 404);
        let text = String::from_utf8_lossy(&json.body).into_owned();
        assert!(text.starts_with(r#"{"errors": [{"message": "404 Not Found: The requested URL"#), "{text}");
        assert!(!accepts_html(&Req::default()));
        assert!(abort(&request("text/html"), 403).body.starts_with(b"{"));
    }
}
