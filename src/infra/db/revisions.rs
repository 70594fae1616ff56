//! The revisions of the schema between Superset 4.1 and the head, and where a database stands among them.

use super::migrate::HEAD;

/// A revision of the schema (`superset/migrations/versions`).
#[derive(Debug, PartialEq, Eq)]
pub struct Revision {
    /// Alembic's identifier.
    pub id: &'static str,
    /// What has to be applied before.
    pub down: &'static [&'static str],
    /// What it does.
    pub subject: &'static str,
}

const fn after(down: &'static [&'static str], id: &'static str, subject: &'static str) -> Revision {
    Revision { id, down, subject }
}

/// The head of Superset 4.1: the oldest schema that can be upgraded.
pub const OLDEST: &str = "48cbb571fa3a";
/// The head of Superset 5.0.
const HEAD_5_0: &str = "74ad1125881c";

/// All revisions since [`OLDEST`], in the order in which they are applied. Those of later releases are appended.
pub static REVISIONS: [Revision; 13] = [
    after(&[OLDEST], "df3d7e2eb9a4", "unique constraint on tables (nothing changes)"),
    after(&[OLDEST], "7b17aa722e30", "css_templates.uuid, favstar.uuid"),
    after(&["df3d7e2eb9a4", "7b17aa722e30"], "eb1c288c71c4", "both lines come together"),
    after(&["eb1c288c71c4"], "d482d51c15ca", "charts of seven kinds become their successors"),
    after(&["d482d51c15ca"], HEAD_5_0, "one permission for uploads instead of three"),
    after(&[HEAD_5_0], "94e7a3499973", "tables.folders"),
    after(&["94e7a3499973"], "32bf93dfe2a4", "roles of users and permissions of roles go with them"),
    after(&["32bf93dfe2a4"], "378cecfdba9f", "x_axis_sort_series of charts becomes x_axis_sort"),
    after(&["378cecfdba9f"], "f1edd4a4d4f2", "sql_metrics.currency becomes JSON"),
    after(&["f1edd4a4d4f2"], "363a9b1e8992", "currencies that are texts become objects"),
    after(&["363a9b1e8992"], "3fd555e76e3d", "table themes"),
    after(&["3fd555e76e3d"], "cd1fb11291f2", "dashboards.theme_id"),
    after(&["cd1fb11291f2"], HEAD, "themes.is_system_default, themes.is_system_dark"),
];

/// Revisions before [`OLDEST`].
const OLDER: &str = include_str!("../../../migrations/older_revisions.txt");

/// Where a database stands.
#[derive(Debug, PartialEq, Eq)]
pub enum Position {
    /// At the head.
    Head,
    /// Below it, with the revisions that are to be applied.
    Below {
        /// In words, which release it is.
        release: &'static str,
        /// In order.
        pending: Vec<&'static Revision>,
    },
    /// Older than what can be upgraded.
    TooOld(String),
    /// At a revision that nobody here knows.
    Unknown(String),
}

/// Where a database with these rows in `alembic_version` stands.
pub fn locate(found: &[String]) -> Position {
    let known = |id: &str| id == OLDEST || REVISIONS.iter().any(|revision| revision.id == id);
    let strange: Vec<&str> = found.iter().map(String::as_str).filter(|id| !known(id)).collect();
    if found.is_empty() {
        return Position::Unknown("(none)".into());
    }
    if !strange.is_empty() {
        let text = strange.join(", ");
        let old = strange.iter().all(|id| OLDER.split_whitespace().any(|older| older == *id));
        return if old { Position::TooOld(text) } else { Position::Unknown(text) };
    }
    let mut applied: Vec<&str> = found.iter().map(String::as_str).collect();
    // from the newest back: what a revision that is applied stands on is applied, too
    for revision in REVISIONS.iter().rev() {
        if applied.contains(&revision.id) {
            applied.extend(revision.down);
        }
    }
    let pending: Vec<&Revision> = REVISIONS.iter().filter(|r| !applied.contains(&r.id)).collect();
    if pending.is_empty() {
        return Position::Head;
    }
    let release = match found {
        [one] if one == OLDEST => "Superset 4.1",
        [one] if one == HEAD_5_0 => "Superset 5.0",
        _ if applied.contains(&HEAD_5_0) => "between Superset 5.0 and 6.0.0",
        _ => "between Superset 4.1 and 5.0",
    };
    Position::Below { release, pending }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ids: &[&str]) -> Position {
        locate(&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>())
    }

    fn pending(ids: &[&str]) -> (&'static str, usize) {
        match at(ids) {
            Position::Below { release, pending } => (release, pending.len()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn positions() {
        assert_eq!(at(&[HEAD]), Position::Head);
        assert_eq!(pending(&[OLDEST]), ("Superset 4.1", 13));
        assert_eq!(pending(&["74ad1125881c"]), ("Superset 5.0", 8));
        assert_eq!(pending(&["7b17aa722e30"]), ("between Superset 4.1 and 5.0", 12));
        assert_eq!(pending(&["7b17aa722e30", "df3d7e2eb9a4"]), ("between Superset 4.1 and 5.0", 11));
        assert_eq!(pending(&["cd1fb11291f2"]), ("between Superset 5.0 and 6.0.0", 1));
        assert_eq!(at(&["5a7bad26f2a7"]), Position::TooOld("5a7bad26f2a7".into()));
        assert_eq!(at(&["ffffffffffff"]), Position::Unknown("ffffffffffff".into()));
        assert_eq!(at(&[]), Position::Unknown("(none)".into()));
    }

    #[test]
    fn each_revision_stands_on_those_before_it() {
        for (at, revision) in REVISIONS.iter().enumerate() {
            let before = |id: &&str| *id == OLDEST || REVISIONS[..at].iter().any(|r| r.id == *id);
            assert!(revision.down.iter().all(before), "{}", revision.id);
        }
        assert_eq!(REVISIONS.last().map(|r| r.id), Some(HEAD));
        assert_eq!(OLDER.split_whitespace().count(), 325);
    }
}
