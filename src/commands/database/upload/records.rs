//! Records of delimited text as pandas' C tokenizer cuts them.

/// A field: its text, and whether it was quoted (quoted text is a null all the same).
pub type Field = String;

/// Reads records one after the other; quoted fields may hold line breaks.
pub struct Records<'a> {
    text: &'a str,
    delimiter: &'a str,
    skip_initial_space: bool,
    skip_blank_lines: bool,
    /// Lines read so far, counted from 1.
    pub line: usize,
}

impl<'a> Records<'a> {
    /// Records of a text without its byte order mark.
    pub fn new(text: &'a str, delimiter: &'a str, skip_initial_space: bool, skip_blank_lines: bool) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { text, delimiter, skip_initial_space, skip_blank_lines, line: 0 }
    }

    /// Leaves out a line, whatever is in it.
    pub fn skip_line(&mut self) {
        let end = self.text.find('\n').map_or(self.text.len(), |i| i + 1);
        self.text = self.text.get(end..).unwrap_or_default();
        self.line += 1;
    }
}

impl Iterator for Records<'_> {
    type Item = Vec<Field>;

    fn next(&mut self) -> Option<Vec<Field>> {
        loop {
            if self.text.is_empty() {
                return None;
            }
            let record = self.record();
            let blank = matches!(record.as_slice(), [only] if only.is_empty());
            if !(blank && self.skip_blank_lines) {
                return Some(record);
            }
        }
    }
}

impl Records<'_> {
    fn record(&mut self) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut field = String::new();
        let (mut quoted, mut fresh) = (false, true);
        let mut rest = self.text;
        while let Some(c) = rest.chars().next() {
            if quoted {
                match rest.find('"') {
                    Some(at) => {
                        field.push_str(rest.get(..at).unwrap_or_default());
                        rest = rest.get(at + 1..).unwrap_or_default();
                        if let Some(after) = rest.strip_prefix('"') {
                            field.push('"');
                            rest = after;
                        } else {
                            quoted = false;
                        }
                    }
                    None => {
                        field.push_str(rest);
                        rest = "";
                    }
                }
                continue;
            }
            if let Some(after) = rest.strip_prefix(self.delimiter) {
                fields.push(std::mem::take(&mut field));
                fresh = true;
                rest = after;
                continue;
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '\n' => break,
                '\r' => {
                    rest = rest.strip_prefix('\n').unwrap_or(rest);
                    break;
                }
                '"' if fresh => {
                    quoted = true;
                    fresh = false;
                }
                ' ' if fresh && self.skip_initial_space => {}
                c => {
                    field.push(c);
                    fresh = false;
                }
            }
        }
        fields.push(field);
        self.text = rest;
        self.line += 1;
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        Records::new(text, ",", false, false).collect()
    }

    #[test]
    fn quotes_and_breaks() {
        assert_eq!(all("\u{feff}a,b\r\n1,\"x\ny\"\"z\"\n"), [["a", "b"], ["1", "x\ny\"z"]]);
        assert_eq!(all("a,\n\n,b"), vec![vec!["a", ""], vec![""], vec!["", "b"]]);
        assert_eq!(all("\"open"), [["open"]]);
        assert_eq!(all("a\"b,c"), [["a\"b", "c"]]);
        let skipped: Vec<_> = Records::new("a, b\n\n1,  2", ",", true, true).collect();
        assert_eq!(skipped, [["a", "b"], ["1", "2"]]);
        let tabs: Vec<_> = Records::new("a\tb", "\t", false, false).collect();
        assert_eq!(tabs, [["a", "b"]]);
        assert!(all("").is_empty());
    }
}
