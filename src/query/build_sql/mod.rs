//! From a query object to SQL (`superset.models.helpers:ExploreMixin.get_sqla_query`).
//!
//! [`build`] does no I/O. Where the original asks the database in the middle of its work (the type of an adhoc
//! column, the top series of an engine without joins), [`build`] returns the question as a [`Step`]; the caller runs
//! it, puts the answer into [`Answers`] and builds again.

mod adhoc;
mod columns;
mod condition;
mod expr;
mod filters;
mod from_clause;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod growth_tests;
#[cfg(test)]
mod matrix_tests;
mod metrics;
mod order_by;
#[cfg(test)]
mod security_tests;
mod select;
mod series_limit;
mod statement;
mod time_filter;
mod value;

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
};

use indexmap::IndexSet;
use serde_json::Value;

pub use from_clause::{expression_tables, inner_tables, stored_tables};
pub use time_filter::{strftime, strftime_utc};

use crate::{
    dataset::{Dataset, DatasetColumn},
    engine::{Dialect, EngineSpec},
    error::Result,
    query_object::{QueryObject, TimeRanges},
};

/// Renders templates in expressions, predicates and the SQL of virtual datasets.
pub trait Templates {
    /// Renders one text.
    fn render(&self, text: &str) -> Result<String>;
    /// Columns whose filters a template has applied itself, so that they must not be applied again.
    fn removed_filters(&self) -> Vec<String> {
        Vec::new()
    }
    /// Columns whose filters a template has read.
    fn applied_filters(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Templates are disabled: texts stay as they are.
pub struct NoTemplates;

impl Templates for NoTemplates {
    fn render(&self, text: &str) -> Result<String> {
        Ok(text.to_owned())
    }
}

/// What building needs besides the query object.
pub struct BuildContext<'a> {
    /// The dataset asked.
    pub dataset: &'a Dataset,
    /// Template renderer, made for this query object.
    pub templates: &'a dyn Templates,
    /// Resolves the ranges of temporal filters.
    pub time_ranges: &'a TimeRanges<'a>,
    /// `ALLOW_ADHOC_SUBQUERY`.
    pub allow_adhoc_subquery: bool,
    /// What the database has answered so far.
    pub answers: &'a Answers,
}

/// Answers to the questions of earlier steps.
#[derive(Debug, Default)]
pub struct Answers {
    /// By the SQL of [`Step::Probes`]: whether the column is temporal, or the words with which the database refused.
    pub probes: HashMap<String, std::result::Result<bool, String>>,
    /// By the SQL of a [`Step::Prequery`]: result columns by label, in the order of the query.
    pub prequeries: HashMap<String, Vec<(String, Vec<Value>)>>,
}

/// Result of building.
#[derive(Debug)]
pub enum Step {
    /// The query.
    Ready(Box<BuiltQuery>),
    /// Run each SQL, tell whether its single column is temporal (by cursor description), build again.
    Probes(IndexSet<String>),
    /// Run this query, tell its rows, build again.
    Prequery(Box<BuiltQuery>),
}

/// SQL and what belongs to its result.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltQuery {
    /// The statement as Superset shows it, without final semicolon.
    pub sql: String,
    /// Labels of the result columns, in order: the result is renamed by position, surplus columns are dropped.
    pub labels_expected: Vec<String>,
    /// Statements that had to run first.
    pub prequeries: Vec<String>,
    /// Columns of filters that were applied (names or adhoc columns).
    pub applied_filter_columns: Vec<Value>,
    /// Columns of filters that the dataset does not have.
    pub rejected_filter_columns: Vec<Value>,
    /// Filters applied inside templates.
    pub applied_template_filters: Vec<String>,
}

impl BuiltQuery {
    /// The text of result type `query` (`get_query_str`): all statements, each with a semicolon.
    pub fn query_str(&self) -> String {
        let mut all = self.prequeries.clone();
        all.push(self.sql.clone());
        all.join(";\n\n") + ";"
    }
}

/// A question to the database that building ran into.
#[derive(Debug)]
enum Question {
    Probes(IndexSet<String>),
    Prequery(Box<BuiltQuery>),
}

/// One build.
struct Builder<'a> {
    cx: &'a BuildContext<'a>,
    dataset: &'a Dataset,
    spec: &'static EngineSpec,
    dialect: Dialect,
    labels: expr::Labels,
    from: RefCell<Option<from_clause::From>>,
    /// Columns of the dataset by their quoted names.
    quoted: OnceCell<HashMap<String, usize>>,
    question: RefCell<Option<Question>>,
}

impl<'a> Builder<'a> {
    fn new(cx: &'a BuildContext<'a>) -> Self {
        Self {
            cx,
            dataset: cx.dataset,
            spec: cx.dataset.engine,
            dialect: Dialect::for_engine(cx.dataset.engine),
            labels: expr::Labels::default(),
            from: RefCell::default(),
            quoted: OnceCell::new(),
            question: RefCell::default(),
        }
    }
}

impl Builder<'_> {
    /// Asks the database about expressions, when the query is not built for the first question of another kind.
    fn ask(&self, probes: impl IntoIterator<Item = String>) {
        let mut question = self.question.borrow_mut();
        if let Question::Probes(all) = question.get_or_insert_with(|| Question::Probes(IndexSet::new())) {
            all.extend(probes);
        }
    }

    /// The column whose quoted name a text is.
    fn quoted(&self, text: &str) -> Option<&DatasetColumn> {
        let columns = self.dataset.columns.iter().enumerate();
        let quoted = self
            .quoted
            .get_or_init(|| columns.map(|(i, c)| (self.dialect.quote(&c.column_name), i)).collect());
        self.dataset.columns.get(*quoted.get(text)?)
    }
}

/// Builds the SQL of a query object.
pub fn build(query: &QueryObject, context: &BuildContext<'_>) -> Result<Step> {
    let builder = Builder::new(context);
    let built = builder.statement(query);
    // The first kind of question counts, whatever came after it; all of that kind are asked at once.
    match builder.question.into_inner() {
        Some(Question::Probes(all)) => Ok(Step::Probes(all)),
        Some(Question::Prequery(built)) => Ok(Step::Prequery(built)),
        None => built.map(|built| Step::Ready(Box::new(built))),
    }
}

/// The distinct values of a column, for filter boxes (`values_for_column`). The single result column is named
/// `column_values`; `None` if the dataset has no such column.
pub fn distinct_values(
    column: &str,
    limit: Option<i64>,
    context: &BuildContext<'_>,
) -> Result<Option<String>> {
    Builder::new(context).distinct_values(column, limit)
}
