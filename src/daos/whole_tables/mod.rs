//! Whole tables: read in pages, inserted, counted and compared, for backups and for moves between databases.
//!
//! ```text
//! let tx = db.begin_snapshot().await?;                 // one moment
//! for table in whole_tables::of_superset(tx.exec()).await? {
//!     let mut pages = Pages::of(tx.exec(), &table);
//!     while let Some(rows) = pages.next().await? { … } // values alike on every database
//! }
//! let tx = other.begin_load().await?;
//! let deferred = tx.defer_references().await?;
//! insert(tx.exec(), &table, &columns, rows).await?;    // tables in the order of `of_superset`
//! tx.number_after(&table.name).await?;
//! tx.check_references(deferred).await?;
//! ```

mod checksum;
mod read;
mod write;

use infra::db::{DbError, Executor, catalog, migrate};

pub use checksum::{Checksum, Precision};
pub use infra::db::catalog::{ColumnInfo, ColumnKind, TableInfo};
pub use read::{BYTES, Pages, checksum, count, has_values};
pub use write::insert;

/// The values of a row in the order of the table's columns.
pub type Values = Vec<infra::db::Value>;

/// The tables of Superset that are there, those that others refer to before them. What else lies in the database is
/// not in the list.
pub async fn of_superset(db: &dyn Executor) -> Result<Vec<TableInfo>, DbError> {
    let own = migrate::table_names();
    let mut tables = catalog::tables(db).await?;
    tables.retain(|table| own.contains(&table.name.as_str()));
    Ok(tables)
}

/// Names of tables that are not Superset's.
pub async fn of_others(db: &dyn Executor) -> Result<Vec<String>, DbError> {
    let own = migrate::table_names();
    let tables = catalog::tables(db).await?;
    Ok(tables.into_iter().map(|table| table.name).filter(|name| !own.contains(&name.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use infra::db::{Db, DbUri, Sql, Value};

    use super::*;

    async fn scratch(folder: &std::path::Path, name: &str) -> Db {
        let db = Db::connect(&DbUri::Sqlite { path: folder.join(name) }, 2).await.unwrap();
        migrate::create(&db).await.unwrap();
        db
    }

    async fn copy(from: &Db, to: &Db) -> Result<(), DbError> {
        let (snapshot, load) = (from.begin_snapshot().await?, to.begin_load().await?);
        let tables = of_superset(snapshot.exec()).await?;
        load.clear(&tables.iter().map(|t| t.name.as_str()).collect::<Vec<_>>()).await?;
        let deferred = load.defer_references().await?;
        for table in &tables {
            let mut pages = Pages::of(snapshot.exec(), table);
            let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
            while let Some(rows) = pages.next().await? {
                insert(load.exec(), &table.name, &columns, rows).await?;
            }
            load.number_after(&table.name).await?;
        }
        load.check_references(deferred).await?;
        load.commit().await
    }

    #[tokio::test]
    async fn tables_move_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (scratch(folder.path(), "from.db").await, scratch(folder.path(), "to.db").await);
        for statement in [
            "PRAGMA foreign_keys = OFF",
            // the first was made by the second, and nobody has a role that is no more
            "INSERT INTO ab_user (id, first_name, last_name, username, email, created_by_fk, created_on) VALUES \
             (1, 'a', 'b', 'x', 'x@y', 2, '2024-01-02 03:04:05'), \
             (2, 'c', 'd', 'y', 'y@y', NULL, '2024-01-02 03:04:05.000006')",
            "INSERT INTO user_favorite_tag (user_id, tag_id) VALUES (1, 99)",
            "INSERT INTO query (id, client_id, database_id, start_time) VALUES (1, 'one', 7, 1795212350450.10498)",
            "INSERT INTO slices (id, slice_name, uuid, created_on, changed_on, cache_timeout) VALUES \
             (7, 'ü', x'00112233445566778899aabbccddeeff', '2024-01-02 03:04:05', '2024-01-02 03:04:05', \
             'text in a column of numbers')",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
             INSERT INTO logs (action, json) SELECT 'a' || i, '{}' FROM n",
        ] {
            from.execute(Sql::new(statement)).await.unwrap();
        }
        copy(&from, &to).await.unwrap();
        for table in of_superset(from.exec()).await.unwrap() {
            let there = checksum(from.exec(), &table, Precision::Micros).await.unwrap();
            let here = checksum(to.exec(), &table, Precision::Micros).await.unwrap();
            assert_eq!(there, here, "{}", table.name);
            assert_eq!(there.rows(), count(to.exec(), &table.name).await.unwrap(), "{}", table.name);
        }
        // not only the same meaning: the same bytes
        let text = "SELECT created_on FROM ab_user WHERE id = 1";
        let row = to.exec().first(Sql::new(text)).await.unwrap().unwrap();
        assert_eq!(row.values(), [Value::Text("2024-01-02 03:04:05".into())]);
        to.execute(Sql::new("UPDATE logs SET action = 'other' WHERE id = 2999")).await.unwrap();
        let tables = of_superset(from.exec()).await.unwrap();
        let logs = tables.iter().find(|t| t.name == "logs").unwrap();
        let there = checksum(from.exec(), logs, Precision::Micros).await.unwrap();
        assert_ne!(there, checksum(to.exec(), logs, Precision::Micros).await.unwrap());
        assert!(of_others(from.exec()).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn no_page_holds_more_than_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let db = scratch(folder.path(), "large.db").await;
        // small rows first: a page must not grow with them
        for (rows, bytes) in [(3000, 10), (12, 1 << 20), (1, 3 * BYTES), (1, 10)] {
            let sql = format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
                 INSERT INTO key_value (resource, value) SELECT 'r', zeroblob({bytes}) FROM n"
            );
            db.execute(Sql::new(sql)).await.unwrap();
        }
        let tables = of_superset(db.exec()).await.unwrap();
        let table = tables.iter().find(|t| t.name == "key_value").unwrap();
        let bytes = |value: &Value| if let Value::Bytes(bytes) = value { bytes.len() } else { 0 };
        let (mut pages, mut sizes) = (Pages::of(db.exec(), table), Vec::new());
        while let Some(rows) = pages.next().await.unwrap() {
            let held: usize = rows.iter().flatten().map(bytes).sum();
            assert!(held <= BYTES || rows.len() == 1, "{held} bytes in {} rows", rows.len());
            sizes.push(rows.len());
        }
        assert_eq!(sizes.iter().sum::<usize>(), 3014);
        assert!(sizes.len() < 12, "{sizes:?}");
        assert_eq!(checksum(db.exec(), table, Precision::Micros).await.unwrap().rows(), 3014);
    }
}
