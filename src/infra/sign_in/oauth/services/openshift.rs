//! OpenShift.

use serde_json::{Map, Value};

use super::{Service, Source, person, text};

/// `openshift_` and the name there; nothing else is taken over.
pub static OPENSHIFT: Service =
    Service { names: &["openshift"], source: Source::Api("apis/user.openshift.io/v1/users/~"), read };

fn read(answer: &Value) -> Option<Map<String, Value>> {
    Some(person(format!("openshift_{}", text(answer.get("metadata")?, "name")?)))
}
