//! Expressions and predicates that people write into charts: parsed as one expression, never more, and printed again.

use std::ops::ControlFlow;

use sqlparser::{
    ast::{Expr, OrderByExpr, Query, SelectItem, Visit, Visitor},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::Token,
};

use super::{
    dialect::SqlDialect,
    format::Printer,
    names::{self, TableName},
    parse::{ParseError, Source},
    rls::{self, RlsRules},
};

/// One parsed piece of SQL.
#[derive(Debug)]
pub struct Fragment {
    content: Content,
    dialect: SqlDialect,
    sql: String,
    engine: String,
}

#[derive(Debug)]
enum Content {
    Expr(Box<Expr>),
    Columns(Vec<SelectItem>),
    Order(Vec<OrderByExpr>),
}

/// A predicate on its own (`sanitize_clause`).
pub fn clause(sql: &str, engine: &str) -> Result<Fragment, ParseError> {
    whole(sql, sql, engine, |parser| parser.parse_expr().map(Box::new).map(Content::Expr))
}

/// What stands behind SELECT: one expression. The text of errors shows it there.
pub fn select_expression(sql: &str, engine: &str) -> Result<Fragment, ParseError> {
    let shown = format!("SELECT {sql}");
    let found = whole(&shown, sql, engine, |parser| {
        parser.expect_keyword_is(Keyword::SELECT)?;
        parser.parse_comma_separated(|parser| parser.parse_select_item()).map(Content::Columns)
    });
    if found.is_ok() || engine != "mssql" {
        return found;
    }
    // SQL Server takes `x = 1` for a column of the name `x`; in an expression it is a comparison.
    let comparison = whole(&shown, sql, engine, |parser| {
        parser.expect_keyword_is(Keyword::SELECT)?;
        let expr = parser.parse_expr()?;
        Ok(Content::Columns(vec![SelectItem::UnnamedExpr(expr)]))
    });
    comparison.or(found)
}

/// What stands behind ORDER BY.
pub fn order_by_expression(sql: &str, engine: &str) -> Result<Fragment, ParseError> {
    whole(sql, sql, engine, |parser| {
        parser.parse_comma_separated(|parser| parser.parse_order_by_expr()).map(Content::Order)
    })
}

type Reader = fn(&mut Parser<'_>) -> Result<Content, ParserError>;

fn whole(shown: &str, sql: &str, engine: &str, read: Reader) -> Result<Fragment, ParseError> {
    let fragment = once(shown, sql, engine, read)?;
    // What is executed is our own text: it has to mean the same to the parser as what was judged.
    let text = fragment.text();
    // The parser knows no REAL with arguments, which is what sqlglot makes of DECIMAL for SQLite.
    let known = text.replace("REAL(", "DECIMAL(");
    let prefix = shown.strip_suffix(sql).unwrap_or_default();
    let again = once(&format!("{prefix}{known}"), &known, engine, read);
    if again.is_ok_and(|again| again.text().eq_ignore_ascii_case(&text)) {
        return Ok(fragment);
    }
    Err(ParseError {
        message: "Unable to parse script".to_owned(),
        sql: shown.to_owned(),
        engine: engine.to_owned(),
        line: None,
        column: None,
    })
}

fn once(shown: &str, sql: &str, engine: &str, read: Reader) -> Result<Fragment, ParseError> {
    let source = Source::new(shown, engine)?;
    let mut parser = source.parser();
    let content = read(&mut parser).map_err(|error| source.error_at(&parser, Some(&error)))?;
    // Nothing may follow: not a second statement, not a UNION, not a closing parenthesis too many.
    if parser.peek_token().token != Token::EOF {
        return Err(source.error_at(&parser, None));
    }
    let fragment =
        Fragment { content, dialect: source.dialect, sql: sql.to_owned(), engine: engine.to_owned() };
    if !fragment.is_one_column() {
        return Err(source.error_at(&parser, None));
    }
    Ok(fragment)
}

impl Fragment {
    fn is_one_column(&self) -> bool {
        match &self.content {
            Content::Columns(items) => matches!(items.as_slice(), [SelectItem::UnnamedExpr(_)]),
            Content::Expr(_) | Content::Order(_) => true,
        }
    }

    /// Whether it holds a sub-query anywhere.
    pub fn has_subquery(&self) -> bool {
        match &self.content {
            Content::Expr(expr) => contains_query(expr.as_ref()),
            Content::Columns(items) => contains_query(items),
            Content::Order(items) => contains_query(items),
        }
    }

    /// Tables that its sub-queries read; a computed name appears as a table without a name.
    pub fn tables(&self) -> Vec<TableName> {
        let family = self.dialect.family;
        let tables = match &self.content {
            Content::Expr(expr) => names::tables(expr.as_ref(), family),
            Content::Columns(items) => names::tables(items, family),
            Content::Order(items) => names::tables(items, family),
        };
        tables.unwrap_or_else(|| vec![TableName::unknown()])
    }

    /// Puts row-level rules into its sub-queries.
    pub fn apply_rls(&mut self, rules: &RlsRules) -> Result<(), ParseError> {
        let (dialect, sql, engine) = (self.dialect, &self.sql, &self.engine);
        match &mut self.content {
            Content::Expr(expr) => rls::apply(expr.as_mut(), rules, dialect, sql, engine),
            Content::Columns(items) => rls::apply(items, rules, dialect, sql, engine),
            Content::Order(items) => rls::apply(items, rules, dialect, sql, engine),
        }
    }

    /// The text on one line.
    pub fn text(&self) -> String {
        let printer = Printer::new(self.dialect.family, false);
        match &self.content {
            Content::Expr(expr) => printer.expr(expr),
            Content::Columns(items) => printer.select_items(items),
            Content::Order(items) => printer.order_items(items),
        }
    }
}

fn contains_query(node: &impl Visit) -> bool {
    struct Finder;
    impl Visitor for Finder {
        type Break = ();
        fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    node.visit(&mut Finder).is_break()
}
