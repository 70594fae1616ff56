//! Names of files in bundles (`superset.utils.file:get_filename`, `werkzeug.utils:secure_filename`).

use unicode_normalization::UnicodeNormalization as _;

/// A name that means nothing to a file system: ASCII, no separators, no points at its ends; it may be empty.
pub fn secure(name: &str) -> String {
    let ascii: String = name.nfkd().filter(char::is_ascii).collect();
    let spaced = ascii.replace('/', " ");
    // Python's `split()` knows some control characters as white, too
    let white = |c: char| c.is_ascii_whitespace() || matches!(c, '\u{b}' | '\u{1c}'..='\u{1f}');
    let joined = spaced.split(white).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_");
    let kept: String =
        joined.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')).collect();
    kept.trim_matches(['.', '_']).to_owned()
}

/// `<slug>_<id>`, or only the id where nothing is left of the name.
pub fn with_id(name: &str, id: i64) -> String {
    match secure(name) {
        slug if slug.is_empty() => id.to_string(),
        slug => format!("{slug}_{id}"),
    }
}

/// `<slug>`, or the id where nothing is left of the name.
pub fn without_id(name: &str, id: i64) -> String {
    match secure(name) {
        slug if slug.is_empty() => id.to_string(),
        slug => slug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_werkzeug_makes_them() {
        for (name, want) in [
            ("a/b\\c x", "a_bc_x"),
            ("../../etc/passwd", "etc_passwd"),
            ("Ünï cödé ✓", "Uni_code"),
            ("数字", ""),
            ("  lead  ", "lead"),
            ("...dots... ", "dots"),
            ("q\"uo'te <b> &", "quote_b"),
            ("_under_", "under"),
            ("a__b--c..d", "a__b--c..d"),
            ("ﬁ①", "fi1"),
        ] {
            assert_eq!(secure(name), want, "{name}");
        }
        assert_eq!(
            (with_id("数", 7), without_id("数", 7), with_id("a b", 7)),
            ("7".into(), "7".into(), "a_b_7".into())
        );
    }
}
