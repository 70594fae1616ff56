//! `superset.utils.json.loads` into a document: nothing of a number is lost, `NaN` and `Infinity` are numbers.

use super::value::{Key, Map, Yaml};

/// Deeper texts are treated as none: Python has a limit, too.
const MAX_DEPTH: usize = 200;

/// The document; none for a text that is no JSON.
pub fn json_loads(text: &str) -> Option<Yaml> {
    let mut reader = Reader { rest: text, depth: 0 };
    let value = reader.value()?;
    reader.space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self) -> Option<Yaml> {
        self.space();
        match self.rest.as_bytes().first()? {
            b'"' => self.text().map(Yaml::Text),
            b'{' | b'[' => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return None;
                }
                let value = if self.take("{") { self.object() } else { self.array() };
                self.depth -= 1;
                value
            }
            _ => self.word(),
        }
    }

    fn object(&mut self) -> Option<Yaml> {
        let mut map = Map::new();
        if self.take("}") {
            return Some(Yaml::Map(map));
        }
        loop {
            self.space();
            let key = self.text()?;
            if !self.take(":") {
                return None;
            }
            let value = self.value()?;
            map.insert(Key::Text(key), value);
            if self.take("}") {
                return Some(Yaml::Map(map));
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    fn array(&mut self) -> Option<Yaml> {
        if !self.take("[") {
            return None;
        }
        let mut items = Vec::new();
        if self.take("]") {
            return Some(Yaml::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.take("]") {
                return Some(Yaml::List(items));
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    /// A literal with its escapes; serde_json knows them.
    fn text(&mut self) -> Option<String> {
        let bytes = self.rest.as_bytes();
        if bytes.first() != Some(&b'"') {
            return None;
        }
        let mut end = 1;
        loop {
            match bytes.get(end)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        let literal = self.rest.get(..=end)?;
        self.rest = self.rest.get(end + 1..)?;
        serde_json::from_str(literal).ok()
    }

    fn word(&mut self) -> Option<Yaml> {
        for (word, value) in [
            ("null", Yaml::Null),
            ("true", Yaml::Bool(true)),
            ("false", Yaml::Bool(false)),
            ("NaN", Yaml::Float(f64::NAN)),
            ("Infinity", Yaml::Float(f64::INFINITY)),
            ("-Infinity", Yaml::Float(f64::NEG_INFINITY)),
        ] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Some(value);
            }
        }
        let end = self.rest.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c));
        let (digits, rest): (&'a str, _) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if !is_number(digits) {
            return None;
        }
        if digits.contains(['.', 'e', 'E']) {
            return digits.parse().ok().map(Yaml::Float);
        }
        Some(digits.parse().map_or_else(|_| Yaml::Big(digits.to_owned()), Yaml::Int))
    }
}

/// JSON's grammar of numbers; they may be as large as they like.
fn is_number(text: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

#[cfg(test)]
mod tests {
    use super::{super::json_dumps, *};

    #[test]
    fn what_python_reads() {
        let text =
            r#" {"a": [1, -2.50, 1e400, 12345678901234567890123, NaN], "b": {"é\u00e9": "\n"}, "c": []} "#;
        let value = json_loads(text).unwrap();
        let want =
            r#"{"a": [1, -2.5, null, 12345678901234567890123, null], "b": {"\u00e9\u00e9": "\n"}, "c": []}"#;
        assert_eq!(json_dumps(&value).unwrap(), want);
        assert_eq!(
            json_dumps(&json_loads(r#"{"a": 1, "b": 2, "a": 3}"#).unwrap()).unwrap(),
            r#"{"a": 3, "b": 2}"#
        );
        for wrong in ["", "{", "[1,]", "{1: 2}", "01", "\"\u{1}\"", "[1] x", "\"\\ud800\"", &"[".repeat(300)]
        {
            assert_eq!(json_loads(wrong), None, "{wrong}");
        }
    }
}
