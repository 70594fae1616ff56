//! Texts of the issue codes that accompany SIP-40 errors.

/// Issue codes and their texts for a SIP-40 error type (`superset.errors:ERROR_TYPES_TO_ISSUE_CODES_MAPPING`).
pub fn issue_codes(error_type: &str) -> &'static [(u16, &'static str)] {
    match error_type {
        "ADHOC_SUBQUERY_NOT_ALLOWED_ERROR" => &[(1037, "Custom SQL fields cannot contain sub-queries.")],
        "BACKEND_TIMEOUT_ERROR" => &[
            (1000, "The datasource is too large to query."),
            (1001, "The database is under an unusual load."),
        ],
        "GENERIC_DB_ENGINE_ERROR" => &[(1002, "The database returned an unexpected error.")],
        "COLUMN_DOES_NOT_EXIST_ERROR" => &[
            (1003, "There is a syntax error in the SQL query. Perhaps there was a misspelling or a typo."),
            (1004, "The column was deleted or renamed in the database."),
        ],
        "TABLE_DOES_NOT_EXIST_ERROR" => &[
            (1003, "There is a syntax error in the SQL query. Perhaps there was a misspelling or a typo."),
            (1005, "The table was deleted or renamed in the database."),
        ],
        "SCHEMA_DOES_NOT_EXIST_ERROR" => &[
            (1003, "There is a syntax error in the SQL query. Perhaps there was a misspelling or a typo."),
            (1016, "The schema was deleted or renamed in the database."),
        ],
        "MISSING_TEMPLATE_PARAMS_ERROR" => {
            &[(1006, "One or more parameters specified in the query are missing.")]
        }
        "INVALID_TEMPLATE_PARAMS_ERROR" => {
            &[(1028, "One or more parameters specified in the query are malformed.")]
        }
        "RESULTS_BACKEND_NOT_CONFIGURED_ERROR" => {
            &[(1021, "Results backend needed for asynchronous queries is not configured.")]
        }
        "DML_NOT_ALLOWED_ERROR" => &[(1022, "Database does not allow data manipulation.")],
        "CONNECTION_INVALID_HOSTNAME_ERROR" => &[(1007, "The hostname provided can't be resolved.")],
        "CONNECTION_PORT_CLOSED_ERROR" => &[(1008, "The port is closed.")],
        "CONNECTION_HOST_DOWN_ERROR" => {
            &[(1009, "The host might be down, and can't be reached on the provided port.")]
        }
        "GENERIC_COMMAND_ERROR" => &[(1010, "Superset encountered an error while running a command.")],
        "GENERIC_BACKEND_ERROR" => &[(1011, "Superset encountered an unexpected error.")],
        "CONNECTION_INVALID_USERNAME_ERROR" => {
            &[(1012, "The username provided when connecting to a database is not valid.")]
        }
        "CONNECTION_INVALID_PASSWORD_ERROR" => {
            &[(1013, "The password provided when connecting to a database is not valid.")]
        }
        "CONNECTION_ACCESS_DENIED_ERROR" => &[
            (1014, "Either the username or the password is wrong."),
            (1015, "Either the database is spelled incorrectly or does not exist."),
        ],
        "CONNECTION_UNKNOWN_DATABASE_ERROR" => {
            &[(1015, "Either the database is spelled incorrectly or does not exist.")]
        }
        "CONNECTION_DATABASE_PERMISSIONS_ERROR" => &[(1017, "User doesn't have the proper permissions.")],
        "CONNECTION_MISSING_PARAMETERS_ERROR" => {
            &[(1018, "One or more parameters needed to configure a database are missing.")]
        }
        "INVALID_PAYLOAD_FORMAT_ERROR" => &[(1019, "The submitted payload has the incorrect format.")],
        "INVALID_PAYLOAD_SCHEMA_ERROR" => &[(1020, "The submitted payload has the incorrect schema.")],
        "INVALID_CTAS_QUERY_ERROR" => &[(
            1023,
            "The CTAS (create table as select) doesn't have a SELECT statement at the end. Please make sure your query has a SELECT as its last statement. Then, try running your query again.",
        )],
        "INVALID_CVAS_QUERY_ERROR" => &[
            (1024, "CVAS (create view as select) query has more than one statement."),
            (1025, "CVAS (create view as select) query is not a SELECT statement."),
        ],
        "INVALID_SQL_ERROR" => {
            &[(1003, "There is a syntax error in the SQL query. Perhaps there was a misspelling or a typo.")]
        }
        "SQLLAB_TIMEOUT_ERROR" => &[
            (1026, "Query is too complex and takes too long to run."),
            (1027, "The database is currently running too many queries."),
        ],
        "OBJECT_DOES_NOT_EXIST_ERROR" => &[(1029, "The object does not exist in the given database.")],
        "SYNTAX_ERROR" => &[(1030, "The query has a syntax error.")],
        "RESULTS_BACKEND_ERROR" => &[
            (1031, "The results backend no longer has the data from the query."),
            (1032, "The query associated with the results was deleted."),
            (
                1033,
                "The results stored in the backend were stored in a different format, and no longer can be deserialized.",
            ),
        ],
        "CONNECTION_INVALID_PORT_ERROR" => &[(1034, "The port number is invalid.")],
        "ASYNC_WORKERS_ERROR" => &[(1035, "Failed to start remote query on a worker.")],
        "DATABASE_NOT_FOUND_ERROR" => {
            &[(1011, "Superset encountered an unexpected error."), (1036, "The database was deleted.")]
        }
        "CONNECTION_DATABASE_TIMEOUT" => &[
            (1001, "The database is under an unusual load."),
            (1009, "The host might be down, and can't be reached on the provided port."),
        ],
        "MARSHMALLOW_ERROR" => &[(1040, "The submitted payload failed validation.")],
        "RESULT_TOO_LARGE_ERROR" => &[(1041, "The result size exceeds the allowed limit.")],
        _ => &[],
    }
}
