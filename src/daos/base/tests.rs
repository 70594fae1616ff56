use infra::db::{Db, DbUri, Executor, Sql};

use super::*;
use crate::tables::{SLICES, USERS};

/// A metadata database with two users and `charts` charts, each owned by both and on one dashboard.
async fn database(charts: i64) -> (Db, std::path::PathBuf) {
    let path = std::env::temp_dir().join(format!("liteset-daos-{}-{charts}.db", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let db = Db::connect(&DbUri::Sqlite { path: path.clone() }, 2).await.unwrap();
    for sql in [
        "CREATE TABLE ab_user (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, username TEXT)",
        "CREATE TABLE slices (id INTEGER PRIMARY KEY, slice_name TEXT, created_by_fk INTEGER, uuid BLOB)",
        "CREATE TABLE slice_user (id INTEGER PRIMARY KEY, slice_id INTEGER, user_id INTEGER)",
        "CREATE TABLE dashboards (id INTEGER PRIMARY KEY, dashboard_title TEXT)",
        "CREATE TABLE dashboard_slices (id INTEGER PRIMARY KEY, dashboard_id INTEGER, slice_id INTEGER)",
        "INSERT INTO ab_user VALUES (1, 'Ada', 'L', 'ada'), (2, 'Bob', 'M', 'bob')",
        "INSERT INTO dashboards VALUES (7, 'Board')",
    ] {
        db.execute(Sql::new(sql)).await.unwrap();
    }
    for id in 1..=charts {
        let creator = (id % 2 == 1).then_some(1_i64);
        let row = Sql::new("INSERT INTO slices (id, slice_name, created_by_fk) VALUES (?, ?, ?)");
        db.execute(row.bind(id).bind(format!("chart {id}")).bind(creator)).await.unwrap();
        for user in [2_i64, 1] {
            let link =
                Sql::new("INSERT INTO slice_user (slice_id, user_id) VALUES (?, ?)").bind(id).bind(user);
            db.execute(link).await.unwrap();
        }
        let link = Sql::new("INSERT INTO dashboard_slices (dashboard_id, slice_id) VALUES (7, ?)").bind(id);
        db.execute(link).await.unwrap();
    }
    (db, path)
}

fn selection() -> Selection {
    let paths = ["slice_name", "created_by.first_name", "owners.username", "dashboards.dashboard_title"];
    Selection::with_paths(&SLICES, paths)
}

#[tokio::test]
async fn a_list_takes_as_many_statements_for_one_row_as_for_fifty() {
    let mut counts = Vec::new();
    for charts in [1, 50] {
        let (db, path) = database(charts).await;
        let before = db.statement_count();
        assert_eq!(count(&db, &SLICES, &[]).await.unwrap(), charts);
        let rows = fetch(&db, &selection(), &Query::default()).await.unwrap();
        assert_eq!(rows.len() as i64, charts);
        counts.push(db.statement_count() - before);
        let _ = std::fs::remove_file(path);
    }
    // one for the count, one for the rows with their to-one relations, one per to-many relation
    assert_eq!(counts, [4, 4]);
}

#[tokio::test]
async fn relations_belong_to_their_rows() {
    let (db, path) = database(3).await;
    let order = vec![
        Order { path: "created_by.first_name".into(), descending: true },
        Order { path: "id".into(), descending: true },
    ];
    let condition = Sql::new("slices.id IN (SELECT slice_id FROM slice_user WHERE user_id = ?)").bind(2_i64);
    let query = Query { order, limit: Some(2), offset: 0, ..Query::filter(condition) };
    let rows = fetch(&db, &selection(), &query).await.unwrap();
    let ids: Vec<i64> = rows.iter().filter_map(|r| r.get("id")).collect();
    assert_eq!(ids, [3, 1]);
    let first = &rows[0];
    assert_eq!(first.one("created_by").unwrap().text("first_name"), "Ada");
    let owners: Vec<String> = first.many("owners").iter().map(|o| o.text("username")).collect();
    assert_eq!(owners, ["bob", "ada"]);
    assert_eq!(first.many("dashboards")[0].text("dashboard_title"), "Board");

    // a page of the table alone, which is found before its relations are joined
    let order = ["slice_name", "id"].map(|path| Order { path: path.into(), descending: true });
    let condition = Sql::new("slices.id IN (SELECT slice_id FROM slice_user WHERE user_id = ?)").bind(1_i64);
    let query = Query { order: order.into(), limit: Some(1), offset: 1, ..Query::filter(condition) };
    assert!(is_paged(&selection(), &query));
    let rows = fetch(&db, &selection(), &query).await.unwrap();
    let ids: Vec<i64> = rows.iter().filter_map(|r| r.get("id")).collect();
    assert_eq!((ids, rows[0].many("owners").len()), (vec![2], 2));
    assert!(rows[0].one("created_by").is_none());

    let second = find(&db, &selection(), 2_i64.into(), Vec::new()).await.unwrap().unwrap();
    assert!(second.one("created_by").is_none());
    assert!(find(&db, &selection(), 99_i64.into(), Vec::new()).await.unwrap().is_none());
    let (n, values) =
        distinct(&db, &USERS, "last_name", &Query { limit: Some(1), ..Query::default() }).await.unwrap();
    assert_eq!((n, values), (2, vec!["L".into()]));
    let _ = std::fs::remove_file(path);
}
