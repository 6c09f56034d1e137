//! The tables of `minima bench`.

use super::compared::Compared;
use super::measure::{Candidate, Item};
use crate::run::{Difference, Figures};

/// Everything that is told.
pub fn told(candidates: &[Candidate], compared: &[Compared]) -> String {
    let mut lines = Vec::new();
    for candidate in candidates {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(of_program(candidate));
    }
    if !compared.is_empty() {
        lines.push(String::new());
        lines.extend(differences(compared));
    }
    lines.join("\n")
}

/// The table of a program.
fn of_program(candidate: &Candidate) -> Vec<String> {
    let rounds = candidate.rounds();
    let counted = if rounds == 1 { "1 round".to_string() } else { format!("{rounds} rounds") };
    let bits = match candidate.differs {
        None => "results are the same bits each time".to_string(),
        Some(round) => format!("results differ from round {round} on"),
    };
    let mut lines = vec![format!("{}: {counted}, {bits}", candidate.name())];
    let mut rows = vec![["", "median", "95% interval", "least", "spread", ""].map(str::to_string)];
    rows.extend(candidate.items.iter().filter_map(row));
    lines.extend(table(&rows));
    if rounds == 0 {
        lines.truncate(1);
        lines.push("  no round ended".into());
    } else if rounds < super::FEWEST {
        lines.push(format!("  an interval needs {} rounds; --seconds gives more time", super::FEWEST));
    }
    lines
}

/// The row of a part or a solve.
fn row(item: &Item) -> Option<[String; 6]> {
    let figures = item.figures()?;
    let unit = Unit::of(figures.median);
    let interval = figures
        .interval
        .map_or("-".to_string(), |(low, high)| format!("{} to {}", unit.plain(low), unit.shown(high)));
    let spread = format!("{:.1}%", 100.0 * figures.spread);
    Some([
        item.name.clone(),
        unit.shown(figures.median),
        interval,
        unit.shown(figures.least),
        spread,
        work(item, &figures),
    ])
}

/// What a solve does, and how much of it in a second.
fn work(item: &Item, figures: &Figures) -> String {
    let Some(work) = item.work else { return String::new() };
    let evals: i64 = work.evals.iter().sum();
    let plural = if work.steps == 1 { "step" } else { "steps" };
    let mut told = format!("{} {plural}", work.steps);
    if figures.median > 0.0 && work.steps > 0 {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = |count: i64| number(count as f64 / figures.median);
        told += &format!(", {} steps/s, {} evals/s", rate(work.steps), rate(evals));
    }
    told
}

/// Ratios with their intervals, and what they say.
pub fn differences(compared: &[Compared]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    let mut pair: Option<(&str, &str)> = None;
    for one in compared {
        if pair != Some((&one.file, &one.by)) {
            lines.extend(table(&rows));
            rows.clear();
            pair = Some((&one.file, &one.by));
            lines.push(format!("{} against {}", one.file, one.by));
            rows.push(["", "ratio", "99% interval", ""].map(str::to_string));
        }
        let interval =
            one.ratio.interval.map_or("-".to_string(), |(low, high)| format!("{low:.3} to {high:.3}"));
        let verdict = one.ratio.difference();
        rows.push([
            one.item.clone(),
            format!("{:.3}", one.ratio.ratio),
            interval,
            verdict.text().to_string(),
        ]);
    }
    lines.extend(table(&rows));
    let differs = |one: &Compared| !one.in_turn && one.ratio.difference() != Difference::None;
    if compared.iter().any(differs) {
        lines.push(
            "measured at different times: what else changed on the machine is in these ratios too".into(),
        );
    }
    lines
}

/// Rows with columns below each other: names to the left, figures to the right, what is said to the left.
fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |k: usize| rows.iter().map(|row| row[k].chars().count()).max().unwrap_or(0);
    let line = |row: &[String; N]| {
        let mut text = String::new();
        for (k, cell) in row.iter().enumerate() {
            let room = width(k);
            text +=
                &if k == 0 || k + 1 == N { format!("  {cell:<room$}") } else { format!("  {cell:>room$}") };
        }
        text.trim_end().to_string()
    };
    rows.iter().map(line).collect()
}

/// The unit of a row.
#[derive(Clone, Copy)]
struct Unit(f64, &'static str);

impl Unit {
    fn of(seconds: f64) -> Unit {
        let units = [Unit(1.0, "s"), Unit(1e-3, "ms"), Unit(1e-6, "us")];
        units.into_iter().find(|Unit(size, _)| seconds >= *size).unwrap_or(Unit(1e-9, "ns"))
    }

    fn plain(self, seconds: f64) -> String {
        number(seconds / self.0)
    }

    fn shown(self, seconds: f64) -> String {
        format!("{} {}", self.plain(seconds), self.1)
    }
}

/// Four digits, `k` and `M` for large numbers.
fn number(x: f64) -> String {
    match x {
        x if x >= 1e9 => format!("{:.3}G", x / 1e9),
        x if x >= 1e6 => format!("{:.3}M", x / 1e6),
        x if x >= 1e4 => format!("{:.1}k", x / 1e3),
        x if x >= 1e3 => format!("{x:.0}"),
        x if x >= 100.0 => format!("{x:.1}"),
        x if x >= 10.0 => format!("{x:.2}"),
        x if x == 0.0 => "0".into(),
        x => format!("{x:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Compared, Unit, differences, number, table};
    use crate::run::Ratio;

    #[test]
    fn numbers_have_about_four_digits() {
        let shown = [0.0, 0.01234, 5.4321, 99.999, 123.46, 4567.8, 12_345.0, 7_654_321.0, 2.5e9].map(number);
        assert_eq!(shown, ["0", "0.012", "5.432", "100.00", "123.5", "4568", "12.3k", "7.654M", "2.500G"]);
        assert_eq!(
            [2.5, 2.5e-3, 2.5e-6, 2.5e-8].map(|s| Unit::of(s).shown(s)),
            ["2.500 s", "2.500 ms", "2.500 us", "25.00 ns"]
        );
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["a", "1", "x"], ["bcd", "100", ""]].map(|row| row.map(str::to_string));
        assert_eq!(table(&rows), ["  a      1  x", "  bcd  100"]);
    }

    #[test]
    fn a_difference_is_told_with_its_doubt() {
        let of = |in_turn, interval| Compared {
            file: "b".into(),
            by: "a".into(),
            item: "whole".into(),
            in_turn,
            ratio: Ratio { ratio: 1.5, interval },
        };
        let said = |one: Compared| differences(&[one]).join("|");
        assert_eq!(
            said(of(true, Some((1.25, 1.75)))),
            "b against a|         ratio    99% interval|  whole  1.500  1.250 to 1.750  slower"
        );
        assert!(said(of(true, Some((0.9, 1.75)))).ends_with("no difference seen"));
        assert!(said(of(true, None)).ends_with("too few rounds to tell"));
        assert!(said(of(false, Some((1.25, 1.75)))).contains("measured at different times"));
    }
}
