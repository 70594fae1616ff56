//! Jinja's grammar, without inheritance and includes: queries are single texts.

use std::rc::Rc;

use super::ast::{Args, Expr, MacroDef, Stmt, Target};
use super::error::SyntaxError;
use super::lexer::{Tok, Token, tokens};

/// Operators, filters and attributes in one expression: each makes its tree one deeper.
const MAX_CHAIN: usize = 150;
/// Nesting of expressions and statements.
const MAX_DEPTH: usize = 60;

type Parsed<T> = Result<T, SyntaxError>;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    chain: usize,
}

/// The statements of a template.
pub(super) fn parse(text: &str) -> Parsed<Vec<Stmt>> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, chain: 0 };
    let body = parser.statements(&[])?;
    Ok(body)
}

fn describe(tok: &Tok) -> String {
    match tok {
        Tok::Data(_) => "template data / text".to_owned(),
        Tok::VariableBegin => "begin of print statement".to_owned(),
        Tok::VariableEnd => "end of print statement".to_owned(),
        Tok::BlockBegin => "begin of statement block".to_owned(),
        Tok::BlockEnd => "end of statement block".to_owned(),
        Tok::Name(name) => name.clone(),
        Tok::Int(_) => "integer".to_owned(),
        Tok::Float(_) => "float".to_owned(),
        Tok::Str(_) => "string".to_owned(),
        Tok::Op(op) => (*op).to_owned(),
        Tok::Eof => "end of template".to_owned(),
    }
}

impl Parser {
    fn peek(&self) -> &Tok {
        self.tokens.get(self.at).map_or(&Tok::Eof, |t| &t.tok)
    }

    fn look(&self, ahead: usize) -> &Tok {
        self.tokens.get(self.at + ahead).map_or(&Tok::Eof, |t| &t.tok)
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |t| t.line)
    }

    fn next(&mut self) -> Tok {
        let tok = self.peek().clone();
        self.at += 1;
        tok
    }

    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(SyntaxError { message: message.into(), line: self.line() })
    }

    fn is_op(&self, op: &str) -> bool {
        matches!(self.peek(), Tok::Op(o) if *o == op)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.peek(), Tok::Name(n) if n == name)
    }

    fn skip_op(&mut self, op: &str) -> bool {
        let found = self.is_op(op);
        self.at += usize::from(found);
        found
    }

    fn skip_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        self.at += usize::from(found);
        found
    }

    fn expect_op(&mut self, op: &str) -> Parsed<()> {
        if self.skip_op(op) { Ok(()) } else { self.unexpected(op) }
    }

    fn unexpected<T>(&self, expected: &str) -> Parsed<T> {
        match self.peek() {
            Tok::Eof => self.fail(format!("unexpected end of template, expected '{expected}'.")),
            tok => self.fail(format!("expected token '{expected}', got '{}'", describe(tok))),
        }
    }

    fn name(&mut self) -> Parsed<String> {
        match self.peek().clone() {
            Tok::Name(name) => {
                self.at += 1;
                Ok(name)
            }
            _ => self.unexpected("name"),
        }
    }

    fn end_of_block(&mut self) -> Parsed<()> {
        if *self.peek() == Tok::BlockEnd {
            self.at += 1;
            return Ok(());
        }
        self.unexpected("end of statement block")
    }

    /// One link more in an expression.
    fn link(&mut self) -> Parsed<()> {
        self.chain += 1;
        if self.chain > MAX_CHAIN { self.fail("expression is too long") } else { Ok(()) }
    }

    fn link_if(&mut self, ops: &[char]) -> Parsed<()> {
        let follows = match self.peek() {
            Tok::Op(op) => op.chars().next().is_some_and(|c| op.len() == 1 && ops.contains(&c)),
            Tok::Name(name) => name == "is",
            _ => false,
        };
        if follows { self.link() } else { Ok(()) }
    }

    fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return self.fail("template is nested too deeply");
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// Statements up to one of the end tags, whose name stays to be read.
    fn statements(&mut self, ends: &[&str]) -> Parsed<Vec<Stmt>> {
        let mut out = Vec::new();
        loop {
            self.chain = 0;
            match self.next() {
                Tok::Eof if ends.is_empty() => return Ok(out),
                Tok::Eof => {
                    let list: Vec<_> = ends.iter().map(|e| format!("'{e}'")).collect();
                    let innermost = ends.last().copied().unwrap_or("").trim_start_matches("end");
                    return self.fail(format!(
                        "Unexpected end of template. Jinja was looking for the following tags: {}. The innermost \
                         block that needs to be closed is '{innermost}'.",
                        list.join(" or ")
                    ));
                }
                Tok::Data(text) => out.push(Stmt::Text(text)),
                Tok::VariableBegin => {
                    let expr = self.tuple()?;
                    if *self.peek() != Tok::VariableEnd {
                        return self.unexpected("end of print statement");
                    }
                    self.at += 1;
                    out.push(Stmt::Output(expr));
                }
                Tok::BlockBegin => {
                    if let Tok::Name(name) = self.peek()
                        && ends.contains(&name.as_str())
                    {
                        return Ok(out);
                    }
                    out.push(self.deeper(Self::statement)?);
                }
                tok => return self.fail(format!("unexpected '{}'", describe(&tok))),
            }
        }
    }

    fn statement(&mut self) -> Parsed<Stmt> {
        let Tok::Name(tag) = self.peek().clone() else { return self.fail("tag name expected") };
        self.at += 1;
        match tag.as_str() {
            "if" => self.if_(),
            "for" => self.for_(),
            "set" => self.set(),
            "macro" => {
                let name = self.name()?;
                let params = self.params()?;
                self.end_of_block()?;
                let body = self.body("endmacro")?;
                Ok(Stmt::Macro(Rc::new(MacroDef { name, params, body })))
            }
            "with" => {
                let mut pairs = Vec::new();
                while *self.peek() != Tok::BlockEnd {
                    if !pairs.is_empty() {
                        self.expect_op(",")?;
                    }
                    let target = self.target()?;
                    self.expect_op("=")?;
                    pairs.push((target, self.expression()?));
                }
                self.end_of_block()?;
                Ok(Stmt::With(pairs, self.body("endwith")?))
            }
            "filter" => {
                let filters = self.filter_chain()?;
                self.end_of_block()?;
                Ok(Stmt::Filter(filters, self.body("endfilter")?))
            }
            "call" => {
                let params = if self.is_op("(") { self.params()? } else { Vec::new() };
                let call = self.expression()?;
                self.end_of_block()?;
                let body = self.body("endcall")?;
                Ok(Stmt::Call(call, Rc::new(MacroDef { name: "caller".to_owned(), params, body })))
            }
            "block" => {
                self.name()?;
                self.end_of_block()?;
                Ok(Stmt::Block(self.body("endblock")?))
            }
            "autoescape" => {
                self.expression()?;
                self.end_of_block()?;
                Ok(Stmt::Block(self.body("endautoescape")?))
            }
            "include" | "import" | "from" | "extends" => {
                self.fail("no loader for this environment specified")
            }
            other => self.fail(format!("Encountered unknown tag '{other}'.")),
        }
    }

    /// The body up to a tag, and the tag.
    fn body(&mut self, end: &str) -> Parsed<Vec<Stmt>> {
        let body = self.statements(&[end])?;
        self.at += 1;
        if end == "endblock" && matches!(self.peek(), Tok::Name(_)) {
            self.at += 1;
        }
        self.end_of_block()?;
        Ok(body)
    }

    fn if_(&mut self) -> Parsed<Stmt> {
        let mut branches = Vec::new();
        loop {
            let condition = self.tuple()?;
            self.end_of_block()?;
            branches.push((condition, self.statements(&["elif", "else", "endif"])?));
            match self.name()?.as_str() {
                "elif" => {}
                "else" => {
                    self.end_of_block()?;
                    return Ok(Stmt::If(branches, self.body("endif")?));
                }
                _ => {
                    self.end_of_block()?;
                    return Ok(Stmt::If(branches, Vec::new()));
                }
            }
        }
    }

    fn for_(&mut self) -> Parsed<Stmt> {
        let target = self.target()?;
        if !self.skip_name("in") {
            return self.unexpected("in");
        }
        // The iterable is no conditional expression: "if" begins the filter.
        self.expression_follows()?;
        let mut iter = self.or()?;
        if self.is_op(",") {
            let mut items = vec![iter];
            while self.skip_op(",") && *self.peek() != Tok::BlockEnd {
                items.push(self.or()?);
            }
            iter = Expr::Tuple(items);
        }
        let filter = if self.skip_name("if") { Some(self.expression()?) } else { None };
        let recursive = self.skip_name("recursive");
        self.end_of_block()?;
        let body = self.statements(&["endfor", "else"])?;
        let otherwise = if self.name()? == "else" {
            self.end_of_block()?;
            self.body("endfor")?
        } else {
            self.end_of_block()?;
            Vec::new()
        };
        Ok(Stmt::For { target, iter, filter, body, otherwise, recursive })
    }

    fn set(&mut self) -> Parsed<Stmt> {
        let target = self.target()?;
        if self.skip_op("=") {
            let value = self.tuple()?;
            self.end_of_block()?;
            return Ok(Stmt::Set(target, value));
        }
        let filters = if self.skip_op("|") { self.filter_chain()? } else { Vec::new() };
        self.end_of_block()?;
        Ok(Stmt::SetBlock(target, filters, self.body("endset")?))
    }

    fn filter_name(&mut self) -> Parsed<String> {
        let name = self.name()?;
        if !super::filters::NAMES.contains(&name.as_str()) {
            return self.fail(format!("No filter named '{name}'."));
        }
        Ok(name)
    }

    fn filter_chain(&mut self) -> Parsed<Vec<(String, Args)>> {
        let mut chain = Vec::new();
        loop {
            let name = self.filter_name()?;
            let args = if self.is_op("(") { self.args()? } else { Args::default() };
            chain.push((name, args));
            if !self.skip_op("|") {
                return Ok(chain);
            }
        }
    }

    fn params(&mut self) -> Parsed<Vec<(String, Option<Expr>)>> {
        self.expect_op("(")?;
        let mut params = Vec::new();
        while !self.skip_op(")") {
            if !params.is_empty() {
                self.expect_op(",")?;
            }
            let name = self.name()?;
            let default = if self.skip_op("=") { Some(self.expression()?) } else { None };
            params.push((name, default));
        }
        Ok(params)
    }

    fn target(&mut self) -> Parsed<Target> {
        self.expression_follows()?;
        let mut list = vec![self.single_target()?];
        let mut tuple = false;
        while self.skip_op(",") {
            tuple = true;
            if matches!(self.peek(), Tok::Name(n) if n != "in") || self.is_op("(") {
                list.push(self.single_target()?);
            }
        }
        match list.pop() {
            Some(one) if !tuple => Ok(one),
            last => {
                list.extend(last);
                Ok(Target::Tuple(list))
            }
        }
    }

    fn single_target(&mut self) -> Parsed<Target> {
        if self.skip_op("(") {
            let inner = self.deeper(Self::target)?;
            self.expect_op(")")?;
            return Ok(inner);
        }
        let name = self.name()?;
        if self.skip_op(".") { Ok(Target::Attr(name, self.name()?)) } else { Ok(Target::Name(name)) }
    }

    fn expression_follows(&self) -> Parsed<()> {
        match self.peek() {
            tok @ (Tok::VariableEnd | Tok::BlockEnd) => {
                self.fail(format!("Expected an expression, got '{}'", describe(tok)))
            }
            _ => Ok(()),
        }
    }

    /// `a, b` without parentheses is a tuple.
    fn tuple(&mut self) -> Parsed<Expr> {
        self.expression_follows()?;
        let first = self.expression()?;
        if !self.is_op(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_op(",") {
            if matches!(self.peek(), Tok::VariableEnd | Tok::BlockEnd) || self.is_op(")") {
                break;
            }
            items.push(self.expression()?);
        }
        Ok(Expr::Tuple(items))
    }

    fn expression(&mut self) -> Parsed<Expr> {
        self.deeper(|p| {
            let mut expr = p.or()?;
            while p.skip_name("if") {
                p.link()?;
                let condition = p.or()?;
                let otherwise = if p.skip_name("else") { Some(Box::new(p.expression()?)) } else { None };
                expr = Expr::If(Box::new(expr), Box::new(condition), otherwise);
            }
            Ok(expr)
        })
    }

    fn or(&mut self) -> Parsed<Expr> {
        let mut left = self.and()?;
        while self.skip_name("or") {
            self.link()?;
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut left = self.not()?;
        while self.skip_name("and") {
            self.link()?;
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<Expr> {
        if self.skip_name("not") {
            return self.deeper(|p| Ok(Expr::Not(Box::new(p.not()?))));
        }
        self.compare()
    }

    fn compare(&mut self) -> Parsed<Expr> {
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let op = match self.peek() {
                Tok::Op(op @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => *op,
                Tok::Name(name) if name == "in" => "in",
                Tok::Name(name) if name == "not" && matches!(self.look(1), Tok::Name(n) if n == "in") => {
                    self.at += 1;
                    "not in"
                }
                _ => break,
            };
            self.at += 1;
            rest.push((op, self.sum()?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Compare(Box::new(first), rest) })
    }

    fn binary(&mut self, ops: &[&'static str], next: fn(&mut Self) -> Parsed<Expr>) -> Parsed<Expr> {
        let mut left = next(self)?;
        while let Some(op) = ops.iter().find(|op| self.is_op(op)) {
            self.at += 1;
            self.link()?;
            left = Expr::Binary(op, Box::new(left), Box::new(next(self)?));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Parsed<Expr> {
        self.binary(&["+", "-"], Self::concat)
    }

    fn concat(&mut self) -> Parsed<Expr> {
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip_op("~") {
            parts.push(self.product()?);
        }
        Ok(Expr::Concat(parts))
    }

    fn product(&mut self) -> Parsed<Expr> {
        self.binary(&["*", "//", "/", "%"], Self::power)
    }

    fn power(&mut self) -> Parsed<Expr> {
        self.binary(&["**"], |p| p.unary(true))
    }

    fn unary(&mut self, with_filter: bool) -> Parsed<Expr> {
        let mut expr = if self.skip_op("-") {
            self.deeper(|p| Ok(Expr::Negative(Box::new(p.unary(false)?))))?
        } else if self.skip_op("+") {
            self.deeper(|p| Ok(Expr::Positive(Box::new(p.unary(false)?))))?
        } else {
            self.primary()?
        };
        expr = self.postfix(expr)?;
        if with_filter { self.filters(expr) } else { Ok(expr) }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        match self.next() {
            Tok::Name(name) => Ok(match name.as_str() {
                "true" | "True" => Expr::Bool(true),
                "false" | "False" => Expr::Bool(false),
                "none" | "None" => Expr::None,
                _ => Expr::Name(name),
            }),
            Tok::Int(i) => Ok(Expr::Int(i)),
            Tok::Float(f) => Ok(Expr::Float(f)),
            Tok::Str(first) => {
                let mut text = first;
                while let Tok::Str(more) = self.peek().clone() {
                    text.push_str(&more);
                    self.at += 1;
                }
                Ok(Expr::Str(text))
            }
            Tok::Op("(") => {
                if self.skip_op(")") {
                    return Ok(Expr::Tuple(Vec::new()));
                }
                let expr = self.deeper(Self::tuple)?;
                self.expect_op(")")?;
                Ok(expr)
            }
            Tok::Op("[") => Ok(Expr::List(self.items("]")?)),
            Tok::Op("{") => {
                let mut pairs = Vec::new();
                while !self.skip_op("}") {
                    if !pairs.is_empty() {
                        self.expect_op(",")?;
                        if self.skip_op("}") {
                            break;
                        }
                    }
                    let key = self.expression()?;
                    self.expect_op(":")?;
                    pairs.push((key, self.expression()?));
                }
                Ok(Expr::Dict(pairs))
            }
            tok => {
                self.at = self.at.saturating_sub(1);
                self.fail(format!("unexpected '{}'", describe(&tok)))
            }
        }
    }

    fn items(&mut self, end: &str) -> Parsed<Vec<Expr>> {
        let mut items = Vec::new();
        while !self.skip_op(end) {
            if !items.is_empty() {
                self.expect_op(",")?;
                if self.skip_op(end) {
                    break;
                }
            }
            items.push(self.expression()?);
        }
        Ok(items)
    }

    fn postfix(&mut self, mut expr: Expr) -> Parsed<Expr> {
        loop {
            self.link_if(&['.', '[', '('])?;
            if self.skip_op(".") {
                expr = match self.next() {
                    Tok::Name(name) => Expr::Attr(Box::new(expr), name),
                    Tok::Int(i) => Expr::Item(Box::new(expr), Box::new(Expr::Int(i))),
                    _ => return self.fail("expected name or number"),
                };
            } else if self.skip_op("[") {
                expr = self.subscript(expr)?;
            } else if self.is_op("(") {
                let args = self.args()?;
                expr = Expr::Call(Box::new(expr), args);
            } else {
                return Ok(expr);
            }
        }
    }

    fn subscript(&mut self, base: Expr) -> Parsed<Expr> {
        let mut parts: [Option<Box<Expr>>; 3] = [None, None, None];
        let mut slots = parts.iter_mut();
        let mut colons = 0;
        let mut slot = slots.next();
        loop {
            if self.skip_op("]") {
                break;
            }
            if self.skip_op(":") {
                colons += 1;
                slot = slots.next();
                if slot.is_none() {
                    return self.fail("unexpected ':'");
                }
                continue;
            }
            let value = self.tuple()?;
            if let Some(slot) = slot.as_mut() {
                **slot = Some(Box::new(value));
            }
            if !self.is_op("]") && !self.is_op(":") {
                return self.unexpected("]");
            }
        }
        let [first, second, third] = parts;
        match (colons, first) {
            (0, Some(index)) => Ok(Expr::Item(Box::new(base), index)),
            (0, None) => self.fail("expected subscript expression"),
            (_, first) => Ok(Expr::Slice(Box::new(base), [first, second, third])),
        }
    }

    fn args(&mut self) -> Parsed<Args> {
        self.expect_op("(")?;
        let mut args = Args::default();
        let mut first = true;
        while !self.skip_op(")") {
            if !first {
                self.expect_op(",")?;
                if self.skip_op(")") {
                    break;
                }
            }
            first = false;
            if self.skip_op("*") {
                args.spread = Some(Box::new(self.expression()?));
            } else if matches!(self.peek(), Tok::Name(_)) && matches!(self.look(1), Tok::Op("=")) {
                let name = self.name()?;
                self.at += 1;
                args.named.push((name, self.expression()?));
            } else {
                args.positional.push(self.expression()?);
            }
        }
        Ok(args)
    }

    fn filters(&mut self, mut expr: Expr) -> Parsed<Expr> {
        loop {
            self.link_if(&['|', '('])?;
            if self.skip_op("|") {
                let name = self.filter_name()?;
                let args = if self.is_op("(") { self.args()? } else { Args::default() };
                expr = Expr::Filter(Some(Box::new(expr)), name, args);
            } else if self.skip_name("is") {
                let negated = self.skip_name("not");
                let name = self.name()?;
                if !super::predicates::NAMES.contains(&name.as_str()) {
                    return self.fail(format!("No test named '{name}'."));
                }
                let starts_argument = match self.peek() {
                    Tok::Name(n) => !matches!(
                        n.as_str(),
                        "else" | "or" | "and" | "if" | "is" | "in" | "not" | "recursive"
                    ),
                    Tok::Int(_) | Tok::Float(_) | Tok::Str(_) => true,
                    Tok::Op(op) => matches!(*op, "[" | "{"),
                    _ => false,
                };
                let args = if self.is_op("(") {
                    self.args()?.positional
                } else if starts_argument {
                    let argument = self.primary()?;
                    vec![self.postfix(argument)?]
                } else {
                    Vec::new()
                };
                expr = Expr::Test(Box::new(expr), name, args);
                if negated {
                    expr = Expr::Not(Box::new(expr));
                }
            } else if self.is_op("(") {
                let args = self.args()?;
                expr = Expr::Call(Box::new(expr), args);
            } else {
                return Ok(expr);
            }
        }
    }
}
