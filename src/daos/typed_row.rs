//! Rows as types: a list of columns is said once and makes the fields, the select list and the reading.

/// Declares a struct whose fields are columns of a table that goes by an alias. A field that is not called like its
/// column says the expression behind `=`; what is no column at all is made by functions of the row, in `and`.
macro_rules! row {
    (
        $(#[$meta:meta])*
        pub struct $name:ident over $alias:literal {
            pub $first:ident: $first_type:ty,
            $(pub $field:ident: $type:ty $(= $column:literal)?,)*
        }
        $(and { $($(#[$doc:meta])* pub $more:ident: $more_type:ty = $make:expr,)* })?
    ) => {
        $(#[$meta])*
        pub struct $name {
            pub $first: $first_type,
            $(pub $field: $type,)*
            $($($(#[$doc])* pub $more: $more_type,)*)?
        }

        impl $name {
            /// The select list.
            pub const COLUMNS: &'static str = concat!(
                row!(@column $alias $first)
                $(, ", ", row!(@column $alias $field $($column)?))*
            );

            /// Reads a row of [`Self::COLUMNS`].
            pub fn read(row: &infra::db::Row) -> Result<Self, infra::db::DbError> {
                Ok(Self {
                    $first: row.get(stringify!($first))?,
                    $($field: row.get(stringify!($field))?,)*
                    $($($more: $make(row)?,)*)?
                })
            }
        }
    };
    (@column $alias:literal $field:ident) => {
        concat!($alias, ".\"", stringify!($field), "\"")
    };
    (@column $alias:literal $field:ident $column:literal) => {
        concat!($column, " AS ", stringify!($field))
    };
}

pub(crate) use row;

#[cfg(test)]
mod tests {
    use crate::{chart, dashboard, database, dataset, embedded, query, tab_state, table::Table, tables};

    /// Every column of the description of a table is read, and every column that is read is described.
    fn agree(table: &Table, alias: &str, select: &str) {
        let plain = select.replace('"', "");
        let own = plain.split(", ").filter_map(|c| c.strip_prefix(alias)?.strip_prefix('.'));
        for column in own.map(|c| c.split(' ').next().unwrap_or_default()) {
            assert!(table.column(column).is_some(), "{}.{column} is not described", table.name);
        }
    }

    #[test]
    fn typed_rows_read_described_columns() {
        agree(&tables::SLICES, "s", chart::Chart::COLUMNS);
        agree(&tables::DASHBOARDS, "b", dashboard::Dashboard::COLUMNS);
        agree(&tables::DBS, "d", database::Database::COLUMNS);
        agree(&tables::TABLES, "t", dataset::Dataset::COLUMNS);
        agree(&tables::TABLE_COLUMNS, "c", dataset::Column::COLUMNS);
        agree(&tables::SQL_METRICS, "m", dataset::Metric::COLUMNS);
        agree(&tables::EMBEDDED_DASHBOARDS, "e", embedded::Embedded::COLUMNS);
        agree(&tables::QUERIES, "q", query::Query::COLUMNS);
        agree(&tables::TAB_STATES, "tab_state", tab_state::TabState::COLUMNS);
        agree(&tables::TABLE_SCHEMAS, "table_schema", tab_state::TableSchema::COLUMNS);
        assert!(dataset::Column::COLUMNS.contains("c.type AS type_"));
        assert!(chart::Chart::COLUMNS.starts_with("s.\"id\", s.\"slice_name\", "));
    }
}
