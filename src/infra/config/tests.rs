use std::{collections::HashMap, os::unix::fs::PermissionsExt, path::PathBuf};

use super::*;

fn home(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("liteset-config-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn sources(home: &std::path::Path, environment: &[(&str, &str)]) -> Sources {
    Sources {
        home: Some(home.to_owned()),
        environment: environment.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        ..Sources::default()
    }
}

const KEY: &str = "0123456789abcdefghijklmnopqrstuv";

#[test]
fn the_defaults_are_whole_and_hold_no_secret() {
    let defaults = Config::defaults();
    assert!(defaults.len() > 300);
    for key in ["SECRET_KEY", "GUEST_TOKEN_JWT_SECRET", "GLOBAL_ASYNC_QUERIES_JWT_SECRET"] {
        assert!(!defaults.contains_key(key));
    }
}

#[test]
fn first_start_makes_secrets_once_with_mode_0600() {
    let home = home("first");
    let first = load(sources(&home, &[])).unwrap();
    let second = load(sources(&home, &[])).unwrap();
    assert!(first.own_database);
    assert!(first.config.str("SECRET_KEY").len() >= 42);
    assert_eq!(first.config.str("SECRET_KEY"), second.config.str("SECRET_KEY"));
    assert_ne!(first.config.str("SECRET_KEY"), first.config.str("GUEST_TOKEN_JWT_SECRET"));
    let mode = std::fs::metadata(home.join("secrets.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn environment_beats_the_file_and_flags_beat_both() {
    let home = home("order");
    let file = home.join("superset_config.py");
    let text = format!(
        "SECRET_KEY = '{KEY}'\nROW_LIMIT = 1\nSQL_MAX_ROW = 1\nAPP_NAME = 'file'\nFEATURE_FLAGS = {{'ALERT_REPORTS': True, 'TAGGING_SYSTEM': True}}\n"
    );
    std::fs::write(&file, text).unwrap();
    let mut given = sources(
        &home,
        &[
            ("LITESET_ROW_LIMIT", "2"),
            ("LITESET_SQL_MAX_ROW", "2"),
            ("SUPERSET_FEATURE_TAGGING_SYSTEM", "false"),
        ],
    );
    given.file = Some(file);
    given.flags.insert("SQL_MAX_ROW".into(), 3.into());
    let config = load(given).unwrap().config;
    assert_eq!((config.int("ROW_LIMIT"), config.int("SQL_MAX_ROW")), (Some(2), Some(3)));
    assert_eq!(config.str("APP_NAME"), "file");
    assert!(config.flag("ALERT_REPORTS") && !config.flag("TAGGING_SYSTEM") && config.flag("DRILL_BY"));
    assert_eq!(config.str("SECRET_KEY"), KEY);
}

#[test]
fn published_and_short_secrets_are_refused() {
    let home = home("weak");
    for weak in ["CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET", "TEST_NON_DEV_SECRET", "short", &"a".repeat(40)] {
        let error = load(sources(&home, &[("SUPERSET_SECRET_KEY", weak)])).unwrap_err();
        assert!(matches!(error, ConfigError::WeakSecret(_)), "{weak}: {error}");
    }
}

#[test]
fn a_foreign_database_needs_its_own_key() {
    let home = home("foreign");
    let error = load(sources(&home, &[("LITESET_SQLALCHEMY_DATABASE_URI", "sqlite:////x.db")])).unwrap_err();
    assert!(error.to_string().contains("SECRET_KEY is not set"));
    assert!(!home.join("secrets.toml").exists());
}

#[test]
fn unreadable_values_are_fatal_only_for_honoured_keys() {
    let home = home("unreadable");
    let file = home.join("superset_config.py");
    let load_text = |text: &str| {
        std::fs::write(&file, text).unwrap();
        load(Sources {
            file: Some(file.clone()),
            home: Some(home.clone()),
            environment: HashMap::new(),
            ..Sources::default()
        })
    };
    let loaded = load_text(&format!("SECRET_KEY = '{KEY}'\nSTATS_LOGGER = make()\nNOT_A_KEY = 1\n")).unwrap();
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    let error = load_text("SECRET_KEY = make()\n").unwrap_err();
    assert!(matches!(error, ConfigError::Unreadable { line: 1, .. }), "{error}");
    let error = load_text("A = = 1\n").unwrap_err();
    assert!(matches!(error, ConfigError::Syntax { line: 1, .. }), "{error}");
}

#[test]
fn toml_has_the_same_keys() {
    let home = home("toml");
    std::fs::write(home.join("liteset.toml"), "ROW_LIMIT = 7\n[FEATURE_FLAGS]\nALERT_REPORTS = true\n")
        .unwrap();
    let config = load(sources(&home, &[])).unwrap().config;
    assert_eq!(config.int("ROW_LIMIT"), Some(7));
    assert!(config.flag("ALERT_REPORTS"));
}
