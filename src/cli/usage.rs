//! A command line that cannot be understood, in the words of click (`click.exceptions`), and the spellings that click
//! understands beside: Superset turns `_` into `-` in names of verbs and options (`superset.cli.main:normalize_token`).

use std::{ffi::OsString, path::Path};

use clap::{
    Arg, ArgAction, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// The arguments with every name as it is declared here.
pub fn normalised(root: &Command, arguments: Vec<OsString>) -> Vec<OsString> {
    let mut command = root;
    let mut verbs = true;
    let spelt = |(n, argument): (usize, OsString)| {
        let Some(text) = argument.to_str().filter(|_| n > 0) else { return argument };
        if let Some(option) = text.strip_prefix("--") {
            let (name, value) = option.split_once('=').map_or((option, None), |(n, v)| (n, Some(v)));
            let dashed = |name: &str| name.replace('_', "-");
            let declared = command.get_arguments().filter_map(|argument| argument.get_long());
            let name = declared.into_iter().find(|long| dashed(long) == dashed(name)).unwrap_or(name);
            return value.map_or_else(|| format!("--{name}"), |v| format!("--{name}={v}")).into();
        }
        // the one long option of Flask-AppBuilder with a single dash
        if text == "-path" {
            return "--path".into();
        }
        if verbs {
            let name = text.replace('_', "-");
            match command.find_subcommand(&name) {
                Some(next) => {
                    command = next;
                    return name.into();
                }
                None => verbs = false,
            }
        }
        argument
    };
    arguments.into_iter().enumerate().map(spelt).collect()
}

/// The name that the program was called by.
pub fn program(arguments: &[OsString]) -> String {
    let name = arguments.first().and_then(|first| Path::new(first).file_name());
    name.and_then(|name| name.to_str()).unwrap_or("liteset").to_owned()
}

/// What is printed to standard error.
pub fn refusal(root: &Command, arguments: &[OsString], error: &clap::Error) -> String {
    let (command, path) = deepest(root, arguments);
    let called = std::iter::once(program(arguments)).chain(path).collect::<Vec<_>>().join(" ");
    let usage = if command.has_subcommands() {
        "[OPTIONS] COMMAND [ARGS]...".to_owned()
    } else {
        let positional = command.get_positionals().map(|arg| {
            let name = metavar(arg);
            if arg.is_required_set() { name } else { format!("[{name}]") }
        });
        std::iter::once("[OPTIONS]".to_owned()).chain(positional).collect::<Vec<_>>().join(" ")
    };
    format!(
        "Usage: {called} {usage}\nTry '{called} --help' for help.\n\nError: {}\n",
        sentence(command, error)
    )
}

/// The verb that the arguments lead to, and its name in parts.
fn deepest<'a>(root: &'a Command, arguments: &[OsString]) -> (&'a Command, Vec<String>) {
    let (mut command, mut path) = (root, Vec::new());
    for argument in arguments.iter().skip(1).filter_map(|a| a.to_str()) {
        match command.find_subcommand(argument) {
            Some(next) => {
                command = next;
                path.push(argument.to_owned());
            }
            None => break,
        }
    }
    (command, path)
}

fn metavar(argument: &Arg) -> String {
    argument.get_id().as_str().to_uppercase()
}

fn sentence(command: &Command, error: &clap::Error) -> String {
    let context = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let named = |text: &str| find(command, text);
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("No such command '{}'.", context(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::UnknownArgument => match context(ContextKind::InvalidArg) {
            Some(option) if option.starts_with('-') => {
                format!("No such option: {}", option.split('=').next().unwrap_or_default())
            }
            Some(other) if command.has_subcommands() => format!("No such command '{other}'."),
            other => format!("Got unexpected extra argument ({})", other.unwrap_or_default()),
        },
        ErrorKind::MissingRequiredArgument => {
            let text = context(ContextKind::InvalidArg).unwrap_or_default();
            // a group of options of which one is needed is written as `<--one <ONE>|--two <TWO>>`
            let several: Vec<&str> = text.split('|').collect();
            match (named(&text), &several[..]) {
                (_, [_, _, ..]) => {
                    let lines =
                        several.iter().filter_map(|one| Some(format!("\n  {}", spellings(named(one)?))));
                    let head = "At least one of the following options from the option group is required:";
                    lines.fold(head.to_owned(), |all, line| all + &line)
                }
                (Some(argument), _) if argument.is_positional() => {
                    format!("Missing argument '{}'.", metavar(argument))
                }
                (Some(argument), _) => format!("Missing option {}.", spellings(argument)),
                (None, _) => format!("Missing option '{text}'."),
            }
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let text = context(ContextKind::InvalidArg).unwrap_or_default();
            let value = context(ContextKind::InvalidValue).unwrap_or_default();
            let argument = named(&text);
            let spelt = argument.map_or_else(|| format!("'{text}'"), spellings);
            let takes_values =
                argument.is_some_and(|a| matches!(a.get_action(), ArgAction::Set | ArgAction::Append));
            if value.is_empty() && takes_values {
                return format!("Option {spelt} requires an argument.");
            }
            format!("Invalid value for {spelt}: '{value}' is not valid.")
        }
        _ => first_line(error),
    }
}

/// `'--path' / '-p'`.
fn spellings(argument: &Arg) -> String {
    let long = argument.get_long().map(|name| format!("'--{name}'"));
    let short = argument.get_short().map(|name| format!("'-{name}'"));
    long.into_iter().chain(short).collect::<Vec<_>>().join(" / ")
}

/// The argument that clap names as `--path <PATH>` or `<PATH>`.
fn find<'a>(command: &'a Command, text: &str) -> Option<&'a Arg> {
    let text = text.trim_start_matches('<').trim_start_matches('[');
    let word = text.split([' ', '>', ']', '=']).next().unwrap_or_default();
    command.get_arguments().find(|argument| {
        let long = argument.get_long().is_some_and(|name| word == format!("--{name}"));
        let short = argument.get_short().is_some_and(|name| word == format!("-{name}"));
        let names = argument.get_value_names().unwrap_or_default();
        long || short || argument.is_positional() && names.iter().any(|name| *name == word)
    })
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
