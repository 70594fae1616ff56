//! The pages of a view as HTML.

use daos::record::Record;
use serde_json::Value;

use super::{
    definitions::{Field, FieldKind, ModelView},
    form::{Form, fields},
};
use crate::{
    Answer, Cx,
    controllers::pages::classic::{self, KEEP_TAB},
    guards::csrf,
    html::escape,
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
        return escape(&name_of(one));
    }
    if row.has_many(column) {
        return escape(&row.many(column).iter().map(name_of).collect::<Vec<_>>().join(", "));
    }
    match row.json(column) {
        Value::Null => String::new(),
        Value::String(text) => escape(&text),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        other => escape(&other.to_string()),
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

fn hidden_token(cx: &Cx) -> String {
    format!("<input type=\"hidden\" name=\"csrf_token\" value=\"{}\">\n", escape(&csrf::token(cx)))
}

fn button(cx: &Cx, action: &str, inputs: &str, text: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{}\" style=\"display:inline\">{}{inputs}\
         <button class=\"btn btn-sm btn-default\" type=\"submit\">{}</button></form>\n",
        escape(action),
        hidden_token(cx),
        escape(text)
    )
}

/// A page of the list.
pub fn list(cx: &Cx, view: &ModelView, rows: &[Record], count: i64, page: i64, size: i64) -> Answer {
    let may = |permission: &str| cx.user.can_access(permission, view.view_menu);
    let mut out = format!("<h2>{}</h2>\n", escape(view.titles[0]));
    if may("can_add") {
        out.push_str(&format!(
            "<p><a class=\"btn btn-sm btn-primary\" href=\"{}/add\">+</a></p>\n",
            view.base
        ));
    }
    out.push_str("<table class=\"table table-bordered table-hover\">\n<tr><th></th>");
    for column in view.list {
        out.push_str(&format!("<th>{}</th>", escape(&label(view, column))));
    }
    out.push_str("</tr>\n");
    for row in rows {
        let id = row.get::<i64>("id").unwrap_or_default();
        out.push_str("<tr><td>");
        for (permission, path, text) in [("can_show", "show", "Show"), ("can_edit", "edit", "Edit")] {
            if may(permission) {
                out.push_str(&format!("<a href=\"{}/{path}/{id}\">{text}</a> ", view.base));
            }
        }
        if may(view.delete_permission) {
            out.push_str(&button(cx, &format!("{}/delete/{id}", view.base), "", "Delete"));
        }
        if view.class == "RoleModelView" && may("copyrole") {
            let inputs = format!(
                "<input type=\"hidden\" name=\"action\" value=\"copyrole\"><input type=\"hidden\" name=\"rowid\" value=\"{id}\">"
            );
            out.push_str(&button(cx, &format!("{}/action_post", view.base), &inputs, "Copy Role"));
        }
        out.push_str("</td>");
        for column in view.list {
            out.push_str(&format!("<td>{}</td>", cell(row, column)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str(&format!("</table>\n<p>Record Count: <strong>{count}</strong></p>\n"));
    for (to, text) in [(page - 1, "Previous"), (page + 1, "Next")] {
        if to >= 0 && to * size < count {
            let class = view.class;
            out.push_str(&format!("<a href=\"?page_{class}={to}&amp;psize_{class}={size}\">{text}</a>\n"));
        }
    }
    classic::page(cx, "", &out, &[KEEP_TAB])
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
    let mut out = format!("<h2>{}</h2>\n<table class=\"table table-bordered\">\n", escape(title));
    for column in columns {
        out.push_str(&format!(
            "<tr><th>{}</th><td>{}</td></tr>\n",
            escape(&label(view, column)),
            cell(row, column)
        ));
    }
    out.push_str("</table>\n");
    for (url, text) in links {
        out.push_str(&button(cx, url, "", text));
    }
    classic::page(cx, "", &out, &[KEEP_TAB])
}

/// The form that adds or edits; `choices` by field.
pub fn form(
    cx: &Cx,
    view: &'static ModelView,
    new: bool,
    form: &Form,
    choices: &dyn Fn(&str) -> Choices,
) -> Answer {
    let title = view.titles[if new { 2 } else { 3 }];
    let mut out = format!(
        "<h2>{}</h2>\n<form method=\"post\" action=\"\">\n{}<table class=\"table table-bordered\">\n",
        escape(title),
        hidden_token(cx)
    );
    for field in fields(view, new) {
        let star = if field.required { " <strong style=\"color: red\">&#42;</strong>" } else { "" };
        out.push_str(&format!(
            "<tr><td class=\"col-lg-2\"><label for=\"{0}\">{1}{star}</label></td>\n<td>{2}",
            field.name,
            escape(field.label),
            input(field, form, &choices(field.name))
        ));
        if !field.description.is_empty() {
            out.push_str(&format!("<span class=\"help-block\">{}</span>\n", escape(field.description)));
        }
        for complaint in form.complaints(field.name) {
            out.push_str(&format!("<div class=\"alert alert-danger\">{}</div>\n", escape(&complaint)));
        }
        out.push_str("</td></tr>\n");
    }
    out.push_str(
        "</table>\n<button type=\"submit\" class=\"btn btn-sm btn-primary\">Save</button>\n</form>\n",
    );
    classic::page(cx, "", &out, &[KEEP_TAB])
}

fn input(field: &Field, form: &Form, choices: &Choices) -> String {
    let name = field.name;
    match field.kind {
        FieldKind::Text(max) => {
            let max = max.map(|m| format!(" maxlength=\"{m}\"")).unwrap_or_default();
            let value = escape(form.text(name));
            format!(
                "<input class=\"form-control\" id=\"{name}\" name=\"{name}\" type=\"text\"{max} value=\"{value}\">\n"
            )
        }
        FieldKind::Password | FieldKind::Again => {
            format!(
                "<input class=\"form-control\" id=\"{name}\" name=\"{name}\" type=\"password\" value=\"\">\n"
            )
        }
        FieldKind::Check => {
            let checked = if form.checked(name) { " checked" } else { "" };
            format!("<input id=\"{name}\" name=\"{name}\" type=\"checkbox\" value=\"y\"{checked}>\n")
        }
        FieldKind::Many => {
            let mut out =
                format!("<select class=\"my_select2 form-control\" id=\"{name}\" multiple name=\"{name}\">");
            for (id, text) in choices {
                let chosen = form.inputs.get(name).is_some_and(|v| v.contains(&id.to_string()));
                let selected = if chosen { " selected" } else { "" };
                out.push_str(&format!("<option value=\"{id}\"{selected}>{}</option>", escape(text)));
            }
            out + "</select>\n"
        }
    }
}
