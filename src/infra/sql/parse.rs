//! Parsing within bounds.

use serde_json::json;
use sqlparser::{
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Location, Token, TokenWithSpan, Whitespace, Word},
};

use super::{
    dialect::{Family, SqlDialect, dialect},
    guard, lex, respell,
    script::{Script, Statement},
    unread::Unread,
};
use crate::error::{ErrorType, SupersetError};

/// Deepest nesting of parentheses, sub-queries and the like.
const MAX_DEPTH: usize = 60;

/// SQL that was not understood, or was too large or too deep to be (`SupersetParseError`).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// Text for the person.
    pub message: String,
    /// The SQL.
    pub sql: String,
    /// The engine whose SQL it was taken for.
    pub engine: String,
    /// Line of the error, from 1.
    pub line: Option<u64>,
    /// Column of the error, from 1.
    pub column: Option<u64>,
}

impl From<ParseError> for crate::Error {
    fn from(error: ParseError) -> Self {
        let superset = SupersetError::new(ErrorType::InvalidSqlError, error.message);
        // The issue codes follow what the exception itself says.
        let codes = superset.extra.clone().unwrap_or_default();
        let mut extra = serde_json::Map::new();
        extra.insert("sql".into(), json!(error.sql));
        extra.insert("engine".into(), json!(error.engine));
        extra.insert("line".into(), json!(error.line));
        extra.insert("column".into(), json!(error.column));
        extra.extend(codes);
        crate::Error::sip40(422, SupersetError { extra: Some(extra), ..superset })
    }
}

/// A text under the parser.
pub(super) struct Source<'a> {
    pub sql: &'a str,
    pub engine: &'a str,
    pub dialect: SqlDialect,
    tokens: Vec<TokenWithSpan>,
}

impl<'a> Source<'a> {
    pub fn new(sql: &'a str, engine: &'a str) -> Result<Self, ParseError> {
        let dialect = dialect(engine);
        let mut source = Self { sql, engine, dialect, tokens: Vec::new() };
        if !guard::is_short(sql) {
            return Err(source.error("Unable to parse script", None));
        }
        let tokens = lex::tokens(sql, dialect)
            .map_err(|error| source.error("Unable to parse script", Some(error.location)))?;
        source.tokens = respell::respelt(tokens, dialect.family)
            .ok_or_else(|| source.error("Unable to parse script", None))?;
        if !matches!(dialect.family, Family::Other | Family::Hive | Family::DuckDb | Family::ClickHouse) {
            source.tokens = structs_of_braces(std::mem::take(&mut source.tokens));
        }
        if dialect.family == Family::ClickHouse {
            times_with_zones(&mut source.tokens);
        }
        if dialect.family == Family::Sqlite {
            source.tokens = spell_out_is(std::mem::take(&mut source.tokens));
        }
        let knows_only = matches!(dialect.family, Family::Postgres | Family::DuckDb | Family::Generic);
        if knows_only && respell::has_only(&source.tokens) {
            return Err(source.error("Unable to parse script", None));
        }
        if !guard::is_bounded(&source.tokens) {
            return Err(source.error("Unable to parse script", None));
        }
        Ok(source)
    }

    pub fn parser(&self) -> Parser<'a> {
        Parser::new(self.dialect.parser)
            .with_recursion_limit(MAX_DEPTH)
            .with_tokens_with_locations(self.tokens.clone())
    }

    fn error(&self, message: &str, location: Option<Location>) -> ParseError {
        ParseError {
            message: message.to_owned(),
            sql: self.sql.to_owned(),
            engine: self.engine.to_owned(),
            line: location.map(|location| location.line),
            column: location.map(|location| location.column),
        }
    }

    /// The error at the token where the parser stands.
    pub fn error_at(&self, parser: &Parser<'_>, error: Option<&ParserError>) -> ParseError {
        if matches!(error, Some(ParserError::RecursionLimitExceeded)) {
            return self.error("Unable to parse script", None);
        }
        let is_end = |token: &TokenWithSpan| matches!(token.token, Token::EOF | Token::Whitespace(_));
        let here = parser.peek_token();
        // At the end of the text the last token is to blame.
        let token = if is_end(&here) {
            self.tokens.iter().rev().find(|token| !is_end(token)).cloned()
        } else {
            Some(here)
        };
        let Some(token) = token else { return self.error("Unable to parse script", None) };
        // The original points behind the token.
        let (line, column) = (token.span.end.line, token.span.end.column.saturating_sub(1));
        let near = token.token.to_string();
        ParseError {
            message: format!("Error parsing near '{near}' at line {line}:{column}"),
            sql: self.sql.to_owned(),
            engine: self.engine.to_owned(),
            line: Some(line),
            column: Some(column),
        }
    }
}

/// The parser knows no `DateTime('UTC')`: the type is read as one of the user's, and its zone as a word of it.
fn times_with_zones(tokens: &mut [TokenWithSpan]) {
    let plain = |zone: &str| zone.chars().all(|c| c.is_ascii_alphanumeric() || "_/+-".contains(c));
    for at in 2..tokens.len() {
        let (before, here) = tokens.split_at_mut(at);
        let [.., name, open] = before else { continue };
        let (Token::Word(word), Token::LParen, Some(zone)) = (&mut name.token, &open.token, here.first_mut())
        else {
            continue;
        };
        let is_time = word.quote_style.is_none() && word.value.eq_ignore_ascii_case("datetime");
        let Token::SingleQuotedString(text) = &zone.token else { continue };
        if !is_time || !plain(text) {
            continue;
        }
        word.keyword = Keyword::NoKeyword;
        let text = format!("'{text}'");
        zone.token = Token::Word(Word { value: text, quote_style: None, keyword: Keyword::NoKeyword });
    }
}

/// What is left of a template that names something unknown, `{{ x }}`, is a structure to sqlglot. The database then
/// says that it knows no `x`, which tells more than a brace out of place.
fn structs_of_braces(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let odbc = |token: &TokenWithSpan| match &token.token {
        Token::Word(word) => matches!(word.value.to_lowercase().as_str(), "d" | "t" | "ts" | "fn"),
        _ => false,
    };
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    // braces that keep their meaning
    let mut kept = 0_usize;
    while let Some(token) = rest.next() {
        let span = token.span;
        match token.token {
            Token::LBrace if rest.peek().is_some_and(odbc) => {
                kept += 1;
                out.push(token);
            }
            Token::LBrace => {
                out.push(TokenWithSpan { token: Token::make_word("STRUCT", None), span });
                out.push(TokenWithSpan { token: Token::LParen, span });
            }
            Token::RBrace if kept > 0 => {
                kept -= 1;
                out.push(token);
            }
            Token::RBrace => out.push(TokenWithSpan { token: Token::RParen, span }),
            _ => out.push(token),
        }
    }
    out
}

/// SQLite's IS compares any two values (`x IS 1`), which the parser only knows as IS NOT DISTINCT FROM.
fn spell_out_is(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let keyword = |token: &TokenWithSpan| match &token.token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    };
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let is_is = keyword(&token) == Keyword::IS;
        let span = token.span;
        out.push(token);
        if !is_is {
            continue;
        }
        let blank = |token: &TokenWithSpan| matches!(token.token, Token::Whitespace(_));
        while let Some(space) = rest.next_if(blank) {
            out.push(space);
        }
        let not = rest.next_if(|token| keyword(token) == Keyword::NOT);
        let mut spaces = Vec::new();
        while let Some(space) = rest.next_if(blank) {
            spaces.push(space);
        }
        let known = rest.peek().is_none_or(|next| {
            matches!(
                keyword(next),
                Keyword::NULL
                    | Keyword::TRUE
                    | Keyword::FALSE
                    | Keyword::UNKNOWN
                    | Keyword::DISTINCT
                    | Keyword::JSON
            ) || next.token == Token::EOF
        });
        let word = |text: &str| TokenWithSpan { token: Token::make_keyword(text), span };
        let blank = || TokenWithSpan { token: Token::Whitespace(Whitespace::Space), span };
        match (known, not) {
            (true, not) => out.extend(not),
            (false, Some(_)) => out.extend([word("DISTINCT"), blank(), word("FROM"), blank()]),
            (false, None) => {
                out.extend([word("NOT"), blank(), word("DISTINCT"), blank(), word("FROM"), blank()]);
            }
        }
        out.extend(spaces);
    }
    out
}

/// Parses a script of any number of statements.
pub fn parse(sql: &str, engine: &str) -> Result<Script, ParseError> {
    let source = Source::new(sql, engine)?;
    let mut parser = source.parser();
    let statements = parser.parse_statements().map_err(|error| source.error_at(&parser, Some(&error)))?;
    let statements = statements.into_iter().map(|ast| Statement::new(ast, source.dialect, engine)).collect();
    Ok(Script::new(statements))
}

/// The same; what cannot be parsed, though the engine may know it, becomes a script of one statement of which only the
/// words are known ([`Script::is_unread`]). Whoever takes such a script must know that the caller may read the whole
/// database and that no row-level rule is in force.
pub fn parse_or_take_unread(sql: &str, engine: &str) -> Result<Script, ParseError> {
    parse(sql, engine).or_else(|error| {
        let unread = Unread::of(sql, dialect(engine)).ok_or(error)?;
        Ok(Script::new(vec![Statement::unread(unread, dialect(engine), engine)]))
    })
}
