//! On the server that `LITESET_TEST_MYSQL` names, in temporary tables.

use chrono::{NaiveDate, NaiveDateTime};
use uuid::Uuid;

use super::*;
use crate::db::{Db, Executor as _};

/// A pool of so many connections, if there is a server.
async fn server(connections: usize) -> Option<Db> {
    let Ok(uri) = std::env::var("LITESET_TEST_MYSQL") else {
        eprintln!("skipped: LITESET_TEST_MYSQL is not set");
        return None;
    };
    Some(Db::connect(&uri.parse().unwrap(), connections).await.unwrap())
}

fn noon() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap().and_hms_micro_opt(12, 0, 5, 700_000).unwrap()
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    let Some(db) = server(2).await else { return };
    let tx = db.begin().await.unwrap();
    let table = "CREATE TEMPORARY TABLE liteset_values (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, \
                 yes tinyint(1), \"rank\" bigint, f double, few float, n decimal(20,6), t mediumtext, b mediumblob, \
                 u binary(16), m datetime, UNIQUE (u)) CHARACTER SET utf8mb4";
    tx.execute(Sql::new(table)).await.unwrap();
    let (uuid, long) = (Uuid::from_u128(7), "ü🙂".repeat(40_000));
    let values = || {
        vec![
            ("yes", true.into()),
            ("rank", i64::MIN.into()),
            ("f", 0.1.into()),
            ("few", 1_234_567.891.into()),
            ("n", 1_795_212_350_450.105.into()),
            ("t", long.as_str().into()),
            ("b", vec![0_u8, 255].into()),
            ("u", uuid.into()),
            ("m", noon().into()),
        ]
    };
    assert_eq!(tx.exec().insert_row("liteset_values", values()).await.unwrap(), 1);
    let row =
        tx.query(Sql::new("SELECT * FROM liteset_values WHERE u = ? AND yes = ?").bind(uuid).bind(true));
    let row = row.await.unwrap().remove(0);
    assert!(row.get::<bool>("yes").unwrap());
    assert_eq!(row.get::<i64>("rank").unwrap(), i64::MIN);
    assert!((row.get::<f64>("f").unwrap() - 0.1).abs() < f64::EPSILON);
    // as the server itself writes it
    assert_eq!(row.get::<String>("few").unwrap(), "1234570");
    assert_eq!(row.get::<String>("n").unwrap(), "1795212350450.105000");
    assert_eq!(row.get::<String>("t").unwrap(), long);
    assert_eq!(row.get::<Vec<u8>>("b").unwrap(), [0, 255]);
    assert_eq!(row.get::<Uuid>("u").unwrap(), uuid);
    assert_eq!(row.get::<NaiveDateTime>("m").unwrap(), noon() - chrono::TimeDelta::milliseconds(700));
    // the fraction counts where it is compared
    let later = Sql::new("SELECT 1 FROM liteset_values WHERE m < ?").bind(noon());
    assert_eq!(tx.query(later).await.unwrap().len(), 1);
    let twice = tx.exec().insert_row("liteset_values", values()).await.unwrap_err();
    assert!(matches!(twice, DbError::Integrity(ref text) if text.starts_with("(1062, ")), "{twice:?}");
    let null = tx.exec().insert_row("liteset_values", Vec::new()).await.unwrap();
    let row = tx.query(Sql::new("SELECT t, m, 'a' || 'b' AS ab FROM liteset_values WHERE id = ?").bind(null));
    let row = row.await.unwrap().remove(0);
    assert_eq!((row.value("t"), row.value("m")), (&Value::Null, &Value::Null));
    assert_eq!(row.get::<String>("ab").unwrap(), "ab");
    let too_much = Sql::new("UPDATE liteset_values SET few = ?, yes = ?").bind(1.0).bind(300_i64);
    assert!(matches!(tx.execute(too_much).await, Err(DbError::OutOfRange(_))));
    // rows that are as they should be count, too
    let same = Sql::new("UPDATE liteset_values SET yes = yes");
    assert_eq!(tx.execute(same).await.unwrap(), 2);
}

#[tokio::test]
async fn statements_are_kept_and_forgotten() {
    let Some(db) = server(2).await else { return };
    let tx = db.begin().await.unwrap();
    for n in 0..400_i64 {
        let sql = Sql::new(format!("SELECT ? + {}", n % 200)).bind(n);
        assert_eq!(tx.query(sql).await.unwrap()[0].at::<i64>(0).unwrap(), n + n % 200);
    }
    let mut many = Sql::new("SELECT 7 IN ");
    many.push_list(0..5000_i64);
    assert!(tx.query(many).await.unwrap()[0].at::<bool>(0).unwrap());
    // what is no SQL harms nobody
    assert!(matches!(tx.query(Sql::new("SELEC 1")).await, Err(DbError::Query(_))));
    assert!(matches!(tx.query(Sql::new("SELECT 1; SELECT 2")).await, Err(DbError::Query(_))));
    let packet: i64 = tx.query(Sql::new("SELECT @@max_allowed_packet")).await.unwrap()[0].at(0).unwrap();
    if packet <= 64 << 20 {
        let large = "x".repeat(usize::try_from(packet).unwrap());
        let refused = tx.query(Sql::new("SELECT length(?)").bind(large)).await.unwrap_err();
        assert!(refused.to_string().contains("max_allowed_packet"), "{refused}");
    }
    assert_eq!(tx.query(Sql::new("SELECT 1")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_gives_up_leaves_nothing() {
    let Some(db) = server(2).await else { return };
    let name = format!("liteset_given_up_{}", std::process::id());
    db.execute(Sql::new(format!("CREATE TABLE {name} (id int PRIMARY KEY, v int)"))).await.unwrap();
    db.execute(Sql::new(format!("INSERT INTO {name} VALUES (1, 0)"))).await.unwrap();
    let first = db.begin().await.unwrap();
    first.execute(Sql::new(format!("UPDATE {name} SET v = 1"))).await.unwrap();
    let waiting = tokio::spawn({
        let (db, name) = (db.clone(), name.clone());
        async move {
            let tx = db.begin().await.unwrap();
            tx.execute(Sql::new(format!("UPDATE {name} SET v = 2"))).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    first.commit().await.unwrap();
    let left = db.begin().await.unwrap();
    left.execute(Sql::new(format!("UPDATE {name} SET v = v + 10"))).await.unwrap();
    drop(left);
    let mut seen = -1;
    for _ in 0..50 {
        let tx = db.begin().await.unwrap();
        let row = tx.query(Sql::new(format!("SELECT v FROM {name} WHERE id = ? FOR UPDATE")).bind(1_i64));
        seen = row.await.unwrap()[0].at(0).unwrap();
        tx.commit().await.unwrap();
        if seen == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    db.execute(Sql::new(format!("DROP TABLE {name}"))).await.unwrap();
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn an_undone_transaction_takes_no_more() {
    let Some(db) = server(3).await else { return };
    let name = format!("liteset_undone_{}", std::process::id());
    db.execute(Sql::new(format!("CREATE TABLE {name} (id int PRIMARY KEY, v int)"))).await.unwrap();
    db.execute(Sql::new(format!("INSERT INTO {name} VALUES (1, 0), (2, 0)"))).await.unwrap();
    let set = |id: i64, v: i64| Sql::new(format!("UPDATE {name} SET v = ? WHERE id = ?")).bind(v).bind(id);
    let (one, two) = (db.begin().await.unwrap(), db.begin().await.unwrap());
    one.execute(set(1, 1)).await.unwrap();
    two.execute(set(2, 2)).await.unwrap();
    let (a, b) = tokio::join!(one.execute(set(2, 1)), two.execute(set(1, 2)));
    let (lost, won) = if a.is_err() { (one, two) } else { (two, one) };
    assert!(a.is_err() != b.is_err(), "{a:?} {b:?}");
    // the server has rolled back: what followed would be kept at once
    assert!(lost.execute(set(1, 9)).await.is_err());
    assert!(lost.commit().await.is_err());
    won.commit().await.unwrap();
    let rows = db.query(Sql::new(format!("SELECT v FROM {name} ORDER BY id"))).await.unwrap();
    db.execute(Sql::new(format!("DROP TABLE {name}"))).await.unwrap();
    let found: Vec<i64> = rows.iter().map(|row| row.at(0).unwrap()).collect();
    assert!(found == [1, 1] || found == [2, 2], "{found:?}");
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let Some(db) = server(4).await else { return };
    let id = Sql::new("SELECT CONNECTION_ID()");
    let mut open = Vec::new();
    let mut held = Vec::new();
    for _ in 0..3 {
        let tx = db.begin().await.unwrap();
        open.push(tx.query(id.clone()).await.unwrap()[0].at::<i64>(0).unwrap());
        held.push(tx);
    }
    for tx in held {
        tx.commit().await.unwrap();
    }
    let other = server(2).await.unwrap();
    for id in open {
        other.execute(Sql::new(format!("KILL CONNECTION {id}"))).await.unwrap();
    }
    db.begin().await.unwrap().commit().await.unwrap();
    assert_eq!(db.query(Sql::new("SELECT 1")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let Some(_) = server(2).await else { return };
    let uri = std::env::var("LITESET_TEST_MYSQL").unwrap();
    let (place, _) = uri.rsplit_once('/').unwrap();
    let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
    for (uri, want) in [
        (format!("{place}/liteset_no_such"), "create it with CREATE DATABASE"),
        (format!("mysql://nobody:wrong@{host}/mysql"), "Access denied for user 'nobody'"),
        ("mysql://root@127.0.0.1:1/mysql".to_owned(), "refused"),
        ("mysql://root@no-such-host.invalid/mysql".to_owned(), "no host of this name"),
        ("mysql://root@/mysql?unix_socket=/nowhere/socket".to_owned(), "/nowhere/socket: "),
    ] {
        let error = Db::connect(&uri.parse().unwrap(), 2).await.err().unwrap();
        assert!(matches!(error, DbError::Unavailable(ref text) if text.contains(want)), "{uri}: {error}");
    }
}
