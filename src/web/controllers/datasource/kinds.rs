//! Which datasource an address or a body names, and how the original says that there is none
//! (`superset.daos.datasource:DatasourceDAO.get_datasource`).

use infra::Error;
use query::query_object::DatasourceType;

use crate::error::Failure;

/// There is no such datasource.
pub(super) fn missing() -> Failure {
    Error::Legacy { status: 404, error: "Datasource does not exist".to_owned() }.into()
}

/// A kind that is known and leads to no table.
pub(super) fn unsupported() -> Failure {
    let error = "DAO datasource query source type is not supported".to_owned();
    Error::Legacy { status: 422, error }.into()
}

/// The id of a dataset by its kind and its id as they were sent.
pub(super) fn dataset_id(kind: &str, id: &str) -> Result<i64, Failure> {
    match DatasourceType::named(kind) {
        None => {
            let error = format!("'{kind}' is not a valid DatasourceType");
            Err(Error::Legacy { status: 500, error }.into())
        }
        Some(DatasourceType::Table) => id.parse().map_err(|_| missing()),
        Some(DatasourceType::Dataset | DatasourceType::View) => Err(unsupported()),
        // queries of SQL Lab: the original shows anybody's to everybody
        Some(DatasourceType::Query | DatasourceType::SavedQuery) => Err(missing()),
    }
}

/// The texts that marshmallow takes for truth values.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "t" | "T" | "true" | "True" | "TRUE" | "on" | "On" | "ON" | "y" | "Y" | "yes" | "Yes" | "YES"
        | "1" => Some(true),
        "f" | "F" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" | "n" | "N" | "no" | "No" | "NO"
        | "0" => Some(false),
        _ => None,
    }
}
