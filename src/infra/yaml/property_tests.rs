//! What is written is read again as it was, whatever it is; and no text makes the reader fail but with an error.

use proptest::prelude::*;

use super::{Key, Yaml, dump, load};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,120}",
        "[a-c:#'\"\\\\ \n\t,{}\\[\\]&*!|>%@`?-]{0,100}",
        "(é|ü|\u{85}|\u{2028}|\u{a0}|😀| |\n|a|-|:|\u{feff}|\u{7}){0,60}",
        "[0-9:._+eE-]{1,12}",
        "(true|no|null|~|y|2024-01-01|0x1f|1:30|<<|=)",
    ]
}

fn value() -> impl Strategy<Value = Yaml> {
    let leaf = prop_oneof![
        Just(Yaml::Null),
        any::<bool>().prop_map(Yaml::Bool),
        any::<i64>().prop_map(Yaml::Int),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Yaml::Float),
        text().prop_map(Yaml::Text),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Yaml::List),
            prop::collection::vec((text(), inner), 0..5)
                .prop_map(|entries| Yaml::Map(entries.into_iter().map(|(k, v)| (Key::Text(k), v)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in value()) {
        let written = dump(&value);
        prop_assert_eq!(load(&written), Ok(value), "{}", written);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-c0-1:#'\"\\\\ \n\t,{}\\[\\]&*!|>%@`?<=~.-]{0,80}") {
        let _ = load(&text);
    }
}
