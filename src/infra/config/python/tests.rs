use serde_json::json;

use super::*;

fn read_with(source: &str, environment: &[(&str, &str)]) -> PythonConfig {
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let defaults = IndexMap::from([("DEFAULT_FEATURE_FLAGS".to_owned(), json!({"A": true}))]);
    read(source, &environment, &defaults).unwrap()
}

#[test]
fn a_usual_configuration_is_read() {
    let config = read_with(
        r#"
"""docs"""
import os
from datetime import timedelta
from celery.schedules import crontab

user = os.getenv("DB_USER", "superset")
password = os.environ["DB_PASS"]
SQLALCHEMY_DATABASE_URI = f"postgresql://{user}:{password}@{os.environ.get('DB_HOST', 'db')}/superset"
SECRET_KEY = os.environ.get("NOPE") or "x" * 8
ROW_LIMIT = 5 * 1000
RATIO = 1 / 4
FEATURE_FLAGS = {"ALERT_REPORTS": True, **{"B": False}}
FEATURE_FLAGS["C"] = "1" == "1"
FEATURE_FLAGS.update({"D": 1 < 2 <= 2})
BASE = {"CACHE_TYPE": "RedisCache"}
CACHE_CONFIG = BASE | {"CACHE_DEFAULT_TIMEOUT": int(timedelta(days=1).total_seconds())}
CELERY_BEAT = crontab(minute="0", hour="*/2")
EXTENSIONS = {"csv"} | {"tsv"}
if os.getenv("ENV") == "prod":
    TALISMAN_ENABLED = True
elif "DB_PASS" in os.environ:
    TALISMAN_ENABLED = False
else:
    TALISMAN_ENABLED = None
A, B = 1, "two"
LONG = ("a"
        "b")
lower_case = 1
"#,
        &[("DB_PASS", "s3")],
    );
    assert_eq!(config.problems, []);
    let want = json!({
        "SQLALCHEMY_DATABASE_URI": "postgresql://superset:s3@db/superset",
        "SECRET_KEY": "xxxxxxxx", "ROW_LIMIT": 5000, "RATIO": 0.25,
        "FEATURE_FLAGS": {"ALERT_REPORTS": true, "B": false, "C": true, "D": true},
        "BASE": {"CACHE_TYPE": "RedisCache"},
        "CACHE_CONFIG": {"CACHE_TYPE": "RedisCache", "CACHE_DEFAULT_TIMEOUT": 86400},
        "CELERY_BEAT": "0 */2 * * *", "EXTENSIONS": ["csv", "tsv"], "TALISMAN_ENABLED": false,
        "A": 1, "B": "two", "LONG": "ab",
    });
    assert_eq!(serde_json::to_value(&config.values).unwrap(), want);
}

#[test]
fn what_would_have_to_run_is_reported_with_its_line_and_key() {
    let config = read_with(
        "import boto3\nROW_LIMIT = boto3.client('ssm').get()\ndef f(x):\n    return x\nSQL_QUERY_MUTATOR = f\nX = 3\nfor i in []:\n    pass\n",
        &[],
    );
    let found: Vec<_> = config.problems.iter().map(|p| (p.line, p.key.as_deref())).collect();
    assert_eq!(found, [(2, Some("ROW_LIMIT")), (5, Some("SQL_QUERY_MUTATOR")), (7, None)]);
    assert_eq!(config.values.keys().collect::<Vec<_>>(), ["X"]);
}

#[test]
fn an_undecided_condition_makes_its_keys_unknown() {
    let config = read_with(
        "import socket\nif socket.gethostname() == 'a':\n    ROW_LIMIT = 1\nelse:\n    ROW_LIMIT = 2\n",
        &[],
    );
    assert!(config.values.is_empty());
    assert_eq!(config.problems[0].key.as_deref(), Some("ROW_LIMIT"));
}

#[test]
fn defaults_can_be_imported_and_changed() {
    let config = read_with(
        "from superset.config import DEFAULT_FEATURE_FLAGS\nFEATURE_FLAGS = dict(DEFAULT_FEATURE_FLAGS, B=True)\n",
        &[],
    );
    assert_eq!(config.values["FEATURE_FLAGS"], json!({"A": true, "B": true}));
}

#[test]
fn syntax_errors_name_their_line() {
    let error = read("A = 1\nB = = 2\n", &HashMap::new(), &IndexMap::new()).unwrap_err();
    assert_eq!(error.line, 2);
}

#[test]
fn caches_are_told_as_dictionaries() {
    let text = "from cachelib.redis import RedisCache\nfrom flask_caching.backends import FileSystemCache\n\
                RESULTS_BACKEND = RedisCache(host='h', port=6380, key_prefix='superset_results')\n\
                A = FileSystemCache('/tmp/x', default_timeout=5)\n";
    let read = read(text, &HashMap::new(), &IndexMap::new()).unwrap();
    assert_eq!(
        read.values["RESULTS_BACKEND"],
        json!({"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": "h", "CACHE_REDIS_PORT": 6380,
               "CACHE_KEY_PREFIX": "superset_results"})
    );
    assert_eq!(
        read.values["A"],
        json!({"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": "/tmp/x", "CACHE_DEFAULT_TIMEOUT": 5})
    );
}
