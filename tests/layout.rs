//! The layout of the source tree, kept by a test: each failure names the place and the rule that it breaks.
//!
//! What `DESIGN` documents say of folders is only true while something checks it; the rules here are those of
//! `src/README.md` and `CONTRIBUTING.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "layout/circles.rs"]
mod circles;
#[path = "layout/documents.rs"]
mod documents;
#[path = "layout/source.rs"]
mod source;
#[path = "layout/texts.rs"]
mod texts;

/// Fails with all breaks at once, a line each.
fn expect_none(rule: &str, breaks: Vec<String>) {
    assert!(breaks.is_empty(), "{rule}:\n  {}", breaks.join("\n  "));
}

#[test]
fn folders_reach_themselves_through_no_other() {
    let found = source::CRATES.iter().flat_map(|name| circles::of_crate(name)).collect();
    expect_none("a folder (or file) of a layer must not depend on itself through others", found);
}

#[test]
fn sql_of_the_metadata_database_stands_in_daos() {
    expect_none("SQL text outside `daos`, `infra/db` and the engines", texts::sql_outside_daos());
}

#[test]
fn web_begins_no_transaction() {
    expect_none("`begin()` in `web`", texts::transactions_in_web());
}

#[test]
fn engines_are_named_in_their_folder_only() {
    expect_none("the name of an engine outside `infra/engines`", texts::engine_names());
}

#[test]
fn files_and_lines_stay_short() {
    expect_none("files over 700 lines, lines over 120 columns", texts::too_long());
}

#[test]
fn folders_that_documents_name_exist() {
    expect_none("a path in a document that does not exist", documents::missing_paths());
}
