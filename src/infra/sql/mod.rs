//! Foreign SQL: splitting, what it reads, whether it writes, row-level rules, printing (`superset.sql.parse`).
//!
//! The one place that touches the SQL parser. Whatever cannot be parsed is refused: a statement that we do not
//! understand cannot be judged. Printing follows sqlglot, so that texts equal the original's.
//!
//! Why `sqlparser` with printing of our own, and not `polyglot-sql` 0.13 (a port of sqlglot): on the golden texts it
//! prints 633 of 712 as sqlglot does on one line and 119 of 178 prettily (here all), reads 1,162 of 1,199 statements
//! that the original reads, and has 296,000 lines, which take 2.6 GB to compile and add 14 MB with 17 dialects.

mod comments;
#[cfg(test)]
mod corpus;
mod dialect;
#[cfg(test)]
mod explain_tests;
mod format;
mod fragment;
mod functions;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod grammar_tests;
mod guard;
mod lex;
mod materialize;
mod names;
mod parse;
#[cfg(test)]
mod referee_tests;
mod respell;
mod rls;
#[cfg(test)]
mod rls_shapes;
mod rls_statement;
#[cfg(test)]
mod rls_tests;
mod same_table;
mod scopes;
mod script;
#[cfg(test)]
mod script_tests;
mod spelling;
mod sqlite_dialect;
mod table_functions;
#[cfg(test)]
mod tests;
mod unread;
mod without_values;

pub use comments::format_with_comments;
pub use fragment::{Fragment, clause, order_by_expression, select_expression};
pub use functions::Effect;
pub use names::TableName;
pub use parse::{ParseError, parse, parse_or_take_unread};
pub use rls::{RlsRule, RlsRules};
pub use same_table::{Place, SameTable};
pub use script::{CtasMethod, Script, Statement};
pub use spelling::spelling;
pub use without_values::without_values;
