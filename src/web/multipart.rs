//! Multipart forms as they arrive: fields are held in memory, files go to the disk.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use infra::{config::Config, spool::Spool};
use multra::{Constraints, Error, Field, Multipart, SizeLimit};
use salvo::http::ReqBody;

use crate::context::{Req, Upload};

/// Most parts of a form.
const PARTS: usize = 128;
/// Bytes of all fields that are no files, of a form that has files.
pub const FIELDS: usize = 8 << 20;
/// Bytes of a file that are written at once.
const PIECE: usize = 1 << 20;

/// Where files go while they are looked at.
pub fn folder(config: &Config) -> PathBuf {
    Path::new(config.str("DATA_DIR")).join("tmp")
}

/// Reads a form of at most so many bytes, and so many of fields, into a request; a status when that fails.
pub async fn read(body: ReqBody, req: &mut Req, folder: &Path, most: u64, fields: usize) -> Result<(), u16> {
    let boundary = multra::parse_boundary(req.header("content-type").unwrap_or_default());
    let stream = body.try_filter_map(|frame| async { Ok(frame.into_data().ok()) });
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(most)).max_fields(PARTS);
    let mut form = Multipart::with_constraints(stream, boundary.map_err(|e| status(&e))?, limits);
    let mut left = fields;
    while let Some(part) = form.next_field().await.map_err(|e| status(&e))? {
        let Some(field) = part.name().map(str::to_owned) else { continue };
        match part.file_name().map(str::to_owned) {
            Some(filename) => {
                let content = file(part, folder).await?;
                req.files.push(Upload { field, filename, content });
            }
            None => {
                let text = text(part, left).await?;
                left -= text.len();
                req.form.push((field, String::from_utf8_lossy(&text).into_owned()));
            }
        }
    }
    Ok(())
}

async fn text(mut part: Field<'_>, most: usize) -> Result<Vec<u8>, u16> {
    let mut text = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|e| status(&e))? {
        if text.len() + chunk.len() > most {
            return Err(413);
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}

async fn file(mut part: Field<'_>, folder: &Path) -> Result<Spool, u16> {
    let folder = folder.to_owned();
    let mut spool = blocking(move || Spool::new(&folder)).await?;
    let mut waiting = Vec::new();
    loop {
        let chunk = part.chunk().await.map_err(|e| status(&e))?;
        waiting.extend_from_slice(chunk.as_deref().unwrap_or_default());
        if waiting.len() >= PIECE || chunk.is_none() && !waiting.is_empty() {
            let mut piece = std::mem::take(&mut waiting);
            (spool, waiting) = blocking(move || {
                spool.append(&piece)?;
                piece.clear();
                Ok((spool, piece))
            })
            .await?;
        }
        if chunk.is_none() {
            return Ok(spool);
        }
    }
}

/// Work on the disk; a full one is our fault.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, u16> {
    let failed = |error: String| {
        tracing::error!(error, "a file that was sent cannot be written");
        500
    };
    let done = tokio::task::spawn_blocking(work).await.map_err(|e| failed(e.to_string()))?;
    done.map_err(|e| failed(e.to_string()))
}

fn status(error: &Error) -> u16 {
    match error {
        Error::StreamSizeExceeded { .. }
        | Error::FieldSizeExceeded { .. }
        | Error::FieldCountExceeded { .. }
        | Error::HeadersSizeExceeded { .. }
        | Error::PreambleSizeExceeded { .. } => 413,
        _ => 400,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    async fn read_form(body: &str, most: u64) -> Result<Req, u16> {
        let headers = vec![("content-type".to_owned(), "multipart/form-data; boundary=xyz".to_owned())];
        let mut req = Req { headers, ..Req::default() };
        let body = ReqBody::from(body.replace('\n', "\r\n"));
        read(body, &mut req, &std::env::temp_dir(), most, FIELDS).await?;
        Ok(req)
    }

    const FORM: &str = "--xyz\nContent-Disposition: form-data; name=\"a\"\n\nü\n\
                        --xyz\nContent-Disposition: form-data; name=\"f\"; filename=\"x.csv\"\n\na,b\n1,2\n\
                        --xyz--\n";

    #[tokio::test]
    async fn fields_and_files() {
        let req = read_form(FORM, 10_000).await.unwrap();
        assert_eq!(req.form, [("a".to_owned(), "ü".to_owned())]);
        let file = &req.files[0];
        let mut content = String::new();
        file.content.reader().read_to_string(&mut content).unwrap();
        assert_eq!(
            (file.field.as_str(), file.filename.as_str(), content.as_str()),
            ("f", "x.csv", "a,b\r\n1,2")
        );
    }

    #[tokio::test]
    async fn forms_that_are_none() {
        assert_eq!(read_form(FORM, 100).await.unwrap_err(), 413);
        assert_eq!(read_form(FORM.trim_end_matches("--xyz--\n"), 10_000).await.unwrap_err(), 400);
        assert_eq!(read_form("soup", 10_000).await.unwrap_err(), 400);
        let many = "--xyz\nContent-Disposition: form-data; name=\"a\"\n\nx\n".repeat(PARTS + 1);
        assert_eq!(read_form(&format!("{many}--xyz--\n"), 1 << 20).await.unwrap_err(), 413);
    }
}
