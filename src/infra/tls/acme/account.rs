//! The account at an authority, made at the first order.

use std::path::Path;

use instant_acme::{Account, NewAccount};

use super::{
    Acme,
    ask::Asker,
    stored::{self, StoredAccount},
};

/// The account that is kept, or a new one.
pub(super) async fn account(settings: &Acme, folder: &Path) -> Result<Account, String> {
    let builder = || Ok::<_, String>(Account::builder_with_http(Box::new(Asker::new(settings)?)));
    let told = |e: instant_acme::Error| format!("the account: {e}");
    let contact = settings.contact.as_ref().map(|to| format!("mailto:{to}"));
    let contacts: Vec<&str> = contact.as_deref().into_iter().collect();
    if let Some(kept) = stored::account(folder, &settings.directory)? {
        let StoredAccount { directory, contact: known, credentials } = kept;
        let account = builder()?.from_credentials(credentials).await.map_err(told)?;
        if known != settings.contact {
            account.update_contacts(&contacts).await.map_err(told)?;
            // the credentials went into the account: they are read once more, with what is new beside them
            if let Some(kept) = stored::account(folder, &directory)? {
                stored::keep_account(folder, &StoredAccount { contact: settings.contact.clone(), ..kept })?;
            }
        }
        return Ok(account);
    }
    // ACME_TERMS_AGREED is true, or there would be no settings
    let asked = NewAccount { contact: &contacts, terms_of_service_agreed: true, only_return_existing: false };
    let made = builder()?.create(&asked, settings.directory.clone(), None).await;
    let (account, credentials) = made.map_err(told)?;
    let (directory, contact) = (settings.directory.clone(), settings.contact.clone());
    stored::keep_account(folder, &StoredAccount { directory, contact, credentials })?;
    tracing::info!(authority = settings.directory, "an account was made");
    Ok(account)
}
