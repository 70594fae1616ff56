//! An order: which names, their proofs, and the certificate at its end.

use std::{path::Path, sync::Arc, time::Duration};

use instant_acme::{
    AuthorizationStatus, ChallengeType, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::{
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};

use super::{Acme, Identity, Resolver, account::account, stored};

/// How long an authority is asked how far it is.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));

/// Asks for a certificate and keeps it.
pub(super) async fn order(
    settings: &Acme,
    folder: &Path,
    resolver: &Arc<Resolver>,
) -> Result<Identity, String> {
    let account = account(settings, folder).await?;
    let names: Vec<Identifier> = settings.domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await.map_err(|e| format!("the order: {e}"))?;
    prove(&mut order, resolver).await?;
    let ready = order.poll_ready(&PATIENCE).await;
    if !matches!(ready, Ok(OrderStatus::Ready)) {
        let why = refusals(&mut order).await;
        let state = ready.map_or_else(|e| e.to_string(), |status| format!("the order is {status:?}"));
        return Err(if why.is_empty() { state } else { why });
    }
    let failed = |e: rcgen::Error| format!("the request: {e}");
    let key = KeyPair::generate().map_err(failed)?;
    let mut wanted = CertificateParams::new(settings.domains.clone()).map_err(failed)?;
    // the names stand among the alternative ones alone
    wanted.distinguished_name = DistinguishedName::new();
    let request = wanted.serialize_request(&key).map_err(failed)?;
    let told = |e: instant_acme::Error| format!("the certificate: {e}");
    order.finalize_csr(request.der()).await.map_err(told)?;
    let chain = order.poll_certificate(&PATIENCE).await.map_err(told)?;
    stored::keep_certificate(folder, settings, &chain, &key.serialize_pem())
}

/// Puts up what the authority wants to see, and tells it that it may look.
async fn prove(order: &mut Order, resolver: &Arc<Resolver>) -> Result<(), String> {
    let told = |e: instant_acme::Error| format!("the proof of a name: {e}");
    let mut authorizations = order.authorizations();
    while let Some(next) = authorizations.next().await {
        let mut authorization = next.map_err(told)?;
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => return Err(format!("{}: the authorization is {other:?}", authorization.identifier())),
        }
        let name = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
            return Err(format!("{name}: the authority does not look at the port of https (TLS-ALPN-01)"));
        };
        let digest = challenge.key_authorization().digest();
        resolver.prove(&name, Arc::new(proof(&name, digest.as_ref())?));
        challenge.set_ready().await.map_err(told)?;
    }
    Ok(())
}

/// The certificate that proves a name: its own signature, and the digest of what the authority asks (RFC 8737, 3).
fn proof(name: &str, digest: &[u8]) -> Result<CertifiedKey, String> {
    if digest.len() != 32 {
        return Err("the digest of a proof has another length".to_owned());
    }
    let failed = |e: rcgen::Error| e.to_string();
    let key = KeyPair::generate().map_err(failed)?;
    let mut asked = CertificateParams::new([name.to_owned()]).map_err(failed)?;
    asked.custom_extensions.push(CustomExtension::new_acme_identifier(digest));
    let certificate = asked.self_signed(&key).map_err(failed)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![certificate.der().clone()];
    // `from_der` would look whether they belong together, and refuse what only authorities understand
    let key = ring::default_provider().key_provider.load_private_key(key).map_err(|e| e.to_string())?;
    Ok(CertifiedKey::new(chain, key))
}

/// What the authority says of the names that it does not believe.
async fn refusals(order: &mut Order) -> String {
    let mut all: Vec<String> = order.state().error.iter().map(ToString::to_string).collect();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { break };
        let name = state.identifier().to_string();
        let errors = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        all.extend(errors.map(|error| format!("{name}: {error}")));
    }
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use x509_cert::der::{Decode as _, Encode as _};

    use super::*;

    #[test]
    fn proofs_are_as_the_standard_has_them() {
        let made = proof("bi.example.org", &[7; 32]).unwrap();
        let certificate = x509_cert::Certificate::from_der(&made.cert[0]).unwrap();
        let found = certificate.tbs_certificate.extensions.unwrap();
        let own = found.iter().find(|e| e.extn_id.to_string() == "1.3.6.1.5.5.7.1.31").unwrap();
        assert!(own.critical, "the extension must be critical");
        assert_eq!(own.extn_value.as_bytes(), [&[4, 32][..], &[7; 32]].concat());
        assert!(found.iter().any(|e| e.to_der().unwrap().windows(14).any(|w| w == b"bi.example.org")));
        assert!(proof("bi.example.org", &[7; 31]).is_err());
    }
}
