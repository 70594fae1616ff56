//! Bounds that hold before the parser runs: size, and chains that would become trees too deep to walk.

use sqlparser::{
    keywords::Keyword,
    tokenizer::{Token, TokenWithSpan},
};

/// Longest text that is parsed.
pub(super) const MAX_BYTES: usize = 256 * 1024;
/// Most tokens (without whitespace) of one text.
const MAX_TOKENS: usize = 60_000;
/// Most AND and OR of one chain.
const MAX_CONNECTORS: usize = 2_000;
/// Most other operators of one chain: the parser makes a level of the tree of each.
const MAX_OPERATORS: usize = 300;
/// Most UNIONs of one level.
const MAX_SET_OPERATIONS: usize = 200;

#[derive(Default, Clone, Copy)]
struct Level {
    connectors: usize,
    operators: usize,
    set_operations: usize,
}

/// Whether the text is small and flat enough to be parsed.
pub(super) fn is_bounded(tokens: &[TokenWithSpan]) -> bool {
    let mut levels = vec![Level::default()];
    let mut count = 0;
    for token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        count += 1;
        if count > MAX_TOKENS {
            return false;
        }
        let Some(level) = levels.last_mut() else { return false };
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                // `x[1][2]` and `f(1)(2)` nest to the left like operators.
                level.operators += usize::from(!matches!(token.token, Token::LParen));
                levels.push(Level::default());
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                levels.pop();
                if levels.is_empty() {
                    levels.push(Level::default());
                }
            }
            Token::Comma | Token::SemiColon => (level.connectors, level.operators) = (0, 0),
            Token::Word(word) if word.quote_style.is_none() => match word.keyword {
                Keyword::NoKeyword => {}
                Keyword::AND | Keyword::OR | Keyword::XOR => {
                    level.connectors += 1;
                    level.operators = 0;
                }
                Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::MINUS => {
                    level.set_operations += 1;
                    (level.connectors, level.operators) = (0, 0);
                }
                Keyword::SELECT
                | Keyword::FROM
                | Keyword::WHERE
                | Keyword::GROUP
                | Keyword::HAVING
                | Keyword::ORDER
                | Keyword::BY
                | Keyword::WHEN
                | Keyword::THEN
                | Keyword::ELSE
                | Keyword::ON
                | Keyword::JOIN
                | Keyword::LIMIT => (level.connectors, level.operators) = (0, 0),
                _ => level.operators += 1,
            },
            Token::Word(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::Period => {}
            _ => level.operators += 1,
        }
        if let Some(level) = levels.last()
            && (level.connectors > MAX_CONNECTORS
                || level.operators > MAX_OPERATORS
                || level.set_operations > MAX_SET_OPERATIONS)
        {
            return false;
        }
    }
    true
}
