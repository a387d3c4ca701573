//! Child processes: their output goes straight to the terminal, their end is checked.

use anyhow::{Context as _, Result, bail, ensure};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Prints the command, runs it, and fails unless it succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    println!("$ {shown}");
    let status = command.status().with_context(|| format!("{shown}: cannot be started"))?;
    ensure!(status.success(), "{shown}: {status}");
    Ok(())
}

/// As [`run`], but kills the command after `limit`.
pub fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    let shown = show(command);
    println!("$ {shown}");
    let mut child =
        command.stdin(Stdio::null()).spawn().with_context(|| format!("{shown}: cannot be started"))?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "{shown}: {status}");
            return Ok(());
        }
        if Instant::now() >= deadline {
            // It may end by itself between the check and the kill; either way it is reaped.
            let _ended = child.kill();
            child.wait()?;
            bail!("{shown}: still running after {} s, killed", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs the command and returns what it wrote to standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("{shown}: cannot be started"))?;
    ensure!(output.status.success(), "{shown}: {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("{shown}: wrote what is not UTF-8"))
}

/// Whether a program is in the search path, or where Debian keeps servers.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    places.map(|place| place.join(program)).any(|file| file.is_file())
}

fn show(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let set = set.map(|(name, value)| match name.to_string_lossy() {
        secret if secret.ends_with("_KEY") => format!("{secret}=... "),
        name => format!("{name}={} ", value.to_string_lossy()),
    });
    let program = PathBuf::from(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let words = command.get_args().map(|word| format!(" {}", word.to_string_lossy()));
    format!("{}{program}{}", set.collect::<String>(), words.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-Dwarnings").env_remove("CARGO");
        assert_eq!(show(&command), "RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps");
        assert_eq!(
            show(Command::new("cargo").env("SENSOCK_KEY", "snk1")),
            "SENSOCK_KEY=... cargo",
            "a key is not shown"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_hangs_is_killed_and_one_that_fails_is_reported() {
        let error = run_within(Duration::from_millis(100), Command::new("sleep").arg("60")).unwrap_err();
        assert!(error.to_string().contains("still running"), "{error}");
        assert!(run(&mut Command::new("false")).is_err());
        assert!(run_within(Duration::from_secs(20), &mut Command::new("true")).is_ok());
    }
}
