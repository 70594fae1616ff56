//! From tokens to a tree, by how strongly signs bind.

use serde_json::Value;

use super::{
    functions,
    lexer::{Token, tokens},
};

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// `@`
    Current,
    /// A name.
    Field(String),
    /// A literal.
    Literal(Value),
    /// `a.b`, `a | b`: the second of the first.
    Chain(Box<Node>, Box<Node>),
    /// `[0]`
    Index(i64),
    /// `[1:5:2]`
    Slice([Option<i64>; 3]),
    /// `a[*].b`: the second of each of the first's.
    Each(Box<Node>, Box<Node>),
    /// `a.*.b`
    EachValue(Box<Node>, Box<Node>),
    /// `a[]`
    Flat(Box<Node>),
    /// `[?a]` within a projection.
    Filter(Box<Node>, Box<Node>, Box<Node>),
    /// `[a, b]`
    List(Vec<Node>),
    /// `{a: b}`
    Object(Vec<(String, Node)>),
    /// `a || b`
    Or(Box<Node>, Box<Node>),
    /// `a && b`
    And(Box<Node>, Box<Node>),
    /// `!a`
    Not(Box<Node>),
    /// `a == b`
    Compare(&'static str, Box<Node>, Box<Node>),
    /// `f(a)`
    Call(String, Vec<Node>),
}

/// Parts within parts.
const DEEPEST: usize = 64;
/// What ends a projection binds less than this.
const PROJECTION_ENDS: u8 = 10;

pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let node = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(node),
        other => Err(format!("{other:?} is left over")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

fn power(token: &Token) -> u8 {
    match token {
        Token::Sign("|") => 1,
        Token::Sign("||") => 2,
        Token::Sign("&&") => 3,
        Token::Sign("==" | "!=" | "<" | "<=" | ">" | ">=") => 5,
        Token::Sign("[]") => 9,
        Token::Sign("*") => 20,
        Token::Sign("[?") => 21,
        Token::Sign(".") => 40,
        Token::Sign("[") => 55,
        _ => 0,
    }
}

fn boxed(a: Node, b: Node) -> (Box<Node>, Box<Node>) {
    (Box::new(a), Box::new(b))
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn take(&mut self, sign: &'static str) -> bool {
        let is = *self.peek() == Token::Sign(sign);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(format!("{sign} is missing before {:?}", self.peek())) }
    }

    fn expression(&mut self, binding: u8) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is too deep".to_owned());
        }
        let first = self.next();
        let mut left = self.prefix(first)?;
        while binding < power(self.peek()) {
            left = self.infix(left)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn prefix(&mut self, token: Token) -> Result<Node, String> {
        Ok(match token {
            Token::Name(name) if *self.peek() == Token::Sign("(") => self.call(name)?,
            Token::Name(name) => Node::Field(name),
            Token::Literal(value) => Node::Literal(value),
            Token::Sign("@") => Node::Current,
            Token::Sign("*") => {
                let (left, right) = boxed(Node::Current, self.projected(20)?);
                Node::EachValue(left, right)
            }
            Token::Sign("[]") => self.flattened(Node::Current)?,
            Token::Sign("[?") => self.filtered(Node::Current)?,
            Token::Sign("!") => Node::Not(Box::new(self.expression(45)?)),
            Token::Sign("(") => {
                let inner = self.expression(0)?;
                self.expect(")")?;
                inner
            }
            Token::Sign("{") => self.object()?,
            Token::Sign("[") => match self.peek() {
                Token::Number(_) | Token::Sign(":") => self.indexed(Node::Current)?,
                Token::Sign("*") if self.tokens.get(self.at + 1) == Some(&Token::Sign("]")) => {
                    self.at += 2;
                    let (left, right) = boxed(Node::Current, self.projected(20)?);
                    Node::Each(left, right)
                }
                _ => self.list()?,
            },
            other => return Err(format!("{other:?} begins nothing")),
        })
    }

    fn infix(&mut self, left: Node) -> Result<Node, String> {
        let token = self.next();
        Ok(match token {
            Token::Sign("|") => {
                let (left, right) = boxed(left, self.expression(1)?);
                Node::Chain(left, right)
            }
            Token::Sign("||") => {
                let (left, right) = boxed(left, self.expression(2)?);
                Node::Or(left, right)
            }
            Token::Sign("&&") => {
                let (left, right) = boxed(left, self.expression(3)?);
                Node::And(left, right)
            }
            Token::Sign(sign @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => {
                let (left, right) = boxed(left, self.expression(5)?);
                Node::Compare(sign, left, right)
            }
            Token::Sign("[]") => self.flattened(left)?,
            Token::Sign("[?") => self.filtered(left)?,
            Token::Sign(".") if self.take("*") => {
                let (left, right) = boxed(left, self.projected(20)?);
                Node::EachValue(left, right)
            }
            Token::Sign(".") => {
                let (left, right) = boxed(left, self.after_dot(40)?);
                Node::Chain(left, right)
            }
            Token::Sign("[") => match self.peek() {
                Token::Number(_) | Token::Sign(":") => self.indexed(left)?,
                _ => {
                    self.expect("*")?;
                    self.expect("]")?;
                    let (left, right) = boxed(left, self.projected(20)?);
                    Node::Each(left, right)
                }
            },
            other => return Err(format!("{other:?} joins nothing")),
        })
    }

    fn after_dot(&mut self, binding: u8) -> Result<Node, String> {
        match self.peek() {
            Token::Name(_) | Token::Sign("*") => self.expression(binding),
            Token::Sign("[") => {
                self.at += 1;
                self.list()
            }
            Token::Sign("{") => {
                self.at += 1;
                self.object()
            }
            other => Err(format!("{other:?} after a point")),
        }
    }

    /// What is taken of each element.
    fn projected(&mut self, binding: u8) -> Result<Node, String> {
        match self.peek() {
            token if power(token) < PROJECTION_ENDS => Ok(Node::Current),
            Token::Sign("[" | "[?") => self.expression(binding),
            _ => {
                self.expect(".")?;
                self.after_dot(binding)
            }
        }
    }

    fn flattened(&mut self, left: Node) -> Result<Node, String> {
        let (left, right) = boxed(Node::Flat(Box::new(left)), self.projected(9)?);
        Ok(Node::Each(left, right))
    }

    fn filtered(&mut self, left: Node) -> Result<Node, String> {
        let condition = self.expression(0)?;
        self.expect("]")?;
        let right = if *self.peek() == Token::Sign("[]") { Node::Current } else { self.projected(21)? };
        Ok(Node::Filter(Box::new(left), Box::new(condition), Box::new(right)))
    }

    /// After `[`: an index or a slice.
    fn indexed(&mut self, left: Node) -> Result<Node, String> {
        let (mut parts, mut at) = ([None; 3], 0);
        loop {
            match self.next() {
                Token::Sign("]") => break,
                Token::Sign(":") if at < 2 => at += 1,
                Token::Number(number) if parts.get(at) == Some(&None) => {
                    if let Some(part) = parts.get_mut(at) {
                        *part = Some(number);
                    }
                }
                other => return Err(format!("{other:?} in an index")),
            }
        }
        if at == 0 {
            let index = parts[0].ok_or("an index without a number")?;
            return Ok(Node::Chain(Box::new(left), Box::new(Node::Index(index))));
        }
        if parts[2] == Some(0) {
            return Err("a slice by steps of 0".to_owned());
        }
        let slice = Node::Chain(Box::new(left), Box::new(Node::Slice(parts)));
        let (left, right) = boxed(slice, self.projected(20)?);
        Ok(Node::Each(left, right))
    }

    fn list(&mut self) -> Result<Node, String> {
        let mut all = Vec::new();
        loop {
            all.push(self.expression(0)?);
            if !self.take(",") {
                self.expect("]")?;
                return Ok(Node::List(all));
            }
        }
    }

    fn object(&mut self) -> Result<Node, String> {
        let mut all = Vec::new();
        loop {
            let Token::Name(name) = self.next() else { return Err("an object without a name".to_owned()) };
            self.expect(":")?;
            all.push((name, self.expression(0)?));
            if !self.take(",") {
                self.expect("}")?;
                return Ok(Node::Object(all));
            }
        }
    }

    fn call(&mut self, name: String) -> Result<Node, String> {
        if !functions::is_known(&name) {
            return Err(format!("{name} is no function that liteset has"));
        }
        self.expect("(")?;
        let mut all = Vec::new();
        while !self.take(")") {
            if !all.is_empty() {
                self.expect(",")?;
            }
            all.push(self.expression(0)?);
        }
        Ok(Node::Call(name, all))
    }
}
