//! Runs `superset_config.py`: an interpreter of everyday Python that reaches neither the network nor other programs.
//!
//! Two embedded interpreters were measured first, alone in a program of their own, optimised, on two cores:
//!
//! - monty 0.0.23: 167 crates, 286 s to compile, 8.0 MB of program, and no star imports, no modules of one's own, no
//!   `del`, `match` or `yield`, which configuration files have;
//! - rustpython 0.5 with its library: 288 crates, compiled for 10 to 17 minutes and then failed over the C bindings of
//!   today; 0.6 wants a newer compiler than this house has.
//!
//! Neither bounds what a call uses of this process, nor goes on where something is missing. What is here is small
//! (its parser was there already), knows the modules that configurations use, and does what neither does: a value that
//! liteset cannot have (a client of some library, an object of Flask) is *unknown*, with its cause, and so is what
//! depends on it, so that everything else of the file still counts and the complaint names the cause. While a function
//! of the file is called nothing may be unknown: the call ends.

mod builtins;
mod call;
mod compound;
mod effects;
mod error;
mod eval;
mod format;
mod frame;
mod function;
mod imports;
mod interp;
mod json;
mod lib_data;
mod lib_misc;
mod lib_os;
mod lib_superset;
mod lib_text;
mod lib_time;
mod library;
pub mod manager;
mod message;
mod methods;
mod operate;
mod records;
mod text;
mod text_methods;
mod value;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use indexmap::IndexMap;
use parking_lot::Mutex;
use ruff_python_ast::{Expr, ExprContext, Stmt};
use serde_json::Value as Json;

pub use call::{CallError, Caller, Function, Input};
use effects::{Effects, is_key};
use frame::{Frame, Source};
use interp::{AFTER_ERROR, Interp, OF_A_FILE, World};
use value::Value;

/// What a part of a file that was not understood concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The value of this name.
    Key(String),
    /// Any name could have been set.
    Anything,
    /// The file does not get to its end, where Superset would not start either.
    Failure,
    /// A statement that sets no name, as far as one can see.
    Statement,
}

/// A part of a file that was not understood. Its text holds nothing that stands in quotes in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file: the configuration itself or one that it imports.
    pub file: PathBuf,
    /// Line, counted from 1.
    pub line: usize,
    /// What it concerns.
    pub subject: Subject,
    /// What could not be read.
    pub text: String,
}

/// What a file defines.
#[derive(Debug, Default)]
pub struct PythonConfig {
    /// Upper-case names and their values. What is no data in them is null.
    pub values: IndexMap<String, Json>,
    /// Those that are functions, or hold some.
    pub functions: IndexMap<String, Function>,
    /// What was not understood.
    pub problems: Vec<Problem>,
    /// Names that the file uses itself: variables rather than keys.
    pub used: HashSet<String>,
    /// Where the names got their values.
    pub origins: HashMap<String, (PathBuf, usize)>,
}

/// Keys that are handed to libraries: what is no data in them, a class of one, is left out.
const OF_LIBRARIES: &[&str] = &["CELERY_CONFIG", "SQLALCHEMY_ENGINE_OPTIONS"];

/// The stack of the thread that runs a file: a thousand calls within each other, in a build without optimisation, too.
const STACK: usize = 256 << 20;

/// Runs the text of a file; `environment` answers `os.environ`, `defaults` the names of `superset.config`. Modules
/// that it imports are looked for beside it and on `PYTHONPATH`.
pub fn read(
    path: &Path,
    source: &str,
    environment: &HashMap<String, String>,
    defaults: &IndexMap<String, Json>,
) -> Result<PythonConfig, Problem> {
    let (source, body) = parse(path, source.to_owned())?;
    let beside = path.parent().map(Path::to_path_buf);
    let listed = environment.get("PYTHONPATH").map(|p| std::env::split_paths(p).collect::<Vec<_>>());
    let folders = beside.into_iter().chain(listed.unwrap_or_default());
    let world = Arc::new(World {
        environment: Mutex::new(environment.clone()),
        defaults: defaults.clone(),
        path: Value::list(folders.map(|f| Value::text(f.to_string_lossy())).collect()),
        modules: Mutex::default(),
    });
    let frame = Frame::module(source, "superset_config");
    world.modules.lock().insert(path.to_path_buf(), frame.clone());
    let ran = std::thread::scope(|scope| {
        let run = || {
            let mut interp = Interp::new(&world, frame.clone(), OF_A_FILE, false);
            interp.used.extend(Effects::of(body).mentions);
            // what stopped it is among the notes
            let _ = interp.file(body);
            (interp.notes, interp.used)
        };
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        thread.ok().and_then(|t| t.join().ok())
    });
    let Some((problems, used)) = ran else {
        let text = "the file could not be run".to_owned();
        return Err(Problem { file: path.into(), line: 1, subject: Subject::Failure, text });
    };
    Ok(collect(&world, &frame, problems, used))
}

/// The keys among the names of a file that was run.
fn collect(
    world: &Arc<World>,
    frame: &Arc<Frame>,
    problems: Vec<Problem>,
    used: HashSet<String>,
) -> PythonConfig {
    let mut config = PythonConfig { problems, used, ..PythonConfig::default() };
    let names = frame.names.lock().clone();
    let origins = frame.origins.lock().clone();
    for (name, value) in names.into_iter().filter(|(name, _)| is_key(name)) {
        // a constant or class that was imported and that nothing was made of
        let Some(origin) = origins.get(&name) else { continue };
        config.origins.insert(name.clone(), origin.clone());
        let mut problem = |text: String| {
            let (file, line) = origin.clone();
            config.problems.push(Problem { file, line, subject: Subject::Key(name.clone()), text });
        };
        if name == "CELERY_CONFIG"
            && let Some(data) = value.class_data()
        {
            config.values.insert(name, data);
            continue;
        }
        match value.unknown() {
            Some(why) if why.contains(AFTER_ERROR) => continue,
            Some(_) if OF_LIBRARIES.contains(&name.as_str()) && !matches!(value, Value::Unknown(_)) => {}
            Some(why) => {
                problem(format!("{why} is not there in liteset"));
                continue;
            }
            None => {}
        }
        if value.holds_functions() {
            config.functions.insert(name.clone(), Function::new(world, frame, &name, value.clone()));
        } else if let Some(why) = value.not_data()
            && !OF_LIBRARIES.contains(&name.as_str())
        {
            problem(format!("{why} is not there in liteset"));
            continue;
        }
        config.values.insert(name, value.to_json());
    }
    config.problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    // a module can be imported twice
    config.problems.dedup();
    config
}

/// Parses a file. Its tree is never given back: functions of it are called as long as the process lives.
fn parse(path: &Path, text: String) -> Result<(&'static Source, &'static [Stmt]), Problem> {
    let source: &'static Source = Box::leak(Box::new(Source { path: path.into(), text }));
    let parsed = ruff_python_parser::parse_module(&source.text).map_err(|e| Problem {
        file: path.into(),
        line: source.line(e.location.start()),
        subject: Subject::Statement,
        text: format!("syntax error: {}", e.error),
    })?;
    let body: &'static [Stmt] = Vec::leak(parsed.into_syntax().body.into_iter().collect());
    Ok((source, body))
}

/// The name at the left end of `NAME["a"]["b"]`.
fn root_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(n) if n.ctx != ExprContext::Invalid => Some(n.id.as_str()),
        Expr::Subscript(s) => root_name(&s.value),
        Expr::Attribute(a) => root_name(&a.value),
        Expr::Starred(s) => root_name(&s.value),
        _ => None,
    }
}

#[cfg(test)]
mod idioms;
#[cfg(test)]
mod tests;
