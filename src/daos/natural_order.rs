//! Orders that the original does not name: rows come as its databases find them, and people see that.
//!
//! Each function says it for every backend.

use infra::db::Dialect;

/// Rows of a table that is joined with others: as they are stored, also where a join would let the planner turn
/// them around.
pub fn of_join(dialect: Dialect, table: &str) -> String {
    match dialect {
        Dialect::Sqlite | Dialect::Mysql => String::new(),
        Dialect::Postgres => format!(" ORDER BY {table}.ctid"),
    }
}

/// Charts of dashboards in the digests of thumbnails: by number, on PostgreSQL as they lie in the table.
pub fn of_dashboard_charts(dialect: Dialect, alias: &str) -> String {
    match dialect {
        Dialect::Sqlite | Dialect::Mysql => format!(" ORDER BY {alias}.id"),
        Dialect::Postgres => format!(" ORDER BY {alias}.ctid"),
    }
}

/// Rows that are asked for by their keys: in the order of the keys, on PostgreSQL as they lie in the table.
pub fn of_keys(dialect: Dialect, alias: &str) -> String {
    match dialect {
        Dialect::Sqlite | Dialect::Mysql => format!(" ORDER BY {alias}.id"),
        Dialect::Postgres => format!(" ORDER BY {alias}.ctid"),
    }
}

/// Columns and metrics of datasets: on PostgreSQL as they lie in the table, the last edited one last.
pub fn of_dataset_parts(dialect: Dialect, alias: &str) -> String {
    match dialect {
        Dialect::Sqlite | Dialect::Mysql => format!(" ORDER BY {alias}.id"),
        Dialect::Postgres => String::new(),
    }
}

/// What roles are linked with: SQLite reads the index over both columns, of which the second is that of the partner.
pub fn of_role_links(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => " ORDER BY 2",
        Dialect::Postgres | Dialect::Mysql => " ORDER BY id",
    }
}

/// What a role grants, over the aliases `pvr` for the links and `pv` for the pairs.
pub fn of_role_permissions(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite | Dialect::Mysql => " ORDER BY pvr.id",
        Dialect::Postgres => " ORDER BY pv.id",
    }
}

/// After the orders of a list. MySQL sorts rows of one moment, of which there are many without fractions of seconds,
/// each time as it pleases: pages would lose some and show others twice.
pub fn of_ties(dialect: Dialect, key: &str) -> String {
    match dialect {
        Dialect::Sqlite | Dialect::Postgres => String::new(),
        Dialect::Mysql => format!(", {key}"),
    }
}
