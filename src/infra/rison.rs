//! Rison, the format of the `q` argument, read exactly as prison 0.2.1 reads it.
//!
//! Besides its own parse errors prison fails with other Python exceptions on some malformed inputs; Superset answers
//! those with a 500. The two are told apart by [`RisonError`], because clients see the difference.

pub mod schema;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};

pub use schema::Schema;

/// prison recurses twice per level and Python stops at 1000 frames.
const MAX_DEPTH: usize = 400;
/// Longer arguments than any URL that a server accepts.
const MAX_LENGTH: usize = 1 << 20;

/// Why a text is not Rison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RisonError {
    /// `prison.decoder.ParserException`: JSON is tried next.
    Syntax,
    /// Any other exception of prison (IndexError, TypeError, ValueError, RecursionError): Superset answers 500.
    Crash,
}

/// Parses Rison text; numeric keys become text, as JSON would write them.
pub fn parse(text: &str) -> Result<Value, RisonError> {
    if text == "(" {
        return Err(RisonError::Syntax);
    }
    if text.len() > MAX_LENGTH {
        return Err(RisonError::Crash);
    }
    let mut parser = Parser { chars: text.chars().collect(), index: 0 };
    let value = parser.value(0)?;
    if parser.next().is_some() { Err(RisonError::Syntax) } else { Ok(value) }
}

/// The value of `q` as `flask_appbuilder.api:rison` reads it: Rison, else JSON, then the schema.
///
/// An absent argument is an empty object; it is validated too, so that an array schema refuses it.
pub fn load(q: Option<&str>, schema: &Schema) -> crate::Result<Value> {
    let value = match q.filter(|q| !q.is_empty()) {
        None => Value::Object(Map::new()),
        Some(q) => match parse(q) {
            Ok(value) => value,
            Err(RisonError::Syntax) => json_argument(q)
                .ok_or_else(|| crate::Error::bad_request("Not a valid rison/json argument"))?,
            Err(RisonError::Crash) => return Err(crate::Error::internal("prison fails on this argument")),
        },
    };
    match schema.first_error(&value) {
        Some(message) => Err(crate::Error::bad_request(format!("Not a valid rison schema {message}"))),
        None => Ok(value),
    }
}

/// FAB decodes the already decoded argument once more as a query string before it reads JSON.
fn json_argument(q: &str) -> Option<Value> {
    let first = q.split('&').next()?.replace('+', " ");
    let decoded = percent_decode_str(&first).decode_utf8_lossy();
    if decoded.is_empty() {
        return None;
    }
    serde_json::from_str(&decoded).ok()
}

struct Parser {
    chars: Vec<char>,
    index: usize,
}

impl Parser {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.index).copied()?;
        self.index += 1;
        Some(c)
    }

    fn value(&mut self, depth: usize) -> Result<Value, RisonError> {
        if depth > MAX_DEPTH {
            return Err(RisonError::Crash);
        }
        // `None in '-0123456789'` is a TypeError in Python
        let c = self.next().ok_or(RisonError::Crash)?;
        match c {
            '!' => self.bang(depth),
            '(' => self.object(depth),
            '\'' => self.quoted().map(Value::String),
            '-' | '0'..='9' => self.number(),
            c if is_id_char(c) => {
                let start = self.index - 1;
                while self.chars.get(self.index).copied().is_some_and(is_id_char) {
                    self.index += 1;
                }
                Ok(Value::String(self.text(start, self.index)))
            }
            _ => Err(RisonError::Syntax),
        }
    }

    fn text(&self, start: usize, end: usize) -> String {
        self.chars.get(start..end).unwrap_or_default().iter().collect()
    }

    fn bang(&mut self, depth: usize) -> Result<Value, RisonError> {
        match self.next().ok_or(RisonError::Crash)? {
            't' => Ok(Value::Bool(true)),
            'f' => Ok(Value::Bool(false)),
            'n' => Ok(Value::Null),
            '(' => self.array(depth),
            _ => Err(RisonError::Syntax),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, RisonError> {
        let mut items = Vec::new();
        loop {
            match self.next() {
                Some(')') => return Ok(Value::Array(items)),
                None => return Err(RisonError::Syntax),
                Some(c) if !items.is_empty() && c != ',' => return Err(RisonError::Syntax),
                Some(',') if items.is_empty() => return Err(RisonError::Syntax),
                Some(_) if items.is_empty() => self.index -= 1,
                Some(_) => {}
            }
            items.push(self.value(depth + 1)?);
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, RisonError> {
        let mut map = Map::new();
        let mut first = true;
        loop {
            match self.next() {
                Some(')') => return Ok(Value::Object(map)),
                Some(c) if !first && c != ',' => return Err(RisonError::Syntax),
                None if !first => return Err(RisonError::Syntax),
                // prison steps back onto the parenthesis and recurses until Python gives up
                None => return Err(RisonError::Crash),
                Some(',') if first => return Err(RisonError::Syntax),
                Some(_) if first => self.index -= 1,
                Some(_) => {}
            }
            let key = self.value(depth + 1)?;
            if self.next() != Some(':') {
                return Err(RisonError::Syntax);
            }
            let value = self.value(depth + 1)?;
            let key = match key {
                Value::String(s) => s,
                Value::Null => "null".into(),
                Value::Bool(_) | Value::Number(_) => key.to_string(),
                // unhashable in Python
                Value::Array(_) | Value::Object(_) => return Err(RisonError::Crash),
            };
            map.insert(key, value);
            first = false;
        }
    }

    fn quoted(&mut self) -> Result<String, RisonError> {
        let mut out = String::new();
        loop {
            match self.next().ok_or(RisonError::Syntax)? {
                '\'' => return Ok(out),
                '!' => match self.next().ok_or(RisonError::Crash)? {
                    c @ ('!' | '\'') => out.push(c),
                    _ => return Err(RisonError::Syntax),
                },
                c => out.push(c),
            }
        }
    }

    /// Takes what looks like a number, as prison's state machine does, and leaves the verdict to `int()`/`float()`.
    fn number(&mut self) -> Result<Value, RisonError> {
        let start = self.index - 1;
        let (mut state, mut sign) = ("int", true);
        while let Some(c) = self.chars.get(self.index).copied() {
            match c {
                '0'..='9' => {}
                '-' if sign => sign = false,
                '.' if state == "int" => state = "frac",
                'e' | 'E' if state == "int" || state == "frac" => {
                    state = "exp";
                    sign = true;
                }
                _ => break,
            }
            self.index += 1;
        }
        let text = self.text(start, self.index);
        if text == "-" {
            return Err(RisonError::Syntax);
        }
        python_number(&text).ok_or(RisonError::Crash)
    }
}

/// `float(text)` when there is a dot or an `e`, else `int(text)`; `None` where Python raises ValueError.
fn python_number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !text.contains(['.', 'e']) {
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        return match text.parse::<i64>() {
            Ok(n) => Some(Value::from(n)),
            Err(_) => text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number),
        };
    }
    let (mantissa, exponent) = digits.split_once(['e', 'E']).map_or((digits, None), |(m, e)| (m, Some(e)));
    let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_ok = all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix('-').unwrap_or(e);
        !e.is_empty() && all_digits(e)
    });
    if !mantissa_ok || !exponent_ok {
        return None;
    }
    // what is infinite in Python is the largest number here: JSON has no infinity
    let number = text.parse::<f64>().ok().map(|n| n.clamp(f64::MIN, f64::MAX));
    number.and_then(Number::from_f64).map(Value::Number)
}

fn is_id_char(c: char) -> bool {
    c as u32 >= 127 || c.is_ascii_alphanumeric() || "_-./~%+".contains(c)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values() {
        for (text, want) in [
            ("(a:1,b:!t,c:!n)", json!({"a": 1, "b": true, "c": null})),
            ("!(1,'x y',b-c)", json!([1, "x y", "b-c"])),
            ("'it!'s !!'", json!("it's !")),
            ("01", json!(1)),
            ("1e5", json!(100000.0)),
            ("5.", json!(5.0)),
            ("-0", json!(0)),
            ("1e400", json!(f64::MAX)),
            (".5", json!(".5")),
            ("+1", json!("+1")),
            ("x/y~z.w_-", json!("x/y~z.w_-")),
            ("!()", json!([])),
            ("()", json!({})),
            ("''", json!("")),
            ("(1:2)", json!({"1": 2})),
            ("é", json!("é")),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn failures_of_prison() {
        for text in
            ["(", "(page:0", "1x", "-", "!(1", "!(,", "(a", "*", "$", "(a:1 ,b:2)", "!x", "'abc", "a)"]
        {
            assert_eq!(parse(text), Err(RisonError::Syntax), "{text}");
        }
        for text in ["(((", "(a:", "!", "!(1,", "1E5", "1-2", "'abc!", "(!():1)", "1e"] {
            assert_eq!(parse(text), Err(RisonError::Crash), "{text}");
        }
        let deep = format!("{}1{}", "!(".repeat(5000), ")".repeat(5000));
        assert_eq!(parse(&deep), Err(RisonError::Crash));
    }

    #[test]
    fn json_is_read_where_rison_fails() {
        assert_eq!(load(Some("{\"page\": 1}"), &schema::LIST).unwrap(), json!({"page": 1}));
        assert_eq!(load(Some("{%22page%22:1}"), &schema::LIST).unwrap(), json!({"page": 1}));
        assert_eq!(load(Some("{"), &schema::LIST).unwrap_err().status(), 400);
        assert_eq!(load(Some("((("), &schema::LIST).unwrap_err().status(), 500);
    }
}
