//! The command line: one file a command.

mod alarms;
mod command;
mod demo;
mod export;
mod keys;
mod rules;
mod run;
mod setting;
mod status;
mod why;

pub(crate) use why::explain;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// A server for sensock devices.
///
/// `sensockd --demo` shows what it does, with real recordings, in less than a minute.
#[derive(Parser)]
#[command(name = "sensockd", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve devices until Ctrl-C.
    Run(run::Run),
    /// Make, list, change and revoke the keys that devices connect with.
    Keys(keys::Keys),
    /// Show all devices: connected, asleep or offline, their last readings, what waits for them.
    Status(status::Status),
    /// Explain what happened to a device in a span of time.
    Why(why::Why),
    /// Send a command to a device and wait for its answer.
    #[command(name = "command")]
    Send(command::Send),
    /// Set what a device shall apply, now or when it connects.
    Setting(setting::Set),
    /// Check rule files, and try them on recordings and on what is stored.
    Rules(rules::Rules),
    /// Show alarms and what was done about them, or take down that one was seen.
    Alarms(alarms::Alarms),
    /// Write readings as CSV or JSON lines.
    Export(export::Export),
    /// Show what sensock does, with simulated devices that replay real recordings (also: --demo).
    Demo(demo::Demo),
}

/// Which store a command reads.
#[derive(Args)]
struct Where {
    /// The store: sqlite:FILE or mysql://user:password@host/database.
    #[arg(long, env = "SENSOCK_STORE", hide_env_values = true, value_name = "STORE")]
    store: String,
}

/// Runs what the command line says.
pub(crate) async fn run() -> Result<ExitCode> {
    let cli = Cli::parse_from(arguments(std::env::args_os()));
    match cli.command {
        Command::Run(run) => run.run().await,
        Command::Keys(keys) => keys.run().await,
        Command::Status(status) => status.run().await,
        Command::Why(why) => why.run().await,
        Command::Send(send) => send.run().await,
        Command::Setting(set) => set.run().await,
        Command::Rules(rules) => rules.run().await,
        Command::Alarms(alarms) => alarms.run().await,
        Command::Export(export) => export.run().await,
        Command::Demo(demo) => demo.run().await,
    }
}

/// `--demo` in front is the command `demo`.
fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut all: Vec<OsString> = given.collect();
    if let Some(first) = all.get_mut(1).filter(|a| *a == "--demo") {
        *first = "demo".into();
    }
    all
}

/// Who asks, for the store's rows.
fn issuer() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME"));
    format!("sensockd command line, {}", user.as_deref().unwrap_or("unknown user"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn the_demo_may_be_asked_for_with_an_option() {
        let given = ["sensockd", "--demo", "--keep"].map(OsString::from).into_iter();
        assert!(matches!(Cli::parse_from(arguments(given)).command, Command::Demo(_)));
    }

    #[test]
    fn a_typo_in_a_command_names_the_nearest() {
        let error =
            Cli::try_parse_from(["sensockd", "statsu", "--store", "sqlite:a"]).err().unwrap().to_string();
        assert!(error.contains("'status'"), "{error}");
    }
}
