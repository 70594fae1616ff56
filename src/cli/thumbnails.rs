//! `liteset compute-thumbnails`.

use std::sync::Arc;

use commands::{
    Services,
    thumbnail::{Kind, compute},
};

use super::{Common, ask, assets::application, block_on, refused};
use crate::app::StartError;

/// Options of `compute-thumbnails`.
#[derive(Debug, clap::Args)]
pub struct ComputeThumbnails {
    #[command(flatten)]
    common: Common,
    /// Trigger commands to run remotely on a worker.
    #[arg(long, short)]
    asynchronous: bool,
    /// Only process dashboards.
    #[arg(long = "dashboards_only", short)]
    dashboards_only: bool,
    /// Only process charts.
    #[arg(long = "charts_only", short)]
    charts_only: bool,
    /// Force refresh, even if previously cached.
    #[arg(long, short)]
    force: bool,
    /// Only these; can be set several times.
    #[arg(long = "model_id", short = 'i')]
    model_id: Vec<i64>,
}

impl ComputeThumbnails {
    /// Takes the pictures.
    pub fn run(self) -> Result<(), StartError> {
        if self.asynchronous {
            return refused::because("there are no workers: without -a the pictures are taken here");
        }
        let loaded = self.common.load()?;
        block_on(async {
            let app = application(loaded.config).await?;
            let done = Box::pin(self.all(&app)).await;
            app.browser.close().await;
            done
        })
    }

    async fn all(&self, app: &Arc<Services>) -> Result<(), StartError> {
        let kinds =
            [(Kind::Dashboard, "dashboard", self.charts_only), (Kind::Chart, "chart", self.dashboards_only)];
        for (kind, name, left_out) in kinds {
            if left_out {
                continue;
            }
            let subjects = compute::subjects(app, kind, &self.model_id).await?;
            for (n, subject) in subjects.iter().enumerate() {
                let (n, all) = (n + 1, subjects.len());
                ask::say(&format!("Processing {name} \"{}\" ({n}/{all})\n", subject.name))?;
                Box::pin(compute::take(app, subject, self.force)).await?;
            }
        }
        Ok(())
    }
}
