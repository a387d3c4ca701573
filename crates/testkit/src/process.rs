//! A child process: the lines that it prints, signals, exit code.

use crate::guard::Guard;
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How many of the last lines an error message repeats.
const REPEATED: usize = 30;

/// Which of its two streams a process printed a line to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// One whole line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it was printed.
    pub stream: Stream,
    /// What it says; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// A running child. It is killed when the value is dropped, and when this process ends in any way.
///
/// All calls block, with a limit that the caller states; in asynchronous tests call them from `spawn_blocking`,
/// or from a runtime of several threads.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    input: Option<ChildStdin>,
    lines: Receiver<Line>,
    last: VecDeque<Line>,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts `command` with all three standard streams piped.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Guard::of_this_process().watch(child.id());
        let (sender, lines) = channel();
        if let Some(out) = child.stdout.take() {
            forward(out, Stream::Out, sender.clone());
        }
        if let Some(err) = child.stderr.take() {
            forward(err, Stream::Err, sender);
        }
        let input = child.stdin.take();
        Ok(Self { child, name, input, lines, last: VecDeque::new(), status: None })
    }

    /// The operating system's number for it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of either stream; lines of one stream keep their order.
    ///
    /// # Errors
    /// When nothing comes in time or the process has closed both streams; the message repeats its last lines.
    pub fn next_line(&mut self, within: Duration) -> Result<Line> {
        match self.lines.recv_timeout(within) {
            Ok(line) => Ok(self.remember(line)),
            Err(RecvTimeoutError::Timeout) => {
                bail!(self.complaint(&format!("printed nothing for {within:?}")))
            }
            Err(RecvTimeoutError::Disconnected) => bail!(self.complaint("printed nothing more")),
        }
    }

    /// Skips lines up to the first that contains `words`, and returns it.
    ///
    /// # Errors
    /// As [`Process::next_line`]; `within` limits the whole wait.
    pub fn wait_for(&mut self, words: &str, within: Duration) -> Result<String> {
        let found = self.wait_until(within, |line| line.text.contains(words));
        Ok(found.with_context(|| format!("waited for a line with {words:?}"))?.text)
    }

    /// Skips lines up to the first that `matches`, and returns it.
    ///
    /// # Errors
    /// As [`Process::next_line`]; `within` limits the whole wait.
    pub fn wait_until(&mut self, within: Duration, mut matches: impl FnMut(&Line) -> bool) -> Result<Line> {
        let deadline = Instant::now() + within;
        loop {
            let line = self.next_line(deadline.saturating_duration_since(Instant::now()))?;
            if matches(&line) {
                return Ok(line);
            }
        }
    }

    /// Takes the lines that have arrived, without waiting.
    pub fn arrived(&mut self) -> Vec<Line> {
        let lines: Vec<Line> = self.lines.try_iter().collect();
        lines.into_iter().map(|line| self.remember(line)).collect()
    }

    /// Takes all lines up to the end of both streams: call it after [`Process::kill`] or before [`Process::wait`].
    ///
    /// A last line without an end is left out, since half a number would be read as another number.
    pub fn rest(&mut self) -> Vec<Line> {
        let lines: Vec<Line> = self.lines.iter().collect();
        lines.into_iter().map(|line| self.remember(line)).collect()
    }

    /// Writes one line to its standard input.
    ///
    /// # Errors
    /// When the process has closed it.
    pub fn send_line(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().with_context(|| format!("the input of {} is closed", self.name))?;
        writeln!(input, "{line}").with_context(|| format!("{} takes no input any more", self.name))
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Ends it at once, as a power cut would (SIGKILL), and waits until it is gone. Harmless when it has ended.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(&mut self) -> Result<()> {
        if self.status.is_none() {
            // A process that ended by itself a moment ago is as dead as asked for.
            let _already_gone = self.child.kill();
            let status = self.child.wait()?;
            self.ended(status);
        }
        Ok(())
    }

    /// Asks it to end, as Ctrl-C does (SIGINT). Unix only.
    ///
    /// # Errors
    /// When it has ended, or the system has no signals.
    pub fn interrupt(&self) -> Result<()> {
        signal(self.id(), "INT")
    }

    /// Stops it from running until [`Process::resume`] (SIGSTOP). Unix only.
    ///
    /// # Errors
    /// When it has ended, or the system has no signals.
    pub fn pause(&self) -> Result<()> {
        signal(self.id(), "STOP")
    }

    /// Lets it run again after [`Process::pause`] (SIGCONT).
    ///
    /// # Errors
    /// When it has ended, or the system has no signals.
    pub fn resume(&self) -> Result<()> {
        signal(self.id(), "CONT")
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        if self.status.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.ended(status);
        }
        self.status.is_none()
    }

    /// Waits for its end. What it prints meanwhile stays readable.
    ///
    /// # Errors
    /// When it still runs after `within`; the message repeats its last lines.
    pub fn wait(&mut self, within: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            self.is_running();
            if let Some(status) = self.status {
                return Ok(status);
            }
            ensure!(Instant::now() < deadline, self.complaint(&format!("still runs after {within:?}")));
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn ended(&mut self, status: ExitStatus) {
        self.status = Some(status);
        Guard::of_this_process().forget(self.child.id());
    }

    fn remember(&mut self, line: Line) -> Line {
        if self.last.len() == REPEATED {
            self.last.pop_front();
        }
        self.last.push_back(line.clone());
        line
    }

    fn complaint(&self, what: &str) -> String {
        let lines = self.last.iter().map(|line| format!("\n    {}", line.text)).collect::<String>();
        let before = if lines.is_empty() { " nothing" } else { &lines };
        format!("{} {what}; before, it printed:{before}", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left to do about a child that cannot be killed.
        let _gone = self.kill();
    }
}

/// Sends signal `name` (such as `TERM`) to process `pid`.
pub(crate) fn signal(pid: u32, name: &str) -> Result<()> {
    let sent =
        Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).stderr(Stdio::null()).status();
    ensure!(
        sent.is_ok_and(|status| status.success()),
        "process {pid} takes no signal {name}: it may have ended"
    );
    Ok(())
}

fn forward(stream: impl Read + Send + 'static, from: Stream, to: Sender<Line>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) && bytes.ends_with(b"\n") {
            bytes.pop();
            let text = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(&bytes)).into_owned();
            if to.send(Line { stream: from, text }).is_err() {
                break;
            }
            bytes.clear();
        }
    });
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    const SOON: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Process {
        Process::spawn(Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn lines_and_exit_code_are_seen() {
        let mut child = shell("echo one; echo two; echo oops >&2; exit 3");
        assert_eq!(child.wait_for("tw", SOON).unwrap(), "two");
        assert_eq!(child.wait(SOON).unwrap().code(), Some(3));
        assert!(child.wait_for("three", SOON).unwrap_err().root_cause().to_string().contains("oops"));
    }

    #[test]
    fn a_killed_child_leaves_its_whole_lines_only() {
        let mut child = shell("echo 'accepted 12'; printf 'accepted 34'; echo ready >&2; exec sleep 60");
        child.wait_until(SOON, |line| line.stream == Stream::Err).unwrap();
        child.kill().unwrap();
        child.rest();
        assert_eq!(child.last.iter().filter(|line| line.stream == Stream::Out).count(), 1);
        assert_eq!(child.wait(SOON).unwrap().signal(), Some(9));
    }

    #[test]
    fn input_reaches_the_child() {
        let mut child = shell("read -r word; echo \"got $word\"; cat; echo end");
        child.send_line("hello").unwrap();
        child.wait_for("got hello", SOON).unwrap();
        child.close_input();
        child.wait_for("end", SOON).unwrap();
    }

    #[test]
    fn a_silent_child_is_reported_with_what_it_said_before() {
        let mut child = shell("echo starting up; exec sleep 60");
        child.wait_for("starting", SOON).unwrap();
        let error = child.wait_for("ready", Duration::from_millis(20)).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("\"ready\"") && text.contains("starting up"), "{text}");
    }

    #[test]
    fn a_dropped_child_is_gone() {
        let child = shell("exec sleep 60");
        let pid = child.id();
        drop(child);
        assert!(signal(pid, "0").is_err(), "process {pid} lives on");
    }

    #[test]
    fn signals_arrive() {
        // A shell cannot catch what whoever started these tests in the background has had ignored.
        let mut child = shell(
            "exec env --default-signal=INT sh -c \"trap 'echo bye; exit 0' INT; echo up; while :; do sleep 0.02; done\"",
        );
        child.wait_for("up", SOON).unwrap();
        child.pause().unwrap();
        child.resume().unwrap();
        child.interrupt().unwrap();
        child.wait_for("bye", SOON).unwrap();
        assert!(child.wait(SOON).unwrap().success());
    }
}
