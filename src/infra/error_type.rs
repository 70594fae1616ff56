//! The kinds of errors of SIP-40 answers.

use serde::{Deserialize, Serialize};

/// `SupersetErrorType`: what a client recognises an error by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the variants bear the names on the wire, `TABLE_NOT_FOUND_ERROR`")]
pub enum ErrorType {
    FrontendCsrfError,
    FrontendNetworkError,
    FrontendTimeoutError,
    GenericDbEngineError,
    ColumnDoesNotExistError,
    TableDoesNotExistError,
    SchemaDoesNotExistError,
    ConnectionInvalidUsernameError,
    ConnectionInvalidPasswordError,
    ConnectionInvalidHostnameError,
    ConnectionPortClosedError,
    ConnectionInvalidPortError,
    ConnectionHostDownError,
    ConnectionAccessDeniedError,
    ConnectionUnknownDatabaseError,
    ConnectionDatabasePermissionsError,
    ConnectionMissingParametersError,
    ObjectDoesNotExistError,
    SyntaxError,
    ConnectionDatabaseTimeout,
    VizGetDfError,
    UnknownDatasourceTypeError,
    FailedFetchingDatasourceInfoError,
    TableSecurityAccessError,
    DatasourceSecurityAccessError,
    DatabaseSecurityAccessError,
    QuerySecurityAccessError,
    MissingOwnershipError,
    UserActivitySecurityAccessError,
    DashboardSecurityAccessError,
    ChartSecurityAccessError,
    Oauth2Redirect,
    Oauth2RedirectError,
    BackendTimeoutError,
    DatabaseNotFoundError,
    TableNotFoundError,
    MissingTemplateParamsError,
    InvalidTemplateParamsError,
    ResultsBackendNotConfiguredError,
    DmlNotAllowedError,
    InvalidCtasQueryError,
    InvalidCvasQueryError,
    SqllabTimeoutError,
    ResultsBackendError,
    AsyncWorkersError,
    AdhocSubqueryNotAllowedError,
    InvalidSqlError,
    ResultTooLargeError,
    GenericCommandError,
    GenericBackendError,
    InvalidPayloadFormatError,
    InvalidPayloadSchemaError,
    MarshmallowError,
    ReportNotificationError,
}

impl std::fmt::Display for ErrorType {
    /// The name on the wire.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_on_the_wire_are_those_of_superset() {
        for (kind, name) in [
            (ErrorType::Oauth2Redirect, "OAUTH2_REDIRECT"),
            (ErrorType::VizGetDfError, "VIZ_GET_DF_ERROR"),
            (ErrorType::SqllabTimeoutError, "SQLLAB_TIMEOUT_ERROR"),
            (ErrorType::ConnectionDatabaseTimeout, "CONNECTION_DATABASE_TIMEOUT"),
        ] {
            assert_eq!(json!(kind), json!(name));
            assert_eq!(kind.to_string(), name);
            assert_eq!(serde_json::from_value::<ErrorType>(json!(name)).unwrap(), kind);
        }
    }
}
