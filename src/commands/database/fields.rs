//! What a body says of a connection (`superset.databases.schemas`).

use serde_json::{Map, Value};

use crate::{
    connect::tunnel::TunnelFields,
    schema::{FieldKind, Sent, fields},
};

/// Which methods there are is checked where the body is loaded, with the rest of the form.
const CHECKED_LATER: FieldKind = FieldKind::Other("Enum");

fields! {
    /// A connection as a body describes it.
    pub struct DatabaseFields {
        id: i64,
        database_name: String,
        cache_timeout: i64,
        expose_in_sqllab: bool,
        allow_run_async: bool,
        allow_file_upload: bool,
        allow_ctas: bool,
        allow_cvas: bool,
        allow_dml: bool,
        force_ctas_schema: String,
        impersonate_user: bool,
        masked_encrypted_extra: String,
        extra: String,
        server_cert: String,
        sqlalchemy_uri: String,
        is_managed_externally: bool,
        external_url: String,
        ssh_tunnel: TunnelFields,
        uuid: String,
        configuration_method: String,
        engine: String,
        driver: String,
        parameters: Map<String, Value>,
        catalog: Map<String, Value>,
    }

    /// `DatabasePostSchema`.
    POST = [
        database_name.required().length(1, Some(250)),
        cache_timeout.nullable(),
        expose_in_sqllab,
        allow_run_async,
        allow_file_upload,
        allow_ctas,
        allow_cvas,
        allow_dml,
        force_ctas_schema.nullable().length(0, Some(250)),
        impersonate_user,
        masked_encrypted_extra.nullable(),
        extra,
        server_cert.nullable(),
        sqlalchemy_uri,
        is_managed_externally.nullable(),
        external_url.nullable(),
        ssh_tunnel.nullable(),
        uuid,
        configuration_method.kind(CHECKED_LATER),
    ];

    /// `DatabasePutSchema`.
    PUT = [
        database_name.nullable().length(1, Some(250)),
        cache_timeout.nullable(),
        expose_in_sqllab,
        allow_run_async,
        allow_file_upload,
        allow_ctas,
        allow_cvas,
        allow_dml,
        force_ctas_schema.nullable().length(0, Some(250)),
        impersonate_user,
        masked_encrypted_extra.nullable(),
        extra,
        server_cert.nullable(),
        sqlalchemy_uri,
        is_managed_externally.nullable(),
        external_url.nullable(),
        ssh_tunnel.nullable(),
        uuid,
        configuration_method.kind(CHECKED_LATER),
    ];

    /// `DatabaseTestConnectionSchema`.
    TEST = [
        database_name.nullable().length(1, Some(250)),
        impersonate_user,
        extra,
        masked_encrypted_extra.nullable(),
        server_cert.nullable(),
        sqlalchemy_uri,
        ssh_tunnel.nullable(),
        configuration_method.kind(CHECKED_LATER),
    ];

    /// `DatabaseValidateParametersSchema`.
    PARAMETERS = [
        id.nullable(),
        engine.required(),
        driver.nullable(),
        parameters,
        catalog,
        database_name.nullable().length(1, Some(250)),
        impersonate_user,
        extra,
        masked_encrypted_extra.nullable(),
        server_cert.nullable(),
        configuration_method.required().kind(CHECKED_LATER),
    ];
}

impl DatabaseFields {
    /// The encrypted extra that a new connection is made with: an empty object where the body is silent.
    pub(crate) fn secret(&self) -> Option<&str> {
        match &self.masked_encrypted_extra {
            Sent::Absent => Some("{}"),
            sent => sent.text(),
        }
    }
}

fields! {
    /// SQL that is to be validated.
    pub struct SqlFields {
        sql: String,
        catalog: String,
        schema: String,
        template_params: Map<String, Value>,
    }

    /// `ValidateSQLRequest`.
    SCHEMA = [sql.required(), catalog.nullable(), schema.nullable(), template_params.nullable()];
}
