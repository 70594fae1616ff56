//! Tables of liteset's own, once there are some: numbered steps after the baseline.
//!
//! `alembic_version` belongs to Superset, which must be able to open the database again. So the number of the last own
//! step that was applied stands in a table of ours, `liteset_version`, which comes with the first one.

use daos::upgrade::own_version;
use infra::db::Executor;

use super::error::{Result, refused};

/// A step: its number, and its statement for each backend.
#[derive(Debug)]
pub(super) struct OwnStep {
    pub number: i64,
    pub statement: &'static str,
}

/// All own steps in order; a number is never given twice. There are none yet.
pub(super) const STEPS: &[OwnStep] = &[];

/// Applies what is missing.
pub(super) async fn apply(db: &dyn Executor, steps: &[OwnStep]) -> Result<()> {
    let Some(newest) = steps.last() else { return Ok(()) };
    let applied = own_version::current(db).await?;
    if applied > newest.number {
        return Err(refused(format!(
            "the database has the tables of a newer liteset (step {applied}, here {} is the last)",
            newest.number
        )));
    }
    for step in steps.iter().filter(|step| step.number > applied) {
        own_version::apply(db, step.number, step.statement).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use infra::db::{Db, DbUri};

    use super::*;

    #[tokio::test]
    async fn own_steps_are_applied_once_and_in_order() {
        let path = std::env::temp_dir().join(format!("liteset-own-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let db = Db::connect(&DbUri::Sqlite { path: path.clone() }, 2).await.unwrap();
        let one = OwnStep { number: 1, statement: "CREATE TABLE liteset_a (id INTEGER)" };
        let two = OwnStep { number: 2, statement: "ALTER TABLE liteset_a ADD COLUMN b INTEGER" };
        apply(db.exec(), &[]).await.unwrap();
        assert_eq!(own_version::current(db.exec()).await.unwrap(), 0);
        let (first, both) =
            ([one], [OwnStep { number: 1, statement: "CREATE TABLE liteset_a (id INTEGER)" }, two]);
        apply(db.exec(), &first).await.unwrap();
        apply(db.exec(), &both).await.unwrap();
        apply(db.exec(), &both).await.unwrap();
        assert_eq!(own_version::current(db.exec()).await.unwrap(), 2);
        let refusal = apply(db.exec(), &first).await.unwrap_err().to_string();
        assert!(refusal.contains("step 2, here 1"), "{refusal}");
        let _ = std::fs::remove_file(&path);
    }
}
