//! Cargo as this project calls it, and what its metadata say.

use crate::plan::Context;
use crate::run;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The cargo that runs this program, in the workspace's directory.
///
/// All steps share one target directory and set `RUSTFLAGS` only where other code is meant, so that nothing is compiled twice for nothing.
pub fn cargo(context: &Context) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&context.root);
    command
}

/// Builds every program and every example of the workspace; the directory they lie in. With the features that the tests are built with, so that
/// after those nothing is left to compile.
///
/// # Errors
/// When something does not compile.
pub fn programs(context: &Context) -> Result<PathBuf> {
    run::run(cargo(context).args([
        "build",
        "--workspace",
        "--all-features",
        "--locked",
        "--bins",
        "--examples",
    ]))?;
    Ok(target(context).join("debug"))
}

/// The one target directory.
pub fn target(context: &Context) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    context.root.join(target)
}

/// `program`, freed from what rustup and cargo set for this one, so that it may choose another toolchain.
pub fn unbound(program: &str, context: &Context) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&context.root);
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC", "RUSTDOC", "RUSTFLAGS", "RUSTC_WRAPPER"] {
        command.env_remove(name);
    }
    command
}

/// The workspace and all that it depends on.
pub struct Metadata(Value);

/// One package, ours or another's.
pub struct Package<'a>(&'a Value);

impl Metadata {
    /// Asks cargo; `Cargo.lock` must be up to date.
    pub fn read(context: &Context) -> Result<Self> {
        let text = run::output(cargo(context).args(["metadata", "--format-version=1", "--locked"]))
            .context("the workspace cannot be read; is Cargo.lock committed and up to date?")?;
        Ok(Self(serde_json::from_str(&text)?))
    }

    /// The packages of this workspace.
    pub fn members(&self) -> Vec<Package<'_>> {
        let members = texts(&self.0["workspace_members"]);
        self.packages().into_values().filter(|package| members.contains(&package.id())).collect()
    }

    /// The version of the package of this name, ours or another's.
    pub fn version_of(&self, name: &str) -> Option<&str> {
        let packages = items(&self.0["packages"]).map(Package);
        packages.into_iter().find(|package| package.name() == name).map(|package| package.version())
    }

    /// The folder of the package of this name and version.
    pub fn folder_of(&self, name: &str, version: &str) -> Option<&Path> {
        let mut packages = items(&self.0["packages"]).map(Package);
        let package = packages.find(|package| package.name() == name && package.version() == version)?;
        Path::new(text(&package.0["manifest_path"])).parent()
    }

    /// All that `package` is built from, itself included; tests and build scripts apart.
    pub fn built_from(&self, package: &Package<'_>) -> Vec<Package<'_>> {
        let nodes: BTreeMap<&str, &Value> =
            items(&self.0["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();
        let mut found = vec![package.id()];
        let mut next = 0;
        while let Some(node) = found.get(next).and_then(|id| nodes.get(id)) {
            next += 1;
            for dependency in items(&node["deps"]) {
                let id = text(&dependency["pkg"]);
                let normal = items(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
                if normal && !found.contains(&id) {
                    found.push(id);
                }
            }
        }
        let mut packages = self.packages();
        found.iter().filter_map(|id| packages.remove(id)).collect()
    }

    fn packages(&self) -> BTreeMap<&str, Package<'_>> {
        items(&self.0["packages"]).map(|package| (text(&package["id"]), Package(package))).collect()
    }
}

impl<'a> Package<'a> {
    fn id(&self) -> &'a str {
        text(&self.0["id"])
    }

    /// As `[package] name` says.
    pub fn name(&self) -> &'a str {
        text(&self.0["name"])
    }

    /// The version of the package.
    pub fn version(&self) -> &'a str {
        text(&self.0["version"])
    }

    /// The oldest compiler that it says it needs.
    pub fn rust_version(&self) -> Option<&'a str> {
        self.0["rust_version"].as_str()
    }

    /// Whether it may be published: `publish` is not `false`.
    pub fn is_publishable(&self) -> bool {
        self.0["publish"].is_null()
    }

    /// Its targets of a kind, such as `example` or `bin`, by name.
    pub fn targets(&self, kind: &str) -> Vec<&'a str> {
        let targets = items(&self.0["targets"]).filter(|target| texts(&target["kind"]).contains(&kind));
        targets.map(|target| text(&target["name"])).collect()
    }

    /// The names of its features, without `default`.
    pub fn features(&self) -> Vec<&'a str> {
        let features = self.0["features"].as_object();
        features
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .filter(|name| *name != "default")
            .collect()
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    items(value).filter_map(Value::as_str).collect()
}
