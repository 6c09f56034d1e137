//! Where the names of what is drawn stand: in rows above the panel, so that they cover nothing.

use super::figure::{Figure, Mark, Marking, Panel, Tint};
use super::glyphs;
use super::scene::{Anchor, Color, Point, Scene, Shape};

/// The size of names.
pub(super) const SIZE: f64 = 12.0;
/// The height of a row.
const ROW: f64 = 18.0;
/// The length of what stands before a name.
const SAMPLE: f64 = 22.0;
/// Between two entries.
const GAP: f64 = 18.0;

/// An entry: its name, its color, and how it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) color: Color,
    pub(super) sample: Sample,
}

/// What stands before a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sample {
    Line { dash: bool },
    Way,
    Dot,
    Bar,
}

/// How a mark is drawn: what comes before it in the panel gives it its number.
pub(super) fn entries(panel: &Panel) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let over = panel.marks.iter().any(|mark| matches!(mark.kind, Marking::Levels(..) | Marking::Cells(_)));
    let mut add = |name: &str, sample| {
        let k = entries.len();
        // Over a field blue is not seen.
        let color = if over { Color::Way(k) } else { Color::Series(k) };
        let dash = sample == Sample::Line { dash: false } && k >= super::palette::KINDS;
        let sample = if dash { Sample::Line { dash } } else { sample };
        entries.push(Entry { name: name.to_string(), color, sample });
    };
    for mark in &panel.marks {
        match &mark.kind {
            Marking::Line(..) => add(&mark.name, Sample::Line { dash: false }),
            Marking::Path(..) => add(&mark.name, Sample::Way),
            Marking::Points(_, _, Tint::Classes(names, _)) => {
                names.iter().for_each(|name| add(name, Sample::Dot));
            }
            Marking::Points(_, _, Tint::Plain) => add(&mark.name, Sample::Dot),
            Marking::Bars(..) => add(&mark.name, Sample::Bar),
            Marking::Points(_, _, Tint::Scale(..)) | Marking::Levels(..) | Marking::Cells(_) => {}
        }
    }
    entries
}

/// How many entries come before those of a mark.
pub(super) fn first(panel: &Panel, mark: usize) -> usize {
    let before = Panel { marks: panel.marks[..mark].to_vec(), ..panel.clone() };
    entries(&before).len()
}

/// Whether names are needed at all: one curve is named by its axis.
pub(super) fn shown(panel: &Panel) -> bool {
    let named =
        |mark: &&Mark| matches!(mark.kind, Marking::Path(..) | Marking::Points(_, _, Tint::Classes(..)));
    panel.marks.len() > 1 && entries(panel).len() > 1 || panel.marks.iter().any(|mark| named(&mark))
}

/// Whether the panel of this number has a legend: not where it would only repeat that of the one above.
pub(super) fn needed(figure: &Figure, at: usize) -> bool {
    let panel = &figure.panels[at];
    shown(panel) && (at == 0 || entries(panel) != entries(&figure.panels[at - 1]))
}

/// The entries in rows of a width.
fn rows(entries: &[Entry], width: f64) -> Vec<Vec<(f64, Entry)>> {
    let mut rows: Vec<Vec<(f64, Entry)>> = vec![Vec::new()];
    let mut at = 0.0;
    for entry in entries {
        let name = glyphs::fitting(&entry.name, SIZE, width - SAMPLE - 6.0);
        let room = SAMPLE + 6.0 + glyphs::width(&name, SIZE);
        if at > 0.0 && at + room > width {
            rows.push(Vec::new());
            at = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((at, Entry { name, ..entry.clone() }));
        }
        at += room + GAP;
    }
    rows
}

/// How high the legend of a panel is.
pub(super) fn height(panel: &Panel, width: f64) -> f64 {
    if shown(panel) { ROW * super::real(rows(&entries(panel), width).len()) + 4.0 } else { 0.0 }
}

/// Draws the legend from its upper left corner.
pub(super) fn draw(scene: &mut Scene, panel: &Panel, (left, top): Point, width: f64) {
    if !shown(panel) {
        return;
    }
    for (k, row) in rows(&entries(panel), width).into_iter().enumerate() {
        let middle = top + ROW * (super::real(k) + 0.5);
        for (at, entry) in row {
            let x = left + at;
            sample(scene, &entry, (x, middle));
            scene.shapes.push(Shape::Text {
                at: (x + SAMPLE + 6.0, middle + SIZE * 0.36),
                text: entry.name,
                size: SIZE,
                anchor: Anchor::Start,
                upright: false,
                bold: false,
                color: Color::Ink,
            });
        }
    }
}

fn sample(scene: &mut Scene, entry: &Entry, (x, y): Point) {
    let color = entry.color;
    let line =
        |dash| Shape::Strokes { lines: vec![vec![(x, y), (x + SAMPLE - 1.0, y)]], color, width: 2.0, dash };
    match entry.sample {
        Sample::Line { dash } => scene.shapes.push(line(dash)),
        Sample::Way => {
            scene.shapes.push(line(false));
            scene.shapes.push(Shape::Discs { at: vec![(x + SAMPLE - 4.0, y)], radius: 4.0, color });
        }
        Sample::Dot => {
            let at = vec![(x + SAMPLE - 6.0, y)];
            scene.shapes.push(Shape::Discs { at, radius: 4.0, color });
        }
        Sample::Bar => {
            scene.shapes.push(Shape::Box { at: (x + SAMPLE - 14.0, y - 5.0), size: (14.0, 10.0), color });
        }
    }
}
