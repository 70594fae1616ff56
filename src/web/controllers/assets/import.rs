//! `POST …/import/`.

use std::collections::HashMap;

use commands::import_export::{
    AssetKind,
    import::{
        NoProgress, Options, Secrets,
        contents::{Contents, is_zip},
        failure::{exception, no_importer, no_valid_files, not_a_zip_file},
        import, import_assets, import_unversioned,
    },
};
use infra::{
    Error,
    error::{ErrorType, SupersetError},
    json_error::json_error,
};
use serde_json::{Value, json};

use super::{RESOURCES, may};
use crate::{
    Answer, Cx, Handled,
    context::Upload,
    error::Failure,
    error_pages,
    routes::{Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let mut rules = vec![
        rule(&["POST"], "/api/v1/assets/import/", may("can_import_", "ImportExportRestApi"), assets)
            .endpoint("ImportExportRestApi.import_")
            .upload(),
    ];
    for (kind, view, _, endpoint) in RESOURCES {
        let path = format!("/api/v1/{}/import/", kind.resource());
        let handler = |cx| objects(*kind, cx);
        rules.push(rule(&["POST"], path, may("can_write", view), handler).endpoint(endpoint).upload());
    }
    rules
}

async fn objects(kind: AssetKind, cx: Cx) -> Handled {
    let message = if kind == AssetKind::Theme { "Theme imported successfully" } else { "OK" };
    let done = Box::pin(import_objects(kind, &cx)).await;
    answer(&cx, done, message)
}

async fn assets(cx: Cx) -> Handled {
    let done = Box::pin(import_everything(&cx)).await;
    answer(&cx, done, "OK")
}

/// Browsers that ask for the page themselves see one that says nothing (`show_command_errors`).
fn answer(cx: &Cx, done: Result<(), Failure>, message: &str) -> Handled {
    match done {
        Ok(()) => Ok(Answer::fab(200, &json!({"message": message}))),
        Err(Failure(Error::Sip40 { errors, .. }))
            if error_pages::accepts_html(&cx.req) && errors.iter().any(is_for_programs) =>
        {
            Ok(error_pages::abort(&cx.req, 500))
        }
        Err(failure) => Err(failure),
    }
}

fn is_for_programs(error: &SupersetError) -> bool {
    matches!(error.error_type, ErrorType::GenericCommandError | ErrorType::GenericBackendError)
}

/// The file of a form.
fn upload<'a>(cx: &'a Cx, field: &str, kind: Option<AssetKind>) -> Result<&'a Upload, Failure> {
    if cx.req.content_type() != "multipart/form-data" && kind != Some(AssetKind::Theme) {
        let text = "Request MIME type is not 'multipart/form-data'";
        return Err(Error::sip40(400, SupersetError::new(ErrorType::InvalidPayloadFormatError, text)).into());
    }
    let found = cx.req.files.iter().find(|f| f.field == field && !f.filename.is_empty());
    found.ok_or_else(|| Error::bad_request("Arguments are not correct").into())
}

async fn import_objects(kind: AssetKind, cx: &Cx) -> Result<(), Failure> {
    let upload = upload(cx, "formData", Some(kind))?;
    let unversioned = matches!(kind, AssetKind::Dashboard | AssetKind::Dataset);
    let contents = if is_zip(upload.content.reader()) {
        Contents::of_zip(&cx.caller.app.config, upload.content.reader()).map_err(|e| no_files(kind, e))?
    } else if unversioned {
        let most = cx.caller.app.config.int("ZIPPED_FILE_MAX_SIZE").and_then(|n| u64::try_from(n).ok());
        if upload.content.length() > most.unwrap_or(100 << 20) {
            return Err(exception("Found file with size above allowed threshold").into());
        }
        Contents::of_files([(upload.filename.clone(), read(upload)?)])
    } else if kind == AssetKind::Theme {
        return Err(exception("File is not a zip file").into());
    } else {
        return Err(not_a_zip_file().into());
    };
    let options = options(cx)?;
    if import(&cx.caller, kind, &contents, &options, &mut NoProgress).await? {
        return Ok(());
    }
    if !unversioned {
        return Err(no_importer().into());
    }
    let sync = |field: &str| cx.req.field(field) == Some("true");
    let sync = (sync("sync_columns"), sync("sync_metrics"));
    Ok(import_unversioned(&cx.caller, kind, &contents, sync).await?)
}

fn no_files(kind: AssetKind, error: Error) -> Error {
    let nothing = error.status() == no_valid_files().status();
    if kind == AssetKind::Theme && nothing {
        return exception("No valid theme files found in the uploaded zip");
    }
    error
}

fn read(upload: &Upload) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::Read::read_to_end(&mut upload.content.reader(), &mut bytes);
    read.map_err(Error::internal)?;
    Ok(bytes)
}

async fn import_everything(cx: &Cx) -> Result<(), Failure> {
    let upload = upload(cx, "bundle", None)?;
    if !is_zip(upload.content.reader()) {
        return Err(not_a_zip_file().into());
    }
    let contents = Contents::of_zip(&cx.caller.app.config, upload.content.reader())?;
    let options = options(cx)?;
    Ok(import_assets(&cx.caller, &contents, &options, &mut NoProgress).await?)
}

fn options(cx: &Cx) -> Result<Options, Failure> {
    let flag = |field: &str| cx.req.field(field) == Some("true");
    let secrets = Secrets {
        passwords: secrets(cx, "passwords")?,
        tunnel_passwords: secrets(cx, "ssh_tunnel_passwords")?,
        tunnel_keys: secrets(cx, "ssh_tunnel_private_keys")?,
        tunnel_key_passwords: secrets(cx, "ssh_tunnel_private_key_passwords")?,
    };
    Ok(Options { overwrite: flag("overwrite"), sparse: flag("sparse"), secrets })
}

/// A field that holds a JSON object of texts; what is no JSON is an exception of the original.
fn secrets(cx: &Cx, field: &str) -> Result<HashMap<String, String>, Failure> {
    let Some(text) = cx.req.field(field) else { return Ok(HashMap::new()) };
    if let Some(message) = json_error(text) {
        return Err(exception(message).into());
    }
    let Ok(Value::Object(map)) = serde_json::from_str(text) else { return Ok(HashMap::new()) };
    Ok(map.into_iter().filter_map(|(file, secret)| Some((file, secret.as_str()?.to_owned()))).collect())
}
