//! Charts asked for their data before people do (`superset.tasks.cache`): inside the process, by the command behind
//! `PUT /api/v1/chart/warm_up_cache`.

use std::{collections::HashMap, fmt, sync::Arc};

use chrono::NaiveDateTime;
use daos::{
    chart::{self, Chart},
    person::{self, Owned},
    warm_up as rows,
};
use infra::{Error, Result, clock};
use query::time_range::parse_human_datetime;
use serde_json::{Map, Value};

use crate::{
    Caller, Services,
    access::executor::{self, RelatedUsers},
    chart_data::WarmUp,
};

/// Which charts.
#[derive(Debug, Clone, PartialEq)]
pub enum Strategy {
    /// All.
    Dummy,
    /// Those of the dashboards that were looked at most.
    TopDashboards {
        /// So many dashboards.
        top_n: i64,
        /// Looked at since then, in words; none finds nothing, as in Superset.
        since: Option<String>,
    },
    /// Those of dashboards with one of the tags, and charts with one.
    DashboardTags(Vec<String>),
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dummy => "dummy",
            Self::TopDashboards { .. } => "top_n_dashboards",
            Self::DashboardTags(_) => "dashboard_tags",
        })
    }
}

impl Strategy {
    /// Reads the arguments of an entry of the beat.
    pub fn read(kwargs: &Map<String, Value>, args: Option<&Value>) -> Result<Self, String> {
        let positional = args.and_then(Value::as_array).cloned().unwrap_or_default();
        let get = |name: &str, at: usize| kwargs.get(name).or_else(|| positional.get(at));
        // the name comes first, by name or by place
        let shift = usize::from(!kwargs.contains_key("strategy_name"));
        let name = get("strategy_name", 0).and_then(Value::as_str).unwrap_or_default();
        match name {
            "dummy" => Ok(Self::Dummy),
            "top_n_dashboards" => {
                let top_n = get("top_n", shift).and_then(Value::as_i64).unwrap_or(5).max(0);
                let since = match get("since", shift + 1) {
                    None => Some("7 days ago".to_owned()),
                    Some(since) => since.as_str().filter(|since| !since.is_empty()).map(str::to_owned),
                };
                Ok(Self::TopDashboards { top_n, since })
            }
            "dashboard_tags" => {
                let tags = get("tags", shift).and_then(Value::as_array).into_iter().flatten();
                Ok(Self::DashboardTags(tags.filter_map(Value::as_str).map(str::to_owned).collect()))
            }
            other => Err(format!("No strategy {other} found!")),
        }
    }

    /// What is to be warmed up, in the order of the original.
    pub async fn tasks(&self, app: &Services) -> Result<Vec<WarmUpTask>> {
        let db = app.db.exec();
        // a chart, and the dashboard whose filters apply
        let mut wanted: Vec<(i64, Option<i64>)> = Vec::new();
        match self {
            Self::Dummy => {
                let ids = rows::all_charts(db).await?;
                wanted.extend(ids.into_iter().map(|id| (id, None)));
            }
            Self::TopDashboards { top_n, since } => {
                let Some(since) = since else { return Ok(Vec::new()) };
                for dashboard in rows::top_dashboards(db, moment(since)?, *top_n).await? {
                    let charts = chart::of_dashboard(db, dashboard).await?;
                    wanted.extend(charts.into_iter().map(|chart| (chart.id, Some(dashboard))));
                }
            }
            Self::DashboardTags(tags) => {
                for dashboard in rows::tagged(db, "dashboard", tags).await? {
                    let charts = chart::of_dashboard(db, dashboard).await?;
                    wanted.extend(charts.into_iter().map(|chart| (chart.id, None)));
                }
                let charts = rows::tagged(db, "chart", tags).await?;
                wanted.extend(charts.into_iter().map(|id| (id, None)));
            }
        }
        with_users(app, wanted).await
    }
}

fn moment(words: &str) -> Result<NaiveDateTime> {
    let moment =
        parse_human_datetime(words, clock::now()).map_err(|error| Error::bad_request(error.to_string()))?;
    Ok(moment.wall)
}

/// A chart to be warmed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarmUpTask {
    /// The chart.
    pub chart_id: i64,
    /// The dashboard whose default filters apply.
    pub dashboard_id: Option<i64>,
    /// As whom; none when `CACHE_WARMUP_EXECUTORS` names nobody, and then nothing is done.
    pub username: Option<String>,
}

async fn with_users(app: &Services, wanted: Vec<(i64, Option<i64>)>) -> Result<Vec<WarmUpTask>> {
    let db = app.db.exec();
    let mut ids: Vec<i64> = wanted.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    let owners = person::owners(db, Owned::Chart, &ids).await?;
    let charts: HashMap<i64, Chart> =
        chart::find_many(db, &ids).await?.into_iter().map(|chart| (chart.id, chart)).collect();
    let authors: Vec<i64> =
        charts.values().flat_map(|chart| [chart.created_by_fk, chart.changed_by_fk]).flatten().collect();
    let authors = person::find_many(db, &authors).await?;
    let author = |id: Option<i64>| id.and_then(|id| Some((id, authors.get(&id)?.username.clone())));
    let mut tasks = Vec::new();
    for (chart_id, dashboard_id) in wanted {
        let Some(chart) = charts.get(&chart_id) else { continue };
        let owners = owners.get(&chart_id).into_iter().flatten();
        let related_users = RelatedUsers {
            owners: owners.map(|owner| (owner.id, owner.username.clone())).collect(),
            created_by: author(chart.created_by_fk),
            changed_by: author(chart.changed_by_fk),
        };
        let chosen = executor::choose(&app.config, "CACHE_WARMUP_EXECUTORS", &related_users, None);
        let username = chosen.ok().map(|(_, name)| name.to_owned());
        tasks.push(WarmUpTask { chart_id, dashboard_id, username });
    }
    Ok(tasks)
}

/// Warms up, one chart after the other; what goes wrong with one does not end the others.
pub(super) async fn run(app: &Arc<Services>, strategy: &Strategy) -> Result<()> {
    let tasks = strategy.tasks(app).await?;
    let mut users: HashMap<&str, Option<Caller>> = HashMap::new();
    let (mut warmed, mut failed, mut nobody) = (0, 0, 0);
    for task in &tasks {
        let caller = match task.username.as_deref() {
            None => None,
            Some(name) => match users.get(name) {
                Some(known) => known.clone(),
                None => {
                    let found = executor::find_user(app, name).await?.map(|user| Caller::new(app, user));
                    users.insert(name, found.clone());
                    found
                }
            },
        };
        let Some(caller) = caller else {
            nobody += 1;
            continue;
        };
        let warm_up = WarmUp { dashboard_id: task.dashboard_id, extra_filters: None };
        let outcome = Box::pin(warm_up.chart(&caller, task.chart_id)).await;
        match outcome.ok().and_then(|outcome| outcome.get(0)?.get("viz_error").map(Value::is_null)) {
            Some(true) => warmed += 1,
            _ => failed += 1,
        }
    }
    tracing::info!(%strategy, warmed, failed, nobody, "charts were warmed up");
    if warmed == 0 && failed > 0 {
        return Err(Error::internal(format!("none of {failed} charts could be warmed up")));
    }
    if warmed == 0 && nobody > 0 {
        let text = format!("CACHE_WARMUP_EXECUTORS names nobody for any of {nobody} charts");
        return Err(Error::internal(text));
    }
    Ok(())
}
