//! Joined sub-queries that SQLite must compute once.
//!
//! SQLite 3.53 may run a derived table as a co-routine inside the loop over the table that it is joined to: the
//! series limit of a chart is then computed again for every row (75,000 rows: minutes instead of 0.1 s). A
//! `MATERIALIZED` hint forbids it and changes no result.

use std::ops::ControlFlow;

use sqlparser::{
    ast::{CteAsMaterialized, Query, SetExpr, Statement, TableFactor, VisitMut, VisitorMut},
    dialect::SQLiteDialect,
    parser::Parser,
};

/// What a joined sub-query becomes, with the hint; `SELECT 1` is replaced by it.
const SHELL: &str = "WITH once AS (SELECT 1) SELECT * FROM once";

/// Adds the hint to every joined sub-query that has no `WITH` of its own.
pub(super) fn joined_subqueries(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut Joins);
}

struct Joins;

impl VisitorMut for Joins {
    type Break = ();

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = query.body.as_mut() {
            for join in select.from.iter_mut().flat_map(|from| from.joins.iter_mut()) {
                if let TableFactor::Derived { lateral: false, subquery, .. } = &mut join.relation
                    && subquery.with.is_none()
                {
                    wrap(subquery);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

fn wrap(subquery: &mut Box<Query>) {
    let Ok(parsed) = Parser::parse_sql(&SQLiteDialect {}, SHELL) else { return };
    let Some(Statement::Query(mut shell)) = parsed.into_iter().next() else { return };
    let Some(cte) = shell.with.as_mut().and_then(|with| with.cte_tables.first_mut()) else { return };
    cte.materialized = Some(CteAsMaterialized::Materialized);
    std::mem::swap(&mut cte.query, subquery);
    *subquery = shell;
}

#[cfg(test)]
mod tests {
    #[test]
    fn joined_subqueries_are_computed_once() {
        let sql =
            "SELECT a FROM t JOIN (SELECT a AS a__ FROM t GROUP BY a LIMIT 3) AS series_limit ON a = a__";
        let mut script = super::super::parse(sql, "sqlite").unwrap();
        for statement in script.statements_mut() {
            statement.materialize_joins();
        }
        assert_eq!(
            script.statements()[0].format_flat(),
            "SELECT a FROM t JOIN (WITH once AS MATERIALIZED (SELECT a AS a__ FROM t GROUP BY a LIMIT 3) \
             SELECT * FROM once) AS series_limit ON a = a__"
        );
        let mut plain = super::super::parse("SELECT a FROM (SELECT 1 AS a) AS t", "sqlite").unwrap();
        plain.statements_mut()[0].materialize_joins();
        assert_eq!(plain.statements()[0].format_flat(), "SELECT a FROM (SELECT 1 AS a) AS t");
    }
}
