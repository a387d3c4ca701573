//! The oldest compiler that each package declares.

use super::lint;
use crate::cargo::{Metadata, Package, unbound};
use crate::part::has_toolchain;
use crate::plan::{Context, Done};
use crate::run;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;

/// Three checks: what a package is built from declares no newer compiler; clippy (its `incompatible_msrv`, denied with
/// all warnings) knows of no newer item of the standard library; and where that very compiler is installed, it compiles. What could not be checked is said.
pub fn msrv(context: &Context) -> Result<Done> {
    let metadata = Metadata::read(context)?;
    let mut declared = BTreeSet::new();
    let mut newer = Vec::new();
    for package in metadata.members() {
        let name = package.name();
        let own = package.rust_version().with_context(|| format!("{name} declares no rust-version"))?;
        declared.insert(own);
        newer.extend(newer_dependencies(&metadata, &package, own));
    }
    if !newer.is_empty() {
        bail!("{}", newer.join("; "));
    }
    lint::clippy(context)?;

    let (compiled, absent): (Vec<&str>, Vec<&str>) =
        declared.into_iter().partition(|version| has_toolchain(version));
    for version in &compiled {
        compile(context, &metadata, version)?;
    }
    if absent.is_empty() {
        return Ok(Done::Noted(format!("compiled with {}", compiled.join(", "))));
    }
    Ok(Done::Partly(format!(
        "checked by clippy's incompatible_msrv and by what dependencies declare, not compiled: no toolchain {}",
        absent.join(", ")
    )))
}

fn newer_dependencies(metadata: &Metadata, package: &Package<'_>, own: &str) -> Vec<String> {
    let parts = metadata.built_from(package);
    let newer = parts.iter().filter_map(|part| Some((part, part.rust_version()?)));
    let newer = newer.filter(|(_, needs)| numbers(needs) > numbers(own));
    let say = |(part, needs): (&Package<'_>, &str)| {
        let (name, version) = (part.name(), part.version());
        format!(
            "{} declares Rust {own}, but is built from {name} {version}, which needs {needs}",
            package.name()
        )
    };
    newer.map(say).collect()
}

fn compile(context: &Context, metadata: &Metadata, version: &str) -> Result<()> {
    for package in metadata.members().iter().filter(|package| package.rust_version() == Some(version)) {
        let mut command = unbound("rustup", context);
        command.args(["run", version, "cargo", "check", "--locked", "--target-dir", "target/msrv"]);
        run::run(command.args(["--package", package.name()]))?;
    }
    Ok(())
}

/// `1.88` and `1.88.0` are the same version.
fn numbers(version: &str) -> [u32; 3] {
    let mut numbers = [0; 3];
    for (number, text) in numbers.iter_mut().zip(version.split('.')) {
        *number = text.parse().unwrap_or(u32::MAX);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(numbers("1.88"), numbers("1.88.0"));
        assert!(numbers("1.9") < numbers("1.88"));
        assert!(numbers("1.88.1") > numbers("1.88"));
    }
}
