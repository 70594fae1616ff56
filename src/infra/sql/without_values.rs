//! The text of a statement for the log: what it does, and not to which values.

use sqlparser::tokenizer::{Token, Whitespace};

use super::{dialect::dialect, guard, lex};

/// The text with a question mark for each literal, and without comments, which can hold anything. None when it cannot
/// be taken apart: it is not known then what is a value.
pub fn without_values(sql: &str, engine: &str) -> Option<String> {
    if !guard::is_short(sql) {
        return None;
    }
    let tokens = lex::tokens(sql, dialect(engine)).ok()?;
    let mut out = String::with_capacity(sql.len());
    for token in &tokens {
        match &token.token {
            Token::Whitespace(_) if out.ends_with(' ') => {}
            Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_))
            | Token::Whitespace(_) => out.push(' '),
            token if is_literal(token) => out.push('?'),
            token => out.push_str(&token.to_string()),
        }
    }
    out.truncate(out.trim_end().len());
    Some(out)
}

fn is_literal(token: &Token) -> bool {
    matches!(
        token,
        Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::TripleSingleQuotedString(_)
            | Token::TripleDoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::DoubleQuotedByteStringLiteral(_)
            | Token::TripleSingleQuotedByteStringLiteral(_)
            | Token::TripleDoubleQuotedByteStringLiteral(_)
            | Token::SingleQuotedRawStringLiteral(_)
            | Token::DoubleQuotedRawStringLiteral(_)
            | Token::TripleSingleQuotedRawStringLiteral(_)
            | Token::TripleDoubleQuotedRawStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::QuoteDelimitedStringLiteral(_)
            | Token::NationalQuoteDelimitedStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
    )
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn no_value_is_left() {
        let sql = "SELECT \"name\", sum(x) /* s3cret */ FROM t -- s3cret\nWHERE a = 's3cret' \
                   AND b IN (4711, 0.4711) LIMIT 4711;";
        let want = "SELECT \"name\", sum(x) FROM t WHERE a = ? AND b IN (?, ?) LIMIT ?;";
        assert_eq!(without_values(sql, "postgresql").as_deref(), Some(want));
        for (engine, literal) in [
            ("postgresql", "$$s3cret$$"),
            ("postgresql", "$x$s3cret$x$"),
            ("postgresql", "E'it\\'s3cret'"),
            ("postgresql", "U&'s3cret'"),
            ("postgresql", "DATE 's3cret'"),
            ("mysql", "\"s3cret\""),
            ("mysql", "'it\\'s3cret'"),
            ("mssql", "N's3cret'"),
            ("sqlite", "'it''s3cret'"),
            ("clickhouse", "'it\\'s3cret'"),
            ("trino", "'s3cret'"),
            ("unheard of", "'s3cret'"),
        ] {
            let text = without_values(&format!("SELECT a FROM t WHERE b = {literal}"), engine).unwrap();
            assert!(
                text.starts_with("SELECT a FROM t WHERE b = ") && text.ends_with('?'),
                "{engine}: {text}"
            );
            assert!(!text.contains("cret"), "{engine}: {text}");
        }
        assert_eq!(without_values("SELECT 'open", "postgresql"), None);
    }
}
