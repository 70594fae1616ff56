//! Text to tokens: indentation, indicators and keys (`yaml.scanner`).

use std::collections::{BTreeMap, VecDeque};

use super::{
    error::{ErrorKind, Mark, Problem, YamlError},
    token::{Directive, Kind, Token},
};
use crate::python;

/// A key that has no colon after so many characters is none.
const KEY_LENGTH: usize = 1024;
/// Brackets within brackets, and indentation within indentation.
pub(super) const MAX_DEPTH: usize = 200;

pub(super) type Scanned<T = ()> = Result<T, YamlError>;

/// A token that may turn out to be a key when a colon follows.
#[derive(Debug, Clone, Copy)]
struct PossibleKey {
    /// Number of the token among all.
    number: usize,
    /// The text makes no sense if it is none.
    required: bool,
    mark: Mark,
}

pub(super) struct Scanner {
    pub(super) text: Vec<char>,
    pub(super) mark: Mark,
    pub(super) flow_level: usize,
    pub(super) indent: isize,
    pub(super) allow_simple_key: bool,
    indents: Vec<isize>,
    tokens: VecDeque<Token>,
    taken: usize,
    keys: BTreeMap<usize, PossibleKey>,
    done: bool,
}

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
/// A line break or the end.
pub(super) fn ends_line(c: char) -> bool {
    c == '\0' || is_break(c)
}
/// What separates tokens: a space, a line break or the end.
pub(super) fn is_space(c: char) -> bool {
    c == ' ' || ends_line(c)
}
/// The same with tabs.
pub(super) fn is_white(c: char) -> bool {
    c == '\t' || is_space(c)
}
/// What names of anchors, handles and directives consist of.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}
/// `repr()` of a character.
pub(super) fn char_repr(c: char) -> String {
    // the end of the text is a character for PyYAML
    python::str_repr(c.encode_utf8(&mut [0; 4]))
}

impl Scanner {
    /// Fails for characters that no document may hold (`yaml.reader`).
    pub fn new(text: &str) -> Scanned<Self> {
        let printable = |c: char| {
            matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
                || c >= '\u{10000}'
        };
        let text: Vec<char> = text.chars().collect();
        if let Some(at) = text.iter().position(|c| !printable(*c)) {
            let code = text.get(at).map_or(0, |c| *c as u32);
            let text = format!(
                "unacceptable character #x{code:04x}: special characters are not allowed\n  \
                 in \"<unicode string>\", position {at}"
            );
            return Err(YamlError { kind: ErrorKind::Reader, text });
        }
        let start = Token { kind: Kind::StreamStart, start: Mark::default() };
        Ok(Self {
            text,
            mark: Mark::default(),
            flow_level: 0,
            indent: -1,
            allow_simple_key: true,
            indents: Vec::new(),
            tokens: VecDeque::from([start]),
            taken: 0,
            keys: BTreeMap::new(),
            done: false,
        })
    }

    /// The next token; it stays.
    pub fn peek(&mut self) -> Scanned<&Token> {
        while self.need_more()? {
            self.fetch()?;
        }
        static END: Token = Token { kind: Kind::StreamEnd, start: Mark { index: 0, line: 0, column: 0 } };
        Ok(self.tokens.front().unwrap_or(&END))
    }

    /// Takes the next token.
    pub fn next(&mut self) -> Scanned<Token> {
        let token = self.peek()?.clone();
        self.tokens.pop_front();
        self.taken += 1;
        Ok(token)
    }

    fn need_more(&mut self) -> Scanned<bool> {
        if self.done {
            return Ok(false);
        }
        if self.tokens.is_empty() {
            return Ok(true);
        }
        // the next token may still become a key
        self.drop_stale_keys()?;
        Ok(self.keys.values().map(|k| k.number).min() == Some(self.taken))
    }

    pub(super) fn at(&self, ahead: usize) -> char {
        self.text.get(self.mark.index + ahead).copied().unwrap_or('\0')
    }

    pub(super) fn forward(&mut self, count: usize) {
        for _ in 0..count {
            let Some(c) = self.text.get(self.mark.index).copied() else { return };
            self.mark.index += 1;
            if is_break(c) && !(c == '\r' && self.at(0) == '\n') {
                self.mark.line += 1;
                self.mark.column = 0;
            } else if c != '\u{feff}' {
                self.mark.column += 1;
            }
        }
    }

    /// Takes so many characters.
    pub(super) fn take(&mut self, count: usize) -> String {
        let text = self.text.iter().skip(self.mark.index).take(count).collect();
        self.forward(count);
        text
    }

    /// How many characters from here on are of a kind.
    pub(super) fn run(&self, from: usize, belongs: impl Fn(char) -> bool) -> usize {
        (from..).take_while(|i| belongs(self.at(*i))).count()
    }

    pub(super) fn wrong<T>(&self, context: Option<(&str, Mark)>, problem: &str) -> Scanned<T> {
        let context = context.map(|(text, since)| (text, Some(since)));
        let problem = Problem { kind: ErrorKind::Scanner, context, problem, at: Some(self.mark) };
        Err(problem.error(&self.text))
    }

    fn column(&self) -> isize {
        isize::try_from(self.mark.column).unwrap_or(isize::MAX)
    }

    fn push(&mut self, kind: Kind, start: Mark) {
        self.tokens.push_back(Token { kind, start });
    }

    fn fetch(&mut self) -> Scanned {
        self.skip_to_next_token();
        self.drop_stale_keys()?;
        self.unwind(self.column());
        let c = self.at(0);
        let white_follows = is_white(self.at(1));
        let in_flow = self.flow_level > 0;
        match c {
            '\0' if self.mark.index >= self.text.len() => return self.stream_end(),
            '%' if self.mark.column == 0 => return self.directive(),
            '-' if self.is_document_mark('-') => return self.document_mark(Kind::DocumentStart),
            '.' if self.is_document_mark('.') => return self.document_mark(Kind::DocumentEnd),
            '[' => return self.flow_start(Kind::FlowSequenceStart),
            '{' => return self.flow_start(Kind::FlowMappingStart),
            ']' => return self.flow_end(Kind::FlowSequenceEnd),
            '}' => return self.flow_end(Kind::FlowMappingEnd),
            ',' => {
                self.allow_simple_key = true;
                return self.single(Kind::FlowEntry);
            }
            '-' if white_follows => return self.block_entry(),
            '?' if in_flow || white_follows => return self.key(),
            ':' if in_flow || white_follows => return self.value(),
            _ => {}
        }
        if !in_flow && matches!(c, '|' | '>') {
            self.allow_simple_key = true;
            self.remove_key()?;
            let token = self.block_scalar(c == '>')?;
            self.tokens.push_back(token);
            return Ok(());
        }
        let starts_plain = !is_white(c) && !"-?:,[]{}#&*!|>'\"%@`".contains(c)
            || !white_follows && (c == '-' || !in_flow && (c == '?' || c == ':'));
        if !starts_plain && !matches!(c, '*' | '&' | '!' | '\'' | '"') {
            let found = format!("found character {} that cannot start any token", char_repr(c));
            return self.wrong_next(&found);
        }
        // what follows may be a key, and nothing directly after it
        self.save_key()?;
        self.allow_simple_key = false;
        let token = match c {
            '*' | '&' => self.anchor()?,
            '!' => self.tag()?,
            '\'' | '"' => self.quoted(c == '"')?,
            _ => self.plain()?,
        };
        self.tokens.push_back(token);
        Ok(())
    }

    /// The one problem that is told without the place where it began.
    fn wrong_next<T>(&self, problem: &str) -> Scanned<T> {
        let context = Some(("while scanning for the next token", None));
        let problem = Problem { kind: ErrorKind::Scanner, context, problem, at: Some(self.mark) };
        Err(problem.error(&self.text))
    }

    fn skip_to_next_token(&mut self) {
        if self.mark.index == 0 && self.at(0) == '\u{feff}' {
            self.forward(1);
        }
        loop {
            self.forward(self.run(0, |c| c == ' '));
            if self.at(0) == '#' {
                self.forward(self.run(0, |c| !ends_line(c)));
            }
            if self.line_break().is_none() {
                return;
            }
            if self.flow_level == 0 {
                self.allow_simple_key = true;
            }
        }
    }

    /// Takes a line break: `\n` for all of ASCII's, itself otherwise.
    pub(super) fn line_break(&mut self) -> Option<char> {
        let c = self.at(0);
        if !is_break(c) {
            return None;
        }
        self.forward(if c == '\r' && self.at(1) == '\n' { 2 } else { 1 });
        Some(if matches!(c, '\u{2028}' | '\u{2029}') { c } else { '\n' })
    }

    fn drop_stale_keys(&mut self) -> Scanned {
        let (line, index) = (self.mark.line, self.mark.index);
        let stale = |k: &PossibleKey| k.mark.line != line || index - k.mark.index > KEY_LENGTH;
        if let Some(key) = self.keys.values().find(|k| k.required && stale(k)).copied() {
            return self
                .wrong(Some(("while scanning a simple key", key.mark)), "could not find expected ':'");
        }
        self.keys.retain(|_, k| !stale(k));
        Ok(())
    }

    fn save_key(&mut self) -> Scanned {
        let required = self.flow_level == 0 && self.indent == self.column();
        if self.allow_simple_key {
            self.remove_key()?;
            let number = self.taken + self.tokens.len();
            self.keys.insert(self.flow_level, PossibleKey { number, required, mark: self.mark });
        }
        Ok(())
    }

    fn remove_key(&mut self) -> Scanned {
        match self.keys.remove(&self.flow_level) {
            Some(key) if key.required => {
                self.wrong(Some(("while scanning a simple key", key.mark)), "could not find expected ':'")
            }
            _ => Ok(()),
        }
    }

    fn unwind(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.indent = self.indents.pop().unwrap_or(-1);
            self.push(Kind::BlockEnd, self.mark);
        }
    }

    fn add_indent(&mut self, column: isize) -> Scanned<bool> {
        if self.indent >= column {
            return Ok(false);
        }
        self.check_depth(self.indents.len())?;
        self.indents.push(self.indent);
        self.indent = column;
        Ok(true)
    }

    fn check_depth(&self, depth: usize) -> Scanned {
        if depth < MAX_DEPTH {
            return Ok(());
        }
        Err(YamlError {
            kind: ErrorKind::Limit,
            text: format!("the document nests deeper than {MAX_DEPTH} levels"),
        })
    }

    fn stream_end(&mut self) -> Scanned {
        self.unwind(-1);
        self.remove_key()?;
        self.allow_simple_key = false;
        self.keys.clear();
        self.push(Kind::StreamEnd, self.mark);
        self.done = true;
        Ok(())
    }

    /// A token of one character.
    fn single(&mut self, kind: Kind) -> Scanned {
        self.remove_key()?;
        let start = self.mark;
        self.forward(1);
        self.push(kind, start);
        Ok(())
    }

    fn is_document_mark(&self, c: char) -> bool {
        self.mark.column == 0 && (0..3).all(|i| self.at(i) == c) && is_white(self.at(3))
    }

    /// `---` or `...` here, whatever the column.
    pub(super) fn at_separator(&self) -> bool {
        ['-', '.'].iter().any(|c| (0..3).all(|i| self.at(i) == *c)) && is_white(self.at(3))
    }

    fn document_mark(&mut self, kind: Kind) -> Scanned {
        self.unwind(-1);
        self.remove_key()?;
        self.allow_simple_key = false;
        let start = self.mark;
        self.forward(3);
        self.push(kind, start);
        Ok(())
    }

    fn flow_start(&mut self, kind: Kind) -> Scanned {
        self.save_key()?;
        self.check_depth(self.flow_level)?;
        self.flow_level += 1;
        self.allow_simple_key = true;
        let start = self.mark;
        self.forward(1);
        self.push(kind, start);
        Ok(())
    }

    fn flow_end(&mut self, kind: Kind) -> Scanned {
        self.remove_key()?;
        self.flow_level = self.flow_level.saturating_sub(1);
        self.allow_simple_key = false;
        self.single_unkeyed(kind);
        Ok(())
    }

    fn single_unkeyed(&mut self, kind: Kind) {
        let start = self.mark;
        self.forward(1);
        self.push(kind, start);
    }

    fn block_entry(&mut self) -> Scanned {
        if self.flow_level == 0 {
            if !self.allow_simple_key {
                return self.wrong(None, "sequence entries are not allowed here");
            }
            if self.add_indent(self.column())? {
                self.push(Kind::BlockSequenceStart, self.mark);
            }
        }
        self.allow_simple_key = true;
        self.single(Kind::BlockEntry)
    }

    fn key(&mut self) -> Scanned {
        if self.flow_level == 0 {
            if !self.allow_simple_key {
                return self.wrong(None, "mapping keys are not allowed here");
            }
            if self.add_indent(self.column())? {
                self.push(Kind::BlockMappingStart, self.mark);
            }
        }
        self.allow_simple_key = self.flow_level == 0;
        self.single(Kind::Key)
    }

    fn value(&mut self) -> Scanned {
        if let Some(key) = self.keys.remove(&self.flow_level) {
            let at = key.number - self.taken;
            self.tokens.insert(at, Token { kind: Kind::Key, start: key.mark });
            let column = isize::try_from(key.mark.column).unwrap_or(isize::MAX);
            if self.flow_level == 0 && self.add_indent(column)? {
                self.tokens.insert(at, Token { kind: Kind::BlockMappingStart, start: key.mark });
            }
            self.allow_simple_key = false;
            self.single_unkeyed(Kind::Value);
            return Ok(());
        }
        if self.flow_level == 0 {
            if !self.allow_simple_key {
                return self.wrong(None, "mapping values are not allowed here");
            }
            if self.add_indent(self.column())? {
                self.push(Kind::BlockMappingStart, self.mark);
            }
        }
        self.allow_simple_key = self.flow_level == 0;
        self.single(Kind::Value)
    }

    fn anchor(&mut self) -> Scanned<Token> {
        let start = self.mark;
        let alias = self.at(0) == '*';
        let context = if alias { "while scanning an alias" } else { "while scanning an anchor" };
        self.forward(1);
        let length = self.run(0, is_word);
        let name = self.take(length);
        let c = self.at(0);
        if length == 0 || !(is_white(c) || "?:,]}%@`".contains(c)) {
            let problem = format!("expected alphabetic or numeric character, but found {}", char_repr(c));
            return self.wrong(Some((context, start)), &problem);
        }
        Ok(Token { kind: if alias { Kind::Alias(name) } else { Kind::Anchor(name) }, start })
    }

    fn directive(&mut self) -> Scanned {
        self.unwind(-1);
        self.remove_key()?;
        self.allow_simple_key = false;
        let start = self.mark;
        let since = Some(("while scanning a directive", start));
        self.forward(1);
        let length = self.run(0, is_word);
        let name = self.take(length);
        if length == 0 || !is_space(self.at(0)) {
            let found = char_repr(self.at(0));
            return self
                .wrong(since, &format!("expected alphabetic or numeric character, but found {found}"));
        }
        let directive = match name.as_str() {
            "YAML" => self.yaml_directive(start)?,
            "TAG" => self.tag_directive(start)?,
            _ => {
                self.forward(self.run(0, |c| !ends_line(c)));
                Directive::Other
            }
        };
        self.ignored_line(("while scanning a directive", start))?;
        self.push(Kind::Directive(directive), start);
        Ok(())
    }

    fn yaml_directive(&mut self, start: Mark) -> Scanned<Directive> {
        let since = Some(("while scanning a directive", start));
        self.forward(self.run(0, |c| c == ' '));
        let major = self.directive_number(start)?;
        if self.at(0) != '.' {
            return self
                .wrong(since, &format!("expected a digit or '.', but found {}", char_repr(self.at(0))));
        }
        self.forward(1);
        self.directive_number(start)?;
        if !is_space(self.at(0)) {
            return self
                .wrong(since, &format!("expected a digit or ' ', but found {}", char_repr(self.at(0))));
        }
        Ok(Directive::Yaml(major))
    }

    fn directive_number(&mut self, start: Mark) -> Scanned<u64> {
        let length = self.run(0, |c| c.is_ascii_digit());
        if length == 0 {
            let problem = format!("expected a digit, but found {}", char_repr(self.at(0)));
            return self.wrong(Some(("while scanning a directive", start)), &problem);
        }
        Ok(self.take(length).parse().unwrap_or(u64::MAX))
    }

    fn tag_directive(&mut self, start: Mark) -> Scanned<Directive> {
        let since = Some(("while scanning a directive", start));
        self.forward(self.run(0, |c| c == ' '));
        let handle = self.tag_handle("directive", start)?;
        if self.at(0) != ' ' {
            return self.wrong(since, &format!("expected ' ', but found {}", char_repr(self.at(0))));
        }
        self.forward(self.run(0, |c| c == ' '));
        let prefix = self.tag_uri("directive", start)?;
        if !is_space(self.at(0)) {
            return self.wrong(since, &format!("expected ' ', but found {}", char_repr(self.at(0))));
        }
        Ok(Directive::Tag(handle, prefix))
    }

    /// Spaces, a comment and the end of the line.
    pub(super) fn ignored_line(&mut self, since: (&str, Mark)) -> Scanned {
        self.forward(self.run(0, |c| c == ' '));
        if self.at(0) == '#' {
            self.forward(self.run(0, |c| !ends_line(c)));
        }
        let c = self.at(0);
        if !ends_line(c) {
            let problem = format!("expected a comment or a line break, but found {}", char_repr(c));
            return self.wrong(Some(since), &problem);
        }
        self.line_break();
        Ok(())
    }
}
