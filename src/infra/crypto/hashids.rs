//! Keys of permalinks: numbers as Hashids (`superset.key_value.utils:encode_permalink_key`).

use hash_ids::HashIds;

/// The length that Superset asks for at least. The numbers are those of rows, of 32 bits: no key of one is longer.
pub const PERMALINK_LENGTH: usize = 11;

fn ids(salt: &str) -> HashIds {
    HashIds::builder().with_salt(salt).with_min_length(PERMALINK_LENGTH).finish()
}

/// The key of a row.
pub fn permalink_key(salt: &str, id: u64) -> String {
    ids(salt).encode(&[id])
}

/// The row of a key; `None` for a text that [`permalink_key`] would not have written.
pub fn permalink_id(salt: &str, key: &str) -> Option<u64> {
    // what the crate computes of a longer text is larger than it has room for
    if key.len() != PERMALINK_LENGTH {
        return None;
    }
    let ids = ids(salt);
    let values = ids.decode(key).ok()?;
    // a key has one spelling (Python's `hashids` compares too)
    if ids.encode(&values) != key { None } else { values.first().copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys made with Python's `hashids` 1.3.1.
    #[test]
    fn agrees_with_python() {
        for (salt, id, key) in [
            ("", 0, "QWjnegYbwZ1"),
            ("", 1, "2VolejRejNm"),
            ("", 100, "Wjneg56bwZ1"),
            ("", 47_127, "LYqaQ8L0enj"),
            ("", 2_147_483_647, "nelXQAALgeK"),
            ("Zm9v_YmFy-liteset", 0, "o540x1zry96"),
            ("Zm9v_YmFy-liteset", 1, "3zqGYOGYQ57"),
            ("Zm9v_YmFy-liteset", 100, "540x1ebxy96"),
            ("Zm9v_YmFy-liteset", 47_127, "PgRWXnvXxXa"),
            ("Zm9v_YmFy-liteset", 2_147_483_647, "gY5omqqMArA"),
            ("permalink-salt é", 0, "kXmpLmr8ZR9"),
            ("permalink-salt é", 1, "neVow7vPMKD"),
            ("permalink-salt é", 100, "XmpLm4RwZR9"),
            ("permalink-salt é", 47_127, "q5KPp9bpwBl"),
            ("permalink-salt é", 2_147_483_647, "X8oAbNNzkwK"),
        ] {
            assert_eq!(permalink_key(salt, id), key);
            assert_eq!(permalink_id(salt, key), Some(id));
        }
        // a key of several numbers stands for its first
        assert_eq!(permalink_id("", "97bo2fXhVaD"), Some(1));
    }

    #[test]
    fn what_was_never_encoded_does_not_decode() {
        for key in ["", "zzz", "é", "neVow7vPMKD", "00000000000", "éééééa", &"a".repeat(100_000)] {
            assert_eq!(permalink_id("salt", key), None, "{key:.20}");
        }
        // every text of the length, whatever it is made of, is read without a fault
        for text in ["bcdegjklmno", "ccccccccccc", "99999999999", "RRRRRRRRRRR", "c9h9f9i9s9t"] {
            assert!(permalink_id("", text).is_none_or(|id| permalink_key("", id).len() >= PERMALINK_LENGTH));
        }
        for value in [0, 1, 43, 44, 99, 100, i32::MAX as u64] {
            assert_eq!(permalink_id("salt", &permalink_key("salt", value)), Some(value));
        }
    }
}
