//! Text that the server renders for people.

/// HTML with the five special characters escaped.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Paragraphs of a description as HTML (`utils.markdown`). Markup inside is shown as text: the original keeps a
/// short list of tags and drops the rest, we keep none.
pub fn markdown(text: Option<&str>) -> String {
    let paragraphs = text.unwrap_or_default().split("\n\n").map(str::trim).filter(|p| !p.is_empty());
    paragraphs.map(|p| format!("<p>{}</p>", escape_html(p))).collect::<Vec<_>>().join("\n")
}
