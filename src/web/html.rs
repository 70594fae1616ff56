//! Text inside HTML. Pages are templates of `maud`, which escape whatever they are given.

use maud::Render;

/// Text in a template with the entities that MarkupSafe uses: where its bytes are compared, and shorter where it is
/// full of quotation marks.
#[derive(Debug, Clone, Copy)]
pub struct MarkupSafe<'a>(pub &'a str);

impl Render for MarkupSafe<'_> {
    fn render_to(&self, out: &mut String) {
        out.reserve(self.0.len() + self.0.len() / 8);
        for c in self.0.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&#34;"),
                '\'' => out.push_str("&#39;"),
                c => out.push(c),
            }
        }
    }
}

/// The same as a text of its own, for values that are HTML inside JSON.
pub fn escape(text: &str) -> String {
    MarkupSafe(text).render().into_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_leaves_an_attribute() {
        assert_eq!(super::escape("<a b=\"c\" d='e'>&amp;"), "&lt;a b=&#34;c&#34; d=&#39;e&#39;&gt;&amp;amp;");
    }
}
