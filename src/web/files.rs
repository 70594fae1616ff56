//! Sending a file of the bundle (`flask.send_file`): validators, encodings, ranges.

use std::borrow::Cow;

use assets::{Encoding, File};
use bytes::Bytes;
use chrono::{DateTime, Duration, NaiveDateTime, Utc};

use crate::{Answer, context::Req};

/// Format of dates in HTTP headers.
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// How long a file may be kept.
pub enum CachePolicy {
    /// `public, max-age=…` in seconds.
    MaxAge(i64),
    /// To be asked for each time.
    NoCache,
}

/// The answer for a file of the bundle, by its name there; none when there is no such file.
pub fn send(req: &Req, name: &str, keep: &CachePolicy) -> Option<Answer> {
    send_as(req, name, name.rsplit('/').next().unwrap_or(name), keep)
}

/// The same under another file name.
pub fn send_as(req: &Req, name: &str, filename: &str, keep: &CachePolicy) -> Option<Answer> {
    let file = assets::find(name)?;
    let now = Utc::now();
    let encoding = choose_encoding(req, file);
    let etag = etag(file, encoding);
    let (cache_control, expires) = match keep {
        CachePolicy::MaxAge(seconds) => {
            let immutable = if *seconds > 0 && is_hashed(name) { ", immutable" } else { "" };
            let expires = Duration::try_seconds(*seconds).unwrap_or_default();
            (format!("public, max-age={seconds}{immutable}"), expires)
        }
        CachePolicy::NoCache => ("no-cache, max-age=0".to_owned(), Duration::zero()),
    };
    let headers = [
        ("etag", etag.clone()),
        ("last-modified", http_date(file.modified)),
        ("cache-control", cache_control),
        ("expires", (now + expires).format(HTTP_DATE).to_string()),
        ("accept-ranges", "bytes".to_owned()),
        ("vary", "Accept-Encoding".to_owned()),
    ];
    if is_unchanged(req, file, &etag) {
        let answer = Answer { headers: Vec::new(), ..Answer::new(304, "", Bytes::new()) };
        return Some(headers.into_iter().fold(answer, |a, (name, value)| a.header(name, value)));
    }
    let body = match assets::read(name, encoding)? {
        Cow::Borrowed(embedded) => Bytes::from_static(embedded),
        Cow::Owned(read) => Bytes::from(read),
    };
    let total = body.len() as u64;
    let mut answer = match requested_range(req, total, &etag, file) {
        Some(Ok((first, last))) => {
            let part = body.slice(first as usize..=last as usize);
            let range = format!("bytes {first}-{last}/{total}");
            Answer::new(206, content_type(filename), part).header("content-range", range)
        }
        Some(Err(())) => {
            Answer::new(416, content_type(filename), "").header("content-range", format!("bytes */{total}"))
        }
        None => Answer::new(200, content_type(filename), body),
    };
    answer = answer.header("content-disposition", format!("inline; filename={filename}"));
    answer = match encoding {
        Encoding::Brotli => answer.header("content-encoding", "br"),
        Encoding::Gzip => answer.header("content-encoding", "gzip"),
        Encoding::Identity => answer,
    };
    Some(headers.into_iter().fold(answer, |a, (name, value)| a.header(name, value)))
}

/// Whether a file's name has the digest of its content as a part, so that it never has another one.
fn is_hashed(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.split('.').any(|part| (16..=64).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The best stored form that the client takes. A part is always one of the file as it is: a client that resumes a
/// download does not want to know how the rest was packed.
fn choose_encoding(req: &Req, file: &File) -> Encoding {
    if req.header("range").is_some() {
        return Encoding::Identity;
    }
    let accepted = req.header("accept-encoding").unwrap_or_default();
    let best = [(Encoding::Brotli, "br"), (Encoding::Gzip, "gzip")].into_iter();
    best.filter(|(encoding, name)| file.has(*encoding) && accepts(accepted, name))
        .map(|(encoding, _)| encoding)
        .next()
        .unwrap_or(Encoding::Identity)
}

/// `gzip;q=0` is a refusal.
fn accepts(header: &str, name: &str) -> bool {
    header.split(',').any(|entry| {
        let (coding, parameter) = entry.split_once(';').unwrap_or((entry, ""));
        let refused = parameter.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0));
        coding.trim().eq_ignore_ascii_case(name) && !refused
    })
}

fn etag(file: &File, encoding: Encoding) -> String {
    let suffix = match encoding {
        Encoding::Identity => "",
        Encoding::Gzip => "-gz",
        Encoding::Brotli => "-br",
    };
    format!("\"{}{suffix}\"", file.hash)
}

fn http_date(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|s| DateTime::from_timestamp(s, 0));
    time.unwrap_or_default().format(HTTP_DATE).to_string()
}

fn is_unchanged(req: &Req, file: &File, etag: &str) -> bool {
    if let Some(known) = req.header("if-none-match") {
        // the weak form compares equal here; `*` is any version
        return known.split(',').map(|e| e.trim().trim_start_matches("W/")).any(|e| e == etag || e == "*");
    }
    req.header("if-modified-since").and_then(parse_http_date).is_some_and(|since| since >= file.modified)
}

fn parse_http_date(text: &str) -> Option<u64> {
    let time = NaiveDateTime::parse_from_str(text, HTTP_DATE).ok()?;
    u64::try_from(time.and_utc().timestamp()).ok()
}

/// One range of `Range: bytes=…`: first and last byte, or an error when it lies outside. Several ranges at once are
/// answered with the whole file, which the standard allows.
fn requested_range(req: &Req, total: u64, etag: &str, file: &File) -> Option<Result<(u64, u64), ()>> {
    let spec = req.header("range")?.trim().strip_prefix("bytes=")?;
    if let Some(condition) = req.header("if-range")
        && condition != etag
        && parse_http_date(condition) != Some(file.modified)
    {
        return None;
    }
    let (first, last) = spec.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    let number = |text: &str| text.parse::<u64>().ok();
    let (first, last) = match (first.is_empty(), last.is_empty()) {
        (false, false) => (number(first)?, number(last)?.min(total.saturating_sub(1))),
        (false, true) => (number(first)?, total.saturating_sub(1)),
        // the last so many bytes
        (true, false) => (total.saturating_sub(number(last)?), total.saturating_sub(1)),
        (true, true) => return None,
    };
    Some(if first <= last && last < total { Ok((first, last)) } else { Err(()) })
}

fn content_type(filename: &str) -> &'static str {
    match filename.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" | "map" => "application/json",
        "geojson" => "application/geo+json",
        "svg" => "image/svg+xml; charset=utf-8",
        "png" => "image/png",
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/vnd.microsoft.icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "static/appbuilder/css/flags/flags16.css";

    fn get(headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        send(&Req { headers, ..Req::default() }, NAME, &CachePolicy::MaxAge(60)).unwrap()
    }
    fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
        answer.headers.iter().find(|(k, _)| *k == name).map_or("", |(_, v)| v)
    }

    #[test]
    fn each_client_gets_the_form_it_takes() {
        let plain = get(&[]);
        assert_eq!((plain.status, header(&plain, "content-encoding")), (200, ""));
        let br = get(&[("accept-encoding", "gzip, deflate, br")]);
        assert_eq!(header(&br, "content-encoding"), "br");
        let gz = get(&[("accept-encoding", "br;q=0, gzip")]);
        assert_eq!(header(&gz, "content-encoding"), "gzip");
        assert!(gz.body.len() < plain.body.len());
        assert_ne!(header(&gz, "etag"), header(&br, "etag"));
        assert_eq!(header(&plain, "content-type"), "text/css; charset=utf-8");
        assert_eq!(header(&plain, "cache-control"), "public, max-age=60");
    }

    #[test]
    fn known_files_are_not_sent_again() {
        let first = get(&[("accept-encoding", "br")]);
        let again = get(&[("accept-encoding", "br"), ("if-none-match", header(&first, "etag"))]);
        assert_eq!((again.status, again.body.len()), (304, 0));
        let other = get(&[("accept-encoding", "gzip"), ("if-none-match", header(&first, "etag"))]);
        assert_eq!(other.status, 200);
        let since = get(&[("if-modified-since", header(&first, "last-modified"))]);
        assert_eq!(since.status, 304);
        let old = get(&[("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")]);
        assert_eq!(old.status, 200);
    }

    #[test]
    fn ranges_are_of_the_plain_file() {
        let whole = get(&[]).body;
        let part = get(&[("range", "bytes=2-5"), ("accept-encoding", "br")]);
        assert_eq!((part.status, &part.body[..]), (206, &whole[2..=5]));
        let end = get(&[("range", "bytes=-3")]);
        assert_eq!(&end.body[..], &whole[whole.len() - 3..]);
        assert_eq!(get(&[("range", "bytes=99999999-")]).status, 416);
        assert_eq!(get(&[("range", "bytes=5-2")]).status, 416);
        assert_eq!(get(&[("range", "bytes=0-1,3-4")]).status, 200);
        assert_eq!(get(&[("range", "bytes=0-1"), ("if-range", "\"other\"")]).status, 200);
        assert_eq!(get(&[("range", "bytes=0-18446744073709551615")]).status, 206);
    }
}
