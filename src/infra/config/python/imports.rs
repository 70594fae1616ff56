//! Imports: a file beside the configuration, on `PYTHONPATH` or in a folder of `sys.path` is run by the same
//! interpreter; libraries are names.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ruff_python_ast::{Stmt, StmtImport, StmtImportFrom};
use ruff_text_size::{Ranged, TextSize};

use super::{
    Subject,
    effects::{Effects, is_key},
    error::{Done, Problem},
    frame::{Frame, Source},
    interp::Interp,
    library,
    value::Value,
};

/// Modules that are there wherever Superset is, as far as configurations use them.
const INSTALLED: &[&str] = &[
    "__future__",
    "abc",
    "ast",
    "atexit",
    "base64",
    "binascii",
    "builtins",
    "cachelib",
    "celery",
    "collections",
    "contextlib",
    "copy",
    "cryptography",
    "dataclasses",
    "datetime",
    "dateutil",
    "decimal",
    "distutils",
    "dotenv",
    "email",
    "enum",
    "flask",
    "flask_appbuilder",
    "flask_babel",
    "flask_caching",
    "flask_jwt_extended",
    "flask_login",
    "flask_migrate",
    "flask_session",
    "flask_sqlalchemy",
    "flask_talisman",
    "flask_wtf",
    "functools",
    "getpass",
    "glob",
    "gunicorn",
    "hashlib",
    "hmac",
    "html",
    "http",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "jinja2",
    "jose",
    "json",
    "jwt",
    "limits",
    "logging",
    "math",
    "markupsafe",
    "multiprocessing",
    "numbers",
    "operator",
    "os",
    "pandas",
    "pathlib",
    "pkgutil",
    "platform",
    "posixpath",
    "pytz",
    "queue",
    "random",
    "re",
    "redis",
    "requests",
    "secrets",
    "shlex",
    "shutil",
    "signal",
    "simplejson",
    "socket",
    "sqlalchemy",
    "sqlalchemy_utils",
    "sqlglot",
    "ssl",
    "string",
    "struct",
    "subprocess",
    "superset",
    "sys",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "traceback",
    "types",
    "typing",
    "typing_extensions",
    "unicodedata",
    "urllib",
    "urllib3",
    "uuid",
    "warnings",
    "werkzeug",
    "wtforms",
    "yaml",
    "zoneinfo",
];

/// Modules of Superset whose names are also keys: they are had from its defaults.
const DEFAULTS: &str = "superset.config";

/// How a module that an import names is had.
enum Found {
    /// Run from this file.
    Run(Arc<Frame>),
    /// Part of Superset, Python or their libraries.
    Installed,
    /// It may be there or not.
    Unknown,
}

impl Interp<'_> {
    fn file_of(&self, module: &str, level: u32) -> Option<PathBuf> {
        let from = self.frame.source.path.parent().unwrap_or(Path::new(""));
        let relative: PathBuf = module.split('.').filter(|p| !p.is_empty()).collect();
        let folders: Vec<PathBuf> = match level {
            0 => {
                let path = match &self.world.path {
                    Value::List(all) => all.lock().iter().map(|v| PathBuf::from(v.to_text())).collect(),
                    _ => Vec::new(),
                };
                std::iter::once(from.to_path_buf()).chain(path).collect()
            }
            up => from.ancestors().nth(up as usize - 1).map(Path::to_path_buf).into_iter().collect(),
        };
        let names = if relative.as_os_str().is_empty() {
            [PathBuf::from("__init__.py"), PathBuf::from("__init__.py")]
        } else {
            [relative.with_extension("py"), relative.join("__init__.py")]
        };
        folders.iter().flat_map(|f| names.iter().map(|n| f.join(n))).find(|file| file.is_file())
    }

    fn module(&mut self, module: &str, level: u32, at: TextSize) -> Done<Found> {
        let first = module.split('.').next().unwrap_or_default();
        if level == 0 && INSTALLED.contains(&first) && first != "superset" {
            return Ok(Found::Installed);
        }
        let Some(file) = self.file_of(module, level) else {
            return Ok(if first == "superset" { Found::Installed } else { Found::Unknown });
        };
        let seen = self.world.modules.lock().get(&file).cloned();
        if let Some(frame) = seen {
            return Ok(Found::Run(frame));
        }
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(_) => return self.raise(Problem::safe("ImportError", file.display().to_string()), at),
        };
        let (source, body) = match super::parse(&file, text) {
            Ok(parsed) => parsed,
            Err(problem) => {
                let text = format!("{}, line {}: {}", problem.file.display(), problem.line, problem.text);
                return self.raise(Problem::safe("SyntaxError", text), at);
            }
        };
        let frame = Frame::module(source, module);
        self.world.modules.lock().insert(file.clone(), frame.clone());
        self.used.extend(Effects::of(body).mentions);
        self.deeper(at)?;
        let importer = std::mem::replace(&mut self.frame, frame.clone());
        let done = self.file(body);
        self.frame = importer;
        self.shallower();
        if done.is_err() {
            self.world.modules.lock().remove(&file);
        }
        done.map(|()| Found::Run(frame))
    }

    /// A module of somebody else: it may be installed where Superset runs.
    fn absent(&mut self, module: &str, is_ours: bool, at: TextSize) -> Done<()> {
        if is_ours || self.is_strict {
            let shown = format!("{module} is neither beside the file nor on PYTHONPATH");
            return self.raise(Problem::safe("ModuleNotFoundError", shown), at);
        }
        if let Some(guard) = self.import_guards.last_mut() {
            *guard = true;
        }
        Ok(())
    }

    pub(super) fn import(&mut self, s: &'static StmtImport) -> Done<()> {
        for alias in &s.names {
            let module = alias.name.to_string();
            let first = module.split('.').next().unwrap_or(&module).to_owned();
            let bound = alias.asname.as_ref().map_or(first.as_str(), |name| name.as_str());
            let found = self.module(&module, 0, s.start())?;
            if let Found::Unknown = found {
                self.absent(&module, module.starts_with("superset_config"), s.start())?;
            }
            let value = match (&found, &alias.asname) {
                (Found::Run(frame), Some(_)) => Value::Module(frame.clone()),
                (Found::Run(frame), None) if first == module => Value::Module(frame.clone()),
                // `import folder.file`
                (Found::Run(_), None) => match self.module(&first, 0, s.start())? {
                    Found::Run(frame) => Value::Module(frame),
                    _ => Value::known(&first),
                },
                (_, Some(_)) => Value::known(&module),
                (_, None) => Value::known(&first),
            };
            let owner = self.frame.owner(bound);
            owner.names.lock().insert(bound.to_owned(), value);
        }
        Ok(())
    }

    /// `importlib.import_module(name)`.
    pub(super) fn import_module(&mut self, module: &str, at: TextSize) -> Done<Value> {
        match self.module(module, 0, at)? {
            Found::Run(frame) => Ok(Value::Module(frame)),
            Found::Installed => Ok(Value::known(module)),
            Found::Unknown => {
                self.absent(module, module.starts_with("superset_config"), at)?;
                self.unknown(module, at)
            }
        }
    }

    /// A file in the folder of a module, as an attribute of it.
    pub(super) fn submodule(&mut self, frame: &Arc<Frame>, name: &str, at: TextSize) -> Done<Option<Value>> {
        if frame.source.path.file_name().is_none_or(|n| n != "__init__.py") {
            return Ok(None);
        }
        let importer = std::mem::replace(&mut self.frame, frame.clone());
        let found = self.module(name, 1, at);
        self.frame = importer;
        Ok(match found? {
            Found::Run(frame) => Some(Value::Module(frame)),
            _ => None,
        })
    }

    pub(super) fn import_from(&mut self, s: &'static StmtImportFrom) -> Done<()> {
        let module = s.module.as_ref().map(ToString::to_string).unwrap_or_default();
        let at = s.start();
        let found = self.module(&module, s.level, at)?;
        for alias in &s.names {
            let name = alias.name.as_str();
            let bound = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
            let owner = self.frame.owner(bound);
            match &found {
                Found::Run(frame) if name == "*" => self.import_all(frame),
                Found::Run(frame) => {
                    let own = frame.names.lock().get(name).cloned();
                    let origin = frame.origins.lock().get(name).cloned();
                    let value = match own {
                        Some(value) => value,
                        None => match self.beside(frame, &module, s.level, name, at)? {
                            Some(value) => value,
                            None => {
                                let text = format!("{module} has no name {name}");
                                return self.raise(Problem::safe("ImportError", text), at);
                            }
                        },
                    };
                    self.set_name(&owner, bound, value, at);
                    if let Some(origin) = origin {
                        owner.origins.lock().insert(bound.to_owned(), origin);
                    }
                }
                Found::Installed if name == "*" => self.import_library(&module),
                Found::Installed => {
                    let value = library::constant(self, &module, name);
                    // a constant or class that was imported and that nothing was made of is no key
                    owner.names.lock().insert(bound.to_owned(), value);
                }
                Found::Unknown => {
                    let is_ours = name == "*" || module.starts_with("superset_config") || s.level > 0;
                    self.absent(&module, is_ours, at)?;
                    self.set_name(&owner, bound, Value::known(format!("{module}.{name}")), at);
                }
            }
        }
        Ok(())
    }

    /// A file in the folder that `from folder import file` names.
    fn beside(
        &mut self,
        frame: &Arc<Frame>,
        module: &str,
        level: u32,
        name: &str,
        at: TextSize,
    ) -> Done<Option<Value>> {
        if let Some(found) = self.submodule(frame, name, at)? {
            return Ok(Some(found));
        }
        let full = if module.is_empty() { name.to_owned() } else { format!("{module}.{name}") };
        Ok(match self.module(&full, level, at)? {
            Found::Run(frame) => Some(Value::Module(frame)),
            _ => None,
        })
    }

    /// `from library import *`.
    fn import_library(&mut self, module: &str) {
        let mut names = self.frame.names.lock();
        if module == DEFAULTS {
            for (name, value) in &self.world.defaults {
                names.insert(name.clone(), Value::from_json(value));
            }
            return;
        }
        let known: &[&str] = match module {
            "flask_appbuilder.security.manager" | "flask_appbuilder.const" => {
                &["AUTH_OID", "AUTH_DB", "AUTH_LDAP", "AUTH_REMOTE_USER", "AUTH_OAUTH", "AUTH_SAML"]
            }
            "datetime" => &["datetime", "timedelta", "date", "timezone", "time"],
            "typing" => &["Any", "Callable", "Dict", "List", "Optional", "Union", "Tuple", "Literal", "cast"],
            "os" => &["environ", "getenv", "path", "sep"],
            "os.path" => &["join", "exists", "dirname", "abspath", "isfile", "isdir", "expanduser"],
            "celery.schedules" => &["crontab"],
            "cachelib" => &["RedisCache", "FileSystemCache", "SimpleCache"],
            _ => &[],
        };
        drop(names);
        for name in known {
            let value = library::constant(self, module, name);
            self.frame.names.lock().insert((*name).to_owned(), value);
        }
    }

    /// `from file import *`, as `__all__` or the underscores of its names say.
    fn import_all(&mut self, module: &Arc<Frame>) {
        let names = module.names.lock().clone();
        let origins = module.origins.lock().clone();
        let listed: Option<Vec<String>> = match names.get("__all__") {
            Some(Value::List(all)) => Some(all.lock().iter().map(Value::to_text).collect()),
            Some(Value::Tuple(all)) => Some(all.iter().map(Value::to_text).collect()),
            _ => None,
        };
        let frame = self.frame.clone();
        for (name, value) in names {
            if listed.as_ref().map_or(!name.starts_with('_'), |all| all.contains(&name)) {
                let mut own = frame.origins.lock();
                match origins.get(&name) {
                    Some(origin) => own.insert(name.clone(), origin.clone()),
                    None => own.remove(&name),
                };
                drop(own);
                frame.names.lock().insert(name, value);
            }
        }
    }
}

/// `exec(text)` and `eval(text)`, in the frame that they stand in.
pub(super) fn run_text(
    interp: &mut Interp<'_>,
    code: &Value,
    is_expression: bool,
    at: TextSize,
) -> Done<Value> {
    let Value::Str(text) = code else {
        let why = format!("code of {}", code.what());
        return interp.unknown(&why, at);
    };
    if interp.is_strict {
        // what is parsed stays in memory for ever
        return Err(interp.stop("it runs a text as code", at));
    }
    let (source, body) = match super::parse(&interp.frame.source.path, text.to_string()) {
        Ok(parsed) => parsed,
        Err(problem) => {
            let text = format!("line {} of the text: {}", problem.line, problem.text);
            return interp.raise(Problem::safe("SyntaxError", text), at);
        }
    };
    if is_expression {
        return match body {
            [Stmt::Expr(expression)] => interp.eval(&expression.value),
            _ => interp.raise(Problem::safe("SyntaxError", "not an expression"), at),
        };
    }
    interp.used.extend(Effects::of(body).mentions);
    let own: &'static Source = source;
    for statement in body {
        if let Err(super::error::Fault::Unclear(why, _)) = interp.statement(statement) {
            interp.note(
                at,
                Subject::Anything,
                format!("{why} is not there in liteset; what depends on it could set any key"),
            );
        }
    }
    // what the text set has the place of the call
    let frame = interp.frame.clone();
    let place = (frame.source.path.clone(), frame.source.line(at));
    let mut origins = frame.origins.lock();
    let lines = own.text.matches('\n').count();
    for (name, origin) in origins.iter_mut().filter(|(name, _)| is_key(name)) {
        if origin.1 <= lines + 1 && Effects::of(body).names.iter().any(|(n, _)| n == name) {
            origin.clone_from(&place);
        }
    }
    Ok(Value::None)
}
