//! Exceptions, and the other reasons for which an evaluation ends.

use std::sync::Arc;

use ruff_text_size::TextSize;

use super::{
    frame::{Place, Source},
    value::{Arguments, ErrorValue, Value},
};

/// Why an expression has no value or a statement did not end.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// A Python exception.
    Raise(Box<Raised>),
    /// While a file is read: what happens next depends on something that liteset cannot have.
    Unclear(Arc<str>, Place),
    /// No `except` catches it: a limit, or something that liteset does not have where it is needed.
    Stop(Box<Stop>),
}

#[derive(Debug, Clone)]
pub(super) struct Raised {
    pub error: Value,
    pub place: Place,
}

#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub text: String,
    pub place: Place,
}

pub(super) type Done<T> = Result<T, Fault>;

/// An exception without its place, from functions that know none.
#[derive(Debug)]
pub(super) struct Problem {
    pub kind: &'static str,
    pub message: String,
    /// The message holds no value of the file.
    pub is_safe: bool,
}

impl Problem {
    /// An exception whose message may be shown.
    pub fn safe(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), is_safe: true }
    }
    /// An exception whose message has values in it.
    pub fn hidden(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), is_safe: false }
    }
    pub fn kind(message: impl Into<String>) -> Self {
        Self::safe("TypeError", message)
    }
    pub fn at(self, source: &'static Source, at: TextSize) -> Fault {
        let shown = self.is_safe.then(|| self.message.clone());
        raise(error(self.kind, vec![Value::text(self.message)], shown), source, at)
    }
}

/// An exception of Python's own.
pub(super) fn error(kind: &str, arguments: Vec<Value>, shown: Option<String>) -> Value {
    Value::Error(Arc::new(ErrorValue { kind: kind.into(), arguments, shown }))
}

pub(super) fn raise(error: Value, source: &'static Source, at: TextSize) -> Fault {
    Fault::Raise(Box::new(Raised { error, place: Place { source, at } }))
}

pub(super) fn stop(text: impl Into<String>, source: &'static Source, at: TextSize) -> Fault {
    Fault::Stop(Box::new(Stop { text: text.into(), place: Place { source, at } }))
}

impl Raised {
    /// The exception's kind, with its message if that holds no value of the file.
    pub fn shown(&self) -> String {
        match &self.error {
            Value::Error(e) => match &e.shown {
                Some(message) if !message.is_empty() => format!("{}: {message}", e.kind),
                _ => e.kind.to_string(),
            },
            other => other.type_name().to_owned(),
        }
    }

    /// The message, for who is told anyway: the author of a function that refuses something.
    pub fn message(&self) -> String {
        self.error.to_text()
    }
}

/// Exceptions of Python and what they are kinds of.
const KINDS: &[(&str, &str)] = &[
    ("ArithmeticError", "Exception"),
    ("AssertionError", "Exception"),
    ("AttributeError", "Exception"),
    ("BaseException", ""),
    ("EOFError", "Exception"),
    ("Exception", "BaseException"),
    ("FileExistsError", "OSError"),
    ("FileNotFoundError", "OSError"),
    ("FutureWarning", "Warning"),
    ("DeprecationWarning", "Warning"),
    ("ImportError", "Exception"),
    ("IndexError", "LookupError"),
    ("IsADirectoryError", "OSError"),
    ("JSONDecodeError", "ValueError"),
    ("KeyError", "LookupError"),
    ("KeyboardInterrupt", "BaseException"),
    ("LookupError", "Exception"),
    ("MemoryError", "Exception"),
    ("ModuleNotFoundError", "ImportError"),
    ("NameError", "Exception"),
    ("NotADirectoryError", "OSError"),
    ("NotImplementedError", "RuntimeError"),
    ("OSError", "Exception"),
    ("OverflowError", "ArithmeticError"),
    ("PasswordComplexityValidationError", "Exception"),
    ("PermissionError", "OSError"),
    ("RecursionError", "RuntimeError"),
    ("RuntimeError", "Exception"),
    ("StopIteration", "Exception"),
    ("SyntaxError", "Exception"),
    ("SystemExit", "BaseException"),
    ("TimeoutError", "OSError"),
    ("TypeError", "Exception"),
    ("UnboundLocalError", "NameError"),
    ("UnicodeDecodeError", "ValueError"),
    ("UnicodeEncodeError", "ValueError"),
    ("UnicodeError", "ValueError"),
    ("UserWarning", "Warning"),
    ("RuntimeWarning", "Warning"),
    ("ValueError", "Exception"),
    ("Warning", "Exception"),
    ("ZeroDivisionError", "ArithmeticError"),
];

/// The last part of a dotted name, with the older names of `OSError`.
pub(super) fn plain(name: &str) -> &str {
    match name.rsplit('.').next().unwrap_or(name) {
        "IOError" | "EnvironmentError" | "error" => "OSError",
        other => other,
    }
}

/// An exception that Python has.
pub(super) fn is_builtin(name: &str) -> bool {
    let is_dotted = name.contains('.');
    let name = plain(name);
    KINDS.iter().any(|(kind, _)| *kind == name)
        && (!is_dotted || matches!(name, "JSONDecodeError" | "PasswordComplexityValidationError"))
        || is_dotted && name.ends_with("Error")
}

/// `kind` is `wanted` or a kind of it.
fn is_kind(kind: &str, wanted: &str) -> bool {
    let mut kind = plain(kind);
    let wanted = plain(wanted);
    loop {
        if kind == wanted {
            return true;
        }
        match KINDS.iter().find(|(k, _)| *k == kind) {
            Some((_, above)) if !above.is_empty() => kind = above,
            // an exception of a library
            None if wanted == "Exception" || wanted == "BaseException" => return true,
            _ => return false,
        }
    }
}

/// `isinstance(error, wanted)`, for exceptions; a tuple means any.
pub(super) fn matches(error: &Value, wanted: &Value) -> bool {
    match (error, wanted) {
        (_, Value::Tuple(all)) => all.iter().any(|one| matches(error, one)),
        (Value::Error(e), Value::Known(name)) => is_kind(&e.kind, name),
        (Value::Object(o), wanted) => o.class.line().iter().any(|above| match (above, wanted) {
            (Value::Known(a), Value::Known(b)) => is_kind(a, b),
            (Value::Class(a), Value::Class(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }),
        _ => false,
    }
}

/// `ValueError("…")`.
pub(super) fn make(kind: &str, arguments: Arguments) -> Value {
    error(plain(kind), arguments.positional, None)
}
