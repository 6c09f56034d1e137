//! A value in one short line, under the name that it was just bound to.

use super::show::{number, show};
use crate::lower::{Fit, Record, Val};

/// The most columns of such a line.
const WIDTH: usize = 90;

/// `x = 3`, or what it is where that would be long: `X: real[569, 30]`.
pub fn brief(name: &str, val: &Val) -> String {
    let text = match val {
        Val::Fit(fit) => outcome(fit),
        Val::Record(record) if record.rows.is_some() => return format!("{name}: {}", columns(val, record)),
        Val::Function(_) => return format!("{name}: {}", val.describe()),
        val => show(val),
    };
    let line = format!("{name} = {text}");
    if let (Val::Fit(fit), true) = (val, line.chars().count() > WIDTH) {
        return format!("{name} = {} {}", fit.outcome.status, figures(fit));
    }
    if line.contains('\n') || line.chars().count() > WIDTH {
        return format!("{name}: {}", cut(&val.describe(), WIDTH.saturating_sub(name.len() + 2)));
    }
    line
}

/// The type of a value, in full.
pub fn type_of(val: &Val) -> String {
    match val {
        Val::Record(record) if record.rows.is_some() => {
            let width = record.fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            let column = |name: &str, val: &Val| {
                let gap = " ".repeat(width.saturating_sub(name.chars().count()));
                format!("  {name}{gap}  {}", val.describe())
            };
            let lines = record.fields.iter().map(|(name, val)| column(name, val));
            [val.describe()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
        }
        Val::Objective(objective) => {
            let params = objective.params.iter().map(|p| format!("{}: {}", p.name, p.start.describe()));
            format!("an objective over {}", params.collect::<Vec<_>>().join(", "))
        }
        Val::Fit(fit) => {
            let params = fit.params.iter().map(|(name, val)| format!("{name}: {}", val.describe()));
            format!("the result of a solve, with {}", params.collect::<Vec<_>>().join(", "))
        }
        val => val.describe(),
    }
}

fn outcome(fit: &Fit) -> String {
    format!("{}: {} {}", fit.outcome.status, fit.outcome.reason, figures(fit))
}

fn figures(fit: &Fit) -> String {
    format!("(loss {}, steps {})", number(fit.outcome.loss), fit.outcome.steps)
}

fn columns(val: &Val, record: &Record) -> String {
    let names: Vec<&str> = record.fields.iter().map(|(name, _)| &**name).collect();
    cut(&format!("{}: {}", val.describe(), names.join(", ")), WIDTH)
}

/// The text, or its beginning.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    let start: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{start}…")
}
