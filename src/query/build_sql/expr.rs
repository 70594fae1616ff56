//! Expressions of a query and their text, as SQLAlchemy 1.4 compiles them with literal values.

use super::condition::Condition;
use crate::engine::{Dialect, EngineSpec, compatible_label};

/// A value expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// A column of the table, quoted where needed.
    Column(String),
    /// Text that is SQL already (`literal_column`).
    Literal(String),
    /// An aggregate over one argument.
    Aggregate { function: Aggregate, argument: Box<Expr> },
    /// A grain or epoch template over `{col}` (`TimestampExpression`).
    Template { template: String, column: Box<Expr> },
    /// `CASE WHEN condition THEN value ELSE 'Others' END`.
    OrOthers { condition: Box<Condition>, value: Box<Expr> },
    /// `CAST(x AS VARCHAR)`.
    AsText(Box<Expr>),
}

/// The aggregates of SIMPLE metrics (`sqla_aggregations`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregate {
    Sum,
    Avg,
    Count,
    CountDistinct,
    Min,
    Max,
}

impl Aggregate {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "SUM" => Self::Sum,
            "AVG" => Self::Avg,
            "COUNT" => Self::Count,
            "COUNT_DISTINCT" => Self::CountDistinct,
            "MIN" => Self::Min,
            "MAX" => Self::Max,
            _ => return None,
        })
    }

    /// SQLAlchemy knows all but AVG as generic functions and writes those in lower case.
    fn call(self, argument: &str) -> String {
        match self {
            Self::Sum => format!("sum({argument})"),
            Self::Avg => format!("AVG({argument})"),
            Self::Count => format!("count({argument})"),
            Self::CountDistinct => format!("count(DISTINCT {argument})"),
            Self::Min => format!("min({argument})"),
            Self::Max => format!("max({argument})"),
        }
    }
}

impl Expr {
    pub fn render(&self, dialect: Dialect) -> String {
        match self {
            Self::Column(name) => dialect.column(name),
            Self::Literal(text) => text.clone(),
            Self::Aggregate { function: Aggregate::Avg, argument } => {
                dialect.average.replace("{argument}", &argument.render(dialect))
            }
            Self::Aggregate { function, argument } => function.call(&argument.render(dialect)),
            Self::Template { template, column } => template.replace("{col}", &column.render(dialect)),
            Self::OrOthers { condition, value } => {
                let (condition, value) = (condition.render(dialect), value.render(dialect));
                format!("CASE WHEN ({condition}) THEN {value} ELSE {} END", dialect.unicode_literal("Others"))
            }
            Self::AsText(value) => format!("CAST({} AS {})", value.render(dialect), dialect.text_type),
        }
    }

    /// Whether it holds no text of somebody's beyond the name of a column.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Column(_) => true,
            Self::Literal(text) => text.chars().all(|c| c.is_alphanumeric() || "_.\"`[]".contains(c)),
            Self::Template { column, .. } => column.is_plain(),
            Self::Aggregate { argument, .. } => argument.is_plain(),
            Self::AsText(value) => value.is_plain(),
            Self::OrOthers { .. } => false,
        }
    }

    /// The name a bare expression has for SQLAlchemy, used where the engine takes no labels.
    fn name(&self) -> String {
        match self {
            Self::Column(name) | Self::Literal(name) => name.clone(),
            Self::Template { template, .. } => template.clone(),
            Self::Aggregate { function, .. } => match function {
                Aggregate::Sum => "sum".into(),
                Aggregate::Avg => "AVG".into(),
                Aggregate::Count | Aggregate::CountDistinct => "count".into(),
                Aggregate::Min => "min".into(),
                Aggregate::Max => "max".into(),
            },
            Self::OrOthers { .. } | Self::AsText(_) => "anon".into(),
        }
    }
}

/// An expression with its label (`make_sqla_column_compatible`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Labeled {
    /// Identity: copies of one expression keep it, equal expressions made twice differ. ORDER BY names the label of a
    /// selected expression only if it is the very same one.
    pub id: usize,
    /// Label the answer uses.
    pub key: String,
    /// Label the engine sees.
    pub name: String,
    /// The name is no longer the one it was labeled with, so that SQLAlchemy does not find it when it orders by it.
    pub renamed: bool,
    /// Whether the engine takes labels.
    pub aliased: bool,
    /// The expression.
    pub expr: Expr,
}

/// Makes labeled expressions with identities.
#[derive(Debug, Default)]
pub(super) struct Labels {
    next: std::cell::Cell<usize>,
}

impl Labels {
    pub fn label(&self, spec: &EngineSpec, expr: Expr, label: &str) -> Labeled {
        let id = self.next.get();
        self.next.set(id + 1);
        let aliased = spec.caps.allows_alias_in_select;
        let name = if aliased { compatible_label(spec, label) } else { expr.name() };
        Labeled { id, key: label.to_owned(), name, renamed: false, aliased, expr }
    }
}

impl Labeled {
    /// `expression AS label`, as in SELECT.
    pub fn select_text(&self, spec: &EngineSpec) -> String {
        let dialect = Dialect::for_engine(spec);
        let text = self.expr.render(dialect);
        let aliased = self.aliased && !dialect.omits_aliases;
        if aliased { format!("{text} AS {}", self.label_text(spec)) } else { text }
    }

    /// The text in GROUP BY: the expression, or its label where the dialect says so.
    pub fn group_text(&self, spec: &EngineSpec) -> String {
        let dialect = Dialect::for_engine(spec);
        let by_label = match self.expr {
            Expr::OrOthers { .. } => dialect.groups_others_by_label,
            _ => dialect.groups_by_label,
        };
        if self.aliased && by_label {
            return self.label_text(spec);
        }
        self.expr.render(dialect)
    }

    /// The label alone.
    pub fn label_text(&self, spec: &EngineSpec) -> String {
        label_text(spec, &self.name)
    }
}

/// A label as the engine sees it, in quotes where it demands them.
pub(super) fn label_text(spec: &EngineSpec, label: &str) -> String {
    let dialect = Dialect::for_engine(spec);
    if spec.caps.force_column_alias_quotes { dialect.quote_always(label) } else { dialect.quote(label) }
}
