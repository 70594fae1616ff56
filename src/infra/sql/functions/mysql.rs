//! MySQL, MariaDB, StarRocks, Doris and what else speaks their dialect.

use super::List;

pub(super) const MYSQL: List = List {
    acts: &[
        // locks
        "GET_LOCK",
        "RELEASE_ALL_LOCKS",
        "RELEASE_LOCK",
        "SERVICE_*",
        // the server
        "ASYNCHRONOUS_CONNECTION_*",
        "AUDIT_LOG_*",
        "GROUP_REPLICATION_*",
        "KEYRING_*",
        "KILL",
        "VERSION_TOKENS_*",
        "WSREP_*",
        // sequences
        "NEXTVAL",
        "SETVAL",
        // programs
        "SYS_EVAL",
        "SYS_EXEC",
    ],
    waits: &[
        "BENCHMARK",
        "IS_FREE_LOCK",
        "IS_USED_LOCK",
        "MASTER_GTID_WAIT",
        "MASTER_POS_WAIT",
        "SLEEP",
        "SOURCE_POS_WAIT",
        "WAIT_FOR_EXECUTED_GTID_SET",
        "WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS",
    ],
    outside: &[
        "FILE",
        "FILES",
        "HTTP_*",
        "LIB_MYSQLUDF_*",
        "LOAD_FILE",
        "SYS_BINEVAL",
        "SYS_EVAL",
        "SYS_EXEC",
        "SYS_GET",
        "SYS_SET",
        "XPCMDSHELL",
    ],
    settings: &["@@*"],
    opaque: &["QUERY"],
    looks_up: &[],
    packages: &[],
    synonyms: &[
        ("CONNECTION_ID", &["PS_CURRENT_THREAD_ID", "PS_THREAD_ID", "@@PSEUDO_THREAD_ID"]),
        ("CURRENT_USER", &["CURRENT_ROLE"]),
        ("DATABASE", &["SCHEMA"]),
        ("SCHEMA", &["DATABASE"]),
        ("VERSION", &["@@INNODB_VERSION", "@@VERSION*", "VERSION_MAJOR", "VERSION_MINOR", "VERSION_PATCH"]),
    ],
    bare: &["CURRENT_ROLE", "CURRENT_USER"],
    tables: &[
        "COLUMN_STATISTICS",
        "COLUMN_STATS",
        "EVENTS_STATEMENTS_CURRENT",
        "EVENTS_STATEMENTS_HISTORY",
        "EVENTS_STATEMENTS_HISTORY_LONG",
        "GENERAL_LOG",
        "PROCESSLIST",
        "SLOW_LOG",
    ],
};
