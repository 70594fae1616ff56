//! Personal tokens for databases: a server of Trino's protocol that lets nobody in without one, and the token endpoint
//! of an authorization server.

use infra::crypto::encrypted::{Cipher, FieldCipher};
use serde_json::{Value, json};

use crate::support::{Answer, Client, EngineServer, Metadata, Server, TokenServer, scratch};

const SECRET: &str = "a secret of the tests of personal tokens 0123456789";

/// The arguments of an address, decoded.
fn arguments(url: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let (text, mut out, mut i) = (text.replace('+', " ").into_bytes(), Vec::new(), 0);
        while i < text.len() {
            let hex = (text[i] == b'%').then(|| std::str::from_utf8(&text[i + 1..i + 3]).unwrap());
            out.push(hex.map_or(text[i], |hex| u8::from_str_radix(hex, 16).unwrap()));
            i += if hex.is_some() { 3 } else { 1 };
        }
        String::from_utf8(out).unwrap()
    };
    let pairs = url.split_once('?').unwrap().1.split('&');
    pairs.map(|pair| pair.split_once('=').map(|(k, v)| (decoded(k), decoded(v))).unwrap()).collect()
}

fn argument(url: &str, name: &str) -> String {
    arguments(url).into_iter().find(|(k, _)| k == name).unwrap().1
}

/// The invitation in an answer: where to, and the tab that waits.
#[track_caller]
fn invitation(answer: &Answer) -> (String, String, String) {
    let body = answer.json();
    let error = &body["errors"][0];
    assert_eq!((answer.status, &error["error_type"]), (500, &json!("OAUTH2_REDIRECT")), "{body}");
    assert_eq!(error["message"], "You don't have permission to access the data.");
    assert_eq!(error["level"], "warning");
    let text = |key: &str| error["extra"][key].as_str().unwrap().to_owned();
    (text("url"), text("tab_id"), text("redirect_uri"))
}

#[track_caller]
fn wrong(answer: &Answer) -> String {
    let body = answer.json();
    let error = &body["errors"][0];
    assert_eq!((answer.status, &error["error_type"]), (500, &json!("OAUTH2_REDIRECT_ERROR")), "{body}");
    assert_eq!(error["message"], "Something went wrong while doing OAuth2");
    error["extra"]["error"].as_str().unwrap().to_owned()
}

/// Comes back with the state of an invitation, as the authorization server sends people.
fn come_back(client: &mut Client, url: &str, code: &str) -> Answer {
    let state = argument(url, "state").replace('%', "%25");
    client.get(&format!("/api/v1/database/oauth2/?state={state}&code={code}&scope=x"))
}

fn connection(trino: u16, tokens: &TokenServer, host: &str) -> Value {
    let client = json!({
        "id": "us", "secret": "hush", "scope": "openid data",
        "authorization_request_uri": "https://auth.example/authorize",
        "token_request_uri": format!("http://{host}:{}/token", tokens.port),
    });
    json!({"database_name": "mine", "sqlalchemy_uri": format!("trino://127.0.0.1:{trino}/hive/web"),
           "impersonate_user": true,
           "masked_encrypted_extra": json!({"oauth2_client_info": client}).to_string()})
}

fn tokens_of(server: &Server) -> Vec<(i64, String, String)> {
    let file = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    let mut rows = file
        .prepare("SELECT user_id, access_token, refresh_token FROM database_user_oauth2_tokens ORDER BY id")
        .unwrap();
    let cipher = FieldCipher::new(SECRET, Cipher::default());
    let clear = |stored: Vec<u8>| cipher.decrypt(&stored).unwrap();
    let bytes = |row: &rusqlite::Row<'_>, i: usize| row.get_ref(i).unwrap().as_bytes().unwrap().to_vec();
    let found =
        rows.query_map([], |row| Ok((row.get(0)?, clear(bytes(row, 1)), clear(bytes(row, 2))))).unwrap();
    found.map(Result::unwrap).collect()
}

fn expire(server: &Server) {
    let file = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    file.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    let sql = "UPDATE database_user_oauth2_tokens SET access_token_expiration = '2020-01-01 00:00:00.000000'";
    assert!(file.execute(sql, []).unwrap() > 0);
}

#[test]
fn everybody_brings_a_token_of_their_own() {
    let Some(trino) = EngineServer::trino_with_proofs() else { return };
    let tokens = TokenServer::start();
    let settings = [("LITESET_SECRET_KEY", SECRET), ("LITESET_OUTBOUND_PRIVATE_HOSTS", r#"["127.0.0.1"]"#)];
    let server = Server::start_with_settings("oauth2", &settings);
    let mut admin = server.admin();

    // a connection is tried, and stored without an answer
    let mut body = connection(trino.port, &tokens, "127.0.0.1");
    invitation(&admin.post("/api/v1/database/test_connection/", &body));
    body["expose_in_sqllab"] = json!(true);
    let made = admin.post("/api/v1/database/", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_i64().unwrap();
    let schemas = format!("/api/v1/database/{id}/schemas/?q=(catalog:hive)");
    let metadata = format!("/api/v1/database/{id}/table_metadata/?name=towns&schema=web&catalog=hive");
    let query = |id: &str| {
        json!({"database_id": made.json()["id"], "sql": "SELECT * FROM towns", "client_id": id, "schema": "web",
               "catalog": "hive", "queryLimit": 100})
    };

    // everything that asks the database invites
    let paths = [
        schemas.clone(),
        metadata.clone(),
        format!("/api/v1/database/{id}/catalogs/"),
        format!("/api/v1/database/{id}/tables/?q=(catalog_name:hive,schema_name:web)"),
        format!("/api/v1/database/{id}/table_metadata/extra/?name=towns&schema=web&catalog=hive"),
    ];
    for path in &paths {
        invitation(&admin.get(path));
    }
    let table = json!({"database": id, "catalog": "hive", "schema": "web", "table_name": "towns"});
    // an exception that nobody expects there in the original
    assert_eq!(admin.post("/api/v1/dataset/", &table).status, 500);
    let (url, tab, back) = invitation(&admin.post("/api/v1/sqllab/execute/", &query("first")));
    assert_eq!(back, format!("{}/api/v1/database/oauth2/", server.base));
    assert!(
        url.starts_with("https://auth.example/authorize?scope=openid+data&access_type=offline&"),
        "{url}"
    );
    assert_eq!((argument(&url, "client_id"), argument(&url, "redirect_uri")), ("us".into(), back.clone()));
    let synced = admin.post(&format!("/api/v1/database/{id}/sync_permissions/"), &json!({}));
    assert_eq!(synced.json()["errors"][0]["message"], "Missing OAuth2 token", "{}", synced.text());

    // nobody brings somebody else's token
    let (mut ann, ann_id) = server.person("ann", "Admin");
    assert_eq!(wrong(&come_back(&mut ann, &url, "code1")), "Somebody else has asked for this token");
    assert_eq!(tokens.asked(), []);

    assert_eq!(wrong(&come_back(&mut admin, &url, "wrong")), "invalid_grant");
    let page = come_back(&mut admin, &url, "code1");
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html; charset=utf-8"),
        "{}",
        page.text()
    );
    assert!(
        page.text().contains(&format!("window.opener.postMessage({{ tabId: '{tab}' }});")),
        "{}",
        page.text()
    );
    let nonce =
        page.header("content-security-policy").split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(page.text().contains(&format!("<script nonce=\"{nonce}\">")), "{}", page.text());
    let (content_type, asked) = tokens.asked().pop().unwrap();
    assert_eq!(content_type, "application/json");
    let asked: Value = serde_json::from_str(&asked).unwrap();
    let want = json!({"code": "code1", "client_id": "us", "client_secret": "hush", "redirect_uri": back,
                      "grant_type": "authorization_code"});
    assert_eq!(asked, want);
    assert_eq!(tokens_of(&server), [(1, "good".to_owned(), "again2".to_owned())]);

    for path in &paths {
        assert_eq!(admin.get(path).status, 200, "{path}");
    }
    let found = admin.post("/api/v1/sqllab/execute/", &query("second"));
    assert_eq!(found.json()["data"][0]["name"], "Bern", "{}", found.text());
    let seen: Value = ureq::get(format!("http://127.0.0.1:{}/_seen", trino.port))
        .call()
        .unwrap()
        .into_body()
        .read_json()
        .unwrap();
    let proofs = seen["seen"].as_array().unwrap();
    assert!(proofs.iter().all(|s| s["proof"] == "Bearer good" && s["user"] == "admin"), "{proofs:?}");

    // a chart for one who has a token and for one who has none
    let dataset = admin.post("/api/v1/dataset/", &table);
    assert_eq!(dataset.status, 201, "{}", dataset.text());
    let ask = json!({
        "datasource": {"id": dataset.json()["id"], "type": "table"}, "result_format": "json", "result_type": "full",
        "queries": [{"columns": ["name"], "row_limit": 10, "metrics": [
            {"expressionType": "SIMPLE", "column": {"column_name": "n"}, "aggregate": "SUM", "label": "SUM(n)"}]}],
    });
    assert_eq!(admin.post("/api/v1/chart/data", &ask).status, 200);
    let (hers, _, _) = invitation(&ann.post("/api/v1/chart/data", &ask));
    assert_eq!(come_back(&mut ann, &hers, "code2").status, 200);
    assert_eq!(ann.post("/api/v1/chart/data", &ask).status, 200);
    assert_eq!(tokens_of(&server).iter().map(|t| t.0).collect::<Vec<_>>(), [1, ann_id]);

    // many at once, and the token is refreshed once
    expire(&server);
    let before = tokens.asked().len();
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..6)
            .map(|_| {
                let mut same = Client::new(&server.base);
                same.cookies.clone_from(&admin.cookies);
                let path = &schemas;
                scope.spawn(move || same.get(path).status)
            })
            .collect();
        assert!(asking.into_iter().all(|asked| asked.join().unwrap() == 200));
    });
    let refreshed: Vec<Value> =
        tokens.asked()[before..].iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let want = json!({"client_id": "us", "client_secret": "hush", "refresh_token": "again2",
                      "grant_type": "refresh_token"});
    assert_eq!(refreshed, [want]);
    assert_eq!(tokens_of(&server)[0].2, format!("again{}", before + 1));
    let locks = rusqlite::Connection::open(server.home.join("data/superset.db")).unwrap();
    let held: i64 =
        locks.query_row("SELECT count(*) FROM key_value WHERE resource = 'lock'", [], |r| r.get(0)).unwrap();
    assert_eq!(held, 0);

    // another scope, other tokens; the same client, the same
    let path = format!("/api/v1/database/{id}");
    let shown = admin.get(&format!("{path}/connection")).json();
    let masked = shown["result"]["masked_encrypted_extra"].clone();
    assert!(!masked.as_str().unwrap().contains("hush"), "{masked}");
    let kept = admin.put(&path, &json!({"masked_encrypted_extra": masked}));
    assert_eq!((kept.status, tokens_of(&server).len()), (200, 2), "{}", kept.text());
    let other = body["masked_encrypted_extra"].as_str().unwrap().replace("openid data", "openid");
    let changed = admin.put(&path, &json!({"masked_encrypted_extra": other}));
    assert_eq!((changed.status, tokens_of(&server)), (200, Vec::new()), "{}", changed.text());
    invitation(&admin.get(&schemas));
    // and without a token it can still be renamed
    let renamed = admin.put(&path, &json!({"database_name": "ours"}));
    assert_eq!(renamed.status, 200, "{}", renamed.text());
}

#[test]
fn what_comes_back_is_looked_at() {
    let Some(trino) = EngineServer::trino_with_proofs() else { return };
    let tokens = TokenServer::start();
    let settings = [("LITESET_SECRET_KEY", SECRET), ("LITESET_OUTBOUND_PRIVATE_HOSTS", r#"["127.0.0.1"]"#)];
    let server = Server::start_with_settings("oauth2-back", &settings);
    let mut admin = server.admin();
    // a name of this machine that the configuration does not allow
    let made = admin.post("/api/v1/database/", &connection(trino.port, &tokens, "localhost"));
    assert_eq!(made.status, 201, "{}", made.text());
    let path = format!("/api/v1/database/{}/catalogs/", made.json()["id"]);
    let (url, ..) = invitation(&admin.get(&path));
    assert_eq!(wrong(&come_back(&mut admin, &url, "code")), "The token endpoint cannot be asked");
    assert_eq!(tokens.asked(), []);

    let back = "/api/v1/database/oauth2/";
    assert_eq!(wrong(&admin.get(&format!("{back}?error=access_denied&state=x"))), "access_denied");
    let without = admin.get(back);
    let error = &without.json()["errors"][0];
    assert_eq!((without.status, &error["message"]), (500, &json!("'state'")), "{}", without.text());
    let forged = admin.get(&format!("{back}?code=1&state=xx"));
    assert_eq!((forged.status, forged.text()), (422, "{\"msg\":\"Not enough segments\"}\n".to_owned()));
    let state = argument(&url, "state").replace("%2E", ".");
    let (signed, _) = state.rsplit_once('.').unwrap();
    let forged = admin.get(&format!("{back}?code=1&state={signed}.AAAA"));
    assert_eq!(forged.text(), "{\"msg\":\"Signature verification failed\"}\n");
    // no token of the API
    let mut bearer = server.anonymous();
    bearer.headers = vec![("authorization".into(), format!("Bearer {state}"))];
    assert_eq!(bearer.send("GET", "/api/v1/me/roles/", None).status, 401);
    assert_eq!(bearer.send("GET", "/api/v1/database/", None).text(), "{\"msg\":\"Missing claim: sub\"}\n");
}

#[test]
fn a_client_of_the_configuration_on_sqlite() {
    a_client_of_the_configuration(|settings| {
        let server = Server::start_with_settings("oauth2-config", settings);
        let metadata = Metadata::Sqlite(server.home.join("data/superset.db"));
        (server, metadata)
    });
}

#[test]
fn a_client_of_the_configuration_on_postgresql() {
    if let Some(metadata) = Metadata::on_postgres("oauth2") {
        a_client_of_the_configuration_on(metadata);
    }
}

#[test]
fn a_client_of_the_configuration_on_mysql() {
    if let Some(metadata) = Metadata::on_mysql("oauth2") {
        a_client_of_the_configuration_on(metadata);
    }
}

fn a_client_of_the_configuration_on(metadata: Metadata) {
    a_client_of_the_configuration(|settings| {
        let home = scratch("oauth2-config");
        let mut command = metadata.prepared(&home)(&["run"]);
        (Server::start_with(command.envs(settings.iter().copied()), home), metadata)
    });
}

fn a_client_of_the_configuration(start: impl FnOnce(&[(&str, &str)]) -> (Server, Metadata)) {
    let Some(trino) = EngineServer::trino_with_proofs() else { return };
    let tokens = TokenServer::start();
    let client = json!({"Trino": {
        "id": "all", "secret": "hush", "scope": "openid", "authorization_request_uri": "https://auth.example/a",
        "token_request_uri": format!("http://localhost:{}/token", tokens.port),
    }});
    let client = client.to_string();
    let settings = [
        ("LITESET_RATELIMIT_ENABLED", "false"),
        ("LITESET_DATABASE_OAUTH2_CLIENTS", client.as_str()),
        ("LITESET_DATABASE_OAUTH2_JWT_ALGORITHM", "HS512"),
        ("LITESET_DATABASE_OAUTH2_REDIRECT_URI", "https://proxy.example/back"),
    ];
    let (server, metadata) = start(&settings);
    let mut admin = server.admin();
    let body = json!({"database_name": "all", "impersonate_user": true,
                      "sqlalchemy_uri": format!("trino://127.0.0.1:{}/hive/web", trino.port)});
    let made = admin.post("/api/v1/database/", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let found = admin.get("/api/v1/database/?q=(filters:!((col:database_name,opr:eq,value:all)))").json();
    assert_eq!(found["result"][0]["engine_information"]["supports_oauth2"], true, "{found}");
    let path = format!("/api/v1/database/{}/catalogs/", made.json()["id"]);
    let (url, _, own) = invitation(&admin.get(&path));
    assert_eq!(own, format!("{}/api/v1/database/oauth2/", server.base));
    assert_eq!(argument(&url, "redirect_uri"), "https://proxy.example/back");
    // whoever comes through a proxy has no session here
    let mut nobody = server.anonymous();
    assert_eq!(come_back(&mut nobody, &url, "c%26d").status, 200);
    let (content_type, asked) = tokens.asked().pop().unwrap();
    assert_eq!(content_type, "application/x-www-form-urlencoded");
    assert_eq!(
        asked,
        "code=c%26d&client_id=all&client_secret=hush&redirect_uri=https%3A%2F%2Fproxy.example%2Fback\
         &grant_type=authorization_code"
    );
    assert_eq!(admin.get(&path).json()["result"], json!(["hive", "system"]));

    // it ends, and gets another of itself
    let expired = "UPDATE database_user_oauth2_tokens SET access_token_expiration = '2020-01-01 00:00:00.000000' \
                   WHERE refresh_token IS NOT NULL";
    let ends = "SELECT CAST(count(*) AS CHAR(1)) FROM database_user_oauth2_tokens WHERE access_token_expiration < \
                '2021-01-01 00:00:00.000000'";
    metadata.run(expired);
    assert_eq!(metadata.texts(ends), ["1"]);
    assert_eq!(admin.get(&path).status, 200);
    assert_eq!(metadata.texts(ends), ["0"]);
    let (_, asked) = tokens.asked().pop().unwrap();
    assert_eq!(asked, "client_id=all&client_secret=hush&refresh_token=again1&grant_type=refresh_token");
    // or is forgotten when it has nothing to get one with
    metadata.run("UPDATE database_user_oauth2_tokens SET refresh_token = NULL");
    metadata
        .run("UPDATE database_user_oauth2_tokens SET access_token_expiration = '2020-01-01 00:00:00.000000'");
    invitation(&admin.get(&path));
    assert_eq!(
        metadata.texts("SELECT CAST(id AS TEXT) FROM database_user_oauth2_tokens"),
        Vec::<String>::new()
    );
    drop(server);
}
