//! Header fields as `email.header` and `email.message` write them: never folded, words of RFC 2047 where there is
//! more than ASCII, parameters of RFC 2231.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// A text in one line: what Python takes for a line break becomes a blank, so that no text can begin a header of
/// its own.
pub fn one_line(text: &str) -> String {
    let is_break = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    text.replace("\r\n", " ").chars().map(|c| if is_break(c) || c == '\0' { ' ' } else { c }).collect()
}

/// The addresses of a text: separated by commas, semicolons and blanks of all kinds
/// (`superset.utils.core:recipients_string_to_list`).
pub fn addresses(text: &str) -> Vec<String> {
    let pieces = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace() || c.is_control());
    pieces.filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

/// The value of a header field (`email.header.Header.encode` without a limit of length).
pub(super) fn value(text: &str) -> String {
    let text = one_line(text);
    if !text.is_ascii() {
        return encoded_word(&text);
    }
    // a single blank at the end is lost
    match text.strip_suffix(' ') {
        Some(cut) if !cut.ends_with([' ', '\t']) => cut.to_owned(),
        _ => text,
    }
}

/// One word of RFC 2047, in whichever encoding is shorter; base64 where neither is not.
fn encoded_word(text: &str) -> String {
    let bytes = text.as_bytes();
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-!*+/".contains(b);
    let quoted: usize = bytes.iter().map(|b| if is_plain(b) || *b == b' ' { 1 } else { 3 }).sum();
    if bytes.len().div_ceil(3) * 4 < quoted {
        return format!("=?utf-8?b?{}?=", BASE64_STANDARD.encode(bytes));
    }
    let mut out = String::from("=?utf-8?q?");
    for b in bytes {
        match b {
            b' ' => out.push('_'),
            b if is_plain(b) => out.push(char::from(*b)),
            b => {
                let _ = write!(out, "={b:02X}");
            }
        }
    }
    out.push_str("?=");
    out
}

/// `name="value"`, or `name*=utf-8''…` where there is more than ASCII (`email.message._formatparam`).
pub(super) fn parameter(name: &str, text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return name.to_owned();
    }
    if text.is_ascii() {
        return format!("{name}=\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    let mut out = format!("{name}*=utf-8''");
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_begins_no_header() {
        assert_eq!(value("a\r\nBcc: x@example.org\n\u{2028}b"), "a Bcc: x@example.org  b");
        assert_eq!(value("a\nBcc: x"), "a Bcc: x");
        assert_eq!(parameter("Name", "a\r\nX: \"y\".csv"), r#"Name="a X: \"y\".csv""#);
    }

    #[test]
    fn words_are_encoded_as_python_encodes_them() {
        assert_eq!(value("[Report]  November 2026 é"), "=?utf-8?q?=5BReport=5D__November_2026_=C3=A9?=");
        assert_eq!(
            value("[Report]  Zahlen für Köln ✓ – 数字"),
            "=?utf-8?b?W1JlcG9ydF0gIFphaGxlbiBmw7xyIEvDtmxuIOKckyDigJMg5pWw5a2X?="
        );
        assert_eq!(value("one "), "one");
        assert_eq!(value("two  "), "two  ");
        assert_eq!(parameter("Name", "Größe.csv"), "Name*=utf-8''Gr%C3%B6%C3%9Fe.csv");
    }

    #[test]
    fn addresses_are_what_stands_between_separators() {
        assert_eq!(addresses(" a@b ,, c@d ;\u{a0}e@f\r\nBcc:x@y\0"), ["a@b", "c@d", "e@f", "Bcc:x@y"]);
        assert_eq!(addresses("Ann <a@x>"), ["Ann", "<a@x>"]);
        assert!(addresses(" ; ").is_empty());
    }
}
