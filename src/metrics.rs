//! `/metrics`, on a listener of its own: numbers are for who watches over the machine, not for users.

use infra::telemetry;
use salvo::{
    Depot, FlowCtrl, Handler, Request, Response, Router, Server, Service, async_trait,
    conn::tcp::TcpAcceptor,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
};
use tokio::net::TcpListener;

/// Why there is no listener, and what to do.
type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Opens the listener that `METRICS` names; none where it names nothing.
pub async fn bind(address: &str) -> Result<Option<TcpListener>, StartError> {
    if address.is_empty() {
        return Ok(None);
    }
    // a port alone is this machine's
    let address = if address.bytes().all(|b| b.is_ascii_digit()) {
        format!("127.0.0.1:{address}")
    } else {
        address.to_owned()
    };
    let bound = TcpListener::bind(&address).await;
    let bound = bound.map_err(|e| {
        format!(
            "cannot listen on {address} for /metrics: {e}; METRICS (--metrics) is ADDRESS:PORT, and nothing else may \
             listen there"
        )
    })?;
    Ok(Some(bound))
}

/// Serves until the process ends.
pub fn serve(listener: TcpListener) -> Result<(), StartError> {
    let acceptor = TcpAcceptor::try_from(listener)?;
    let address = acceptor.local_addr()?.to_string();
    tracing::info!(address, "metrics");
    let router = Router::with_path("{**rest}").goal(Metrics);
    tokio::spawn(async move {
        if let Err(error) = Server::new(acceptor).try_serve(Service::new(router)).await {
            tracing::error!(%error, "metrics are not served any more");
        }
    });
    Ok(())
}

struct Metrics;

#[async_trait]
impl Handler for Metrics {
    async fn handle(&self, request: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        if request.uri().path() != "/metrics" {
            res.status_code(StatusCode::NOT_FOUND);
            return;
        }
        if !matches!(request.method().as_str(), "GET" | "HEAD") {
            res.status_code(StatusCode::METHOD_NOT_ALLOWED);
            return;
        }
        res.status_code(StatusCode::OK);
        res.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(telemetry::CONTENT_TYPE));
        res.body(telemetry::text());
    }
}
