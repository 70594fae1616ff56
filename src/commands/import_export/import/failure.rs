//! How imports fail (`superset.commands.importers.exceptions`, `superset.commands.exceptions`).

use infra::{
    Error,
    error::{ErrorType, SupersetError},
};
use serde_json::{Map, Value, json};

use super::schema::errors_repr;
use crate::connect::errors::command_error;

/// Something that the original has not expected, with its words: 500.
pub fn exception(text: impl Into<String>) -> Error {
    Error::sip40(500, SupersetError::new(ErrorType::GenericBackendError, text))
}

/// The importer of a resource cannot write an object: 500 with a sentence of its own.
pub fn import_failed(text: &str) -> Error {
    command_error(500, text)
}

/// No importer knows the format: 422.
pub fn no_importer() -> Error {
    command_error(422, "Could not find a valid command to import file")
}

/// Nothing in the file can be imported: 400.
pub fn no_valid_files() -> Error {
    command_error(400, "No valid import files were found")
}

/// The file is no ZIP file: 422.
pub fn not_a_zip_file() -> Error {
    command_error(422, "Not a ZIP file")
}

/// What is wrong with the files of a bundle, by file (`CommandInvalidError`).
#[derive(Debug, Default)]
pub struct Problems(Vec<(String, Value)>);

impl Problems {
    /// Notes what is wrong with a file: fields with messages, or a sentence.
    pub fn add(&mut self, file: &str, errors: impl Into<Value>) {
        self.0.push((file.to_owned(), errors.into()));
    }

    /// Fails with 422 if there is anything; `extra` has the messages by file, which the frontend looks through.
    pub fn check(self, what: &str) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut listed = Vec::with_capacity(self.0.len());
        let mut extra = Map::new();
        for (file, errors) in self.0 {
            let text = errors.as_str().map_or_else(|| errors_repr(&errors), str::to_owned);
            listed.push(format!("{file}: {text}"));
            extra.insert(file, errors);
        }
        let message = format!("Error importing {what}: {}", listed.join("; "));
        let mut error = SupersetError::new(ErrorType::GenericCommandError, message).level("warning");
        if let Some(codes) = error.extra.take().and_then(|mut codes| codes.remove("issue_codes")) {
            extra.insert("issue_codes".into(), codes);
        }
        error.extra = Some(extra);
        Err(Error::sip40(422, error))
    }

    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The metadata of a bundle name another resource.
pub fn other_type(expected: &str) -> Value {
    json!({"type": [format!("Must be equal to {expected}.")]})
}
