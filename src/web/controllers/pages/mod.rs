//! Every rule that answers with a page of the single-page application (`superset.views`).

pub(super) mod classic;
mod dashboard;
mod explore;
mod explore_save;
mod language;
mod login;
mod model_view;
mod plain;
mod unlinked;
mod welcome;

use crate::routes::Rule;

/// Rules of these files.
pub fn rules() -> Vec<Rule> {
    [
        plain::rules(),
        login::rules(),
        welcome::rules(),
        dashboard::rules(),
        explore::rules(),
        language::rules(),
        model_view::rules(),
        unlinked::rules(),
    ]
    .concat()
}
