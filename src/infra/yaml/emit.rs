//! `yaml.safe_dump(value, sort_keys=False)`: block style, indentation of 2, lines folded at column 80, ASCII only
//! (`yaml.emitter`, `yaml.representer`).

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    scalar::{Tag, resolve},
    value::{Key, Yaml},
};
use crate::python;

/// Beyond this column a line is folded at the next space.
const WIDTH: usize = 80;
/// A key that is longer, its tag counted, is written after a `?`.
const SIMPLE_KEY: usize = 128;

/// The document with a line break at its end.
pub fn dump(value: &Yaml) -> String {
    let mut emitter = Emitter { whitespace: true, indention: true, ..Emitter::default() };
    emitter.node(value, Place::default());
    emitter.write_indent();
    if emitter.open_ended {
        emitter.out.push_str("...\n");
    }
    emitter.out
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    mapping: bool,
    simple_key: bool,
}

#[derive(Default)]
struct Emitter {
    out: String,
    indent: Option<usize>,
    column: usize,
    /// The last character was white.
    whitespace: bool,
    /// Only indentation and indicators stand in the line.
    indention: bool,
    /// A plain scalar is the whole document.
    open_ended: bool,
}

/// A scalar on its way out.
struct Scalar<'a> {
    text: std::borrow::Cow<'a, str>,
    /// What its tag takes in the length of a key: `!!str`.
    tag: &'static str,
    is_text: bool,
}

fn scalar(value: &Yaml) -> Option<Scalar<'_>> {
    let made = |text: String, tag| Some(Scalar { text: text.into(), tag, is_text: false });
    match value {
        Yaml::Text(text) => Some(Scalar { text: text.as_str().into(), tag: "!!str", is_text: true }),
        Yaml::Null => made("null".into(), "!!null"),
        Yaml::Bool(b) => made(b.to_string(), "!!bool"),
        Yaml::Int(i) => made(i.to_string(), "!!int"),
        Yaml::Big(digits) => made(digits.clone(), "!!int"),
        Yaml::Float(f) => made(float(*f), "!!float"),
        Yaml::Date(d) => made(d.format("%Y-%m-%d").to_string(), "!!timestamp"),
        Yaml::Time(t) => {
            made(t.format(micros(t.and_utc().timestamp_subsec_micros(), "")).to_string(), "!!timestamp")
        }
        Yaml::Instant(t) => {
            made(t.format(micros(t.timestamp_subsec_micros(), "%:z")).to_string(), "!!timestamp")
        }
        Yaml::Bytes(bytes) => made(STANDARD.encode(bytes), "!!binary"),
        Yaml::Set(_) | Yaml::List(_) | Yaml::Map(_) => None,
    }
}

/// `isoformat(' ')`.
fn micros(micros: u32, zone: &str) -> &'static str {
    match (micros == 0, zone.is_empty()) {
        (true, true) => "%Y-%m-%d %H:%M:%S",
        (false, true) => "%Y-%m-%d %H:%M:%S%.6f",
        (true, false) => "%Y-%m-%d %H:%M:%S%:z",
        (false, false) => "%Y-%m-%d %H:%M:%S%.6f%:z",
    }
}

fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let text = python::float_repr(value).to_lowercase();
    // without a point it would be a text
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}

fn key(key: &Key) -> Yaml {
    match key {
        Key::Text(text) | Key::Other(text) => Yaml::Text(text.clone()),
        Key::Null => Yaml::Null,
        Key::Bool(b) => Yaml::Bool(*b),
        Key::Int(digits) => digits.parse().map_or_else(|_| Yaml::Big(digits.clone()), Yaml::Int),
        Key::Float(text) => text.parse().map_or(Yaml::Null, Yaml::Float),
    }
}

impl Emitter {
    fn node(&mut self, value: &Yaml, place: Place) {
        match value {
            Yaml::List(items) if items.is_empty() => self.empty('[', ']'),
            Yaml::List(items) => self.sequence(items, place),
            Yaml::Map(map) if map.is_empty() => self.empty('{', '}'),
            Yaml::Map(map) => self.mapping(map.iter()),
            Yaml::Set(keys) => {
                self.indicator("!!set", true, false, false);
                if keys.is_empty() {
                    self.empty('{', '}');
                } else {
                    self.mapping(keys.iter().map(|k| (k, &Yaml::Null)));
                }
            }
            other => {
                let Some(scalar) = scalar(other) else { return };
                let outer = self.indent;
                self.indent = Some(outer.map_or(2, |i| i + 2));
                self.scalar(&scalar, place, outer.is_none());
                self.indent = outer;
            }
        }
    }

    fn empty(&mut self, open: char, close: char) {
        self.indicator(open.encode_utf8(&mut [0; 4]), true, true, false);
        self.indicator(close.encode_utf8(&mut [0; 4]), false, false, false);
    }

    fn sequence(&mut self, items: &[Yaml], place: Place) {
        let outer = self.indent;
        // a list under a key is not indented further
        let indentless = place.mapping && !self.indention;
        self.indent = Some(outer.map_or(0, |i| if indentless { i } else { i + 2 }));
        for item in items {
            self.write_indent();
            self.indicator("-", true, false, true);
            self.node(item, Place::default());
        }
        self.indent = outer;
    }

    fn mapping<'a>(&mut self, entries: impl Iterator<Item = (&'a Key, &'a Yaml)>) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(0, |i| i + 2));
        for (name, value) in entries {
            self.write_indent();
            let name = key(name);
            if is_simple(&name) {
                self.node(&name, Place { mapping: true, simple_key: true });
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.node(&name, Place { mapping: true, simple_key: false });
                self.write_indent();
                self.indicator(":", true, false, true);
            }
            self.node(value, Place { mapping: true, simple_key: false });
        }
        self.indent = outer;
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, place: Place, root: bool) {
        let chars: Vec<char> = scalar.text.chars().collect();
        let allowed = Allowed::analyze(&chars);
        let is_plain_text = scalar.is_text && resolve(&scalar.text) == Tag::Str;
        let plain = (is_plain_text || !scalar.is_text && scalar.tag != "!!binary")
            && allowed.plain
            && !(place.simple_key && (chars.is_empty() || allowed.multiline));
        if !scalar.is_text && !plain {
            self.indicator(scalar.tag, true, false, false);
        }
        let split = !place.simple_key;
        if plain {
            self.open_ended |= root;
            self.plain(&chars, split);
        } else if allowed.single_quoted && !(place.simple_key && allowed.multiline) {
            self.single_quoted(&chars, split);
        } else {
            self.double_quoted(&chars, split);
        }
    }

    fn indicator(&mut self, text: &str, need_whitespace: bool, whitespace: bool, indention: bool) {
        if need_whitespace && !self.whitespace {
            self.write(" ");
        }
        self.write(text);
        self.whitespace = whitespace;
        self.indention = self.indention && indention;
        self.open_ended = false;
    }

    fn write(&mut self, ascii: &str) {
        self.out.push_str(ascii);
        self.column += ascii.len();
    }

    fn write_chars(&mut self, chars: &[char]) {
        self.out.extend(chars);
        self.column += chars.len();
    }

    fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break('\n');
        }
        if self.column < indent {
            self.whitespace = true;
            let missing = indent - self.column;
            self.out.extend(std::iter::repeat_n(' ', missing));
            self.column = indent;
        }
    }

    fn line_break(&mut self, with: char) {
        self.whitespace = true;
        self.indention = true;
        self.column = 0;
        self.out.push(with);
    }

    /// A folded line goes on: what stands before it is no indentation.
    fn fold(&mut self) {
        self.write_indent();
        self.whitespace = false;
        self.indention = false;
    }

    /// Plain scalars of several lines are never written, so only spaces matter.
    fn plain(&mut self, text: &[char], split: bool) {
        if text.is_empty() {
            return;
        }
        if !self.whitespace {
            self.write(" ");
        }
        self.whitespace = false;
        self.indention = false;
        let mut start = 0;
        while start < text.len() {
            let is_space = text.get(start) == Some(&' ');
            let end = run(text, start, |c| (c == ' ') == is_space);
            if is_space && end == start + 1 && self.column > WIDTH && split {
                self.fold();
            } else {
                self.write_chars(text.get(start..end).unwrap_or_default());
            }
            start = end;
        }
    }

    fn single_quoted(&mut self, text: &[char], split: bool) {
        self.indicator("'", true, false, false);
        let mut start = 0;
        while let Some(first) = text.get(start).copied() {
            let end = match first {
                ' ' => run(text, start, |c| c == ' '),
                c if is_break(c) => run(text, start, is_break),
                '\'' => start + 1,
                _ => run(text, start, |c| c != ' ' && c != '\'' && !is_break(c)),
            };
            let piece = text.get(start..end).unwrap_or_default();
            match first {
                ' ' if end == start + 1
                    && self.column > WIDTH
                    && split
                    && start != 0
                    && end != text.len() =>
                {
                    self.write_indent();
                }
                c if is_break(c) => {
                    if c == '\n' {
                        self.line_break('\n');
                    }
                    piece.iter().for_each(|b| self.line_break(*b));
                    self.write_indent();
                }
                '\'' => self.write("''"),
                _ => self.write_chars(piece),
            }
            start = end;
        }
        self.indicator("'", false, false, false);
    }

    fn double_quoted(&mut self, text: &[char], split: bool) {
        self.indicator("\"", true, false, false);
        let (mut start, mut end) = (0, 0);
        while end <= text.len() {
            let ch = text.get(end).copied();
            let is_plain = ch.is_some_and(|c| (' '..='~').contains(&c) && c != '"' && c != '\\');
            if !is_plain {
                if start < end {
                    self.write_chars(text.get(start..end).unwrap_or_default());
                    start = end;
                }
                if let Some(c) = ch {
                    self.write(&escape(c));
                    start = end + 1;
                }
            }
            // `start` passes `end` after an escape: nothing waits then
            let waiting = end.saturating_sub(start);
            let column =
                if start > end { self.column.saturating_sub(start - end) } else { self.column + waiting };
            if 0 < end && end + 1 < text.len() && (ch == Some(' ') || start >= end) && column > WIDTH && split
            {
                if start < end {
                    self.write_chars(text.get(start..end).unwrap_or_default());
                    start = end;
                }
                self.write("\\");
                self.write_indent();
                self.whitespace = false;
                self.indention = false;
                if text.get(start) == Some(&' ') {
                    self.write("\\");
                }
            }
            end += 1;
        }
        self.indicator("\"", false, false, false);
    }
}

/// A key that fits before its colon.
fn is_simple(key: &Yaml) -> bool {
    let Some(scalar) = scalar(key) else { return false };
    let length = scalar.text.chars().count() + scalar.tag.len();
    length < SIMPLE_KEY && !scalar.text.is_empty() && !scalar.text.chars().any(is_break)
}

/// The end of a run of characters.
fn run(text: &[char], start: usize, belongs: impl Fn(char) -> bool) -> usize {
    text.iter().skip(start).position(|c| !belongs(*c)).map_or(text.len(), |n| start + n)
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = c as u32;
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}

/// The styles in which a text can be written (`analyze_scalar`).
#[derive(Debug, Clone, Copy)]
struct Allowed {
    plain: bool,
    single_quoted: bool,
    multiline: bool,
}

impl Allowed {
    fn analyze(text: &[char]) -> Self {
        let (Some(first), Some(last)) = (text.first().copied(), text.last().copied()) else {
            return Self { plain: true, single_quoted: true, multiline: false };
        };
        let is_white = |c: Option<&char>| {
            c.is_none_or(|c| {
                matches!(c, '\0' | ' ' | '\t' | '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
            })
        };
        let mut indicators = text.starts_with(&['-'; 3]) || text.starts_with(&['.'; 3]);
        let (mut breaks, mut special) = (false, false);
        let (mut break_space, mut space_break) = (false, false);
        for (i, c) in text.iter().copied().enumerate() {
            let before = i.checked_sub(1).and_then(|i| text.get(i)).copied();
            let followed_by_white = is_white(text.get(i + 1));
            indicators |= match c {
                '?' | '-' => i == 0 && followed_by_white,
                ':' => followed_by_white,
                '#' => i == 0 || before.is_some_and(|b| is_white(Some(&b))),
                _ => i == 0 && ",[]{}&*!|>'\"%@`".contains(c),
            };
            breaks |= is_break(c);
            special |= c != '\n' && !(' '..='~').contains(&c);
            break_space |= c == ' ' && before.is_some_and(is_break);
            space_break |= is_break(c) && before == Some(' ');
        }
        let edge = |c: char| c == ' ' || is_break(c);
        let quotable = !space_break && !special;
        Self {
            plain: quotable && !break_space && !breaks && !indicators && !edge(first) && !edge(last),
            single_quoted: quotable && !break_space,
            multiline: breaks,
        }
    }
}
