//! The table of `minima run --profile`: time and bytes by line of the source.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::codegen::Usage;
use crate::diag::Sources;

/// The most lines that are shown.
const SHOWN: usize = 30;
/// The most columns of a line of the source.
const SOURCE: usize = 60;

/// What a line of the source costs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 for what has no place in a source.
    pub line: usize,
    /// The text there.
    pub text: String,
    /// How many times steps ran that come from there.
    pub calls: u64,
    /// Their time, or the share of it that is due to the line.
    pub seconds: f64,
    /// The bytes of arrays read and written.
    pub bytes: u64,
}

/// What the lines cost, dearest first.
pub fn lines(used: &[Usage], sources: &Sources) -> Vec<Line> {
    let mut lines: BTreeMap<(u32, usize), Line> = BTreeMap::new();
    for usage in used.iter().filter(|usage| usage.calls > 0) {
        let work: f64 = usage.shares.iter().map(|share| share.work).sum();
        let even = 1.0 / f64::from(u32::try_from(usage.shares.len()).unwrap_or(u32::MAX));
        let mut seen = Vec::new();
        for share in &usage.shares {
            let (file, text) = sources.get(share.span.file);
            let number = if text.is_empty() { 0 } else { sources.position(share.span).0 };
            let place = (share.span.file.0, number);
            let line = lines.entry(place).or_insert_with(|| Line {
                file: file.to_string(),
                line: number,
                text: text.lines().nth(number.wrapping_sub(1)).unwrap_or_default().trim().to_string(),
                ..Line::default()
            });
            let part = if work > 0.0 { share.work / work } else { even };
            line.seconds += part * usage.seconds;
            let bytes = u64::try_from(share.bytes).unwrap_or(u64::MAX);
            line.bytes = line.bytes.saturating_add(bytes.saturating_mul(usage.calls));
            if !seen.contains(&place) {
                seen.push(place);
                line.calls += usage.calls;
            }
        }
    }
    let mut lines: Vec<Line> = lines.into_values().collect();
    lines.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    lines
}

/// The table.
pub fn table(used: &[Usage], sources: &Sources, elapsed: f64) -> String {
    let lines = lines(used, sources);
    if lines.is_empty() {
        return "profile: no compiled code ran".to_string();
    }
    let total: f64 = lines.iter().map(|line| line.seconds).sum();
    let head = ["line", "calls", "time", "%", "bytes", "GB/s"].map(String::from);
    let mut rows = vec![(head, "source".to_string())];
    for line in lines.iter().take(SHOWN) {
        let place = match line.line {
            0 => "(no line)".to_string(),
            number => format!("{}:{number}", line.file.rsplit('/').next().unwrap_or(&line.file)),
        };
        #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
        let bytes = line.bytes as f64;
        let rate = bytes / line.seconds / 1e9;
        let figures = [
            place,
            line.calls.to_string(),
            duration(line.seconds),
            format!("{:.1}", 100.0 * line.seconds / total.max(f64::MIN_POSITIVE)),
            if line.bytes == 0 { String::new() } else { amount(bytes) },
            if line.bytes == 0 || !rate.is_finite() { String::new() } else { format!("{rate:.1}") },
        ];
        rows.push((figures, shortened(&line.text)));
    }
    let wide = |at: usize| rows.iter().map(|(figures, _)| figures[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(wide).collect();
    let mut text = format!("profile: {} in compiled code, of {}\n", duration(total), duration(elapsed));
    for (figures, source) in &rows {
        for (at, figure) in figures.iter().enumerate() {
            let width = widths[at];
            text += &if at == 0 { format!("{figure:<width$}") } else { format!("  {figure:>width$}") };
        }
        text += &format!("  {source}\n");
    }
    if lines.len() > SHOWN {
        let rest: f64 = lines[SHOWN..].iter().map(|line| line.seconds).sum();
        text += &format!("and {} more lines, {} in all\n", lines.len() - SHOWN, duration(rest));
    }
    text.trim_end().to_string()
}

/// The lines in a JSON report.
pub fn json(used: &[Usage], sources: &Sources) -> Value {
    let of = |line: &Line| {
        json!({
            "file": line.file,
            "line": line.line,
            "calls": line.calls,
            "seconds": line.seconds,
            "bytes": line.bytes,
        })
    };
    lines(used, sources).iter().map(of).collect()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SOURCE {
        return text.to_string();
    }
    let start: String = text.chars().take(SOURCE - 1).collect();
    format!("{}…", start.trim_end())
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.1} us", s * 1e6),
    }
}

/// A number of bytes, in powers of ten as the rate is.
fn amount(bytes: f64) -> String {
    match bytes {
        b if b >= 1e12 => format!("{:.2} TB", b / 1e12),
        b if b >= 1e9 => format!("{:.2} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.2} MB", b / 1e6),
        b if b >= 1e3 => format!("{:.2} kB", b / 1e3),
        b => format!("{b} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codegen::Share;
    use crate::diag::Span;

    #[test]
    fn steps_are_charged_to_their_lines_by_work() {
        let mut sources = Sources::default();
        let file = sources.add("a.opt", "let a = 1\nlet b = 2\n");
        let span = |start, end| Span::new(file, start, end);
        let share = |start, work, bytes| Share { span: span(start, start + 1), work, bytes };
        let used = [
            Usage {
                shares: vec![share(0, 3.0, 8), share(4, 0.0, 8), share(12, 1.0, 0)],
                calls: 2,
                seconds: 4.0,
            },
            Usage { shares: vec![share(14, 1.0, 100)], calls: 5, seconds: 0.5 },
            Usage { shares: vec![share(14, 1.0, 100)], calls: 0, seconds: 0.0 },
        ];
        let found = lines(&used, &sources);
        let figures: Vec<_> =
            found.iter().map(|line| (line.line, line.calls, line.seconds, line.bytes, &*line.text)).collect();
        assert_eq!(figures, [(1, 2, 3.0, 32, "let a = 1"), (2, 7, 1.5, 500, "let b = 2")]);
        let text = table(&used, &sources, 9.0);
        assert!(text.starts_with("profile: 4.50 s in compiled code, of 9.00 s\n"), "{text}");
        assert!(text.contains("a.opt:1      2  3.00 s  66.7   32 B   0.0  let a = 1"), "{text}");
    }
}
