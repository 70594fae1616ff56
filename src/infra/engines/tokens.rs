//! Words and signs of a text, for guards that judge statements before they are sent.

/// Cuts a text into them. `step` tells of a text and its first character how many bytes belong together, and whether
/// they count: blanks and comments do not.
pub(super) fn tokens(sql: &str, step: impl Fn(&str, char) -> (usize, bool)) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), sql);
    while let Some(c) = rest.chars().next() {
        let (length, counts) = step(rest, c);
        // whatever it tells, the text comes to its end
        let (token, after) = rest.split_at_checked(length.max(1)).unwrap_or((rest, ""));
        if counts {
            found.push(token);
        }
        rest = after;
    }
    found
}

/// The length of the word that a text begins with.
pub(super) fn word(text: &str, is_word: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !is_word(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_to_its_end() {
        let step = |rest: &str, c: char| match c {
            ' ' => (1, false),
            c if c.is_alphanumeric() => (word(rest, char::is_alphanumeric), true),
            // neither moves on by itself, nor ends between two letters
            _ => (0, true),
        };
        assert_eq!(tokens("ab \u{e4}1;", step), ["ab", "\u{e4}1", ";"]);
        assert_eq!(tokens("a\u{2028}b", step), ["a", "\u{2028}b"]);
        assert!(tokens("", step).is_empty());
    }
}
