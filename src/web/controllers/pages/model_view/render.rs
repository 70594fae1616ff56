//! The pages of a view as HTML.

use daos::record::Record;
use maud::{Markup, html};
use serde_json::Value;

use super::{
    definitions::{Field, FieldKind, ModelView},
    form::{Form, fields},
};
use crate::{
    Answer, Cx,
    controllers::pages::classic::{self, KEEP_TAB},
    guards::csrf,
};

/// A choice of a relation: its id and what people call it.
pub type Choices = Vec<(i64, String)>;

/// What a row of a relation is called (`__repr__` of the models).
pub fn name_of(row: &Record) -> String {
    let part = |relation: &str| row.one(relation).map(|r| r.text("name")).unwrap_or_default();
    if row.one("view_menu").is_some() {
        return format!("{} on {}", part("permission").replace('_', " "), part("view_menu"));
    }
    match (row.text("first_name"), row.text("last_name")) {
        (first, last) if first.is_empty() && last.is_empty() => row.text("name"),
        (first, last) => format!("{first} {last}"),
    }
}

/// The columns to read of a relation to name its rows.
pub fn name_paths(relation: &str) -> Vec<String> {
    let columns: &[&str] = match relation {
        "permissions" => &["permission.name", "view_menu.name"],
        "users" | "created_by" | "changed_by" => &["first_name", "last_name"],
        _ => &["name"],
    };
    columns.iter().map(|c| format!("{relation}.{c}")).collect()
}

fn cell(row: &Record, column: &str) -> String {
    if let Some(one) = row.one(column) {
        return name_of(one);
    }
    if row.has_many(column) {
        return row.many(column).iter().map(name_of).collect::<Vec<_>>().join(", ");
    }
    match row.json(column) {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        other => other.to_string(),
    }
}

fn label(view: &ModelView, column: &str) -> String {
    let field = view.fields.iter().find(|f| f.name == column);
    field.map_or_else(
        || {
            let words = column.replace('_', " ");
            let mut letters = words.chars();
            letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
        },
        |f| f.label.to_owned(),
    )
}

fn hidden_token(cx: &Cx) -> Markup {
    html! { input type="hidden" name="csrf_token" value=(csrf::token(cx)); }
}

/// A button that posts `inputs`: names and values.
fn button(cx: &Cx, action: &str, inputs: &[(&str, &str)], text: &str) -> Markup {
    html! {
        form method="post" action=(action) style="display:inline" {
            (hidden_token(cx))
            @for (name, value) in inputs {
                input type="hidden" name=(name) value=(value);
            }
            button class="btn btn-sm btn-default" type="submit" { (text) }
        }
    }
}

fn page(cx: &Cx, title: &str, content: &Markup) -> Answer {
    let content = html! {
        h2 { (title) }
        (content)
    };
    classic::page(cx, &html! {}, &content, &[KEEP_TAB])
}

/// A page of the list.
pub fn list(cx: &Cx, view: &ModelView, rows: &[Record], count: i64, number: i64, size: i64) -> Answer {
    let class = view.class;
    let others = [(number - 1, "Previous"), (number + 1, "Next")];
    let content = html! {
        @if cx.caller.user.can_access("can_add", view.view_menu) {
            p { a class="btn btn-sm btn-primary" href={(cx.req.url_for(view.base)) "/add"} { "+" } }
        }
        table class="table table-bordered table-hover" {
            tr {
                th {}
                @for column in view.list {
                    th { (label(view, column)) }
                }
            }
            @for row in rows {
                tr {
                    td { (row_links(cx, view, row.get::<i64>("id").unwrap_or_default())) }
                    @for column in view.list {
                        td { (cell(row, column)) }
                    }
                }
            }
        }
        p { "Record Count: " strong { (count) } }
        @for (to, text) in others {
            @if to >= 0 && to * size < count {
                a href={"?page_" (class) "=" (to) "&psize_" (class) "=" (size)} { (text) }
                " "
            }
        }
    };
    page(cx, view.titles[0], &content)
}

/// What the caller may do with a row of the list.
fn row_links(cx: &Cx, view: &ModelView, id: i64) -> Markup {
    let may = |permission: &str| cx.caller.user.can_access(permission, view.view_menu);
    let base = cx.req.url_for(view.base);
    html! {
        @for (permission, path, text) in [("can_show", "show", "Show"), ("can_edit", "edit", "Edit")] {
            @if may(permission) {
                a href={(base) "/" (path) "/" (id)} { (text) }
                " "
            }
        }
        @if may(view.delete_permission) {
            (button(cx, &format!("{base}/delete/{id}"), &[], "Delete"))
        }
        @if view.class == "RoleModelView" && may("copyrole") {
            @let inputs = [("action", "copyrole"), ("rowid", &id.to_string())];
            (button(cx, &format!("{base}/action_post"), &inputs, "Copy Role"))
        }
    }
}

/// One row; `links` are buttons under it: address and text.
pub fn show(
    cx: &Cx,
    view: &ModelView,
    title: &str,
    columns: &[&str],
    row: &Record,
    links: &[(String, &str)],
) -> Answer {
    let content = html! {
        table class="table table-bordered" {
            @for column in columns {
                tr {
                    th { (label(view, column)) }
                    td { (cell(row, column)) }
                }
            }
        }
        @for (url, text) in links {
            (button(cx, url, &[], text))
        }
    };
    page(cx, title, &content)
}

/// The form that adds or edits; `choices` by field.
pub fn form(
    cx: &Cx,
    view: &'static ModelView,
    new: bool,
    form: &Form,
    choices: &dyn Fn(&str) -> Choices,
) -> Answer {
    let content = html! {
        form method="post" action="" {
            (hidden_token(cx))
            table class="table table-bordered" {
                @for field in fields(view, new) {
                    tr {
                        td class="col-lg-2" {
                            label for=(field.name) {
                                (field.label)
                                @if field.required { " " strong style="color: red" { "*" } }
                            }
                        }
                        td { (field_cell(field, form, &choices(field.name))) }
                    }
                }
            }
            button type="submit" class="btn btn-sm btn-primary" { "Save" }
        }
    };
    page(cx, view.titles[if new { 2 } else { 3 }], &content)
}

fn field_cell(field: &Field, form: &Form, choices: &Choices) -> Markup {
    html! {
        (input(field, form, choices))
        @if !field.description.is_empty() {
            span class="help-block" { (field.description) }
        }
        @for complaint in form.complaints(field.name) {
            div class="alert alert-danger" { (complaint) }
        }
    }
}

fn input(field: &Field, form: &Form, choices: &Choices) -> Markup {
    let name = field.name;
    match field.kind {
        FieldKind::Text(max) => html! {
            input class="form-control" id=(name) name=(name) type="text" maxlength=[max] value=(form.text(name));
        },
        FieldKind::Password | FieldKind::Again => html! {
            input class="form-control" id=(name) name=(name) type="password" value="";
        },
        FieldKind::Check => html! {
            input id=(name) name=(name) type="checkbox" value="y" checked[form.checked(name)];
        },
        FieldKind::Many => html! {
            select class="my_select2 form-control" id=(name) multiple name=(name) {
                @for (id, text) in choices {
                    option value=(id) selected[form.chose(name, *id)] { (text) }
                }
            }
        },
    }
}
