//! Data of a chart as a file to be saved.

use std::{
    io::{Cursor, Write as _},
    sync::Arc,
};

use infra::{Error, Result, compute::run_blocking, encoding::Encoding};

use crate::{
    Caller,
    query_run::{ChartData, csv_encoding},
};

/// The file and its extension: of one query a file of the format asked for, of several an archive of them. 403 for
/// whoever may not export.
pub async fn file(caller: &Caller, data: Arc<ChartData>) -> Result<(&'static str, Vec<u8>)> {
    if !caller.user.can_access("can_csv", "Superset") {
        return Err(Error::forbidden());
    }
    let extension = data.result_format.name();
    let app = caller.app.clone();
    // one file alone is UTF-8 without a mark, as in the original
    let encoding = match extension {
        "csv" => csv_encoding(&app.config),
        _ => Encoding::Utf8,
    };
    // a large export keeps a thread busy
    let files = run_blocking(move || data.to_files(&app.config)).await?;
    let mut files = files.map_err(query::QueryError::into_answer)?;
    match files.len() {
        0 => Err(Error::bad_request("Empty query result")),
        1 => Ok((extension, files.swap_remove(0))),
        _ => {
            let named = files.into_iter().enumerate();
            let named = named.map(|(i, body)| {
                let body = encoding.encode(body, true).map_err(Error::internal)?;
                Ok((format!("query_{}.{extension}", i + 1), body))
            });
            Ok(("zip", zipped(named.collect::<Result<_>>()?)?))
        }
    }
}

fn zipped(files: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in files {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name, options).map_err(Error::internal)?;
        archive.write_all(&body).map_err(Error::internal)?;
    }
    Ok(archive.finish().map_err(Error::internal)?.into_inner())
}
