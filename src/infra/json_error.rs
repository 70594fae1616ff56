//! What simplejson says of text that is no JSON: the sentence is part of Superset's field errors.

/// The message of `simplejson.loads`; `None` for JSON.
pub fn json_error(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut scan = Scan { text: &chars, depth: 0 };
    let start = scan.space(0);
    let end = match scan.value(start) {
        Ok(end) => scan.space(end),
        Err((message, at)) => return Some(format!("{message}: {}", place(&chars, at))),
    };
    if end == chars.len() {
        return None;
    }
    let (line, column) = line_column(&chars, end);
    let (last_line, last_column) = line_column(&chars, chars.len());
    Some(format!(
        "Extra data: line {line} column {column} - line {last_line} column {last_column} (char {end} - {})",
        chars.len()
    ))
}

fn line_column(text: &[char], at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.iter().filter(|c| **c == '\n').count() + 1;
    let column = before.iter().rposition(|c| *c == '\n').map_or(at + 1, |last| at - last);
    (line, column)
}

fn place(text: &[char], at: usize) -> String {
    let (line, column) = line_column(text, at);
    format!("line {line} column {column} (char {at})")
}

/// Deeper documents end in a message of their own instead of a full stack.
const MAX_DEPTH: usize = 200;

struct Scan<'a> {
    text: &'a [char],
    depth: usize,
}

type Scanned = Result<usize, (String, usize)>;

fn wrong(message: &str, at: usize) -> Scanned {
    Err((message.to_owned(), at))
}

impl Scan<'_> {
    fn at(&self, i: usize) -> Option<char> {
        self.text.get(i).copied()
    }

    fn space(&self, mut i: usize) -> usize {
        while matches!(self.at(i), Some(' ' | '\t' | '\n' | '\r')) {
            i += 1;
        }
        i
    }

    /// The end of the value that begins here.
    fn value(&mut self, i: usize) -> Scanned {
        match self.at(i) {
            Some('"') => self.string(i),
            Some(open @ ('{' | '[')) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return wrong("Document nests too deep", i);
                }
                let end = if open == '{' { self.object(i + 1) } else { self.array(i + 1) };
                self.depth -= 1;
                end
            }
            Some('-' | '0'..='9') => self.number(i),
            _ => {
                let words = ["null", "true", "false", "NaN", "Infinity"];
                let found =
                    words.iter().find(|w| w.chars().enumerate().all(|(k, c)| self.at(i + k) == Some(c)));
                found.map_or_else(|| wrong("Expecting value", i), |w| Ok(i + w.len()))
            }
        }
    }

    fn digits(&self, mut i: usize) -> usize {
        while matches!(self.at(i), Some('0'..='9')) {
            i += 1;
        }
        i
    }

    fn number(&self, start: usize) -> Scanned {
        let first = if self.at(start) == Some('-') { start + 1 } else { start };
        let mut end = match self.at(first) {
            Some('0') => first + 1,
            Some('1'..='9') => self.digits(first),
            Some('I') if "Infinity".chars().enumerate().all(|(k, c)| self.at(first + k) == Some(c)) => {
                return Ok(first + 8);
            }
            _ => return wrong("Expecting value", start),
        };
        if self.at(end) == Some('.') && self.digits(end + 1) > end + 1 {
            end = self.digits(end + 1);
        }
        if matches!(self.at(end), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.at(end + 1), Some('+' | '-')));
            if self.digits(end + 1 + sign) > end + 1 + sign {
                end = self.digits(end + 1 + sign);
            }
        }
        Ok(end)
    }

    fn string(&self, start: usize) -> Scanned {
        let mut i = start + 1;
        loop {
            match self.at(i) {
                None => return wrong("Unterminated string starting at", start),
                Some('"') => return Ok(i + 1),
                Some('\\') => match self.at(i + 1) {
                    None => return wrong("Unterminated string starting at", start),
                    Some('u') => {
                        if !(2..6).all(|k| self.at(i + k).is_some_and(|c| c.is_ascii_hexdigit())) {
                            return wrong("Invalid \\uXXXX escape sequence", i);
                        }
                        i += 6;
                    }
                    Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => i += 2,
                    Some(c) => return Err((format!("Invalid \\X escape sequence '{c}'"), i + 1)),
                },
                Some(c) if (c as u32) < 0x20 => {
                    let shown = match c {
                        '\n' => "\\n".to_owned(),
                        '\r' => "\\r".to_owned(),
                        '\t' => "\\t".to_owned(),
                        c => format!("\\x{:02x}", c as u32),
                    };
                    return Err((format!("Invalid control character '{shown}' at"), i));
                }
                Some(_) => i += 1,
            }
        }
    }

    fn object(&mut self, start: usize) -> Scanned {
        let mut i = self.space(start);
        if self.at(i) == Some('}') {
            return Ok(i + 1);
        }
        if self.at(i) != Some('"') {
            return wrong("Expecting property name enclosed in double quotes or '}'", i);
        }
        loop {
            i = self.space(self.string(i)?);
            if self.at(i) != Some(':') {
                return wrong("Expecting ':' delimiter", i);
            }
            let value = self.space(i + 1);
            let end = self.value(value)?;
            i = self.space(end);
            match self.at(i) {
                Some('}') => return Ok(i + 1),
                Some(',') => {
                    let comma = i;
                    i = self.space(i + 1);
                    match self.at(i) {
                        Some('"') => {}
                        Some('}') => return wrong("Illegal trailing comma before end of object", comma),
                        _ => return wrong("Expecting property name enclosed in double quotes", i),
                    }
                }
                _ => return wrong("Expecting ',' delimiter or '}'", i),
            }
        }
    }

    fn array(&mut self, start: usize) -> Scanned {
        let mut i = self.space(start);
        match self.at(i) {
            Some(']') => return Ok(i + 1),
            None => return wrong("Expecting value or ']'", i),
            Some(_) => {}
        }
        loop {
            let end = self.value(i)?;
            i = self.space(end);
            match self.at(i) {
                Some(']') => return Ok(i + 1),
                Some(',') => {
                    let comma = i;
                    i = self.space(i + 1);
                    if self.at(i) == Some(']') {
                        return wrong("Illegal trailing comma before end of array", comma);
                    }
                }
                _ => return wrong("Expecting ',' delimiter or ']'", i),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Said by simplejson 3.
    #[test]
    fn messages() {
        for (text, want) in [
            ("{bad", "Expecting property name enclosed in double quotes or '}': line 1 column 2 (char 1)"),
            ("", "Expecting value: line 1 column 1 (char 0)"),
            ("{\"a\"", "Expecting ':' delimiter: line 1 column 5 (char 4)"),
            ("{\"a\":1 x", "Expecting ',' delimiter or '}': line 1 column 8 (char 7)"),
            ("{\"a\":1,}", "Illegal trailing comma before end of object: line 1 column 7 (char 6)"),
            ("[1,", "Expecting value: line 1 column 4 (char 3)"),
            ("[1 2]", "Expecting ',' delimiter or ']': line 1 column 4 (char 3)"),
            ("{\"a\":1} x", "Extra data: line 1 column 9 - line 1 column 10 (char 8 - 9)"),
            ("\"abc", "Unterminated string starting at: line 1 column 1 (char 0)"),
            ("\"a\\x\"", "Invalid \\X escape sequence 'x': line 1 column 4 (char 3)"),
            ("{\"a\":\n tru}", "Expecting value: line 2 column 2 (char 7)"),
        ] {
            assert_eq!(json_error(text).as_deref(), Some(want), "{text}");
        }
        for text in ["{}", " [1.5e3, -0, \"\\u00e9\", null, {\"a\": [true]}] "] {
            assert_eq!(json_error(text), None);
        }
        assert!(json_error(&"[".repeat(100_000)).is_some());
    }
}
