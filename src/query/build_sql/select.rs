//! A SELECT statement and its text.

use infra::engine_specs::LimitForm;

use super::{condition::Condition, expr::Labeled};
use crate::engine::{Dialect, EngineSpec};

/// The clauses of a statement.
#[derive(Debug, Clone)]
pub(super) struct Select {
    dialect: Dialect,
    pub distinct: bool,
    pub columns: Vec<String>,
    /// The columns' labels, as a statement around this one names them.
    labels: Vec<String>,
    /// What the first statement around this one is called: `anon_1`, unless there is one farther out.
    pub number: usize,
    /// It stands in another statement, which names its columns.
    pub nested: bool,
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
            labels: Vec::new(),
            number: 1,
            nested: false,
            from,
            filters: Vec::new(),
            group_by: Vec::new(),
            having: None,
            order_by: Vec::new(),
            limit: None,
            offset: None,
        }
    }

    /// The columns with their labels.
    pub fn of<'a>(spec: &EngineSpec, columns: impl IntoIterator<Item = &'a Labeled>, from: String) -> Self {
        let mut select = Self::new(spec, Vec::new(), from);
        select.set_columns(spec, columns);
        select
    }

    /// Other columns.
    pub fn set_columns<'a>(&mut self, spec: &EngineSpec, columns: impl IntoIterator<Item = &'a Labeled>) {
        (self.columns, self.labels) =
            columns.into_iter().map(|column| (column.select_text(spec), column.label_text(spec))).unzip();
    }

    /// How many statements stand around this one.
    pub fn wrappers(&self) -> usize {
        match (self.dialect.limit, self.limit, self.offset) {
            (LimitForm::Rownum, Some(_), None) => 1,
            (LimitForm::Rownum, _, Some(_)) => 2,
            _ => 0,
        }
    }

    /// The text, with SQLAlchemy's line breaks and blanks.
    pub fn render(&self) -> String {
        let text = self.without_wrappers();
        if self.dialect.limit == LimitForm::Rownum { self.by_rownum(text) } else { text }
    }

    /// As SQLAlchemy does it for Oracle before 12: `ROWNUM` counts rows before they are ordered, so that the order is
    /// in a statement of its own.
    fn by_rownum(&self, text: String) -> String {
        let outer = format!("anon_{}", self.number);
        let list = |table: &str, named: bool| {
            let column = |label: &String| match named {
                true => format!("{table}.{label} AS {label}"),
                false => format!("{table}.{label}"),
            };
            match self.labels.as_slice() {
                [] => format!("{table}.*"),
                labels => labels.iter().map(column).collect::<Vec<_>>().join(", "),
            }
        };
        let outer_list = list(&outer, self.nested);
        let Some(offset) = self.offset else {
            let Some(limit) = self.limit else { return text };
            return format!("SELECT {outer_list} \nFROM ({text}) {outer} \nWHERE ROWNUM <= {limit}");
        };
        let inner = format!("anon_{}", self.number + 1);
        let limit =
            self.limit.map(|limit| format!(" \nWHERE ROWNUM <= {limit} + {offset}")).unwrap_or_default();
        let rows = format!("SELECT {}, ROWNUM AS ora_rn \nFROM ({text}) {inner}{limit}", list(&inner, true));
        format!("SELECT {outer_list} \nFROM ({rows}) {outer} \nWHERE ora_rn > {offset}")
    }

    fn without_wrappers(&self) -> String {
        let mut text = String::from(if self.distinct { "SELECT DISTINCT " } else { "SELECT " });
        text += &self.dialect.limit_prefix(self.limit, self.offset);
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
        text + &self.dialect.limit_clause(self.limit, self.offset, !self.order_by.is_empty())
    }
}
