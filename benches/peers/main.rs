//! Minima beside the tools people use, in one run: `cargo bench --bench peers`. Every row is checked against the
//! peers' values, then all are timed in turn, and the table in `docs/benchmarks.md` is written.
//!
//! `-- --only 3,5` measures these rows and writes nothing; `-- --quick` takes three rounds instead of nine. The Python
//! with the peers is `MINIMA_PYTHON`, else `python3`; what is not installed there is reported, and its columns stay
//! empty.

#![expect(clippy::unwrap_used, reason = "a measurement")]

mod machine;
mod measure;
mod ours;
mod peer;
mod prepare;
mod report;
mod rows;

use std::path::Path;
use std::process::Command;

use measure::{Column, Times};
use peer::Peer;
use rows::Row;

/// What was asked for on the command line.
struct Asked {
    /// Rows, by number; none for all.
    only: Vec<String>,
    /// Rounds of each row.
    rounds: usize,
}

impl Asked {
    fn read() -> Asked {
        let mut asked = Asked { only: Vec::new(), rounds: 9 };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--only" => {
                    let list = arguments.next().unwrap_or_default();
                    asked.only = list.split(',').map(str::to_string).collect();
                }
                "--quick" => asked.rounds = 3,
                _ => {}
            }
        }
        asked
    }

    fn wants(&self, number: &str) -> bool {
        let row = number.trim_end_matches(|letter: char| letter.is_alphabetic());
        self.only.is_empty() || self.only.iter().any(|asked| asked == number || asked == row)
    }
}

/// The columns: what each is called, its script, and its way to do the work.
const COLUMNS: &[(&str, &str, &str)] =
    &[("JAX", "jax_peer.py", ""), ("JAX by steps", "jax_peer.py", "steps")];

/// Starts the peers. Those that are missing are told of.
fn peers(threads: usize) -> Vec<Option<Peer>> {
    let python = std::env::var("MINIMA_PYTHON").unwrap_or_else(|_| "python3".into());
    let start = |(name, script, _): &(&'static str, &str, &str)| {
        let mut command = Command::new(&python);
        command.arg(ours::folder().join(script)).arg(threads.to_string());
        for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
            command.env(variable, threads.to_string());
        }
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        Peer::start(name, command).inspect_err(|why| println!("not there: {why}")).ok()
    };
    COLUMNS.iter().map(start).collect()
}

/// Measures the rows that are asked for, with so many threads on each side.
fn measured(rows: &[Row], asked: &Asked, threads: usize) -> (Vec<(Row, Times)>, Vec<String>) {
    machine::pin(threads);
    let mut peers = peers(threads);
    let mut found = Vec::new();
    for row in rows.iter().filter(|row| asked.wants(row.number)) {
        let each = peers.iter_mut().zip(COLUMNS);
        let mut columns: Vec<Column<'_>> =
            each.map(|(peer, (_, _, variant))| Column { peer: peer.as_mut(), variant }).collect();
        let times = measure::measure(row, &mut columns, asked.rounds, threads);
        println!("{}", report::line(row, &times));
        found.push((row.clone(), times));
    }
    let mut versions: Vec<String> = peers.iter().flatten().flat_map(|peer| peer.versions.clone()).collect();
    versions.sort();
    versions.dedup();
    (found, versions)
}

fn main() {
    let asked = Asked::read();
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    std::fs::create_dir_all(&made).unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let rows = rows::rows(&data.display().to_string(), &made.display().to_string());
    if asked.wants("5") {
        prepare::minibatches(&made);
    }
    println!("{}", report::heading(COLUMNS));
    let (_, versions) = measured(&rows, &asked, 1);
    println!("{}; {}", machine::name(), versions.join(", "));
}
