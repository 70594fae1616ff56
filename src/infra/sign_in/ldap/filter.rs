//! A search filter from its text (RFC 4515) to what is sent (RFC 4511, 4.5.1.7).

use super::ber::{BOOLEAN, OCTETS, element};

/// Filters within filters.
const DEEPEST: usize = 32;

/// The filter that a text means; the error says what is wrong with it.
pub fn encode(text: &str) -> Result<Vec<u8>, String> {
    let mut reader = Reader { rest: text.trim() };
    let filter = reader.filter(0)?;
    if reader.rest.is_empty() { Ok(filter) } else { Err(reader.wrong("something after the filter")) }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> String {
        let shown: String = self.rest.chars().take(20).collect();
        format!("{what} at {shown:?}")
    }

    fn take(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn filter(&mut self, depth: usize) -> Result<Vec<u8>, String> {
        if depth > DEEPEST {
            return Err("the filter is too deep".to_owned());
        }
        self.rest = self.rest.trim_start();
        if !self.take('(') {
            return Err(self.wrong("no parenthesis"));
        }
        let done = if self.take('&') {
            element(0xa0, &self.list(depth)?)
        } else if self.take('|') {
            element(0xa1, &self.list(depth)?)
        } else if self.take('!') {
            element(0xa2, &self.filter(depth + 1)?)
        } else {
            let end = self.rest.find([')', '(']).unwrap_or(self.rest.len());
            let (item, rest) = self.rest.split_at(end);
            self.rest = rest;
            comparison(item)?
        };
        self.rest = self.rest.trim_start();
        if self.take(')') { Ok(done) } else { Err(self.wrong("no closing parenthesis")) }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<u8>, String> {
        let mut all = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('(') {
                return Ok(all);
            }
            all.extend(self.filter(depth + 1)?);
        }
    }
}

fn comparison(item: &str) -> Result<Vec<u8>, String> {
    let (name, value) = item.split_once('=').ok_or_else(|| format!("{item:?} compares nothing"))?;
    let (tag, name) = match name.as_bytes().last() {
        Some(b'~') => (0xa8, name.get(..name.len() - 1)),
        Some(b'>') => (0xa5, name.get(..name.len() - 1)),
        Some(b'<') => (0xa6, name.get(..name.len() - 1)),
        Some(b':') => return extensible(name, value),
        _ => (0xa3, Some(name)),
    };
    let name = attribute(name.unwrap_or_default())?;
    if tag == 0xa3 && value == "*" {
        return Ok(element(0x87, name.as_bytes()));
    }
    if tag == 0xa3 && value.contains('*') {
        return substrings(name, value);
    }
    Ok(element(tag, &pair(name, &unescape(value)?)))
}

fn attribute(name: &str) -> Result<&str, String> {
    let name = name.trim();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';' | '_');
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(format!("{name:?} is no attribute"));
    }
    Ok(name)
}

fn pair(name: &str, value: &[u8]) -> Vec<u8> {
    [element(OCTETS, name.as_bytes()), element(OCTETS, value)].concat()
}

fn substrings(name: &str, value: &str) -> Result<Vec<u8>, String> {
    let parts: Vec<&str> = value.split('*').collect();
    let last = parts.len() - 1;
    let mut all = Vec::new();
    for (at, part) in parts.iter().enumerate().filter(|(_, part)| !part.is_empty()) {
        let tag = match at {
            0 => 0x80,
            at if at == last => 0x82,
            _ => 0x81,
        };
        all.extend(element(tag, &unescape(part)?));
    }
    if all.is_empty() {
        return Ok(element(0x87, name.as_bytes()));
    }
    Ok(element(0xa4, &[element(OCTETS, name.as_bytes()), element(0x30, &all)].concat()))
}

/// `attribute:dn:rule:=value`, as Active Directory's rule for groups within groups is written.
fn extensible(head: &str, value: &str) -> Result<Vec<u8>, String> {
    let mut parts = head.trim_end_matches(':').split(':');
    let name = parts.next().unwrap_or_default();
    let (mut dn, mut rule) = (false, None);
    for part in parts {
        if part.eq_ignore_ascii_case("dn") && !dn && rule.is_none() {
            dn = true;
        } else if rule.is_none() {
            rule = Some(attribute(part)?);
        } else {
            return Err(format!("{head:?} is no rule"));
        }
    }
    let mut all = Vec::new();
    if let Some(rule) = rule {
        all.extend(element(0x81, rule.as_bytes()));
    }
    if !name.is_empty() {
        all.extend(element(0x82, attribute(name)?.as_bytes()));
    } else if rule.is_none() {
        return Err(format!("{head:?} is no rule"));
    }
    all.extend(element(0x83, &unescape(value)?));
    if dn {
        all.extend(element(0x80 | (BOOLEAN + 3), &[0xff]));
    }
    Ok(element(0xa9, &all))
}

fn unescape(value: &str) -> Result<Vec<u8>, String> {
    let mut bytes = value.bytes();
    let mut out = Vec::with_capacity(value.len());
    while let Some(b) = bytes.next() {
        if b != b'\\' {
            out.push(b);
            continue;
        }
        let digits = [bytes.next(), bytes.next()].map(|d| d.and_then(|d| char::from(d).to_digit(16)));
        let [Some(high), Some(low)] = digits else { return Err(format!("{value:?} has a wrong escape")) };
        out.push(u8::try_from(high * 16 + low).unwrap_or_default());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{super::escape_filter, *};

    #[test]
    fn filters() {
        assert_eq!(encode("(uid=a)").unwrap(), [0xa3, 8, 4, 3, b'u', b'i', b'd', 4, 1, b'a']);
        assert_eq!(encode("(uid=*)").unwrap(), [0x87, 3, b'u', b'i', b'd']);
        assert_eq!(encode("(&)").unwrap(), [0xa0, 0]);
        assert_eq!(encode("(!(a=\\2a))").unwrap(), [0xa2, 8, 0xa3, 6, 4, 1, b'a', 4, 1, b'*']);
        assert_eq!(
            encode("(a=x*y*z)").unwrap(),
            [0xa4, 14, 4, 1, b'a', 0x30, 9, 0x80, 1, b'x', 0x81, 1, b'y', 0x82, 1, b'z']
        );
        assert_eq!(
            encode("(m:1.2:=v)").unwrap(),
            [0xa9, 11, 0x81, 3, b'1', b'.', b'2', 0x82, 1, b'm', 0x83, 1, b'v']
        );
        assert!(encode("(&(objectClass=person)(|(a=b)(c>=d)))").is_ok());
        for wrong in ["", "uid=a", "(uid=a", "(uid=a))", "(uid)", "(u id=a)", "(a=\\zz)", "(a=b(c=d))"] {
            assert!(encode(wrong).is_err(), "{wrong}");
        }
        assert!(encode(&"(!".repeat(40)).unwrap_err().contains("too deep"));
    }

    #[test]
    fn names_of_strangers_stay_values() {
        for name in ["*", "alic*", "x)(mail=a@b", "*)(uid=*", "\\2a", "a\0b", "é"] {
            let got = encode(&format!("(u={})", escape_filter(name))).unwrap();
            assert_eq!(got, element(0xa3, &pair("u", name.as_bytes())), "{name}");
        }
    }
}
