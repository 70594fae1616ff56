//! What Python prints of plain values: error messages quote it and bodies of old kinds consist of it.

use std::fmt::Write as _;

use serde_json::Value;

/// `repr(float)`.
pub fn float_repr(x: f64) -> String {
    let mut out = Vec::with_capacity(24);
    write_float(&mut out, x);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends `repr(float)` (`nan`, `inf` for the special ones).
pub fn write_float(out: &mut Vec<u8>, x: f64) {
    if !x.is_finite() {
        let text: &[u8] = if x.is_nan() {
            b"nan"
        } else if x > 0.0 {
            b"inf"
        } else {
            b"-inf"
        };
        out.extend_from_slice(text);
        return;
    }
    let whole = x as i64;
    // Most metrics are whole numbers: their digits need no shortest-representation search.
    if whole as f64 == x
        && whole.unsigned_abs() < 1_000_000_000_000_000
        && (whole != 0 || x.is_sign_positive())
    {
        write_int(out, whole);
        out.extend_from_slice(b".0");
        return;
    }
    let start = out.len();
    // Rust's `{:?}` uses an exponent at the same bounds as Python's repr, but writes it without sign and zero.
    let _ = std::io::Write::write_fmt(out, format_args!("{x:?}"));
    if let Some(e) = out.iter().skip(start).position(|b| *b == b'e') {
        let tail: Vec<u8> = out.drain(start + e + 1..).collect();
        let (sign, digits) = match tail.split_first() {
            Some((b'-', rest)) => (b'-', rest.to_vec()),
            _ => (b'+', tail),
        };
        if out.ends_with(b".0e") {
            out.truncate(out.len() - 3);
            out.push(b'e');
        }
        out.push(sign);
        if digits.len() < 2 {
            out.push(b'0');
        }
        out.extend_from_slice(&digits);
    }
}

/// Appends an integer.
pub fn write_int(out: &mut Vec<u8>, x: i64) {
    let mut buf = [0u8; 20];
    let mut at = buf.len();
    let mut rest = x.unsigned_abs();
    loop {
        at -= 1;
        if let Some(b) = buf.get_mut(at) {
            *b = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if x < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(buf.get(at..).unwrap_or_default());
}

/// `float(str)`: blanks around it, digits with underscores between them, `inf` and `nan`.
pub fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let alone = |(at, b): (usize, &u8)| *b == b'_' && !(digit(at.checked_sub(1)) && digit(Some(at + 1)));
    if bytes.iter().enumerate().any(alone) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// `repr(str)`.
pub fn str_repr(s: &str) -> String {
    let quote = if s.contains('\'') && !s.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(s.len() + 2);
    out.push(quote);
    for c in s.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..=0xa0).contains(&(c as u32)) || c == '\u{ad}' => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}'..='\u{200f}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// `repr()` of a parsed JSON document.
pub fn json_repr(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(b) => if *b { "True" } else { "False" }.into(),
        Value::Number(n) => match n.as_f64() {
            Some(f) if !n.is_i64() && !n.is_u64() => float_repr(f),
            _ => n.to_string(),
        },
        Value::String(s) => str_repr(s),
        Value::Array(a) => {
            format!("[{}]", a.iter().map(json_repr).collect::<Vec<_>>().join(", "))
        }
        Value::Object(o) => {
            let items: Vec<_> = o.iter().map(|(k, v)| format!("{}: {}", str_repr(k), json_repr(v))).collect();
            format!("{{{}}}", items.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_python_prints_them() {
        for (x, text) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-7, "1.5e-07"),
            (0.0001, "0.0001"),
            (1e-5, "1e-05"),
            (1e300, "1e+300"),
            (123_456_789.125, "123456789.125"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(float_repr(x), text);
        }
    }

    #[test]
    fn texts_that_are_numbers() {
        for (text, number) in [
            (" 7\n", Some(7.0)),
            ("1_000.5", Some(1000.5)),
            ("-.5e1", Some(-5.0)),
            ("INF", Some(f64::INFINITY)),
        ] {
            assert_eq!(parse_float(text), number, "{text}");
        }
        for text in ["", "_1", "1__0", "1_", "0x10", "12a", "1,5", "1_.0"] {
            assert_eq!(parse_float(text), None, "{text}");
        }
        assert!(parse_float("nan").is_some_and(f64::is_nan));
    }

    #[test]
    fn nested_documents_print_as_python_objects() {
        assert_eq!(
            json_repr(&serde_json::json!({"a": [1, null, "q'"], "b": 1.5})),
            r#"{'a': [1, None, "q'"], 'b': 1.5}"#
        );
    }

    #[test]
    fn texts_are_quoted_as_python_quotes_them() {
        for (text, want) in
            [("it's", "\"it's\""), ("a\"'b", "'a\"\\'b'"), ("c\n\u{1}\u{ad}", "'c\\n\\x01\\xad'")]
        {
            assert_eq!(str_repr(text), want);
        }
    }
}
