//! A SELECT statement and its text.

use super::condition::Condition;
use crate::engine::{Dialect, EngineSpec};

/// The clauses of a statement.
#[derive(Debug, Clone)]
pub(super) struct Select {
    dialect: Dialect,
    pub distinct: bool,
    pub columns: Vec<String>,
    pub from: String,
    /// Criteria of `where()` calls, joined with AND.
    pub filters: Vec<Condition>,
    pub group_by: Vec<String>,
    pub having: Option<Condition>,
    pub order_by: Vec<String>,
    pub limit: Option<i64>,
    pub offset: Option<i64>,
}

impl Select {
    pub fn new(spec: &EngineSpec, columns: Vec<String>, from: String) -> Self {
        Self {
            dialect: Dialect::for_engine(spec),
            distinct: false,
            columns,
            from,
            filters: Vec::new(),
            group_by: Vec::new(),
            having: None,
            order_by: Vec::new(),
            limit: None,
            offset: None,
        }
    }

    /// The text, with SQLAlchemy's line breaks and blanks.
    pub fn render(&self) -> String {
        let mut text = String::from(if self.distinct { "SELECT DISTINCT " } else { "SELECT " });
        // SQL Server has no LIMIT, and its OFFSET demands an order.
        let top = self.limit.filter(|_| self.dialect == Dialect::Mssql && self.offset.is_none());
        if let Some(limit) = top {
            text += &format!("TOP {limit} ");
        }
        text += &self.columns.join(", ");
        text += " \nFROM ";
        text += &self.from;
        let filter = match self.filters.as_slice() {
            [alone] => alone.render(self.dialect),
            many => Condition::And(many.to_vec()).render(self.dialect),
        };
        if !filter.is_empty() {
            text += " \nWHERE ";
            text += &filter;
        }
        if !self.group_by.is_empty() {
            text += " GROUP BY ";
            text += &self.group_by.join(", ");
        }
        let having = self.having.as_ref().map(|having| having.render(self.dialect)).unwrap_or_default();
        if !having.is_empty() {
            text += " \nHAVING ";
            text += &having;
        }
        if !self.order_by.is_empty() {
            text += " ORDER BY ";
            text += &self.order_by.join(", ");
        }
        if top.is_some() {
            return text;
        }
        if self.dialect == Dialect::Mssql && self.offset.is_some() && self.order_by.is_empty() {
            text += " ORDER BY (SELECT NULL)";
        }
        text + &self.dialect.limit_clause(self.limit, self.offset)
    }
}
