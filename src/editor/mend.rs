//! Edits that mend what a check found wrong.

use super::document::Document;

/// An edit that mends something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// What it does, for people.
    pub title: String,
    /// First byte and end of what is replaced.
    pub at: (usize, usize),
    /// What it is replaced with.
    pub text: String,
    /// Which problem of the check it mends.
    pub problem: usize,
}

/// The edits that mend what is wrong in a range of bytes.
pub fn mends(document: &Document, range: (usize, usize)) -> Vec<Mend> {
    let Some(studied) = &document.study else { return Vec::new() };
    let mut found = Vec::new();
    for (problem, wrong) in studied.study.problems.iter().enumerate() {
        let Some((start, end, text)) = &wrong.fix else { continue };
        let now = |at: usize| studied.now(at);
        let places = (now(*start), now(*end), now(wrong.at.0), now(wrong.at.1));
        let (Some(start), Some(end), Some(first), Some(last)) = places else { continue };
        let near = |from: usize, to: usize| from <= range.1 && range.0 <= to;
        if near(first, last) || near(start, end) {
            let title = title(document.text.get(start..end).unwrap_or_default(), text);
            found.push(Mend { title, at: (start, end), text: text.clone(), problem });
        }
    }
    found
}

fn title(old: &str, new: &str) -> String {
    match (old.trim(), new.trim()) {
        ("", new) => format!("Insert `{new}`"),
        (old, "") => format!("Remove `{old}`"),
        (old, new) => format!("Replace `{old}` with `{new}`"),
    }
}
