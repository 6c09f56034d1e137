//! Values as people read them.

use crate::driver::WIDTH;
use crate::ir::{Data, Tensor};
use crate::lower::{Fit, Record, Val};

/// The most rows and columns of an array that are shown.
const SHOWN: usize = 12;
/// The most texts of a column that are shown: the names of a table's columns are looked for there.
const TEXTS: usize = 40;
/// A table of more rows than this is cut.
const ROWS: usize = 60;
/// What is shown of it at either end.
const ENDS: usize = 10;
/// What stands before the lines of a value in the result of a solve.
const INDENT: &str = "             ";

/// A number with up to seven significant digits, without needless zeros.
pub fn number(x: f64) -> String {
    if x.is_nan() {
        return "NaN".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf".into() } else { "-inf".into() };
    }
    if x == 0.0 {
        return "0".into();
    }
    let exponent = x.abs().log10().floor();
    #[expect(clippy::cast_possible_truncation, reason = "an exponent of a double is small")]
    let exponent = exponent as i32;
    if !(-4..9).contains(&exponent) {
        let text = format!("{x:.6e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", trimmed(digits));
    }
    let decimals = usize::try_from(6 - exponent).unwrap_or(0);
    trimmed(&format!("{x:.decimals$}")).to_string()
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A value in one line, or a matrix or table in several.
pub fn show(val: &Val) -> String {
    show_within(val, WIDTH)
}

/// As [`show`], with so many letters in a line of a matrix or table.
pub fn show_within(val: &Val, width: usize) -> String {
    match val {
        Val::Known(tensor) => show_tensor(tensor, width),
        Val::Int(dim) => dim.to_string(),
        Val::Str(text) => format!("\"{text}\""),
        Val::Strs(texts) => {
            let shown: Vec<String> = texts.iter().take(TEXTS).map(|t| format!("\"{t}\"")).collect();
            let more = if texts.len() > TEXTS { ", …" } else { "" };
            format!("[{}{more}]", shown.join(", "))
        }
        Val::Range(a, b) => format!("{}..{}", show(a), show(b)),
        Val::Tuple(items) => format!("({})", list(items, width)),
        Val::List(items) => format!("[{}]", list(items, width)),
        Val::Record(record) if record.rows.is_some() => show_table(record, width),
        Val::Record(record) => {
            let part =
                |(name, val): &(std::sync::Arc<str>, Val)| format!("{name} = {}", show_within(val, width));
            let fields: Vec<String> = record.fields.iter().map(part).collect();
            format!("({})", fields.join(", "))
        }
        Val::Optimizer(optimizer) => optimizer.label(),
        Val::Objective(objective) => {
            let params: Vec<String> =
                objective.params.iter().map(|p| format!("{}: {}", p.name, p.start.describe())).collect();
            format!("objective {} over {}", objective.name, params.join(", "))
        }
        Val::Fit(fit) => show_fit(fit, width),
        Val::Staged(_) | Val::Function(_) | Val::Members(_) | Val::Poison => val.describe(),
    }
}

fn list(items: &[Val], width: usize) -> String {
    items.iter().map(|item| show_within(item, width)).collect::<Vec<_>>().join(", ")
}

fn element(tensor: &Tensor, at: usize) -> String {
    match &tensor.data {
        Data::Real(data) => number(data[at]),
        Data::Int(data) => data[at].to_string(),
        Data::Bool(data) => data[at].to_string(),
    }
}

fn show_tensor(tensor: &Tensor, room: usize) -> String {
    match tensor.sizes.as_slice() {
        [] => element(tensor, 0),
        [n] => {
            let texts: Vec<String> = picks(*n).into_iter().map(|k| pick(k, |k| element(tensor, k))).collect();
            let size = if *n > SHOWN { format!("  ({} of {n})", tensor.ty().elem) } else { String::new() };
            format!("[{}]{size}", texts.join(", "))
        }
        [n, m] => {
            let rows = picks(*n);
            let cell = |i: Option<usize>, j: usize| i.map_or("…".into(), |i| element(tensor, i * m + j));
            let column = |j: Option<usize>| -> Vec<String> {
                rows.iter().map(|i| j.map_or("…".into(), |j| cell(*i, j))).collect()
            };
            let shown: Vec<Vec<String>> = picks(*m).into_iter().map(column).collect();
            let cut = *n > SHOWN || *m > SHOWN;
            let columns = fitting(shown, ", ".len(), room);
            let widths: Vec<usize> = columns.iter().map(|cells| width(cells)).collect();
            let line = |i: usize| {
                let cells = columns.iter().zip(&widths).map(|(cells, w)| pad(&cells[i], *w));
                format!("[{}]", cells.collect::<Vec<String>>().join(", "))
            };
            let lines: Vec<String> = (0..rows.len()).map(line).collect();
            let size = if cut || columns.len() < *m { format!("  ({})", tensor.ty()) } else { String::new() };
            format!("[{}]{size}", lines.join(",\n "))
        }
        _ => format!("{} …", tensor.ty()),
    }
}

/// Which of `n` elements are shown; `None` is the gap.
fn picks(n: usize) -> Vec<Option<usize>> {
    if n <= SHOWN {
        return (0..n).map(Some).collect();
    }
    let half = SHOWN / 2;
    (0..half).map(Some).chain([None]).chain((n - half..n).map(Some)).collect()
}

fn pick(k: Option<usize>, show: impl Fn(usize) -> String) -> String {
    k.map_or("…".into(), show)
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{}{text}", " ".repeat(missing))
}

/// The widest of some texts.
fn width(texts: &[String]) -> usize {
    texts.iter().map(|text| text.chars().count()).max().unwrap_or(0)
}

/// The columns that fit into a line, with so much between two: where they do not, the middle ones go, for `…`.
fn fitting(mut columns: Vec<Vec<String>>, between: usize, most: usize) -> Vec<Vec<String>> {
    let room = |columns: &[Vec<String>]| columns.iter().map(|column| width(column) + between).sum::<usize>();
    let gap =
        |columns: &[Vec<String>]| columns.iter().position(|column| column.iter().all(|cell| cell == "…"));
    while room(&columns) > most && columns.len() > 3 {
        match gap(&columns) {
            // One on the longer side of the gap.
            Some(at) if at >= columns.len() - at => drop(columns.remove(at - 1)),
            Some(at) => drop(columns.remove(at + 1)),
            None => {
                let middle = columns.len() / 2;
                columns[middle].iter_mut().for_each(|cell| *cell = "…".into());
            }
        }
    }
    columns
}

/// A table with its header; numbers stand to the right.
fn show_table(record: &Record, room: usize) -> String {
    let rows = record.rows.as_ref().and_then(crate::ir::Dim::known).unwrap_or(0);
    let rows = usize::try_from(rows).unwrap_or(0);
    let shown: Vec<Option<usize>> = if rows <= ROWS {
        (0..rows).map(Some).collect()
    } else {
        (0..ENDS).map(Some).chain([None]).chain((rows - ENDS..rows).map(Some)).collect()
    };
    let column = |(name, column): &(std::sync::Arc<str>, Val)| {
        let cells = shown.iter().map(|k| pick(*k, |k| cell(column, k)));
        let cells: Vec<String> = std::iter::once(name.to_string()).chain(cells).collect();
        let width = width(&cells);
        let left = matches!(column, Val::Strs(_));
        let gap = |cell: &String| " ".repeat(width - cell.chars().count());
        let placed = |cell: &String| if left { format!("{cell}{}", gap(cell)) } else { pad(cell, width) };
        cells.iter().map(placed).collect::<Vec<String>>()
    };
    let columns = fitting(record.fields.iter().map(column).collect(), 2, room);
    let line = |k: usize| {
        let cells: Vec<&str> = columns.iter().map(|cells| cells[k].as_str()).collect();
        cells.join("  ").trim_end().to_string()
    };
    let mut lines: Vec<String> = (0..=shown.len()).map(line).collect();
    if rows > ROWS || columns.len() < record.fields.len() {
        lines.push(format!("({rows} rows, {} columns)", record.fields.len()));
    }
    lines.join("\n")
}

/// One cell of a column.
fn cell(column: &Val, row: usize) -> String {
    match column {
        Val::Strs(texts) => texts.get(row).cloned().unwrap_or_default(),
        Val::Known(tensor) if tensor.sizes.len() == 1 => element(tensor, row),
        Val::Known(tensor) => format!("{:?}", &tensor.sizes[1..]),
        other => other.describe(),
    }
}

/// A number with ten digits behind the point, but for zeros at the end.
fn digits(x: f64) -> String {
    format!("{x:.10}").trim_end_matches('0').trim_end_matches('.').to_string()
}

/// The result of a solve: status, figures, params, reports.
fn show_fit(fit: &Fit, width: usize) -> String {
    let outcome = &fit.outcome;
    let mut lines = vec![format!("{}: {}", outcome.status, outcome.reason)];
    let [f, grad, hvp] = outcome.evals;
    let mut figure = |name: &str, text: String| lines.push(format!("  {name:<10} {text}"));
    let plain = outcome.loss == 0.0 || (1e-4..1e10).contains(&outcome.loss.abs());
    figure("loss", if plain { digits(outcome.loss) } else { number(outcome.loss) });
    if !outcome.grad_norm.is_nan() {
        figure("grad_norm", number(outcome.grad_norm));
    }
    figure("steps", outcome.steps.to_string());
    figure("evals", format!("f {f}, grad {grad}, hvp {hvp}"));
    figure("seconds", format!("{:.4}", outcome.seconds));
    figure("optimizer", fit.optimizer.label());
    if let Some(why) = &fit.why {
        figure("chosen", why.clone());
    }
    for (name, val) in fit.params.iter().chain(&fit.reports) {
        let text = show_within(val, width.saturating_sub(INDENT.len()));
        let text = text.replace('\n', &format!("\n{INDENT}"));
        lines.push(format!("  {name:<10} {text}"));
    }
    lines.join("\n")
}
