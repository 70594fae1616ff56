//! The tree of a template.

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Name(String),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    /// `a.b`
    Attr(Box<Expr>, String),
    /// `a[b]`
    Item(Box<Expr>, Box<Expr>),
    /// `a[b:c:d]`
    Slice(Box<Expr>, [Option<Box<Expr>>; 3]),
    Call(Box<Expr>, Args),
    /// No operand inside a filter block.
    Filter(Option<Box<Expr>>, String, Args),
    Test(Box<Expr>, String, Vec<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `a < b <= c`
    Compare(Box<Expr>, Vec<(&'static str, Expr)>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Concat(Vec<Expr>),
    /// `a if b else c`
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
}

/// Arguments of a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Args {
    pub(super) positional: Vec<Expr>,
    pub(super) named: Vec<(String, Expr)>,
    /// `*args`
    pub(super) spread: Option<Box<Expr>>,
}

/// What is assigned to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    Name(String),
    Tuple(Vec<Target>),
    /// `namespace.attribute`
    Attr(String, String),
}

/// A macro or the body of a call block.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MacroDef {
    pub(super) name: String,
    pub(super) params: Vec<(String, Option<Expr>)>,
    pub(super) body: Vec<Stmt>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stmt {
    Text(String),
    Output(Expr),
    If(Vec<(Expr, Vec<Stmt>)>, Vec<Stmt>),
    For {
        target: Target,
        iter: Expr,
        filter: Option<Expr>,
        body: Vec<Stmt>,
        otherwise: Vec<Stmt>,
        recursive: bool,
    },
    Set(Target, Expr),
    SetBlock(Target, Vec<(String, Args)>, Vec<Stmt>),
    Macro(std::rc::Rc<MacroDef>),
    With(Vec<(Target, Expr)>, Vec<Stmt>),
    Filter(Vec<(String, Args)>, Vec<Stmt>),
    Call(Expr, std::rc::Rc<MacroDef>),
    Block(Vec<Stmt>),
}
