//! The path of a program of this workspace, built when needed.

use anyhow::{Context as _, Result, ensure};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Builds program `name` of `package` in the profile that this test runs in, once a process, and returns its path. Where `SENSOCK_BUILT` is
/// set, a program that is there is taken as it is.
///
/// A package's own integration tests can say `env!("CARGO_BIN_EXE_name")` instead.
///
/// # Errors
/// When cargo cannot build it; the message ends with what cargo said.
pub fn path(package: &str, name: &str) -> Result<PathBuf> {
    build(package, "--bin", name, Path::new(name))
}

/// As [`path`], for example `name` of `package`.
///
/// # Errors
/// When cargo cannot build it; the message ends with what cargo said.
pub fn example(package: &str, name: &str) -> Result<PathBuf> {
    build(package, "--example", name, &Path::new("examples").join(name))
}

fn build(package: &str, kind: &str, name: &str, within_profile: &Path) -> Result<PathBuf> {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let key = format!("{package} {kind} {name}");
    if let Some(path) = built.get_or_insert_default().get(&key) {
        return Ok(path.clone());
    }
    let profile_directory = profile_directory()?;
    let target = profile_directory.parent().context("a profile's directory lies in the target directory")?;
    let profile = match profile_directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(other) => other,
        None => "dev",
    };
    let path = profile_directory.join(within_profile).with_extension(std::env::consts::EXE_EXTENSION);
    // A run over the whole workspace has built every program before its first test. Built once more, by itself and so with fewer features, it and
    // much of what it is made of would be compiled again.
    if std::env::var_os("SENSOCK_BUILT").is_some() && path.is_file() {
        built.get_or_insert_default().insert(key, path.clone());
        return Ok(path);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--profile", profile, "--package", package, kind, name])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .context("cargo cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo build of {key} failed:\n{said}");
    ensure!(path.is_file(), "cargo built {key}, but {} is not there", path.display());
    built.get_or_insert_default().insert(key, path.clone());
    Ok(path)
}

/// Such as `target/debug`: a test program lies in its `deps`.
fn profile_directory() -> Result<PathBuf> {
    let program = std::env::current_exe().context("this program has no path")?;
    let profile = program.ancestors().find(|path| path.ends_with("deps")).and_then(Path::parent);
    Ok(profile.with_context(|| format!("{} is not a cargo test program", program.display()))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_workspace_is_built_and_runs() {
        let xtask = path("xtask", "xtask").unwrap();
        assert!(Command::new(xtask).arg("--help").output().unwrap().status.success());
    }

    #[test]
    fn an_unknown_program_is_named() {
        let error = path("xtask", "no-such-program").unwrap_err().to_string();
        assert!(error.contains("no-such-program"), "{error}");
    }
}
