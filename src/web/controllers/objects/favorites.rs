//! Stars of charts and dashboards.

use commands::{
    access::{lists, ownership},
    dashboard::find,
    implicit_tags,
    tag::ObjectType,
};
use daos::{
    chart::{self, ChartKey},
    favorite::{self, Starred},
    person::Owned,
};
use infra::{Error, clock, rison::schema};
use serde_json::{Value, json};

use super::result;
use crate::{
    Cx, Handled,
    routes::{Access, Rule, rule},
};

pub(super) fn rules() -> Vec<Rule> {
    let (chart, dashboard) = (Access::Protect("can_read", "Chart"), Access::Protect("can_read", "Dashboard"));
    vec![
        rule(&["GET"], "/api/v1/chart/favorite_status/", chart, |cx| status(cx, Starred::Chart))
            .endpoint("ChartRestApi.favorite_status"),
        rule(&["POST"], "/api/v1/chart/<pk>/favorites/", chart, |cx| add(cx, Starred::Chart))
            .endpoint("ChartRestApi.add_favorite"),
        rule(&["DELETE"], "/api/v1/chart/<pk>/favorites/", chart, |cx| remove(cx, Starred::Chart))
            .endpoint("ChartRestApi.remove_favorite"),
        rule(&["GET"], "/api/v1/dashboard/favorite_status/", dashboard, |cx| status(cx, Starred::Dashboard))
            .endpoint("DashboardRestApi.favorite_status"),
        rule(&["POST"], "/api/v1/dashboard/<pk>/favorites/", dashboard, |cx| add(cx, Starred::Dashboard))
            .endpoint("DashboardRestApi.add_favorite"),
        rule(&["DELETE"], "/api/v1/dashboard/<pk>/favorites/", dashboard, |cx| {
            remove(cx, Starred::Dashboard)
        })
        .endpoint("DashboardRestApi.remove_favorite"),
    ]
}

/// Which of the asked ids still exist for the caller, among those asked for.
async fn visible(cx: &Cx, of: Starred, asked: &[i64]) -> Result<Vec<i64>, crate::error::Failure> {
    let db = cx.app.db.exec();
    let (table, condition) = match of {
        Starred::Chart => ("slices", lists::charts(&cx.user, "slices")),
        Starred::Dashboard => {
            ("dashboards", lists::dashboards(&cx.app.config, &cx.user, db.dialect(), "dashboards"))
        }
    };
    let mut sql = infra::db::Sql::new(format!("SELECT {table}.id FROM {table} WHERE {table}.id IN "));
    sql.push_list(asked.iter().copied());
    if let Some(condition) = condition {
        sql.push(" AND ").append(condition);
    }
    let rows = db.query(sql).await?;
    Ok(rows.iter().map(|r| r.at(0)).collect::<Result<_, _>>()?)
}

async fn status(cx: Cx, of: Starred) -> Handled {
    let value = infra::rison::load(cx.req.arg("q"), &schema::IDS)?;
    let asked: Vec<i64> = value.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    // nothing of what was asked for exists: the original calls that not found
    if visible(&cx, of, &asked).await?.is_empty() {
        return Err(Error::not_found().into());
    }
    let starred = match cx.user.user_id() {
        Some(user) => favorite::starred(cx.app.db.exec(), of, user, &asked).await?,
        None => Vec::new(),
    };
    Ok(result(asked.iter().map(|id| json!({"id": id, "value": starred.contains(id)})).collect::<Value>()))
}

async fn exists(cx: &Cx, of: Starred) -> Result<i64, crate::error::Failure> {
    let id: i64 = cx.req.param("pk").parse().map_err(|_| Error::not_found())?;
    let found = match of {
        Starred::Chart => {
            let condition = lists::charts(&cx.user, "s");
            chart::find_where(cx.app.db.exec(), &ChartKey::Id(id), condition).await?.is_some()
        }
        Starred::Dashboard => find::listed(&cx.app, &cx.user, id).await?.is_some(),
    };
    if found { Ok(id) } else { Err(Error::not_found().into()) }
}

async fn add(cx: Cx, of: Starred) -> Handled {
    let id = exists(&cx, of).await?;
    // of charts only owners may do it, of dashboards everybody: a quirk of the original
    if of == Starred::Chart && !ownership::owns(&cx.app, &cx.user, Owned::Chart, id).await? {
        return Err(Error::forbidden().into());
    }
    let tx = cx.app.db.begin().await?;
    let user = cx.user.user_id();
    let already = match user {
        Some(user) => !favorite::starred(tx.exec(), of, user, &[id]).await?.is_empty(),
        None => true,
    };
    if !already {
        favorite::add(tx.exec(), of, user, id, clock::now()).await?;
        implicit_tags::starred(&cx.app.config, tx.exec(), &cx.user, tagged(of), id).await?;
    }
    tx.commit().await?;
    Ok(result("OK"))
}

async fn remove(cx: Cx, of: Starred) -> Handled {
    // the star of a chart that is gone can be taken away
    let id = match of {
        Starred::Chart => ids_or_path(&cx)?,
        Starred::Dashboard => exists(&cx, of).await?,
    };
    if let Some(user) = cx.user.user_id() {
        let tx = cx.app.db.begin().await?;
        favorite::remove(tx.exec(), of, user, id).await?;
        implicit_tags::unstarred(&cx.app.config, tx.exec(), &cx.user, tagged(of), id).await?;
        tx.commit().await?;
    }
    Ok(result("OK"))
}

fn tagged(of: Starred) -> ObjectType {
    match of {
        Starred::Chart => ObjectType::Chart,
        Starred::Dashboard => ObjectType::Dashboard,
    }
}

fn ids_or_path(cx: &Cx) -> Result<i64, crate::error::Failure> {
    Ok(cx.req.param("pk").parse().map_err(|_| Error::not_found())?)
}
