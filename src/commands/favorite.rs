//! Stars of charts and dashboards (`superset.daos.chart`, `superset.daos.dashboard`: `add_favorite`).

use daos::{chart, dashboard, favorite, person::Owned};
use infra::{Error, Result, clock};

use crate::{
    Caller,
    access::{lists, ownership},
    chart::find::{self as charts, ChartKey},
    dashboard::find as dashboards,
    implicit_tags,
    tag::ObjectType,
};

pub use daos::favorite::Starred;

/// Which of some objects the caller has starred; 404 when lists show the caller none of them.
pub async fn starred(caller: &Caller, of: Starred, asked: &[i64]) -> Result<Vec<i64>> {
    let db = caller.app.db.exec();
    let visible = match of {
        Starred::Chart => chart::existing(db, asked, lists::charts(&caller.user, "s")).await?,
        Starred::Dashboard => {
            let condition = lists::dashboards(&caller.app.config, &caller.user, db.dialect(), "b");
            dashboard::existing(db, asked, condition).await?
        }
    };
    // nothing of what was asked for exists: the original calls that not found
    if visible.is_empty() {
        return Err(Error::not_found());
    }
    match caller.user.user_id() {
        Some(user) => Ok(favorite::starred(db, of, user, asked).await?),
        None => Ok(Vec::new()),
    }
}

async fn require(caller: &Caller, of: Starred, id: i64) -> Result<()> {
    let found = match of {
        Starred::Chart => charts::listed(caller, &ChartKey::Id(id)).await?.is_some(),
        Starred::Dashboard => dashboards::listed(caller, id).await?.is_some(),
    };
    if found { Ok(()) } else { Err(Error::not_found()) }
}

/// Stars an object for the caller.
pub async fn star(caller: &Caller, of: Starred, id: i64) -> Result<()> {
    require(caller, of, id).await?;
    // of charts only owners may do it, of dashboards everybody: a quirk of the original
    if of == Starred::Chart && !ownership::owns(caller, Owned::Chart, id).await? {
        return Err(Error::forbidden());
    }
    let tx = caller.app.db.begin().await?;
    let already = match caller.user.user_id() {
        Some(user) => !favorite::starred(tx.exec(), of, user, &[id]).await?.is_empty(),
        None => true,
    };
    if !already {
        favorite::add(tx.exec(), of, caller.user.user_id(), id, clock::now()).await?;
        implicit_tags::starred(&caller.app.config, tx.exec(), &caller.user, object_type(of), id).await?;
    }
    Ok(tx.commit().await?)
}

/// Takes the caller's star away; that of a chart also when the chart is gone.
pub async fn unstar(caller: &Caller, of: Starred, id: i64) -> Result<()> {
    if of == Starred::Dashboard {
        require(caller, of, id).await?;
    }
    let Some(me) = caller.user.user_id() else { return Ok(()) };
    let tx = caller.app.db.begin().await?;
    favorite::remove(tx.exec(), of, me, id).await?;
    implicit_tags::unstarred(&caller.app.config, tx.exec(), &caller.user, object_type(of), id).await?;
    Ok(tx.commit().await?)
}

fn object_type(of: Starred) -> ObjectType {
    match of {
        Starred::Chart => ObjectType::Chart,
        Starred::Dashboard => ObjectType::Dashboard,
    }
}
