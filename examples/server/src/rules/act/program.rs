//! A program of the operator's: no shell is between, and the alarm comes as JSON on its standard input.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::Task;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs it to its end.
pub(super) async fn run(task: &Task, path: &Path, arguments: &[String]) -> Result<String> {
    let mut child = Command::new(path)
        .args(arguments)
        .env("SENSOCK_ALARM", &task.alarm)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{} cannot be started", path.display()))?;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read is no error; its end says how it went.
        let _unread = tokio::time::timeout(LIMIT, input.write_all(task.json.as_bytes())).await;
    }
    match tokio::time::timeout(LIMIT, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok("ended well".to_owned()),
        Ok(Ok(status)) => bail!("ended with {status}"),
        Ok(Err(error)) => bail!("it cannot be waited for: {error}"),
        Err(_) => bail!("it took longer than {} s and was ended", LIMIT.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::zone::What;

    fn task(json: &str) -> Task {
        let what = What::Webhook { url: String::new(), ca: None };
        Task { alarm: "a-1".to_owned(), number: 0, what, until_us: i64::MAX, json: json.to_owned() }
    }

    #[tokio::test]
    async fn a_program_reads_the_alarm_and_its_end_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("out");
        let to = format!("of={}", file.display());
        let done = run(&task("{\"alarm\":1}"), Path::new("dd"), &[to]).await.unwrap();
        assert_eq!(
            (done.as_str(), std::fs::read_to_string(file).unwrap().as_str()),
            ("ended well", "{\"alarm\":1}")
        );
        let failed = run(&task(""), Path::new("false"), &[]).await.unwrap_err();
        assert!(failed.to_string().contains("ended with"), "{failed}");
        let absent = run(&task(""), Path::new("/no/such/program"), &[]).await.unwrap_err();
        assert!(absent.to_string().contains("cannot be started"), "{absent}");
    }
}
