//! Text in the encodings that Python knows by name (`CSV_EXPORT["encoding"]`).

use encoding_rs::EncoderResult;

/// An encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 behind a mark.
    Utf8Sig,
    /// UTF-16, smallest byte first, behind a mark.
    Utf16,
    /// UTF-16, smallest byte first.
    Utf16Le,
    /// UTF-16, largest byte first.
    Utf16Be,
    /// ISO 8859-1.
    Latin1,
    /// ASCII.
    Ascii,
    /// One of those that browsers know.
    Other(&'static encoding_rs::Encoding),
}

/// A text has a character that the encoding has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text has a character that {0} does not have")]
pub struct Unencodable(pub &'static str);

impl Encoding {
    /// The encoding of a name.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace('_', "-");
        Some(match name.as_str() {
            "" | "utf-8" | "utf8" | "u8" | "utf" => Self::Utf8,
            "utf-8-sig" | "utf8-sig" => Self::Utf8Sig,
            "utf-16" | "utf16" | "u16" => Self::Utf16,
            "utf-16-le" | "utf-16le" => Self::Utf16Le,
            "utf-16-be" | "utf-16be" => Self::Utf16Be,
            "latin-1" | "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "8859" | "cp819" => {
                Self::Latin1
            }
            "ascii" | "us-ascii" | "646" => Self::Ascii,
            other => {
                let label = match other.strip_prefix("cp") {
                    Some("932") => "shift_jis".to_owned(),
                    Some("936") => "gbk".to_owned(),
                    Some("949") => "euc-kr".to_owned(),
                    Some("950") => "big5".to_owned(),
                    Some(number) if number.starts_with("125") => format!("windows-{number}"),
                    _ => other.to_owned(),
                };
                let label = if other == "shift-jis" { "shift_jis" } else { &label };
                Self::Other(encoding_rs::Encoding::for_label(label.as_bytes())?)
            }
        })
    }

    /// A piece of a text; the mark stands before the first.
    pub fn encode(self, text: Vec<u8>, is_first: bool) -> Result<Vec<u8>, Unencodable> {
        let marked = |mark: &[u8], rest: Vec<u8>| if is_first { [mark, &rest].concat() } else { rest };
        if self == Self::Utf8 {
            return Ok(text);
        }
        let text =
            String::from_utf8(text).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        let units = |write: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(write).collect::<Vec<u8>>();
        let bytes = |most: u32, name| -> Result<Vec<u8>, Unencodable> {
            let byte = |c: char| u8::try_from(u32::from(c)).ok().filter(|b| u32::from(*b) < most);
            text.chars().map(|c| byte(c).ok_or(Unencodable(name))).collect()
        };
        match self {
            Self::Utf8 => Ok(Vec::new()),
            Self::Utf8Sig => Ok(marked(b"\xef\xbb\xbf", text.into_bytes())),
            Self::Utf16 => Ok(marked(b"\xff\xfe", units(u16::to_le_bytes))),
            Self::Utf16Le => Ok(units(u16::to_le_bytes)),
            Self::Utf16Be => Ok(units(u16::to_be_bytes)),
            Self::Latin1 => bytes(256, "latin-1"),
            Self::Ascii => bytes(128, "ascii"),
            Self::Other(encoding) => {
                let mut encoder = encoding.new_encoder();
                let need =
                    encoder.max_buffer_length_from_utf8_without_replacement(text.len()).unwrap_or_default();
                let mut out = Vec::with_capacity(need);
                let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(&text, &mut out, true);
                match result {
                    EncoderResult::InputEmpty => Ok(out),
                    _ => Err(Unencodable(encoding.name())),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_encodes() {
        let encoded = |name: &str, text: &str| Encoding::named(name).unwrap().encode(text.into(), true);
        assert_eq!(encoded("utf-8", "é").unwrap(), "é".as_bytes());
        assert_eq!(encoded("utf_8_sig", "a").unwrap(), b"\xef\xbb\xbfa");
        assert_eq!(encoded("UTF-16", "a").unwrap(), b"\xff\xfea\0");
        assert_eq!(encoded("latin-1", "é\u{80}").unwrap(), b"\xe9\x80");
        assert_eq!(encoded("cp1252", "€").unwrap(), b"\x80");
        assert_eq!(encoded("gbk", "中").unwrap(), b"\xd6\xd0");
        assert_eq!(encoded("shift_jis", "日").unwrap(), b"\x93\xfa");
        assert!(
            encoded("latin-1", "€").is_err()
                && encoded("cp1252", "中").is_err()
                && encoded("ascii", "é").is_err()
        );
        assert!(Encoding::named("rot13").is_none());
        assert_eq!(Encoding::Utf8Sig.encode(b"a".to_vec(), false).unwrap(), b"a");
    }
}
