//! What every response gets after its handler: session cookie, security headers, CORS, compression.

pub mod compress;
mod cors;
pub mod headers;
