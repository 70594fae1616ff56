//! Records of delimited text as pandas' C tokenizer cuts them, read from a file piece by piece.

use std::io::Read;

use infra::Result;

use super::{
    delimiter::Delimiter,
    options::{failed, parsing},
};

/// A field: its text, and whether it was quoted (quoted text is a null all the same).
pub type Field = String;

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;
/// The longest record: a quote that nobody closes makes one of the rest of the file.
const LONGEST: usize = 64 << 20;
/// Most fields of a record; no database has tables of as many columns.
const WIDEST: usize = 10_000;

/// How records are cut.
#[derive(Debug, Clone)]
pub struct RecordFormat {
    /// Between fields.
    pub delimiter: Delimiter,
    /// Leave spaces after the delimiter out.
    pub skip_initial_space: bool,
    /// Leave blank lines out.
    pub skip_blank_lines: bool,
}

/// Reads records one after the other; quoted fields may hold line breaks.
pub struct Records<R> {
    source: R,
    cut: RecordFormat,
    /// What was read and is not cut yet begins at `at`.
    text: String,
    at: usize,
    /// The first bytes of a character whose others are not read yet.
    partial: Vec<u8>,
    /// Bytes before those of `text` and `partial`.
    passed: usize,
    ended: bool,
    /// Lines read so far, counted from 1.
    pub line: usize,
}

impl<R: Read> Records<R> {
    /// Records of a text without its byte order mark.
    pub fn new(source: R, cut: RecordFormat) -> Result<Self> {
        let mut records = Self {
            source,
            cut,
            text: String::new(),
            at: 0,
            partial: Vec::new(),
            passed: 0,
            ended: false,
            line: 0,
        };
        records.fill()?;
        if records.text.starts_with('\u{feff}') {
            records.at = '\u{feff}'.len_utf8();
        }
        Ok(records)
    }

    /// Leaves out a line, whatever is in it; false at the end.
    pub fn skip_line(&mut self) -> Result<bool> {
        self.line += 1;
        loop {
            if let Some(end) = self.rest().find('\n') {
                self.at += end + 1;
                return Ok(true);
            }
            self.at = self.text.len();
            if self.ended {
                return Ok(false);
            }
            self.fill()?;
        }
    }

    /// The next record; none at the end.
    pub fn next(&mut self) -> Result<Option<Vec<Field>>> {
        loop {
            if self.rest().is_empty() {
                if self.ended {
                    return Ok(None);
                }
                self.fill()?;
                continue;
            }
            let (record, taken) = record(self.rest(), &self.cut);
            // more text may belong to a record that ends where the text does
            if self.at + taken == self.text.len() && !self.ended {
                self.fill()?;
                continue;
            }
            if record.len() > WIDEST {
                return Err(parsing(format!("a record has more than {WIDEST} fields")));
            }
            self.at += taken;
            self.line += 1;
            let blank = matches!(record.as_slice(), [only] if only.is_empty());
            if !(blank && self.cut.skip_blank_lines) {
                return Ok(Some(record));
            }
        }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Reads as much again as is there: a long record is not looked at more often than its length doubles.
    fn fill(&mut self) -> Result<()> {
        self.text.drain(..self.at);
        self.passed += self.at;
        self.at = 0;
        if self.text.len() >= LONGEST {
            return Err(parsing(format!("a record is longer than {} MB", LONGEST >> 20)));
        }
        let wanted = self.text.len().max(PIECE);
        let mut bytes = std::mem::take(&mut self.partial);
        let mut piece = (&mut self.source).take(wanted as u64);
        let read = piece.read_to_end(&mut bytes).map_err(|e| failed(format!("Error reading file: {e}")))?;
        self.ended = read < wanted;
        let valid = match std::str::from_utf8(&bytes) {
            Ok(text) => text.len(),
            Err(e) if e.error_len().is_none() && !self.ended => e.valid_up_to(),
            Err(e) => {
                let byte = bytes.get(e.valid_up_to()).copied().unwrap_or_default();
                let at = self.passed + self.text.len() + e.valid_up_to();
                return Err(parsing(format!(
                    "'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: invalid start byte"
                )));
            }
        };
        self.partial = bytes.split_off(valid);
        self.text.push_str(&String::from_utf8_lossy(&bytes));
        Ok(())
    }
}

/// The first record of a text and its length.
fn record(text: &str, cut: &RecordFormat) -> (Vec<Field>, usize) {
    let mut fields = Vec::new();
    let mut field = String::new();
    let (mut quoted, mut fresh) = (false, true);
    let mut rest = text;
    if cut.delimiter.strips() {
        rest = rest.trim_start_matches([' ', '\t']);
    }
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
        if let Some(end) = cut.delimiter.at_end(rest) {
            rest = end;
            continue;
        }
        if let Some(after) = cut.delimiter.at_start(rest).and_then(|length| rest.get(length..)) {
            fields.push(std::mem::take(&mut field));
            if fields.len() > WIDEST {
                return (fields, 0);
            }
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
            ' ' if fresh && cut.skip_initial_space => {}
            c => {
                field.push(c);
                fresh = false;
            }
        }
    }
    fields.push(field);
    (fields, text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that gives a byte at a time would hide nothing: pieces are asked for in full.
    fn records(text: &[u8], delimiter: &str, skip: bool) -> Result<Vec<Vec<String>>> {
        let cut = RecordFormat {
            delimiter: Delimiter::named(delimiter)?,
            skip_initial_space: skip,
            skip_blank_lines: skip,
        };
        let mut records = Records::new(text, cut)?;
        let mut found = Vec::new();
        while let Some(record) = records.next()? {
            found.push(record);
        }
        Ok(found)
    }

    fn all(text: &str) -> Vec<Vec<String>> {
        records(text.as_bytes(), ",", false).unwrap()
    }

    #[test]
    fn quotes_and_breaks() {
        assert_eq!(all("\u{feff}a,b\r\n1,\"x\ny\"\"z\"\n"), [["a", "b"], ["1", "x\ny\"z"]]);
        assert_eq!(all("a,\n\n,b"), vec![vec!["a", ""], vec![""], vec!["", "b"]]);
        assert_eq!(all("\"open"), [["open"]]);
        assert_eq!(all("a\"b,c"), [["a\"b", "c"]]);
        assert_eq!(records(b"a, b\n\n1,  2", ",", true).unwrap(), [["a", "b"], ["1", "2"]]);
        assert_eq!(records(b"a\tb", "\t", false).unwrap(), [["a", "b"]]);
        assert_eq!(records(b"a\tb\n\t\"x\ty\"", "\\t", false).unwrap(), [["a", "b"], ["", "x\ty"]]);
        assert_eq!(records(b"  a  b \n1\t 2\n", "\\s+", false).unwrap(), [["a", "b"], ["1", "2"]]);
        assert_eq!(
            records(b"a;b,c\r\n\"1;\",2;3", "[;,]", false).unwrap(),
            [["a", "b", "c"], ["1;", "2", "3"]]
        );
        assert!(all("").is_empty());
    }

    /// Whatever stands where one piece ends and the next begins is read as if there were no pieces.
    #[test]
    fn pieces_leave_no_trace() {
        let tail = "é,\"q\"\"\r\n,\"\r\n||x||\r\ny\rz\n";
        let want = [vec!["é", "q\"\r\n,"], vec!["||x||"], vec!["y"], vec!["z"]];
        for before in 0..tail.len() {
            let first = "x".repeat(PIECE - before - 1);
            let found = all(&format!("{first}\n{tail}"));
            assert_eq!(found[0], [first.as_str()]);
            assert_eq!(found[1..], want, "{before}");
        }
        let long = "x".repeat(3 * PIECE);
        let found = records(format!("a||\"{long}\"||b").as_bytes(), "||", false).unwrap();
        assert_eq!(found, [["a", long.as_str(), "b"]]);
    }

    #[test]
    fn bytes_that_are_no_text() {
        let mut bytes = vec![b'a'; PIECE];
        bytes.push(0xff);
        let error = records(&bytes, ",", false).unwrap_err().to_string();
        assert!(error.contains(&format!("byte 0xff in position {PIECE}")), "{error}");
        assert!(records(b"a\n\xc3", ",", false).is_err());
        let mut endless = vec![b'x'; LONGEST + 1];
        endless[0] = b'"';
        let error = records(&endless, ",", false).unwrap_err().to_string();
        assert!(error.contains("longer than 64 MB"), "{error}");
        let error = records(&[b','; 20_000], ",", false).unwrap_err().to_string();
        assert!(error.contains("more than 10000 fields"), "{error}");
    }
}
