//! `minima watch`: a program run again whenever it, or a file that it read, changes.
//!
//! Each run is a process of its own. It writes down which files it read (`--read-files`), and these
//! are looked at five times a second. A run that is out of date is asked to stop by the end of its
//! standard input, so that it leaves nothing half written behind, and is ended if it does not soon.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::exit;
use super::output::Output;
use super::signals::Signals;
use super::source::{Failure, unreadable};
use crate::diag::cause;
use crate::driver::{Stamp, stamp};

/// How often files are looked at.
const POLL: Duration = Duration::from_millis(200);

/// How long files must have stayed as they are before a run begins: editors write in several steps.
const QUIET: Duration = Duration::from_millis(80);

/// How long a run may take to say its last words after Ctrl-C.
const GRACE: Duration = Duration::from_secs(2);

/// How long a run that is out of date may take to end.
const OUT_OF_DATE: Duration = Duration::from_secs(1);

/// A line of the list of what a run read.
pub fn line(path: &Path, stamp: Stamp) -> String {
    let (time, length) =
        stamp.map_or(("-".into(), "-".into()), |(time, length)| (time.to_string(), length.to_string()));
    format!("{time} {length} {}\n", path.display())
}

/// What a line of that list says.
fn read_line(line: &str) -> Option<(PathBuf, Stamp)> {
    let (time, rest) = line.split_once(' ')?;
    let (length, path) = rest.split_once(' ')?;
    Some((PathBuf::from(path), time.parse().ok().zip(length.parse().ok())))
}

/// A program that is watched.
struct Watched<'a> {
    program: &'a Path,
    /// The arguments of a run.
    arguments: Vec<OsString>,
    /// Where a run writes down what it read.
    list: PathBuf,
    stamps: BTreeMap<PathBuf, Stamp>,
    output: Output,
    signals: &'a Signals,
}

/// Watches a program until Ctrl-C. `arguments` are those of the process.
pub fn watch(
    program: &Path,
    test: bool,
    arguments: &[OsString],
    output: Output,
    signals: &Signals,
) -> Result<u8, Failure> {
    if program == Path::new("-") {
        return Err(Failure::usage("`-` cannot be watched: give the name of a file"));
    }
    let name = program.display().to_string();
    match program.metadata() {
        Err(why) => return Err(Failure::usage(unreadable(program, &name, &why))),
        Ok(found) if found.is_dir() => {
            return Err(Failure::usage(format!("`{name}` is a folder, not a program")));
        }
        Ok(found) if !found.is_file() => {
            return Err(Failure::usage(format!("`{name}` is no file that can be watched")));
        }
        Ok(_) => {}
    }
    signals.be_patient();
    let list = std::env::temp_dir().join(format!("minima-watch-{}.txt", std::process::id()));
    let mut watched = Watched {
        program,
        arguments: arguments_of_run(arguments, test, &list),
        list,
        stamps: BTreeMap::new(),
        output,
        signals,
    };
    watched.stamps.insert(program.to_path_buf(), stamp(program));
    let code = watched.until_interrupted();
    drop(fs::remove_file(&watched.list));
    code
}

/// The arguments of the process with another verb.
fn arguments_of_run(arguments: &[OsString], test: bool, list: &Path) -> Vec<OsString> {
    let verb = if test { "test" } else { "run" };
    let mut found: Vec<OsString> = arguments.iter().skip(1).cloned().collect();
    if let Some(own) = found.iter_mut().find(|own| *own == "watch") {
        *own = verb.into();
    }
    if test {
        found.retain(|own| own != "--test");
    }
    // Options stand before inputs, which may follow `--`.
    found.insert(0, list.into());
    found.insert(0, "--read-files".into());
    found
}

impl Watched<'_> {
    fn until_interrupted(&mut self) -> Result<u8, Failure> {
        let mut why = String::new();
        loop {
            self.begin(&why);
            let mut run = self.run()?;
            let ended = loop {
                thread::sleep(POLL);
                if let Some(code) = self.signals.received() {
                    end_within(&mut run, GRACE);
                    return Ok(if code == 130 { exit::OK } else { code });
                }
                if let Some(changed) = self.changed() {
                    drop(run.stdin.take());
                    end_within(&mut run, OUT_OF_DATE);
                    why = changed;
                    break None;
                }
                if let Ok(Some(status)) = run.try_wait() {
                    break Some(status);
                }
            };
            if let Some(status) = ended {
                self.learn();
                self.output.note(&format!("{}; waiting for changes, Ctrl-C ends", said(status)));
                match self.wait() {
                    Ok(changed) => why = changed,
                    Err(code) => return Ok(if code == 130 { exit::OK } else { code }),
                }
            }
            self.settle();
        }
    }

    /// Clears the terminal, and says what changed.
    fn begin(&self, why: &str) {
        if !self.output.json && io::stdout().is_terminal() {
            // If this cannot be written, neither can what follows.
            let _ = io::stdout().write_all(b"\x1b[2J\x1b[3J\x1b[H").and_then(|()| io::stdout().flush());
        }
        if !why.is_empty() {
            self.output.note(&format!("{why}: running again"));
        }
    }

    fn run(&self) -> Result<Child, Failure> {
        let failed = |why: io::Error| Failure {
            code: exit::LIMIT,
            message: format!("cannot start `minima`: {}", cause(&why)),
        };
        drop(fs::remove_file(&self.list));
        let own = std::env::current_exe().map_err(failed)?;
        Command::new(own).args(&self.arguments).stdin(Stdio::piped()).spawn().map_err(failed)
    }

    /// Takes note of the files that the run read.
    fn learn(&mut self) {
        let list = fs::read_to_string(&self.list).unwrap_or_default();
        for (path, stamp) in list.lines().filter_map(read_line) {
            self.stamps.entry(path).or_insert(stamp);
        }
    }

    /// Waits until a file changes; ends with the code of a signal.
    fn wait(&mut self) -> Result<String, u8> {
        loop {
            if let Some(code) = self.signals.received() {
                return Err(code);
            }
            if let Some(changed) = self.changed() {
                return Ok(changed);
            }
            thread::sleep(POLL);
        }
    }

    /// What changed since it was looked at last.
    fn changed(&mut self) -> Option<String> {
        // A run that goes on has read some files already.
        self.learn();
        let mut found = None;
        for (path, before) in &mut self.stamps {
            let now = stamp(path);
            if now != *before {
                let what = match (&before, now) {
                    (None, _) => "appeared",
                    (_, None) => "was removed",
                    _ => "changed",
                };
                *before = now;
                found.get_or_insert_with(|| format!("{} {what}", shown(path)));
            }
        }
        found
    }

    /// Waits until nothing changes any more, and the program is there.
    fn settle(&mut self) {
        loop {
            thread::sleep(QUIET);
            let quiet = self.changed().is_none();
            if (quiet && self.program.is_file()) || self.signals.received().is_some() {
                return;
            }
        }
    }
}

/// A path from the present folder, where it lies in it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}

/// How a run ended.
fn said(status: ExitStatus) -> String {
    status.code().map_or_else(|| "ended by a signal".into(), |code| format!("exit code {code}"))
}

fn end(run: &mut Child) {
    // It may have ended by itself.
    let _ = run.kill();
    let _ = run.wait();
}

/// Lets a run that has been asked to stop end by itself.
fn end_within(run: &mut Child, time: Duration) {
    let since = Instant::now();
    while since.elapsed() < time {
        if !matches!(run.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    end(run);
}
