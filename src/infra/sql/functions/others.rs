//! Engines with fewer such functions, and those that nothing is known about.

use super::List;

pub(super) const PRESTO: List = List {
    // statements for the system behind a connector (`TABLE(catalog.system.query(query => '…'))`)
    outside: &["EXECUTE", "PROCEDURE", "QUERY", "RAW_QUERY"],
    packages: &["SYSTEM"],
    bare: &["CURRENT_CATALOG", "CURRENT_SCHEMA", "CURRENT_USER"],
    ..List::EMPTY
};

pub(super) const ORACLE: List = List {
    acts: &["NEXTVAL"],
    outside: &["BFILENAME", "HTTPURITYPE", "DBURITYPE", "XDBURITYPE", "URIFACTORY", "XMLTRANSFORM"],
    settings: &["SYS_CONTEXT", "USERENV"],
    opaque: &["CURSOR", "SYS_XMLGEN", "XMLQUERY"],
    packages: &["APEX_*", "CTXSYS", "DBMS_*", "HTP", "HTTPURITYPE", "OWA*", "ORDSYS", "SYS", "UTL_*"],
    bare: &["CURRENT_USER", "ORA_INVOKING_USER", "SESSION_USER", "UID", "USER"],
    ..List::EMPTY
};

pub(super) const BIGQUERY: List = List {
    outside: &["EXTERNAL_QUERY"],
    opaque: &["APPENDS", "CHANGES", "GAP_FILL", "VECTOR_SEARCH"],
    bare: &["CURRENT_USER", "SESSION_USER"],
    ..List::EMPTY
};

/// All others: the union of what the names of the well-known engines tell.
pub(super) const GENERAL: List = List {
    acts: &[
        "GET_LOCK",
        "NEXTVAL",
        "PG_ADVISORY_*",
        "PG_CANCEL_BACKEND",
        "PG_CREATE_*",
        "PG_DROP_*",
        "PG_RELOAD_CONF",
        "PG_TERMINATE_BACKEND",
        "SET_CONFIG",
        "SETVAL",
        "SP_EXECUTESQL",
        // Snowflake
        "SYSTEM$*",
        // files, programs, other servers
        "DBLINK*",
        "EDIT",
        "LO_*",
        "LOAD_EXTENSION",
        "LOWRITE",
        "PG_FILE_*",
        "SYS_EVAL",
        "SYS_EXEC",
        "WRITEFILE",
        "XP_*",
    ],
    waits: &["BENCHMARK", "PG_SLEEP*", "SLEEP"],
    outside: &[
        "DBLINK*",
        "EDIT",
        "EXTERNAL_QUERY",
        "FILE",
        "GET_PRESIGNED_URL",
        "HDFS*",
        "INFER_SCHEMA",
        // Hive and Spark
        "JAVA_METHOD",
        "REFLECT*",
        "TRY_REFLECT",
        "JDBC",
        "LO_*",
        "LOREAD",
        "LOWRITE",
        "LOAD_EXTENSION",
        "LOAD_FILE",
        "MYSQL",
        "ODBC",
        "OPENDATASOURCE",
        "OPENQUERY",
        "OPENROWSET",
        "PG_FILE_*",
        "PG_LS_*",
        "PG_READ_*",
        "PG_STAT_FILE",
        "POSTGRESQL",
        "READFILE",
        "READ_*",
        "REMOTE*",
        "REMOTE_QUERY",
        "S3*",
        "SYS_EVAL",
        "SYS_EXEC",
        "URL",
        "WRITEFILE",
        "XP_*",
    ],
    settings: &["@@*", "CURRENT_SETTING", "GETSETTING"],
    opaque: &[
        "CLUSTER*",
        "CROSSTAB*",
        "CURSOR_TO_XML*",
        "DATABASE_TO_XML*",
        "GET_DDL",
        "MERGE",
        "PARQUET_SCAN",
        "PRAGMA_*",
        "QUERY",
        "QUERY_TABLE",
        "QUERY_TO_XML*",
        "RESULT_SCAN",
        "SCHEMA_TO_XML*",
        "TABLE_TO_XML*",
        "TS_REWRITE",
        "TS_STAT",
    ],
    packages: &["DBMS_*", "UTL_*"],
    bare: &[
        "CURRENT_CATALOG",
        "CURRENT_DATABASE",
        "CURRENT_ROLE",
        "CURRENT_SCHEMA",
        "CURRENT_USER",
        "SESSION_USER",
        "SYSTEM_USER",
        "USER",
    ],
    ..List::EMPTY
};
