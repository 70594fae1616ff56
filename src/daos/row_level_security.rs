//! Rules of row-level security and the datasets that they are for (`row_level_security_filters`).

use infra::db::{DbError, Executor, Row, Sql};

/// A dataset as far as it names a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedDataset {
    /// `tables.id`.
    pub id: i64,
    /// `tables.catalog`.
    pub catalog: Option<String>,
    /// `tables.schema`.
    pub schema: Option<String>,
    /// `tables.table_name`.
    pub table_name: String,
    /// It is a query, which stands for no table.
    pub is_virtual: bool,
}

/// A rule for a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetRule {
    /// The dataset.
    pub dataset: NamedDataset,
    /// `row_level_security_filters.id`.
    pub id: i64,
    /// Rules of the same group are alternatives.
    pub group_key: Option<String>,
    /// SQL condition, a template.
    pub clause: String,
}

const DATASET: &str =
    "t.id, t.catalog, t.schema, t.table_name, CASE WHEN t.sql IS NULL OR t.sql = '' THEN 0 ELSE 1 END";

fn dataset(row: &Row) -> Result<NamedDataset, DbError> {
    Ok(NamedDataset {
        id: row.at(0)?,
        catalog: row.at(1)?,
        schema: row.at(2)?,
        table_name: row.at(3)?,
        is_virtual: row.at::<i64>(4)? != 0,
    })
}

/// All rules of the datasets of a database that hold for somebody with these roles: regular ones for the roles that
/// they name, base ones for all others. By dataset, then by rule.
pub async fn of_database(
    db: &dyn Executor,
    database_id: i64,
    role_ids: &[i64],
) -> Result<Vec<DatasetRule>, DbError> {
    let mut sql = Sql::new(format!(
        "SELECT DISTINCT {DATASET}, f.id, f.group_key, f.clause FROM row_level_security_filters f \
         JOIN rls_filter_tables ft ON ft.rls_filter_id = f.id JOIN tables t ON t.id = ft.table_id \
         WHERE t.database_id = "
    ));
    sql.push_bind(database_id);
    push_in_force(&mut sql, role_ids);
    sql.push(" ORDER BY 1, 6");
    let rule = |row: &Row| {
        Ok(DatasetRule { dataset: dataset(row)?, id: row.at(5)?, group_key: row.at(6)?, clause: row.at(7)? })
    };
    db.query(sql).await?.iter().map(rule).collect()
}

/// A rule as far as it is a condition on a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// `tables.id`.
    pub dataset_id: i64,
    /// Rules of the same group are alternatives.
    pub group_key: Option<String>,
    /// SQL condition, a template.
    pub clause: String,
}

/// The rules of some datasets that hold for somebody with these roles; by dataset, then by rule.
pub async fn of_datasets(db: &dyn Executor, ids: &[i64], role_ids: &[i64]) -> Result<Vec<Clause>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(
        "SELECT DISTINCT ft.table_id, f.id, f.group_key, f.clause FROM row_level_security_filters f \
         JOIN rls_filter_tables ft ON ft.rls_filter_id = f.id WHERE ft.table_id IN ",
    );
    sql.push_list(ids.iter().copied());
    push_in_force(&mut sql, role_ids);
    sql.push(" ORDER BY 1, 2");
    let clause = |row: &Row| Ok(Clause { dataset_id: row.at(0)?, group_key: row.at(2)?, clause: row.at(3)? });
    db.query(sql).await?.iter().map(clause).collect()
}

/// All datasets of a database, by id: the rules of a guest's token name them, or are for all.
pub async fn datasets(db: &dyn Executor, database_id: i64) -> Result<Vec<NamedDataset>, DbError> {
    let mut sql = Sql::new(format!("SELECT {DATASET} FROM tables t WHERE t.database_id = "));
    sql.push_bind(database_id).push(" ORDER BY 1");
    db.query(sql).await?.iter().map(dataset).collect()
}

/// Whether a rule is in force for somebody of these roles on any dataset of a database.
pub async fn is_any_in_force(db: &dyn Executor, database_id: i64, roles: &[i64]) -> Result<bool, DbError> {
    let mut sql = Sql::new(
        "SELECT f.id FROM row_level_security_filters f JOIN rls_filter_tables l ON l.rls_filter_id = f.id \
         JOIN tables t ON t.id = l.table_id WHERE t.database_id = ",
    );
    sql.push_bind(database_id);
    push_in_force(&mut sql, roles);
    sql.push(" LIMIT 1");
    Ok(db.first(sql).await?.is_some())
}

/// ` AND (…)`: rules for one of the roles, and base rules but for who is exempt.
fn push_in_force(sql: &mut Sql, roles: &[i64]) {
    let has_role = |sql: &mut Sql| {
        sql.push(
            " (SELECT rls_filter_id FROM rls_filter_roles WHERE rls_filter_id IS NOT NULL AND role_id IN ",
        );
        sql.push_list(roles.iter().copied()).push(")");
    };
    sql.push(" AND ((f.filter_type = 'Regular' AND f.id IN");
    has_role(sql);
    sql.push(") OR (f.filter_type = 'Base' AND f.id NOT IN");
    has_role(sql);
    sql.push("))");
}
