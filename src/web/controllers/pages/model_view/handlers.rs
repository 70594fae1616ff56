//! The requests to a view.

use std::collections::HashMap;

use commands::{
    model_view::{self, Deleted},
    resource,
};
use daos::{
    base::{Order, Query},
    record::{Record, Selection},
};
use infra::db::DbError;

use super::{
    definitions::{ACTIONS, FieldKind, ModelView},
    form::{Form, fields},
    render::{self, Choices, name_of, name_paths},
};
use crate::{Answer, Cx, Handled, error_pages, flash, guards::access, history};

const DENIED: &str = "Access is Denied";

/// What keeps the caller out of a view that is behind a feature flag; others are guarded by their rules.
fn refused(cx: &Cx, view: &ModelView, permission: &str) -> Option<Answer> {
    let flag = view.flag?;
    if !cx.caller.app.config.flag(flag) {
        return Some(Answer::html(404, "Not found"));
    }
    access::page(cx, permission, view.view_menu).err()
}

fn selection(view: &ModelView, columns: &[&str]) -> Selection {
    let mut selection = Selection::new(view.table);
    for column in columns {
        match view.table.relation(column) {
            Some(_) => name_paths(column).iter().for_each(|path| selection.add(path)),
            None => selection.add(column),
        }
    }
    selection
}

async fn find(cx: &Cx, view: &'static ModelView, columns: &[&str]) -> Result<Option<Record>, DbError> {
    let Ok(id) = cx.req.param("pk").parse::<i32>() else { return Ok(None) };
    find_id(cx, view, columns, id.into()).await
}

async fn find_id(
    cx: &Cx,
    view: &'static ModelView,
    columns: &[&str],
    id: i64,
) -> Result<Option<Record>, DbError> {
    resource::find(&cx.caller.app, &selection(view, columns), id, Vec::new()).await
}

/// `GET /users/list/`; `page_UserDBModelView`, `psize_UserDBModelView`, `_oc_…` and `_od_…` choose page and order.
pub async fn list(cx: Cx, view: &'static ModelView) -> Handled {
    if let Some(refusal) = refused(&cx, view, "can_list") {
        return Ok(refusal);
    }
    let arg = |name: &str| cx.req.arg(&format!("{name}_{}", view.class));
    let number =
        |name: &str, default: i64| arg(name).and_then(|v| v.parse::<i32>().ok()).map_or(default, i64::from);
    let (page, size) = (number("page", 0).max(0), number("psize", 20).clamp(1, 1000));
    let column = arg("_oc").filter(|c| view.table.column(c).is_some() && view.list.contains(c));
    let order = Order { path: column.unwrap_or("id").to_owned(), descending: arg("_od") == Some("desc") };
    let query = Query {
        order: vec![order],
        limit: Some(size),
        offset: page.saturating_mul(size),
        ..Query::default()
    };
    let rows = resource::fetch(&cx.caller.app, &selection(view, view.list), &query).await?;
    let count = resource::count(&cx.caller.app, view.table, &[]).await?;
    history::remember(&cx);
    Ok(render::list(&cx, view, &rows, count, page, size))
}

/// `GET /users/show/1`.
pub async fn show(cx: Cx, view: &'static ModelView) -> Handled {
    if let Some(refusal) = refused(&cx, view, "can_show") {
        return Ok(refusal);
    }
    let Some(row) = find(&cx, view, view.show).await? else { return Ok(error_pages::abort(&cx.req, 404)) };
    history::remember(&cx);
    let mut links = Vec::new();
    if view.class == "UserDBModelView" && cx.caller.user.can_access("resetpasswords", view.view_menu) {
        let id = row.get::<i64>("id").unwrap_or_default();
        links.push((cx.req.url_for(&format!("{}/action/resetpasswords/{id}", view.base)), "Reset Password"));
    }
    Ok(render::show(&cx, view, view.titles[1], view.show, &row, &links))
}

/// `GET /users/userinfo/`: the caller's own row.
pub async fn userinfo(cx: Cx) -> Handled {
    let view = &super::VIEWS[0];
    let columns = ["username", "active", "roles", "login_count", "first_name", "last_name", "email"];
    let row = match cx.caller.user.user_id() {
        Some(id) => find_id(&cx, view, &columns, id).await?,
        None => None,
    };
    let Some(row) = row else { return Ok(error_pages::abort(&cx.req, 404)) };
    history::remember(&cx);
    let id = row.get::<i64>("id").unwrap_or_default();
    let actions = [("resetmypassword", "Reset my password"), ("userinfoedit", "Edit User")];
    let links: Vec<_> = actions
        .into_iter()
        .filter(|(action, _)| cx.caller.user.can_access(action, view.view_menu))
        .map(|(action, text)| (cx.req.url_for(&format!("{}/action/{action}/{id}", view.base)), text))
        .collect();
    Ok(render::show(&cx, view, "Your user information", &columns, &row, &links))
}

async fn page(cx: &Cx, view: &'static ModelView, new: bool, form: &Form) -> Handled {
    let mut choices: HashMap<&str, Choices> = HashMap::new();
    for field in fields(view, new).filter(|f| f.kind == FieldKind::Many) {
        let Some(relation) = view.table.relation(field.name) else { continue };
        let mut selection = Selection::new(relation.target);
        for path in name_paths(field.name) {
            selection.add(path.split_once('.').map_or(&path, |(_, rest)| rest));
        }
        let rows = resource::fetch(&cx.caller.app, &selection, &Query::default()).await?;
        let mut named: Choices = rows.iter().map(|r| (r.get("id").unwrap_or_default(), name_of(r))).collect();
        named.sort_by(|a, b| a.1.cmp(&b.1));
        choices.insert(field.name, named);
    }
    Ok(render::form(cx, view, new, form, &|name| choices.get(name).cloned().unwrap_or_default()))
}

/// `GET` and `POST /users/add`.
pub async fn add(cx: Cx, view: &'static ModelView) -> Handled {
    if let Some(refusal) = refused(&cx, view, "can_add") {
        return Ok(refusal);
    }
    if cx.req.method != "POST" {
        history::remember(&cx);
        return page(&cx, view, true, &Form::empty(view)).await;
    }
    let mut form = Form::posted(&cx, view, true);
    if !form.validate(&cx, view, None).await? {
        return page(&cx, view, true, &form).await;
    }
    let (values, links) = form.row(view, true).await?;
    match model_view::save(&cx.caller, view.table, None, values, links).await {
        Ok(()) => flash::add(&cx, "success", "Added Row"),
        Err(e) => failed(&cx, "message", &e)?,
    }
    Ok(Answer::redirect(302, history::back(&cx)))
}

/// `GET` and `POST /users/edit/1`.
pub async fn edit(cx: Cx, view: &'static ModelView) -> Handled {
    if let Some(refusal) = refused(&cx, view, "can_edit") {
        return Ok(refusal);
    }
    let columns: Vec<&str> = view.fields.iter().map(|f| f.name).collect();
    let Some(row) = find(&cx, view, &columns).await? else { return Ok(error_pages::abort(&cx.req, 404)) };
    if cx.req.method != "POST" {
        history::remember(&cx);
        return page(&cx, view, false, &Form::from_record(view, &row)).await;
    }
    let id = row.get::<i64>("id");
    let mut form = Form::posted(&cx, view, false);
    if !form.validate(&cx, view, id).await? {
        return page(&cx, view, false, &form).await;
    }
    let (mut values, links) = form.row(view, false).await?;
    if view.class == "UserDBModelView" {
        values.push(("changed_on", chrono::Local::now().naive_local().into()));
        values.push(("changed_by_fk", cx.caller.user.user_id().into()));
    }
    match model_view::save(&cx.caller, view.table, id, values, links).await {
        Ok(()) => flash::add(&cx, "success", "Changed Row"),
        Err(e) => failed(&cx, "danger", &e)?,
    }
    Ok(Answer::redirect(302, history::back(&cx)))
}

/// A refusal of the database becomes a message, without the statement and its values; without a database nothing works.
fn failed(cx: &Cx, category: &str, error: &DbError) -> Result<(), DbError> {
    match error {
        DbError::Unavailable(text) => Err(DbError::Unavailable(text.clone())),
        DbError::Integrity(_) => {
            flash::add(cx, category, "Integrity error, probably unique constraint");
            Ok(())
        }
        _ => {
            flash::add(cx, category, "Database Error");
            Ok(())
        }
    }
}

/// `POST /users/delete/1`; a mere visit deletes nothing.
pub async fn delete(cx: Cx, view: &'static ModelView) -> Handled {
    if let Some(refusal) = refused(&cx, view, view.delete_permission) {
        return Ok(refusal);
    }
    if cx.req.method != "POST" {
        history::remember(&cx);
        flash::add(&cx, "danger", DENIED);
        return Ok(Answer::redirect(302, history::back(&cx)));
    }
    let found = find(&cx, view, &["id"]).await?.and_then(|row| row.get::<i64>("id"));
    let Some(id) = found else { return Ok(error_pages::abort(&cx.req, 404)) };
    match model_view::delete(&cx.caller.app, view.table, id).await {
        Ok(Deleted::Yes) => flash::add(&cx, "success", "Deleted Row"),
        Ok(Deleted::InUse(why)) => flash::add(&cx, "danger", why),
        Err(DbError::Integrity(_)) => {
            flash::add(&cx, "warning", "Associated data exists, please delete them first");
        }
        Err(e) => failed(&cx, "message", &e)?,
    }
    history::remember(&cx);
    Ok(Answer::redirect(302, history::back(&cx)))
}

/// `POST /users/action/resetpasswords/1`: an action on one row.
pub async fn action(cx: Cx, view: &'static ModelView) -> Handled {
    if view.flag.is_some_and(|flag| !cx.caller.app.config.flag(flag)) {
        return Ok(Answer::html(404, "Not found"));
    }
    if cx.req.method != "POST" {
        history::remember(&cx);
        flash::add(&cx, "danger", DENIED);
        return Ok(Answer::redirect(302, history::back(&cx)));
    }
    let pk = cx.req.param("pk").parse::<i32>().map(i64::from).into_iter().collect();
    act(&cx, view, cx.req.param("name"), pk, true).await
}

/// `POST /roles/action_post`: an action on the rows that are ticked (`rowid`).
pub async fn action_post(cx: Cx, view: &'static ModelView) -> Handled {
    if view.flag.is_some_and(|flag| !cx.caller.app.config.flag(flag)) {
        return Ok(Answer::html(404, "Not found"));
    }
    let Some(name) = cx.req.field("action") else { return Ok(error_pages::abort(&cx.req, 400)) };
    let rows = cx.req.form.iter().filter(|(field, _)| field == "rowid");
    let rows = rows.filter_map(|(_, id)| id.parse::<i32>().ok()).map(i64::from).collect();
    act(&cx, view, name, rows, false).await
}

async fn act(cx: &Cx, view: &'static ModelView, name: &str, rows: Vec<i64>, single: bool) -> Handled {
    let known = ACTIONS.iter().find(|(class, action, _)| *class == view.class && *action == name);
    // the original fails on an action that it does not know, and on one row where many are meant
    let Some((_, action, one)) = known else { return Ok(error_pages::abort(&cx.req, 500)) };
    if !cx.caller.user.can_access(action, view.view_menu) {
        flash::add(cx, "danger", DENIED);
        return Ok(Answer::redirect(302, "."));
    }
    if *one != single {
        return Ok(error_pages::abort(&cx.req, 500));
    }
    let to = match (*action, rows.first()) {
        ("userinfoedit", _) => "/userinfoeditview/form".to_owned(),
        ("resetmypassword", _) => "/resetmypassword/form".to_owned(),
        ("resetpasswords", Some(id)) => format!("/resetpassword/form?pk={id}"),
        ("copyrole", _) => {
            history::remember(cx);
            if let Err(e) = model_view::copy_roles(&cx.caller.app, &rows).await {
                failed(cx, "danger", &e)?;
            }
            return Ok(Answer::redirect(302, history::back(cx)));
        }
        _ => return Ok(error_pages::abort(&cx.req, 404)),
    };
    Ok(Answer::redirect(302, cx.req.url_for(&to)))
}

/// `GET /users/download/x`: no view holds files.
pub async fn download(cx: Cx, view: &'static ModelView) -> Handled {
    Ok(refused(&cx, view, "can_download").unwrap_or_else(|| error_pages::abort(&cx.req, 404)))
}
