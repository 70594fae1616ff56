use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use daos::{report, tables::REPORT_SCHEDULES, write};
use infra::{
    config::Config,
    db::{Db, DbUri, Sql, migrate},
};
use parking_lot::Mutex;

use super::{Beat, RunReport, Runs, Settings};
use crate::{
    Services,
    state::claims::{Stage, Subject},
};

type Ran = Arc<Mutex<Vec<(i64, String)>>>;

/// A database, two or more processes over it, and a clock that is set by hand.
struct World {
    path: std::path::PathBuf,
    now: Arc<Mutex<DateTime<Utc>>>,
    ran: Ran,
    _folder: tempfile::TempDir,
}

struct Process {
    app: Arc<Services>,
    runs: Arc<Runs>,
    beat: Beat,
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

impl World {
    async fn new(now: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("superset.db");
        let db = Db::connect(&uri(&path), 2).await.unwrap();
        migrate::create(&db).await.unwrap();
        Self { path, now: Arc::new(Mutex::new(at(now))), ran: Ran::default(), _folder: folder }
    }

    fn set(&self, now: &str) {
        *self.now.lock() = at(now);
    }

    async fn process(&self) -> Process {
        let ran = self.ran.clone();
        self.process_that(Arc::new(move |_, id, due, _| {
            let ran = ran.clone();
            Box::pin(async move {
                ran.lock().push((id, due.format("%H:%M:%S").to_string()));
                Ok(())
            })
        }))
        .await
    }

    async fn process_that(&self, run: RunReport) -> Process {
        let text = format!("sqlite:///{}", self.path.display());
        let keys = [
            ("SQLALCHEMY_DATABASE_URI".to_owned(), text.into()),
            ("FEATURE_FLAGS".to_owned(), serde_json::json!({"ALERT_REPORTS": true})),
            ("REPORTS_CLAIM_LEASE".to_owned(), 2.into()),
        ];
        let config = Config::with(keys.into_iter().collect());
        let settings = Settings { grace: Duration::from_millis(10), ..Settings::from_config(&config) };
        let app = Arc::new(Services::new(config, Db::connect(&uri(&self.path), 2).await.unwrap()));
        app.processes.beat(&app.db, serde_json::Value::Null).await.unwrap();
        let runs = Runs::new(app.clone(), &settings, run);
        let now = self.now.clone();
        let clock: super::beat::Clock = Arc::new(move || *now.lock());
        let beat = Beat::with_clock(app.clone(), runs.clone(), settings, Vec::new(), clock);
        Process { app, runs, beat }
    }

    async fn schedule(&self, process: &Process, crontab: &str) -> i64 {
        let values = vec![
            ("type", "Report".into()),
            ("name", crontab.into()),
            ("crontab", crontab.into()),
            ("active", true.into()),
            ("created_on", (at("2020-01-01T00:00:00Z")).naive_utc().into()),
        ];
        let key = write::insert(process.app.db.exec(), &REPORT_SCHEDULES, values, None).await.unwrap();
        daos::rows::key(&key).unwrap()
    }

    /// What was run so far, sorted; waits until it is so much.
    async fn ran(&self, count: usize) -> Vec<String> {
        for _ in 0..2000 {
            if self.ran.lock().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut ran: Vec<String> = self.ran.lock().iter().map(|(_, due)| due.clone()).collect();
        ran.sort();
        ran
    }
}

fn uri(path: &std::path::Path) -> DbUri {
    format!("sqlite:///{}", path.display()).parse().unwrap()
}

async fn log(process: &Process) -> Vec<String> {
    let sql = "SELECT scheduled_dttm, state, error_message FROM report_execution_log ORDER BY id";
    let rows = process.app.db.exec().query(Sql::new(sql)).await.unwrap();
    rows.iter().map(|r| format!("{} {}", r.at::<String>(0).unwrap(), r.at::<String>(1).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_one_runs_a_firing() {
    let world = World::new("2026-11-29T09:00:10Z").await;
    let (first, second) = (world.process().await, world.process().await);
    world.schedule(&first, "* * * * *").await;
    for minute in ["09:00:10", "09:01:00", "09:02:00", "09:03:00"] {
        let now = at(&format!("2026-11-29T{minute}Z"));
        *world.now.lock() = now;
        let (a, b) = tokio::join!(first.beat.decide(now), second.beat.decide(now));
        a.unwrap();
        b.unwrap();
    }
    assert_eq!(world.ran(4).await, ["09:00:00", "09:01:00", "09:02:00", "09:03:00"]);
    first.runs.stop().await;
    second.runs.stop().await;
    assert!(first.app.claims.open(&first.app.db).await.unwrap().is_empty(), "all are over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_runs_late_and_once_or_is_written_off() {
    let world = World::new("2026-11-29T09:00:00Z").await;
    let process = world.process().await;
    world.schedule(&process, "*/10 * * * *").await;
    let decide = async |now: &str| {
        world.set(now);
        process.beat.decide(at(now)).await.unwrap();
    };
    decide("2026-11-29T09:00:00Z").await;
    // the laptop was closed
    decide("2026-11-29T10:06:00Z").await;
    assert_eq!(world.ran(2).await, ["09:00:00", "10:00:00"]);
    let missed = log(&process).await;
    assert_eq!(missed.len(), 5, "{missed:?}");
    assert!(missed[0].starts_with("2026-11-29 09:10:00") && missed[0].ends_with("Error"), "{missed:?}");
    decide("2026-11-29T10:07:00Z").await;
    assert_eq!((world.ran(2).await.len(), log(&process).await.len()), (2, 5), "nothing twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_jump_neither_lose_nor_double() {
    let world = World::new("2026-11-29T09:00:00Z").await;
    let process = world.process().await;
    world.schedule(&process, "*/10 * * * *").await;
    let decide = async |now: &str| {
        world.set(now);
        process.beat.decide(at(now)).await.unwrap();
    };
    decide("2026-11-29T09:00:00Z").await;
    decide("2026-11-29T12:00:30Z").await;
    assert_eq!(world.ran(3).await, ["09:00:00", "11:50:00", "12:00:00"], "three hours ahead");
    decide("2026-11-29T09:09:00Z").await;
    // what was written off meanwhile runs, on time and a little late
    decide("2026-11-29T09:10:00Z").await;
    decide("2026-11-29T09:23:00Z").await;
    assert_eq!(world.ran(5).await, ["09:00:00", "09:10:00", "09:20:00", "11:50:00", "12:00:00"]);
    for now in
        ["2026-11-29T11:49:00Z", "2026-11-29T11:50:00Z", "2026-11-29T12:00:00Z", "2026-11-29T12:10:00Z"]
    {
        decide(now).await;
    }
    let ran = world.ran(7).await;
    assert_eq!(ran.iter().filter(|due| *due == "11:50:00" || *due == "12:00:00").count(), 2, "{ran:?}");
    assert!(ran.contains(&"12:10:00".to_owned()), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_left_is_taken_over() {
    let world = World::new("2026-11-29T09:00:00Z").await;
    let endless: RunReport = Arc::new(|_, _, _, _| Box::pin(std::future::pending()));
    let gone = world.process_that(endless).await;
    let id = world.schedule(&gone, "0 9 * * *").await;
    gone.beat.decide(at("2026-11-29T09:00:00Z")).await.unwrap();
    let claim = gone.app.claims.open(&gone.app.db).await.unwrap().remove(0);
    assert_eq!((claim.stage, &claim.subject), (Stage::Running, &Subject::Schedule(id)));
    // it has put the report into the state `Working`, and is killed
    let db = gone.app.db.exec();
    let entry = report::LogEntry {
        schedule: id,
        execution: claim.name(),
        scheduled: claim.due.naive_utc(),
        now: claim.due.naive_utc(),
        state: "Working",
        message: "",
    };
    report::log(db, &entry).await.unwrap();
    db.execute(Sql::new("UPDATE report_execution_log SET error_message = NULL")).await.unwrap();
    db.execute(Sql::new("UPDATE report_schedule SET last_state = 'Working'")).await.unwrap();

    let heir = world.process().await;
    heir.beat.take_over().await;
    assert!(world.ran.lock().is_empty(), "it could be alive");
    let signs = Arc::new(AtomicUsize::new(0));
    while world.ran.lock().is_empty() {
        assert!(signs.fetch_add(1, Ordering::Relaxed) < 600, "it is not taken over");
        tokio::time::sleep(Duration::from_millis(100)).await;
        heir.beat.take_over().await;
    }
    assert_eq!(world.ran(1).await, ["09:00:00"]);
    let state = report::all_scheduled(db).await.unwrap().remove(0).last_state;
    assert_eq!(state.as_deref(), Some("Not triggered"), "the state of the dead run was taken back");
    // who was not dead finds out before it sends anything
    assert!(!gone.app.claims.confirm(&gone.app.db, claim.name()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stops_in_order_gives_its_runs_back() {
    let world = World::new("2026-11-29T09:00:00Z").await;
    let endless: RunReport = Arc::new(|_, _, _, _| Box::pin(std::future::pending()));
    let stopped = world.process_that(endless).await;
    world.schedule(&stopped, "0 9 * * *").await;
    stopped.beat.decide(at("2026-11-29T09:00:00Z")).await.unwrap();
    stopped.runs.stop().await;
    let heir = world.process().await;
    heir.beat.take_over().await;
    assert_eq!(world.ran(1).await, ["09:00:00"], "at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_is_known_to_whoever_takes_over() {
    let world = World::new("2026-11-29T09:00:00Z").await;
    let (first, second) = (world.process().await, world.process().await);
    let due = at("2026-11-29T09:00:00Z");
    let claim = first.app.claims.take(&first.app.db, Subject::Schedule(7), due, None).await.unwrap().unwrap();
    let name = claim.name();
    assert!(first.app.claims.sent(&first.app.db, name, "a@example.org").await.unwrap());
    assert!(second.app.claims.take(&second.app.db, Subject::Schedule(7), due, None).await.unwrap().is_none());
    let open = second.app.claims.open(&second.app.db).await.unwrap().remove(0);
    assert!(second.app.claims.take_over(&second.app.db, &open).await.unwrap().is_some());
    assert!(
        second.app.claims.is_sent(name, "a@example.org") && !second.app.claims.is_sent(name, "b@example.org")
    );
    assert!(!first.app.claims.sent(&first.app.db, name, "b@example.org").await.unwrap(), "not its any more");
    second.app.claims.end(&second.app.db, name, Stage::Done).await;
    let over = first.app.claims.find(&first.app.db, name).await.unwrap().unwrap();
    assert_eq!((over.stage, over.takeovers), (Stage::Done, 1));
    assert!(over.at > Utc::now() - TimeDelta::hours(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crontab_that_cannot_be_used_harms_no_other() {
    let world = World::new("2026-11-29T09:00:00Z").await;
    let process = world.process().await;
    for crontab in ["nonsense", "0 9 30 2 *", "0 9 15 * 3#1", "0 9 * * *", "0 9 * * * */20"] {
        world.schedule(&process, crontab).await;
    }
    let now = at("2026-11-29T09:00:00Z");
    let next = process.beat.decide(now).await.unwrap();
    assert_eq!(next, Some(at("2026-11-29T09:00:20Z")));
    assert_eq!(world.ran(2).await, ["09:00:00", "09:00:00"]);
}
