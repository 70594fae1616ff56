//! A response before it is written.

use bytes::Bytes;
use serde_json::{Map, Value};

/// Status, headers and body of a response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers in order; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// A response with a body of a content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }
    /// Flask's `jsonify`: sorted keys, compact, ASCII, newline at the end.
    pub fn jsonify(status: u16, value: &Value) -> Self {
        let mut text = ascii_json(&sorted(value), false);
        text.push('\n');
        Self::new(status, "application/json", text)
    }
    /// `superset.utils.json.dumps`: insertion order, `", "` and `": "`, ASCII.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", ascii_json(value, true))
    }
    /// An HTML page.
    pub fn html(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }
    /// A redirect.
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        let mut answer = Self::html(status, Bytes::new());
        answer.headers.push(("location", location.into()));
        answer
    }
    /// The same response with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            Value::Object(entries.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// JSON with every non-ASCII character escaped, as Python writes it; `spaced` puts a space after `,` and `:`.
pub fn ascii_json(value: &Value, spaced: bool) -> String {
    struct Python {
        spaced: bool,
    }
    impl serde_json::ser::Formatter for Python {
        fn begin_array_value<W: ?Sized + std::io::Write>(
            &mut self,
            w: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            if first { Ok(()) } else { w.write_all(if self.spaced { b", " } else { b"," }) }
        }
        fn begin_object_key<W: ?Sized + std::io::Write>(
            &mut self,
            w: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            if first { Ok(()) } else { w.write_all(if self.spaced { b", " } else { b"," }) }
        }
        fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, w: &mut W) -> std::io::Result<()> {
            w.write_all(if self.spaced { b": " } else { b":" })
        }
        fn write_string_fragment<W: ?Sized + std::io::Write>(
            &mut self,
            w: &mut W,
            s: &str,
        ) -> std::io::Result<()> {
            if s.is_ascii() {
                return w.write_all(s.as_bytes());
            }
            for c in s.chars() {
                if c.is_ascii() {
                    w.write_all(&[c as u8])?;
                } else {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(w, "\\u{unit:04x}")?;
                    }
                }
            }
            Ok(())
        }
    }
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Python { spaced });
    // writing a Value to a Vec cannot fail
    let _ = serde::Serialize::serialize(value, &mut serializer);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn jsonify_is_sorted_and_ascii() {
        let answer = Answer::jsonify(200, &json!({"b": "é😀", "a": [1, 2]}));
        assert_eq!(&answer.body[..], b"{\"a\":[1,2],\"b\":\"\\u00e9\\ud83d\\ude00\"}\n");
    }
}
