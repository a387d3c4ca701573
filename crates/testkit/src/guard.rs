//! What must not outlive a test process, even one that is killed.
//!
//! A small shell process holds the read end of a pipe. However the test process ends, the pipe closes, and the
//! shell kills the children that are still listed and removes the temporary directories.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

const SCRIPT: &str = r#"
trap '' HUP INT TERM
pids=' '
while read -r verb what; do
    case $verb in
        watch) pids="$pids$what " ;;
        forget) case $pids in *" $what "*) pids="${pids%%" $what "*} ${pids#*" $what "}" ;; esac ;;
        remove) set -- "$@" "$what" ;;
    esac
done
for pid in $pids; do kill -9 "$pid"; done
for directory in "$@"; do rm -rf "$directory"; done
"#;

/// A shell that outlives this process just long enough to clean up after it.
pub(crate) struct Guard {
    shell: Option<(Child, Mutex<ChildStdin>)>,
}

impl Guard {
    /// The guard of this process. Where there is no shell it does nothing, and only `Drop` cleans up.
    pub(crate) fn of_this_process() -> &'static Self {
        static GUARD: OnceLock<Guard> = OnceLock::new();
        GUARD.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        own_group(&mut command);
        let shell = command.spawn().ok().and_then(|mut child| {
            let pipe = child.stdin.take()?;
            Some((child, Mutex::new(pipe)))
        });
        Self { shell }
    }

    /// Kills process `pid` should this process end before [`Guard::forget`].
    pub(crate) fn watch(&self, pid: u32) {
        self.tell(&format!("watch {pid}\n"));
    }

    /// Takes back [`Guard::watch`]: the child has ended, and its number may soon be another's.
    pub(crate) fn forget(&self, pid: u32) {
        self.tell(&format!("forget {pid}\n"));
    }

    /// Removes `directory` with all it contains when this process has ended.
    pub(crate) fn remove(&self, directory: &Path) {
        self.tell(&format!("remove {}\n", directory.display()));
    }

    fn tell(&self, line: &str) {
        if let Some((_, pipe)) = &self.shell {
            let mut pipe = pipe.lock().unwrap_or_else(PoisonError::into_inner);
            // Without a guard the tests are as right as with one, only less tidy.
            let _untidy = pipe.write_all(line.as_bytes());
        }
    }
}

/// Puts a command into a process group of its own, so that Ctrl-C at the terminal does not reach it.
pub(crate) fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _nothing_to_do = command;
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    #[test]
    fn a_closed_pipe_kills_what_is_watched_and_removes_the_directory() {
        let directory = tempfile::tempdir().unwrap().keep();
        let sleeper = || Command::new("sleep").arg("60").spawn().unwrap();
        let (mut watched, mut forgotten, mut last) = (sleeper(), sleeper(), sleeper());

        let guard = Guard::new();
        for child in [&watched, &forgotten, &last] {
            guard.watch(child.id());
        }
        guard.forget(forgotten.id());
        guard.forget(1);
        guard.remove(&directory);
        let (mut shell, pipe) = guard.shell.unwrap();
        drop(pipe);

        assert!(shell.wait().unwrap().success());
        assert_eq!(watched.wait().unwrap().signal(), Some(9));
        assert_eq!(last.wait().unwrap().signal(), Some(9));
        assert_eq!(forgotten.try_wait().unwrap(), None, "a forgotten child lives on");
        assert!(!directory.exists());
        forgotten.kill().unwrap();
        forgotten.wait().unwrap();
    }
}
