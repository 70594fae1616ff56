//! Text that the server renders for people.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::Builder;
use pulldown_cmark::{Options, Parser, html::push_html};

/// The tags that a description may use; others go, their text stays.
const TAGS: [&str; 25] = [
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "b",
    "i",
    "strong",
    "em",
    "tt",
    "p",
    "br",
    "span",
    "div",
    "blockquote",
    "code",
    "hr",
    "ul",
    "ol",
    "li",
    "dd",
    "dt",
    "img",
    "a",
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::default();
    cleaner.tags(HashSet::from(TAGS)).tag_attributes(HashMap::from([
        ("img", HashSet::from(["src", "alt", "title"])),
        ("a", HashSet::from(["href", "alt", "title"])),
    ]));
    cleaner
});

/// A description as HTML (`superset.utils.core:markdown`): Markdown, then only harmless tags and attributes.
pub fn markdown(text: &str) -> String {
    // most objects have none, and what makes sure of that is not quick
    if text.trim().is_empty() {
        return String::new();
    }
    let mut html = String::with_capacity(text.len() * 2);
    push_html(&mut html, Parser::new_ext(text, Options::ENABLE_TABLES));
    CLEANER.clean(html.trim_end()).to_string()
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn paragraphs_and_marks() {
        assert_eq!(markdown(""), "");
        assert_eq!(markdown("one *two*\n\n# three"), "<p>one <em>two</em></p>\n<h1>three</h1>");
        assert_eq!(markdown("- a\n- b"), "<ul>\n<li>a</li>\n<li>b</li>\n</ul>");
    }

    #[test]
    fn nothing_runs() {
        assert_eq!(markdown("<script>alert(1)</script>"), "");
        assert_eq!(markdown("<img src=x onerror=alert(1)>"), "<img src=\"x\">");
        assert_eq!(markdown("[x](javascript:alert(1))"), "<p><a rel=\"noopener noreferrer\">x</a></p>");
    }
}
