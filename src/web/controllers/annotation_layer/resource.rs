//! `/api/v1/annotation_layer/` and the annotations below it: reads (`superset.annotation_layers`).

use daos::{
    condition,
    tables::{ANNOTATION_LAYERS, ANNOTATIONS},
};
use infra::db::Sql;

use crate::controllers::crud::{
    CustomFilter, Field, FieldKind, RelatedField, Resource, Verb, computed::CHANGED_ON_DELTA, filters,
};
use crate::{
    Cx, Handled,
    routes::{Access, Rule, rule},
};

/// Rules of this file.
pub(super) fn rules() -> Vec<Rule> {
    let read = Access::Protect("can_read", "Annotation");
    let below = [
        rule(&["GET"], "/api/v1/annotation_layer/<int:pk>/annotation/", read, list_annotations)
            .endpoint("AnnotationRestApi.get_list"),
        rule(
            &["GET"],
            "/api/v1/annotation_layer/<int:pk>/annotation/<int:annotation_id>",
            read,
            get_annotation,
        )
        .endpoint("AnnotationRestApi.get"),
    ];
    [LAYERS.rules(), below.into()].concat()
}

async fn list_annotations(cx: Cx) -> Handled {
    let layer = of_layer(&cx);
    LAYER_ANNOTATIONS.list_where(&cx, vec![layer]).await
}

async fn get_annotation(cx: Cx) -> Handled {
    // as in the original, whatever layer the path names
    LAYER_ANNOTATIONS.item_where(&cx, cx.req.int_param("annotation_id"), Vec::new()).await
}

fn of_layer(cx: &Cx) -> Sql {
    let layer = i32::try_from(cx.req.int_param("pk")).unwrap_or(-1);
    condition::equals("annotation.layer_id", layer)
}

static LAYERS: Resource = Resource {
    name: "annotation_layer",
    class: "AnnotationLayerRestApi",
    permission: "Annotation",
    verbs: &[Verb::List, Verb::Item, Verb::Info, Verb::Related],
    model: "AnnotationLayer",
    table: &ANNOTATION_LAYERS,
    list_columns: &[
        "id",
        "name",
        "descr",
        "created_by.first_name",
        "created_by.last_name",
        "changed_by.first_name",
        "changed_by.last_name",
        "changed_on",
        "changed_on_delta_humanized",
        "created_on",
    ],
    show_columns: &["id", "name", "descr"],
    order_columns: &[
        "name",
        "descr",
        "created_by.first_name",
        "changed_by.first_name",
        "changed_on",
        "changed_on_delta_humanized",
        "created_on",
    ],
    search_columns: &["created_by", "changed_by", "created_on", "changed_on", "name", "descr", "annotation"],
    add_fields: &[
        Field::new("name", FieldKind::String)
            .required()
            .validate(&["<Length(min=1, max=250, equal=None, error=None)>"])
            .length(1, Some(250)),
        Field::new("descr", FieldKind::String).nullable(),
    ],
    edit_fields: &[
        Field::new("name", FieldKind::String)
            .validate(&["<Length(min=1, max=250, equal=None, error=None)>"])
            .length(1, Some(250)),
        Field::new("descr", FieldKind::String),
    ],
    computed: &[CHANGED_ON_DELTA],
    filters: &[CustomFilter {
        column: "name",
        operator: "annotation_layer_all_text",
        name: "All Text",
        apply: |cx, v| Ok(filters::all_text(cx, &["annotation_layer.name", "annotation_layer.descr"], v)),
    }],
    related: &[RelatedField::any_user("changed_by"), RelatedField::any_user("created_by")],
    ..Resource::PLAIN
};

static LAYER_ANNOTATIONS: Resource = Resource {
    name: "annotation_layer",
    class: "AnnotationRestApi",
    permission: "Annotation",
    verbs: &[],
    model: "Annotation",
    table: &ANNOTATIONS,
    list_columns: &[
        "id",
        "changed_by.first_name",
        "changed_by.id",
        "changed_on_delta_humanized",
        "created_by.first_name",
        "created_by.id",
        "end_dttm",
        "long_descr",
        "short_descr",
        "start_dttm",
    ],
    show_columns: &[
        "id",
        "short_descr",
        "long_descr",
        "start_dttm",
        "end_dttm",
        "json_metadata",
        "layer.id",
        "layer.name",
    ],
    order_columns: &[
        "changed_by.first_name",
        "changed_on_delta_humanized",
        "created_by.first_name",
        "end_dttm",
        "long_descr",
        "short_descr",
        "start_dttm",
    ],
    search_columns: &[
        "layer",
        "created_by",
        "changed_by",
        "created_on",
        "changed_on",
        "start_dttm",
        "end_dttm",
        "short_descr",
        "long_descr",
        "json_metadata",
    ],
    add_fields: &[
        Field::new("short_descr", FieldKind::String)
            .required()
            .validate(&["<Length(min=1, max=500, equal=None, error=None)>"])
            .length(1, Some(500)),
        Field::new("long_descr", FieldKind::String).nullable(),
        Field::new("start_dttm", FieldKind::Other("DateTime")).required(),
        Field::new("end_dttm", FieldKind::Other("DateTime")).required(),
        Field::new("json_metadata", FieldKind::String)
            .nullable()
            .validate(&["<function validate_json at 0x7f0000000000>"]),
    ],
    edit_fields: &[
        Field::new("short_descr", FieldKind::String)
            .validate(&["<Length(min=1, max=500, equal=None, error=None)>"])
            .length(1, Some(500)),
        Field::new("long_descr", FieldKind::String).nullable(),
        Field::new("start_dttm", FieldKind::Other("DateTime")),
        Field::new("end_dttm", FieldKind::Other("DateTime")),
        Field::new("json_metadata", FieldKind::String)
            .nullable()
            .validate(&["<function validate_json at 0x7f0000000000>"]),
    ],
    computed: &[CHANGED_ON_DELTA],
    filters: &[CustomFilter {
        column: "short_descr",
        operator: "annotation_all_text",
        name: "All Text",
        apply: |cx, v| Ok(filters::all_text(cx, &["annotation.short_descr", "annotation.long_descr"], v)),
    }],
    bare: true,
    ..Resource::PLAIN
};
