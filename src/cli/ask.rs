//! What a verb asks the person at the terminal (`click.prompt`, `click.confirm`). Where nobody sits there, answers are
//! lines of standard input, and are printed behind their questions, unless they are secret.

use std::io::{self, IsTerminal as _, Write as _};

use crate::app::StartError;

/// Nobody answers: `Aborted!`.
#[derive(Debug, thiserror::Error)]
#[error("Aborted!")]
pub struct Aborted;

/// What went wrong was said already.
#[derive(Debug, thiserror::Error)]
#[error("")]
pub struct Told;

/// Writes to standard output.
pub fn say(text: &str) -> Result<(), StartError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // who reads has seen enough
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes to standard error, past the log.
pub fn complain(text: &str) -> Result<(), StartError> {
    Ok(io::stderr().lock().write_all(text.as_bytes())?)
}

/// A line of standard input; `None` at its end.
fn line() -> Result<Option<String>, StartError> {
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The value that was given, or an answer. Without an answer the proposal is taken; a question without one is asked
/// again.
pub fn text(given: Option<String>, question: &str, proposal: Option<&str>) -> Result<String, StartError> {
    if let Some(given) = given {
        return Ok(given);
    }
    let shown = proposal.map_or_else(|| format!("{question}: "), |p| format!("{question} [{p}]: "));
    loop {
        say(&shown)?;
        let answer = line()?;
        if !io::stdin().is_terminal() {
            say(&format!("{}\n", answer.as_deref().unwrap_or_default()))?;
        }
        match (answer, proposal) {
            (Some(answer), _) if !answer.is_empty() => return Ok(answer),
            // who gives nothing to read from wants no questions
            (_, Some(proposal)) => return Ok(proposal.to_owned()),
            (Some(_), None) => {}
            (None, None) => return Err(Aborted.into()),
        }
    }
}

/// The password that was given, or one that is typed twice and not shown. Who pipes it in need not say it twice.
pub fn new_password(given: Option<String>) -> Result<String, StartError> {
    if let Some(given) = given {
        return Ok(given);
    }
    loop {
        let first = hidden("Password: ")?.ok_or(Aborted)?;
        if first.is_empty() {
            continue;
        }
        match hidden("Repeat for confirmation: ")? {
            Some(second) if second == first => return Ok(first),
            None if !io::stdin().is_terminal() => return Ok(first),
            None => return Err(Aborted.into()),
            Some(_) => say("Error: The two entered values do not match.\n")?,
        }
    }
}

/// A line that is not shown while it is typed.
pub fn hidden(question: &str) -> Result<Option<String>, StartError> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        say(&format!("{question}\n"))?;
        let answer = line()?;
        if answer.is_none() {
            say("\n")?;
        }
        return Ok(answer);
    }
    match rpassword::prompt_password(question) {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Yes or no; who does not answer says no.
pub fn confirm(question: &str) -> Result<bool, StartError> {
    say(&format!("{question} [y/N]: "))?;
    let answer = line()?.ok_or(Aborted)?;
    if !io::stdin().is_terminal() {
        say(&format!("{answer}\n"))?;
    }
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
