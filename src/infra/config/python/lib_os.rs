//! `os`, `sys`, `pathlib`, files: what is there may be read, nothing is written.

use std::{
    io::Read,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use ruff_text_size::TextSize;

use super::{
    error::{Done, Fault, Problem, error, raise},
    interp::Interp,
    value::{Arguments, Value},
};

/// No file of a configuration is larger.
const MAX_FILE: u64 = 32 << 20;

pub(super) fn constant(interp: &Interp<'_>, name: &str) -> Option<Value> {
    Some(match name {
        "os.environ" => Value::Environ,
        "os.sep" | "os.path.sep" => Value::text("/"),
        "os.pathsep" => Value::text(":"),
        "os.linesep" => Value::text("\n"),
        "os.name" => Value::text("posix"),
        "os.curdir" => Value::text("."),
        "sys.path" => interp.world.path.clone(),
        "sys.argv" => Value::list(vec![Value::text("superset")]),
        "sys.platform" => Value::text("linux"),
        "sys.executable" => Value::text("/usr/bin/python3"),
        "sys.maxsize" => Value::Int(i128::from(i64::MAX)),
        "sys.version" => Value::text("3.11.0"),
        "sys.version_info" => Value::Tuple([3, 11, 0].map(Value::Int).to_vec().into()),
        "sys.modules" => Value::dict([
            (Value::text(&interp.frame.globals().name), Value::Module(interp.frame.globals())),
            (Value::text("superset_config"), Value::Module(interp.frame.globals())),
        ]),
        "os.R_OK" => Value::Int(4),
        "os.F_OK" => Value::Int(0),
        _ => return None,
    })
}

/// A path as a text or as a `Path`.
fn path_of(value: Option<&Value>) -> Option<PathBuf> {
    match value? {
        Value::Str(s) => Some(PathBuf::from(&**s)),
        Value::Path(p) => Some(p.to_path_buf()),
        Value::Bytes(b) => Some(PathBuf::from(String::from_utf8_lossy(b).into_owned())),
        _ => None,
    }
}

fn text(path: impl AsRef<Path>) -> Value {
    Value::text(path.as_ref().to_string_lossy())
}

/// `os.path.normpath`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            other => out.push(other),
        }
    }
    if out.as_os_str().is_empty() { ".".into() } else { out }
}

fn absolute(path: &Path) -> PathBuf {
    normal(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
}

fn expand_user(interp: &Interp<'_>, path: &str) -> String {
    let home = interp.world.environment.lock().get("HOME").cloned();
    match (path.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
        _ => path.to_owned(),
    }
}

/// `$NAME` and `${NAME}` of the environment; a name that is not there stays.
fn expand_vars(interp: &Interp<'_>, text: &str) -> String {
    let environment = interp.world.environment.lock();
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, end) = match after.strip_prefix('{').and_then(|a| a.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        match environment.get(name) {
            Some(value) => out.push_str(value),
            None => out.push_str(&rest[at..at + 1 + end]),
        }
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

/// An error of the operating system with its Python name; the path is shown, it is no secret.
fn refused(interp: &Interp<'_>, path: &Path, reason: &std::io::Error, at: TextSize) -> Fault {
    let kind = match reason.kind() {
        std::io::ErrorKind::NotFound => "FileNotFoundError",
        std::io::ErrorKind::PermissionDenied => "PermissionError",
        std::io::ErrorKind::IsADirectory => "IsADirectoryError",
        std::io::ErrorKind::NotADirectory => "NotADirectoryError",
        _ => "OSError",
    };
    let shown = path.display().to_string();
    raise(error(kind, vec![Value::text(&shown)], Some(shown)), interp.frame.source, at)
}

fn read(interp: &mut Interp<'_>, path: &Path, at: TextSize) -> Done<Vec<u8>> {
    let mut bytes = Vec::new();
    // a device or a pipe may never end
    let is_plain = std::fs::metadata(path).map_err(|e| refused(interp, path, &e, at))?.is_file();
    if !is_plain {
        let kind = if path.is_dir() { std::io::ErrorKind::IsADirectory } else { std::io::ErrorKind::Other };
        return Err(refused(interp, path, &kind.into(), at));
    }
    let file = std::fs::File::open(path).map_err(|e| refused(interp, path, &e, at))?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|e| refused(interp, path, &e, at))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(interp.stop("it reads a file that is too large", at));
    }
    interp.spend(bytes.len(), at)?;
    Ok(bytes)
}

fn read_text(interp: &mut Interp<'_>, path: &Path, at: TextSize) -> Done<Value> {
    let bytes = read(interp, path, at)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Value::text(text.replace("\r\n", "\n"))),
        Err(_) => interp.raise(Problem::safe("UnicodeDecodeError", "the file is not UTF-8"), at),
    }
}

/// `open(path)`, for reading.
pub(super) fn open(interp: &mut Interp<'_>, arguments: &Arguments, at: TextSize) -> Done<Value> {
    let mode = arguments.text(1, "mode").unwrap_or_else(|| "r".into());
    let Some(path) = path_of(arguments.get(0, "file")) else {
        return interp.raise(Problem::kind("open() needs a path"), at);
    };
    if mode.contains(['w', 'a', 'x', '+']) {
        return interp.unknown("open(…) for writing", at);
    }
    let bytes = read(interp, &path, at)?;
    Ok(Value::File(Arc::new(Mutex::new(bytes)), path.into(), mode.contains('b')))
}

/// The lines that are left of a file.
pub(super) fn lines(file: &Value) -> Vec<Value> {
    let Value::File(rest, _, is_binary) = file else { return Vec::new() };
    let bytes = std::mem::take(&mut *rest.lock());
    bytes.split_inclusive(|b| *b == b'\n').map(|line| piece(line, *is_binary)).collect()
}

fn piece(bytes: &[u8], is_binary: bool) -> Value {
    if is_binary {
        Value::Bytes(bytes.into())
    } else {
        Value::text(String::from_utf8_lossy(bytes).replace("\r\n", "\n"))
    }
}

pub(super) fn call(
    interp: &mut Interp<'_>,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let args = &arguments.positional[..];
    let first = || path_of(args.first());
    let environment = |key: &str| interp.world.environment.lock().get(key).cloned();
    Some(Ok(match name {
        "os.getenv" => {
            let key = arguments.text(0, "key")?;
            let found = environment(&key).map(Value::text);
            found.unwrap_or_else(|| arguments.get(1, "default").cloned().unwrap_or(Value::None))
        }
        "os.putenv" => {
            return Some(
                interp
                    .set_item(&Value::Environ, args.first()?.clone(), args.get(1)?.clone(), at)
                    .map(|()| Value::None),
            );
        }
        "os.path.join" | "posixpath.join" => {
            let mut path = PathBuf::new();
            for arg in args {
                path.push(path_of(Some(arg))?);
            }
            text(path)
        }
        "os.path.exists" | "os.path.lexists" => Value::Bool(first()?.exists()),
        "os.path.isfile" => Value::Bool(first()?.is_file()),
        "os.path.isdir" => Value::Bool(first()?.is_dir()),
        "os.path.islink" => Value::Bool(first()?.is_symlink()),
        "os.path.isabs" => Value::Bool(first()?.is_absolute()),
        "os.path.dirname" => text(first()?.parent().unwrap_or(Path::new(""))),
        "os.path.basename" => {
            let path = first()?.to_string_lossy().into_owned();
            Value::text(path.rsplit('/').next().unwrap_or_default())
        }
        "os.path.abspath" => text(absolute(&first()?)),
        "os.path.normpath" => text(normal(&first()?)),
        "os.path.realpath" => {
            let path = first()?;
            text(std::fs::canonicalize(&path).unwrap_or_else(|_| absolute(&path)))
        }
        "os.path.expanduser" => Value::text(expand_user(interp, &first()?.to_string_lossy())),
        "os.path.expandvars" => Value::text(expand_vars(interp, &first()?.to_string_lossy())),
        "os.path.split" => {
            let path = first()?;
            Value::Tuple(
                vec![
                    text(path.parent().unwrap_or(Path::new(""))),
                    text(path.file_name().unwrap_or_default()),
                ]
                .into(),
            )
        }
        "os.path.splitext" => {
            let path = first()?.to_string_lossy().into_owned();
            let start = path.rfind('/').map_or(0, |i| i + 1);
            let dot = path.rfind('.').filter(|i| *i > start).unwrap_or(path.len());
            Value::Tuple(vec![Value::text(&path[..dot]), Value::text(&path[dot..])].into())
        }
        "os.path.getsize" => match std::fs::metadata(first()?) {
            Ok(meta) => Value::Int(i128::from(meta.len())),
            Err(reason) => return Some(Err(refused(interp, &first()?, &reason, at))),
        },
        "os.getcwd" => text(std::env::current_dir().unwrap_or_default()),
        "os.listdir" => {
            let path = first().unwrap_or_else(|| ".".into());
            match std::fs::read_dir(&path) {
                Ok(entries) => {
                    let mut names: Vec<String> = entries
                        .filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()))
                        .collect();
                    names.sort();
                    Value::list(names.into_iter().map(Value::text).collect())
                }
                Err(reason) => return Some(Err(refused(interp, &path, &reason, at))),
            }
        }
        "os.getpid" => Value::Int(i128::from(std::process::id())),
        "os.cpu_count" | "multiprocessing.cpu_count" => {
            Value::Int(std::thread::available_parallelism().map_or(1, |n| n.get() as i128))
        }
        "os.getuid" | "os.geteuid" => Value::Int(i128::from(rustix::process::getuid().as_raw())),
        "os.access" => Value::Bool(first()?.exists()),
        "os.urandom" | "secrets.token_bytes" => {
            let size = args.first().and_then(Value::integer).unwrap_or(32).clamp(0, 65_536);
            Value::Bytes(super::lib_data::random(size as usize).into())
        }
        "os.uname" => Value::record(
            "uname",
            [
                ("nodename", Value::text(host_name())),
                ("sysname", Value::text("Linux")),
                ("machine", Value::text("x86_64")),
            ],
        ),
        "socket.gethostname" | "socket.getfqdn" | "platform.node" => Value::text(host_name()),
        "platform.system" => Value::text("Linux"),
        "platform.python_version" => Value::text("3.11.0"),
        "getpass.getuser" => Value::text(environment("USER").unwrap_or_else(|| "superset".into())),
        "tempfile.gettempdir" => Value::text(environment("TMPDIR").unwrap_or_else(|| "/tmp".into())),
        // what a file would make or change outside of itself is not made
        "os.makedirs" | "os.mkdir" | "os.umask" | "os.chmod" | "os.chown" | "os.nice" => Value::None,
        "sys.exit" | "exit" | "quit" => {
            return Some(Err(raise(error("SystemExit", args.to_vec(), None), interp.frame.source, at)));
        }
        "sys.getrecursionlimit" => Value::Int(1000),
        "sys.stdout.write" | "sys.stderr.write" | "sys.stdout.flush" | "sys.stderr.flush" => Value::None,
        "sys.setrecursionlimit" => Value::None,
        "pathlib.Path" | "pathlib.PurePath" | "pathlib.PosixPath" | "pathlib.PurePosixPath" => {
            let mut path = PathBuf::new();
            for arg in args {
                path.push(path_of(Some(arg))?);
            }
            Value::Path(if path.as_os_str().is_empty() { Path::new(".").into() } else { path.into() })
        }
        "pathlib.Path.home" => Value::Path(PathBuf::from(expand_user(interp, "~")).into()),
        "pathlib.Path.cwd" => Value::Path(std::env::current_dir().unwrap_or_default().into()),
        "glob.glob" => {
            let pattern = arguments.text(0, "pathname")?;
            return Some(
                glob(interp, Path::new(""), &pattern, at)
                    .map(|found| Value::list(found.into_iter().map(text).collect())),
            );
        }
        "dotenv.load_dotenv" | "dotenv.main.load_dotenv" => return Some(load_dotenv(interp, arguments, at)),
        "dotenv.find_dotenv" | "dotenv.dotenv_values" => return None,
        _ => return None,
    }))
}

/// Files of one folder whose names match: `*`, `?`.
fn glob(interp: &mut Interp<'_>, folder: &Path, pattern: &str, at: TextSize) -> Done<Vec<PathBuf>> {
    let whole = folder.join(pattern);
    let (parent, name) = (whole.parent().unwrap_or(Path::new("")), whole.file_name().unwrap_or_default());
    if parent.to_string_lossy().contains(['*', '?', '[']) || name.to_string_lossy().contains("**") {
        interp.unknown("a pattern over several folders", at)?;
        return Err(Fault::Unclear(
            "a pattern over several folders".into(),
            super::frame::Place { source: interp.frame.source, at },
        ));
    }
    let mut expression = String::from("^");
    for c in name.to_string_lossy().chars() {
        match c {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            c => expression.push_str(&regex::escape(&c.to_string())),
        }
    }
    expression.push('$');
    let Ok(regex) = regex::Regex::new(&expression) else { return Ok(Vec::new()) };
    let place = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let mut found: Vec<PathBuf> = std::fs::read_dir(place)
        .into_iter()
        .flatten()
        .filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|n| regex.is_match(n) && (!n.starts_with('.') || name.to_string_lossy().starts_with('.')))
        .map(|n| parent.join(n))
        .collect();
    found.sort();
    interp.steps(found.len(), at)?;
    Ok(found)
}

/// Variables of a `.env` file, as python-dotenv takes them over.
fn load_dotenv(interp: &mut Interp<'_>, arguments: &Arguments, at: TextSize) -> Done<Value> {
    let path = match path_of(arguments.get(0, "dotenv_path")) {
        Some(path) => path,
        None => {
            let folder = interp.frame.globals().source.path.parent().unwrap_or(Path::new("")).to_path_buf();
            match folder.ancestors().map(|f| f.join(".env")).find(|f| f.is_file()) {
                Some(path) => path,
                None => return Ok(Value::Bool(false)),
            }
        }
    };
    if !path.is_file() {
        return Ok(Value::Bool(false));
    }
    let overrides = arguments.named("override").is_some_and(Value::truthy);
    let Value::Str(content) = read_text(interp, &path, at)? else { return Ok(Value::Bool(false)) };
    for line in content.lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else { continue };
        let value = value.trim();
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
            _ => value.split(" #").next().unwrap_or_default().trim_end(),
        };
        let value = expand_vars(interp, value);
        let mut environment = interp.world.environment.lock();
        if overrides || !environment.contains_key(name.trim()) {
            environment.insert(name.trim().to_owned(), value);
        }
    }
    Ok(Value::Bool(true))
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map(|n| n.trim().to_owned()).unwrap_or_default()
}

pub(super) const PATH_METHODS: &[&str] = &[
    "read_text",
    "read_bytes",
    "exists",
    "is_file",
    "is_dir",
    "resolve",
    "absolute",
    "joinpath",
    "with_suffix",
    "with_name",
    "as_posix",
    "expanduser",
    "iterdir",
    "glob",
    "open",
    "mkdir",
    "is_absolute",
    "relative_to",
    "touch",
];

/// Attributes of paths and files.
pub(super) fn member(value: &Value, name: &str) -> Option<Value> {
    let part = |p: Option<&std::ffi::OsStr>| Value::text(p.unwrap_or_default().to_string_lossy());
    match (value, name) {
        (Value::Path(p), "name") => Some(part(p.file_name())),
        (Value::Path(p), "stem") => Some(part(p.file_stem())),
        (Value::Path(p), "suffix") => {
            Some(Value::text(p.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default()))
        }
        (Value::Path(p), "parent") => {
            let parent = p.parent().unwrap_or(p);
            Some(Value::Path(if parent.as_os_str().is_empty() {
                Path::new(".").into()
            } else {
                parent.into()
            }))
        }
        (Value::Path(p), "parents") => {
            Some(Value::Tuple(p.ancestors().skip(1).map(|a| Value::Path(a.into())).collect()))
        }
        (Value::Path(p), "parts") => {
            Some(Value::Tuple(p.components().map(|c| part(Some(c.as_os_str()))).collect()))
        }
        (Value::File(_, path, _), "name") => Some(text(path)),
        (Value::File(..), "closed") => Some(Value::Bool(false)),
        _ => None,
    }
}

/// Methods of paths and files.
pub(super) fn method(
    interp: &mut Interp<'_>,
    value: &Value,
    name: &str,
    arguments: &Arguments,
    at: TextSize,
) -> Option<Done<Value>> {
    let args = &arguments.positional[..];
    if let Value::File(rest, _, is_binary) = value {
        return Some(Ok(match name {
            "read" => {
                let mut rest = rest.lock();
                let count = args.first().and_then(Value::integer).and_then(|n| usize::try_from(n).ok());
                let count = count.unwrap_or(usize::MAX).min(rest.len());
                let head: Vec<u8> = rest.drain(..count).collect();
                piece(&head, *is_binary)
            }
            "readline" => {
                let mut rest = rest.lock();
                let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |i| i + 1);
                let head: Vec<u8> = rest.drain(..end).collect();
                piece(&head, *is_binary)
            }
            "readlines" => Value::list(lines(value)),
            "__enter__" => value.clone(),
            "close" | "__exit__" => Value::None,
            _ => return None,
        }));
    }
    let Value::Path(path) = value else { return None };
    let made = |p: PathBuf| Value::Path(p.into());
    Some(Ok(match name {
        "read_text" => return Some(read_text(interp, path, at)),
        "read_bytes" => return Some(read(interp, path, at).map(|b| Value::Bytes(b.into()))),
        "open" => {
            let mut all = Arguments { positional: vec![value.clone()], named: arguments.named.clone() };
            all.positional.extend(args.iter().cloned());
            return Some(open(interp, &all, at));
        }
        "exists" => Value::Bool(path.exists()),
        "is_file" => Value::Bool(path.is_file()),
        "is_dir" => Value::Bool(path.is_dir()),
        "is_absolute" => Value::Bool(path.is_absolute()),
        "resolve" => made(std::fs::canonicalize(path).unwrap_or_else(|_| absolute(path))),
        "absolute" => made(absolute(path)),
        "expanduser" => made(expand_user(interp, &path.to_string_lossy()).into()),
        "as_posix" | "__str__" | "__fspath__" => text(path),
        "joinpath" => {
            let mut all = path.to_path_buf();
            for arg in args {
                all.push(path_of(Some(arg))?);
            }
            made(all)
        }
        "with_name" => made(path.with_file_name(args.first()?.to_text())),
        "with_suffix" => made(path.with_extension(args.first()?.to_text().trim_start_matches('.'))),
        "relative_to" => match path.strip_prefix(path_of(args.first())?) {
            Ok(rest) => made(rest.to_path_buf()),
            Err(_) => return Some(interp.raise(Problem::safe("ValueError", "not below that path"), at)),
        },
        "iterdir" => match glob(interp, path, "*", at) {
            Ok(found) => Value::list(found.into_iter().map(made).collect()),
            Err(fault) => return Some(Err(fault)),
        },
        "glob" => match glob(interp, path, &args.first()?.to_text(), at) {
            Ok(found) => Value::list(found.into_iter().map(made).collect()),
            Err(fault) => return Some(Err(fault)),
        },
        "mkdir" | "touch" | "chmod" => Value::None,
        _ => return None,
    }))
}
