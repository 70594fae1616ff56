//! Text inside HTML.

/// Escapes text for content and for quoted attributes, with the entities that MarkupSafe uses.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_leaves_an_attribute() {
        assert_eq!(super::escape("<a b=\"c\" d='e'>&amp;"), "&lt;a b=&#34;c&#34; d=&#39;e&#39;&gt;&amp;amp;");
    }
}
