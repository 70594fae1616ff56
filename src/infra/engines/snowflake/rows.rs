//! Rows of a result: those that come with the answer, and those at addresses that it names.

use std::{io::Read as _, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use reqwest::{Method, Url};

use super::{
    super::{
        QueryOptions,
        batch::Batcher,
        column::{ColumnData, ResultSet, Scalar},
        error::EngineError,
        http::{self, Access, Auth, Backoff, Endpoint, Failure, Verify},
    },
    LONGEST_PAUSE, PAGE, PAUSE, TRIES, arrow,
    protocol::{Chunk, Found},
    raised,
    session::Server,
    value::{self, Kind},
};

/// The batches that rows have filled; none where the rows are not those of the columns.
type Filled = Option<Result<Vec<ResultSet>, EngineError>>;

/// The rows that come with an answer.
pub(super) fn first(found: &Found, kinds: &[Kind], batcher: &mut Batcher<'_>) -> Filled {
    match (&found.rowset, &found.rowset_base64) {
        (Some(rows), _) => text_rows(rows, kinds, batcher),
        (None, Some(text)) if !text.is_empty() => {
            arrow_rows(&STANDARD.decode(text.as_bytes()).ok()?, kinds, batcher)
        }
        _ => Some(Ok(Vec::new())),
    }
}

/// The rows of a chunk: of JSON the brackets around them are missing.
pub(super) fn more(body: &[u8], found: &Found, kinds: &[Kind], batcher: &mut Batcher<'_>) -> Filled {
    if found.query_result_format.as_deref().is_some_and(|format| format.starts_with("arrow")) {
        return arrow_rows(body, kinds, batcher);
    }
    let whole = [b"[".as_slice(), body, b"]"].concat();
    text_rows(&serde_json::from_slice::<Vec<Vec<Option<String>>>>(&whole).ok()?, kinds, batcher)
}

fn text_rows(rows: &[Vec<Option<String>>], kinds: &[Kind], batcher: &mut Batcher<'_>) -> Filled {
    let mut batches = Vec::new();
    for row in rows {
        if !batcher.wants_more() {
            break;
        }
        if row.len() != kinds.len() {
            return None;
        }
        let mut bytes = 0;
        for ((text, kind), out) in row.iter().zip(kinds).zip(batcher.builders()) {
            bytes += text.as_ref().map_or(0, String::len);
            value::push_text(text.as_deref(), *kind, out);
        }
        match batcher.row(bytes) {
            Ok(batch) => batches.extend(batch),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(batches))
}

fn arrow_rows(bytes: &[u8], kinds: &[Kind], batcher: &mut Batcher<'_>) -> Filled {
    let mut batches = Vec::new();
    for batch in arrow::batches(bytes)? {
        if batch.columns.len() != kinds.len() {
            return None;
        }
        for row in 0..batch.rows {
            if !batcher.wants_more() {
                break;
            }
            let mut bytes = 0;
            for ((column, kind), out) in batch.columns.iter().zip(kinds).zip(batcher.builders()) {
                let cell = column.cell(row)?;
                bytes += value::size(&cell);
                value::push_cell(&cell, *kind, out)?;
            }
            match batcher.row(bytes) {
                Ok(batch) => batches.extend(batch),
                Err(error) => return Some(Err(error)),
            }
        }
    }
    Some(Ok(batches))
}

/// The first value of a column, as a text.
pub(super) fn text(column: &ColumnData) -> Option<String> {
    match column.get(0) {
        Scalar::Text(text) => Some(text.into()),
        Scalar::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Where further rows of a result are fetched.
pub(super) struct Chunks {
    server: Arc<Server>,
    headers: Vec<(String, String)>,
    /// The place that was asked last.
    last: Option<(String, Endpoint)>,
}

impl Chunks {
    pub fn new(server: &Arc<Server>, found: &Found) -> Self {
        let mut headers: Vec<_> = found.chunk_headers.clone().into_iter().collect();
        if let (true, Some(key)) = (headers.is_empty(), &found.qrmk) {
            let name = "x-amz-server-side-encryption-customer-";
            headers.push((format!("{name}algorithm"), "AES256".to_owned()));
            headers.push((format!("{name}key"), key.clone()));
        }
        Self { server: server.clone(), headers, last: None }
    }

    /// The rows of a chunk. They lie in a store of the cloud, which is told no token of ours.
    pub async fn body(&mut self, chunk: &Chunk, options: &QueryOptions) -> Result<Vec<u8>, EngineError> {
        let url = Url::parse(&chunk.url).map_err(|_| self.server.protocol())?;
        let limit = options.max_bytes.max(PAGE);
        let failed = |words: &str| {
            let text = format!("252005: 252005: Failed to download a chunk of the result: {words}");
            raised("OperationalError", &text)
        };
        let mut backoff = Backoff::new(PAUSE, LONGEST_PAUSE, TRIES);
        loop {
            let endpoint = self.endpoint(&url)?;
            let place = endpoint.access().clone();
            let mut request = endpoint.request(Method::GET, &url);
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            let answer = http::send(request, options.timeout).await.map_err(|e| match e {
                Failure::TimedOut(_) => EngineError::Timeout(options.timeout),
                e => failed(&e.text(&place, "/")),
            })?;
            let status = answer.status().as_u16();
            if status == 200 {
                let body = http::body(answer, limit, options.timeout)
                    .await
                    .map_err(|e| e.into_error(limit, options.timeout, |_| failed("the connection broke")))?;
                return unpacked(body, limit).ok_or(EngineError::TooLarge(limit >> 20));
            }
            if !matches!(status, 429 | 500..=599) || !backoff.again(None).await {
                return Err(failed(&format!("HTTP {status}")));
            }
        }
    }

    /// A client of a place that the server has named: encrypted and with a name that public authorities vouch for, or
    /// the server itself.
    fn endpoint(&mut self, url: &Url) -> Result<&Endpoint, EngineError> {
        let origin = url.origin().ascii_serialization();
        if origin == self.server.endpoint.base().origin().ascii_serialization() {
            return Ok(&self.server.endpoint);
        }
        let wrong = || self.server.protocol();
        if url.scheme() != "https" {
            return Err(wrong());
        }
        if self.last.as_ref().is_none_or(|(last, _)| *last != origin) {
            let access = Access {
                host: url.host_str().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned(),
                port: url.port_or_known_default().ok_or_else(wrong)?,
                tls: Some(Verify::Public),
                auth: Auth::Nobody,
                connect: self.server.endpoint.access().connect,
            };
            self.last = Some((origin, Endpoint::new(access)?));
        }
        self.last.as_ref().map(|(_, endpoint)| endpoint).ok_or_else(wrong)
    }
}

/// Stores hand packed rows out without saying that they are packed; none where there is too much of them.
fn unpacked(body: Vec<u8>, limit: usize) -> Option<Vec<u8>> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Some(body);
    }
    let mut out = Vec::new();
    let most = u64::try_from(limit).ok()?.saturating_add(1);
    GzDecoder::new(body.as_slice()).take(most).read_to_end(&mut out).ok()?;
    (out.len() <= limit).then_some(out)
}
