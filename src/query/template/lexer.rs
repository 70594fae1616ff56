//! Splits a template into text and tokens, with Jinja's white-space control and its complaints.

use super::error::SyntaxError;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tok {
    Data(String),
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name(String),
    Int(i64),
    Float(f64),
    Str(String),
    Op(&'static str),
    Eof,
}

/// A token and its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) tok: Tok,
    pub(super) line: usize,
}

const OPERATORS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=", ".", ":", "|", ",", ";",
];

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    out: Vec<Token>,
}

/// All tokens of a template.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    // One line end at the very end of a template is not part of it.
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let mut lexer = Lexer { text, at: 0, line: 1, out: Vec::new() };
    lexer.run()?;
    let line = lexer.line;
    lexer.out.push(Token { tok: Tok::Eof, line });
    Ok(lexer.out)
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, tok: Tok) {
        self.out.push(Token { tok, line: self.line });
    }

    fn advance(&mut self, length: usize) -> &'t str {
        let piece = self.rest().get(..length).unwrap_or("");
        self.line += piece.matches('\n').count();
        self.at += piece.len();
        piece
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError { message: message.into(), line: self.line })
    }

    fn run(&mut self) -> Result<(), SyntaxError> {
        while !self.rest().is_empty() {
            let rest = self.rest();
            let start = ["{{", "{%", "{#"].iter().filter_map(|mark| rest.find(mark)).min();
            let Some(start) = start else {
                let data = self.advance(rest.len());
                self.data(data);
                return Ok(());
            };
            let mut data = self.advance(start);
            let mark = self.rest().get(..2).unwrap_or("");
            let trim = self.rest().get(2..3) == Some("-");
            if trim {
                data = data.trim_end();
            }
            self.data(data);
            match mark {
                "{#" => self.comment()?,
                "{%" if self.raw()? => {}
                "{%" => self.code(Tok::BlockBegin, Tok::BlockEnd, "%}")?,
                _ => self.code(Tok::VariableBegin, Tok::VariableEnd, "}}")?,
            }
        }
        Ok(())
    }

    fn data(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Tok::Data(text.to_owned()));
        }
    }

    fn skip_blank(&mut self) {
        let rest = self.rest();
        self.advance(rest.len() - rest.trim_start().len());
    }

    fn comment(&mut self) -> Result<(), SyntaxError> {
        let Some(end) = self.rest().find("#}") else { return self.fail("Missing end of comment tag") };
        let comment = self.advance(end + 2);
        if comment.ends_with("-#}") {
            self.skip_blank();
        }
        Ok(())
    }

    /// `{% raw %}…{% endraw %}`; true if there was one.
    fn raw(&mut self) -> Result<bool, SyntaxError> {
        fn tag<'a>(text: &'a str, name: &str) -> Option<(&'a str, bool, bool)> {
            let inner = text.strip_prefix("{%")?;
            let (left, inner) = match inner.strip_prefix('-') {
                Some(inner) => (true, inner),
                None => (false, inner.strip_prefix('+').unwrap_or(inner)),
            };
            let inner = inner.trim_start().strip_prefix(name)?.trim_start();
            match inner.strip_prefix("-%}") {
                Some(after) => Some((after, left, true)),
                None => inner.strip_prefix("%}").map(|after| (after, left, false)),
            }
        }
        let Some((after, _, trim_left)) = tag(self.rest(), "raw") else { return Ok(false) };
        self.advance(self.rest().len() - after.len());
        let body = self.rest();
        let end =
            body.match_indices("{%").find_map(|(i, _)| tag(body.get(i..)?, "endraw").map(|found| (i, found)));
        let Some((end, (after, trim_end, trim_after))) = end else {
            return self.fail("Missing end of raw directive");
        };
        let mut data = self.advance(end);
        if trim_left {
            data = data.trim_start();
        }
        if trim_end {
            data = data.trim_end();
        }
        self.data(data);
        self.advance(self.rest().len() - after.len());
        if trim_after {
            self.skip_blank();
        }
        Ok(true)
    }

    fn code(&mut self, begin: Tok, end: Tok, mark: &str) -> Result<(), SyntaxError> {
        self.push(begin);
        self.advance(2);
        if matches!(self.rest().get(..1), Some("-" | "+")) && self.rest().get(1..2) != Some("}") {
            // "{{-1}}" trims, as in the original
            self.advance(1);
        }
        let mut open: Vec<&'static str> = Vec::new();
        loop {
            self.skip_blank();
            let rest = self.rest();
            if open.is_empty() {
                let trimmed = rest.strip_prefix('-').filter(|r| r.starts_with(mark));
                if trimmed.is_some() || rest.starts_with(mark) {
                    self.push(end);
                    self.advance(2 + usize::from(trimmed.is_some()));
                    if trimmed.is_some() {
                        self.skip_blank();
                    }
                    return Ok(());
                }
            }
            let Some(first) = rest.chars().next() else {
                return Ok(());
            };
            if first.is_ascii_digit() {
                self.number()?;
            } else if first.is_alphabetic() || first == '_' {
                let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let name = self.advance(length).to_owned();
                self.push(Tok::Name(name));
            } else if matches!(first, '"' | '\'') {
                self.string(first)?;
            } else {
                let Some(op) = OPERATORS.iter().find(|op| rest.starts_with(**op)) else {
                    return self.fail(format!(
                        "unexpected char {} at {}",
                        crate::python::repr_str(&first.to_string()),
                        self.at
                    ));
                };
                match *op {
                    "(" => open.push(")"),
                    "[" => open.push("]"),
                    "{" => open.push("}"),
                    ")" | "]" | "}" => match open.pop() {
                        None => return self.fail(format!("unexpected '{op}'")),
                        Some(expected) if expected != *op => {
                            return self.fail(format!("unexpected '{op}', expected '{expected}'"));
                        }
                        Some(_) => {}
                    },
                    _ => {}
                }
                self.push(Tok::Op(op));
                self.advance(op.len());
            }
        }
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let digits = |text: &str| text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'_').count();
        let whole = digits(rest);
        let mut length = whole;
        let tail = rest.get(whole..).unwrap_or("");
        if tail.starts_with('.') && tail.get(1..2).is_some_and(|c| c.bytes().all(|b| b.is_ascii_digit())) {
            length += 1 + digits(tail.get(1..).unwrap_or(""));
        }
        let tail = rest.get(length..).unwrap_or("");
        if tail.starts_with(['e', 'E']) {
            let sign = usize::from(matches!(tail.get(1..2), Some("+" | "-")));
            let exponent = digits(tail.get(1 + sign..).unwrap_or(""));
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let text = self.advance(length).replace('_', "");
        let tok =
            if length == whole { text.parse().ok().map(Tok::Int) } else { text.parse().ok().map(Tok::Float) };
        match tok {
            Some(tok) => {
                self.push(tok);
                Ok(())
            }
            None => self.fail(format!("invalid number {text}")),
        }
    }

    fn string(&mut self, quote: char) -> Result<(), SyntaxError> {
        let mut value = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        let mut end = None;
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, c @ ('\\' | '\'' | '"'))) => value.push(c),
                    Some((_, '\n')) => {}
                    Some((_, c)) => {
                        value.push('\\');
                        value.push(c);
                    }
                    None => break,
                },
                c if c == quote => {
                    end = Some(i);
                    break;
                }
                c => value.push(c),
            }
        }
        let Some(end) = end else {
            return self.fail(format!(
                "unexpected char {} at {}",
                crate::python::repr_str(&quote.to_string()),
                self.at
            ));
        };
        self.push(Tok::Str(value));
        self.advance(end + 1);
        Ok(())
    }
}
