//! The common bootstrap data of pages as JSON, kept by what it is made of: pages of the same people differ in little
//! else.

use std::sync::Arc;

use daos::system_themes::SystemThemes;
use parking_lot::Mutex;

use super::Permissions;

/// Texts that are kept; an installation has a handful of roles and languages.
const MAX_KEPT: usize = 64;

/// Everything that decides about the data besides the configuration, which does not change.
#[derive(Debug, Clone)]
pub struct BootstrapKey {
    /// The language of the page.
    pub locale: String,
    /// What its paths begin with.
    pub script_root: String,
    /// Whether anybody is logged in.
    pub is_anonymous: bool,
    /// What the caller may do.
    pub permissions: Arc<Permissions>,
    /// What the installation wears.
    pub themes: SystemThemes,
    /// The address of WebSockets, where the page names it.
    pub socket: Option<String>,
}

impl PartialEq for BootstrapKey {
    fn eq(&self, other: &Self) -> bool {
        // both are held: an address means these permissions and no others
        Arc::ptr_eq(&self.permissions, &other.permissions)
            && (self.is_anonymous, &self.locale, &self.script_root, &self.themes, &self.socket)
                == (other.is_anonymous, &other.locale, &other.script_root, &other.themes, &other.socket)
    }
}

/// The texts of one application.
#[derive(Debug, Default)]
pub struct BootstrapTexts(Mutex<Vec<(BootstrapKey, Arc<str>)>>);

impl BootstrapTexts {
    /// What was written for the same.
    pub fn get(&self, key: &BootstrapKey) -> Option<Arc<str>> {
        self.0.lock().iter().find(|(kept, _)| kept == key).map(|(_, text)| text.clone())
    }

    /// Keeps what was written; the oldest goes, and with it that of rights that have changed.
    pub fn keep(&self, key: BootstrapKey, text: Arc<str>) {
        let mut kept = self.0.lock();
        if kept.len() >= MAX_KEPT {
            kept.remove(0);
        }
        kept.push((key, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_given_the_text_of_others() {
        let texts = BootstrapTexts::default();
        let key = BootstrapKey {
            locale: "en".into(),
            script_root: String::new(),
            is_anonymous: false,
            permissions: Arc::new([("can_read".to_owned(), "Chart".to_owned())].into()),
            themes: SystemThemes::default(),
            socket: None,
        };
        texts.keep(key.clone(), "text".into());
        assert_eq!(texts.get(&key).as_deref(), Some("text"));
        let others = [
            BootstrapKey { locale: "fr".into(), ..key.clone() },
            BootstrapKey { script_root: "/bi".into(), ..key.clone() },
            BootstrapKey { is_anonymous: true, ..key.clone() },
            BootstrapKey { permissions: Arc::default(), ..key.clone() },
            BootstrapKey { socket: Some("ws://a".into()), ..key.clone() },
            BootstrapKey {
                themes: SystemThemes { dark: Some("{}".into()), ..SystemThemes::default() },
                ..key.clone()
            },
        ];
        for other in &others {
            assert_eq!(texts.get(other), None, "{other:?}");
        }
        for number in 0..MAX_KEPT {
            texts.keep(BootstrapKey { locale: number.to_string(), ..key.clone() }, "other".into());
        }
        assert_eq!((texts.get(&key), texts.0.lock().len()), (None, MAX_KEPT));
    }
}
