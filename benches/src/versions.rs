//! Which versions were built, by the workspace's lock file.

/// The lock file that this was built with.
const LOCK: &str = include_str!("../../Cargo.lock");

/// A package's version, or "?" if the lock file does not have it. Of several versions it is the last.
pub fn version(package: &str) -> &'static str {
    let value = |line: &'static str, key: &str| {
        line.strip_prefix(key)?.trim().strip_prefix("= \"")?.strip_suffix('"')
    };
    let packages = LOCK.split("[[package]]").skip(1);
    let of = |text: &'static str| {
        let name = text.lines().find_map(|line| value(line, "name"))?;
        let version = text.lines().find_map(|line| value(line, "version"))?;
        (name == package).then_some(version)
    };
    packages.filter_map(of).last().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        for (package, _) in crate::peers::SET_UP {
            assert!(version(package).split('.').count() >= 3, "{package} {}", version(package));
        }
        assert_eq!(version("no-such-package"), "?");
    }
}
