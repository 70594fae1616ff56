//! Functions are seen however they are written (T9, T10).

use super::Effect::{self, Acts, IsOpaque, LooksUp, ReachesOut, TellsSetting, Waits};
use crate::sql::{parse, select_expression};

fn effects(sql: &str, engine: &str) -> Vec<Effect> {
    let script = parse(sql, engine).unwrap_or_else(|error| panic!("{engine}: {sql}: {error}"));
    script.effects().into_iter().map(|(_, effect)| effect).collect()
}

/// One call of each kind in each dialect, as a value and as a source of rows.
const CALLS: &[(&str, Effect, &[&str])] = &[
    (
        "postgresql",
        Acts,
        &[
            "pg_reload_conf()",
            "pg_terminate_backend(1)",
            "set_config('search_path', 'x', false)",
            "nextval('s')",
            "setval('s', 1)",
            "pg_advisory_xact_lock(1)",
            "pg_try_advisory_lock(1)",
            "pg_notify('c', 'x')",
            "txid_current()",
            "lo_from_bytea(0, 'x')",
            "pg_logical_emit_message(true, 'a', 'b')",
            "pg_create_restore_point('x')",
            "pg_export_snapshot()",
            "pg_switch_wal()",
        ],
    ),
    ("postgresql", Waits, &["pg_sleep(9)", "pg_sleep_for('1 day')", "pg_catalog.pg_sleep_until(now())"]),
    (
        "postgresql",
        ReachesOut,
        &[
            "lo_import('/etc/passwd')",
            "lo_export(1, '/tmp/x')",
            "dblink('x', 'SELECT 1')",
            "dblink_connect_u('x')",
            "pg_read_binary_file('x')",
            "pg_ls_waldir()",
            "pg_stat_file('x')",
            "pg_relation_filepath('t')",
            "pg_current_logfile()",
            "pg_hba_file_rules()",
            "pg_config()",
            "pg_file_write('a', 'b', true)",
            "http_get('http://x')",
            "net.http_post('http://x')",
            "aws_s3.query_export_to_s3('SELECT 1', 'x')",
            "cron.schedule('x', 'y')",
        ],
    ),
    ("postgresql", TellsSetting, &["pg_show_all_settings()"]),
    (
        "postgresql",
        IsOpaque,
        &[
            "ts_stat('SELECT 1')",
            "query_to_xml('SELECT 1', true, true, '')",
            "query_to_xml_and_xmlschema('SELECT 1', true, true, '')",
            "cursor_to_xml('c', 1, true, true, '')",
            "schema_to_xml('s', true, true, '')",
            "database_to_xmlschema(true, true, '')",
            "ts_rewrite('a', 'SELECT 1')",
            "crosstab('SELECT 1')",
            "xpath_table('a', 'b', 'c', 'd', 'e')",
            "loread(1, 2)",
            "lo_get(1)",
            "get_raw_page('t', 0)",
            "pgr_dijkstra('SELECT 1', 1, 2)",
            "pg_stat_get_activity(NULL)",
        ],
    ),
    ("mysql", Waits, &["SLEEP(9)", "benchmark(1000000, md5('x'))", "`sleep`(9)", "source_pos_wait('x', 1)"]),
    ("mysql", Acts, &["get_lock('x', 1)", "release_all_locks()", "slëep(9)"]),
    ("mysql", ReachesOut, &["load_file('/etc/passwd')", "sys_exec('id')", "sys_eval('id')"]),
    ("mysql", TellsSetting, &["@@version", "@@global.secure_file_priv", "@@session.sql_mode"]),
    (
        "sqlite",
        ReachesOut,
        &["load_extension('x')", "readfile('x')", "writefile('x', 'y')", "edit('x')", "fts3_tokenizer('x')"],
    ),
    ("sqlite", IsOpaque, &["pragma_table_info('t')", "sqlite_dbpage('main')", "eval('SELECT 1')"]),
    ("clickhouse", Waits, &["sleep(3)", "sleepEachRow(3)"]),
    (
        "clickhouse",
        ReachesOut,
        &[
            "file('x')",
            "url('http://x')",
            "urlCluster('c', 'http://x')",
            "s3('http://x')",
            "s3Cluster('c', 'http://x')",
            "remote('h', 'd', 't')",
            "remoteSecure('h', 'd', 't')",
            "mysql('h', 'd', 't', 'u', 'p')",
            "postgresql('h', 'd', 't', 'u', 'p')",
            "jdbc('x', 'y')",
            "executable('x', 'y', 'z')",
            "input('a String')",
            "hdfs('x')",
            "azureBlobStorage('x')",
            "mongodb('x')",
            "redis('x')",
            "sqlite('x', 't')",
            "filesystemAvailable()",
        ],
    ),
    (
        "clickhouse",
        TellsSetting,
        &["getSetting('x')", "getServerSetting('x')", "getSettingOrDefault('x', 1)"],
    ),
    (
        "clickhouse",
        IsOpaque,
        &["merge('d', '.*')", "cluster('c', 'd', 't')", "clusterAllReplicas('c', 'd', 't')"],
    ),
    (
        "clickhouse",
        LooksUp,
        &["dictGet('d', 'a', 1)", "dictGetOrDefault('d', 'a', 1, 2)", "joinGet('t', 'a', 1)"],
    ),
    ("duckdb", ReachesOut, &["getenv('HOME')", "sqlite_scan('x', 't')", "postgres_query('d', 'SELECT 1')"]),
    ("duckdb", TellsSetting, &["current_setting('home_directory')", "duckdb_settings()"]),
    (
        "duckdb",
        IsOpaque,
        &[
            "read_csv('x')",
            "read_csv_auto('x')",
            "read_parquet('x')",
            "read_text('x')",
            "read_blob('x')",
            "glob('x')",
            "sniff_csv('x')",
            "query('SELECT 1')",
            "query_table('t')",
            "parquet_metadata('x')",
        ],
    ),
    ("trino", ReachesOut, &["pg.system.query(1)", "query(1)", "raw_query(1)"]),
    (
        "mssql",
        ReachesOut,
        &[
            "xp_cmdshell('x')",
            "[xp_dirtree]('x')",
            "sys.fn_get_audit_file('x', 1, 2)",
            "openquery(s, 'SELECT 1')",
        ],
    ),
    ("mssql", TellsSetting, &["@@VERSION", "@@SERVERNAME"]),
    (
        "oracle",
        ReachesOut,
        &["utl_http.request('http://x')", "SYS.UTL_INADDR.get_host_address('x')", "dbms_xmlgen.getxml('x')"],
    ),
    ("bigquery", ReachesOut, &["EXTERNAL_QUERY('c', 'SELECT 1')"]),
    ("snowflake", Acts, &["SYSTEM$CANCEL_QUERY('x')"]),
    ("snowflake", IsOpaque, &["RESULT_SCAN('x')"]),
    ("hive", ReachesOut, &["reflect('java.lang.Runtime', 'x')", "java_method('java.lang.Runtime', 'x')"]),
    ("unheard_of", Waits, &["pg_sleep(1)", "sleep(1)"]),
];

#[test]
fn what_does_more_than_to_compute_is_known_in_each_dialect() {
    for (engine, effect, calls) in CALLS {
        for call in *calls {
            let shapes = [
                format!("SELECT {call}"),
                format!("SELECT max({call}) AS m FROM t GROUP BY a"),
                format!("SELECT a FROM t WHERE a = 1 OR b IN (1, {call})"),
                format!("SELECT a FROM t GROUP BY a HAVING count(*) > {call}"),
                format!("SELECT a FROM t ORDER BY CASE WHEN a = 1 THEN {call} END"),
                format!("WITH c AS (SELECT {call} AS x) SELECT * FROM (SELECT x FROM c) AS d"),
                format!("SELECT a FROM t UNION ALL SELECT {call}"),
                format!("SELECT sum(a) OVER (PARTITION BY {call} ORDER BY b) FROM t"),
                format!("SELECT a FROM t JOIN u ON t.a = {call}"),
                format!("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = {call})"),
            ];
            for sql in shapes {
                let found = effects(&sql, engine);
                assert!(!found.is_empty() && found.iter().all(|f| f == effect), "{engine}: {sql}: {found:?}");
            }
            let fragment = select_expression(&format!("max({call})"), engine).unwrap();
            assert!(!fragment.effects().is_empty(), "{engine}: {call}");
        }
    }
}

#[test]
fn rows_of_functions_are_seen() {
    for (engine, sql, effect) in [
        ("postgresql", "SELECT * FROM ts_stat('SELECT 1')", IsOpaque),
        ("postgresql", "SELECT * FROM t, LATERAL pg_ls_dir(t.a) AS x", ReachesOut),
        ("postgresql", "SELECT * FROM ROWS FROM (pg_ls_dir('.')) AS x", ReachesOut),
        (
            "postgresql",
            "SELECT * FROM t CROSS JOIN LATERAL (SELECT * FROM crosstab('SELECT 1') AS c(a int)) x",
            IsOpaque,
        ),
        ("clickhouse", "SELECT * FROM url('http://x', 'CSV', 'a String')", ReachesOut),
        ("clickhouse", "SELECT * FROM merge('d', '.*')", IsOpaque),
        ("duckdb", "SELECT * FROM read_csv('x.csv')", IsOpaque),
        ("duckdb", "SELECT ('HOME').getenv()", ReachesOut),
        ("duckdb", "FROM query('SELECT 1')", IsOpaque),
        ("sqlite", "SELECT * FROM pragma_database_list()", IsOpaque),
        ("trino", "SELECT * FROM TABLE(pg.system.query(query => 'SELECT 1'))", ReachesOut),
        ("mssql", "SELECT * FROM OPENROWSET('a', 'b', 'c')", ReachesOut),
        ("mssql", "SELECT * FROM t CROSS APPLY sys.dm_exec_sql_text(t.h)", IsOpaque),
    ] {
        // what the parser does not understand is refused anyway
        if let Ok(script) = parse(sql, engine) {
            let found = script.effects();
            assert!(found.iter().any(|(_, found)| *found == effect), "{engine}: {sql}: {found:?}");
        }
    }
}

#[test]
fn writing_does_not_hide_a_call() {
    for sql in [
        "SELECT PG_RELOAD_CONF()",
        "SELECT Pg_Reload_Conf ( )",
        "SELECT \"pg_reload_conf\"()",
        "SELECT pg_catalog.pg_reload_conf()",
        "SELECT \"pg_catalog\".\"pg_reload_conf\"()",
        "SELECT pg_reload_conf/* x */()",
        "SELECT pg_reload_conf -- x\n ()",
        "SELECT pg_catalog . pg_reload_conf()",
        "SELECT (pg_reload_conf())::text",
        "SELECT ARRAY[pg_reload_conf()]",
        "SELECT ROW(pg_reload_conf())",
        "SELECT count(*) FILTER (WHERE pg_reload_conf())",
        "SELECT string_agg(a, ',' ORDER BY pg_reload_conf()) FROM t",
        "SELECT 1 LIMIT (SELECT count(pg_reload_conf()))",
        "SELECT a FROM t OFFSET CASE WHEN pg_reload_conf() THEN 1 END",
        "SELECT * FROM (VALUES (pg_reload_conf())) AS v(a)",
        "VALUES (pg_reload_conf())",
        "SELECT * FROM t TABLESAMPLE SYSTEM (CASE WHEN pg_reload_conf() THEN 1 END)",
        "SELECT sum(a) OVER w FROM t WINDOW w AS (ORDER BY pg_reload_conf())",
        "SELECT a FROM t GROUP BY GROUPING SETS ((a), (pg_reload_conf()))",
        "SELECT DISTINCT ON (pg_reload_conf()) a FROM t",
        "EXPLAIN SELECT pg_reload_conf()",
    ] {
        if let Ok(script) = parse(sql, "postgresql") {
            assert!(script.has_mutation(), "{sql}");
        }
    }
    for sql in ["SELECT /*!50000 sleep(9)*/", "SELECT /*!50000sleep*/(9)", "SELECT 1 /*! + sleep(9) */"] {
        if let Ok(script) = parse(sql, "mysql") {
            assert_eq!(effects(sql, "mysql"), [Waits], "{sql}");
            assert!(!script.format().contains("/*"), "{sql}");
        }
    }
    // a comment of MariaDB alone is one to us: it must not be printed
    let script = parse("SELECT 1 /*M! + sleep(9) */", "mysql");
    assert!(script.is_ok_and(|script| !script.format().to_lowercase().contains("sleep")));
    // escapes in a quoted name are no escapes any more once it is printed
    if let Ok(script) = parse("SELECT U&\"pg\\005freload_conf\"()", "postgresql") {
        assert!(!script.format().contains("U&\""), "{}", script.format());
    }
}

#[test]
fn what_dashboards_use_is_free() {
    for (engine, calls) in [
        (
            "postgresql",
            "current_date, now(), pg_typeof(a), date_trunc('day', a), to_char(a, 'x'), random(), md5('a'), age(a), \
             string_agg(b, ','), json_agg(b), percentile_cont(0.5) WITHIN GROUP (ORDER BY a), lo, query, file, url, \
             regexp_replace(b, 'x', 'y'), extract(epoch FROM a), xpath('a', b), setseed(1), to_tsvector(b), \
             pg_size_pretty(a), width_bucket(a, 1, 2, 3), st_astext(g), user_name",
        ),
        (
            "mysql",
            "now(), date_format(a, '%Y'), json_extract(a, '$'), if(a, 1, 2), user, schema_name, @a, uuid()",
        ),
        (
            "sqlite",
            "date('now'), strftime('%Y', a), json_each.value, printf('%d', a), random(), edit, total(a)",
        ),
        (
            "clickhouse",
            "now(), toStartOfHour(a), arrayJoin(b), quantile(0.5)(a), uniq(a), if(a, 1, 2), file, url, domain(url)",
        ),
        ("duckdb", "now(), date_trunc('day', a), list(a), strftime(a, '%Y'), arg_max(a, b), query, epoch(a)"),
        (
            "trino",
            "now(), date_trunc('day', a), approx_distinct(a), current_date, url_extract_host(a), query",
        ),
        ("mssql", "getdate(), dateadd(day, 1, a), format(a, 'x'), iif(a = 1, 1, 2), string_agg(b, ',')"),
    ] {
        let sql = format!("SELECT {calls} FROM t");
        assert_eq!(effects(&sql, engine), [], "{engine}");
    }
    assert_eq!(effects("SELECT * FROM generate_series(1, 3) AS g, unnest(ARRAY[1]) AS u", "postgresql"), []);
    assert_eq!(effects("SELECT * FROM numbers(10)", "clickhouse"), []);
    let user = parse("SELECT user, version FROM accounts", "mysql").unwrap();
    assert!(!user.calls_any(&["user", "version"]));
}

#[test]
fn other_ways_to_what_is_refused_are_refused() {
    for (engine, function, sql) in [
        ("postgresql", "current_setting", "SHOW server_version"),
        ("postgresql", "current_setting", "SHOW ALL"),
        ("postgresql", "current_setting", "SELECT * FROM pg_show_all_settings()"),
        ("postgresql", "current_user", "SELECT user"),
        ("postgresql", "current_user", "SELECT current_role"),
        ("postgresql", "current_user", "SELECT getpgusername()"),
        ("postgresql", "session_user", "SELECT system_user"),
        ("postgresql", "current_database", "SELECT current_catalog"),
        ("postgresql", "current_schema", "SELECT current_schemas(true)"),
        ("postgresql", "pg_sleep", "SELECT pg_sleep_for('1 day')"),
        ("postgresql", "pg_ls_dir", "SELECT pg_ls_logdir()"),
        ("mysql", "version", "SELECT @@version"),
        ("mysql", "version", "SELECT @@GLOBAL.version_comment"),
        ("mysql", "version", "SHOW VARIABLES LIKE 'version'"),
        ("mysql", "current_user", "SHOW GRANTS"),
        ("mysql", "database", "SELECT schema()"),
        ("sqlite", "sqlite_compileoption_get", "PRAGMA compile_options"),
        ("sqlite", "sqlite_compileoption_get", "SELECT * FROM pragma_compile_options()"),
        ("mssql", "serverproperty", "SELECT @@VERSION"),
        ("mssql", "user_name", "SELECT SESSION_USER"),
        ("mssql", "suser_sname", "SELECT suser_name()"),
        ("clickhouse", "currentUser", "SELECT user()"),
        ("clickhouse", "hostName", "SELECT fqdn()"),
        ("clickhouse", "getSetting", "SELECT getServerSetting('x')"),
        ("clickhouse", "url", "SELECT * FROM urlCluster('c', 'http://x')"),
    ] {
        assert!(parse(sql, engine).unwrap().calls_any(&[function]), "{engine}: {sql}");
    }
}

#[test]
fn judging_costs_no_more_than_reading() {
    let time = |calls: usize| {
        let list: Vec<_> = (0..calls).map(|i| format!("f{i}(a, current_user)")).collect();
        let sql = format!("SELECT {} FROM t", list.join(", "));
        let script = parse(&sql, "postgresql").unwrap();
        let start = std::time::Instant::now();
        for _ in 0..5 {
            assert_eq!(script.effects(), []);
            assert!(!script.calls_any(&["pg_read_file", "version"]));
        }
        start.elapsed().as_secs_f64()
    };
    time(100);
    let (small, large) = (time(500), time(5_000));
    assert!(large < small * 60.0 + 0.05, "{small} s, {large} s");
}
