//! Whose keys requests are signed with: the connection's own, or those that the operator has given to this process
//! (`boto3.session.Session`, and `Connection._assume_role` of PyAthena).
//!
//! The operator's are looked for in the order of Amazon's own clients: keys in the environment, a web identity, files
//! of profiles, the container's role, the virtual machine's role. Programs that print keys are not executed.

use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Mutex;

use super::{
    Environment, Keys,
    givers::{Container, Given, Instance, Role, Sts, token_in},
    profile::{Profile, Profiles},
    refused,
};
use crate::engines::error::EngineError;

/// How long before their end keys are no longer used.
const SLACK: Duration = Duration::from_secs(300);
/// How long keys of a role are good for unless something else is asked for.
const HOUR: u32 = 3600;
/// Profiles that may stand behind one another.
const DEEPEST: usize = 5;

/// What a connection says of its proof.
#[derive(Default)]
pub struct Wish {
    pub keys: Option<Keys>,
    pub profile: Option<String>,
    pub role: Option<String>,
    pub session: Option<String>,
    pub external_id: Option<String>,
    pub seconds: Option<u32>,
}

/// Where the first keys come from.
enum Origin {
    Keys(Keys),
    Identity { token_file: String, role: Role },
    Container(Container),
    Instance(Instance),
}

/// What requests are signed with.
pub struct Credentials {
    origin: Origin,
    /// Roles that are taken on one after the other.
    roles: Vec<Role>,
    sts: Option<Sts>,
    is_operators: bool,
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone)]
struct Kept {
    keys: Keys,
    /// Until when they are used.
    until: Option<Instant>,
}

fn session() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("liteset-session-{}", now.as_secs())
}

/// The region that a profile names.
pub fn region_of(profile: Option<&str>, environment: &Environment) -> Result<Option<String>, EngineError> {
    let name = profile.or(environment.get("AWS_PROFILE")).unwrap_or("default");
    let profiles = Profiles::read(environment)?;
    Ok(profiles.as_ref().and_then(|all| all.get(name)?.get("region")).map(str::to_owned))
}

impl Credentials {
    /// Finds out who asks; nobody is asked yet. None where nobody has given keys.
    pub fn new(wish: Wish, region: &str, environment: &Environment) -> Result<Option<Self>, EngineError> {
        let (mut roles, mut is_operators) = (Vec::new(), true);
        let origin = match (wish.keys, &wish.profile) {
            (Some(keys), _) => {
                is_operators = false;
                Some(Origin::Keys(keys))
            }
            (None, Some(name)) => {
                let profiles = Profiles::read(environment)?.ok_or_else(|| {
                    refused(
                        "profile_name needs files of profiles that the operator has named: \
                         AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE or AWS_PROFILE in the environment",
                    )
                })?;
                Some(of_profile(&profiles, name, &mut roles, environment, 0)?)
            }
            (None, None) => of_operator(&mut roles, environment)?,
        };
        let Some(origin) = origin else { return Ok(None) };
        roles.extend(wish.role.map(|arn| Role {
            arn,
            session: wish.session.unwrap_or_else(session),
            external_id: wish.external_id,
            seconds: wish.seconds.unwrap_or(HOUR),
        }));
        let asks = !roles.is_empty() || matches!(origin, Origin::Identity { .. });
        let sts = if asks { Some(Sts::new(region, environment)?) } else { None };
        Ok(Some(Self { origin, roles, sts, is_operators, kept: Mutex::default() }))
    }

    /// They are not the connection's: who edits it must not have them used against other hosts than Amazon's.
    pub fn is_operators(&self) -> bool {
        self.is_operators
    }

    /// Keys that are good for a while.
    pub async fn keys(&self) -> Result<Keys, EngineError> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.until.is_none_or(|until| until > Instant::now()))
        {
            return Ok(kept.keys.clone());
        }
        let given = self.fetch().await?;
        let until = given.until.map(|until| {
            let left = until.saturating_duration_since(Instant::now());
            Instant::now() + left.saturating_sub(SLACK).max(left / 2)
        });
        let keys = given.keys.clone();
        *kept = Some(Kept { keys: given.keys, until });
        Ok(keys)
    }

    /// The service no longer takes these keys; false where there are no others.
    pub async fn forget(&self, keys: &Keys) -> bool {
        if self.roles.is_empty() && matches!(self.origin, Origin::Keys(_)) {
            return false;
        }
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.keys == *keys) {
            *kept = None;
        }
        true
    }

    fn sts(&self) -> Result<&Sts, EngineError> {
        self.sts.as_ref().ok_or_else(|| refused("You must specify a region."))
    }

    async fn fetch(&self) -> Result<Given, EngineError> {
        let mut given = match &self.origin {
            Origin::Keys(keys) => Given { keys: keys.clone(), until: None },
            Origin::Identity { token_file, role } => {
                self.sts()?.identified(&token_in(token_file).await?, role).await?
            }
            Origin::Container(container) => container.give().await?,
            Origin::Instance(instance) => instance.give().await?,
        };
        for role in &self.roles {
            given = self.sts()?.assume(&given.keys, role).await?;
        }
        Ok(given)
    }
}

/// The keys that the operator has given to the process.
fn of_operator(roles: &mut Vec<Role>, environment: &Environment) -> Result<Option<Origin>, EngineError> {
    if let Some(keys) = of_environment(environment)? {
        return Ok(Some(Origin::Keys(keys)));
    }
    let identity = (environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"), environment.get("AWS_ROLE_ARN"));
    if let (Some(token_file), Some(arn)) = identity {
        let session = environment.get("AWS_ROLE_SESSION_NAME").map_or_else(session, str::to_owned);
        let role = Role { arn: arn.to_owned(), session, external_id: None, seconds: HOUR };
        return Ok(Some(Origin::Identity { token_file: token_file.to_owned(), role }));
    }
    let name = environment.get("AWS_PROFILE");
    if let Some(profiles) = Profiles::read(environment)?
        && (name.is_some() || profiles.get("default").is_some())
    {
        return of_profile(&profiles, name.unwrap_or("default"), roles, environment, 0).map(Some);
    }
    if let Some(container) = Container::new(environment)? {
        return Ok(Some(Origin::Container(container)));
    }
    Ok(Instance::new(environment)?.map(Origin::Instance))
}

fn of_environment(environment: &Environment) -> Result<Option<Keys>, EngineError> {
    let Some(id) = environment.get("AWS_ACCESS_KEY_ID") else { return Ok(None) };
    let missing = || refused("Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY");
    let secret = environment.get("AWS_SECRET_ACCESS_KEY").ok_or_else(missing)?;
    let token = environment.get("AWS_SESSION_TOKEN").map(str::to_owned);
    Ok(Some(Keys { id: id.to_owned(), secret: secret.to_owned(), token }))
}

fn keys_of(profile: Profile<'_>, name: &str) -> Result<Option<Keys>, EngineError> {
    let Some(id) = profile.get("aws_access_key_id") else { return Ok(None) };
    let secret = profile
        .get("aws_secret_access_key")
        .ok_or_else(|| refused(format!("The config profile ({name}) lacks aws_secret_access_key")))?;
    let token = profile.get("aws_session_token").map(str::to_owned);
    Ok(Some(Keys { id: id.to_owned(), secret: secret.to_owned(), token }))
}

/// Where a profile's keys come from; the roles that are taken on with them are added.
fn of_profile(
    profiles: &Profiles,
    name: &str,
    roles: &mut Vec<Role>,
    environment: &Environment,
    depth: usize,
) -> Result<Origin, EngineError> {
    let missing = || refused(format!("The config profile ({name}) could not be found"));
    let profile = profiles.get(name).ok_or_else(missing)?;
    for key in ["credential_process", "sso_session", "sso_start_url"] {
        if profile.get(key).is_some() && profile.get("aws_access_key_id").is_none() {
            return Err(refused(format!("The config profile ({name}) uses {key}, which is not supported")));
        }
    }
    let Some(arn) = profile.get("role_arn") else {
        let none = || refused(format!("The config profile ({name}) has no keys"));
        return keys_of(profile, name)?.map(Origin::Keys).ok_or_else(none);
    };
    if profile.get("mfa_serial").is_some() {
        return Err(refused(format!(
            "The config profile ({name}) demands a second factor, which nobody can give here"
        )));
    }
    let role = Role {
        arn: arn.to_owned(),
        session: profile.get("role_session_name").map_or_else(session, str::to_owned),
        external_id: profile.get("external_id").map(str::to_owned),
        seconds: profile.get("duration_seconds").and_then(|text| text.parse().ok()).unwrap_or(HOUR),
    };
    if let Some(token_file) = profile.get("web_identity_token_file") {
        return Ok(Origin::Identity { token_file: token_file.to_owned(), role });
    }
    let origin = match (profile.get("source_profile"), profile.get("credential_source")) {
        // a profile may name itself as the one that has the keys
        (Some(source), _) if source == name => keys_of(profile, name)?.map(Origin::Keys),
        (Some(source), _) if depth < DEEPEST => {
            Some(of_profile(profiles, source, roles, environment, depth + 1)?)
        }
        (None, Some("Environment")) => of_environment(environment)?.map(Origin::Keys),
        (None, Some("EcsContainer")) => Container::new(environment)?.map(Origin::Container),
        (None, Some("Ec2InstanceMetadata")) => Instance::new(environment)?.map(Origin::Instance),
        _ => None,
    };
    let none = || refused(format!("The config profile ({name}) has a role, and nobody who may take it on"));
    let origin = origin.ok_or_else(none)?;
    roles.push(role);
    Ok(origin)
}
