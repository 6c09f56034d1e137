//! What was found, as lines with bars.

use super::measure::Found;
use super::processes::Starts;

/// A line of the table of bars.
#[derive(Debug, Clone)]
pub struct Line {
    /// The number of the row.
    pub number: String,
    /// What is measured.
    pub what: String,
    /// What was found of ours.
    pub ours: String,
    /// The peer and what was found of it.
    pub peer: String,
    /// What the bars are for: a ratio, or seconds of an absolute bar.
    pub figure: f64,
    /// The same for people.
    pub shown: String,
    /// What must be met, and what is aimed at.
    pub bars: (f64, f64),
    /// The same for people.
    pub shown_bars: (String, String),
}

impl Line {
    /// A line whose bars are ratios.
    fn ratio(number: &str, what: &str, ours: String, peer: String, figure: f64, bars: (f64, f64)) -> Line {
        let shown = if figure < 0.1 { format!("{figure:.4}") } else { format!("{figure:.2}") };
        // A row beside another has no bar.
        let bar = |bar: f64| if bar.is_finite() { bar.to_string() } else { "-".to_string() };
        let shown_bars = (bar(bars.0), bar(bars.1));
        Line { number: number.into(), what: what.into(), ours, peer, figure, shown, bars, shown_bars }
    }

    /// What it meets of its bars.
    pub fn verdict(&self) -> &'static str {
        match self.figure {
            _ if !self.bars.0.is_finite() => "no bar",
            x if x <= self.bars.1 => "moonshot",
            x if x <= self.bars.0 => "milestone",
            _ => "missed",
        }
    }

    /// The line on a terminal.
    pub fn text(&self) -> String {
        let Line { number, what, ours, peer, shown, shown_bars: (milestone, moonshot), .. } = self;
        let verdict = self.verdict();
        format!("{number:4} {what:52} {ours:>10}  {peer:28} {shown:>8}  {milestone} ({moonshot}): {verdict}")
    }
}

/// Seconds for people.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

fn mebibytes(kib: f64) -> String {
    format!("{:.0} MiB", kib / 1024.0)
}

/// The line of a row; none where its peer is not there.
pub fn line(found: &Found) -> Option<Line> {
    let peer = found.peer()?;
    let (row, ours) = (&found.row, found.ours);
    let beside = format!("{} {}", peer.name, time(peer.seconds));
    Some(Line::ratio(row.number, &row.what, time(ours), beside, ours / peer.seconds, row.bars))
}

/// The other columns of a row: time, and ours as a ratio to it.
pub fn others(found: &Found) -> Vec<(&'static str, String)> {
    let others = found.beside.iter().filter(|beside| beside.name != found.row.beside[0]);
    let cell = |seconds: f64| format!("{} ({:.2})", time(seconds), found.ours / seconds);
    others.map(|beside| (beside.name, cell(beside.seconds))).collect()
}

/// A row on a terminal.
pub fn text(found: &Found) -> String {
    let mut text = line(found).map_or_else(
        || format!("{:4} {:52} {:>10}", found.row.number, found.row.what, time(found.ours)),
        |line| line.text(),
    );
    for (name, cell) in others(found) {
        text += &format!("; {name} {cell}");
    }
    let off = found.beside.iter().fold(0.0_f64, |most, beside| most.max(beside.difference));
    if found.beside.is_empty() { text } else { text + &format!("; values to {off:.0e}") }
}

/// Row 12, from the seconds of each program.
pub fn compile_times<'r>(each: impl Iterator<Item = (&'r str, f64)>) -> Line {
    let each: Vec<(&str, f64)> = each.collect();
    let figure = each.iter().fold(0.0_f64, |most, (_, seconds)| most.max(*seconds));
    let shown: Vec<String> =
        each.iter().map(|(number, seconds)| format!("{number}: {:.1}", seconds * 1e3)).collect();
    Line {
        number: "12".into(),
        what: "compile, rows 1 to 8, the slowest".into(),
        ours: time(figure),
        peer: format!("ms each: {}", shown.join(", ")),
        figure,
        shown: time(figure),
        bars: (30e-3, 5e-3),
        shown_bars: ("30 ms".into(), "5 ms".into()),
    }
}

/// Row 13.
pub fn cold_start(starts: &Starts) -> Line {
    let peer = format!("JAX {}; empty Python {}", time(starts.jax), time(starts.empty));
    let ratio = starts.ours / starts.jax;
    Line::ratio("13", "cold start of row 4, process to result", time(starts.ours), peer, ratio, (0.05, 0.01))
}

/// Row 14, from the ratios in ascending order.
pub fn gradients(ratios: &[f64]) -> Line {
    let median = ratios[ratios.len() / 2];
    let most = ratios[ratios.len() - 1];
    let (ours, peer) =
        (format!("{median:.2}"), format!("theory 3 to 4; at most {most:.2} of {}", ratios.len()));
    Line::ratio("14", "time(gradient)/time(function), ADBench and examples", ours, peer, median, (3.5, 2.0))
}

/// Row 15, from the KiB of ours and of JAX, row by row.
pub fn memories(found: &[(&str, (f64, f64))]) -> Vec<Line> {
    let one = |(number, (ours, jax)): &(&str, (f64, f64))| {
        let what = format!("peak memory of the process, row {number}");
        Line::ratio(
            "15",
            &what,
            mebibytes(*ours),
            format!("JAX {}", mebibytes(*jax)),
            ours / jax,
            (0.2, 0.05),
        )
    };
    found.iter().map(one).collect()
}
