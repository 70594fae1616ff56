//! Hashids: short keys for numbers (`superset.key_value.utils:encode_permalink_key`).
//!
//! The algorithm of hashids.org with its default alphabet, as Python's `hashids` 1.3.1 implements it.

const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890";
const SEPARATORS: &str = "cfhistuCFHISTU";
const RATIO_SEPARATORS: f64 = 3.5;
const RATIO_GUARDS: f64 = 12.0;
/// The length that Superset asks for at least.
pub const PERMALINK_LENGTH: usize = 11;
/// No key that we would ever write is longer; longer ones are refused unread.
const MAX_LENGTH: usize = 256;

/// Encoder and decoder for one salt.
#[derive(Debug, Clone)]
pub struct Hashids {
    salt: Vec<char>,
    min_length: usize,
    alphabet: Vec<char>,
    guards: Vec<char>,
    separators: Vec<char>,
}

impl Hashids {
    /// Keys of permalinks: at least eleven characters.
    pub fn permalink(salt: &str) -> Self {
        Self::new(salt, PERMALINK_LENGTH)
    }

    /// An encoder over the default alphabet.
    pub fn new(salt: &str, min_length: usize) -> Self {
        let salt: Vec<char> = salt.chars().collect();
        let mut separators: Vec<char> = SEPARATORS.chars().collect();
        let mut alphabet: Vec<char> = ALPHABET.chars().filter(|c| !SEPARATORS.contains(*c)).collect();
        reorder(&mut separators, &salt);
        let wanted = (alphabet.len() as f64 / RATIO_SEPARATORS).ceil() as usize;
        if wanted > separators.len() {
            let rest = alphabet.split_off(wanted - separators.len());
            separators.append(&mut alphabet);
            alphabet = rest;
        }
        reorder(&mut alphabet, &salt);
        let rest = alphabet.split_off((alphabet.len() as f64 / RATIO_GUARDS).ceil() as usize);
        Self { salt, min_length, guards: alphabet, alphabet: rest, separators }
    }

    /// The key of a list of numbers; empty for an empty list.
    pub fn encode(&self, values: &[u64]) -> String {
        if values.is_empty() {
            return String::new();
        }
        let values_hash: u64 = values.iter().zip(100_u64..).map(|(v, i)| v % i).sum();
        let mut alphabet = self.alphabet.clone();
        let lottery = at(&alphabet, values_hash);
        let mut encoded = vec![lottery];
        for (i, value) in values.iter().enumerate() {
            self.next_alphabet(&mut alphabet, lottery);
            let digits = to_digits(*value, &alphabet);
            let first = digits.first().map_or(0, |c| u64::from(u32::from(*c)));
            encoded.extend(digits);
            if i + 1 < values.len() {
                encoded.push(at(&self.separators, value % (first + i as u64)));
            }
        }
        if encoded.len() < self.min_length {
            encoded = self.lengthen(encoded, alphabet, values_hash);
        }
        encoded.into_iter().collect()
    }

    /// The numbers of a key; `None` for a text that [`Self::encode`] would not have written.
    pub fn decode(&self, key: &str) -> Option<Vec<u64>> {
        if key.len() > MAX_LENGTH {
            return None;
        }
        let chars: Vec<char> = key.chars().collect();
        let parts: Vec<&[char]> = chars.split(|c| self.guards.contains(c)).collect();
        let body = if matches!(parts.len(), 2 | 3) { parts.get(1)? } else { parts.first()? };
        let (lottery, digits) = body.split_first()?;
        let mut alphabet = self.alphabet.clone();
        let mut values = Vec::new();
        for part in digits.split(|c| self.separators.contains(c)) {
            self.next_alphabet(&mut alphabet, *lottery);
            values.push(from_digits(part, &alphabet)?);
        }
        (self.encode(&values) == key).then_some(values)
    }

    /// The single number of a key.
    pub fn decode_one(&self, key: &str) -> Option<u64> {
        self.decode(key)?.first().copied()
    }

    fn next_alphabet(&self, alphabet: &mut [char], lottery: char) {
        let salt: Vec<char> = std::iter::once(lottery)
            .chain(self.salt.iter().copied())
            .chain(alphabet.iter().copied())
            .take(alphabet.len())
            .collect();
        reorder(alphabet, &salt);
    }

    fn lengthen(&self, mut encoded: Vec<char>, mut alphabet: Vec<char>, values_hash: u64) -> Vec<char> {
        let guard =
            |c: Option<&char>| at(&self.guards, values_hash + c.map_or(0, |c| u64::from(u32::from(*c))));
        encoded.insert(0, guard(encoded.first()));
        if encoded.len() < self.min_length {
            encoded.push(guard(encoded.get(2)));
        }
        let half = alphabet.len() / 2;
        while encoded.len() < self.min_length {
            let salt = alphabet.clone();
            reorder(&mut alphabet, &salt);
            let (left, right) = alphabet.split_at(half);
            encoded = [right, &encoded, left].concat();
            let excess = encoded.len().saturating_sub(self.min_length);
            if excess > 0 {
                encoded = encoded.into_iter().skip(excess / 2).take(self.min_length).collect();
            }
        }
        encoded
    }
}

/// The character at a position that wraps around.
fn at(chars: &[char], position: u64) -> char {
    chars.get((position % chars.len().max(1) as u64) as usize).copied().unwrap_or_default()
}

fn reorder(chars: &mut [char], salt: &[char]) {
    if salt.is_empty() {
        return;
    }
    let (mut index, mut sum) = (0, 0);
    for i in (1..chars.len()).rev() {
        let code = salt.get(index).map_or(0, |c| u32::from(*c) as usize);
        sum += code;
        chars.swap(i, (code + index + sum) % i);
        index = (index + 1) % salt.len();
    }
}

fn to_digits(mut value: u64, alphabet: &[char]) -> Vec<char> {
    let base = alphabet.len().max(2) as u64;
    let mut digits = Vec::new();
    loop {
        digits.push(at(alphabet, value % base));
        value /= base;
        if value == 0 {
            break;
        }
    }
    digits.reverse();
    digits
}

fn from_digits(digits: &[char], alphabet: &[char]) -> Option<u64> {
    let base = alphabet.len() as u64;
    digits.iter().try_fold(0_u64, |value, c| {
        let digit = alphabet.iter().position(|a| a == c)? as u64;
        value.checked_mul(base)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys made with Python's `hashids` 1.3.1.
    #[test]
    fn agrees_with_python() {
        let plain = Hashids::permalink("");
        assert_eq!(plain.encode(&[1]), "2VolejRejNm");
        assert_eq!(plain.encode(&[1, 2, 3]), "97bo2fXhVaD");
        assert_eq!(plain.encode(&[1 << 40]), "bYvBmWEo30d");
        let salted = Hashids::permalink("permalink-salt é");
        for (values, key) in [
            (&[1][..], "neVow7vPMKD"),
            (&[47127], "q5KPp9bpwBl"),
            (&[0], "kXmpLmr8ZR9"),
            (&[123_456_789_012, 5], "PNGJz1lyQIE"),
        ] {
            assert_eq!(salted.encode(values), key);
            assert_eq!(salted.decode(key).as_deref(), Some(values));
        }
    }

    #[test]
    fn what_was_never_encoded_does_not_decode() {
        let ids = Hashids::permalink("salt");
        for key in ["", "zzz", "é", "neVow7vPMKD", "0000000000000000000000000000", &"a".repeat(100_000)] {
            assert_eq!(ids.decode(key), None, "{key:.20}");
        }
        for value in [0, 1, 43, 44, 99, 100, u64::MAX] {
            assert_eq!(ids.decode_one(&ids.encode(&[value])), Some(value));
        }
    }
}
