//! Below a path of a host: `SUPERSET_APP_ROOT`, and proxies that take a path off and say so (`X-Forwarded-Prefix`).

use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, Server};

const ROOT: &str = "/bi";

/// What a page tells its frontend.
fn bootstrap(page: &str) -> Value {
    let data = page.split("data-bootstrap=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let data = data.replace("&#34;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">");
    serde_json::from_str(&data.replace("&amp;", "&")).unwrap()
}

/// The addresses of a page's scripts.
fn scripts(page: &str) -> Vec<&str> {
    page.split("<script src=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

fn location(client: &mut Client, path: &str) -> String {
    client.get(path).header("location").to_owned()
}

#[test]
fn everything_is_below_the_root() {
    let settings = [("SUPERSET_APP_ROOT", ROOT), ("SUPERSET_FEATURE_THUMBNAILS", "true")];
    let mut server = Server::start_with_settings("app-root", &settings);
    let mut outside = server.anonymous();
    for path in ["/", "/health", "/superset/welcome/", "/api/v1/chart/", "/bix", "/bihealth", "/x/bi/health"]
    {
        let answer = outside.get(path);
        let is_bare =
            answer.text().starts_with("<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>");
        assert!(answer.status == 404 && is_bare, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("set-cookie"), "");
    }
    let host = server.base.clone();
    server.base.push_str(ROOT);
    let mut nobody = server.anonymous();
    let bare = nobody.get("");
    assert_eq!((bare.status, bare.header("location")), (308, &*format!("{host}/bi/")));
    assert_eq!(nobody.get("/health").text(), "OK");
    for (path, to) in [
        ("/", "/bi/superset/welcome/"),
        ("/superset/welcome/", "/bi/login/?next=%2Fsuperset%2Fwelcome%2F"),
        ("/chart/list/", &*format!("/bi/login/?next={host}/bi/chart/list/")),
        ("/logout/", "/bi/"),
        ("/api/v1/chart", &*format!("{host}/bi/api/v1/chart/")),
        ("//evil.example", ""),
    ] {
        assert_eq!(location(&mut nobody, path), to, "{path}");
    }
    let page = nobody.get("/login/").text();
    assert!(scripts(&page).iter().all(|src| src.starts_with("/bi/static/assets/")), "{page}");
    let script = scripts(&page)[0].strip_prefix(ROOT).unwrap().to_owned();
    assert_eq!(nobody.get(&script).status, 200);
    // where the log-in page was told to lead: a path without the root, and one with it
    let token = page.split("id=\"csrf_token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let form = [("username", "admin"), ("password", PASSWORD), ("csrf_token", token.unwrap())];
    let answer = nobody.post_form("/login/?next=%2Fsuperset%2Fwelcome%2F", &form);
    assert_eq!((answer.status, answer.header("location")), (302, "/bi/superset/welcome/"));
    let cookie = answer.headers.iter().find(|(k, v)| k == "set-cookie" && v.starts_with("session="));
    assert!(cookie.is_some_and(|(_, v)| v.contains("; Path=/bi")), "{:?}", answer.headers);
    let mut admin = server.admin();
    let data = bootstrap(&admin.get("/superset/welcome/").text());
    let common = &data["common"];
    assert_eq!(
        (&common["application_root"], &common["static_assets_prefix"]),
        (&json!("/bi"), &json!("/bi"))
    );
    let menu = &common["menu_data"];
    let right = &menu["navbar_right"];
    assert_eq!(menu["brand"]["path"], "/bi/superset/welcome/");
    assert_eq!(
        (&right["user_logout_url"], &right["user_info_url"]),
        (&json!("/bi/logout/"), &json!("/user_info/"))
    );
    let urls = menu["menu"].to_string();
    assert!(urls.contains("\"/bi/dashboard/list/\"") && urls.contains("\"/bi/sqllab/\""), "{urls}");
    assert!(urls.contains("\"/superset/welcome/\"") || !urls.contains("Home"), "{urls}");
    assert_eq!(
        location(&mut admin, "/superset/slice/1/"),
        "/bi/explore/?form_data=%257B%2522slice_id%2522%253A%25201%257D"
    );
    assert_eq!(location(&mut admin, "/superset/explore/?slice_id=1"), "/bi/explore/?slice_id=1");
    // lists hold paths of the frontend, which puts the root before them itself
    let list = admin.get("/api/v1/dashboard/").json();
    assert!(list["result"][0]["url"].as_str().unwrap().starts_with("/superset/dashboard/"), "{list}");
    let made = admin.post("/api/v1/dashboard/1/permalink", &json!({"dataMask": {}, "activeTabs": []}));
    let link = made.json()["url"].as_str().unwrap().to_owned();
    let path = link.strip_prefix(&server.base).unwrap();
    assert!(path.starts_with("/superset/dashboard/p/"), "{link}");
    assert!(location(&mut admin, path).starts_with("/bi/superset/dashboard/"));
    let wrong = admin.get("/api/v1/chart/1/thumbnail/nonsense/");
    assert!(wrong.header("location").starts_with("/bi/api/v1/chart/1/thumbnail/"), "{wrong:?}");
    let swagger = admin.get("/swagger/v1").text();
    assert!(
        swagger.contains("data-url=\"/bi/api/v1/_openapi\"") && !swagger.contains("href=\"/static"),
        "{swagger}"
    );
    let users = admin.get("/users/userinfo/").text();
    assert!(users.contains("\"/bi/users/action/userinfoedit/"), "{users}");
}

#[test]
fn a_root_that_is_no_path_stops_the_start() {
    let home = crate::support::scratch("bad-root");
    let mut command = crate::support::command(&home);
    command.env("SUPERSET_APP_ROOT", "bi").args(["config", "check"]);
    let said = crate::support::run_to_end(&mut command);
    let text = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(!said.status.success() && text.contains("SUPERSET_APP_ROOT is the path"), "{text}");
}

fn behind(client: &mut Client, prefix: &str, path: &str) -> Answer {
    client.headers = vec![("x-forwarded-prefix".to_owned(), prefix.to_owned())];
    client.send("GET", path, None)
}

#[test]
fn a_proxy_names_its_path_where_it_is_believed() {
    let server = Server::start_with_settings("forwarded-prefix", &[("LITESET_ENABLE_PROXY_FIX", "true")]);
    let mut admin = server.admin();
    let to = |client: &mut Client, prefix: &str, path: &str| {
        behind(client, prefix, path).header("location").to_owned()
    };
    assert_eq!(to(&mut admin, "/bi", "/"), "/bi/superset/welcome/");
    assert_eq!(to(&mut admin, "/evil, /bi/", "/"), "/bi/superset/welcome/");
    assert_eq!(behind(&mut admin, "/bi", "/bi/superset/welcome/").status, 404, "the proxy takes it off");
    let page = behind(&mut admin, "/bi", "/superset/welcome/").text();
    assert!(scripts(&page).iter().all(|src| src.starts_with("/bi/static/assets/")), "{page}");
    let common = &bootstrap(&page)["common"];
    assert_eq!(
        (&common["application_root"], &common["static_assets_prefix"]),
        (&json!("/bi"), &json!("/bi"))
    );
    let page = behind(&mut admin, "", "/superset/welcome/").text();
    assert_eq!(bootstrap(&page)["common"]["application_root"], "/");
    let mut nobody = server.anonymous();
    let next = format!("/bi/login/?next={}/bi/chart/list/", server.base);
    assert_eq!(to(&mut nobody, "/bi", "/chart/list/"), next);
    // what means more than a path is not taken
    for bad in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a\"><script>alert(1)</script>",
        "/a'b",
        "/..",
        "/a?b",
    ] {
        assert_eq!(to(&mut admin, bad, "/"), "/superset/welcome/", "{bad}");
        let page = behind(&mut admin, bad, "/superset/welcome/").text();
        assert!(!page.contains("evil.example") && !page.contains("alert(1)"), "{bad}");
        assert_eq!(bootstrap(&page)["common"]["application_root"], "/", "{bad}");
    }
}

#[test]
fn a_strangers_prefix_is_not_taken() {
    for settings in [
        &[][..],
        &[
            ("LITESET_ENABLE_PROXY_FIX", "true"),
            ("LITESET_PROXY_FIX_CONFIG", "{\"x_for\": 1, \"x_prefix\": 0}"),
        ],
    ] {
        let server = Server::start_with_settings("strange-prefix", settings);
        let mut nobody = server.anonymous();
        assert_eq!(behind(&mut nobody, "/bi", "/").header("location"), "/superset/welcome/");
        let page = behind(&mut nobody, "/bi", "/login/").text();
        assert!(scripts(&page).iter().all(|src| src.starts_with("/static/")), "{page}");
    }
}

/// The configuration's own words are told to the frontend, whatever the proxy says.
#[test]
fn what_the_configuration_names_goes_first() {
    let settings = [
        ("LITESET_ENABLE_PROXY_FIX", "true"),
        ("LITESET_APPLICATION_ROOT", "/named"),
        ("LITESET_STATIC_ASSETS_PREFIX", "https://cdn.example"),
    ];
    let server = Server::start_with_settings("named-root", &settings);
    let mut admin = server.admin();
    let answer = behind(&mut admin, "/bi", "/superset/welcome/");
    let page = answer.text();
    assert!(scripts(&page).iter().all(|src| src.starts_with("https://cdn.example/static/")), "{page}");
    let common = &bootstrap(&page)["common"];
    assert_eq!(common["application_root"], "/named");
    assert!(common["menu_data"]["menu"].to_string().contains("\"/bi/dashboard/list/\""));
    assert_eq!(
        behind(&mut admin, "", "/").header("location"),
        "/superset/welcome/",
        "no request is below it"
    );
}
