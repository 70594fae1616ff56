//! Dictionaries of texts as Python's `pickle` writes them.
//!
//! Pickles are programs. Of what they can say only this is understood: a dictionary whose keys are texts and whose
//! values are texts or `None`; anything else is nothing.

use indexmap::IndexMap;

/// A dictionary of texts.
pub type Texts = IndexMap<String, Option<String>>;

/// Texts that one pickle may hold.
const MOST: usize = 256;

/// Writes a dictionary (protocol 3, which every Python 3 reads).
pub fn dumps(texts: &Texts) -> Vec<u8> {
    let mut out = vec![0x80, 3, b'}', b'('];
    for part in texts.iter().flat_map(|(key, value)| [Some(key), value.as_ref()]) {
        match part {
            Some(text) => {
                out.push(b'X');
                out.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                out.extend(text.as_bytes());
            }
            None => out.push(b'N'),
        }
    }
    out.extend(b"u.");
    out
}

#[derive(Clone)]
enum Item {
    Mark,
    Nothing,
    Text(String),
    Texts(Texts),
}

/// Reads a dictionary.
pub fn loads(bytes: &[u8]) -> Option<Texts> {
    let mut reader = Reader { rest: bytes, stack: Vec::new(), memo: IndexMap::new() };
    loop {
        if let Some(done) = reader.step()? {
            return Some(done);
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    stack: Vec<Item>,
    memo: IndexMap<u32, Item>,
}

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<usize> {
        let read = self.take(bytes)?.iter().rev().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        usize::try_from(read).ok()
    }

    fn text(&mut self, length_bytes: usize) -> Option<()> {
        let length = self.number(length_bytes)?;
        let text = std::str::from_utf8(self.take(length)?).ok()?.to_owned();
        self.stack.push(Item::Text(text));
        (self.stack.len() <= MOST).then_some(())
    }

    fn keep(&mut self, at: usize) -> Option<()> {
        let top = match self.stack.last()? {
            // what can be asked for again is a text
            Item::Text(text) => Item::Text(text.clone()),
            _ => Item::Mark,
        };
        self.memo.insert(u32::try_from(at).ok()?, top);
        (self.memo.len() <= MOST).then_some(())
    }

    fn recall(&mut self, at: usize) -> Option<()> {
        let found = self.memo.get(&u32::try_from(at).ok()?)?;
        let Item::Text(text) = found else { return None };
        self.stack.push(Item::Text(text.clone()));
        (self.stack.len() <= MOST).then_some(())
    }

    fn set(&mut self, pairs: Vec<Item>) -> Option<()> {
        let Some(Item::Texts(texts)) = self.stack.last_mut() else { return None };
        let mut pairs = pairs.into_iter();
        while let Some(key) = pairs.next() {
            let value = match pairs.next()? {
                Item::Text(text) => Some(text),
                Item::Nothing => None,
                Item::Mark | Item::Texts(_) => return None,
            };
            let Item::Text(key) = key else { return None };
            texts.insert(key, value);
        }
        Some(())
    }

    /// One instruction; the dictionary at the end.
    fn step(&mut self) -> Option<Option<Texts>> {
        match self.number(1)? {
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            0x94 => self.keep(self.memo.len())?,
            0x8c => self.text(1)?,
            0x8d => self.text(8)?,
            code => match u8::try_from(code).ok()? {
                b'}' => self.stack.push(Item::Texts(Texts::new())),
                b'(' => self.stack.push(Item::Mark),
                b'N' => self.stack.push(Item::Nothing),
                b'X' => self.text(4)?,
                b'q' => {
                    let at = self.number(1)?;
                    self.keep(at)?;
                }
                b'r' => {
                    let at = self.number(4)?;
                    self.keep(at)?;
                }
                b'h' => {
                    let at = self.number(1)?;
                    self.recall(at)?;
                }
                b'j' => {
                    let at = self.number(4)?;
                    self.recall(at)?;
                }
                b'u' => {
                    let mark = self.stack.iter().rposition(|item| matches!(item, Item::Mark))?;
                    let pairs = self.stack.split_off(mark + 1);
                    self.stack.pop();
                    self.set(pairs)?;
                }
                b's' => {
                    let pair = self.stack.split_off(self.stack.len().checked_sub(2)?);
                    self.set(pair)?;
                }
                b'.' => {
                    return match self.stack.pop()? {
                        Item::Texts(texts) if self.stack.is_empty() => Some(Some(texts)),
                        _ => None,
                    };
                }
                _ => return None,
            },
        }
        (self.stack.len() <= MOST).then_some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload() -> Texts {
        let text = |t: &str| Some(t.to_owned());
        [("image", None), ("timestamp", text("2026-01-02T03:04:05")), ("status", text("Pending"))]
            .map(|(key, value)| (key.to_owned(), value))
            .into()
    }

    /// Written by Python 3.11 for `{"image": None, "timestamp": "2026-01-02T03:04:05", "status": "Pending"}`.
    #[test]
    fn what_python_wrote_is_read() {
        for (protocol, text) in [
            (
                2,
                &b"\x80\x02}q\x00(X\x05\x00\x00\x00imageq\x01NX\t\x00\x00\x00timestampq\x02X\x13\x00\x00\x002026-01-\
                   02T03:04:05q\x03X\x06\x00\x00\x00statusq\x04X\x07\x00\x00\x00Pendingq\x05u."[..],
            ),
            (
                5,
                &b"\x80\x05\x95C\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x05image\x94N\x8c\ttimestamp\x94\x8c\x132026-\
                   01-02T03:04:05\x94\x8c\x06status\x94\x8c\x07Pending\x94u."[..],
            ),
        ] {
            assert_eq!(loads(text), Some(payload()), "protocol {protocol}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(loads(&dumps(&payload())), Some(payload()));
        assert_eq!(loads(&dumps(&Texts::new())), Some(Texts::new()));
    }

    #[test]
    fn programs_are_not_run() {
        let program = b"cos\nsystem\n(S'echo hello'\ntR.";
        for bytes in [
            &program[..],
            b"",
            b".",
            b"\x80\x05N.",
            b"}(X\xff\xff\xff\xff",
            b"}(u",
            b"}u.",
            b"(((((.",
            b"}h\0.",
        ] {
            assert_eq!(loads(bytes), None, "{bytes:?}");
        }
        assert_eq!(loads(&b"(".repeat(1 << 20)), None);
    }
}
