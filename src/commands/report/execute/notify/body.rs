//! Texts of mails and messages.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::Builder;

use crate::report::execute::content::Content;

/// Longer messages are not formatted by Slack.
const SLACK_LIMIT: usize = 4_000;

const TABLE_TAGS: [&str; 7] = ["table", "th", "tr", "td", "thead", "tbody", "tfoot"];
const TABLE_ATTRIBUTES: [&str; 5] = ["colspan", "rowspan", "halign", "border", "class"];
const TAGS: [&str; 14] =
    ["a", "abbr", "acronym", "b", "blockquote", "br", "code", "div", "em", "i", "li", "ol", "p", "strong"];

/// What an author's description may consist of.
static DESCRIPTION: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let tags: HashSet<&str> = TAGS.into_iter().chain(["ul"]).chain(TABLE_TAGS).collect();
    let mut attributes = table_attributes();
    attributes.insert("a", HashSet::from(["href", "title"]));
    attributes.insert("abbr", HashSet::from(["title"]));
    attributes.insert("acronym", HashSet::from(["title"]));
    let mut builder = Builder::default();
    builder.tags(tags).tag_attributes(attributes);
    builder
});

static TABLE: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder.tags(HashSet::from(TABLE_TAGS)).tag_attributes(table_attributes());
    builder
});

fn table_attributes() -> HashMap<&'static str, HashSet<&'static str>> {
    TABLE_TAGS.iter().map(|tag| (*tag, HashSet::from(TABLE_ATTRIBUTES))).collect()
}

/// The text of a mail.
pub(super) fn of_mail(content: &Content, call: &str, pictures: &[&str]) -> String {
    let description = DESCRIPTION.clean(content.description.as_deref().unwrap_or_default()).to_string();
    let table =
        content.table.as_ref().map(|table| TABLE.clean(&table.to_html()).to_string()).unwrap_or_default();
    let mut images = String::new();
    for id in pictures {
        images.push_str(&format!(
            "<div class=\"image\">\n                    <img width=\"1000\" src=\"cid:{id}\">\n                \
             </div>\n                "
        ));
    }
    let url = &content.url;
    dedent(&format!(
        r#"
            <html>
              <head>
                <style type="text/css">
                  table, th, td {{
                    border-collapse: collapse;
                    border-color: rgb(200, 212, 227);
                    color: rgb(42, 63, 95);
                    padding: 4px 8px;
                  }}
                  .image{{
                      margin-bottom: 18px;
                      min-width: 1000px;
                  }}
                </style>
              </head>
              <body>
                <div>{description}</div>
                <br>
                <b><a href="{url}">{call}</a></b><p></p>
                {table}
                {images}
              </body>
            </html>
            "#
    ))
}

/// The text of a mail about an error.
pub(super) fn of_error(error: &str, url: &str, call: &str) -> String {
    let error = without_tags(error);
    format!(
        r#"
            <p>Your report/alert was unable to be generated because of the following error: {error}</p>
            <p>Please check your dashboard/chart for errors.</p>
            <p><b><a href="{url}">{call}</a></b></p>
            "#
    )
}

/// Words of an error may be anybody's. What could begin a tag does not, apart from what Python prints of the original's
/// own enumerations, which no client shows.
fn without_tags(error: &str) -> String {
    let mut out = String::with_capacity(error.len());
    for (at, c) in error.char_indices() {
        let rest = error.get(at + 1..).unwrap_or_default();
        let own = rest.starts_with("SupersetErrorType.") || rest.starts_with("ErrorLevel.");
        let tag = rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if c == '<' && tag && !own {
            out.push_str("&lt;");
        } else {
            out.push(c);
        }
    }
    out
}

/// `textwrap.dedent`: takes away the blanks that all lines begin with; lines of blanks become empty.
fn dedent(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let is_blank = |line: &str| line.chars().all(|c| c == ' ' || c == '\t');
    let margin = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let mut common: Option<&str> = None;
    for line in lines.iter().filter(|line| !is_blank(line)) {
        let own = line.get(..margin(line)).unwrap_or_default();
        common = Some(match common {
            None => own,
            Some(common) => {
                let same = common.bytes().zip(own.bytes()).take_while(|(a, b)| a == b).count();
                own.get(..same).unwrap_or_default()
            }
        });
    }
    let cut = common.unwrap_or_default().len();
    let kept = lines.iter().map(|line| if is_blank(line) { "" } else { line.get(cut..).unwrap_or_default() });
    kept.collect::<Vec<_>>().join("\n")
}

/// The text of a message on Slack.
pub(super) fn of_slack(content: &Content) -> String {
    let description = content.description.as_deref().unwrap_or_default();
    if let Some(error) = &content.error {
        return format!("*{}*\n\n    {description}\n\n    Error: {error}\n    ", content.name);
    }
    let message = |table: &str| {
        format!("*{}*\n\n{description}\n\n<{}|Explore in Superset>\n\n{table}\n", content.name, content.url)
    };
    let Some(table) = &content.table else { return message("") };
    let fenced = format!("```\n{}\n```", table.to_markdown());
    if table.row_count() > 1 {
        // the whole table is sent all the same
        let noted = message(&format!("{fenced}\n\n(table was truncated)"));
        if noted.chars().count() > SLACK_LIMIT {
            return noted;
        }
    }
    message(&fenced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_blanks_go() {
        assert_eq!(dedent("\n    a\n      b\n   \n    c\n  "), "\na\n  b\n\nc\n");
        assert_eq!(dedent("a\n  b"), "a\n  b");
        assert_eq!(dedent("\ta\n  b"), "\ta\n  b");
    }

    #[test]
    fn descriptions_keep_harmless_markup_alone() {
        let clean = |text: &str| DESCRIPTION.clean(text).to_string();
        assert_eq!(clean("<img src=x onerror=alert(1)><b>b</b>"), "<b>b</b>");
        assert_eq!(clean("<script>alert(1)</script>"), "");
        assert_eq!(clean("<a href=\"javascript:x\">a</a>"), "<a rel=\"noopener noreferrer\">a</a>");
    }

    #[test]
    fn errors_bring_no_tags() {
        assert_eq!(without_tags("a <b>x</b> '<' 1 <2"), "a &lt;b>x&lt;/b> '<' 1 <2");
        let own = "[SupersetError(level=<ErrorLevel.ERROR: 'error'>)]";
        assert_eq!(without_tags(own), own);
    }
}
