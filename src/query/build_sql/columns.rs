//! Columns of the dataset, adhoc columns, and time columns by grain.

use super::{
    Builder,
    expr::{Expr, Labeled},
    select::Select,
};
use crate::{
    dataset::DatasetColumn,
    engine::timestamp_template,
    error::{QueryError, Result},
    query_object::Column,
};

impl Builder<'_> {
    /// The plain expression of a dataset column: its name or its calculated expression.
    pub(super) fn column_expr(&self, column: &DatasetColumn) -> Result<Expr> {
        match column.expression() {
            Some(expression) => Ok(Expr::Literal(self.stored_expression(expression)?)),
            None => Ok(Expr::Column(column.column_name.clone())),
        }
    }

    /// A dataset column under a label, by default its name (`convert_tbl_column_to_sqla_col`).
    pub(super) fn column(&self, column: &DatasetColumn, label: Option<&str>) -> Result<Labeled> {
        let expr = self.column_expr(column)?;
        Ok(self.label(expr, label.unwrap_or(&column.column_name)))
    }

    /// A time column by grain (`TableColumn.get_timestamp_expression`).
    pub(super) fn timestamp(
        &self,
        column: &DatasetColumn,
        grain: Option<&str>,
        label: &str,
    ) -> Result<Labeled> {
        let format = column.python_date_format.as_deref();
        let grain = grain.filter(|grain| !grain.is_empty());
        let is_epoch = matches!(format, Some("epoch_s" | "epoch_ms"));
        let expr = self.column_expr(column)?;
        if column.expression().is_none() && grain.is_none() && !is_epoch {
            return Ok(self.label(expr, label));
        }
        let template = timestamp_template(self.spec, column.type_.as_deref(), format, grain)?;
        Ok(self.label(Expr::Template { template, column: Box::new(expr) }, label))
    }

    /// An adhoc column (`adhoc_column_to_sqla`). `check` demands that the database knows the column; the outcome is
    /// `None` if it does not.
    pub(super) fn adhoc_column(&self, column: &Column, check: bool) -> Result<Option<Labeled>> {
        let label = column.label().ok_or_else(|| QueryError::generic("Missing label"))?;
        let sql = column.sql_expression().ok_or_else(|| QueryError::generic("'sqlExpression'"))?;
        let grain = if column.is_base_axis() { column.time_grain() } else { None };
        if let Some(known) = self.dataset.column(sql) {
            let expr = self.column_expr(known)?;
            if grain.is_none() || !known.is_temporal(self.spec) {
                return Ok(Some(self.label(expr, &label)));
            }
            let format = known.python_date_format.as_deref();
            let template = timestamp_template(self.spec, known.type_.as_deref(), format, grain)?;
            return Ok(Some(self.label(Expr::Template { template, column: Box::new(expr) }, &label)));
        }
        let text = if column.is_column_reference() { self.dialect.quote(sql) } else { sql.to_owned() };
        let expr = Expr::Literal(self.adhoc_expression(&text)?);
        if grain.is_none() && !check {
            return Ok(Some(self.label(expr, &label)));
        }
        let is_temporal = match self.probe(&expr)? {
            Ok(is_temporal) => is_temporal,
            Err(_) if check => return Ok(None),
            // ColumnNotFoundException ends the request outside of filters.
            Err(words) => return Err(QueryError::generic(words)),
        };
        if grain.is_none() || !is_temporal {
            return Ok(Some(self.label(expr, &label)));
        }
        let template = timestamp_template(self.spec, None, None, grain)?;
        Ok(Some(self.label(Expr::Template { template, column: Box::new(expr) }, &label)))
    }

    /// Whether an expression is temporal, as the database tells; or what it says when it refuses the expression.
    fn probe(&self, expr: &Expr) -> Result<std::result::Result<bool, String>> {
        let from = self.source()?;
        let mut select = Select::new(self.spec, vec![expr.render(self.dialect)], from.text.clone());
        select.limit = Some(1);
        let sql = from.with_prefix(select.render());
        match self.cx.answers.probes.get(&sql) {
            Some(answer) => Ok(answer.clone()),
            None => {
                self.ask([sql]);
                // Any outcome will do: the result is thrown away and the query is built again with the answer.
                Ok(Ok(false))
            }
        }
    }
}
