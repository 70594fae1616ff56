//! The few forms that Flask-AppBuilder renders on the server and the frontend still links to: the own password,
//! somebody else's password, the own name. Pages of our own in the old layout, with the field names of the original.

use commands::login::{Profile, has_local_passwords, update_profile};
use infra::Error;
use maud::html;

use crate::{
    Answer, Cx, Handled,
    controllers::pages::classic,
    error_pages, flash,
    guards::{csrf, identity},
    history,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    let get = |view| Access::Page("can_this_form_get", view);
    let post = |view| Access::Page("can_this_form_post", view);
    vec![
        rule(&["GET"], "/resetmypassword/form", get("ResetMyPasswordView"), show_password)
            .endpoint("ResetMyPasswordView.this_form_get"),
        rule(&["POST"], "/resetmypassword/form", post("ResetMyPasswordView"), set_own_password)
            .endpoint("ResetMyPasswordView.this_form_post"),
        rule(&["GET"], "/resetpassword/form", get("ResetPasswordView"), show_password)
            .endpoint("ResetPasswordView.this_form_get"),
        rule(&["POST"], "/resetpassword/form", post("ResetPasswordView"), set_password)
            .endpoint("ResetPasswordView.this_form_post"),
        rule(&["GET"], "/userinfoeditview/form", get("UserInfoEditView"), show_names)
            .endpoint("UserInfoEditView.this_form_get"),
        rule(&["POST"], "/userinfoeditview/form", post("UserInfoEditView"), set_names)
            .endpoint("UserInfoEditView.this_form_post"),
    ]
}

/// An input of a form.
pub(super) struct Field<'a> {
    name: &'a str,
    label: &'a str,
    kind: &'a str,
    value: &'a str,
}

impl<'a> Field<'a> {
    /// Text in clear.
    pub(super) fn text(name: &'a str, label: &'a str, value: &'a str) -> Self {
        Self { name, label, kind: "text", value }
    }
    /// A password; never filled in.
    pub(super) fn password(name: &'a str, label: &'a str) -> Self {
        Self { name, label, kind: "password", value: "" }
    }
}

/// A page with one form, posted back to its own address.
pub(super) fn page(cx: &Cx, title: &str, fields: &[Field<'_>], errors: &[&str], scripts: &[&str]) -> Answer {
    let content = html! {
        h2 { (title) }
        @for error in errors {
            p class="alert alert-danger" { (error) }
        }
        form method="post" {
            input type="hidden" name="csrf_token" value=(csrf::token(cx));
            @for f in fields {
                p {
                    label for=(f.name) { (f.label) }
                    br;
                    input type=(f.kind) id=(f.name) name=(f.name) value=(f.value) class="form-control";
                }
            }
            button type="submit" class="btn btn-primary" { "Save" }
        }
    };
    classic::page(cx, &html! {}, &content, scripts)
}

fn password_page(cx: &Cx, errors: &[&str]) -> Answer {
    let fields =
        [Field::password("password", "Password"), Field::password("conf_password", "Confirm Password")];
    page(cx, "Reset Password Form", &fields, errors, &[classic::KEEP_TAB])
}

async fn show_password(cx: Cx) -> Handled {
    history::remember(&cx);
    Ok(password_page(&cx, &[]))
}

async fn set_own_password(cx: Cx) -> Handled {
    let id = cx.caller.user.user_id();
    reset(&cx, id).await
}

async fn set_password(cx: Cx) -> Handled {
    let id = cx.req.arg("pk").and_then(|pk| pk.parse().ok());
    reset(&cx, id).await
}

async fn reset(cx: &Cx, id: Option<i64>) -> Handled {
    if !has_local_passwords(&cx.caller.app.config) {
        return Ok(error_pages::abort(&cx.req, 403));
    }
    let (Some(id), Some(by)) = (id, cx.caller.user.user_id()) else { return Err(Error::not_found().into()) };
    let field = |name: &str| cx.req.field(name).unwrap_or_default().trim();
    let (password, again) = (field("password"), field("conf_password"));
    if password.is_empty() || password.chars().all(|c| c == '\0') {
        return Ok(password_page(cx, &["This field is required."]));
    }
    if password != again {
        return Ok(password_page(cx, &["Passwords must match"]));
    }
    if let Some(complaint) = super::password_complaint(&cx.caller.app.config, password)? {
        return Ok(password_page(cx, &[&complaint]));
    }
    let profile = Profile { password: Some(password.to_owned()), ..Profile::default() };
    let mark = update_profile(&cx.caller.app, id, by, profile).await?.ok_or_else(Error::not_found)?;
    if id == by {
        identity::renew_mark(&mut cx.session.lock(), &mark);
    }
    flash::add(cx, "info", "Password Changed");
    Ok(Answer::redirect(302, history::back(cx)))
}

fn names_page(cx: &Cx, first: &str, last: &str, errors: &[&str]) -> Answer {
    let fields =
        [Field::text("first_name", "First Name", first), Field::text("last_name", "Last Name", last)];
    page(cx, "Edit User Information", &fields, errors, &[classic::KEEP_TAB])
}

async fn show_names(cx: Cx) -> Handled {
    let (first, last) = cx.caller.user.user.as_ref().map_or(("", ""), |u| (&u.first_name, &u.last_name));
    history::remember(&cx);
    Ok(names_page(&cx, first, last, &[]))
}

async fn set_names(cx: Cx) -> Handled {
    let Some(id) = cx.caller.user.user_id() else { return Err(Error::not_found().into()) };
    let field = |name: &str| cx.req.field(name).unwrap_or_default().trim();
    let (first, last) = (field("first_name"), field("last_name"));
    if [first, last].iter().any(|n| n.trim().is_empty()) {
        return Ok(names_page(&cx, first, last, &["This field is required."]));
    }
    if [first, last].iter().any(|n| n.chars().count() > 64) {
        return Ok(names_page(&cx, first, last, &["Field cannot be longer than 64 characters."]));
    }
    let profile = Profile { first_name: Some(first.into()), last_name: Some(last.into()), password: None };
    update_profile(&cx.caller.app, id, id, profile).await?;
    flash::add(&cx, "info", "User information changed");
    Ok(Answer::redirect(302, history::back(&cx)))
}
