use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::engines::http::{Asked, answering};

fn environment(values: &[(&str, &str)]) -> Environment {
    let values: BTreeMap<String, String> =
        values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Environment::of(move |name| values.get(name).cloned())
}

fn own(token: Option<&str>) -> Option<Keys> {
    Some(Keys { id: "AKIAOWN".into(), secret: "own-secret".into(), token: token.map(str::to_owned) })
}

/// What the service of tokens answers.
fn given(id: &str, until: &str) -> (u16, Value) {
    (
        200,
        json!(format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{id}</AccessKeyId>\
             <SecretAccessKey>s&amp;{id}</SecretAccessKey><SessionToken>t-{id}</SessionToken>\
             <Expiration>{until}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )),
    )
}

fn refusal(code: &str, words: &str) -> (u16, Value) {
    (
        403,
        json!(format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>{words}</Message></Error></ErrorResponse>"
        )),
    )
}

const LATER: &str = "2199-01-01T00:00:00Z";

async fn sts(answers: Vec<(u16, Value)>, more: &[(&str, &str)]) -> (Environment, Asked) {
    let (port, asked) = answering(answers).await;
    let address = format!("http://127.0.0.1:{port}");
    let mut all = vec![("AWS_ENDPOINT_URL_STS", address.as_str())];
    all.extend(more);
    (environment(&all), asked)
}

fn made(wish: Wish, environment: &Environment) -> Credentials {
    Credentials::new(wish, "eu-west-1", environment).unwrap().unwrap()
}

fn failed(wish: Wish, environment: &Environment) -> String {
    Credentials::new(wish, "eu-west-1", environment).err().map(|error| error.to_string()).unwrap_or_default()
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("liteset-aws-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn a_role_is_taken_on_and_kept() {
    let busy = refusal("Throttling", "Rate exceeded");
    let (environment, asked) = sts(vec![busy, given("ASIA1", LATER), given("ASIA2", LATER)], &[]).await;
    let wish = Wish {
        keys: own(None),
        role: Some("arn:aws:iam::1:role/reader".into()),
        session: Some("charts".into()),
        external_id: Some("e x".into()),
        seconds: Some(900),
        ..Wish::default()
    };
    let credentials = made(wish, &environment);
    assert!(!credentials.is_operators());
    let keys = credentials.keys().await.unwrap();
    assert_eq!((keys.id.as_str(), keys.secret.as_str()), ("ASIA1", "s&ASIA1"));
    assert_eq!(keys.token.as_deref(), Some("t-ASIA1"));
    assert!(credentials.keys().await.unwrap() == keys);
    let request = asked.lock().unwrap()[1].clone();
    assert!(
        request.ends_with(
            "Action=AssumeRole&Version=2011%2D06%2D15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Freader&\
             RoleSessionName=charts&DurationSeconds=900&ExternalId=e%20x"
        ),
        "{request}"
    );
    assert!(request.contains("Credential=AKIAOWN/") && request.contains("/eu-west-1/sts/aws4_request"));
    assert!(!request.contains("own-secret"));
    // a service that does not take them any more has others made
    assert!(credentials.forget(&keys).await);
    assert_eq!(credentials.keys().await.unwrap().id, "ASIA2");
    assert!(credentials.forget(&keys).await);
    assert_eq!(credentials.keys().await.unwrap().id, "ASIA2");
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn keys_that_end_are_replaced() {
    let soon = (chrono::Utc::now() + Duration::from_millis(1500)).to_rfc3339();
    let (environment, _) = sts(vec![given("A", &soon), given("B", LATER)], &[]).await;
    let credentials = made(Wish { keys: own(None), role: Some("r".into()), ..Wish::default() }, &environment);
    assert_eq!(credentials.keys().await.unwrap().id, "A");
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(credentials.keys().await.unwrap().id, "B");
    // whoever has one pair only has no other
    let credentials = made(Wish { keys: own(Some("t")), ..Wish::default() }, &environment);
    let keys = credentials.keys().await.unwrap();
    assert!(!credentials.forget(&keys).await);
}

#[tokio::test]
async fn what_the_service_of_tokens_refuses() {
    let words =
        "User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole with own-secret, token-1";
    let hostile = (200, json!("<html>secret page</html>"));
    let page = (404, json!("<html>secret page</html>"));
    let answers = vec![refusal("AccessDenied", words), hostile, page];
    let (environment, _) = sts(answers, &[]).await;
    let wish = Wish { keys: own(Some("token-1")), role: Some("r".into()), ..Wish::default() };
    let credentials = made(wish, &environment);
    let error = credentials.keys().await.err().unwrap().to_string();
    assert_eq!(
        error,
        "An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::1:user/u is not \
         authorized to perform: sts:AssumeRole with XXXXXXXXXX, XXXXXXXXXX"
    );
    for wanted in ["gives no keys", "does not speak its protocol (HTTP 404)"] {
        let error = credentials.keys().await.err().unwrap().to_string();
        assert!(error.contains(wanted) && !error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn the_operators_keys_in_their_order() {
    let none = environment(&[]);
    assert!(Credentials::new(Wish::default(), "eu-west-1", &none).unwrap().is_none());
    let token_file = file("token", " web-token\n");
    let token_file = token_file.to_str().unwrap();
    let container = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x");
    let identity = [("AWS_WEB_IDENTITY_TOKEN_FILE", token_file), ("AWS_ROLE_ARN", "arn:r"), container];
    let (with_identity, asked) = sts(vec![given("WEB", LATER)], &identity).await;
    let credentials = made(Wish::default(), &with_identity);
    assert!(credentials.is_operators());
    assert_eq!(credentials.keys().await.unwrap().id, "WEB");
    let request = asked.lock().unwrap()[0].clone();
    assert!(
        request.contains("Action=AssumeRoleWithWebIdentity")
            && request.contains("WebIdentityToken=web%2Dtoken")
    );
    assert!(!request.to_lowercase().contains("authorization:"), "{request}");
    let mut all = identity.to_vec();
    all.extend([("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "t")]);
    let keys = made(Wish::default(), &environment(&all)).keys().await.unwrap();
    assert_eq!((keys.id.as_str(), keys.token.as_deref()), ("ENV", Some("t")));
    // the connection's own are the stronger
    let wish = Wish { keys: own(None), ..Wish::default() };
    assert_eq!(made(wish, &environment(&all)).keys().await.unwrap().id, "AKIAOWN");
    let partial = environment(&[("AWS_ACCESS_KEY_ID", "ENV")]);
    assert!(failed(Wish::default(), &partial).contains("missing: AWS_SECRET_ACCESS_KEY"));
}

#[tokio::test]
async fn containers_and_virtual_machines() {
    let told = json!({"AccessKeyId": "C", "SecretAccessKey": "s", "Token": "t", "Expiration": LATER});
    let (port, asked) = answering(vec![(200, told), (200, json!({"AccessKeyId": "C"}))]).await;
    let address = format!("http://127.0.0.1:{port}/keys?id=1");
    let values = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", address.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic x"),
    ];
    let credentials = made(Wish::default(), &environment(&values));
    let keys = credentials.keys().await.unwrap();
    assert_eq!(keys.id, "C");
    {
        let asked = asked.lock().unwrap();
        assert!(
            asked[0].starts_with("GET /keys?id=1 ") && asked[0].contains("authorization: Basic x"),
            "{}",
            asked[0]
        );
    }
    credentials.forget(&keys).await;
    assert!(credentials.keys().await.err().unwrap().to_string().contains("given no keys"));
    let elsewhere = environment(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://keys.example/x")]);
    assert!(failed(Wish::default(), &elsewhere).contains("of HTTPS or of this machine"));

    let told = json!({"AccessKeyId": "I", "SecretAccessKey": "s", "Token": "t", "Expiration": LATER});
    let (port, asked) = answering(vec![(200, json!("imds")), (200, json!("my-role\n")), (200, told)]).await;
    let address = format!("http://127.0.0.1:{port}");
    let place = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", address.as_str());
    // nobody asks it unless the operator says so
    for disabled in [None, Some("true"), Some("")] {
        let mut values = vec![place];
        values.extend(disabled.map(|value| ("AWS_EC2_METADATA_DISABLED", value)));
        assert!(Credentials::new(Wish::default(), "eu-west-1", &environment(&values)).unwrap().is_none());
    }
    let credentials = made(Wish::default(), &environment(&[place, ("AWS_EC2_METADATA_DISABLED", "false")]));
    assert_eq!(credentials.keys().await.unwrap().id, "I");
    let asked = asked.lock().unwrap();
    assert!(
        asked[0].starts_with("PUT /latest/api/token ")
            && asked[0].contains("x-aws-ec2-metadata-token-ttl-seconds")
    );
    assert!(asked[2].starts_with("GET /latest/meta-data/iam/security-credentials/my-role "), "{}", asked[2]);
    assert!(asked[1].contains("x-aws-ec2-metadata-token: imds"), "{}", asked[1]);
}

#[tokio::test]
async fn profiles() {
    let credentials = file(
        "credentials",
        "[base]\naws_access_key_id=BASE\naws_secret_access_key=s\n[half]\naws_access_key_id=H\n\
         [self]\nrole_arn=arn:s\nsource_profile=self\naws_access_key_id=SELF\naws_secret_access_key=s\n",
    );
    let config = file(
        "config",
        "[profile one]\nrole_arn=arn:one\nsource_profile=base\nregion=eu-central-1\n[profile two]\nrole_arn=arn:two\n\
         source_profile=one\n[profile a]\nrole_arn=x\nsource_profile=b\n[profile b]\nrole_arn=x\nsource_profile=a\n\
         [profile program]\ncredential_process=/bin/true\n[profile mfa]\nrole_arn=x\nmfa_serial=m\n\
         source_profile=base\n[profile sso]\nsso_session=x\n[profile alone]\nrole_arn=x\n\
         [profile machine]\nrole_arn=x\ncredential_source=Ec2InstanceMetadata\n",
    );
    let files = [
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap()),
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
    ];
    let of = |name: &str| Wish { profile: Some(name.to_owned()), ..Wish::default() };
    let (all, asked) = sts(vec![given("ONE", LATER), given("TWO", LATER), given("S", LATER)], &files).await;
    assert_eq!(made(of("base"), &all).keys().await.unwrap().id, "BASE");
    assert_eq!(made(of("two"), &all).keys().await.unwrap().id, "TWO");
    assert_eq!(made(of("self"), &all).keys().await.unwrap().id, "S");
    {
        let asked = asked.lock().unwrap();
        assert!(asked[0].contains("Credential=BASE/") && asked[0].contains("arn%3Aone"), "{}", asked[0]);
        assert!(asked[1].contains("Credential=ONE/") && asked[1].contains("arn%3Atwo"), "{}", asked[1]);
        assert!(asked[1].contains("x-amz-security-token: t-ONE") && asked[2].contains("Credential=SELF/"));
    }
    for (name, words) in [
        ("nobody", "The config profile (nobody) could not be found"),
        ("half", "lacks aws_secret_access_key"),
        ("a", "nobody who may take it on"),
        ("program", "uses credential_process, which is not supported"),
        ("sso", "uses sso_session, which is not supported"),
        ("mfa", "demands a second factor"),
        ("alone", "nobody who may take it on"),
        // the machine is not asked, as the operator has not said so
        ("machine", "nobody who may take it on"),
    ] {
        let error = failed(of(name), &all);
        assert!(error.contains(words), "{name}: {error}");
    }
    assert_eq!(region_of(Some("one"), &all).unwrap().as_deref(), Some("eu-central-1"));
    assert!(failed(of("base"), &environment(&[])).contains("profile_name needs files"));
}

#[test]
fn regions() {
    for (text, good) in
        [("eu-west-1", true), ("", false), ("eu.west", false), ("-a", false), ("A", false), ("a/b", false)]
    {
        assert_eq!(is_region(text), good, "{text}");
    }
    assert_eq!((domain("cn-north-1"), domain("eu-west-1")), ("amazonaws.com.cn", "amazonaws.com"));
}
