//! Changes of the schema, in the words of each backend.

use infra::db::{
    DbError, Dialect, Executor, Sql,
    baseline::{self, Kind},
};

use super::{rebuild, shape};

/// What a new column holds.
#[derive(Debug, Clone, Copy)]
pub enum Holds {
    /// A UUID (`UUIDType(binary=True)`).
    Uuid,
    /// A JSON document.
    Json,
    /// A number.
    Integer,
    /// True or false.
    Boolean,
}

impl Holds {
    fn on(self, dialect: Dialect) -> &'static str {
        match (dialect, self) {
            (Dialect::Sqlite | Dialect::Mysql, Self::Uuid) => "BINARY(16)",
            (Dialect::Postgres, Self::Uuid) => "UUID",
            (_, Self::Json) => "JSON",
            (_, Self::Integer) => "INTEGER",
            (_, Self::Boolean) => "BOOLEAN",
        }
    }
}

async fn run(db: &dyn Executor, text: impl Into<String>) -> Result<(), DbError> {
    db.execute(Sql::new(text)).await.map(drop)
}

/// Adds a column that may be null.
pub async fn add_column(db: &dyn Executor, table: &str, column: &str, holds: Holds) -> Result<(), DbError> {
    if shape::has_column(db, table, column).await? {
        return Ok(());
    }
    run(db, format!("ALTER TABLE {table} ADD COLUMN {column} {}", holds.on(db.dialect()))).await
}

/// A foreign key to `id` of another table.
#[derive(Debug, Clone, Copy)]
pub struct ForeignKey {
    /// Its name.
    pub name: &'static str,
    /// The table that has it.
    pub table: &'static str,
    /// Its column.
    pub column: &'static str,
    /// The table that it refers to.
    pub to: &'static str,
    /// Rows go with those that they refer to.
    pub cascade: bool,
}

impl ForeignKey {
    /// As it stands in the definition of a table.
    pub(super) fn definition(&self) -> String {
        let Self { name, column, to, .. } = self;
        let end = if self.cascade { " ON DELETE CASCADE" } else { "" };
        format!("CONSTRAINT {name} FOREIGN KEY({column}) REFERENCES {to} (id){end}")
    }
}

async fn has_foreign_key(db: &dyn Executor, key: &ForeignKey) -> Result<bool, DbError> {
    let sql = match db.dialect() {
        Dialect::Sqlite => return rebuild::has_constraint(db, key.table, key.name).await,
        Dialect::Postgres => {
            "SELECT 1 FROM information_schema.table_constraints WHERE table_schema = current_schema() \
             AND table_name = ? AND constraint_name = ? AND constraint_type = 'FOREIGN KEY'"
        }
        Dialect::Mysql => {
            "SELECT 1 FROM information_schema.table_constraints WHERE table_schema = database() \
             AND table_name = ? AND constraint_name = ? AND constraint_type = 'FOREIGN KEY'"
        }
    };
    Ok(db.first(Sql::new(sql).bind(key.table).bind(key.name)).await?.is_some())
}

/// Adds a foreign key; one of its name stays as it is.
pub async fn add_foreign_key(db: &dyn Executor, key: &ForeignKey) -> Result<(), DbError> {
    if has_foreign_key(db, key).await? {
        return Ok(());
    }
    match db.dialect() {
        Dialect::Sqlite => rebuild::add_foreign_key(db, key).await,
        Dialect::Postgres | Dialect::Mysql => {
            run(db, format!("ALTER TABLE {} ADD {}", key.table, key.definition())).await
        }
    }
}

/// Makes a foreign key of a name anew. On SQLite it is added beside those without name, as alembic does.
pub async fn replace_foreign_key(db: &dyn Executor, key: &ForeignKey) -> Result<(), DbError> {
    if has_foreign_key(db, key).await? {
        match db.dialect() {
            Dialect::Sqlite => return Ok(()),
            Dialect::Postgres => {
                run(db, format!("ALTER TABLE {} DROP CONSTRAINT {}", key.table, key.name)).await?;
            }
            Dialect::Mysql => {
                run(db, format!("ALTER TABLE {} DROP FOREIGN KEY {}", key.table, key.name)).await?
            }
        }
    }
    add_foreign_key(db, key).await
}

/// Makes columns of booleans obligatory.
pub async fn set_not_null(db: &dyn Executor, table: &str, columns: &[&str]) -> Result<(), DbError> {
    match db.dialect() {
        Dialect::Sqlite => rebuild::set_not_null(db, table, columns).await,
        Dialect::Postgres => {
            for column in columns {
                run(db, format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")).await?;
            }
            Ok(())
        }
        Dialect::Mysql => {
            for column in columns {
                // the type must be said again
                let kind = Holds::Boolean.on(Dialect::Mysql);
                run(db, format!("ALTER TABLE {table} MODIFY {column} {kind} NOT NULL")).await?;
            }
            Ok(())
        }
    }
}

/// Creates an index of one column.
pub async fn create_index(db: &dyn Executor, table: &str, name: &str, column: &str) -> Result<(), DbError> {
    match db.dialect() {
        Dialect::Sqlite | Dialect::Postgres => {
            run(db, format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})")).await
        }
        Dialect::Mysql => {
            let there = "SELECT 1 FROM information_schema.statistics WHERE table_schema = database() \
                         AND table_name = ? AND index_name = ?";
            if db.first(Sql::new(there).bind(table).bind(name)).await?.is_some() {
                return Ok(());
            }
            run(db, format!("CREATE INDEX {name} ON {table} ({column})")).await
        }
    }
}

/// Keys of Flask-AppBuilder's tables come from sequences where an older Superset made them on MariaDB; at the head they
/// count by themselves, as on MySQL.
pub async fn count_keys(db: &dyn Executor) -> Result<(), DbError> {
    match db.dialect() {
        Dialect::Sqlite | Dialect::Postgres => return Ok(()),
        Dialect::Mysql => {}
    }
    let find = "SELECT table_name FROM information_schema.columns WHERE table_schema = database() \
                AND column_name = 'id' AND data_type = 'int' AND table_name LIKE 'ab~_%' ESCAPE '~' \
                AND extra NOT LIKE '%auto_increment%' ORDER BY table_name";
    for row in db.query(Sql::new(find)).await? {
        let table: String = row.at(0)?;
        // others refer to the column, whose type stays
        run(db, "SET SESSION foreign_key_checks = 0").await?;
        run(db, format!("ALTER TABLE {table} MODIFY id INTEGER NOT NULL AUTO_INCREMENT")).await?;
        run(db, "SET SESSION foreign_key_checks = 1").await?;
    }
    Ok(())
}

/// Drops a table.
pub async fn drop_table(db: &dyn Executor, table: &str) -> Result<(), DbError> {
    run(db, format!("DROP TABLE {}", db.dialect().quoted(table))).await
}

/// Creates a table as it is at the head, with its keys and indexes. `false`: it was there.
pub async fn create_as_at_head(db: &dyn Executor, table: &str) -> Result<bool, DbError> {
    if shape::of(db).await?.contains_key(table) {
        return Ok(false);
    }
    let statements = baseline::statements(db.dialect());
    let of_table = statements.iter().filter(|s| s.table == table && s.kind != Kind::Row);
    for statement in of_table {
        run(db, statement.text).await?;
    }
    Ok(true)
}

/// The table of themes as revision `3fd555e76e3d` makes it.
pub async fn create_themes(db: &dyn Executor) -> Result<(), DbError> {
    if shape::of(db).await?.contains_key("themes") {
        return Ok(());
    }
    let (uuid, id, time, text) = match db.dialect() {
        // what is left of `BINARY(16)` once alembic has rebuilt the table
        Dialect::Sqlite => ("NUMERIC(16)", "INTEGER", "DATETIME", "TEXT"),
        Dialect::Postgres => ("UUID", "SERIAL", "TIMESTAMP WITHOUT TIME ZONE", "TEXT"),
        Dialect::Mysql => ("BINARY(16)", "INTEGER", "DATETIME", "MEDIUMTEXT"),
    };
    let counts = match db.dialect() {
        Dialect::Sqlite | Dialect::Postgres => "",
        Dialect::Mysql => " AUTO_INCREMENT",
    };
    let text = format!(
        "CREATE TABLE themes (\n\tuuid {uuid},\n\tcreated_on {time},\n\tchanged_on {time},\n\t\
         id {id} NOT NULL{counts},\n\ttheme_name VARCHAR(250),\n\tjson_data {text},\n\t\
         is_system BOOLEAN NOT NULL,\n\tcreated_by_fk INTEGER,\n\tchanged_by_fk INTEGER,\n\t\
         PRIMARY KEY (id),\n\tUNIQUE (uuid)\n)"
    );
    run(db, text).await
}
