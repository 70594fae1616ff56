//! Texts of the issue codes that accompany SIP-40 errors.

use crate::error_type::ErrorType;

/// Issue codes and their texts for a SIP-40 error type (`superset.errors:ERROR_TYPES_TO_ISSUE_CODES_MAPPING`).
pub fn issue_codes(error_type: ErrorType) -> &'static [(u16, &'static str)] {
    match error_type {
        ErrorType::AdhocSubqueryNotAllowedError => &[(1037, "Custom SQL fields cannot contain sub-queries.")],
        ErrorType::BackendTimeoutError => &[
            (1000, "The datasource is too large to query."),
            (1001, "The database is under an unusual load."),
        ],
        ErrorType::GenericDbEngineError => &[(1002, "The database returned an unexpected error.")],
        ErrorType::ColumnDoesNotExistError => &[
            (1003, "There is a syntax error in the SQL query. Perhaps there was a misspelling or a typo."),
            (1004, "The column was deleted or renamed in the database."),
        ],
        ErrorType::TableDoesNotExistError => &[
            (1003, "There is a syntax error in the SQL query. Perhaps there was a misspelling or a typo."),
            (1005, "The table was deleted or renamed in the database."),
        ],
        ErrorType::SchemaDoesNotExistError => &[
            (1003, "There is a syntax error in the SQL query. Perhaps there was a misspelling or a typo."),
            (1016, "The schema was deleted or renamed in the database."),
        ],
        ErrorType::MissingTemplateParamsError => {
            &[(1006, "One or more parameters specified in the query are missing.")]
        }
        ErrorType::InvalidTemplateParamsError => {
            &[(1028, "One or more parameters specified in the query are malformed.")]
        }
        ErrorType::ResultsBackendNotConfiguredError => {
            &[(1021, "Results backend needed for asynchronous queries is not configured.")]
        }
        ErrorType::DmlNotAllowedError => &[(1022, "Database does not allow data manipulation.")],
        ErrorType::ConnectionInvalidHostnameError => &[(1007, "The hostname provided can't be resolved.")],
        ErrorType::ConnectionPortClosedError => &[(1008, "The port is closed.")],
        ErrorType::ConnectionHostDownError => {
            &[(1009, "The host might be down, and can't be reached on the provided port.")]
        }
        ErrorType::GenericCommandError => &[(1010, "Superset encountered an error while running a command.")],
        ErrorType::GenericBackendError => &[(1011, "Superset encountered an unexpected error.")],
        ErrorType::ConnectionInvalidUsernameError => {
            &[(1012, "The username provided when connecting to a database is not valid.")]
        }
        ErrorType::ConnectionInvalidPasswordError => {
            &[(1013, "The password provided when connecting to a database is not valid.")]
        }
        ErrorType::ConnectionAccessDeniedError => &[
            (1014, "Either the username or the password is wrong."),
            (1015, "Either the database is spelled incorrectly or does not exist."),
        ],
        ErrorType::ConnectionUnknownDatabaseError => {
            &[(1015, "Either the database is spelled incorrectly or does not exist.")]
        }
        ErrorType::ConnectionDatabasePermissionsError => {
            &[(1017, "User doesn't have the proper permissions.")]
        }
        ErrorType::ConnectionMissingParametersError => {
            &[(1018, "One or more parameters needed to configure a database are missing.")]
        }
        ErrorType::InvalidPayloadFormatError => &[(1019, "The submitted payload has the incorrect format.")],
        ErrorType::InvalidPayloadSchemaError => &[(1020, "The submitted payload has the incorrect schema.")],
        ErrorType::InvalidCtasQueryError => &[(
            1023,
            "The CTAS (create table as select) doesn't have a SELECT statement at the end. Please make sure your \
             query has a SELECT as its last statement. Then, try running your query again.",
        )],
        ErrorType::InvalidCvasQueryError => &[
            (1024, "CVAS (create view as select) query has more than one statement."),
            (1025, "CVAS (create view as select) query is not a SELECT statement."),
        ],
        ErrorType::InvalidSqlError => {
            &[(1003, "There is a syntax error in the SQL query. Perhaps there was a misspelling or a typo.")]
        }
        ErrorType::SqllabTimeoutError => &[
            (1026, "Query is too complex and takes too long to run."),
            (1027, "The database is currently running too many queries."),
        ],
        ErrorType::ObjectDoesNotExistError => &[(1029, "The object does not exist in the given database.")],
        ErrorType::SyntaxError => &[(1030, "The query has a syntax error.")],
        ErrorType::ResultsBackendError => &[
            (1031, "The results backend no longer has the data from the query."),
            (1032, "The query associated with the results was deleted."),
            (
                1033,
                "The results stored in the backend were stored in a different format, and no longer can be \
                 deserialized.",
            ),
        ],
        ErrorType::ConnectionInvalidPortError => &[(1034, "The port number is invalid.")],
        ErrorType::AsyncWorkersError => &[(1035, "Failed to start remote query on a worker.")],
        ErrorType::DatabaseNotFoundError => {
            &[(1011, "Superset encountered an unexpected error."), (1036, "The database was deleted.")]
        }
        ErrorType::ConnectionDatabaseTimeout => &[
            (1001, "The database is under an unusual load."),
            (1009, "The host might be down, and can't be reached on the provided port."),
        ],
        ErrorType::MarshmallowError => &[(1040, "The submitted payload failed validation.")],
        ErrorType::ResultTooLargeError => &[(1041, "The result size exceeds the allowed limit.")],
        _ => &[],
    }
}
