//! `GET …/export/`.

use std::io::Read as _;

use bytes::Bytes;
use commands::import_export::{AssetKind, export::Bundle};
use futures_util::stream;
use infra::{rison::schema, spool::Reader};
use serde_json::Value;

use super::{RESOURCES, may};
use crate::{
    Answer, Cx, Handled, multipart,
    routes::{Rule, rule},
};

/// Bytes that are read of a bundle at a time.
const PIECE: usize = 64 << 10;

pub(super) fn rules() -> Vec<Rule> {
    let mut rules = vec![
        rule(&["GET"], "/api/v1/assets/export/", may("can_export", "ImportExportRestApi"), assets)
            .endpoint("ImportExportRestApi.export"),
    ];
    for (kind, view, endpoint, _) in RESOURCES {
        let path = format!("/api/v1/{}/export/", kind.resource());
        let handler = |cx| objects(*kind, cx);
        rules.push(rule(&["GET"], path, may("can_export", view), handler).endpoint(endpoint));
    }
    rules
}

async fn objects(kind: AssetKind, cx: Cx) -> Handled {
    let asked = infra::rison::load(cx.req.arg("q"), &schema::IDS)?;
    let ids: Vec<i64> = asked.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    let folder = multipart::folder(&cx.caller.app.config);
    let answer = answer(Bundle::export(&cx.caller, kind, &ids, &folder).await?);
    Ok(match cx.req.arg("token").filter(|t| is_token(t)) {
        // the frontend waits for it
        Some(token) => answer.header("set-cookie", format!("{token}=done; Max-Age=600; Path=/")),
        None => answer,
    })
}

/// A name that a cookie can have.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

async fn assets(cx: Cx) -> Handled {
    let folder = multipart::folder(&cx.caller.app.config);
    Ok(answer(Bundle::of_assets(&cx.caller, &folder).await?))
}

/// The original lets everybody keep a bundle for a year; it is made for one person at one moment.
fn answer(bundle: Bundle) -> Answer {
    let length = bundle.content.length();
    let pieces = stream::unfold(bundle.content.reader(), |mut reader: Reader| async move {
        let mut piece = vec![0; PIECE];
        match reader.read(&mut piece) {
            Ok(0) => None,
            Ok(n) => {
                piece.truncate(n);
                Some((Ok(Bytes::from(piece)), reader))
            }
            Err(error) => Some((Err(error), reader)),
        }
    });
    Answer::streamed("application/zip", pieces)
        .header("content-disposition", format!("attachment; filename={}", bundle.filename))
        .header("content-length", length.to_string())
        .header("cache-control", "no-store")
}
