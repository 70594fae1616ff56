//! Pictures of cards: the addresses in lists, the cache, and what is said where no picture can be taken.

use std::process::Command;

use infra::picture;
use serde_json::json;

use crate::screenshots::{SETTINGS, chromium_is_there, wait_for};
use crate::support::{Client, Installation, Server, command, scratch};

const LIST: &str = "?q=(columns:!(id,thumbnail_url))";

/// The address of the first chart's or dashboard's picture.
fn address(client: &mut Client, kind: &str) -> String {
    let list = client.get(&format!("/api/v1/{kind}/{LIST}")).json();
    list["result"][0]["thumbnail_url"].as_str().unwrap().to_owned()
}

#[test]
fn without_the_flag_there_are_no_pictures_for_anybody() {
    let server = Server::start("no-thumbnails");
    let (mut admin, mut nobody) = (server.admin(), server.anonymous());
    for client in [&mut admin, &mut nobody] {
        for path in [
            "/api/v1/chart/1/thumbnail/x/",
            "/api/v1/chart/1/screenshot/x/",
            "/api/v1/chart/1/cache_screenshot/",
            "/api/v1/dashboard/1/thumbnail/x/",
            "/api/v1/dashboard/1/screenshot/x/",
        ] {
            let answer = client.get(path);
            assert_eq!((answer.status, answer.json()), (404, json!({"message": "Not found"})), "{path}");
        }
    }
    assert!(address(&mut admin, "chart").starts_with("/api/v1/chart/"), "lists have addresses nevertheless");
}

fn versions(installation: &Installation) {
    let mut admin = installation.server.admin();
    for kind in ["chart", "dashboard"] {
        let id = if kind == "chart" { installation.chart } else { installation.dashboard };
        let in_list = address(&mut admin, kind);
        let shown = admin.get(&format!("/api/v1/{kind}/{id}")).json();
        assert_eq!(shown["result"]["thumbnail_url"], json!(in_list));
        let body = if kind == "chart" { json!({"params": "{\"a\": 1}"}) } else { json!({"css": "a {}"}) };
        assert_eq!(admin.put(&format!("/api/v1/{kind}/{id}"), &body).status, 200);
        let changed = address(&mut admin, kind);
        assert_ne!(changed, in_list, "another version");
        // another name of a chart is another dashboard
        if kind == "dashboard" {
            let body = json!({"slice_name": "it's \"own\" – é"});
            assert_eq!(admin.put(&format!("/api/v1/chart/{}", installation.chart), &body).status, 200);
            assert_ne!(address(&mut admin, kind), changed);
        }
    }
}

#[test]
fn the_address_changes_with_what_is_to_be_seen() {
    versions(&Installation::on_sqlite("thumbnail-versions"));
}

#[test]
fn the_address_changes_with_what_is_to_be_seen_on_postgres() {
    if let Some(installation) = Installation::on_postgres("thumbnail_versions") {
        versions(&installation);
    }
}

#[test]
fn the_address_changes_with_what_is_to_be_seen_on_mysql() {
    if let Some(installation) = Installation::on_mysql("thumbnail_versions") {
        versions(&installation);
    }
}

#[test]
fn an_old_version_leads_to_the_new_one() {
    let settings = [&SETTINGS[..], &[("LITESET_CHROMIUM", "/nowhere/chromium")]].concat();
    let server = Server::start_with_settings("thumbnail-redirect", &settings);
    let mut admin = server.admin();
    for kind in ["chart", "dashboard"] {
        let current = address(&mut admin, kind);
        let old = current.trim_end_matches('/').rsplit_once('/').unwrap().0.to_owned() + "/1234/";
        let answer = admin.get(&old);
        assert_eq!((answer.status, answer.header("location")), (302, current.as_str()));
        assert_eq!(admin.get(&format!("/api/v1/{kind}/99999/thumbnail/1234/")).status, 404);
        assert_eq!(admin.get(&format!("/api/v1/{kind}/x/thumbnail/1234/")).status, 404);
        assert_eq!(server.anonymous().get(&current).status, 401);
        let wrong = format!("{current}?q=(force:1)");
        assert_eq!(admin.get(&wrong).status, 400);
    }
}

#[test]
fn without_chromium_it_is_said_what_to_install_and_nothing_else_suffers() {
    let settings = [&SETTINGS[..], &[("LITESET_CHROMIUM", "/nowhere/chromium")]].concat();
    let server = Server::start_with_settings("no-chromium", &settings);
    let mut admin = server.admin();
    let current = address(&mut admin, "chart");
    let first = admin.get(&current);
    assert_eq!((first.status, &first.json()["task_status"]), (202, &json!("Pending")));
    wait_for("the failure", || (admin.get(&current).status == 404).then_some(()));
    let log = server.log();
    assert!(log.contains("/nowhere/chromium") && log.contains("apt install chromium"), "{log}");
    // it is not tried again and again
    assert_eq!(admin.get(&current).status, 404);
    assert_eq!(
        server.log().matches("apt install chromium").count(),
        log.matches("apt install chromium").count()
    );
    let id = current.split('/').nth(4).unwrap().to_owned();
    let state = admin.get(&format!("/api/v1/chart/{id}/cache_screenshot/")).json();
    assert!(state["task_status"] == "Error" || state["task_status"] == "Pending", "{state}");
    assert_eq!(admin.get(&format!("/api/v1/chart/{LIST}")).status, 200);
}

#[test]
fn a_cache_that_cannot_be_written_is_a_failure_of_the_picture_alone() {
    if !chromium_is_there() {
        return;
    }
    let cache = r#"{"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": "/proc/no-room-here"}"#;
    let settings = [&SETTINGS[..], &[("LITESET_THUMBNAIL_CACHE_CONFIG", cache)]].concat();
    let server = Server::start_with_settings("thumbnail-disk-full", &settings);
    let mut admin = server.admin();
    let current = address(&mut admin, "chart");
    admin.get(&current);
    wait_for("the failure", || server.log().contains("The picture could not be kept").then_some(()));
    assert_eq!(admin.get(&current).status, 404, "known as failed");
    assert_eq!(admin.get("/health").status, 200);
}

#[test]
fn a_card_shows_its_picture_also_after_a_restart() {
    if !chromium_is_there() {
        return;
    }
    let server = Server::start_with_settings("thumbnails", &SETTINGS);
    let mut admin = server.admin();
    let mut kept = Vec::new();
    for kind in ["chart", "dashboard"] {
        let current = address(&mut admin, kind);
        assert_eq!(admin.get(&current).status, 202);
        let image = wait_for("a picture", || Some(admin.get(&current)).filter(|answer| answer.status == 200));
        assert_eq!(image.header("content-type"), "image/png");
        assert_eq!(picture::size(&image.body), Some((800, 600)), "{kind}");
        assert!(image.body.len() > 6_000, "{kind}: {} bytes: there is nothing in it", image.body.len());
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            std::fs::write(std::path::Path::new(&folder).join(format!("thumbnail-{kind}.png")), &image.body)
                .unwrap();
        }
        kept.push((current, image.body));
    }
    let data = server.home.join("data");
    assert!(data.join("thumbnails").is_dir());
    // another process on what the first has left
    let moved = scratch("thumbnails-again");
    let copied = Command::new("cp").arg("-a").arg(&data).arg(moved.join("data")).status().unwrap();
    assert!(copied.success());
    drop(server);
    let mut run = command(&moved);
    run.args(["run", "--home", moved.join("data").to_str().unwrap()]).envs(SETTINGS);
    let again = Server::start_with(&mut run, moved);
    let mut admin = again.admin();
    for (current, image) in kept {
        let answer = admin.get(&current);
        assert_eq!((answer.status, answer.body == image), (200, true), "{current}");
    }
}
