//! Statements of which it is known where they read, and the tables that they write.

use std::collections::HashSet;

use sqlparser::ast::{
    CreateTable, FromTable, Insert, Set, Statement, TableFactor, TableObject, TableWithJoins,
};

/// Whether all that a statement reads stands in its tree, and it does not change where names lead. A text that is
/// executed, a copy of a file, another name for a table: with row-level rules in force they are refused.
pub(super) fn is_understood(statement: &Statement) -> bool {
    use Statement as S;
    match statement {
        S::CreateTable(create) => has_no_other_source(create),
        S::Set(set) => !leads_elsewhere(set),
        S::Query(_)
        | S::Explain { .. }
        | S::ExplainTable { .. }
        | S::Insert(_)
        | S::Update(_)
        | S::Delete(_)
        | S::Merge(_)
        | S::CreateView(_)
        | S::CreateIndex(_)
        | S::Truncate(_)
        | S::Drop { .. }
        | S::ShowFunctions { .. }
        | S::ShowVariable { .. }
        | S::ShowVariables { .. }
        | S::ShowStatus { .. }
        | S::ShowCreate { .. }
        | S::ShowColumns { .. }
        | S::ShowTables { .. }
        | S::ShowViews { .. }
        | S::ShowCatalogs { .. }
        | S::ShowDatabases { .. }
        | S::ShowSchemas { .. }
        | S::ShowCollation { .. }
        | S::StartTransaction { .. }
        | S::Commit { .. }
        | S::Rollback { .. }
        | S::Pragma { .. } => true,
        _ => false,
    }
}

fn has_no_other_source(create: &CreateTable) -> bool {
    create.clone.is_none()
        && create.partition_of.is_none()
        && create.inherits.is_none()
        && create.location.is_none()
        && create.base_location.is_none()
        && !create.external
}

/// Settings that change where names lead, or as whom they are looked up.
fn leads_elsewhere(set: &Set) -> bool {
    let text = set.to_string().to_lowercase();
    ["search_path", "schema", "database", "catalog", "role", "authorization"].iter().any(|w| text.contains(w))
}

/// Where a statement names tables that it writes or describes, by their addresses.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// Names at which nothing is read.
    names: HashSet<usize>,
    /// Tables that are changed in place: a filtered one cannot stand there.
    factors: HashSet<usize>,
}

impl Targets {
    /// Looks at a statement before its parts are visited.
    pub fn add(&mut self, statement: &Statement) {
        match statement {
            Statement::Insert(insert) => self.add_insert(insert),
            Statement::ExplainTable { table_name, .. } => {
                self.names.insert(std::ptr::from_ref(table_name).addr());
            }
            Statement::Update(update) => self.add_factors(std::slice::from_ref(&update.table)),
            Statement::Delete(delete) => match &delete.from {
                FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from) => self.add_factors(from),
            },
            Statement::Merge(merge) => self.add_factor(&merge.table),
            _ => {}
        }
    }

    /// An INSERT that tells no row of the table it writes: neither one that was there nor one that others see.
    fn add_insert(&mut self, insert: &Insert) {
        let tells = insert.returning.is_some() || insert.output.is_some() || insert.on.is_some();
        if let TableObject::TableName(name) = &insert.table
            && !tells
        {
            self.names.insert(std::ptr::from_ref(name).addr());
        }
    }

    fn add_factors(&mut self, tables: &[TableWithJoins]) {
        for table in tables {
            self.add_factor(&table.relation);
            table.joins.iter().for_each(|join| self.add_factor(&join.relation));
        }
    }

    fn add_factor(&mut self, factor: &TableFactor) {
        self.factors.insert(std::ptr::from_ref(factor).addr());
    }

    /// Whether a table with rules may be named here.
    pub fn may_name(&self, address: usize) -> bool {
        self.names.contains(&address)
    }

    /// Whether the table is changed in place.
    pub fn writes(&self, address: usize) -> bool {
        self.factors.contains(&address)
    }
}
