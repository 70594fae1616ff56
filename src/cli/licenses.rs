//! `liteset licenses`: whose work is in this binary.

use super::ask;
use crate::app::StartError;

/// Options of `licenses`.
#[derive(Debug, clap::Args)]
pub struct Licenses {
    /// A bill of materials for tools instead: CycloneDX, as JSON.
    #[arg(long)]
    cyclonedx: bool,
}

impl Licenses {
    /// Prints them.
    pub fn run(self) -> Result<(), StartError> {
        if self.cyclonedx {
            return ask::say(&(::assets::bill_of_materials() + "\n"));
        }
        let own = "liteset: Apache-2.0. It contains the frontend of Apache Superset 6.0.0 (Apache-2.0), unmodified, \
                   whose parts are named in /static/assets/*.LICENSE.txt, and static files of Flask-AppBuilder \
                   (BSD-3-Clause).\n\n";
        ask::say(&(own.to_owned() + &::assets::licenses()))
    }
}
