//! The few forms of BER (X.690) that LDAP uses: tags of one byte, definite lengths.

/// A boolean.
pub const BOOLEAN: u8 = 0x01;
/// An integer.
pub const INTEGER: u8 = 0x02;
/// Bytes.
pub const OCTETS: u8 = 0x04;
/// An enumeration.
pub const ENUMERATED: u8 = 0x0a;
/// A sequence.
pub const SEQUENCE: u8 = 0x30;

/// An element around its content.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let digits: Vec<u8> = length.into_iter().skip_while(|b| *b == 0).collect();
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
            out.extend(digits);
        }
    }
    out.extend_from_slice(content);
    out
}

/// A number that is not negative.
pub fn number(tag: u8, value: u32) -> Vec<u8> {
    let mut digits: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
    if digits.first().is_none_or(|b| *b >= 0x80) {
        digits.insert(0, 0);
    }
    element(tag, &digits)
}

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Front<'a> {
    /// An element: tag and content, and what follows it.
    Whole(u8, &'a [u8], &'a [u8]),
    /// The beginning of one of so many bytes, at least.
    Part(usize),
    /// Nothing that this is.
    Wrong,
}

/// Takes the first element.
pub fn front(bytes: &[u8]) -> Front<'_> {
    let (tag, first) = match bytes {
        [tag, first, ..] => (*tag, *first),
        _ => return Front::Part(2),
    };
    // tags of several bytes are not used
    if tag & 0x1f == 0x1f {
        return Front::Wrong;
    }
    let more = usize::from(first & 0x7f);
    let (head, length) = match first {
        0..=0x7f => (2, usize::from(first)),
        0x81..=0x84 => {
            let Some(digits) = bytes.get(2..2 + more) else { return Front::Part(2 + more) };
            (2 + more, digits.iter().fold(0_usize, |n, b| (n << 8) | usize::from(*b)))
        }
        _ => return Front::Wrong,
    };
    match (bytes.get(head..head.saturating_add(length)), bytes.get(head.saturating_add(length)..)) {
        (Some(content), Some(rest)) => Front::Whole(tag, content, rest),
        _ => Front::Part(head.saturating_add(length)),
    }
}

/// The elements of a content, one after the other; it ends at what is none.
#[derive(Debug, Clone)]
pub struct Elements<'a>(pub &'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);
    fn next(&mut self) -> Option<Self::Item> {
        match front(self.0) {
            Front::Whole(tag, content, rest) => {
                self.0 = rest;
                Some((tag, content))
            }
            _ => None,
        }
    }
}

/// The value of an integer's content.
pub fn integer(content: &[u8]) -> Option<i64> {
    let first = *content.first()?;
    if content.len() > 8 {
        return None;
    }
    let start = if first >= 0x80 { -1 } else { 0 };
    Some(content.iter().fold(start, |n, b| (n << 8) | i64::from(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let mut bytes = element(OCTETS, &content);
            let whole = bytes.len();
            assert_eq!(front(&bytes[..whole - usize::from(length > 0)]) == Front::Part(whole), length > 0);
            bytes.push(9);
            assert_eq!(front(&bytes), Front::Whole(OCTETS, &content, &[9]));
        }
        for value in [0, 1, 127, 128, 255, 256, u32::MAX] {
            let bytes = number(INTEGER, value);
            let Front::Whole(INTEGER, content, []) = front(&bytes) else { panic!("{value}") };
            assert_eq!(integer(content), Some(i64::from(value)));
        }
        assert_eq!(integer(&[0xff]), Some(-1));
    }

    #[test]
    fn hostile_lengths() {
        for wrong in [&[0x1f, 0x01, 0x00][..], &[0x30, 0x80], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 0xff]] {
            assert_eq!(front(wrong), Front::Wrong, "{wrong:?}");
        }
        assert_eq!(front(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), Front::Part(6 + 0xffff_ffff));
        assert_eq!(Elements(&[4, 1, 65, 4, 5, 66]).count(), 1);
    }
}
