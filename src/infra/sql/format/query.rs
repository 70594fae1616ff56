//! Queries: WITH, SELECT and its clauses, set operations.

use sqlparser::ast::{
    Cte, CteAsMaterialized, Distinct, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, LimitClause,
    OrderByExpr, OrderByKind, OrderBySort, Query, Select, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, SetOperator, SetQuantifier, TableAlias, TableFactor, TableWithJoins, Top, TopQuantity, Value,
    WildcardAdditionalOptions,
};

use super::{super::dialect::Family, Printer, protect};

impl Printer {
    pub(super) fn query(self, query: &Query) -> String {
        let mut text = String::new();
        if let Some(with) = &query.with {
            let ctes: Vec<_> = with.cte_tables.iter().map(|cte| self.cte(cte)).collect();
            text += if with.recursive { "WITH RECURSIVE " } else { "WITH " };
            text += &ctes.join(", ");
            text += self.break_();
        }
        text += &match self.top_of(query) {
            Some(text) => text,
            None => self.set_expr(&query.body),
        };
        if let Some(order_by) = &query.order_by {
            match &order_by.kind {
                OrderByKind::Expressions(items) => {
                    let items: Vec<_> = items.iter().map(|item| self.order_item(item)).collect();
                    text += &self.clause("ORDER BY", &self.lines(&items));
                }
                OrderByKind::All(_) => text += &format!("{}{}", self.break_(), order_by),
            }
        }
        text += &self.limit(query);
        if let Some(fetch) = &query.fetch {
            text += self.break_();
            text += &match &fetch.quantity {
                Some(quantity) if self.family == Family::Sqlite && !fetch.percent && !fetch.with_ties => {
                    format!("LIMIT {}", self.expression(quantity))
                }
                _ => fetch.to_string(),
            };
        }
        for lock in &query.locks {
            text += self.break_();
            text += &lock.to_string();
        }
        for other in [
            query.for_clause.as_ref().map(ToString::to_string),
            query.settings.as_ref().map(|settings| {
                let settings: Vec<_> = settings.iter().map(ToString::to_string).collect();
                format!("SETTINGS {}", settings.join(", "))
            }),
            query.format_clause.as_ref().map(ToString::to_string),
        ]
        .into_iter()
        .flatten()
        {
            text += self.break_();
            text += &other;
        }
        for operator in &query.pipe_operators {
            text += &format!("{}|> {operator}", self.break_());
        }
        text
    }

    /// The body of a query whose limit SQL Server writes behind SELECT. A set operation becomes a sub-query, and its
    /// order stays outside, where SQL Server allows it.
    fn top_of(self, query: &Query) -> Option<String> {
        let limit = self.top_limit(query)?;
        match query.body.as_ref() {
            SetExpr::Select(select) => {
                let quantity = match &limit {
                    Expr::Value(value) => match &value.value {
                        Value::Number(digits, _) => digits.parse().ok().map(TopQuantity::Constant),
                        _ => None,
                    },
                    _ => None,
                };
                let quantity = quantity.unwrap_or(TopQuantity::Expr(limit));
                let mut select = select.clone();
                select.top = Some(Top { with_ties: false, percent: false, quantity: Some(quantity) });
                Some(self.select(&select))
            }
            body => {
                let inner = match body {
                    SetExpr::Query(query) => self.query(query),
                    other => self.set_expr(other),
                };
                let top = format!("{}TOP {}", self.break_(), self.expression(&limit));
                let from = format!("{}FROM {} AS _l_0", self.break_(), self.wrapped(&inner));
                Some(format!("SELECT{top}{}{}{from}", self.break_(), self.indented("*")))
            }
        }
    }

    /// The limit of a query of SQL Server without an offset, but for VALUES, which have no names for their columns.
    fn top_limit(self, query: &Query) -> Option<Expr> {
        let Some(LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by }) =
            &query.limit_clause
        else {
            return None;
        };
        let has_top = self.family == Family::Mssql
            && limit_by.is_empty()
            && matches!(
                query.body.as_ref(),
                SetExpr::Select(_) | SetExpr::SetOperation { .. } | SetExpr::Query(_)
            );
        has_top.then(|| limit.clone())
    }

    fn limit(self, query: &Query) -> String {
        if self.top_limit(query).is_some() {
            return String::new();
        }
        if self.family == Family::Mssql
            && let Some((limit, offset)) = match &query.limit_clause {
                Some(LimitClause::LimitOffset { limit: Some(limit), offset: Some(offset), .. }) => {
                    Some((limit, &offset.value))
                }
                Some(LimitClause::OffsetCommaLimit { offset, limit }) => Some((limit, offset)),
                _ => None,
            }
        {
            let (limit, offset) = (self.expression(limit), self.expression(offset));
            // an offset demands an order
            let order = match &query.order_by {
                Some(_) => String::new(),
                None => {
                    let null = format!("SELECT{}{}", self.break_(), self.indented("NULL"));
                    self.clause("ORDER BY", &self.wrapped(&null))
                }
            };
            return format!("{order}{0}OFFSET {offset} ROWS{0}FETCH FIRST {limit} ROWS ONLY", self.break_());
        }
        let clause = |keyword: &str, value: String| format!("{}{keyword} {value}", self.break_());
        if self.family == Family::Oracle
            && let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause
        {
            let offset = offset.as_ref().map(|offset| self.expression(&offset.value));
            let offset = offset.map(|offset| clause("OFFSET", format!("{offset} ROWS")));
            let limit = limit.as_ref().map(|limit| self.expression(limit));
            let limit = limit.map(|limit| clause("FETCH FIRST", format!("{limit} ROWS ONLY")));
            return offset.unwrap_or_default() + &limit.unwrap_or_default();
        }
        match &query.limit_clause {
            None => String::new(),
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
                let mut text =
                    limit.as_ref().map(|limit| clause("LIMIT", self.expression(limit))).unwrap_or_default();
                if !limit_by.is_empty() {
                    let by: Vec<_> = limit_by.iter().map(|expr| self.expression(expr)).collect();
                    text += &format!(" BY {}", by.join(", "));
                }
                if let Some(offset) = offset {
                    let value = format!("{}{}", self.expression(&offset.value), rows(&offset.rows));
                    let offset = clause("OFFSET", value);
                    // there OFFSET stands first
                    text = if self.family == Family::Presto { offset + &text } else { text + &offset };
                }
                text
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                clause("LIMIT", self.expression(limit)) + &clause("OFFSET", self.expression(offset))
            }
        }
    }

    pub(super) fn cte(self, cte: &Cte) -> String {
        let materialized = match cte.materialized {
            Some(CteAsMaterialized::Materialized) => "MATERIALIZED ",
            Some(CteAsMaterialized::NotMaterialized) => "NOT MATERIALIZED ",
            None => "",
        };
        format!("{} AS {materialized}{}", self.table_alias(&cte.alias), self.wrapped(&self.query(&cte.query)))
    }

    fn set_expr(self, body: &SetExpr) -> String {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.wrapped(&self.query(query)),
            SetExpr::SetOperation { .. } => self.set_operation(body),
            SetExpr::Values(values) => {
                let rows: Vec<_> = values
                    .rows
                    .iter()
                    .map(|row| {
                        let items: Vec<_> = row.iter().map(|expr| self.expression(expr)).collect();
                        format!("({})", self.dynamic_list(&items))
                    })
                    .collect();
                format!("VALUES{}{}", self.break_(), self.indented(&self.lines(&rows)))
            }
            other => protect(&other.to_string()),
        }
    }

    /// Chains lean to the left and may be long: walked, not recursed into.
    fn set_operation(self, body: &SetExpr) -> String {
        let mut parts = Vec::new();
        let mut rest = body;
        while let SetExpr::SetOperation { left, op, set_quantifier, right } = rest {
            let op = match op {
                SetOperator::Union => "UNION",
                SetOperator::Intersect => "INTERSECT",
                SetOperator::Except => "EXCEPT",
                SetOperator::Minus => "MINUS",
            };
            let quantifier = match set_quantifier {
                SetQuantifier::None | SetQuantifier::Distinct => String::new(),
                other => format!(" {other}"),
            };
            parts.push(self.set_expr(right));
            parts.push(format!("{op}{quantifier}"));
            rest = left;
        }
        parts.push(self.set_expr(rest));
        parts.reverse();
        parts.join(self.break_())
    }

    fn select(self, select: &Select) -> String {
        let is_plain = select.optimizer_hints.is_empty()
            && select.select_modifiers.is_none()
            && select.exclude.is_none()
            && select.lateral_views.is_empty()
            && select.connect_by.is_empty()
            && select.cluster_by.is_empty()
            && select.distribute_by.is_empty()
            && select.sort_by.is_empty()
            && select.value_table_mode.is_none()
            && select.into.is_none()
            && matches!(select.flavor, sqlparser::ast::SelectFlavor::Standard);
        if !is_plain {
            return protect(&select.to_string());
        }
        let mut text = String::from("SELECT");
        let before = if self.family == Family::Mssql { self.break_() } else { " " };
        let top = select.top.as_ref().map(|top| match &top.quantity {
            Some(TopQuantity::Constant(number)) if !top.percent && !top.with_ties => {
                format!("{before}TOP {number}")
            }
            _ => format!("{before}{top}"),
        });
        let distinct = match &select.distinct {
            None | Some(Distinct::All) => String::new(),
            Some(Distinct::Distinct) => " DISTINCT".into(),
            Some(Distinct::On(exprs)) => {
                let exprs: Vec<_> = exprs.iter().map(|expr| self.expression(expr)).collect();
                format!(" DISTINCT ON ({})", self.dynamic_list(&exprs))
            }
        };
        text += &distinct;
        text += &top.unwrap_or_default();
        let items: Vec<_> = select.projection.iter().map(|item| self.select_item(item)).collect();
        text += self.break_();
        text += &self.indented(&self.lines(&items));
        if !select.from.is_empty() {
            text += &format!("{}FROM ", self.break_());
            text += &self.from(&select.from);
        }
        if let Some(prewhere) = &select.prewhere {
            text += &self.clause("PREWHERE", &self.expression(prewhere));
        }
        if let Some(selection) = &select.selection {
            text += &self.clause("WHERE", &self.expression(selection));
        }
        text += &self.group_by(&select.group_by);
        if let Some(having) = &select.having {
            text += &self.clause("HAVING", &self.expression(having));
        }
        if !select.named_window.is_empty() {
            let windows: Vec<_> =
                select.named_window.iter().map(|window| self.named_window(window)).collect();
            text += &format!("{}WINDOW {}", self.break_(), windows.join(", "));
        }
        if let Some(qualify) = &select.qualify {
            text += &self.clause("QUALIFY", &self.expression(qualify));
        }
        text
    }

    fn group_by(self, group_by: &GroupByExpr) -> String {
        match group_by {
            GroupByExpr::All(modifiers) if modifiers.is_empty() => format!("{}GROUP BY ALL", self.break_()),
            GroupByExpr::Expressions(exprs, modifiers) if modifiers.is_empty() => {
                if exprs.is_empty() {
                    return String::new();
                }
                let items: Vec<_> = exprs.iter().map(|expr| self.expression(expr)).collect();
                self.clause("GROUP BY", &self.lines(&items))
            }
            other => format!("{}{}", self.break_(), protect(&other.to_string())),
        }
    }

    pub(super) fn select_item(self, item: &SelectItem) -> String {
        match item {
            SelectItem::UnnamedExpr(expr) => self.expression(expr),
            SelectItem::ExprWithAlias { expr, alias } => {
                format!("{} AS {}", self.expression(expr), self.ident(alias))
            }
            SelectItem::Wildcard(options) if is_plain(options) => "*".into(),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
                if is_plain(options) =>
            {
                format!("{}.*", self.object_name(name))
            }
            other => protect(&other.to_string()),
        }
    }

    pub(super) fn order_item(self, item: &OrderByExpr) -> String {
        let mut text = self.expression(&item.expr);
        text += match item.options.sort {
            Some(OrderBySort::Asc) => " ASC",
            Some(OrderBySort::Desc) => " DESC",
            Some(_) => return protect(&item.to_string()),
            None => "",
        };
        text += self.nulls(item.options.nulls_first, matches!(item.options.sort, Some(OrderBySort::Desc)));
        if let Some(fill) = &item.with_fill {
            text += &format!(" {fill}");
        }
        text
    }

    /// Where NULLs go, unless the engine puts them there anyway.
    fn nulls(self, nulls_first: Option<bool>, is_desc: bool) -> &'static str {
        let first_by_default = match self.family {
            Family::Postgres | Family::Oracle => is_desc,
            _ => !is_desc,
        };
        match nulls_first {
            Some(first) if first != first_by_default => {
                if first {
                    " NULLS FIRST"
                } else {
                    " NULLS LAST"
                }
            }
            _ => "",
        }
    }

    fn from(self, tables: &[TableWithJoins]) -> String {
        let tables: Vec<_> = tables.iter().map(|table| self.table_with_joins(table)).collect();
        let comma =
            if self.family == Family::Sqlite { format!("{}CROSS JOIN ", self.break_()) } else { ", ".into() };
        tables.join(&comma)
    }

    fn table_with_joins(self, table: &TableWithJoins) -> String {
        let mut text = self.table_factor(&table.relation);
        for join in &table.joins {
            text += &self.join(join);
        }
        text
    }

    fn join(self, join: &Join) -> String {
        let (keyword, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) => ("JOIN", constraint),
            JoinOperator::Inner(constraint) => ("INNER JOIN", constraint),
            JoinOperator::Left(constraint) => ("LEFT JOIN", constraint),
            JoinOperator::LeftOuter(constraint) => ("LEFT OUTER JOIN", constraint),
            JoinOperator::Right(constraint) => ("RIGHT JOIN", constraint),
            JoinOperator::RightOuter(constraint) => ("RIGHT OUTER JOIN", constraint),
            JoinOperator::FullOuter(constraint) => ("FULL OUTER JOIN", constraint),
            JoinOperator::CrossJoin(constraint) => ("CROSS JOIN", constraint),
            JoinOperator::Semi(constraint) => ("SEMI JOIN", constraint),
            JoinOperator::LeftSemi(constraint) => ("LEFT SEMI JOIN", constraint),
            JoinOperator::Anti(constraint) => ("ANTI JOIN", constraint),
            JoinOperator::LeftAnti(constraint) => ("LEFT ANTI JOIN", constraint),
            _ => return format!("{}{}", self.break_(), protect(join.to_string().trim_start())),
        };
        let global = if join.global { "GLOBAL " } else { "" };
        let natural = if matches!(constraint, JoinConstraint::Natural) { "NATURAL " } else { "" };
        let on_break = if self.pretty { "\n  " } else { " " };
        let constraint = match constraint {
            JoinConstraint::On(expr) => format!("{on_break}ON {}", self.hanging(&self.expression(expr))),
            JoinConstraint::Using(columns) => {
                let columns: Vec<_> = columns.iter().map(|column| self.object_name(column)).collect();
                format!("{on_break}USING ({})", columns.join(", "))
            }
            JoinConstraint::Natural | JoinConstraint::None => String::new(),
        };
        format!(
            "{}{natural}{global}{keyword} {}{constraint}",
            self.break_(),
            self.table_factor(&join.relation)
        )
    }

    fn table_factor(self, factor: &TableFactor) -> String {
        let alias = |alias: &Option<TableAlias>| {
            alias.as_ref().map(|alias| format!(" AS {}", self.table_alias(alias))).unwrap_or_default()
        };
        match factor {
            TableFactor::Table {
                name,
                alias: named,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                // the parser knows no FINAL, and takes it for an alias
                let is_final = self.family == Family::ClickHouse
                    && named.as_ref().is_some_and(|named| {
                        named.columns.is_empty()
                            && named.name.quote_style.is_none()
                            && named.name.value.eq_ignore_ascii_case("final")
                    });
                let named = if is_final { " FINAL".to_owned() } else { alias(named) };
                format!("{}{named}", self.object_name(name))
            }
            // A list of rows stays next to its parentheses.
            TableFactor::Derived { lateral: false, subquery, alias: named, sample: None }
                if matches!(subquery.body.as_ref(), SetExpr::Values(_)) && subquery.with.is_none() =>
            {
                format!("({}){}", self.query(subquery), alias(named))
            }
            TableFactor::Derived { lateral, subquery, alias: named, sample: None } => {
                let lateral = if *lateral { "LATERAL " } else { "" };
                format!("{lateral}{}{}", self.wrapped(&self.query(subquery)), alias(named))
            }
            TableFactor::NestedJoin { table_with_joins, alias: named } => {
                format!("{}{}", self.wrapped(&self.table_with_joins(table_with_joins)), alias(named))
            }
            other => protect(&other.to_string()),
        }
    }

    fn table_alias(self, alias: &TableAlias) -> String {
        if alias.at.is_some() || alias.columns.iter().any(|column| column.data_type.is_some()) {
            return protect(&alias.to_string());
        }
        let columns: Vec<_> = alias.columns.iter().map(|column| self.ident(&column.name)).collect();
        if columns.is_empty() {
            self.ident(&alias.name)
        } else {
            format!("{}({})", self.ident(&alias.name), columns.join(", "))
        }
    }
}

fn is_plain(options: &WildcardAdditionalOptions) -> bool {
    options.opt_ilike.is_none()
        && options.opt_exclude.is_none()
        && options.opt_except.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none()
        && options.opt_alias.is_none()
}

fn rows(rows: &sqlparser::ast::OffsetRows) -> &'static str {
    match rows {
        sqlparser::ast::OffsetRows::None => "",
        sqlparser::ast::OffsetRows::Row => " ROW",
        sqlparser::ast::OffsetRows::Rows => " ROWS",
    }
}
