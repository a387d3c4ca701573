//! A list of named steps: runs them one after the other, times them, and sums up.

use crate::part::Part;
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What all steps of a run share.
pub struct Context {
    /// The workspace's directory.
    pub root: PathBuf,
    /// Parts whose absence is skipped rather than failed.
    pub allow_missing: BTreeSet<Part>,
    /// How long each fuzz target runs.
    pub fuzz_seconds: u32,
}

impl Context {
    /// Whether `part` is there: an error if it is not and may not be missing, otherwise the sentence to skip with.
    pub fn require(&self, part: Part) -> Result<Option<String>> {
        self.accept(part, part.missing())
    }

    fn accept(&self, part: Part, missing: Option<String>) -> Result<Option<String>> {
        match missing {
            Some(why) if !self.allow_missing.contains(&part) => bail!(
                "{why}; run with --install (as root, on Debian 12), or accept it with --allow-missing {}",
                part.name()
            ),
            accepted => Ok(accepted),
        }
    }
}

/// How a step that did not fail ended.
pub enum Done {
    /// All of it ran.
    Passed,
    /// All of it ran, and there is something to say.
    Noted(String),
    /// A part of it was left out, named here; the rest passed.
    Partly(String),
    /// None of it ran, for the reason given here.
    Skipped(String),
}

type Action = Box<dyn Fn(&Context) -> Result<Done>>;

/// One named step.
pub struct Step {
    /// What `--only` and the summary call it.
    pub name: &'static str,
    /// What it checks, for `--list`.
    pub checks: &'static str,
    run: Action,
}

impl Step {
    /// A step that does `run`.
    pub fn new(
        name: &'static str,
        checks: &'static str,
        run: impl Fn(&Context) -> Result<Done> + 'static,
    ) -> Self {
        Self { name, checks, run: Box::new(run) }
    }
}

/// Lists the names and what they check.
pub fn list(steps: &[Step]) {
    for step in steps {
        println!("{:<12} {}", step.name, step.checks);
    }
}

/// Leaves the steps named in `only`, or all when it is empty.
pub fn select(mut steps: Vec<Step>, only: &[String]) -> Result<Vec<Step>> {
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no step {unknown:?}; the steps are {}", names.join(", "));
    }
    steps.retain(|step| only.is_empty() || only.iter().any(|name| name == step.name));
    Ok(steps)
}

/// Runs all steps, also those after a failed one, prints the summary, and says whether none failed.
pub fn run(steps: &[Step], context: &Context) -> bool {
    let started = Instant::now();
    let mut ended = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n=== {} ({} of {}): {}", step.name, index + 1, steps.len(), step.checks);
        let began = Instant::now();
        let result = (step.run)(context);
        if let Err(error) = &result {
            println!("--- {} failed: {error:#}", step.name);
        }
        ended.push((step.name, began.elapsed(), result));
    }
    summary(&ended, started.elapsed())
}

fn summary(ended: &[(&str, Duration, Result<Done>)], took: Duration) -> bool {
    let (mut passed, mut failed) = (0, 0);
    println!("\n=== summary after {}", minutes(took));
    for (name, took, result) in ended {
        let (word, note) = match result {
            Ok(Done::Passed) => ("passed", String::new()),
            Ok(Done::Noted(note)) => ("passed", note.clone()),
            Ok(Done::Partly(note)) => ("passed", format!("SKIPPED in part: {note}")),
            Ok(Done::Skipped(why)) => ("SKIPPED", why.clone()),
            Err(error) => ("FAILED", first_line(&format!("{error:#}"))),
        };
        match result {
            Ok(Done::Skipped(_)) => {}
            Ok(_) => passed += 1,
            Err(_) => failed += 1,
        }
        println!("{name:<12} {word:<8} {:>8}  {note}", minutes(*took));
    }
    println!("{passed} passed, {failed} failed");
    failed == 0
}

fn minutes(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{}:{:02} min", time.as_secs() / 60, time.as_secs() % 60)
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &'static str, run: fn(&Context) -> Result<Done>) -> Step {
        Step::new(name, "", run)
    }

    fn context(allow: &[Part]) -> Context {
        Context { root: PathBuf::new(), allow_missing: allow.iter().copied().collect(), fuzz_seconds: 1 }
    }

    #[test]
    fn a_skipped_step_does_not_fail_the_run_and_a_failed_one_does() {
        let skipped = step("a", |_| Ok(Done::Skipped("no such part".into())));
        assert!(run(&[skipped, step("b", |_| Ok(Done::Passed))], &context(&[])));
        assert!(!run(&[step("c", |_| bail!("broken")), step("d", |_| Ok(Done::Passed))], &context(&[])));
    }

    #[test]
    fn a_missing_part_fails_unless_it_was_accepted_by_name() {
        let missing = || Some("there is no compiler".to_owned());
        let error = context(&[Part::Fuzz]).accept(Part::Cross, missing()).unwrap_err().to_string();
        assert!(error.contains("no compiler") && error.contains("--allow-missing cross"), "{error}");
        assert_eq!(context(&[Part::Cross]).accept(Part::Cross, missing()).unwrap(), missing());
        assert_eq!(context(&[]).accept(Part::Cross, None).unwrap(), None);
    }

    #[test]
    fn an_unknown_step_is_an_error_that_lists_the_known() {
        let Err(error) = select(vec![step("docs", |_| Ok(Done::Passed))], &["dosc".into()]) else {
            panic!("a step of no list was selected")
        };
        assert!(error.to_string().contains("docs"), "{error}");
    }

    #[test]
    fn a_step_is_selected_by_its_name() {
        let both = vec![step("a", |_| Ok(Done::Passed)), step("b", |_| Ok(Done::Passed))];
        let left = select(both, &["b".into()]).unwrap();
        assert_eq!(left.iter().map(|step| step.name).collect::<Vec<_>>(), ["b"]);
    }
}
