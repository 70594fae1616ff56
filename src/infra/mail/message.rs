//! A message: one HTML part, files, pictures in the text (`email.mime`, in the order of the original).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, Local};
use rand::RngExt as _;

use super::header::{parameter, value};

/// A picture that the text shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    /// Its content id, without brackets.
    pub id: String,
    /// A PNG file.
    pub png: Vec<u8>,
}

/// A message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Sender.
    pub from: String,
    /// Subject.
    pub subject: String,
    /// Addresses in the header `To`.
    pub to: Vec<String>,
    /// Addresses in the header `Cc`, if there is one.
    pub cc: Option<Vec<String>>,
    /// Addresses in no header.
    pub bcc: Vec<String>,
    /// The text.
    pub html: String,
    /// Files by their names.
    pub files: Vec<(String, Vec<u8>)>,
    /// Pictures of the text.
    pub pictures: Vec<Inline>,
    /// `Message-ID` without brackets: the same for the same message.
    pub id: String,
    /// When it was written.
    pub date: DateTime<Local>,
    /// Header fields instead of those that follow from the rest; `To` and `Cc` among them say who gets it.
    pub fields: Option<Vec<(String, String)>>,
}

/// A content id (`email.utils.make_msgid`).
pub fn content_id(domain: &str, now: DateTime<Local>) -> String {
    let random: u64 = rand::rng().random();
    let moment = now.timestamp_millis() / 10;
    format!("{moment}.{}.{random}.{domain}@{domain}", std::process::id())
}

impl Message {
    /// Who gets it. An empty header counts as an address without letters, as in the original.
    pub fn recipients(&self) -> Vec<String> {
        if let Some(fields) = &self.fields {
            // the first of a name counts
            let named = |wanted: &str| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            let lists = [named("To"), named("Cc")].into_iter().flatten();
            let mut all: Vec<String> =
                lists.flat_map(|(_, list)| list.split(", ").map(str::to_owned)).collect();
            all.extend(self.bcc.iter().cloned());
            return all;
        }
        let listed = |list: &[String]| if list.is_empty() { vec![String::new()] } else { list.to_vec() };
        let mut all = listed(&self.to);
        all.extend(self.cc.as_deref().map(listed).unwrap_or_default());
        all.extend(self.bcc.iter().cloned());
        all
    }

    /// The header fields.
    pub fn header(&self) -> Vec<(String, String)> {
        if let Some(fields) = &self.fields {
            return fields.clone();
        }
        let mut fields = vec![("Subject", self.subject.clone()), ("From", self.from.clone())];
        fields.push(("To", self.to.join(", ")));
        fields.extend(self.cc.as_ref().map(|cc| ("Cc", cc.join(", "))));
        fields.push(("Date", self.date()));
        fields.push(("Message-ID", format!("<{}>", self.id)));
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn date(&self) -> String {
        self.date.format("%a, %d %b %Y %H:%M:%S %z").to_string()
    }

    /// The bytes, with plain line feeds.
    pub fn bytes(&self) -> Vec<u8> {
        let random: [u64; 2] = rand::rng().random();
        let boundary = format!("==============={:019}{:019}==", random[0] >> 1, random[1] >> 1);
        let date = self.date();
        let mut out = String::new();
        let mut field = |name: &str, text: &str| {
            out.push_str(name);
            out.push_str(": ");
            out.push_str(text);
            out.push('\n');
        };
        field("Content-Type", &format!("multipart/related; boundary=\"{boundary}\""));
        field("MIME-Version", "1.0");
        let is_ours =
            |name: &str| ["content-type", "mime-version"].contains(&name.to_ascii_lowercase().as_str());
        for (name, text) in self.header().into_iter().filter(|(name, _)| !is_ours(name)) {
            field(&name, &value(&text));
        }
        out.push_str("\nThis is a multi-part message in MIME format.\n");
        let mut part = |fields: &[(&str, String)], body: &str| {
            out.push_str("--");
            out.push_str(&boundary);
            out.push('\n');
            for (name, text) in fields {
                out.push_str(name);
                out.push_str(": ");
                out.push_str(text);
                out.push('\n');
            }
            out.push('\n');
            out.push_str(body);
            out.push('\n');
        };
        let (charset, encoding, body) = match self.html.is_ascii() {
            true => ("us-ascii", "7bit", self.html.clone()),
            false => ("utf-8", "base64", base64(self.html.as_bytes())),
        };
        let version = || ("MIME-Version", "1.0".to_owned());
        let encoded = |encoding: &str| ("Content-Transfer-Encoding", encoding.to_owned());
        let html = ("Content-Type", format!("text/html; charset=\"{charset}\""));
        part(&[html, version(), encoded(encoding)], &body);
        for (name, bytes) in &self.files {
            // parameters of the type, where a field of its own was meant: what clients know from the original
            let disposition = parameter("Content-Disposition", &format!("attachment; filename='{name}'"));
            let kind = format!("application/octet-stream; {disposition}; {}", parameter("Name", name));
            part(&[("Content-Type", kind), version(), encoded("base64")], &base64(bytes));
        }
        for picture in &self.pictures {
            let name = parameter("name", &format!("{} {date}", self.subject));
            let fields = [
                ("Content-Type", format!("image/png; {name}")),
                version(),
                encoded("base64"),
                ("Content-ID", format!("<{}>", value(&picture.id))),
                ("Content-Disposition", "inline".to_owned()),
            ];
            part(&fields, &base64(&picture.png));
        }
        out.push_str("--");
        out.push_str(&boundary);
        out.push_str("--\n");
        out.into_bytes()
    }
}

/// Lines of 76 characters, each ended (`base64.encodebytes`).
fn base64(bytes: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(bytes);
    let mut out = String::with_capacity(text.len() + text.len() / 76 + 1);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(76));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            from: "reports@example.com".into(),
            subject: "One\r\nBcc: all@example.com".into(),
            to: vec!["a@example.com".into()],
            cc: None,
            bcc: vec!["b@example.com".into()],
            html: "\n<p>plain</p>\n".into(),
            files: vec![("x.csv".into(), b"a,b\n".to_vec())],
            pictures: Vec::new(),
            id: "report-1@example.com".into(),
            date: DateTime::UNIX_EPOCH.into(),
            fields: None,
        }
    }

    #[test]
    fn other_fields_say_who_gets_it() {
        let fields =
            [("Subject", "Other"), ("To", "x@example.com, y@example.com"), ("X-Team", "one\r\nBcc: z@q")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let changed = Message { fields: Some(fields), ..message() };
        assert_eq!(changed.recipients(), ["x@example.com", "y@example.com", "b@example.com"]);
        let text = String::from_utf8(changed.bytes()).unwrap();
        assert!(text.contains("\nX-Team: one Bcc: z@q\n\nThis is a multi-part") && !text.contains("One Bcc"));
    }

    #[test]
    fn the_parts_stand_in_order_and_hidden_copies_in_no_header() {
        let text = String::from_utf8(message().bytes()).unwrap();
        let (head, rest) = text.split_once("\n\n").unwrap();
        assert!(
            head.starts_with("Content-Type: multipart/related; boundary=\"===============")
                && !head.contains("b@")
        );
        assert!(
            head.contains(
                "\nSubject: One Bcc: all@example.com\nFrom: reports@example.com\nTo: a@example.com\n"
            )
        );
        assert!(head.ends_with("\nMessage-ID: <report-1@example.com>"));
        assert!(rest.contains(
            "\nContent-Type: text/html; charset=\"us-ascii\"\nMIME-Version: 1.0\nContent-Transfer-Encoding: 7bit\n\n\n\
             <p>plain</p>\n\n--"
        ));
        assert!(rest.contains(
            "\nContent-Type: application/octet-stream; Content-Disposition=\"attachment; filename='x.csv'\"; \
             Name=\"x.csv\"\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\nYSxiCg==\n\n--"
        ));
        assert!(rest.ends_with("==--\n"));
        assert_eq!(message().recipients(), ["a@example.com", "b@example.com"]);
    }

    #[test]
    fn more_than_ascii_is_base64_in_lines() {
        let html = "ü".repeat(60);
        let text = String::from_utf8(Message { html, ..message() }.bytes()).unwrap();
        assert!(text.contains("charset=\"utf-8\"\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n"));
        assert!(text.is_ascii() && text.lines().all(|line| line.len() < 200));
        let empty = Message { to: Vec::new(), cc: Some(Vec::new()), bcc: Vec::new(), ..message() };
        assert_eq!(empty.recipients(), ["", ""]);
    }
}
