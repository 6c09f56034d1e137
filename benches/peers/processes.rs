//! Whole processes: how long they take from their start to their result (row 13), and the most memory that they hold (row
//! 15).

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::columns::{in_python, python};
use super::measure::median;
use super::ours::{self, folder};
use super::peer::Peer;
use super::rows::{Kind, Row};

/// Seconds of processes.
pub struct Starts {
    /// `minima run logistic.opt`
    pub ours: f64,
    /// The same in JAX.
    pub jax: f64,
    /// A Python that does nothing.
    pub empty: f64,
}

/// Seconds of a process; none where it fails.
fn process(command: &mut Command) -> Option<f64> {
    let begin = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let seconds = begin.elapsed().as_secs_f64();
    status.is_ok_and(|status| status.success()).then_some(seconds)
}

/// Starts each in turn, so many rounds. None where JAX is not there.
pub fn starts(data: &Path, rounds: usize) -> Option<Starts> {
    let mut minima = Command::new(env!("CARGO_BIN_EXE_minima"));
    minima.args(["run", "--quiet"]).arg(folder().join("logistic.opt"));
    let mut jax = in_python("cold_jax.py", 1);
    jax.arg(data);
    let mut empty = Command::new(python());
    empty.args(["-c", "pass"]);
    let mut commands = [minima, jax, empty];
    let mut times: [Vec<f64>; 3] = Default::default();
    for _ in 0..rounds {
        for (command, times) in commands.iter_mut().zip(&mut times) {
            times.push(process(command)?);
        }
    }
    let [ours, jax, empty] = times.each_mut().map(|times| median(times));
    Some(Starts { ours, jax, empty })
}

/// The most KiB that this process held, as the system tells it.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(f64::NAN)
}

/// Runs a row once and prints the most memory of this process: what the child of [`memory`] does.
pub fn print_memory(row: &Row) {
    if matches!(row.kind, Kind::Code { .. }) {
        ours::results(&mut row.source.code(1));
    } else {
        row.source.solves(1);
    }
    println!("{}", peak());
}

/// The most KiB of a process of ours and of one of JAX that run a row. None where JAX is not there.
pub fn memory(row: &Row) -> Option<(f64, f64)> {
    let itself = std::env::current_exe().unwrap();
    let child = Command::new(itself).args(["--memory", row.number]).output().unwrap();
    let ours: f64 = String::from_utf8_lossy(&child.stdout).trim().parse().unwrap();
    let mut peer = Peer::start("JAX", "", in_python("jax_peer.py", 1)).ok()?;
    peer.setup(row.workload, &row.args)?;
    Some((ours, peer.memory()))
}
