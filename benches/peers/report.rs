//! Times as a table.

use super::measure::Times;
use super::rows::Row;

/// Seconds for people.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

/// What a ratio meets of its bars.
pub fn verdict(ratio: f64, (milestone, moonshot): (f64, f64)) -> &'static str {
    if ratio <= moonshot {
        "moonshot"
    } else if ratio <= milestone {
        "milestone"
    } else {
        "missed"
    }
}

/// The heading of the lines.
pub fn heading(columns: &[(&str, &str, &str)]) -> String {
    let mut text = format!("{:4} {:56} {:>10}", "row", "workload", "Minima");
    for (name, _, _) in columns {
        text += &format!(" {name:>21}");
    }
    text + "   ratio  bars"
}

/// A row as it is found: our time, each peer's with the ratio to it, and the bars.
pub fn line(row: &Row, times: &Times) -> String {
    let mut text = format!("{:4} {:56} {:>10}", row.number, row.what, time(times.ours));
    for peer in &times.peers {
        let cell =
            peer.map_or(String::from("-"), |peer| format!("{} ({:.3})", time(peer), times.ours / peer));
        text += &format!(" {cell:>21}");
    }
    let Some(first) = times.peers[0] else { return text };
    let (ratio, (milestone, moonshot)) = (times.ours / first, row.bars);
    let off = times.differences.iter().flatten().fold(0.0_f64, |most, x| most.max(*x));
    text + &format!(
        " {ratio:7.3}  at most {milestone} ({moonshot}): {}; values to {off:.0e}",
        verdict(ratio, row.bars)
    )
}
