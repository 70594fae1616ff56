//! The everyday Python of configuration files, an idiom each: the text, and what it means.

use std::{collections::HashMap, path::PathBuf};

use serde_json::{Value as Json, json};

use super::*;

const ENVIRONMENT: &[(&str, &str)] = &[
    ("DB_USER", "superset"),
    ("DB_PASS", "p@ss w/rd"),
    ("DB_PORT", "5433"),
    ("ORIGINS", "https://a.example, https://b.example,"),
    ("FLAGS", r#"{"ALERT_REPORTS": true, "N": 3}"#),
    ("ON", "True"),
    ("HOME", "/home/superset"),
    ("B64", "c2VjcmV0"),
    ("MODE", "prod"),
];

/// A folder with the files that idioms read.
fn folder() -> PathBuf {
    static ONCE: std::sync::Once = std::sync::Once::new();
    let folder = std::env::temp_dir().join(format!("liteset-idioms-{}", std::process::id()));
    ONCE.call_once(|| {
        std::fs::create_dir_all(folder.join("conf")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("secret", "from-a-file\n");
        write("flags.json", r#"{"TAGGING_SYSTEM": true}"#);
        write("flags.yaml", "a: 1\nb: [x, y]\n");
        write(".env", "# a comment\nexport DOTENV_KEY=\"from dotenv\"\nMODE=other\n");
        write("superset_config_docker.py", "FEATURE_FLAGS['DOCKER'] = True if False else 1\n");
        write(
            "base_config.py",
            "from datetime import timedelta
ROW_LIMIT = 10
FEATURE_FLAGS = {'A': True}
_HIDDEN = 1
def env(name, default=None):
    import os
    return os.environ.get(name, default)
",
        );
        write("conf/__init__.py", "");
        write("conf/flags.py", "FLAGS = {'NESTED': True}\n");
        write("extra.py", "SQL_MAX_ROW = 7\n");
        write("docker_overrides.py", "SQL_MAX_ROW = 8\n");
    });
    folder
}

fn read_idiom(source: &str) -> PythonConfig {
    let folder = folder();
    let environment: HashMap<String, String> =
        ENVIRONMENT.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let defaults = IndexMap::from([
        ("DEFAULT_FEATURE_FLAGS".to_owned(), json!({"A": true, "B": false})),
        ("CSV_EXTENSIONS".to_owned(), json!(["csv", "tsv"])),
    ]);
    let text = source.replace("FOLDER", folder.to_str().unwrap());
    read(&folder.join("superset_config.py"), &text, &environment, &defaults)
        .unwrap_or_else(|e| panic!("{source}: {e:?}"))
}

/// Each is a text, and the value of the name `X` afterwards.
fn idioms() -> Vec<(&'static str, Json)> {
    let (_, blocks) = include_str!("idioms.txt").split_once("\n\n").unwrap();
    // an idiom may have blank lines; its value ends it
    let ends: Vec<usize> = blocks.match_indices("\n#= ").map(|(at, _)| at).collect();
    let mut from = 0;
    ends.iter()
        .map(|at| {
            let source = &blocks[from..=*at];
            let value = blocks[at + 4..].lines().next().unwrap();
            from = at + 4 + value.len();
            (source, serde_json::from_str(value).unwrap())
        })
        .collect()
}

#[test]
fn every_idiom_means_what_python_means() {
    let mut wrong = Vec::new();
    let all = idioms();
    for (source, want) in &all {
        let config = read_idiom(source);
        let found = config.values.get("X");
        if found != Some(want) || !config.problems.is_empty() {
            wrong.push(format!("{source}\n  -> {found:?}\n  problems {:?}", config.problems));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n\n"));
}

#[test]
fn the_docker_layout_changes_what_the_file_made() {
    let config = read_idiom(
        "import logging
FEATURE_FLAGS = {'ALERT_REPORTS': True}
logger = logging.getLogger()
try:
    import superset_config_docker
    from superset_config_docker import *  # noqa: F403
    logger.info('Loaded')
except ImportError:
    logger.info('Using default Docker config...')
",
    );
    // the other file does not see the names of this one, as in Python: that is an error in it
    let texts: Vec<_> = config.problems.iter().map(|p| p.text.clone()).collect();
    assert!(texts.iter().any(|t| t.contains("NameError: name 'FEATURE_FLAGS' is not defined")), "{texts:?}");
}
