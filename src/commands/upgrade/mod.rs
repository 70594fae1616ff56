//! `liteset db upgrade`: a metadata database of Superset 4.1 or 5.0 becomes one of 6.0.0, with the rows that
//! Superset's own migrations would leave.
//!
//! [`plan`] looks and changes nothing. [`Plan::apply`] does it: in one transaction where the backend can change a
//! schema in one, so that everything or nothing happens. Where it cannot (MySQL), each revision is finished with its
//! row in `alembic_version`, each statement looks first, and another run goes on where the last one ended.

mod check;
mod error;
mod own;
mod plan;
mod progress;
mod steps;

use daos::upgrade::{shape, version};
use infra::{
    config::Config,
    db::{Db, Executor, Tx, migrate::HEAD, revisions::Revision},
};
use serde_json::Value;

pub use error::UpgradeError;
use error::{Result, refused};
pub use plan::{Plan, Planned, plan};
use progress::Progress;

/// What every step works with.
struct Work<'a> {
    db: &'a dyn Executor,
    /// `DEFAULT_TIME_FILTER`: the range of charts that have none.
    default_range: Value,
    progress: Progress,
}

impl<'a> Work<'a> {
    fn new(db: &'a dyn Executor, config: &Config) -> Self {
        Self { db, default_range: config.get("DEFAULT_TIME_FILTER").clone(), progress: Progress::default() }
    }
}

impl Plan {
    /// Upgrades the database, which must still be what was planned for.
    pub async fn apply(&self, db: &Db, config: &Config) -> Result<()> {
        let tx = begin(db).await?;
        let found = version::current(tx.exec()).await?;
        if found != self.found {
            return Err(refused(format!(
                "the database is at revision {} now: another upgrade has run meanwhile. This one changed nothing",
                found.join(", ")
            )));
        }
        let dangling = shape::dangling(tx.exec()).await?;
        let work = Work::new(tx.exec(), config);
        daos::upgrade::ddl::count_keys(tx.exec()).await?;
        for table in &self.missing_tables {
            daos::upgrade::ddl::create_as_at_head(tx.exec(), table).await?;
        }
        for step in &self.steps {
            if version::is_transactional(db.dialect()) {
                apply(&work, step.revision).await?;
            } else {
                // rows and revision of a step belong together; a statement that changes the schema commits anyway
                let tx = db.begin().await?;
                apply(&Work::new(tx.exec(), config), step.revision).await?;
                tx.commit().await?;
            }
        }
        own::apply(tx.exec(), own::STEPS).await?;
        check::result(tx.exec(), &dangling).await?;
        version::unlock(tx.exec()).await?;
        tx.commit().await?;
        tracing::info!(revision = HEAD, "the metadata database is one of Superset 6.0.0");
        Ok(())
    }
}

/// A transaction beside which no other changes the schema. Who has to wait says so.
async fn begin(db: &Db) -> Result<Tx> {
    let locked = async {
        let tx = db.begin().await?;
        version::lock(tx.exec()).await?;
        Ok::<_, UpgradeError>(tx)
    };
    progress::saying(locked, "another process changes the metadata database: waiting until it has finished")
        .await
}

async fn apply(work: &Work<'_>, revision: &Revision) -> Result<()> {
    tracing::info!(revision = revision.id, "{}", revision.subject);
    steps::apply(work, revision.id).await?;
    Ok(version::advance(work.db, revision.down, revision.id).await?)
}
