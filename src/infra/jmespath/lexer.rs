//! From a text to tokens.

use serde_json::Value;

/// What an expression is written with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, quoted or not.
    Name(String),
    /// A number.
    Number(i64),
    /// A literal.
    Literal(Value),
    /// A sign: `.`, `[`, `[?`, `[]`, `==`, …
    Sign(&'static str),
    /// The end.
    End,
}

/// Longer ones before those that they begin with.
const SIGNS: [&str; 25] = [
    "[?", "[]", "||", "&&", "==", "!=", "<=", ">=", "[", "]", "{", "}", "(", ")", ".", "*", "|", "&", "!",
    "<", ">", "@", ",", ":", "?",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = span(rest, |c| c.is_ascii_alphanumeric() || c == '_');
                (Token::Name(part(rest, 0, length)), length)
            }
            '0'..='9' | '-' => {
                let length = 1 + span(rest.get(1..).unwrap_or_default(), |c| c.is_ascii_digit());
                let number = part(rest, 0, length).parse().map_err(|_| format!("no number at {rest:?}"))?;
                (Token::Number(number), length)
            }
            '"' => {
                let length = quoted(rest, '"')?;
                let name = serde_json::from_str(&part(rest, 0, length));
                (Token::Name(name.map_err(|e| format!("{rest:?}: {e}"))?), length)
            }
            '\'' => {
                let length = quoted(rest, '\'')?;
                let inner = part(rest, 1, length - 1).replace("\\'", "'");
                (Token::Literal(inner.into()), length)
            }
            '`' => {
                let length = quoted(rest, '`')?;
                let inner = part(rest, 1, length - 1).replace("\\`", "`");
                let value = serde_json::from_str(&inner).map_err(|e| format!("{inner:?} is no JSON: {e}"))?;
                (Token::Literal(value), length)
            }
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| format!("{first:?} means nothing"))?;
                (Token::Sign(sign), sign.len())
            }
        };
        all.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    all.push(Token::End);
    Ok(all)
}

fn span(text: &str, fits: fn(char) -> bool) -> usize {
    text.find(|c| !fits(c)).unwrap_or(text.len())
}

fn part(text: &str, from: usize, to: usize) -> String {
    text.get(from..to).unwrap_or_default().to_owned()
}

/// Bytes of a text in quotes, with them.
fn quoted(text: &str, quote: char) -> Result<usize, String> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return Ok(at + quote.len_utf8());
        }
    }
    Err(format!("{text:?} does not end"))
}
