use std::{
    collections::HashMap,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use super::*;

fn home(name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // tests run side by side
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("liteset-config-{}-{n}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn sources(home: &std::path::Path, environment: &[(&str, &str)]) -> Sources {
    Sources {
        home: Some(home.to_owned()),
        environment: environment.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        makes_secrets: true,
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
        "SECRET_KEY = '{KEY}'\nROW_LIMIT = 1\nSQL_MAX_ROW = 1\nAPP_NAME = 'file'\nFEATURE_FLAGS = \
         {{'ALERT_REPORTS': True, 'TAGGING_SYSTEM': True}}\n"
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
        assert!(matches!(error, ConfigError::Refused(_)), "{weak}: {error}");
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
            makes_secrets: true,
            ..Sources::default()
        })
    };
    let loaded = load_text(&format!(
        "from company import make\nSECRET_KEY = '{KEY}'\nLOGGING_CONFIGURATOR = make()\nNOT_A_KEY = 1\n"
    ))
    .unwrap();
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    let error = load_text("from company import make\nSECRET_KEY = make()\n").unwrap_err();
    assert!(matches!(&error, ConfigError::Refused(all) if all[0].contains("line 2: SECRET_KEY")), "{error}");
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

/// Loads a file with the given text, as `--config` does.
fn load_file(name: &str, text: &str, environment: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let home = home(name);
    let file = home.join("superset_config.py");
    std::fs::write(&file, text).unwrap();
    let loaded = load(Sources { file: Some(file), ..sources(&home, environment) });
    assert!(!home.join("secrets.toml").exists() || loaded.is_ok(), "a refused start makes no secrets");
    loaded
}

fn complaints(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    match load_file("complaints", text, environment) {
        Ok(loaded) => panic!("{text}: started with {:?}", loaded.warnings),
        Err(ConfigError::Refused(all)) => all,
        Err(other) => panic!("{text}: {other}"),
    }
}

#[test]
fn a_file_that_was_not_read_starts_no_empty_installation() {
    let lost = [
        ("from base_config import *\n", "base_config is neither beside the file"),
        (
            "with open('/run/secrets/nope') as f:\n    SECRET_KEY = f.read()\n    SQLALCHEMY_DATABASE_URI = 'x'\n",
            "FileNotFoundError: /run/secrets/nope",
        ),
        ("setup_everything()\n", "name 'setup_everything' is not defined"),
        ("import company\ncompany.setup()\n", "installation is started"),
        ("import company\nfor k, v in company.all():\n    globals()[k] = v\n", "could set any key"),
        ("import os\nSQLALCHEMY_DATABASE_URI = os.getenv('NOT_SET')\n", "installation is started"),
        ("import os\nSQLALCHEMY_DATABASE_URI = os.environ['NOT_SET']\n", "NOT_SET is not in the environment"),
        ("while True:\n    pass\n", "not run to its end"),
    ];
    for (text, why) in lost {
        let all = complaints(text, &[]);
        assert!(all.iter().any(|c| c.contains(why)), "{text}: {all:?}");
    }
    // what was skipped or failed when nothing ran is understood now
    let text = format!(
        "for k, v in {{'SECRET_KEY': '{KEY}', 'SQLALCHEMY_DATABASE_URI': 'sqlite:////x.db'}}.items():\n    \
         globals()[k] = v\n"
    );
    assert!(!load_file("globals", &text, &[]).unwrap().own_database);
    assert!(load_file("read", "ROW_LIMIT = 5\n", &[]).unwrap().own_database);
}

#[test]
fn everything_is_told_in_one_start() {
    let text = "SECRET_KEY = 'short'\nAUTH_TYPE = 5\nROW_LIMIT = f()\nSQL_MAX_ROW = 'many'\n\
                def FLASK_APP_MUTATOR(app):\n    pass\nGUEST_TOKEN_JWT_ALGO = 'none'\n";
    let all = complaints(text, &[]);
    let all = all.join("\n");
    for part in
        ["SECRET_KEY is too short", "AUTH_TYPE is 5 (SAML)", "line 3: the file ends", "line 4: SQL_MAX_ROW"]
    {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(all.contains("line 5: FLASK_APP_MUTATOR") && all.contains("GUEST_TOKEN_JWT_ALGO"), "{all}");
}

#[test]
fn keys_that_restrict_stop_the_start_however_they_are_written() {
    let head = format!("SECRET_KEY = '{KEY}'\nSQLALCHEMY_DATABASE_URI = 'sqlite:////x.db'\n");
    let ways = [
        "def FLASK_APP_MUTATOR(uri, *rest):\n    return uri, rest\n",
        "FLASK_APP_MUTATOR = lambda uri, *rest: uri\n",
        "def f():\n    pass\nFLASK_APP_MUTATOR = f\n",
        "from company import FLASK_APP_MUTATOR\n",
        "from company import unknown\nif unknown():\n    FLASK_APP_MUTATOR = 1\n",
        "FLASK_APP_MUTATOR = 'a.b.c'\n",
        "class FLASK_APP_MUTATOR:\n    pass\n",
    ];
    for way in ways {
        let all = complaints(&format!("{head}{way}"), &[]);
        assert!(all.iter().any(|c| c.contains("FLASK_APP_MUTATOR is set")), "{way}: {all:?}");
        let accepted = [("LITESET_ACCEPT_IGNORED", "A,FLASK_APP_MUTATOR")];
        let loaded = load_file("accepted", &format!("{head}{way}"), &accepted).unwrap();
        assert!(loaded.warnings.iter().any(|w| w.contains("without effect in liteset: FLASK_APP_MUTATOR")));
        let own = format!("{head}{way}LITESET_ACCEPT_IGNORED = ['FLASK_APP_MUTATOR']\n");
        assert!(load_file("own", &own, &[]).is_ok());
    }
    let nothing = "CUSTOM_SECURITY_MANAGER = None\nADDITIONAL_MIDDLEWARE = []\nSESSION_SERVER_SIDE = False\n";
    assert!(load_file("nothing", &format!("{head}{nothing}"), &[]).unwrap().warnings.is_empty());
}

#[test]
fn other_ways_to_log_in_are_refused_by_number_and_name() {
    let head = format!("SECRET_KEY = '{KEY}'\nSQLALCHEMY_DATABASE_URI = 'sqlite:////x.db'\n");
    let import = "from flask_appbuilder.security.manager import *\n";
    for kind in ["0", "4", "5", "6", "AUTH_OAUTH", "None"] {
        let text = format!("{head}{import}AUTH_TYPE = {kind}\n");
        assert!(complaints(&text, &[])[0].contains("AUTH_TYPE"), "{kind}");
        assert!(load_file("auth", &text, &[("LITESET_AUTH_TYPE", "1")]).is_ok());
    }
    assert!(load_file("auth_db", &format!("{head}{import}AUTH_TYPE = AUTH_DB\n"), &[]).is_ok());
}

#[test]
fn keys_of_signing_in_make_sense_together() {
    let head = format!(
        "SECRET_KEY = '{KEY}'\nSQLALCHEMY_DATABASE_URI = 'sqlite:////x.db'\n\
         from flask_appbuilder.security.manager import AUTH_LDAP, AUTH_REMOTE_USER\n"
    );
    let ldap = "AUTH_TYPE = AUTH_LDAP\nAUTH_LDAP_SERVER = 'ldaps://dc.example.org'\n";
    for (name, good) in [
        ("ldap", ldap.to_owned()),
        ("format", format!("{ldap}AUTH_LDAP_USERNAME_FORMAT = 'uid=%s,ou=people'\n")),
        ("role", format!("{ldap}AUTH_USER_REGISTRATION_ROLE_JMESPATH = \"a && 'Alpha'\"\n")),
        (
            "remote",
            "AUTH_TYPE = AUTH_REMOTE_USER\nAUTH_REMOTE_USER_TRUSTED_PROXIES = ['10.0.0.0/8']\n".to_owned(),
        ),
    ] {
        let loaded = load_file(name, &format!("{head}{good}"), &[]);
        assert_eq!(loaded.map(|l| l.warnings).map_err(|e| e.to_string()), Ok(vec![]), "{name}");
    }
    let oidc = "OIDC_ISSUER = 'https://id'\nOIDC_CLIENT_ID = 'c'\n";
    let loaded =
        load_file("oidc", &format!("{head}{oidc}"), &[("LITESET_OIDC_CLIENT_SECRET", "12345")]).unwrap();
    assert_eq!((loaded.config.int("AUTH_TYPE"), loaded.config.str("OIDC_CLIENT_SECRET")), (Some(4), "12345"));
    assert!(
        loaded.config.bool("AUTH_USER_REGISTRATION") && loaded.warnings.is_empty(),
        "{:?}",
        loaded.warnings
    );
    for (bad, word) in [
        (format!("{oidc}AUTH_TYPE = 1\n"), "nobody would be sent there"),
        ("AUTH_TYPE = 4\nOAUTH_PROVIDERS = [{'name': 'x'}]\n".to_owned(), "remote_app"),
        ("AUTH_TYPE = AUTH_LDAP\n".to_owned(), "AUTH_LDAP_SERVER is not set"),
        (format!("{ldap}AUTH_LDAP_SERVER = 'dc.example.org'\n"), "is no address"),
        (format!("{ldap}AUTH_LDAP_USERNAME_FORMAT = 'uid=alice'\n"), "one %s"),
        (format!("{ldap}AUTH_LDAP_TLS_CERTFILE = '/x.pem'\n"), "without AUTH_LDAP_TLS_KEYFILE"),
        (format!("{ldap}AUTH_LDAP_USE_TLS = 'False'\n"), "neither True nor False"),
        (format!("{ldap}AUTH_ROLES_MAPPING = {{'a': 'Admin'}}\n"), "AUTH_ROLES_MAPPING"),
        (format!("{ldap}AUTH_USER_REGISTRATION_ROLE_JMESPATH = 'a ||'\n"), "JMESPATH"),
        (
            "AUTH_TYPE = AUTH_REMOTE_USER\nAUTH_REMOTE_USER_TRUSTED_PROXIES = ['proxy']\n".to_owned(),
            "TRUSTED",
        ),
    ] {
        let said = complaints(&format!("{head}{bad}"), &[]);
        assert!(said.iter().any(|c| c.contains(word)), "{bad}: {said:?}");
    }
}

#[test]
fn idle_keys_are_told_in_one_line_and_helpers_not_at_all() {
    let text = format!(
        "import os\nfrom company import make\nDATABASE_HOST = os.getenv('H', 'h')\nSECRET_KEY = '{KEY}'\n\
         SQLALCHEMY_DATABASE_URI = f'postgresql://u@{{DATABASE_HOST}}/d'\nROBOT_PERMISSION_ROLES = ['X']\n\
         LOGGING_CONFIGURATOR = make()\nUPLOAD_FOLDER = '/x'\nTYPO_KEY = 1\nROW_LIMITS = 5\n"
    );
    let warnings = load_file("idle", &text, &[]).unwrap().warnings;
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    let has = |part: &str| warnings.iter().any(|w| w.contains(part));
    assert!(has("ROBOT_PERMISSION_ROLES (Superset 6.0.0 does nothing with it either)"), "{warnings:?}");
    assert!(has("LOGGING_CONFIGURATOR (lines are JSON; LOG_LEVEL"), "{warnings:?}");
    assert!(has("ignored: TYPO_KEY"), "{warnings:?}");
    assert!(
        has("line 10: ROW_LIMITS is not a key of Superset 6.0.0 or liteset: did you mean ROW_LIMIT?"),
        "{warnings:?}"
    );
}

#[test]
fn values_say_where_they_come_from() {
    let text = format!(
        "SECRET_KEY = '{KEY}'\nSQLALCHEMY_DATABASE_URI = 'sqlite:////x.db'\nROW_LIMIT = 1\nSQL_MAX_ROW = 2\n"
    );
    let config = load_file("origins", &text, &[("LITESET_SQL_MAX_ROW", "3")]).unwrap().config;
    assert!(config.origin("ROW_LIMIT").ends_with("superset_config.py, line 3"));
    assert_eq!(config.origin("SQL_MAX_ROW"), "the environment, LITESET_SQL_MAX_ROW");
    assert_eq!(config.origin("APP_NAME"), "the defaults of Superset 6.0.0");
    assert!(Config::meaning("BLUEPRINTS").starts_with("stops the start"));
    assert!(Config::meaning("COMPRESS_LEVEL").starts_with("without effect: answers"));
    assert_eq!(Config::meaning("NOPE"), "not a key of Superset 6.0.0 or liteset");
}

#[test]
fn a_configuration_on_pythonpath_is_found_as_superset_finds_it() {
    let home = home("pythonpath");
    let text = format!("SECRET_KEY = '{KEY}'\nSQLALCHEMY_DATABASE_URI = 'sqlite:////there.db'\n");
    std::fs::write(home.join("superset_config.py"), text).unwrap();
    let path = home.to_str().unwrap();
    let loaded = load(sources(&home.join("data"), &[("PYTHONPATH", path)])).unwrap();
    assert!(!loaded.own_database);
    assert_eq!(loaded.config.str("SQLALCHEMY_DATABASE_URI"), "sqlite:////there.db");
}
