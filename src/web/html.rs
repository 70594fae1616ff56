//! Text inside HTML. Pages are templates of `maud`, which escape whatever they are given.

use maud::Render;

/// Text in a template with the entities that MarkupSafe uses: where its bytes are compared, and shorter where it is
/// full of quotation marks.
#[derive(Debug, Clone, Copy)]
pub struct MarkupSafe<'a>(pub &'a str);

impl Render for MarkupSafe<'_> {
    fn render_to(&self, out: &mut String) {
        out.reserve(self.0.len() + self.0.len() / 2);
        let mut rest = self.0;
        while let Some((at, entity)) = rest.bytes().enumerate().find_map(|(at, b)| Some((at, entity(b)?))) {
            // what is escaped is one byte, so that both ends lie between characters
            out.push_str(&rest[..at]);
            out.push_str(entity);
            rest = &rest[at + 1..];
        }
        out.push_str(rest);
    }
}

fn entity(byte: u8) -> Option<&'static str> {
    Some(match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'"' => "&#34;",
        b'\'' => "&#39;",
        _ => return None,
    })
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
        assert_eq!(super::escape("é\"ü"), "é&#34;ü");
        assert_eq!(super::escape(""), "");
    }
}
