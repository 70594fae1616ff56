//! Whose a socket is, and whether they may still listen.

use std::sync::Arc;

use commands::{
    Services,
    access::{LogIn, LogInState, load_user},
};
use infra::config::Config;
use tokio::sync::Semaphore;

use crate::{context::Req, guards::identity};

/// The user of a token, and the log-in that came with it.
pub(super) struct Owner {
    /// None for those who have not logged in.
    user_id: Option<i64>,
    log_in: Option<LogIn>,
    looks: Arc<Semaphore>,
}

impl Owner {
    /// Of a request with a token for a user.
    pub(super) fn from_request(
        config: &Config,
        req: &Req,
        user_id: Option<i64>,
        looks: Arc<Semaphore>,
    ) -> Self {
        let log_in = identity::request_log_in(config, req).filter(|log_in| Some(log_in.user_id) == user_id);
        Self { user_id, log_in, looks }
    }

    /// The account is active, and the log-in has not ended. A metadata database that does not answer ends nothing.
    pub(super) async fn may_listen(&self, app: &Services) -> bool {
        let _turn = self.looks.acquire().await;
        // boxed: it is needed for a moment, and the socket for hours
        Box::pin(self.holds(app)).await
    }

    async fn holds(&self, app: &Services) -> bool {
        match (&self.log_in, self.user_id) {
            (Some(log_in), _) => {
                !matches!(log_in.state(app).await, Ok(LogInState::Ended | LogInState::UnknownUser))
            }
            (None, Some(id)) => !matches!(load_user(app, id).await, Ok(None)),
            (None, None) => true,
        }
    }
}
