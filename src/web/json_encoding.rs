//! Encodings of JSON bodies: Python's reader takes UTF-8, UTF-16 and UTF-32, with a mark of the byte order or without
//! (`json.detect_encoding`).

use bytes::Bytes;

/// The body in UTF-8 without a mark; as it is where it is that already, or nothing that can be read.
pub(crate) fn utf8(body: Bytes) -> Bytes {
    let text = match body.as_ref() {
        [0, 0, 0xFE, 0xFF, rest @ ..] => wide(rest, u32::from_be_bytes),
        [0xFF, 0xFE, 0, 0, rest @ ..] => wide(rest, u32::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => narrow(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => narrow(rest, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, ..] => return body.slice(3..),
        // what begins with an ASCII letter tells its width by the zeros beside it
        all @ [0, 0, _, _, ..] => wide(all, u32::from_be_bytes),
        all @ ([0, _, _, _, ..] | [0, _]) => narrow(all, u16::from_be_bytes),
        all @ [_, 0, 0, 0, ..] => wide(all, u32::from_le_bytes),
        all @ ([_, 0, _, _, ..] | [_, 0]) => narrow(all, u16::from_le_bytes),
        _ => None,
    };
    text.map_or(body, Bytes::from)
}

fn narrow(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units = units.iter().map(|unit| read(*unit));
    rest.is_empty().then(|| char::decode_utf16(units).collect::<Result<String, _>>().ok()).flatten()
}

fn wide(bytes: &[u8], read: fn([u8; 4]) -> u32) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| units.iter().map(|unit| char::from_u32(read(*unit))).collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_reads() {
        let text = "{\"é\": \"😀\"}";
        let be16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let le16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        let le32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let marked = |mark: &[u8], body: &[u8]| [mark, body].concat();
        for body in [
            text.as_bytes().to_vec(),
            marked(&[0xEF, 0xBB, 0xBF], text.as_bytes()),
            marked(&[0xFE, 0xFF], &be16),
            marked(&[0xFF, 0xFE], &le16),
            marked(&[0, 0, 0xFE, 0xFF], &be32),
            marked(&[0xFF, 0xFE, 0, 0], &le32),
            be16.clone(),
            le16.clone(),
            be32,
            le32,
        ] {
            assert_eq!(utf8(body.clone().into()), text.as_bytes(), "{body:?}");
        }
        assert_eq!(utf8(vec![b'1', 0].into()), "1".as_bytes());
        // half a letter, half a pair: left to the reader, which complains
        for broken in [&be16[..be16.len() - 1], &[0xFE, 0xFF, 0xD8, 0x3D][..], b"", b"\0"] {
            assert_eq!(utf8(broken.to_vec().into()), broken);
        }
    }
}
