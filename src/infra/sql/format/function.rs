//! Function calls: names, arguments, windows.

use sqlparser::ast::{
    CeilFloorKind, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArgumentList, FunctionArguments, NullTreatment, TrimWhereField, Value, WindowFrame,
    WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};

use super::{super::dialect::Family, Printer, protect};

/// Names that sqlglot reads as one function and prints by its main name.
const SYNONYMS: &[(&str, &str)] = &[
    ("IFNULL", "COALESCE"),
    ("NVL", "COALESCE"),
    ("LEN", "LENGTH"),
    ("CHAR_LENGTH", "LENGTH"),
    ("CHARACTER_LENGTH", "LENGTH"),
    ("CEILING", "CEIL"),
    ("POW", "POWER"),
    ("LCASE", "LOWER"),
    ("UCASE", "UPPER"),
    ("SUBSTR", "SUBSTRING"),
];

impl Printer {
    pub(super) fn function(self, function: &Function) -> String {
        let FunctionArguments::None = function.parameters else { return protect(&function.to_string()) };
        if function.uses_odbc_syntax {
            return protect(&function.to_string());
        }
        let name = self.function_name(function);
        let list = match &function.args {
            FunctionArguments::None => return self.bare_function(&name, function),
            FunctionArguments::Subquery(query) => {
                return self.with_window(format!("{name}{}", self.wrapped(&self.query(query))), function);
            }
            FunctionArguments::List(list) => list,
        };
        let Some(arguments) = self.function_arguments(list) else { return protect(&function.to_string()) };
        let text = self
            .rewritten(&name, list, &arguments)
            .unwrap_or_else(|| format!("{name}({})", self.arguments(&arguments)));
        self.with_window(text, function)
    }

    /// A call without parentheses: `CURRENT_DATE` is a function to sqlglot, `user` is a column.
    fn bare_function(self, name: &str, function: &Function) -> String {
        let upper = name.to_uppercase();
        let is_known = upper.starts_with("CURRENT_") || upper.starts_with("LOCALTIME");
        let text = if is_known { upper } else { function.name.to_string() };
        self.with_window(text, function)
    }

    fn function_name(self, function: &Function) -> String {
        let mut parts: Vec<_> = function.name.0.iter().filter_map(|part| part.as_ident()).collect();
        let Some(last) = parts.pop() else { return function.name.to_string() };
        let own = if last.quote_style.is_some() {
            self.ident(last)
        } else {
            let upper = last.value.to_uppercase();
            let synonym = SYNONYMS.iter().find(|(name, _)| parts.is_empty() && *name == upper);
            match (synonym, self.family) {
                (Some((_, main)), Family::Sqlite | Family::Postgres | Family::Mysql | Family::Doris) => {
                    (*main).to_owned()
                }
                // elsewhere `toDate` and `TODATE` are one function
                (_, Family::ClickHouse)
                    if !matches!(upper.as_str(), "COUNT" | "SUM" | "MIN" | "MAX" | "AVG") =>
                {
                    last.value.clone()
                }
                (_, Family::Bigquery) => last.value.clone(),
                _ if parts.is_empty() => upper,
                // Functions of a schema keep their spelling.
                _ => last.value.clone(),
            }
        };
        let mut names: Vec<_> = parts.into_iter().map(|part| self.ident(part)).collect();
        names.push(own);
        names.join(".")
    }

    fn function_arguments(self, list: &FunctionArgumentList) -> Option<Vec<String>> {
        let mut items =
            list.args.iter().map(|arg| self.function_argument(arg)).collect::<Option<Vec<_>>>()?;
        match list.duplicate_treatment {
            Some(DuplicateTreatment::Distinct) => items = vec![format!("DISTINCT {}", items.join(", "))],
            Some(DuplicateTreatment::All) => return None,
            None => {}
        }
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(order) => {
                    let order: Vec<_> = order.iter().map(|item| self.order_item(item)).collect();
                    let last = items.last_mut()?;
                    *last += &format!(" ORDER BY {}", order.join(", "));
                }
                _ => return None,
            }
        }
        Some(items)
    }

    fn function_argument(self, argument: &FunctionArg) -> Option<String> {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(self.expression(expr)),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Some("*".into()),
            FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name)) => {
                Some(format!("{}.*", self.object_name(name)))
            }
            _ => None,
        }
    }

    /// Calls that sqlglot prints in another form.
    fn rewritten(self, name: &str, list: &FunctionArgumentList, arguments: &[String]) -> Option<String> {
        let plain = list.duplicate_treatment.is_none() && list.clauses.is_empty();
        let is_pg = self.family == Family::Postgres;
        let is_lite = self.family == Family::Sqlite;
        let is_mysql = self.family.is_mysql();
        let unit = || literal(list.args.first()?);
        // An operator among the arguments would bind differently outside of the call.
        let has_operator = list.args.iter().any(|argument| {
            matches!(
                argument,
                FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::BinaryOp { .. } | Expr::UnaryOp { .. }))
            )
        });
        match (name, arguments) {
            ("NOW", []) if is_pg => Some("CURRENT_TIMESTAMP".into()),
            ("DATE_TRUNC", [_, rest @ ..]) if (is_pg || is_lite) && plain && !rest.is_empty() => {
                Some(format!("DATE_TRUNC('{}', {})", unit()?.to_uppercase(), rest.join(", ")))
            }
            ("DATE_PART", [_, value]) if is_pg && plain => Some(format!("EXTRACT({} FROM {value})", unit()?)),
            ("SUBSTRING", [text, from, rest @ ..]) if is_pg && plain => match rest {
                [] => Some(format!("SUBSTRING({text} FROM {from})")),
                [length] => Some(format!("SUBSTRING({text} FROM {from} FOR {length})")),
                _ => None,
            },
            ("STRPOS" | "INSTR", [text, part]) if is_pg && plain => {
                Some(format!("POSITION({part} IN {text})"))
            }
            ("STRPOS" | "INSTR", [text, part]) if is_mysql && plain => {
                Some(format!("LOCATE({part}, {text})"))
            }
            ("STRPOS", [text, part]) if is_lite && plain => Some(format!("INSTR({text}, {part})")),
            ("IF" | "IIF", [condition, yes, no]) if (is_pg || is_mysql) && plain => {
                Some(format!("CASE WHEN {condition} THEN {yes} ELSE {no} END"))
            }
            ("IF", [_, _, _]) if is_lite && plain => Some(format!("IIF({})", self.arguments(arguments))),
            ("VARIANCE", [value]) if is_pg && plain => Some(format!("VAR_SAMP({value})")),
            ("GROUP_CONCAT", [value]) if is_pg && plain => Some(format!("STRING_AGG({value}, ',')")),
            ("STRING_AGG", [_, _]) if is_lite && plain => {
                Some(format!("GROUP_CONCAT({})", arguments.join(", ")))
            }
            ("CONCAT", [_, _, ..]) if is_lite && plain && !has_operator => Some(arguments.join(" || ")),
            ("JSON_EXTRACT", [value, path]) if is_lite && plain && !has_operator => {
                Some(format!("{value} -> {path}"))
            }
            ("MOD", [left, right]) if plain && !has_operator => Some(format!("{left} % {right}")),
            _ => None,
        }
    }

    /// FILTER, WITHIN GROUP and OVER.
    fn with_window(self, mut text: String, function: &Function) -> String {
        if !function.within_group.is_empty() {
            let order: Vec<_> = function.within_group.iter().map(|item| self.order_item(item)).collect();
            let clause = self.clause("ORDER BY", &self.lines(&order));
            text += &format!(" WITHIN GROUP ({})", clause.trim_start());
        }
        if let Some(filter) = &function.filter {
            let clause = self.clause("WHERE", &self.expression(filter));
            text += &format!(" FILTER({})", clause.trim_start());
        }
        match function.null_treatment {
            Some(NullTreatment::IgnoreNulls) => text += " IGNORE NULLS",
            Some(NullTreatment::RespectNulls) => text += " RESPECT NULLS",
            None => {}
        }
        match &function.over {
            Some(WindowType::NamedWindow(name)) => text += &format!(" OVER {}", self.ident(name)),
            Some(WindowType::WindowSpec(spec)) => text += &format!(" OVER ({})", self.window_spec(spec)),
            None => {}
        }
        text
    }

    pub(super) fn window_spec(self, spec: &WindowSpec) -> String {
        let mut parts = Vec::new();
        parts.extend(spec.window_name.iter().map(|name| self.ident(name)));
        if !spec.partition_by.is_empty() {
            let items: Vec<_> = spec.partition_by.iter().map(|expr| self.expression(expr)).collect();
            parts.push(format!("PARTITION BY {}", items.join(", ")));
        }
        if !spec.order_by.is_empty() {
            let items: Vec<_> = spec.order_by.iter().map(|item| self.order_item(item)).collect();
            parts.push(format!("ORDER BY {}", items.join(", ")));
        }
        parts.extend(spec.window_frame.iter().map(|frame| self.window_frame(frame)));
        self.arguments_separated(&parts, " ")
    }

    fn window_frame(self, frame: &WindowFrame) -> String {
        let units = match frame.units {
            WindowFrameUnits::Rows => "ROWS",
            WindowFrameUnits::Range => "RANGE",
            WindowFrameUnits::Groups => "GROUPS",
        };
        let bound = |bound: &WindowFrameBound| match bound {
            WindowFrameBound::CurrentRow => "CURRENT ROW".to_owned(),
            WindowFrameBound::Preceding(None) => "UNBOUNDED PRECEDING".into(),
            WindowFrameBound::Following(None) => "UNBOUNDED FOLLOWING".into(),
            WindowFrameBound::Preceding(Some(expr)) => format!("{} PRECEDING", self.expression(expr)),
            WindowFrameBound::Following(Some(expr)) => format!("{} FOLLOWING", self.expression(expr)),
        };
        let end = frame.end_bound.as_ref().map_or_else(|| "CURRENT ROW".to_owned(), bound);
        format!("{units} BETWEEN {} AND {end}", bound(&frame.start_bound))
    }

    /// Functions with keywords between their arguments.
    pub(super) fn special_function(self, expr: &Expr) -> String {
        let is_pg = self.family == Family::Postgres;
        match expr {
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let (text, from) = (self.expression(expr), self.expression(from));
                let length = substring_for.as_ref().map(|length| self.expression(length));
                match (is_pg, length) {
                    (true, None) => format!("SUBSTRING({text} FROM {from})"),
                    (true, Some(length)) => format!("SUBSTRING({text} FROM {from} FOR {length})"),
                    (false, length) => {
                        let items: Vec<_> = [text, from].into_iter().chain(length).collect();
                        format!("SUBSTRING({})", self.arguments(&items))
                    }
                }
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters: None } => {
                let place = match trim_where {
                    Some(TrimWhereField::Both) => "BOTH ",
                    Some(TrimWhereField::Leading) => "LEADING ",
                    Some(TrimWhereField::Trailing) => "TRAILING ",
                    None => "",
                };
                match trim_what {
                    Some(what) => {
                        format!("TRIM({place}{} FROM {})", self.expression(what), self.expression(expr))
                    }
                    None => format!("TRIM({place}{})", self.expression(expr)),
                }
            }
            Expr::Position { expr, r#in } if self.family == Family::Sqlite => {
                format!("INSTR({}, {})", self.expression(r#in), self.expression(expr))
            }
            Expr::Position { expr, r#in } if self.family.is_mysql() => {
                format!("LOCATE({}, {})", self.expression(expr), self.expression(r#in))
            }
            Expr::Position { expr, r#in } => {
                format!("POSITION({} IN {})", self.expression(expr), self.expression(r#in))
            }
            Expr::Ceil {
                expr,
                field: CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime),
            } => {
                format!("CEIL({})", self.expression(expr))
            }
            Expr::Floor {
                expr,
                field: CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime),
            } => {
                format!("FLOOR({})", self.expression(expr))
            }
            other => protect(&other.to_string()),
        }
    }
}

fn literal(argument: &FunctionArg) -> Option<&str> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}
