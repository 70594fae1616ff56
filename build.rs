//! What the binary was made from, for `liteset --version`. No time: the same source makes the same binary.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LITESET_COMMIT");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let profile = variable("PROFILE");
    // a build for development would be linked anew at every commit
    let commit = match variable("LITESET_COMMIT") {
        given if !given.is_empty() => given,
        _ if profile == "release" => of_git().unwrap_or_else(|| "unknown".to_owned()),
        _ => "unknown".to_owned(),
    };
    let features: Vec<String> = std::env::vars()
        .filter_map(|(name, _)| Some(name.strip_prefix("CARGO_FEATURE_")?.to_lowercase().replace('_', "-")))
        .filter(|name| name != "default")
        .collect();
    let features = if features.is_empty() { "none".to_owned() } else { features.join(" ") };
    for (name, value) in
        [("COMMIT", commit), ("TARGET", variable("TARGET")), ("PROFILE", profile), ("FEATURES", features)]
    {
        println!("cargo:rustc-env=LITESET_{name}={value}");
    }
}

fn of_git() -> Option<String> {
    let git = |arguments: &[&str]| {
        let done = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(done.stdout).ok()?;
        done.status.success().then(|| text.trim().to_owned())
    };
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo:rerun-if-changed={log}");
    git(&["rev-parse", "HEAD"])
}
