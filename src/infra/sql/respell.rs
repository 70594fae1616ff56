//! What engines write and the parser does not know, in tokens that it knows.
//!
//! Some are only another spelling and stay changed. Others mean something of their own: they travel through the tree as
//! names that no text can hold ([`MARK`]), and are put back where it is printed ([`restore`]).

use std::iter::Peekable;

use sqlparser::{
    keywords::Keyword,
    tokenizer::{Token, TokenWithSpan, Whitespace, Word},
};

use super::{
    dialect::Family,
    lex::{LINE_BREAK, MARK},
};

/// What qualifies the name of a table behind ONLY, in the tree.
const ONLY: &str = "\u{10FFFC}ONLY";
/// The collation that stands for GLOBAL before IN, in the tree.
const GLOBAL: &str = "\u{10FFFC}GLOBAL";

/// Whether a part of a name is a mark and no name.
pub(super) fn is_mark(part: &str) -> bool {
    part.starts_with(MARK)
}

/// A printed text with what the marks stand for.
pub(super) fn restore(text: &str) -> String {
    let text = text.replace(LINE_BREAK, "\n");
    if !text.contains(MARK) {
        return text;
    }
    text.replace(&format!("\"{ONLY}\"."), "ONLY ").replace(&format!("COLLATE \"{GLOBAL}\""), "GLOBAL")
}

/// The tokens in the parser's spelling; none where a name is spelled in a way that cannot be.
pub(super) fn respelt(mut tokens: Vec<TokenWithSpan>, family: Family) -> Option<Vec<TokenWithSpan>> {
    if family == Family::Postgres {
        tokens = unicode_names(tokens)?;
    }
    if family == Family::Postgres || family.is_mysql() {
        tokens = table_commands(tokens);
    }
    if family == Family::Postgres {
        tokens = only(tokens);
    }
    if family == Family::Sqlite {
        names_of_pragmas(&mut tokens);
    }
    if family == Family::ClickHouse {
        tokens = global_in(tokens);
    }
    tokens = behind_operands(tokens, family);
    Some(tokens)
}

fn is_blank(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_))
}

/// The keyword that a token is; `NoKeyword` for everything else.
fn keyword(token: &Token) -> Keyword {
    match token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

/// Whether a token is a word, in any case, and not in quotes.
fn is_word(token: &Token, text: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

fn is_name(token: &Token) -> bool {
    matches!(token, Token::Word(_))
}

fn quoted(value: impl Into<String>) -> Token {
    Token::Word(Word { value: value.into(), quote_style: Some('"'), keyword: Keyword::NoKeyword })
}

/// The next token that is no blank, and where.
fn next(tokens: &[TokenWithSpan], from: usize) -> Option<(usize, &Token)> {
    let ahead = tokens.iter().enumerate().skip(from);
    ahead.filter(|(_, token)| !is_blank(token)).map(|(at, token)| (at, &token.token)).next()
}

/// PostgreSQL's `U&"\0441"`, with an escape of one's own after UESCAPE.
fn unicode_names(tokens: Vec<TokenWithSpan>) -> Option<Vec<TokenWithSpan>> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let begins = is_word(&token.token, "u");
        let [_, and, name, ..] = tokens.get(at..).unwrap_or_default() else {
            out.push(token.clone());
            at += 1;
            continue;
        };
        let Token::Word(Word { value, quote_style: Some('"'), .. }) = &name.token else {
            out.push(token.clone());
            at += 1;
            continue;
        };
        if !begins || and.token != Token::Ampersand {
            out.push(token.clone());
            at += 1;
            continue;
        }
        at += 3;
        let mut escape = '\\';
        if let Some((word, uescape)) = next(&tokens, at)
            && is_word(uescape, "uescape")
            && let Some((behind, Token::SingleQuotedString(own))) = next(&tokens, word + 1)
        {
            let mut letters = own.chars();
            escape = letters.next().filter(|_| letters.next().is_none())?;
            at = behind + 1;
        }
        out.push(TokenWithSpan { token: quoted(decoded(value, escape)?), span: token.span });
    }
    Some(out)
}

/// A name whose escapes are undone; the quotes inside stay doubled.
fn decoded(raw: &str, escape: char) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        if c != escape {
            if !units.is_empty() {
                return None;
            }
            out.push(c);
            continue;
        }
        if rest.next_if_eq(&escape).is_some() {
            out.push(escape);
            continue;
        }
        let length = if rest.next_if_eq(&'+').is_some() { 6 } else { 4 };
        let code = digits(&mut rest, length)?;
        match u16::try_from(code) {
            // halves of a pair
            Ok(unit) if (0xD800..0xE000).contains(&unit) => {
                units.push(unit);
                if let [_, _] = units.as_slice() {
                    out.push_str(&String::from_utf16(&units).ok()?);
                    units.clear();
                }
            }
            _ if !units.is_empty() => return None,
            _ => match char::from_u32(code)? {
                '\0' => return None,
                '"' => out.push_str("\"\""),
                c if c == MARK || c == LINE_BREAK => return None,
                c => out.push(c),
            },
        }
    }
    units.is_empty().then_some(out)
}

fn digits(rest: &mut Peekable<std::str::Chars<'_>>, length: usize) -> Option<u32> {
    let mut code = 0;
    for _ in 0..length {
        code = code * 16 + rest.next()?.to_digit(16)?;
    }
    Some(code)
}

/// `TABLE t`, where a query may stand, is `SELECT * FROM t`. The parser knows it, but forgets how the name is written.
fn table_commands(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out = Vec::with_capacity(tokens.len());
    // the token before, and the first one of the statement
    let (mut before, mut first): (Option<Token>, Option<Keyword>) = (None, None);
    for (at, token) in tokens.iter().enumerate() {
        if is_blank(token) {
            out.push(token.clone());
            continue;
        }
        let here = keyword(&token.token);
        let begins = match &before {
            None | Some(Token::SemiColon | Token::LParen | Token::RParen) => true,
            Some(before) => match keyword(before) {
                Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::ALL => true,
                Keyword::DISTINCT | Keyword::EXPLAIN | Keyword::ANALYZE | Keyword::VERBOSE => true,
                Keyword::AS => first == Some(Keyword::CREATE),
                _ => false,
            },
        };
        let follows = || next(&tokens, at + 1).is_some_and(|(_, token)| is_name(token));
        if here == Keyword::TABLE && begins && follows() {
            let span = token.span;
            let blank = || Token::Whitespace(Whitespace::Space);
            let words =
                [Token::make_keyword("SELECT"), blank(), Token::Mul, blank(), Token::make_keyword("FROM")];
            out.extend(words.into_iter().map(|token| TokenWithSpan { token, span }));
        } else {
            out.push(token.clone());
        }
        first = if token.token == Token::SemiColon { None } else { first.or(Some(here)) };
        before = Some(token.token.clone());
    }
    out
}

/// What stands before ONLY where it names no table: at the end of FETCH and READ. PostgreSQL reserves the word.
const ENDS_WITH_ONLY: [Keyword; 3] = [Keyword::ROW, Keyword::ROWS, Keyword::READ];

/// `ONLY t`, which the parser takes for a table `only` with the alias `t`: what is read would not be what is judged.
pub(super) fn has_only(tokens: &[TokenWithSpan]) -> bool {
    let mut before = Keyword::NoKeyword;
    for token in tokens.iter().filter(|token| !is_blank(token)) {
        let here = keyword(&token.token);
        if here == Keyword::ONLY && !ENDS_WITH_ONLY.contains(&before) {
            return true;
        }
        before = here;
    }
    false
}

/// `ONLY t` and `ONLY (t)`: a table without those that inherit from it.
fn only(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut before = Keyword::NoKeyword;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_only = keyword(&token.token) == Keyword::ONLY && !ENDS_WITH_ONLY.contains(&before);
        let behind = if is_only { next(&tokens, at + 1) } else { None };
        let name = behind.and_then(|(start, first)| name_behind(&tokens, start, first));
        let Some((name, behind)) = name else {
            if !is_blank(token) {
                before = keyword(&token.token);
            }
            out.push(token.clone());
            at += 1;
            continue;
        };
        let span = token.span;
        out.push(TokenWithSpan { token: quoted(ONLY), span });
        out.push(TokenWithSpan { token: Token::Period, span });
        out.extend(name);
        at = behind;
    }
    out
}

/// The tokens of a name at a place, parentheses around it left out, and where it ends.
fn name_behind(tokens: &[TokenWithSpan], start: usize, first: &Token) -> Option<(Vec<TokenWithSpan>, usize)> {
    if is_name(first) {
        return Some((Vec::new(), start));
    }
    if *first != Token::LParen {
        return None;
    }
    let mut name = Vec::new();
    let mut at = start + 1;
    loop {
        let (here, token) = next(tokens, at)?;
        let token = tokens.get(here).filter(|_| is_name(token) || *token == Token::Period)?;
        name.push(token.clone());
        at = here + 1;
        if let (end, Token::RParen) = next(tokens, at)? {
            return Some((name, end + 1));
        }
    }
}

/// `PRAGMA table_info(t)`: the parser knows values there, and SQLite takes a string for a name.
fn names_of_pragmas(tokens: &mut [TokenWithSpan]) {
    let seen: Vec<usize> =
        tokens.iter().enumerate().filter(|(_, token)| !is_blank(token)).map(|(at, _)| at).collect();
    for (place, at) in seen.iter().enumerate() {
        let token = |place: usize| seen.get(place).and_then(|at| tokens.get(*at)).map(|token| &token.token);
        let begins = place == 0 || token(place - 1) == Some(&Token::SemiColon);
        let is_pragma = tokens.get(*at).is_some_and(|token| keyword(&token.token) == Keyword::PRAGMA);
        if !begins || !is_pragma {
            continue;
        }
        let open = match token(place + 2) {
            Some(Token::Period) => place + 4,
            _ => place + 2,
        };
        let (Some(Token::LParen), Some(Token::RParen)) = (token(open), token(open + 2)) else { continue };
        let Some(Token::Word(word)) = token(open + 1) else { continue };
        let close = word.quote_style.map(|quote| if quote == '[' { ']' } else { quote });
        let meaning = match close {
            Some(close) => word.value.replace(&format!("{close}{close}"), &close.to_string()),
            None => word.value.clone(),
        };
        let text = Token::SingleQuotedString(meaning.replace('\'', "''"));
        if let Some(name) = seen.get(open + 1).and_then(|at| tokens.get_mut(*at)) {
            name.token = text;
        }
    }
}

/// Words behind which a value begins, or which are none themselves.
const NO_VALUE: &[Keyword] = &[
    Keyword::ALL,
    Keyword::AND,
    Keyword::AS,
    Keyword::BETWEEN,
    Keyword::BY,
    Keyword::CASE,
    Keyword::DISTINCT,
    Keyword::ELSE,
    Keyword::FROM,
    Keyword::HAVING,
    Keyword::ILIKE,
    Keyword::IN,
    Keyword::IS,
    Keyword::JOIN,
    Keyword::LIKE,
    Keyword::LIMIT,
    Keyword::NOT,
    Keyword::OFFSET,
    Keyword::ON,
    Keyword::OR,
    Keyword::RETURNING,
    Keyword::SELECT,
    Keyword::SET,
    Keyword::THEN,
    Keyword::USING,
    Keyword::WHEN,
    Keyword::WHERE,
    Keyword::XOR,
];

fn ends_value(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.quote_style.is_some() || !NO_VALUE.contains(&word.keyword),
        Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen | Token::RBracket => true,
        _ => false,
    }
}

/// Operators that are words to the parser: `x ISNULL`, which it takes for the name of a column, and MySQL's `x MOD 2`.
fn behind_operands(tokens: Vec<TokenWithSpan>, family: Family) -> Vec<TokenWithSpan> {
    let knows_isnull = matches!(family, Family::Postgres | Family::Sqlite | Family::DuckDb);
    let word = if knows_isnull { "isnull" } else { "mod" };
    if !knows_isnull && !family.is_mysql() || !tokens.iter().any(|token| is_word(&token.token, word)) {
        return tokens;
    }
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut before: Option<&Token> = None;
    for (at, token) in tokens.iter().enumerate() {
        let calls = || matches!(next(&tokens, at + 1), Some((_, Token::LParen)));
        if !is_word(&token.token, word) || !before.is_some_and(ends_value) || knows_isnull && calls() {
            out.push(token.clone());
        } else if knows_isnull {
            let blank = Token::Whitespace(Whitespace::Space);
            let words = [Token::make_keyword("IS"), blank, Token::make_keyword("NULL")];
            out.extend(words.into_iter().map(|word| TokenWithSpan { token: word, span: token.span }));
        } else {
            out.push(TokenWithSpan { token: Token::Mod, span: token.span });
        }
        if !is_blank(token) {
            before = Some(&token.token);
        }
    }
    out
}

/// ClickHouse's `x GLOBAL IN …` and `x GLOBAL NOT IN …`.
fn global_in(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let is_global = is_word(&token.token, "global");
        let is_in = || match next(&tokens, at + 1) {
            Some((at, word)) if keyword(word) == Keyword::NOT => {
                next(&tokens, at + 1).is_some_and(|(_, word)| keyword(word) == Keyword::IN)
            }
            Some((_, word)) => keyword(word) == Keyword::IN,
            None => false,
        };
        if is_global && is_in() {
            let span = token.span;
            let blank = Token::Whitespace(Whitespace::Space);
            let words = [Token::make_keyword("COLLATE"), blank, quoted(GLOBAL)];
            out.extend(words.into_iter().map(|token| TokenWithSpan { token, span }));
        } else {
            out.push(token.clone());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::sql::parse;

    fn flat(sql: &str, engine: &str) -> String {
        parse(sql, engine).unwrap().statements()[0].format_flat()
    }

    fn tables(sql: &str, engine: &str) -> Vec<String> {
        let name = |t: crate::sql::TableName| {
            [t.catalog, t.schema, Some(t.table)].into_iter().flatten().collect::<Vec<_>>().join("/")
        };
        parse(sql, engine).unwrap().tables().into_iter().map(name).collect()
    }

    #[test]
    fn names_in_escapes_are_what_they_spell() {
        let sql = r#"SELECT U&"d\0061t\+000061", u&"!0441""x" UESCAPE '!', t.U&"\D83D\DE00" FROM U&"s\0065cret" AS t"#;
        assert_eq!(flat(sql, "postgresql"), "SELECT \"data\", \"с\"\"x\", t.\"😀\" FROM \"secret\" AS t");
        assert_eq!(tables(sql, "postgresql"), ["secret"]);
        assert_eq!(flat("SELECT u & \"b\" FROM t", "postgresql"), "SELECT u & \"b\" FROM t");
        for broken in [r#"U&"\00""#, r#"U&"\D83D""#, r#"U&"\DE00x""#, r#"U&"\0000""#, r#"U&"a" UESCAPE 'xy'"#]
        {
            assert!(parse(&format!("SELECT {broken}"), "postgresql").is_err(), "{broken}");
        }
    }

    #[test]
    fn a_table_command_is_a_query() {
        let star = |of: &str| format!("SELECT * FROM {of}");
        assert_eq!(flat("TABLE t", "postgresql"), star("t"));
        assert_eq!(flat("table \"T\" order by 1 limit 2", "postgresql"), star("\"T\" ORDER BY 1 LIMIT 2"));
        assert_eq!(flat("TABLE s.t", "mysql"), star("s.t"));
        assert_eq!(
            flat("(TABLE a) UNION ALL TABLE ONLY b", "postgresql"),
            "(SELECT * FROM a) UNION ALL SELECT * FROM ONLY b"
        );
        assert_eq!(
            flat("WITH w AS (TABLE t) TABLE w", "postgresql"),
            "WITH w AS (SELECT * FROM t) SELECT * FROM w"
        );
        assert_eq!(tables("WITH w AS (TABLE t) TABLE w", "postgresql"), ["t"]);
        assert_eq!(tables("SELECT (TABLE \"Secret\")", "postgresql"), ["Secret"]);
        assert_eq!(flat("SELECT 1 AS table", "postgresql"), "SELECT 1 AS table");
        assert!(parse("DROP TABLE t", "postgresql").unwrap().has_mutation());
        assert!(parse("CREATE TABLE x AS TABLE y", "postgresql").unwrap().has_mutation());
        assert_eq!(tables("CREATE TABLE x AS TABLE y", "postgresql"), ["x", "y"]);
    }

    #[test]
    fn only_is_kept() {
        for (sql, text) in [
            ("SELECT * FROM ONLY t", "SELECT * FROM ONLY t"),
            ("SELECT * FROM ONLY (s.t) AS x", "SELECT * FROM ONLY s.t AS x"),
            ("SELECT * FROM a JOIN only \"T\" ON true", "SELECT * FROM a JOIN ONLY \"T\" ON TRUE"),
            ("SELECT 1 FROM t FETCH FIRST 2 ROWS ONLY", "SELECT 1 FROM t FETCH FIRST 2 ROWS ONLY"),
            ("DELETE FROM ONLY t", "DELETE FROM ONLY t"),
        ] {
            assert_eq!(flat(sql, "postgresql"), text);
        }
        assert_eq!(tables("SELECT * FROM ONLY (s.t) AS x, ONLY b", "postgresql"), ["s/t", "b"]);
        // no CTE in doubt: the name is to be granted
        assert_eq!(tables("WITH t AS (SELECT 1) SELECT * FROM ONLY t", "postgresql"), ["t"]);
        assert!(parse("SELECT * FROM ONLY (SELECT 1)", "postgresql").is_err());
        assert!(parse("SELECT * FROM ONLY t", "base").is_err());
    }

    #[test]
    fn pragmas_take_names() {
        assert_eq!(flat("PRAGMA table_info(t)", "sqlite"), "PRAGMA table_info('t')");
        assert_eq!(flat("pragma main.table_info(\"o'd\")", "sqlite"), "PRAGMA main.table_info('o''d')");
        assert!(!parse("PRAGMA table_info(t)", "sqlite").unwrap().has_mutation());
        assert!(parse("PRAGMA writable_schema(on)", "sqlite").is_ok_and(|s| s.has_mutation()));
        assert_eq!(tables("PRAGMA main.table_info(secret)", "sqlite"), ["main/secret"]);
        assert_eq!(tables("PRAGMA index_info(i)", "sqlite"), [""]);
        assert_eq!(tables("PRAGMA foreign_keys", "sqlite"), Vec::<String>::new());
    }

    #[test]
    fn words_that_are_operators() {
        let null = "SELECT x IS NULL, 1 IS NULL, (y) IS NULL FROM t WHERE a IS NULL";
        for engine in ["postgresql", "sqlite"] {
            assert_eq!(flat("SELECT x ISNULL, 1 isnull, (y) IsNull FROM t WHERE a ISNULL", engine), null);
        }
        let names = "SELECT 1 AS isnull, t.isnull FROM t";
        assert_eq!(flat(names, "postgresql"), names);
        assert_eq!(
            flat("SELECT x mod 2, (y) MOD (3), MOD(5, 2) FROM t", "mysql"),
            "SELECT x % 2, (y) % (3), 5 % 2 FROM t"
        );
        assert_eq!(flat("SELECT ISNULL(x) FROM t", "mysql"), "SELECT ISNULL(x) FROM t");
    }

    #[test]
    fn global_in_is_kept() {
        for (sql, text) in [
            ("SELECT a + b GLOBAL IN (SELECT x FROM t)", "SELECT a + b GLOBAL IN (SELECT x FROM t)"),
            (
                "SELECT 1 FROM a WHERE (a, b) global not in (1, 2)",
                "SELECT 1 FROM a WHERE NOT (a, b) GLOBAL IN (1, 2)",
            ),
        ] {
            assert_eq!(flat(sql, "clickhouse"), text);
        }
        assert_eq!(tables("SELECT 1 FROM a WHERE x GLOBAL IN secret", "clickhouse"), ["a", "secret"]);
        assert_eq!(
            flat("SELECT 1 FROM a GLOBAL INNER JOIN b ON a.x = b.x", "clickhouse"),
            "SELECT 1 FROM a GLOBAL INNER JOIN b ON a.x = b.x"
        );
    }
}
