//! Checks that several schemas make of a value; each is the message, if the value fails.

use serde_json::Value;

/// `validate_json` of Superset's schemas: a text that is JSON, or empty.
pub fn is_json(value: &Value) -> Option<&'static str> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_err().then_some("JSON not valid")
}

/// Declares a check: `OneOf(choices)`.
macro_rules! one_of {
    ($visibility:vis $name:ident: $($choice:literal),+) => {
        $visibility fn $name(value: &serde_json::Value) -> Option<&'static str> {
            let text = concat!("Must be one of: ", $crate::schema::checks::one_of!(@join $($choice),+), ".");
            let is_known = matches!(value.as_str(), $(Some($choice))|+);
            (!is_known).then_some(text)
        }
    };
    (@join $first:literal $(, $more:literal)*) => { concat!($first $(, ", ", $more)*) };
}

pub(crate) use one_of;
