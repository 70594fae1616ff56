//! SQLite and the extensions of its shell.

use super::List;

pub(super) const SQLITE: List = List {
    acts: &["EDIT", "LOAD_EXTENSION", "WRITEFILE"],
    waits: &[],
    outside: &[
        "EDIT",
        "FSDIR",
        "FTS3_TOKENIZER",
        "LOAD_EXTENSION",
        "LSMODE",
        "READFILE",
        "WRITEFILE",
        "ZIPFILE",
    ],
    settings: &[],
    opaque: &["EVAL", "PRAGMA_*", "SQLITE_DBDATA", "SQLITE_DBPAGE", "SQLITE_DBPTR", "SQLITE_OFFSET"],
    looks_up: &[],
    packages: &[],
    synonyms: &[("SQLITE_COMPILEOPTION_GET", &["PRAGMA_COMPILE_OPTIONS"])],
    bare: &[],
    tables: &["DBSTAT", "SQLITE_DBDATA", "SQLITE_DBPAGE", "SQLITE_DBPTR", "SQLITE_STAT*", "SQLITE_STMT"],
};
