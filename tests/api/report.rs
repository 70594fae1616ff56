//! Alerts and reports: their rows through the API; and from the rows to the mails and entries of the log, one run each,
//! by `liteset report run`.

use serde_json::{Value, json};

use crate::support::{
    Behaviour, Installation, MailSink, Metadata, NO_RIGHT, REFUSED, command, fields, make, message, refused,
    run_to_end, statuses,
};

/// What an alert's owner sets; the query is replaced by each test.
fn alert(on: &Installation, name: &str, sql: &str) -> Value {
    json!({
        "type": "Alert", "name": name, "crontab": "0 9 * * *", "database": on.database, "sql": sql,
        "chart": on.chart, "report_format": "TEXT", "validator_type": "operator",
        "validator_config_json": {"op": ">", "threshold": 10}, "creation_method": "alerts_reports",
        "recipients": [{"type": "Email", "recipient_config_json": {
            "target": "ann@example.com", "ccTarget": "", "bccTarget": "hidden@example.com"}}],
    })
}

/// A chart with two rows and the query that was saved with it.
fn filled(on: &Installation) {
    let data = rusqlite::Connection::open(on.server.home.join("data.db")).unwrap();
    data.execute_batch("INSERT INTO t VALUES ('=1+1'), ('<b>')").unwrap();
    let query = json!({
        "datasource": {"id": on.dataset, "type": "table"}, "result_format": "json", "result_type": "full",
        "queries": [{"columns": ["a"], "metrics": [], "orderby": [["a", true]], "row_limit": 10}],
        "form_data": {"viz_type": "table"}, "force": false,
    });
    let body = json!({"query_context": query.to_string(), "params": "{\"viz_type\": \"pie\"}"});
    let answer = on.server.admin().put(&format!("/api/v1/chart/{}", on.chart), &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Runs a report; what it raised.
fn run(on: &Installation, id: i64, port: u16, settings: &[(&str, &str)]) -> Value {
    let (home, id) = (&on.server.home, id.to_string());
    let arguments = ["report", "run", &id, "--json", "--scheduled", "2024-05-01T12:00:00Z"];
    let mut command = match &on.metadata {
        Metadata::Sqlite(path) => {
            let mut command = command(home);
            command.args(arguments).arg("--home").arg(path.parent().unwrap());
            command
        }
        server => server.liteset(home)(&arguments),
    };
    command
        .env("SUPERSET_FEATURE_ALERT_REPORTS", "true")
        .env("LITESET_SMTP_HOST", "127.0.0.1")
        .env("LITESET_SMTP_PORT", port.to_string())
        .env("LITESET_SMTP_STARTTLS", "false")
        .env("LITESET_SMTP_USER", "")
        .env("LITESET_SMTP_MAIL_FROM", "reports@example.com")
        .env("LITESET_WEBDRIVER_BASEURL_USER_FRIENDLY", "https://bi.example.com/")
        .envs(settings.iter().copied());
    let out = run_to_end(&mut command);
    let printed = serde_json::from_slice::<Value>(&out.stdout);
    printed.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)))["raised"].clone()
}

/// States and messages of the log, the oldest first.
fn log(on: &Installation, id: i64) -> Vec<String> {
    let sql = "SELECT state || ': ' || coalesce(error_message, '') FROM report_execution_log WHERE \
               report_schedule_id =";
    on.metadata.texts(&format!("{sql} {id} ORDER BY id"))
}

#[test]
fn an_alert_that_fires_is_mailed_and_then_on_grace() {
    Installation::on_all("alert-fires", |on| {
        filled(on);
        let sink = MailSink::start(Behaviour::Takes);
        let id = make(&mut on.server.admin(), "report", &alert(on, "eleven", "SELECT 11"));
        assert_eq!(run(on, id, sink.port, &[]), Value::Null);
        assert_eq!(run(on, id, sink.port, &[]), Value::Null);
        let grace = "On Grace: Alert fired during grace period.";
        assert_eq!(log(on, id), ["Working: ", "Success: ", grace]);
        let mails = sink.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to, ["ann@example.com", "hidden@example.com"]);
        let text = &mails[0].text;
        let name = format!("\r\nMessage-ID: <report-{id}-20240501T120000Z-0@example.com>\r\n");
        assert!(text.contains("\r\nSubject: [Report]  eleven: own\r\n") && text.contains(&name), "{text}");
        assert!(text.contains("<td>&lt;b&gt;</td>") && !text.contains("hidden@example.com"), "{text}");
        let value = on.metadata.texts("SELECT CAST(last_value AS TEXT) FROM report_schedule");
        assert!(value[0].starts_with("11"), "{value:?}");
    });
}

#[test]
fn a_report_of_rows_is_a_file_whoever_runs_it_may_read() {
    Installation::on_all("report-csv", |on| {
        filled(on);
        let sink = MailSink::start(Behaviour::Takes);
        let mut report = alert(on, "rows\r\nBcc: all@example.com", "");
        for key in ["database", "sql", "validator_type", "validator_config_json"] {
            report.as_object_mut().unwrap().remove(key);
        }
        report["type"] = json!("Report");
        report["report_format"] = json!("CSV");
        let id = make(&mut on.server.admin(), "report", &report);
        assert_eq!(run(on, id, sink.port, &[]), Value::Null);
        let mails = sink.mails();
        // the formula is defused: `a\n<b>\n'=1+1\n`
        assert!(mails[0].text.contains("\r\nYQo8Yj4KJz0xKzEK\r\n"), "{}", mails[0].text);
        assert!(mails[0].text.contains("\r\nSubject: [Report]  rows Bcc: all@example.com: own\r\n"));
        let (_, gamma) = on.server.person("gamma", "Gamma");
        on.metadata.run(&format!("UPDATE report_schedule_user SET user_id = {gamma}"));
        let raised = run(on, id, sink.port, &[]);
        assert_eq!(raised["message"], "Failed generating csv HTTP Error 404: NOT FOUND");
        on.metadata.run("DELETE FROM report_schedule_user");
        let before = log(on, id);
        assert_eq!(run(on, id, sink.port, &[])["message"], "Scheduled task executor not found");
        assert_eq!(log(on, id), before);
        assert_eq!(run(on, 999_999, sink.port, &[])["status"], 404);
    });
}

#[test]
fn queries_that_give_no_number_end_in_the_words_of_the_original() {
    let on = Installation::on_sqlite("alert-queries");
    let sink = MailSink::start(Behaviour::Takes);
    let mut admin = on.server.admin();
    let two = "Alert query returned more than one row. 2 rows returned";
    let forever = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
    for (name, sql, words, status) in [
        ("error", "SELECT * FROM nowhere", "An error occurred when running alert query", 400),
        ("writes", "DELETE FROM t", "An error occurred when running alert query", 400),
        ("text", "SELECT 'ten'", "Alert query returned a non-number value.", 422),
        ("rows", "SELECT 1 UNION SELECT 2 UNION SELECT 3", two, 422),
        ("forever", forever, "A timeout occurred while executing the query.", 408),
    ] {
        let id = make(&mut admin, "report", &alert(&on, name, sql));
        if name == "forever" {
            on.metadata.run("UPDATE report_schedule SET working_timeout = 20");
        }
        let raised = run(&on, id, sink.port, &[]);
        assert_eq!(
            (raised["message"].as_str(), raised["status"].as_u64()),
            (Some(words), Some(status)),
            "{name}"
        );
        let logged = ["Working: ".to_owned(), format!("Error: {words}")];
        assert_eq!(log(&on, id)[..2], logged, "{name}");
    }
    let id = make(&mut admin, "report", &alert(&on, "nothing", "SELECT 1 WHERE 1 = 0"));
    assert_eq!(run(&on, id, sink.port, &[]), Value::Null);
    assert_eq!(log(&on, id), ["Working: ", "Not triggered: "]);
}

/// As in SQL Lab, for who may read the whole database; for others it is the parser's error.
#[test]
fn queries_that_only_the_database_can_read() {
    let Some(uri) = crate::support::postgres_uri() else { return };
    let on = Installation::on_sqlite("alert-unread");
    let sink = MailSink::start(Behaviour::Takes);
    let mut admin = on.server.admin();
    let body = json!({"database_name": "pg", "sqlalchemy_uri": uri});
    let pg = make(&mut admin, "database", &body);
    let sql = |what: &str| {
        format!(
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 2) \
             SEARCH DEPTH FIRST BY n SET o SELECT {what} FROM r"
        )
    };
    let mut asked = |name: &str, sql: &str| {
        let mut body = alert(&on, name, sql);
        body["database"] = json!(pg);
        let id = make(&mut admin, "report", &body);
        (run(&on, id, sink.port, &[]), log(&on, id))
    };
    let (raised, entries) = asked("quiet", &sql("max(n)"));
    assert_eq!(raised, Value::Null);
    assert_eq!(entries, ["Working: ", "Not triggered: "]);
    for (name, text) in
        [("file", sql("pg_read_file('/etc/hostname')")), ("nonsense", "SELECT 1 FROBNICATE BY 1".into())]
    {
        let (raised, _) = asked(name, &text);
        assert_eq!(raised["message"], "An error occurred when running alert query", "{name}");
    }
}

#[test]
fn what_a_mail_server_does_wrong_is_an_entry_of_the_log() {
    let on = Installation::on_sqlite("mail-servers");
    filled(&on);
    let mut admin = on.server.admin();
    let closed = "Connection unexpectedly closed";
    for (behaviour, words) in [
        (
            Behaviour::Refuses,
            "{'ann@example.com': (550, b'5.1.1 no such user'), \
                              'hidden@example.com': (550, b'5.1.1 no such user')}",
        ),
        (Behaviour::Postpones, "(451, b'4.3.0 try later')"),
        (Behaviour::Leaves, closed),
        (Behaviour::LeavesAtTheEnd, closed),
        (Behaviour::Hangs, "SoftTimeLimitExceeded()"),
    ] {
        let sink = MailSink::start(behaviour);
        let id = make(&mut admin, "report", &alert(&on, &format!("{behaviour:?}"), "SELECT 11"));
        let timeout = if behaviour == Behaviour::Hangs { 20 } else { 3_600 };
        on.metadata.run(&format!("UPDATE report_schedule SET working_timeout = {timeout}"));
        let raised = run(&on, id, sink.port, &[]);
        assert_eq!(raised["class"], "ReportScheduleSystemErrorsException", "{behaviour:?}");
        let log = log(&on, id);
        assert_eq!(log[1], format!("Error: {words}"), "{behaviour:?}");
        assert!(log.len() == 3 && sink.mails().is_empty(), "{behaviour:?}: {log:?}");
    }
    let sink = MailSink::start(Behaviour::Takes);
    let id = make(&mut admin, "report", &alert(&on, "after that", "SELECT 11"));
    assert_eq!(
        run(&on, id, sink.port, &[("LITESET_ALERT_REPORTS_NOTIFICATION_DRY_RUN", "true")]),
        Value::Null
    );
    assert!(sink.mails().is_empty());
    // a chart that is gone since
    on.metadata.run(
        "PRAGMA foreign_keys = OFF; \
         UPDATE report_schedule SET chart_id = 4711, last_state = 'Error', grace_period = 0",
    );
    let raised = run(&on, id, sink.port, &[]);
    assert_eq!(raised["message"], "'NoneType' object has no attribute 'id'");
}

fn written_and_read(on: &Installation) {
    let mut admin = on.server.admin();
    let id = make(&mut admin, "report", &alert(on, "eleven ☃", "SELECT 11"));
    let path = format!("/api/v1/report/{id}");
    let read = admin.result(&format!("report/{id}"));
    assert_eq!(
        (&read["name"], &read["type"], &read["sql"]),
        (&json!("eleven ☃"), &json!("Alert"), &json!("SELECT 11"))
    );
    assert_eq!((&read["chart"]["id"], &read["database"]["id"]), (&json!(on.chart), &json!(on.database)));
    assert_eq!(read["owners"], json!([{"first_name": "Superset", "id": 1, "last_name": "Admin"}]));
    assert_eq!(read["recipients"][0]["type"], "Email");
    let put =
        admin.put(&path, &json!({"crontab": "0 8 * * 1", "active": false, "timezone": "Europe/Berlin"}));
    assert_eq!(put.status, 200, "{}", put.text());
    let rows = admin.get("/api/v1/report/?q=(filters:!((col:active,opr:eq,value:!f)))").json();
    assert_eq!(rows["result"][0]["crontab_humanized"], "At 08:00 AM, only on Monday", "{rows}");
    let other = make(&mut admin, "report", &alert(on, "twelve", "SELECT 12"));
    let mut ids = |q: &str| admin.ids("report", q);
    assert_eq!(ids("(filters:!((col:name,opr:report_all_text,value:ELEV)))"), [id]);
    assert_eq!(
        ids("(filters:!((col:type,opr:eq,value:Alert)),order_column:name,order_direction:asc)"),
        [id, other]
    );
    assert_eq!(
        ids(&format!(
            "(filters:!((col:chart_id,opr:eq,value:{})),page_size:1,page:1,order_column:name)",
            on.chart
        ))
        .len(),
        1
    );
    let log = admin.get(&format!("{path}/log/")).json();
    assert_eq!((&log["count"], &log["result"]), (&json!(0), &json!([])));
    // what a report is about cannot go before it
    for answer in [
        admin.delete(&format!("/api/v1/chart/{}", on.chart)),
        admin.delete(&format!("/api/v1/chart/?q=!({})", on.chart)),
    ] {
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains("There are associated alerts or reports: "), "{}", answer.text());
    }
    let bulk = admin.delete(&format!("/api/v1/report/?q=!({other},99999)"));
    assert_eq!(bulk.told(), (404, message("Not found")));
    let bulk = admin.delete(&format!("/api/v1/report/?q=!({other})"));
    assert_eq!(bulk.told(), (200, message("Deleted 1 report schedule")));
    assert_eq!(admin.delete(&path).told(), (200, message("OK")));
    assert_eq!(admin.get(&path).told(), (404, message("Not found")));
    let left = "SELECT id || '' FROM report_recipient UNION SELECT id || '' FROM report_schedule_user";
    assert!(on.metadata.texts(left).is_empty());
}

#[test]
fn reports_are_written_and_read() {
    Installation::on_all("report", written_and_read);
}

#[test]
fn reports_that_are_refused_and_people() {
    let on = Installation::on_sqlite("report-refused");
    let mut admin = on.server.admin();
    let id = make(&mut admin, "report", &alert(&on, "mine", "SELECT 1"));
    let with = |key: &str, value: Value| {
        let mut body = alert(&on, "new", "SELECT 1");
        body[key] = value;
        body
    };
    let type_error = "Must be one of: Alert, Report.";
    refused(
        &mut admin,
        "POST",
        "report/",
        &[
            (with("type", json!("x")), 400, fields("type", type_error)),
            (with("name", json!("")), 400, fields("name", "Length must be between 1 and 150.")),
            (with("chart", json!(99999)), 422, json!({"message": {"chart": "Chart does not exist"}})),
            (
                with("dashboard", json!(on.dashboard)),
                422,
                json!({"message": {"chart": "Choose a chart or dashboard not both"}}),
            ),
            (with("owners", json!([99999])), 422, fields("owners", "Owners are invalid")),
            (with("name", json!("mine")), 422, fields("name", "An alert named \"mine\" already exists")),
            (with("bogus", json!(1)), 400, fields("bogus", "Unknown field.")),
        ],
    );
    let crontab = admin.post("/api/v1/report/", &with("crontab", json!("x")));
    assert_eq!(crontab.status, 400, "{}", crontab.text());
    refused(&mut admin, "PUT", "report/99999", &[(json!({}), 404, message("Not found"))]);
    let change = json!({"name": "taken"});
    assert_eq!(statuses(&mut on.server.anonymous(), "report", id, &change), REFUSED);
    let (mut gamma, _) = on.server.person("gus", "Gamma");
    assert_eq!(statuses(&mut gamma, "report", id, &change), NO_RIGHT);
    let (mut alpha, _) = on.server.person("alf", "Alpha");
    assert_eq!(statuses(&mut alpha, "report", id, &change), [200, 200, 200, 400, 403, 403]);
}
