//! What is wrong with a document, in PyYAML's words.

use std::fmt::Write as _;

/// Who complains: Superset answers differently about each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// `yaml.reader.ReaderError`: characters that no document may hold.
    Reader,
    /// `yaml.scanner.ScannerError`.
    Scanner,
    /// `yaml.parser.ParserError`.
    Parser,
    /// `yaml.composer.ComposerError`: anchors and aliases.
    Composer,
    /// `yaml.constructor.ConstructorError`: tags, keys, and values that are none.
    Constructor,
    /// Larger or deeper than what is read here.
    Limit,
}

/// An error with the text that PyYAML has for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct YamlError {
    /// Who complains.
    pub kind: ErrorKind,
    /// `str()` of the exception.
    pub text: String,
}

/// A place in the text: index of the character, line and column from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    pub index: usize,
    pub line: usize,
    pub column: usize,
}

/// `MarkedYAMLError`: what was being done since where, and what is wrong where.
pub(super) struct Problem<'a> {
    pub kind: ErrorKind,
    pub context: Option<(&'a str, Option<Mark>)>,
    pub problem: &'a str,
    pub at: Option<Mark>,
}

impl Problem<'_> {
    pub fn error(&self, text: &[char]) -> YamlError {
        let mut lines: Vec<String> = Vec::new();
        if let Some((context, since)) = self.context {
            lines.push(context.to_owned());
            if let Some(since) = since
                && self.at.is_none_or(|at| (at.line, at.column) != (since.line, since.column))
            {
                lines.push(place(text, since));
            }
        }
        lines.push(self.problem.to_owned());
        lines.extend(self.at.map(|at| place(text, at)));
        YamlError { kind: self.kind, text: lines.join("\n") }
    }
}

const BREAKS: &[char] = &['\0', '\r', '\n', '\u{85}', '\u{2028}', '\u{2029}'];

/// `Mark.__str__`: the line around the place with a pointer under it.
fn place(text: &[char], mark: Mark) -> String {
    let at = |i: usize| text.get(i).copied().unwrap_or('\0');
    // half of 75 characters on each side
    let (mut start, mut head) = (mark.index, "");
    while start > 0 && !BREAKS.contains(&at(start - 1)) {
        start -= 1;
        if mark.index - start > 36 {
            head = " ... ";
            start += 5;
            break;
        }
    }
    let (mut end, mut tail) = (mark.index, "");
    while end < text.len() && !BREAKS.contains(&at(end)) {
        end += 1;
        if end - mark.index > 36 {
            tail = " ... ";
            end -= 5;
            break;
        }
    }
    let snippet: String = text.get(start..end).unwrap_or_default().iter().collect();
    let mut out = format!("  in \"<unicode string>\", line {}, column {}:\n", mark.line + 1, mark.column + 1);
    let pointer = 4 + (mark.index - start.min(mark.index)) + head.len();
    let _ = write!(out, "    {head}{snippet}{tail}\n{}^", " ".repeat(pointer));
    out
}
