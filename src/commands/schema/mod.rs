//! Bodies of writes: which fields there are, what marshmallow's schemas demand of them, and the structs that commands
//! take. The struct and its schemas are one declaration ([`fields!`]); loading a body, with the messages, is `web`'s.

pub mod checks;
mod field;
mod sent;

pub use field::{Field, FieldKind};
pub use sent::{FieldType, NULL_ID, Sent};

/// The name of a field on the wire: its own unless another is given.
macro_rules! wire_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $wire:literal) => {
        $wire
    };
}

/// Declares what a body may say: a struct of [`Sent`] fields and the schemas that a body is loaded by, which list
/// fields of the struct with what marshmallow demands of them.
///
/// ```ignore
/// fields! {
///     /// A tag as a body describes it.
///     pub struct TagFields {
///         name: String,
///         kind as "type": String,
///     }
///     /// `TagPostSchema`.
///     POST = [name.required().length(1, Some(250)), kind.nullable()];
/// }
/// ```
macro_rules! fields {
    (
        $(#[$doc:meta])*
        pub struct $Name:ident {
            $($(#[$note:meta])* $field:ident $(as $wire:literal)?: $type:ty,)*
        }
        $(
            $(#[$schema_doc:meta])*
            $SCHEMA:ident = [$($entry:ident $(.$demand:ident($($argument:expr),*))*),* $(,)?];
        )*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $Name {
            $(
                #[doc = concat!("`", $crate::schema::wire_name!($field $($wire)?), "`")]
                $(#[$note])*
                pub $field: $crate::schema::Sent<$type>,
            )*
        }

        #[allow(non_upper_case_globals, dead_code)]
        impl $Name {
            $(
                const $field: $crate::schema::Field = $crate::schema::Field::new(
                    $crate::schema::wire_name!($field $($wire)?),
                    <$type as $crate::schema::FieldType>::KIND,
                );
            )*
            $(
                $(#[$schema_doc])*
                pub const $SCHEMA: &'static [$crate::schema::Field] =
                    &[$(Self::$entry$(.$demand($($argument),*))*),*];
            )*

            /// What a loaded body says.
            pub fn read(body: &serde_json::Map<String, serde_json::Value>) -> Self {
                Self { $($field: $crate::schema::Sent::read(body.get($crate::schema::wire_name!($field $($wire)?))),)* }
            }
        }

        impl $crate::schema::FieldType for Vec<$Name> {
            const KIND: $crate::schema::FieldKind = $crate::schema::FieldKind::Other("List");
            fn read(loaded: &serde_json::Value) -> Option<Self> {
                let items = loaded.as_array()?;
                Some(items.iter().filter_map(serde_json::Value::as_object).map($Name::read).collect())
            }
        }

        impl $crate::schema::FieldType for $Name {
            const KIND: $crate::schema::FieldKind = $crate::schema::FieldKind::Other("Nested");
            fn read(loaded: &serde_json::Value) -> Option<Self> {
                loaded.as_object().map(Self::read)
            }
        }
    };
}

/// The columns of a row that a body sets: those of the named fields that it sends, under their names.
macro_rules! columns {
    ($fields:expr; $($column:ident),* $(,)?) => {{
        let fields = $fields;
        let all = [$((stringify!($column), fields.$column.stored())),*];
        all.into_iter().filter_map(|(column, value)| Some((column, value?))).collect::<Vec<_>>()
    }};
}

pub(crate) use {columns, fields, wire_name};

#[cfg(test)]
mod tests {
    use infra::db::Value as Stored;
    use serde_json::{Value, json};

    use super::{FieldKind, Sent};

    fields! {
        /// A part.
        pub struct PartFields {
            id: i64,
        }
    }

    fields! {
        /// A thing.
        pub struct ThingFields {
            name: String,
            kind as "type": String,
            parts: Vec<PartFields>,
            people: Vec<i64>,
        }
        /// What is new.
        POST = [name.required().length(1, Some(3)), kind.nullable()];
        /// What changes.
        PUT = [name, parts, people];
    }

    fn read(body: Value) -> ThingFields {
        ThingFields::read(body.as_object().unwrap())
    }

    #[test]
    fn schemas_list_fields_of_the_struct() {
        let names = |schema: &[super::Field]| schema.iter().map(|f| f.name).collect::<Vec<_>>();
        assert_eq!(names(ThingFields::POST), ["name", "type"]);
        assert_eq!(names(ThingFields::PUT), ["name", "parts", "people"]);
        assert!(ThingFields::POST[0].required && !ThingFields::PUT[0].required);
        assert_eq!(ThingFields::PUT[2].kind, FieldKind::List);
    }

    #[test]
    fn null_is_not_left_out() {
        let thing = read(json!({"type": null, "name": "n", "parts": [{"id": 1}, {}], "people": [7, null]}));
        assert_eq!(thing.kind, Sent::Null);
        assert_eq!(thing.name.text(), Some("n"));
        assert_eq!(thing.parts.value().unwrap()[1].id, Sent::Absent);
        assert_eq!(thing.people.value().unwrap(), &[7, super::NULL_ID]);
        let columns: Vec<(&str, Stored)> = columns!(&thing; name, kind);
        assert_eq!(columns, [("name", "n".into()), ("kind", Stored::Null)]);
        assert_eq!(columns!(&read(json!({})); name, kind), []);
    }
}
