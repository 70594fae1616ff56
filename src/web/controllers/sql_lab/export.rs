//! `GET /api/v1/sqllab/export/<client_id>/`.

use commands::sql_lab::export::export;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    Answer, Cx, Handled,
    routes::{Access, Rule, rule},
};

/// What Python's `urllib.parse.quote` leaves alone.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');

pub(super) fn rules() -> Vec<Rule> {
    let access = Access::Protect("can_export_csv", "SQLLab");
    vec![
        rule(&["GET"], "/api/v1/sqllab/export/<client_id>/", access, get)
            .endpoint("SqlLabRestApi.export_csv")
            .computes(),
    ]
}

async fn get(cx: Cx) -> Handled {
    let export = export(&cx.caller, cx.req.param("client_id")).await?;
    let name = utf8_percent_encode(&export.filename, QUOTED).to_string();
    Ok(Answer::streamed("text/csv; charset=utf-8", export.into_stream())
        .header("content-disposition", format!("attachment; filename={name}")))
}
