//! The tests' own way to PostgreSQL, beside the server that is tested.

/// The first value of the first row.
pub fn number(uri: &str, sql: &str) -> i64 {
    on_server(uri, async |client| client.query_one(sql, &[]).await.unwrap().get(0))
}

/// Runs statements.
pub fn execute(uri: &str, sql: &str) {
    on_server(uri, async |client| client.batch_execute(sql).await.unwrap());
}

fn on_server<T>(uri: &str, work: impl AsyncFnOnce(tokio_postgres::Client) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let uri = uri.replace("postgresql+psycopg2:", "postgresql:");
        let (client, connection) = tokio_postgres::connect(&uri, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        work(client).await
    })
}
