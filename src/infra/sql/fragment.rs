//! Expressions and predicates that people write into charts: parsed as one expression, never more, and printed again.

use std::ops::ControlFlow;

use sqlparser::{
    ast::{BinaryOperator, Expr, OrderByExpr, Query, SelectItem, Visit, Visitor},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::Token,
};

use super::{
    dialect::{Family, SqlDialect, dialect},
    format::Printer,
    functions::{self, Effect},
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
    if found.is_ok() || dialect(engine).family != Family::Mssql {
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
        let tables = match &self.content {
            Content::Expr(expr) => names::tables(expr.as_ref(), self.dialect),
            Content::Columns(items) => names::tables(items, self.dialect),
            Content::Order(items) => names::tables(items, self.dialect),
        };
        tables.unwrap_or_else(|| vec![TableName::unknown()])
    }

    /// Its calls that do more than to compute, in lower case.
    pub fn effects(&self) -> Vec<(String, Effect)> {
        let family = self.dialect.family;
        let calls = match &self.content {
            Content::Expr(expr) => functions::called(expr.as_ref(), family),
            Content::Columns(items) => functions::called(items, family),
            Content::Order(items) => functions::called(items, family),
        };
        calls.effects(family)
    }

    /// The text as one of several conditions joined by AND: in parentheses, unless it is a comparison or several that
    /// are joined by AND themselves. Superset 6.0.0 writes all of them bare, its next release none.
    pub fn condition_text(&self) -> String {
        let text = self.text();
        let is_bare = match &self.content {
            Content::Expr(expr) => is_conjunct(expr),
            Content::Columns(items) => {
                matches!(items.as_slice(), [SelectItem::UnnamedExpr(expr)] if is_conjunct(expr))
            }
            Content::Order(_) => false,
        };
        if is_bare { text } else { format!("({text})") }
    }

    /// Puts row-level rules into its sub-queries (`validate_adhoc_subquery`).
    pub fn apply_rls(&mut self, rules: &RlsRules) -> Result<(), ParseError> {
        let (dialect, sql, engine) = (self.dialect, &self.sql, &self.engine);
        let changed = match &mut self.content {
            Content::Expr(expr) => rls::apply(expr.as_mut(), rules, dialect, sql, engine),
            Content::Columns(items) => rls::apply(items, rules, dialect, sql, engine),
            Content::Order(items) => rls::apply(items, rules, dialect, sql, engine),
        }?;
        // what is executed is the text: it has to mean to the parser what was rewritten
        let text = self.text();
        if changed && order_by_expression(&text, engine).map(|again| again.text()) != Ok(text) {
            return Err(rls::refused(rls::REFUSED, sql, engine));
        }
        Ok(())
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

/// Whether nothing in an expression can be torn apart by an AND beside it.
fn is_conjunct(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(_) => true,
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => is_conjunct(left) && is_conjunct(right),
        Expr::BinaryOp { left, op, right } => {
            let compares = matches!(
                op,
                BinaryOperator::Eq
                    | BinaryOperator::NotEq
                    | BinaryOperator::Gt
                    | BinaryOperator::GtEq
                    | BinaryOperator::Lt
                    | BinaryOperator::LtEq
            );
            compares && is_operand(left) && is_operand(right)
        }
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => is_operand(inner),
        Expr::InList { expr, .. } => is_operand(expr),
        Expr::Between { expr, low, high, .. } => [expr, low, high].into_iter().all(|part| is_operand(part)),
        Expr::Like { expr, pattern, escape_char: None, .. }
        | Expr::ILike { expr, pattern, escape_char: None, .. } => is_operand(expr) && is_operand(pattern),
        _ => false,
    }
}

/// Whether an expression binds more closely than comparisons do everywhere: a name, a value, a call, a sum of such.
/// `||` does not: it is MySQL's OR.
fn is_operand(expr: &Expr) -> bool {
    use BinaryOperator::{Divide, Minus, Modulo, Multiply, Plus};
    match expr {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Value(_)
        | Expr::Function(_)
        | Expr::Nested(_)
        | Expr::Cast { .. } => true,
        Expr::BinaryOp { left, op: Plus | Minus | Multiply | Divide | Modulo, right } => {
            is_operand(left) && is_operand(right)
        }
        _ => false,
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
