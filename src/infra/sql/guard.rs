//! Bounds that hold before the parser runs: size, and chains that would become trees too deep to walk.

use sqlparser::{
    keywords::Keyword,
    tokenizer::{Token, TokenWithSpan},
};

/// Longest text that is parsed, besides its lists of values.
pub(super) const MAX_BYTES: usize = 256 * 1024;
/// The same with them.
const MAX_BYTES_WITH_LISTS: usize = 4 << 20;
/// Most commas, blanks and quotes of a text that is longer than [`MAX_BYTES`]: as many values as a list may have.
const MAX_SEPARATORS: usize = 300_000;
/// Most tokens (without whitespace) of one text, besides those of lists.
const MAX_TOKENS: usize = 60_000;
/// Most literals and commas: lists of values behind IN come by the ten thousand.
const MAX_LISTED: usize = 400_000;
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

/// Whether a text is short enough to be taken apart. Lists of numbers and strings may be long, behind IN.
pub(super) fn is_short(sql: &str) -> bool {
    if sql.len() <= MAX_BYTES {
        return true;
    }
    if sql.len() > MAX_BYTES_WITH_LISTS {
        return false;
    }
    let (mut rest, mut separators, mut quoted) = (0, 0, false);
    for byte in sql.bytes() {
        match byte {
            b'\'' => {
                quoted = !quoted;
                separators += 1;
            }
            _ if quoted => {}
            b',' | b' ' | b'\t' | b'\r' | b'\n' => separators += 1,
            b'0'..=b'9' | b'.' | b'-' => {}
            _ => rest += 1,
        }
    }
    rest <= MAX_BYTES && separators <= MAX_SEPARATORS
}

/// Whether the text is flat enough to be parsed.
pub(super) fn is_bounded(tokens: &[TokenWithSpan]) -> bool {
    let mut levels = vec![Level::default()];
    let (mut count, mut listed) = (0, 0);
    for token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        match &token.token {
            Token::Comma | Token::Number(..) | Token::SingleQuotedString(_) => listed += 1,
            _ => count += 1,
        }
        if count > MAX_TOKENS || listed > MAX_LISTED {
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
