//! Expressions.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType, DateTimeField, Expr, Interval, NamedWindowDefinition,
    NamedWindowExpr, UnaryOperator, Value,
};

use super::{super::dialect::Family, Printer, protect};

impl Printer {
    pub(super) fn expression(self, expr: &Expr) -> String {
        match expr {
            Expr::Identifier(ident) => self.ident(ident),
            Expr::CompoundIdentifier(parts) => {
                parts.iter().map(|part| self.ident(part)).collect::<Vec<_>>().join(".")
            }
            Expr::Value(value) => self.value(&value.value),
            Expr::Nested(inner) => self.wrapped(&self.expression(inner)),
            Expr::BinaryOp { left, op: BinaryOperator::Modulo, right }
                if matches!(self.family, Family::Oracle | Family::Bigquery) =>
            {
                format!("MOD({}, {})", self.expression(left), self.expression(right))
            }
            Expr::BinaryOp { .. } => self.binary(expr),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::Function(function) => self.function(function),
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon,
                expr,
                data_type: DataType::Date,
                format: None,
            } if self.family == Family::Sqlite => {
                format!("DATE({})", self.expression(expr))
            }
            Expr::Cast { kind, expr, data_type, format: None } => {
                let name = match kind {
                    CastKind::TryCast => "TRY_CAST",
                    CastKind::SafeCast => "SAFE_CAST",
                    CastKind::Cast | CastKind::DoubleColon => "CAST",
                };
                format!("{name}({} AS {})", self.expression(expr), self.data_type(data_type))
            }
            Expr::TypedString(typed)
                if self.family == Family::Sqlite && matches!(typed.data_type, DataType::Date) =>
            {
                format!("DATE({})", self.value(&typed.value.value))
            }
            // a cast to these would cut all but the first letter off
            Expr::TypedString(typed)
                if self.family == Family::Postgres
                    && matches!(
                        typed.data_type,
                        DataType::Bit(None) | DataType::Char(None) | DataType::Character(None)
                    ) =>
            {
                format!("{} {}", typed.data_type, self.value(&typed.value.value))
            }
            Expr::TypedString(typed) if !typed.uses_odbc_syntax => {
                format!("CAST({} AS {})", self.value(&typed.value.value), self.data_type(&typed.data_type))
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::IsNull(inner) => format!("{} IS NULL", self.expression(inner)),
            Expr::IsNotNull(inner) if self.family == Family::ClickHouse => {
                format!("NOT ({} IS NULL)", self.expression(inner))
            }
            Expr::IsNotNull(inner) => format!("NOT {} IS NULL", self.expression(inner)),
            Expr::IsTrue(inner) => format!("{} IS TRUE", self.expression(inner)),
            Expr::IsNotTrue(inner) => format!("NOT {} IS TRUE", self.expression(inner)),
            Expr::IsFalse(inner) => format!("{} IS FALSE", self.expression(inner)),
            Expr::IsNotFalse(inner) => format!("NOT {} IS FALSE", self.expression(inner)),
            Expr::IsDistinctFrom(left, right) if self.family == Family::Sqlite => {
                format!("NOT {} IS {}", self.expression(left), self.expression(right))
            }
            Expr::IsNotDistinctFrom(left, right) if self.family == Family::Sqlite => {
                format!("{} IS {}", self.expression(left), self.expression(right))
            }
            Expr::IsDistinctFrom(left, right) => {
                format!("{} IS DISTINCT FROM {}", self.expression(left), self.expression(right))
            }
            Expr::IsNotDistinctFrom(left, right) => {
                format!("{} IS NOT DISTINCT FROM {}", self.expression(left), self.expression(right))
            }
            Expr::InList { expr, list, negated } => {
                let items: Vec<_> = list.iter().map(|item| self.expression(item)).collect();
                negation(*negated, format!("{} IN ({})", self.expression(expr), self.dynamic_list(&items)))
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let subquery = self.wrapped(&self.query(subquery));
                negation(*negated, format!("{} IN {subquery}", self.expression(expr)))
            }
            Expr::Between { expr, negated, low, high } => {
                let (expr, low, high) = (self.expression(expr), self.expression(low), self.expression(high));
                negation(*negated, format!("{expr} BETWEEN {low} AND {high}"))
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like("LIKE", *negated, expr, pattern, escape_char.as_deref())
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char: None }
                if matches!(self.family, Family::Sqlite | Family::Mysql | Family::Doris) =>
            {
                let (expr, pattern) = (self.expression(expr), self.expression(pattern));
                negation(*negated, format!("LOWER({expr}) LIKE LOWER({pattern})"))
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like("ILIKE", *negated, expr, pattern, escape_char.as_deref())
            }
            Expr::SimilarTo { negated, expr, pattern, escape_char } => {
                self.like("SIMILAR TO", *negated, expr, pattern, escape_char.as_deref())
            }
            Expr::Exists { subquery, negated } => {
                negation(*negated, format!("EXISTS{}", self.wrapped(&self.query(subquery))))
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                let chain: String = access_chain.iter().map(|access| protect(&access.to_string())).collect();
                format!("{}{chain}", self.expression(root))
            }
            Expr::Subquery(query) => self.wrapped(&self.query(query)),
            Expr::Tuple(items) => {
                let items: Vec<_> = items.iter().map(|item| self.expression(item)).collect();
                format!("({})", self.dynamic_list(&items))
            }
            Expr::Extract { field, expr, .. } => {
                format!("EXTRACT({} FROM {})", field.to_string().to_uppercase(), self.expression(expr))
            }
            Expr::Interval(interval) => self.interval(interval),
            Expr::AtTimeZone { timestamp, time_zone } => {
                format!("{} AT TIME ZONE {}", self.expression(timestamp), self.expression(time_zone))
            }
            Expr::Collate { expr, collation } => {
                format!("{} COLLATE {}", self.expression(expr), self.object_name(collation))
            }
            Expr::Array(array) if array.named => {
                let items: Vec<_> = array.elem.iter().map(|item| self.expression(item)).collect();
                format!("ARRAY[{}]", self.arguments(&items))
            }
            Expr::Rollup(sets) => self.grouping("ROLLUP", sets),
            Expr::Cube(sets) => self.grouping("CUBE", sets),
            Expr::Substring { .. }
            | Expr::Trim { .. }
            | Expr::Position { .. }
            | Expr::Ceil { .. }
            | Expr::Floor { .. } => self.special_function(expr),
            other => protect(&other.to_string()),
        }
    }

    /// Operators lean to the left and chains may be long: the left side is walked, not recursed into.
    fn binary(self, expr: &Expr) -> String {
        let mut tail: Vec<(String, String)> = Vec::new();
        let mut rest = expr;
        let mut connectors_only = true;
        while let Expr::BinaryOp { left, op, right } = rest {
            let is_connector = matches!(op, BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor);
            // AND and OR are laid out together, everything else is one operand of them.
            if !tail.is_empty() && is_connector != connectors_only {
                break;
            }
            connectors_only = is_connector;
            tail.push((self.operator(op), self.operand(op, right)));
            rest = left;
        }
        let mut parts = vec![self.expression(rest)];
        if connectors_only {
            // A chain on the left has been laid out already, if it is of the same kind.
            for (op, right) in tail.into_iter().rev() {
                parts.push(format!("{op} {right}"));
            }
            let separator = if self.is_wide(&parts) { "\n" } else { " " };
            return parts.join(separator);
        }
        let mut text = parts.concat();
        for (op, right) in tail.into_iter().rev() {
            let negated = match op.strip_prefix('!') {
                Some(positive) if self.family == Family::Postgres && positive.starts_with('~') => {
                    Some(positive)
                }
                _ => None,
            };
            text = match negated {
                Some(positive) => format!("NOT {text} {positive} {right}"),
                None => format!("{text} {op} {right}"),
            };
        }
        text
    }

    fn operand(self, op: &BinaryOperator, right: &Expr) -> String {
        // `a AND (b OR c)` keeps its parentheses as a node; `a AND b` on the right has none to lose.
        let text = self.expression(right);
        // `- -1` must not become a comment.
        if matches!(op, BinaryOperator::Minus) && text.starts_with('-') {
            format!(" {text}").trim_start().to_owned()
        } else {
            text
        }
    }

    fn operator(self, op: &BinaryOperator) -> String {
        match op {
            BinaryOperator::Spaceship if !self.family.is_mysql() => "IS NOT DISTINCT FROM".into(),
            BinaryOperator::NotEq => "<>".into(),
            BinaryOperator::StringConcat if self.family == Family::Mssql => "+".into(),
            BinaryOperator::StringConcat if self.family.is_mysql() => "OR".into(),
            BinaryOperator::PGExp if self.family == Family::Postgres => "^".into(),
            other => other.to_string(),
        }
    }

    fn unary(self, op: UnaryOperator, expr: &Expr) -> String {
        let text = self.expression(expr);
        match op {
            UnaryOperator::Not => format!("NOT {text}"),
            UnaryOperator::Minus if text.starts_with('-') => format!("- {text}"),
            UnaryOperator::Minus => format!("-{text}"),
            // The original reads it and forgets it.
            UnaryOperator::Plus => text,
            UnaryOperator::BitwiseNot => format!("~{text}"),
            UnaryOperator::PGPostfixFactorial => format!("{text}!"),
            other => format!("{other} {text}"),
        }
    }

    fn like(
        self,
        keyword: &str,
        negated: bool,
        expr: &Expr,
        pattern: &Expr,
        escape: Option<&Expr>,
    ) -> String {
        let mut text = format!("{} {keyword} {}", self.expression(expr), self.expression(pattern));
        if let Some(escape) = escape {
            text += &format!(" ESCAPE {}", self.expression(escape));
        }
        negation(negated, text)
    }

    fn case(self, operand: Option<&Expr>, conditions: &[CaseWhen], else_result: Option<&Expr>) -> String {
        let mut parts = vec![
            operand.map_or_else(|| "CASE".to_owned(), |operand| format!("CASE {}", self.expression(operand))),
        ];
        for when in conditions {
            parts.push(format!("WHEN {}", self.expression(&when.condition)));
            parts.push(format!("THEN {}", self.expression(&when.result)));
        }
        if let Some(result) = else_result {
            parts.push(format!("ELSE {}", self.expression(result)));
        }
        parts.push("END".into());
        if self.is_wide(&parts) { self.inner_indented(&parts.join("\n")) } else { parts.join(" ") }
    }

    fn value(self, value: &Value) -> String {
        match value {
            Value::Number(digits, false) if digits.starts_with('.') => format!("0{digits}"),
            Value::Number(digits, long) => format!("{digits}{}", if *long { "L" } else { "" }),
            // Escapes were never undone, so the text goes back as it came.
            Value::SingleQuotedString(raw) => format!("'{}'", protect(raw)),
            Value::DoubleQuotedString(raw)
                if matches!(self.family, Family::Mysql | Family::Doris | Family::Bigquery)
                    && !raw.contains(['\'', '"', '\\']) =>
            {
                format!("'{}'", protect(raw))
            }
            Value::DoubleQuotedString(raw) => format!("\"{}\"", protect(raw)),
            Value::Boolean(true) => "TRUE".into(),
            Value::Boolean(false) => "FALSE".into(),
            Value::Null => "NULL".into(),
            other => protect(&other.to_string()),
        }
    }

    fn interval(self, interval: &Interval) -> String {
        let is_simple = interval.leading_precision.is_none()
            && interval.last_field.is_none()
            && interval.fractional_seconds_precision.is_none();
        let text = match interval.value.as_ref() {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => Some(text.clone()),
                Value::Number(digits, false) => Some(digits.clone()),
                _ => None,
            },
            _ => None,
        };
        let unit = |field: &DateTimeField| field.to_string().to_uppercase();
        match (text, &interval.leading_field) {
            (Some(text), None) if is_simple => {
                // Only `number unit` is normalised.
                let words: Vec<_> = text.split_whitespace().collect();
                match words.as_slice() {
                    [number, unit] if number.parse::<f64>().is_ok() => match self.family {
                        Family::Postgres => format!("INTERVAL '{number} {}'", unit.to_uppercase()),
                        _ => format!("INTERVAL '{number}' {}", unit.to_uppercase()),
                    },
                    _ => format!("INTERVAL '{}'", protect(&text)),
                }
            }
            (Some(text), Some(field)) if is_simple => match self.family {
                Family::Postgres => format!("INTERVAL '{text} {}'", unit(field)),
                _ => format!("INTERVAL '{text}' {}", unit(field)),
            },
            (None, Some(field)) if is_simple => {
                format!("INTERVAL {} {}", self.expression(&interval.value), unit(field))
            }
            _ => protect(&interval.to_string()),
        }
    }

    fn grouping(self, keyword: &str, sets: &[Vec<Expr>]) -> String {
        let items: Vec<_> = sets
            .iter()
            .map(|set| {
                let items: Vec<_> = set.iter().map(|expr| self.expression(expr)).collect();
                if let [only] = items.as_slice() {
                    only.clone()
                } else {
                    format!("({})", self.dynamic_list(&items))
                }
            })
            .collect();
        format!("{keyword} {}", self.wrapped(&self.lines(&items)))
    }

    pub(super) fn named_window(self, window: &NamedWindowDefinition) -> String {
        let NamedWindowDefinition(name, definition) = window;
        match definition {
            NamedWindowExpr::NamedWindow(other) => format!("{} AS {}", self.ident(name), self.ident(other)),
            NamedWindowExpr::WindowSpec(spec) => {
                format!("{} AS ({})", self.ident(name), self.window_spec(spec))
            }
        }
    }
}

fn negation(negated: bool, text: String) -> String {
    if negated { format!("NOT {text}") } else { text }
}
