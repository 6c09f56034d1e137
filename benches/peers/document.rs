//! The tables of `docs/benchmarks.md`, between their markers.

use std::path::Path;

use super::columns::COLUMNS;
use super::measure::Found;
use super::report::{self, Line};

const BEGIN: &str = "<!-- peers: written by `cargo bench --bench peers` -->";
const END: &str = "<!-- peers: end -->";

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn heading(cells: &[&str]) -> String {
    let names: Vec<String> = cells.iter().map(|cell| (*cell).to_string()).collect();
    row(&names) + &format!("|{}\n", "---|".repeat(cells.len()))
}

/// The bars, row by row.
fn bars(lines: impl Iterator<Item = Line>) -> String {
    let mut text = heading(&["#", "workload", "Minima", "peer", "ratio", "milestone", "moonshot", "met"]);
    for line in lines {
        let verdict = line.verdict().to_string();
        let (milestone, moonshot) = line.shown_bars;
        text +=
            &row(&[line.number, line.what, line.ours, line.peer, line.shown, milestone, moonshot, verdict]);
    }
    text
}

/// The other tools, each with our time as a ratio to its.
fn others(found: &[Found]) -> String {
    let all: Vec<Vec<(&str, String)>> = found.iter().map(report::others).collect();
    let there: Vec<&str> = COLUMNS
        .iter()
        .map(|(name, _, _)| *name)
        .filter(|name| all.iter().flatten().any(|(other, _)| other == name))
        .collect();
    let mut text = heading(&[&["#", "Minima"], &there[..]].concat());
    for (found, cells) in found.iter().zip(&all) {
        let mut each = vec![found.row.number.to_string(), report::time(found.ours)];
        each.extend(there.iter().map(|name| {
            let cell = cells.iter().find(|(other, _)| other == name);
            cell.map_or(String::from("-"), |(_, cell)| cell.clone())
        }));
        text += &row(&each);
    }
    text
}

/// All tables.
pub fn tables(one: &[Found], lines: &[Line], two: &[Found], machine: &str, versions: &[String]) -> String {
    let shown = one.iter().filter_map(report::line);
    let mut numbered: Vec<Line> = shown.collect();
    numbered.extend(lines.iter().cloned());
    let mut text = format!("{machine}; {}.\n\n", versions.join(", "));
    text += &bars(numbered.into_iter());
    text += "\nOther tools, in brackets our time over theirs:\n\n";
    text += &others(one);
    if !two.is_empty() {
        let threads = super::ours::threads(2);
        text += &format!("\nWith two threads for JAX and {threads} for Minima:\n\n");
        text += &ratios(two.iter().filter_map(report::line));
    }
    text
}

/// Ratios without bars: those are for one thread.
fn ratios(lines: impl Iterator<Item = Line>) -> String {
    let mut text = heading(&["#", "workload", "Minima", "peer", "ratio"]);
    for line in lines {
        text += &row(&[line.number, line.what, line.ours, line.peer, line.shown]);
    }
    text
}

/// Puts the tables in the place of those before.
pub fn write(tables: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    std::fs::write(&path, format!("{before}{BEGIN}\n\n{tables}\n{END}{after}")).unwrap();
    println!("written to {}", path.display());
}
