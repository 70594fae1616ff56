//! Statements that write, as SQL Lab shows them. Only their common forms are laid out: a statement is common when its
//! parts account for all of the parser's own text of it.

use sqlparser::ast::{ColumnDef, CreateTable, CreateView, Delete, FromTable, Insert, Statement, Update};

use super::{super::dialect::Family, Printer, data_type::clickhouse, protect};

impl Printer {
    pub(super) fn other_statement(self, statement: &Statement) -> String {
        let laid_out = match statement {
            Statement::CreateTable(create) => self.create_table(create),
            Statement::CreateView(create) => self.create_view(create),
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            _ => None,
        };
        laid_out.unwrap_or_else(|| {
            let text = statement.to_string();
            protect(&if self.family == Family::ClickHouse { clickhouse(&text) } else { text })
        })
    }

    fn create_table(self, create: &CreateTable) -> Option<String> {
        let exists = if create.if_not_exists { "IF NOT EXISTS " } else { "" };
        let temporary = if create.temporary { "TEMPORARY " } else { "" };
        let head = format!("CREATE {temporary}TABLE {exists}");
        if let Some(query) = &create.query {
            let canonical = format!("{head}{} AS {query}", create.name);
            return (create.to_string() == canonical).then(|| {
                format!("{head}{} AS{}{}", self.object_name(&create.name), self.break_(), self.query(query))
            });
        }
        let columns = create.columns.iter().map(ToString::to_string);
        let constraints = create.constraints.iter().map(ToString::to_string);
        let canonical = format!(
            "{head}{} ({})",
            create.name,
            columns.chain(constraints.clone()).collect::<Vec<_>>().join(", ")
        );
        if create.to_string() != canonical {
            return None;
        }
        let lines: Vec<_> = create
            .columns
            .iter()
            .map(|column| self.column_definition(column))
            .chain(constraints.map(|text| protect(&text)))
            .collect();
        Some(format!("{head}{} {}", self.object_name(&create.name), self.wrapped(&self.lines(&lines))))
    }

    fn column_definition(self, column: &ColumnDef) -> String {
        let mut text = format!("{} {}", self.ident(&column.name), self.data_type(&column.data_type));
        for option in &column.options {
            text += &format!(" {}", protect(&option.to_string()));
        }
        text
    }

    fn create_view(self, create: &CreateView) -> Option<String> {
        let head = format!("CREATE {}VIEW ", if create.or_replace { "OR REPLACE " } else { "" });
        let canonical = format!("{head}{} AS {}", create.name, create.query);
        (create.to_string() == canonical).then(|| {
            format!(
                "{head}{} AS{}{}",
                self.object_name(&create.name),
                self.break_(),
                self.query(&create.query)
            )
        })
    }

    fn insert(self, insert: &Insert) -> Option<String> {
        let source = insert.source.as_deref()?;
        let columns: Vec<_> = insert.columns.iter().map(ToString::to_string).collect();
        let columns_text =
            if columns.is_empty() { String::new() } else { format!("({}) ", columns.join(", ")) };
        if insert.to_string() != format!("INSERT INTO {} {columns_text}{source}", insert.table) {
            return None;
        }
        let columns: Vec<_> = insert.columns.iter().map(|column| self.object_name(column)).collect();
        let columns = if columns.is_empty() {
            String::new()
        } else {
            format!(" {}", self.wrapped(&self.lines(&columns)))
        };
        Some(format!("INSERT INTO {}{columns}{}{}", insert.table, self.break_(), self.query(source)))
    }

    fn update(self, update: &Update) -> Option<String> {
        let assignments: Vec<_> = update.assignments.iter().map(ToString::to_string).collect();
        let condition = update.selection.as_ref().map(|expr| format!(" WHERE {expr}")).unwrap_or_default();
        if update.to_string() != format!("UPDATE {} SET {}{condition}", update.table, assignments.join(", "))
        {
            return None;
        }
        let assignments: Vec<_> = update
            .assignments
            .iter()
            .map(|assignment| format!("{} = {}", assignment.target, self.expression(&assignment.value)))
            .collect();
        let mut text = format!("UPDATE {} SET {}", update.table, assignments.join(", "));
        if let Some(condition) = &update.selection {
            text += &self.clause("WHERE", &self.expression(condition));
        }
        Some(text)
    }

    fn delete(self, delete: &Delete) -> Option<String> {
        let FromTable::WithFromKeyword(tables) = &delete.from else { return None };
        let [table] = tables.as_slice() else { return None };
        let condition = delete.selection.as_ref().map(|expr| format!(" WHERE {expr}")).unwrap_or_default();
        if delete.to_string() != format!("DELETE FROM {table}{condition}") {
            return None;
        }
        let mut text = format!("DELETE FROM {table}");
        if let Some(condition) = &delete.selection {
            text += &self.clause("WHERE", &self.expression(condition));
        }
        Some(text)
    }
}
