//! What an upgrade would do.

use std::fmt;

use daos::upgrade::{shape, version};
use infra::db::{
    Db,
    migrate::HEAD,
    revisions::{self, Position, Revision},
};

use super::{
    check,
    error::{Result, refused},
    steps,
};

/// A revision and what it will change.
#[derive(Debug)]
pub struct Planned {
    /// The revision.
    pub revision: &'static Revision,
    /// How much of what.
    pub changes: Vec<String>,
}

/// An upgrade that is possible.
#[derive(Debug)]
pub struct Plan {
    /// Which release the database is of.
    pub release: &'static str,
    /// Its revisions.
    pub found: Vec<String>,
    /// In order.
    pub steps: Vec<Planned>,
    /// Tables of Flask-AppBuilder that are made first.
    pub missing_tables: Vec<&'static str>,
    /// What is remarkable.
    pub notes: Vec<String>,
}

/// Looks at a database and changes nothing. `None`: it is at the head.
pub async fn plan(db: &Db) -> Result<Option<Plan>> {
    let found = version::current(db.exec()).await?;
    let (release, pending) = match revisions::locate(&found) {
        Position::Head => return Ok(None),
        Position::Below { release, pending } => (release, pending),
        Position::TooOld(_) | Position::Unknown(_) => {
            let refusal = infra::db::migrate::SchemaState::Revision(found).refusal();
            return Err(refused(refusal.unwrap_or_default()));
        }
    };
    let notes = check::before(db.exec(), &pending).await?;
    let shape = shape::of(db.exec()).await?;
    let missing_tables =
        check::OF_APP_BUILDER.into_iter().filter(|table| !shape.contains_key(*table)).collect();
    let mut steps = Vec::new();
    for revision in pending {
        let changes = steps::changes(db.exec(), revision.id).await?;
        steps.push(Planned { revision, changes });
    }
    Ok(Some(Plan { release, found, steps, missing_tables, notes }))
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "From {} ({}) to Superset 6.0.0 ({HEAD}):", self.release, self.found.join(", "))?;
        if !self.missing_tables.is_empty() {
            writeln!(f, "  {:<12}  new tables {}", "", self.missing_tables.join(", "))?;
        }
        for step in &self.steps {
            writeln!(f, "  {:<12}  {}", step.revision.id, step.revision.subject)?;
            for change in &step.changes {
                writeln!(f, "  {:<12}    {change}", "")?;
            }
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        Ok(())
    }
}
