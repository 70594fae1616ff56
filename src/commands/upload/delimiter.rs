//! What stands between the fields of a record: a text, or a pattern, as pandas takes whatever is longer than a
//! character.

use infra::Result;
use regex::Regex;

use super::options::parsing;

/// What separates fields.
#[derive(Debug, Clone)]
pub enum Delimiter {
    /// This text.
    Text(String),
    /// What this finds where it is asked; the blanks around a line are no fields.
    Pattern(Regex),
}

impl Delimiter {
    /// From what a person wrote. A pattern that stands for one text, like `\t`, is that text; so is what is no
    /// pattern, or finds nothing (`||`), though pandas takes a field for each letter then.
    pub fn named(text: &str) -> Result<Self> {
        if text.is_empty() || text.contains(['\n', '\r', '"']) {
            return Err(parsing("bad delimiter value"));
        }
        let literal = Self::Text(text.to_owned());
        if text.chars().nth(1).is_none()
            || !text.contains(['\\', '[', '(', '{', '+', '*', '?', '|', '^', '$'])
        {
            return Ok(literal);
        }
        if let Some(plain) = unescaped(text) {
            return match plain.contains(['\n', '\r', '"']) {
                true => Err(parsing("bad delimiter value")),
                false => Ok(Self::Text(plain)),
            };
        }
        let pattern = Regex::new(&format!("^(?:{text})"));
        match pattern {
            Ok(pattern) if !pattern.is_match("") => Ok(Self::Pattern(pattern)),
            _ if text.contains(['\\', '[', '(']) => {
                Err(parsing(format!("delimiter is no pattern that is understood: {text}")))
            }
            _ => Ok(literal),
        }
    }

    /// Bytes of the delimiter that a line begins with.
    pub fn at_start(&self, line: &str) -> Option<usize> {
        match self {
            Self::Text(text) => line.starts_with(text.as_str()).then_some(text.len()),
            Self::Pattern(pattern) => {
                // nothing reaches into the next line
                let window = start(line);
                let end = window.find(['\n', '\r']).unwrap_or(window.len());
                pattern.find(window.get(..end)?).map(|found| found.end()).filter(|length| *length > 0)
            }
        }
    }

    /// What is left of a text whose blanks up to here end a line, where those count for nothing: the line's end.
    pub fn at_end<'a>(&self, text: &'a str) -> Option<&'a str> {
        let blanks = start(text).len() - start(text).trim_start_matches([' ', '\t']).len();
        let behind = text.get(blanks..).filter(|_| self.strips() && blanks > 0)?;
        (behind.is_empty() || behind.starts_with(['\n', '\r'])).then_some(behind)
    }

    /// Whether the blanks around a line count for nothing.
    pub fn strips(&self) -> bool {
        matches!(self, Self::Pattern(_))
    }
}

/// Longest text of a pattern, so that looking for one at every letter of a long line takes no time.
const WINDOW: usize = 1024;

fn start(text: &str) -> &str {
    let mut end = text.len().min(WINDOW);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The text that a pattern of nothing but escaped letters and plain ones stands for.
fn unescaped(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern.chars();
    let mut escaped = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                escaped = true;
                out.push(match rest.next()? {
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    c if !c.is_alphanumeric() => c,
                    _ => return None,
                });
            }
            '[' | ']' | '(' | ')' | '{' | '}' | '+' | '*' | '?' | '|' | '^' | '$' | '.' => return None,
            c => out.push(c),
        }
    }
    escaped.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(delimiter: &str, line: &str) -> Option<usize> {
        Delimiter::named(delimiter).unwrap().at_start(line)
    }

    #[test]
    fn texts_and_patterns() {
        for (delimiter, line, length) in [
            ("\\t", "\tb", Some(1)),
            ("\\|", "|b", Some(1)),
            ("\\.", ".b", Some(1)),
            ("\\.", "b", None),
            ("::", "::b", Some(2)),
            ("||", "||b", Some(2)),
            ("**", "**b", Some(2)),
            ("|", "|b", Some(1)),
            ("[;,]", ";b", Some(1)),
            ("[;,]", "b;", None),
            ("\\s+", "  \t b", Some(4)),
            ("\\s+", "  \n b", Some(2)),
            ("\\s*;\\s*", " ; b", Some(3)),
            (";|,", ",b", Some(1)),
        ] {
            assert_eq!(split(delimiter, line), length, "{delimiter:?} {line:?}");
        }
        for wrong in ["", "\n", "\"", "\\n", "[;", "(?=a)b"] {
            assert!(Delimiter::named(wrong).is_err(), "{wrong:?}");
        }
    }
}
