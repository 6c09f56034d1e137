//! Minima beside the tools people use, in one run: `cargo bench --bench peers`. Every row is checked against the
//! peers' values, then all are timed in turn, and the tables in `docs/benchmarks.md` are written.
//!
//! `-- --only 3,5` measures these rows and writes nothing, `-- --quick` takes three rounds instead of nine and writes
//! nothing, `-- --processor` times in seconds of the processor, for a busy machine, `-- --two` measures with two threads too, `-- --growth` draws `docs/growth.svg`. The Python with the peers is `MINIMA_PYTHON`, else `python3`; what is
//! not installed there is reported, and its columns stay empty.

#![expect(clippy::unwrap_used, reason = "a measurement")]

mod clock;
mod columns;
mod compiling;
mod document;
#[expect(dead_code, reason = "it is a program of its own too")]
#[path = "../gradient_cost.rs"]
mod gradient_cost;
mod growth;
mod machine;
mod measure;
mod ours;
mod peer;
mod prepare;
mod processes;
mod report;
mod rows;

use std::path::{Path, PathBuf};

use measure::{Found, measure};
use report::Line;
use rows::Row;

/// What was asked for on the command line.
struct Asked {
    /// Rows, by number; none for all.
    only: Vec<String>,
    /// Rounds of each row.
    rounds: usize,
    /// Time in seconds of the processor.
    processor: bool,
    /// Measure with two threads too, as a whole run does.
    two: bool,
    /// Draw how cost grows, and nothing else.
    growth: bool,
    /// Run this row once and print the most memory of the process.
    memory: Option<String>,
}

impl Asked {
    fn read() -> Asked {
        let mut asked =
            Asked { only: Vec::new(), rounds: 9, processor: false, two: false, growth: false, memory: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--only" => {
                    let list = arguments.next().unwrap_or_default();
                    asked.only = list.split(',').map(str::to_string).collect();
                }
                "--quick" => asked.rounds = 3,
                "--processor" => asked.processor = true,
                "--two" => asked.two = true,
                "--growth" => asked.growth = true,
                "--memory" => asked.memory = arguments.next(),
                _ => {}
            }
        }
        asked
    }

    fn wants(&self, number: &str) -> bool {
        let row = number.trim_end_matches(|letter: char| letter.is_alphabetic());
        self.only.is_empty() || self.only.iter().any(|asked| asked == number || asked == row)
    }

    /// Whether the tables are written: only by a whole run.
    fn writes(&self) -> bool {
        self.only.is_empty() && self.rounds >= 7
    }
}

/// Where data is, and where what is made is put.
struct Places {
    data: PathBuf,
    made: PathBuf,
}

/// Measures the rows that are asked for, with so many threads on each side.
fn measured(rows: &[Row], asked: &Asked, threads: usize, places: &Places) -> (Vec<Found>, Vec<String>) {
    machine::pin(threads);
    // With more threads only the first peer of a row is beside us.
    let beside = |row: &Row, name: &str| {
        if threads == 1 { row.beside.contains(&name) } else { row.beside[0] == name }
    };
    let wanted = |name: &str| rows.iter().any(|row| asked.wants(row.number) && beside(row, name));
    let mut peers = columns::start(wanted, threads, &places.made);
    let mut versions: Vec<String> = peers.iter().flat_map(|peer| peer.versions.clone()).collect();
    versions.sort();
    versions.dedup();
    let mut found = Vec::new();
    for row in rows.iter().filter(|row| asked.wants(row.number)) {
        let one = measure(row, &mut peers, asked.rounds, threads);
        println!("{}", report::text(&one));
        found.push(one);
    }
    (found, versions)
}

/// Rows 12 to 15, which are not about one program beside another.
fn others(rows: &[Row], asked: &Asked, places: &Places) -> Vec<Line> {
    let mut lines = Vec::new();
    if asked.wants("12") {
        let first = rows.iter().filter(|row| ["1", "2", "3", "4", "5", "6", "7", "8"].contains(&row.number));
        lines.push(report::compile_times(
            first.map(|row| (row.number, compiling::seconds(&row.source, asked.rounds))),
        ));
    }
    if asked.wants("13") {
        match processes::starts(&places.data, asked.rounds) {
            Some(starts) => lines.push(report::cold_start(&starts)),
            None => println!("13: a process failed, or JAX is not there"),
        }
    }
    if asked.wants("14") {
        lines.push(report::gradients(&gradient_cost::ratios(&[])));
    }
    if asked.wants("15") {
        let some = rows.iter().filter(|row| ["4", "5", "6", "7", "8"].contains(&row.number));
        let found: Vec<_> =
            some.filter_map(|row| processes::memory(row).map(|found| (row.number, found))).collect();
        lines.extend(report::memories(&found));
    }
    for line in &lines {
        println!("{}", line.text());
    }
    lines
}

fn main() {
    let asked = Asked::read();
    let places = Places {
        data: Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data"),
        made: Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers"),
    };
    std::fs::create_dir_all(&places.made).unwrap();
    let rows = rows::rows(&places.data.display().to_string(), &places.made.display().to_string());
    if let Some(number) = &asked.memory {
        return processes::print_memory(rows.iter().find(|row| row.number == number).unwrap());
    }
    if asked.growth {
        machine::pin(1);
        return growth::draw(&places.made, asked.rounds.min(7));
    }
    if asked.wants("5") || asked.wants("15") {
        prepare::minibatches(&places.made);
    }
    clock::PROCESSOR.store(asked.processor, std::sync::atomic::Ordering::Relaxed);
    let load = machine::load();
    let (one, versions) = measured(&rows, &asked, 1, &places);
    let lines = others(&rows, &asked, &places);
    let two = if machine::processors() > 1 && (asked.two || asked.writes()) {
        let some: Vec<Row> = rows.iter().filter(|row| row.beside[0] == "JAX").cloned().collect();
        // Of several threads those that pass are the ones to count.
        clock::PROCESSOR.store(false, std::sync::atomic::Ordering::Relaxed);
        println!("two threads; Minima uses {}", ours::threads(2));
        measured(&some, &asked, 2, &places).0
    } else {
        Vec::new()
    };
    let clock = if asked.processor { ", seconds of the processor" } else { "" };
    let (name, rounds, after) = (machine::name(), asked.rounds, machine::load());
    let machine = format!("{name}, load {load} before and {after} after; medians of {rounds}{clock}");
    println!("{machine}; {}", versions.join(", "));
    if asked.writes() {
        document::write(&document::tables(&one, &lines, &two, &machine, &versions));
    }
}
