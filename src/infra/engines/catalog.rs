//! What introspection tells of a table, in the terms of SQLAlchemy's inspector.

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDescription {
    /// Name.
    pub name: String,
    /// Type as SQLAlchemy prints it (`VARCHAR(16)`).
    pub type_: String,
    /// May be null.
    pub nullable: bool,
    /// Default expression.
    pub default: Option<String>,
    /// Comment.
    pub comment: Option<String>,
}

/// A primary key or unique constraint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Key {
    /// Name of the constraint.
    pub name: Option<String>,
    /// Its columns; none when there is no key.
    pub columns: Vec<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Name of the constraint.
    pub name: Option<String>,
    /// Columns of the table.
    pub columns: Vec<String>,
    /// Schema of the other table when it must be named.
    pub referred_schema: Option<String>,
    /// The other table.
    pub referred_table: String,
    /// Columns of the other table.
    pub referred_columns: Vec<String>,
}

impl ForeignKey {
    /// From rows of constraint, column, other schema, other table and its column, those of a key in one run; the other
    /// schema is named when it is not the table's own.
    pub(super) fn from_rows(rows: Vec<Vec<Option<String>>>, schema: &str) -> Vec<Self> {
        let mut keys: Vec<Self> = Vec::new();
        for row in rows {
            let [name, Some(column), other, Some(referred_table), Some(referred)] = row.as_slice() else {
                continue;
            };
            if keys.last().is_none_or(|k| k.name != *name) {
                keys.push(Self {
                    name: name.clone(),
                    columns: Vec::new(),
                    referred_schema: other.clone().filter(|o| o != schema),
                    referred_table: referred_table.clone(),
                    referred_columns: Vec::new(),
                });
            }
            if let Some(key) = keys.last_mut() {
                key.columns.push(column.clone());
                key.referred_columns.push(referred.clone());
            }
        }
        keys
    }
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Name.
    pub name: String,
    /// Forbids duplicates.
    pub unique: bool,
    /// Its columns.
    pub columns: Vec<String>,
}
