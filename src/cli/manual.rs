//! `liteset completions` and `liteset man`: what is made from the description of the command line.

use std::io::Write as _;

use clap::Command;
use clap_complete::Shell;

use crate::app::StartError;

/// Options of `completions`.
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub fn run(self, mut command: Command) -> Result<(), StartError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "liteset", &mut script);
        Ok(std::io::stdout().write_all(&script)?)
    }
}

/// Options of `man`.
#[derive(Debug, clap::Args)]
pub struct Man {
    /// The page of a verb [default: the page of all].
    verb: Vec<String>,
}

impl Man {
    /// Prints the page.
    pub fn run(self, mut command: Command) -> Result<(), StartError> {
        command.build();
        let mut found = &command;
        for name in &self.verb {
            found = found.find_subcommand(name).ok_or_else(|| format!("there is no verb {name}"))?;
        }
        let name = std::iter::once("liteset").chain(self.verb.iter().map(String::as_str));
        let name = name.collect::<Vec<_>>().join("-");
        let mut page = Vec::new();
        clap_mangen::Man::new(found.clone()).title(name).render(&mut page)?;
        Ok(std::io::stdout().write_all(&page)?)
    }
}
