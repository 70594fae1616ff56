//! Signatures of requests (Signature Version 4 in Amazon's public documents).

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use super::Keys;
use crate::crypto::{hex, hmac_sha256};

/// Everything but what RFC 3986 reserves for nothing.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &NAME.remove(b'/');

/// What is signed of a request.
pub struct Request<'a> {
    pub method: &'a str,
    /// As the header has it: with a port that is not the usual one.
    pub host: &'a str,
    /// As it is sent.
    pub path: &'a str,
    /// Decoded.
    pub query: &'a [(&'a str, &'a str)],
    /// Further headers, by names of small letters.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// The headers that prove who asks for what; for a service of a region.
pub fn sign(
    keys: &Keys,
    (region, service): (&str, &str),
    at: DateTime<Utc>,
    request: &Request<'_>,
) -> Vec<(&'static str, String)> {
    let time = at.format("%Y%m%dT%H%M%SZ").to_string();
    let day = at.format("%Y%m%d").to_string();
    let mut added = vec![("x-amz-date", time.clone())];
    added.extend(keys.token.clone().map(|token| ("x-amz-security-token", token)));
    let mut headers: Vec<(&str, String)> =
        request.headers.iter().map(|(name, value)| (*name, trimmed(value))).collect();
    headers.push(("host", request.host.to_owned()));
    headers.extend(added.iter().map(|(name, value)| (*name, trimmed(value))));
    headers.sort();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut query: Vec<String> = request
        .query
        .iter()
        .map(|(key, value)| {
            format!("{}={}", utf8_percent_encode(key, NAME), utf8_percent_encode(value, NAME))
        })
        .collect();
    query.sort();
    let path = if request.path.is_empty() { "/" } else { request.path };
    let canonical = [
        request.method,
        &utf8_percent_encode(path, PATH).to_string(),
        &query.join("&"),
        &lines,
        &names,
        &digest(request.body),
    ]
    .join("\n");
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", digest(canonical.as_bytes()));
    let first = format!("AWS4{}", keys.secret).into_bytes();
    let key = [day.as_str(), region, service, "aws4_request"]
        .iter()
        .fold(first, |key, part| hmac_sha256(&key, part.as_bytes()));
    let signature = hex(&hmac_sha256(&key, text.as_bytes()));
    let id = &keys.id;
    let proof =
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    added.push(("authorization", proof));
    added
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A value without blanks around it, and with one where several stand.
fn trimmed(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Amazon's published examples, each by its method, path, query, headers, body and signature.
    #[test]
    fn published_signatures() {
        type Example<'a> =
            (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], &'a str, &'a str);
        let form = ("content-type", "application/x-www-form-urlencoded");
        let plain = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let examples: [Example<'_>; 7] = [
            ("GET", "/", &[], &[], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "/", &[], &[], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                "GET",
                "",
                &[("Param2", "value2"), ("Param1", "value1")],
                &[],
                "",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "POST",
                "/",
                &[],
                &[form],
                "Param1=value1",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
            (
                "GET",
                "/",
                &[],
                &[("my-header1", " value1"), ("my-header2", "\"a   b   c\"")],
                "",
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
            ("GET", plain, &[], &[], "", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
            ("GET", "/ሴ", &[], &[], "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        ];
        for (method, path, query, headers, body, signature) in examples {
            let request = Request {
                method,
                host: "example.amazonaws.com",
                path,
                query,
                headers,
                body: body.as_bytes(),
            };
            let found = sign(&keys(None), ("us-east-1", "service"), noon(), &request);
            assert_eq!(found[0], ("x-amz-date", "20150830T123600Z".to_owned()));
            assert!(found[1].1.ends_with(&format!(", Signature={signature}")), "{path} {}", found[1].1);
        }
    }

    #[test]
    fn a_service_and_a_token() {
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let query = [("Action", "ListUsers"), ("Version", "2010-05-08")];
        let request = Request {
            method: "GET",
            host: "iam.amazonaws.com",
            path: "/",
            query: &query,
            headers: &headers,
            body: b"",
        };
        let found = sign(&keys(None), ("us-east-1", "iam"), noon(), &request);
        assert_eq!(
            found[1].1,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
        // these two are botocore's own
        let request = Request {
            method: "POST",
            host: "example.amazonaws.com",
            path: "/",
            query: &[],
            headers: &[],
            body: b"",
        };
        let token = Some("AQoDYXdzEPT//////////wEXAMPLE".to_owned());
        let found = sign(&keys(token), ("us-east-1", "service"), noon(), &request);
        assert!(
            found[2].1.ends_with("997fca65d08f4072d2c61b34906c6c8e83179f706ce49ad9dbb7c41659dc53cc"),
            "{}",
            found[2].1
        );
        let headers = [("x-amz-target", "AmazonAthena.X"), ("content-type", "application/x-amz-json-1.1")];
        let request = Request {
            method: "POST",
            host: "127.0.0.1:9404",
            path: "/a%20b/",
            query: &[],
            headers: &headers,
            body: b"{}",
        };
        let found = sign(&keys(None), ("us-east-1", "athena"), noon(), &request);
        assert!(
            found[1].1.ends_with("7e7a030d0f74bb559d52df7607b4ef0001110d05d96daf85e6fe4baa04218a2e"),
            "{}",
            found[1].1
        );
    }

    fn keys(token: Option<String>) -> Keys {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
        Keys { id: "AKIDEXAMPLE".to_owned(), secret, token }
    }

    fn noon() -> DateTime<Utc> {
        "2015-08-30T12:36:00Z".parse().unwrap()
    }
}
