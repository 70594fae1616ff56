//! The parser's dialect of SQLite, with the shift operators that it leaves out.

use std::any::TypeId;

use sqlparser::{
    ast::{Expr, Statement},
    dialect::{Dialect, SQLiteDialect},
    parser::{Parser, ParserError},
};

const PARSER: SQLiteDialect = SQLiteDialect {};

/// SQLite as it is.
#[derive(Debug)]
pub(super) struct Sqlite;

impl Dialect for Sqlite {
    /// To the parser it is the dialect that it knows.
    fn dialect(&self) -> TypeId {
        TypeId::of::<SQLiteDialect>()
    }
    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        PARSER.is_delimited_identifier_start(ch)
    }
    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        PARSER.identifier_quote_style(identifier)
    }
    fn is_identifier_start(&self, ch: char) -> bool {
        PARSER.is_identifier_start(ch)
    }
    fn is_identifier_part(&self, ch: char) -> bool {
        PARSER.is_identifier_part(ch)
    }
    fn parse_statement(&self, parser: &mut Parser<'_>) -> Option<Result<Statement, ParserError>> {
        PARSER.parse_statement(parser)
    }
    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        expr: &Expr,
        precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        PARSER.parse_infix(parser, expr, precedence)
    }
    fn supports_filter_during_aggregation(&self) -> bool {
        PARSER.supports_filter_during_aggregation()
    }
    fn supports_start_transaction_modifier(&self) -> bool {
        PARSER.supports_start_transaction_modifier()
    }
    fn supports_in_empty_list(&self) -> bool {
        PARSER.supports_in_empty_list()
    }
    fn supports_limit_comma(&self) -> bool {
        PARSER.supports_limit_comma()
    }
    fn supports_asc_desc_in_column_definition(&self) -> bool {
        PARSER.supports_asc_desc_in_column_definition()
    }
    fn supports_dollar_placeholder(&self) -> bool {
        PARSER.supports_dollar_placeholder()
    }
    fn supports_notnull_operator(&self) -> bool {
        PARSER.supports_notnull_operator()
    }
    fn supports_comma_separated_trim(&self) -> bool {
        PARSER.supports_comma_separated_trim()
    }
    fn supports_numeric_literal_underscores(&self) -> bool {
        PARSER.supports_numeric_literal_underscores()
    }
}
