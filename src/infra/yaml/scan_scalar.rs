//! Text to tokens: scalars in their four styles, and tags (`yaml.scanner`).

use super::{
    error::Mark,
    scan::{Scanned, Scanner, char_repr, ends_line, is_break, is_space, is_white, is_word},
    token::{Kind, Token},
};

impl Scanner {
    pub(super) fn tag(&mut self) -> Scanned<Token> {
        let start = self.mark;
        let c = self.at(1);
        let (handle, suffix) = if c == '<' {
            self.forward(2);
            let suffix = self.tag_uri("tag", start)?;
            if self.at(0) != '>' {
                let problem = format!("expected '>', but found {}", char_repr(self.at(0)));
                return self.wrong(Some(("while parsing a tag", start)), &problem);
            }
            self.forward(1);
            (None, suffix)
        } else if is_white(c) {
            self.forward(1);
            (None, "!".to_owned())
        } else {
            let length = self.run(1, |c| !is_space(c) && c != '!');
            let handle = if self.at(1 + length) == '!' {
                self.tag_handle("tag", start)?
            } else {
                self.forward(1);
                "!".to_owned()
            };
            (Some(handle), self.tag_uri("tag", start)?)
        };
        let c = self.at(0);
        if !is_space(c) {
            let problem = format!("expected ' ', but found {}", char_repr(c));
            return self.wrong(Some(("while scanning a tag", start)), &problem);
        }
        Ok(Token { kind: Kind::Tag(handle, suffix), start })
    }

    pub(super) fn tag_handle(&mut self, name: &str, start: Mark) -> Scanned<String> {
        let context = format!("while scanning a {name}");
        let since = Some((context.as_str(), start));
        if self.at(0) != '!' {
            return self.wrong(since, &format!("expected '!', but found {}", char_repr(self.at(0))));
        }
        let mut length = 1;
        if self.at(1) != ' ' {
            length += self.run(1, is_word);
            if self.at(length) != '!' {
                self.forward(length);
                return self.wrong(since, &format!("expected '!', but found {}", char_repr(self.at(0))));
            }
            length += 1;
        }
        Ok(self.take(length))
    }

    pub(super) fn tag_uri(&mut self, name: &str, start: Mark) -> Scanned<String> {
        let belongs = |c: char| c.is_ascii_alphanumeric() || "-;/?:@&=+$,_.!~*'()[]".contains(c);
        let mut uri = String::new();
        loop {
            let length = self.run(0, belongs);
            uri.push_str(&self.take(length));
            if self.at(0) != '%' {
                break;
            }
            uri.push_str(&self.uri_escapes(name, start)?);
        }
        if uri.is_empty() {
            let context = format!("while parsing a {name}");
            return self.wrong(
                Some((&context, start)),
                &format!("expected URI, but found {}", char_repr(self.at(0))),
            );
        }
        Ok(uri)
    }

    fn uri_escapes(&mut self, name: &str, start: Mark) -> Scanned<String> {
        let context = format!("while scanning a {name}");
        let mut bytes = Vec::new();
        while self.at(0) == '%' {
            self.forward(1);
            for k in 0..2 {
                if !self.at(k).is_ascii_hexdigit() {
                    let found = char_repr(self.at(k));
                    let problem =
                        format!("expected URI escape sequence of 2 hexadecimal numbers, but found {found}");
                    return self.wrong(Some((&context, start)), &problem);
                }
            }
            bytes.push(u8::from_str_radix(&self.take(2), 16).unwrap_or_default());
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => self.wrong(Some((&context, start)), "'utf-8' codec can't decode bytes"),
        }
    }

    pub(super) fn block_scalar(&mut self, folded: bool) -> Scanned<Token> {
        let start = self.mark;
        self.forward(1);
        let (chomping, increment) = self.block_indicators(start)?;
        self.ignored_line(("while scanning a block scalar", start))?;
        let least = usize::try_from(self.indent + 1).unwrap_or(0).max(1);
        let (mut breaks, indent) = match increment {
            None => {
                let (breaks, deepest) = self.block_indentation();
                (breaks, least.max(deepest))
            }
            Some(increment) => {
                let indent = least + increment - 1;
                (self.block_breaks(indent), indent)
            }
        };
        let mut text = String::new();
        let mut line_break = None;
        while self.mark.column == indent && !self.at_end() {
            text.push_str(&breaks);
            let leading_text = !matches!(self.at(0), ' ' | '\t');
            let length = self.run(0, |c| !ends_line(c));
            text.push_str(&self.take(length));
            line_break = self.line_break();
            breaks = self.block_breaks(indent);
            if self.mark.column != indent || self.at_end() {
                break;
            }
            if folded && line_break == Some('\n') && leading_text && !matches!(self.at(0), ' ' | '\t') {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.extend(line_break);
            }
        }
        if chomping != Some(false) {
            text.extend(line_break);
        }
        if chomping == Some(true) {
            text.push_str(&breaks);
        }
        Ok(Token { kind: Kind::Scalar { text, plain: false }, start })
    }

    fn at_end(&self) -> bool {
        self.mark.index >= self.text.len()
    }

    /// What happens to the line breaks at the end, and how far the text is indented.
    fn block_indicators(&mut self, start: Mark) -> Scanned<(Option<bool>, Option<usize>)> {
        let since = Some(("while scanning a block scalar", start));
        let (mut chomping, mut increment) = (None, None);
        for _ in 0..2 {
            match self.at(0) {
                c @ ('+' | '-') if chomping.is_none() => {
                    chomping = Some(c == '+');
                    self.forward(1);
                }
                '0' if increment.is_none() => {
                    let problem = "expected indentation indicator in the range 1-9, but found 0";
                    return self.wrong(since, problem);
                }
                c @ '1'..='9' if increment.is_none() => {
                    increment = c.to_digit(10).and_then(|d| usize::try_from(d).ok());
                    self.forward(1);
                }
                _ => break,
            }
        }
        let c = self.at(0);
        if !is_space(c) {
            let problem = format!("expected chomping or indentation indicators, but found {}", char_repr(c));
            return self.wrong(since, &problem);
        }
        Ok((chomping, increment))
    }

    fn block_indentation(&mut self) -> (String, usize) {
        let (mut breaks, mut deepest) = (String::new(), 0);
        loop {
            if self.at(0) == ' ' {
                self.forward(1);
                deepest = deepest.max(self.mark.column);
            } else if let Some(c) = self.line_break() {
                breaks.push(c);
            } else {
                return (breaks, deepest);
            }
        }
    }

    fn block_breaks(&mut self, indent: usize) -> String {
        let mut breaks = String::new();
        loop {
            while self.mark.column < indent && self.at(0) == ' ' {
                self.forward(1);
            }
            match self.line_break() {
                Some(c) => breaks.push(c),
                None => return breaks,
            }
        }
    }

    pub(super) fn quoted(&mut self, double: bool) -> Scanned<Token> {
        let start = self.mark;
        let quote = self.at(0);
        self.forward(1);
        let mut text = String::new();
        self.quoted_text(double, start, &mut text)?;
        while self.at(0) != quote {
            self.quoted_spaces(start, &mut text)?;
            self.quoted_text(double, start, &mut text)?;
        }
        self.forward(1);
        Ok(Token { kind: Kind::Scalar { text, plain: false }, start })
    }

    fn quoted_text(&mut self, double: bool, start: Mark, text: &mut String) -> Scanned {
        loop {
            let length = self.run(0, |c| !is_white(c) && !matches!(c, '\'' | '"' | '\\'));
            text.push_str(&self.take(length));
            let c = self.at(0);
            if !double && c == '\'' && self.at(1) == '\'' {
                text.push('\'');
                self.forward(2);
            } else if double && c == '\'' || !double && matches!(c, '"' | '\\') {
                text.push(c);
                self.forward(1);
            } else if double && c == '\\' {
                self.forward(1);
                self.escape(start, text)?;
            } else {
                return Ok(());
            }
        }
    }

    fn escape(&mut self, start: Mark, text: &mut String) -> Scanned {
        let since = Some(("while scanning a double-quoted scalar", start));
        let c = self.at(0);
        let plain = match c {
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' | '\t' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            ' ' | '"' | '\\' | '/' => c,
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            'x' | 'u' | 'U' => return self.coded(c, start, text),
            _ if is_break(c) => {
                self.line_break();
                return self.quoted_breaks(start, text).map(drop);
            }
            _ => return self.wrong(since, &format!("found unknown escape character {}", char_repr(c))),
        };
        text.push(plain);
        self.forward(1);
        Ok(())
    }

    fn coded(&mut self, kind: char, start: Mark, text: &mut String) -> Scanned {
        let since = Some(("while scanning a double-quoted scalar", start));
        let length = match kind {
            'x' => 2,
            'u' => 4,
            _ => 8,
        };
        self.forward(1);
        for k in 0..length {
            if !self.at(k).is_ascii_hexdigit() {
                let found = char_repr(self.at(k));
                let problem =
                    format!("expected escape sequence of {length} hexadecimal numbers, but found {found}");
                return self.wrong(since, &problem);
            }
        }
        let code = self.take(length);
        let c = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
        // halves of a pair are characters in Python, but nothing that a text can hold
        let Some(c) = c else { return self.wrong(since, &format!("found no character for the code {code}")) };
        text.push(c);
        Ok(())
    }

    fn quoted_spaces(&mut self, start: Mark, text: &mut String) -> Scanned {
        let since = Some(("while scanning a quoted scalar", start));
        let length = self.run(0, |c| c == ' ' || c == '\t');
        let spaces = self.take(length);
        if self.at_end() {
            return self.wrong(since, "found unexpected end of stream");
        }
        let Some(line_break) = self.line_break() else {
            text.push_str(&spaces);
            return Ok(());
        };
        let mut breaks = String::new();
        self.quoted_breaks(start, &mut breaks)?;
        if line_break != '\n' {
            text.push(line_break);
        } else if breaks.is_empty() {
            text.push(' ');
        }
        text.push_str(&breaks);
        Ok(())
    }

    fn quoted_breaks(&mut self, start: Mark, text: &mut String) -> Scanned {
        loop {
            if self.at_separator() {
                let since = Some(("while scanning a quoted scalar", start));
                return self.wrong(since, "found unexpected document separator");
            }
            self.forward(self.run(0, |c| c == ' ' || c == '\t'));
            match self.line_break() {
                Some(c) => text.push(c),
                None => return Ok(()),
            }
        }
    }

    pub(super) fn plain(&mut self) -> Scanned<Token> {
        let start = self.mark;
        let in_flow = self.flow_level > 0;
        let mut text = String::new();
        let mut spaces = String::new();
        loop {
            if self.at(0) == '#' {
                break;
            }
            let mut length = 0;
            loop {
                let c = self.at(length);
                let next = self.at(length + 1);
                let ends = is_white(c)
                    || c == ':' && (is_white(next) || in_flow && ",[]{}".contains(next))
                    || in_flow && ",?[]{}".contains(c);
                if ends {
                    break;
                }
                length += 1;
            }
            if length == 0 {
                break;
            }
            self.allow_simple_key = false;
            text.push_str(&spaces);
            text.push_str(&self.take(length));
            spaces = self.plain_spaces();
            let column = isize::try_from(self.mark.column).unwrap_or(isize::MAX);
            if spaces.is_empty() || self.at(0) == '#' || !in_flow && column < self.indent + 1 {
                break;
            }
        }
        Ok(Token { kind: Kind::Scalar { text, plain: true }, start })
    }

    /// Spaces and line breaks inside a plain scalar, folded; nothing where it ends.
    fn plain_spaces(&mut self) -> String {
        let length = self.run(0, |c| c == ' ');
        let spaces = self.take(length);
        let Some(line_break) = self.line_break() else { return spaces };
        self.allow_simple_key = true;
        if self.at_separator() {
            return String::new();
        }
        let mut breaks = String::new();
        loop {
            if self.at(0) == ' ' {
                self.forward(1);
            } else if let Some(c) = self.line_break() {
                breaks.push(c);
                if self.at_separator() {
                    return String::new();
                }
            } else {
                break;
            }
        }
        let mut out = String::new();
        if line_break != '\n' {
            out.push(line_break);
        } else if breaks.is_empty() {
            out.push(' ');
        }
        out.push_str(&breaks);
        out
    }
}
