//! Whether two SQL texts differ in blanks only.

use sqlparser::tokenizer::{Token, Whitespace};

use super::{dialect::dialect, guard, lex};

/// The words and signs of a text, without the blanks between them. Comments count: some engines obey them. A text that
/// cannot be taken apart (an open quote, a template) stands for itself.
pub fn spelling(sql: &str, engine: &str) -> Vec<String> {
    let whole = || vec![sql.trim().to_owned()];
    if !guard::is_short(sql) {
        return whole();
    }
    let is_blank = |token: &Token| {
        matches!(token, Token::Whitespace(Whitespace::Space | Whitespace::Newline | Whitespace::Tab))
    };
    match lex::tokens(sql, dialect(engine)) {
        Ok(tokens) => tokens.iter().filter(|t| !is_blank(&t.token)).map(|t| t.token.to_string()).collect(),
        Err(_) => whole(),
    }
}

#[cfg(test)]
mod tests {
    use super::spelling;

    #[test]
    fn blanks_do_not_count_and_everything_else_does() {
        let same = |a: &str, b: &str| spelling(a, "postgresql") == spelling(b, "postgresql");
        assert!(same("(big > 5)", "( big  >\n\t5 )"));
        assert!(same("sum(a)/ count(*)", "sum( a ) / count( * )"));
        assert!(!same("name = 'a b'", "name = 'a  b'"));
        assert!(!same("\"a b\"", "\"a  b\""));
        assert!(!same("a b", "ab"));
        assert!(!same("a", "A"));
        assert!(!same("a -- b\nAND c", "a -- b AND c"));
        assert!(!same("a /*! b */", "a"));
        assert!(!same("x = 'open", "x = 'open '"));
    }
}
