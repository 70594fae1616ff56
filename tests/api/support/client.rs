//! A browser's worth of HTTP: cookies and the CSRF token, redirects not followed.

use std::{collections::BTreeMap, io::Write as _, net::TcpStream};

use serde_json::Value;

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    /// The first header of a name.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str())
    }
}

/// The type and the body of a form with fields and a file in the field `file`.
pub fn multipart(fields: &[(&str, &str)], filename: &str, content: &[u8]) -> (String, Vec<u8>) {
    multipart_as("file", fields, filename, content)
}

/// The same with the file in another field.
pub fn multipart_as(
    field: &str,
    fields: &[(&str, &str)],
    filename: &str,
    content: &[u8],
) -> (String, Vec<u8>) {
    const BOUNDARY: &str = "liteset-boundary-7f3a";
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{filename}\"\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

/// Somebody.
pub struct Client {
    base: String,
    agent: ureq::Agent,
    pub cookies: BTreeMap<String, String>,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    pub csrf: String,
}

impl Client {
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        let (cookies, headers) = (BTreeMap::new(), Vec::new());
        Self { base: base.to_owned(), agent: config.into(), cookies, headers, csrf: String::new() }
    }

    /// Logs in through the page and its form; keeps the session and a CSRF token.
    pub fn log_in(&mut self, user: &str, password: &str) -> u16 {
        let page = self.get("/login/").text();
        let token = page.split("name=\"csrf_token\"").nth(1).and_then(|rest| rest.split("value=\"").nth(1));
        let token = token.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned();
        let form = [("username", user), ("password", password), ("csrf_token", &token)];
        let status = self.post_form("/login/", &form).status;
        let token = self.get("/api/v1/security/csrf_token/");
        if token.status == 200 {
            self.csrf = token.json()["result"].as_str().unwrap_or_default().to_owned();
        }
        status
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|| panic!("no answer from {}{path}", self.base))
    }

    pub fn try_get(&mut self, path: &str) -> Option<Answer> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("cookie", self.cookie());
        let answer = request.header("accept", "application/json").call().ok()?;
        Some(self.take(answer))
    }

    pub fn post_form(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.agent.post(format!("{}{path}", self.base)).header("cookie", self.cookie());
        let answer = request.send_form(form.iter().copied()).unwrap();
        self.take(answer)
    }

    /// The same through a proxy that says where it comes from.
    pub fn post_form_from(&mut self, path: &str, form: &[(&str, &str)], from: &str) -> Answer {
        let request = self.agent.post(format!("{}{path}", self.base)).header("cookie", self.cookie());
        let answer = request.header("x-forwarded-for", from).send_form(form.iter().copied()).unwrap();
        self.take(answer)
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Answer {
        let request = self.agent.post(format!("{}{path}", self.base)).header("cookie", self.cookie());
        let answer = request.header("x-csrftoken", &self.csrf).send_json(body).unwrap();
        self.take(answer)
    }

    /// Asks and does not wait: who drops the connection leaves.
    pub fn begin_post(&self, path: &str, body: &Value) -> TcpStream {
        let host = self.base.strip_prefix("http://").unwrap();
        let (cookie, csrf, body) = (self.cookie(), &self.csrf, body.to_string());
        let length = body.len();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nx-csrftoken: {csrf}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        stream
    }

    /// A form with fields and one file.
    pub fn post_file(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        filename: &str,
        content: &[u8],
    ) -> Answer {
        self.post_form_data(path, multipart(fields, filename, content))
    }

    /// A form as [`multipart_as`] makes it.
    pub fn post_form_data(&mut self, path: &str, (kind, body): (String, Vec<u8>)) -> Answer {
        let request = self.agent.post(format!("{}{path}", self.base)).header("cookie", self.cookie());
        let request = request.header("x-csrftoken", &self.csrf).header("content-type", &kind);
        let request = request.header("accept", "application/json");
        let answer = request.send(&body[..]).unwrap();
        self.take(answer)
    }

    pub fn put(&mut self, path: &str, body: &Value) -> Answer {
        let request = self.agent.put(format!("{}{path}", self.base)).header("cookie", self.cookie());
        let answer = request.header("x-csrftoken", &self.csrf).send_json(body).unwrap();
        self.take(answer)
    }

    pub fn delete(&mut self, path: &str) -> Answer {
        let request = self.agent.delete(format!("{}{path}", self.base)).header("cookie", self.cookie());
        let answer = request.header("x-csrftoken", &self.csrf).call().unwrap();
        self.take(answer)
    }

    /// Any method; a body of JSON, if there is one.
    pub fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header("cookie", self.cookie()).header("accept", "application/json");
        if !self.csrf.is_empty() {
            request = request.header("x-csrftoken", &self.csrf);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let text = body.map(Value::to_string).unwrap_or_default();
        let request = request.header("content-type", "application/json").body(text).unwrap();
        let answer = self.agent.run(request).unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        self.take(answer)
    }

    /// The header that says who this is.
    pub fn cookie(&self) -> String {
        self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("; ")
    }

    fn take(&mut self, mut answer: ureq::http::Response<ureq::Body>) -> Answer {
        let headers: Vec<(String, String)> = answer
            .headers()
            .iter()
            .map(|(k, v)| (k.as_str().to_owned(), v.to_str().unwrap_or_default().to_owned()))
            .collect();
        for (_, cookie) in headers.iter().filter(|(k, _)| k == "set-cookie") {
            let (name, value) = cookie.split(';').next().and_then(|c| c.split_once('=')).unwrap_or_default();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let body = answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap_or_default();
        Answer { status: answer.status().as_u16(), headers, body }
    }
}
