//! Conditions of WHERE, HAVING and ON, with the parentheses of SQLAlchemy.

use super::{expr::Expr, value::Literal};
use crate::engine::Dialect;

/// A boolean expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// SQL text, never put into parentheses.
    Text(String),
    /// A condition that somebody wrote: bare where it stands alone, as the original writes it, else as one of several.
    Written { bare: String, grouped: String },
    /// `left operator right`.
    Compare { left: Expr, operator: &'static str, right: Operand },
    /// `left IS [NOT] NULL`.
    IsNull { left: Expr, negated: bool },
    /// `left IS true`.
    IsBoolean { left: Expr, value: bool },
    /// `left [NOT] IN (…)`.
    In { left: Expr, values: Vec<Literal>, negated: bool },
    /// `lower(left) LIKE lower(right)`, or ILIKE where there is one.
    ILike { left: Expr, right: Literal },
    /// All hold.
    And(Vec<Condition>),
    /// One holds.
    Or(Vec<Condition>),
    /// Does not hold.
    Not(Box<Condition>),
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// A value.
    Literal(Literal),
    /// SQL text, such as a date literal of the engine.
    Text(String),
}

impl Condition {
    /// Puts the condition into parentheses if it holds a text of somebody's, so that an OR in there (`1 = 1 OR a`)
    /// stays inside. The original does not.
    pub fn keep_together(&mut self, dialect: Dialect) {
        if self.has_text() {
            let text = self.render(dialect);
            if !text.is_empty() {
                *self = Self::Text(format!("({text})"));
            }
        }
    }

    fn has_text(&self) -> bool {
        match self {
            Self::Text(_) | Self::Written { .. } => true,
            Self::Compare { left, .. }
            | Self::IsNull { left, .. }
            | Self::IsBoolean { left, .. }
            | Self::In { left, .. }
            | Self::ILike { left, .. } => !left.is_plain(),
            Self::And(items) | Self::Or(items) => items.iter().any(Self::has_text),
            Self::Not(inner) => inner.has_text(),
        }
    }

    /// The text; empty if the condition says nothing.
    pub fn render(&self, dialect: Dialect) -> String {
        self.render_at(dialect, true)
    }

    fn render_at(&self, dialect: Dialect, alone: bool) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Written { bare, grouped } => if alone { bare } else { grouped }.clone(),
            Self::Compare { left, operator, right } => {
                let right = match right {
                    Operand::Literal(literal) => literal.render(dialect),
                    Operand::Text(text) => text.clone(),
                };
                let operator = if *operator == "!=" { &dialect.not_equal } else { *operator };
                format!("{} {operator} {right}", left.render(dialect))
            }
            Self::IsNull { left, negated } => {
                format!("{} IS {}NULL", left.render(dialect), if *negated { "NOT " } else { "" })
            }
            Self::IsBoolean { left, value } => {
                format!("{} IS {}", left.render(dialect), dialect.boolean(*value))
            }
            Self::In { left, values, negated } => in_list(&left.render(dialect), values, *negated, dialect),
            Self::ILike { left, right } => {
                let (left, right) = (left.render(dialect), right.render(dialect));
                if dialect.has_ilike {
                    format!("{left} ILIKE {right}")
                } else {
                    format!("lower({left}) LIKE lower({right})")
                }
            }
            Self::And(items) => join(items, " AND ", dialect, alone),
            Self::Or(items) => join(items, " OR ", dialect, alone),
            Self::Not(inner) => format!("NOT ({})", inner.render(dialect)),
        }
    }
}

fn in_list(left: &str, values: &[Literal], negated: bool, dialect: Dialect) -> String {
    let operator = if negated { "NOT IN" } else { "IN" };
    if values.is_empty() {
        // The empty set, as the dialect can express it.
        let empty = dialect.empty_set.replace("{left}", left);
        return if negated { format!("NOT ({empty})") } else { empty };
    }
    // SQLAlchemy types the whole list by its first value, so that integers make integers of all numbers.
    let whole = matches!(values.first(), Some(Literal::Int(_)));
    let text = |value: &Literal| match value {
        Literal::Float(number) if whole && number.is_finite() => format!("{:.0}", number.trunc()),
        other => other.render(dialect),
    };
    let list = values.iter().map(text).collect::<Vec<_>>().join(", ");
    // SQLAlchemy brackets NOT IN for the sake of its empty case.
    if negated { format!("({left} {operator} ({list}))") } else { format!("{left} {operator} ({list})") }
}

fn join(items: &[Condition], separator: &str, dialect: Dialect, around: bool) -> String {
    let alone = items.len() == 1;
    let is_and = separator == " AND ";
    let texts = items.iter().map(|item| {
        let text = item.render_at(dialect, alone && around);
        // OR inside AND needs parentheses, AND inside OR does not; an empty condition is left out.
        match item {
            Condition::Or(inner) if is_and && !alone && inner.len() > 1 => format!("({text})"),
            _ => text,
        }
    });
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(separator)
}
