//! What a resource is.

use commands::{Caller, tag::ObjectType};
use daos::{Table, write::Values};
use infra::{
    Error,
    db::{Dialect, Executor, Sql},
    rison::{self, Schema},
};
use serde_json::{Map, Value};

use super::{
    Computed, RelatedField,
    columns::prettify_name,
    computed::{Prepare, Prepared},
    distinct, info, item, list, related, write,
};
use crate::schemas::Field;
use crate::{
    Answer, Cx, Handled,
    error::Failure,
    routes::{Access, Rule, rule},
};

/// The description of a resource; what it leaves out has FAB's default.
pub struct Resource {
    /// Below `/api/v1/`.
    pub name: &'static str,
    /// Class of the original, the first half of the event log's actions.
    pub class: &'static str,
    /// View menu that the permissions are on (`class_permission_name`).
    pub permission: &'static str,
    /// Its base permissions.
    pub permissions: &'static [&'static str],
    /// Which permission each verb demands.
    pub grants: Grants,
    /// Feature flag without which everything answers 404.
    pub flag: Option<&'static str>,
    /// Which errors clients see.
    pub style: Style,
    /// Generic verbs that are served.
    pub verbs: &'static [Verb],
    /// Name of the model, for titles.
    pub model: &'static str,
    /// Title of the list, if not `List <Model>`.
    pub list_title: Option<&'static str>,
    /// The table.
    pub table: &'static Table,
    /// Columns of a list.
    pub list_columns: &'static [&'static str],
    /// Columns that `select_columns` may name besides.
    pub list_select_columns: &'static [&'static str],
    /// Columns of an item.
    pub show_columns: &'static [&'static str],
    /// Columns that a client may order by.
    pub order_columns: &'static [&'static str],
    /// Columns that a client may filter by.
    pub search_columns: &'static [&'static str],
    /// Fields of `_info` and POST.
    pub add_fields: &'static [Field],
    /// Fields of `_info` and PUT.
    pub edit_fields: &'static [Field],
    /// Labels that are not the prettified name.
    pub labels: &'static [(&'static str, &'static str)],
    /// Order without `order_column`; true is descending.
    pub base_order: Option<(&'static str, bool)>,
    /// Rows of a page.
    pub page_size: i64,
    /// Bound of `page_size`; -1 lifts it.
    pub max_page_size: Option<i64>,
    /// Columns that are computed from a row.
    pub computed: &'static [Computed],
    /// Operators of this resource only.
    pub filters: &'static [CustomFilter],
    /// Rows that the caller sees; nothing restricts nothing.
    pub base_filter: Option<fn(&FilterCx) -> Option<Sql>>,
    /// A column that is looked up for all rows at once.
    pub prepare: Option<Prepare>,
    /// Fields of `/related/`.
    pub related: &'static [RelatedField],
    /// Fields of `/distinct/`.
    pub distinct: &'static [&'static str],
    /// Changes the values of a POST before they are written (`pre_add`).
    pub before_add: Option<fn(&FilterCx, &mut Values)>,
    /// What its objects are to tags, and the column of the one who owns them: they get tags by themselves.
    pub implicit_tags: Option<(ObjectType, &'static str)>,
    /// No metadata members in a list or item (`get_list` without `merge_response_func`).
    pub bare: bool,
    /// What an item shows when no columns are asked for, where that is not `show_columns`.
    pub whole_item: Option<WholeList>,
    /// What a list shows when no columns are asked for, where that is not `list_columns`.
    pub whole_list: Option<WholeList>,
    /// Noun of "Deleted 3 charts": singular and plural.
    pub nouns: (&'static str, &'static str),
}

/// A list schema of its own (`list_model_schema`).
#[derive(Clone, Copy)]
pub struct WholeList {
    /// Columns.
    pub columns: &'static [&'static str],
    /// Columns that are written otherwise than elsewhere.
    pub computed: &'static [Computed],
}

/// A generic verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `GET /`.
    List,
    /// `GET /<int:pk>`.
    Item,
    /// `GET /_info`.
    Info,
    /// `GET /related/<column_name>`.
    Related,
    /// `GET /distinct/<column_name>`.
    Distinct,
    /// `POST /`.
    Post,
    /// `PUT /<pk>`.
    Put,
    /// `DELETE /<pk>`.
    Delete,
    /// `DELETE /?q=!(…)`.
    BulkDelete,
}

/// Permission names of the verbs.
#[derive(Debug, Clone, Copy)]
pub struct Grants {
    /// Lists, related and distinct values.
    pub list: &'static str,
    /// Items.
    pub show: &'static str,
    /// `_info`.
    pub info: &'static str,
    /// POST.
    pub add: &'static str,
    /// PUT.
    pub edit: &'static str,
    /// DELETE.
    pub delete: &'static str,
}

impl Grants {
    /// `MODEL_API_RW_METHOD_PERMISSION_MAP`.
    pub const READ_WRITE: Self = Self {
        list: "can_read",
        show: "can_read",
        info: "can_read",
        add: "can_write",
        edit: "can_write",
        delete: "can_write",
    };
    /// Flask-AppBuilder's own.
    pub const FAB: Self = Self {
        list: "can_get",
        show: "can_get",
        info: "can_info",
        add: "can_post",
        edit: "can_put",
        delete: "can_delete",
    };
    /// Superset's `method_permission_name`.
    pub const VERBS: Self = Self {
        list: "can_list",
        show: "can_show",
        info: "can_list",
        add: "can_add",
        edit: "can_edit",
        delete: "can_delete",
    };
}

/// Whose class the resource derives from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `BaseSupersetModelRestApi`: `handle_api_exception` shows the exception.
    Superset,
    /// FAB's `ModelRestApi`: `@safe` answers "Fatal error".
    Fab,
}

/// What conditions are made from.
pub struct FilterCx<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The backend.
    pub dialect: Dialect,
}

/// An operator of one resource.
pub struct CustomFilter {
    /// Column it is offered on.
    pub column: &'static str,
    /// `opr`.
    pub operator: &'static str,
    /// Name in `_info`.
    pub name: &'static str,
    /// The condition; `None` does not restrict.
    pub apply: fn(&FilterCx, &Value) -> infra::Result<Option<Sql>>,
}

impl Resource {
    /// FAB's defaults.
    pub const PLAIN: Self = Self {
        name: "",
        class: "",
        permission: "",
        permissions: &["can_read", "can_write"],
        grants: Grants::READ_WRITE,
        flag: None,
        style: Style::Superset,
        verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Related, Verb::Distinct],
        model: "",
        list_title: None,
        table: &daos::tables::SLICES,
        list_columns: &["id"],
        list_select_columns: &[],
        show_columns: &["id"],
        order_columns: &[],
        search_columns: &[],
        add_fields: &[],
        edit_fields: &[],
        labels: &[],
        base_order: None,
        page_size: 20,
        max_page_size: None,
        computed: &[],
        filters: &[],
        base_filter: None,
        prepare: None,
        related: &[],
        distinct: &[],
        before_add: None,
        implicit_tags: None,
        bare: false,
        whole_item: None,
        whole_list: None,
        nouns: ("", ""),
    };

    /// The rules of the generic verbs.
    pub fn rules(&'static self) -> Vec<Rule> {
        self.verbs.iter().map(|verb| self.rule(*verb)).collect()
    }

    fn rule(&'static self, verb: Verb) -> Rule {
        let base = format!("/api/v1/{}", self.name);
        let protect = |permission| Access::Protect(permission, self.permission);
        let grants = self.grants;
        let (rule, method) = match verb {
            Verb::List => (
                rule(&["GET"], format!("{base}/"), protect(grants.list), move |cx| list::list(self, cx)),
                "get_list",
            ),
            Verb::Item => (
                rule(&["GET"], format!("{base}/<int:pk>"), protect(grants.show), move |cx| {
                    item::item(self, cx)
                }),
                "get",
            ),
            Verb::Info => (
                rule(&["GET"], format!("{base}/_info"), protect(grants.info), move |cx| info::info(self, cx)),
                "info",
            ),
            Verb::Related => {
                let path = format!("{base}/related/<column_name>");
                (rule(&["GET"], path, protect(grants.list), move |cx| related::related(self, cx)), "related")
            }
            Verb::Distinct => {
                let path = format!("{base}/distinct/<column_name>");
                (
                    rule(&["GET"], path, protect(grants.list), move |cx| distinct::distinct(self, cx)),
                    "distinct",
                )
            }
            Verb::Post => (
                rule(&["POST"], format!("{base}/"), protect(grants.add), move |cx| write::post(self, cx)),
                "post",
            ),
            Verb::Put => (
                rule(&["PUT"], format!("{base}/<pk>"), protect(grants.edit), move |cx| write::put(self, cx)),
                "put",
            ),
            Verb::Delete => {
                let path = format!("{base}/<pk>");
                (rule(&["DELETE"], path, protect(grants.delete), move |cx| write::delete(self, cx)), "delete")
            }
            Verb::BulkDelete => {
                let path = format!("{base}/");
                (
                    rule(&["DELETE"], path, protect(grants.delete), move |cx| write::bulk_delete(self, cx)),
                    "bulk_delete",
                )
            }
        };
        let rule = if self.style == Style::Fab { rule.csrf_exempt() } else { rule };
        let rule = match verb {
            Verb::Post => rule.body(format!("{}.post", self.class), self.add_fields),
            Verb::Put => rule.body(format!("{}.put", self.class), self.edit_fields),
            _ => rule,
        };
        let rule = rule.endpoint(Box::leak(format!("{}.{method}", self.class).into_boxed_str()));
        match self.flag {
            Some(flag) => rule.flag(flag),
            None => rule,
        }
    }

    /// The parsed `q`.
    pub(super) fn arguments(&self, cx: &Cx, schema: &Schema) -> Result<Map<String, Value>, Failure> {
        match rison::load(cx.req.arg("q"), schema)? {
            Value::Object(map) => Ok(map),
            _ => Ok(Map::new()),
        }
    }

    /// What is looked up for all rows of a page at once, if its column is asked for.
    pub(super) async fn prepared(&self, cx: &Cx, columns: &[&str], ids: &[Value]) -> infra::Result<Prepared> {
        match self.prepare.filter(|(column, _)| columns.contains(column)) {
            Some((_, prepare)) => prepare(cx, ids.iter().filter_map(Value::as_i64).collect()).await,
            None => Ok(Prepared::new()),
        }
    }

    /// Conditions that hold for all that the caller sees.
    pub(super) fn base_conditions(&self, cx: &Cx) -> Vec<Sql> {
        let filter_cx = FilterCx { caller: &cx.caller, dialect: cx.caller.app.db.dialect() };
        self.base_filter.and_then(|f| f(&filter_cx)).into_iter().collect()
    }

    /// `page` and `page_size` with FAB's bounds: offset, and limit if there is one.
    pub(super) fn page(&self, cx: &Cx, args: &Map<String, Value>) -> Result<(i64, Option<i64>), Error> {
        let int = |key| {
            args.get(key).and_then(|v| v.as_i64().or_else(|| v.as_f64().map(|f| f as i64))).unwrap_or(0)
        };
        let page = int("page");
        let mut size = match int("page_size") {
            0 => self.page_size,
            n => n,
        };
        let max = self
            .max_page_size
            .unwrap_or_else(|| cx.caller.app.config.int("FAB_API_MAX_PAGE_SIZE").unwrap_or(100));
        if max == -1 {
            // -1 means all; less of it would be a limit that PostgreSQL refuses
            if size < 0 {
                return Ok((0, None));
            }
        } else if size > max || size < 1 {
            size = max;
        }
        let offset = page.saturating_mul(size);
        // FAB's own resources have no words for it, and fail
        if offset < 0 && cx.caller.app.db.dialect().is_strict() && self.style != Style::Fab {
            let error = "(psycopg2.errors.InvalidRowCountInResultOffsetClause) OFFSET must not be negative\n";
            return Err(Error::Legacy { status: 422, error: error.into() });
        }
        Ok((offset.max(0), Some(size)))
    }

    /// `List Slice`, `Add Sqla Table`.
    pub(super) fn title(&self, verb: &str) -> String {
        match self.list_title {
            Some(title) if verb == "List" => title.to_owned(),
            _ => format!("{verb} {}", prettify_name(self.model)),
        }
    }

    /// A failure as this class of the original answers it.
    pub(super) fn map_failure(&self, handled: Handled) -> Handled {
        match handled {
            Err(Failure(Error::Legacy { error, .. })) if self.style == Style::Fab => {
                Err(Failure(Error::Internal(error)))
            }
            other => other,
        }
    }
}

/// `self.response(status, **payload)`.
pub fn respond(status: u16, payload: Map<String, Value>) -> Answer {
    Answer::fab(status, &Value::Object(payload))
}
