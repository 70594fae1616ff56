//! Who asks, of which application: what nearly every command begins with.

use std::sync::Arc;

use infra::compute::Lease;

use super::{GuestToken, Principal, Services};

/// The running application and who asks it. Commands borrow it; work that outlives its request keeps a clone, which
/// shares both.
#[derive(Clone)]
pub struct Caller {
    /// The application.
    pub app: Arc<Services>,
    /// Who asks.
    pub user: Arc<Principal>,
}

impl Caller {
    /// Somebody who asks an application.
    pub fn new(app: &Arc<Services>, user: impl Into<Arc<Principal>>) -> Self {
        Self { app: app.clone(), user: user.into() }
    }

    /// The guest's token, when embedding is switched on (`is_guest_user`).
    pub fn guest(&self) -> Option<&GuestToken> {
        self.user.guest_if_enabled(&self.app.config)
    }

    /// Memory for a result, counted for who asks; waits until there is some.
    pub async fn lease(&self) -> infra::Result<Arc<Lease>> {
        Ok(Lease::begin(&self.app.memory, &self.user.quota_key()).await?)
    }
}
