//! Texts of strangers in filters and names: nothing in them means anything there.

/// A value for a filter (RFC 4515, `ldap.filter.escape_filter_chars`).
pub fn escape_filter(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '*' | '(' | ')' | '\\' | '\0' => out.push_str(&format!("\\{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// A value for a distinguished name (RFC 4514, `ldap.dn.escape_dn_chars`).
pub fn escape_dn(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => {
                out.push('\\');
                out.push(c);
            }
            '#' if at == 0 => out.push_str("\\#"),
            ' ' if at == 0 || at == last => out.push_str("\\ "),
            c if c.is_control() => c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| {
                out.push_str(&format!("\\{b:02x}"));
            }),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_means_anything() {
        assert_eq!(escape_filter("a*)(uid=\\2a\0é"), "a\\2a\\29\\28uid=\\5c2a\\00é");
        assert_eq!(escape_dn("carol,ou=contractors"), "carol\\,ou\\=contractors");
        assert_eq!(escape_dn(" #a+b\"c\\<>; "), "\\ #a\\+b\\\"c\\\\\\<\\>\\;\\ ");
        assert_eq!(escape_dn("#x\0\r"), "\\#x\\00\\0d");
        assert_eq!(escape_dn(""), "");
    }
}
