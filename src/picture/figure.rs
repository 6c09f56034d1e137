//! What a picture shows.

use super::axis::Scale;
use super::layout;

/// A picture: panels one below the other, under one title.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What kind of plot it is: `curves`, `contour`, `scatter`, `heatmap`, `histogram`.
    pub kind: &'static str,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// Its panels, from top to bottom.
    pub panels: Vec<Panel>,
    /// What is to be said below it.
    pub notes: Vec<String>,
    /// Its width in pixels.
    pub width: f64,
    /// Its height in pixels.
    pub height: f64,
}

/// One pair of axes with what is drawn on them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Panel {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, in this order.
    pub marks: Vec<Mark>,
}

/// An axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What it shows.
    pub label: String,
    /// Whether it is logarithmic; `None` is settled by what is shown.
    pub log: Option<bool>,
    /// Its ends, where they do not follow from what is shown.
    pub ends: Option<(f64, f64)>,
    /// Whether its values are counts, so that it begins at zero.
    pub counts: bool,
}

/// Something drawn, with the name that the legend gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Marking,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Marking {
    /// A line through points; a point that is not finite is a gap.
    Line(Vec<f64>, Vec<f64>),
    /// The way of a solve, with its start and its end.
    Path(Vec<f64>, Vec<f64>),
    /// Points.
    Points(Vec<f64>, Vec<f64>, Tint),
    /// Bars between edges, one more than bars.
    Bars(Vec<f64>, Vec<f64>),
    /// The level sets of a function on a grid.
    Levels(Grid, Vec<f64>),
    /// A matrix as colored cells; its first row on top.
    Cells(Grid),
}

/// How points are colored.
#[derive(Debug, Clone, PartialEq)]
pub enum Tint {
    /// All alike.
    Plain,
    /// By a number, which has a name.
    Scale(String, Vec<f64>),
    /// By a class: their names, and the class of each point.
    Classes(Vec<String>, Vec<usize>),
}

/// Values on a grid, row by row: `z[j*x.len() + i]` is that at `x[i]`, `y[j]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Where the columns are, ascending.
    pub x: Vec<f64>,
    /// Where the rows are, ascending.
    pub y: Vec<f64>,
    /// The values.
    pub z: Vec<f64>,
}

/// Nothing in a figure can be drawn: the name of the mark, and how many values it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Empty {
    /// The name of what is empty.
    pub name: String,
    /// How many values it has, none of them finite.
    pub values: usize,
}

/// An axis whose values span so many times as much is logarithmic by itself.
const DECADES: f64 = 100.0;

impl Figure {
    /// The usual width.
    pub const WIDTH: f64 = 640.0;
    /// The usual height of a figure with one panel.
    pub const HEIGHT: f64 = 400.0;

    /// A figure of the usual size; see [`Figure::settle`].
    pub fn new(kind: &'static str, panels: Vec<Panel>) -> Figure {
        let height = if panels.len() > 1 { 260.0 * super::real(panels.len()) } else { Figure::HEIGHT };
        Figure { kind, title: None, panels, notes: Vec::new(), width: Figure::WIDTH, height }
    }

    /// Settles which axes are logarithmic and notes what is left out.
    ///
    /// # Errors
    /// If a mark has nothing that can be drawn.
    pub fn settle(&mut self) -> Result<(), Empty> {
        let (mut gaps, mut beyond) = (Vec::new(), Vec::new());
        for panel in &mut self.panels {
            for mark in &mut panel.marks {
                mark.name = plain(&mark.name);
            }
            for axis in [&mut panel.x, &mut panel.y] {
                axis.label = plain(&axis.label);
            }
            panel.settle(&mut gaps, &mut beyond)?;
            for mark in &panel.marks {
                if let Marking::Levels(grid, _) = &mark.kind
                    && let Some(value) = grid.only()
                {
                    self.notes.push(format!("{} is {} everywhere here", mark.name, layout::short(value)));
                }
            }
        }
        let said =
            [(gaps, "not finite, left as gaps"), (beyond, "not positive, left out of the logarithmic axis")];
        for (mut marks, what) in said {
            marks.dedup();
            if !marks.is_empty() {
                self.notes.push(format!("{what}: {}", marks.join(", ")));
            }
        }
        self.title = self.title.take().map(|title| plain(&title)).filter(|title| !title.is_empty());
        Ok(())
    }

    /// The names of all that is drawn.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for mark in self.panels.iter().flat_map(|panel| &panel.marks) {
            if !names.contains(&mark.name.as_str()) {
                names.push(&mark.name);
            }
        }
        names
    }
}

/// One line without anything that a terminal or a page could take as a command.
fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = spaced.split(' ').filter(|word| !word.is_empty()).collect();
    // A very long expression says more by its beginning.
    let text = words.join(" ");
    if text.chars().count() <= 80 { text } else { text.chars().take(79).chain(['…']).collect() }
}

impl Panel {
    /// Settles its axes; notes how many values are gaps, and how many are beyond a logarithmic axis.
    fn settle(&mut self, not_finite: &mut Vec<String>, not_positive: &mut Vec<String>) -> Result<(), Empty> {
        self.y.log = Some(self.y.log.unwrap_or_else(|| self.fits_log()));
        self.x.log = Some(self.x.log.unwrap_or(false));
        let (x, y) = (self.x.log == Some(true), self.y.log == Some(true));
        for mark in &self.marks {
            let Counts { shown, values, gaps, beyond } = mark.counts(x, y);
            if shown == 0 {
                return Err(Empty { name: mark.name.clone(), values });
            }
            // What is wrong in the horizontal direction has the name of that axis.
            let across = if self.x.label.is_empty() { &mark.name } else { &self.x.label };
            let say = |count: usize, name: &str| (count > 0).then(|| format!("{} of {name}", many(count)));
            for (name, k) in [(across, 0), (&mark.name, 1)] {
                not_finite.extend(say(gaps[k], name));
                not_positive.extend(say(beyond[k], name));
            }
        }
        Ok(())
    }

    /// Whether all values of lines are positive and span decades.
    fn fits_log(&self) -> bool {
        let (mut lo, mut hi) = (f64::INFINITY, f64::NEG_INFINITY);
        for mark in &self.marks {
            let Marking::Line(_, y) = &mark.kind else { return false };
            for y in y.iter().filter(|y| y.is_finite()) {
                (lo, hi) = (lo.min(*y), hi.max(*y));
            }
        }
        lo > 0.0 && hi > lo * DECADES
    }

    /// The scales of both axes.
    pub(super) fn scales(&self) -> (Scale, Scale) {
        let (mut x, mut y) = (Seen::default(), Seen::default());
        for mark in &self.marks {
            match &mark.kind {
                Marking::Line(a, b) | Marking::Path(a, b) | Marking::Points(a, b, _) => {
                    let both = a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite());
                    for (a, b) in both {
                        x.push(*a);
                        y.push(*b);
                    }
                }
                Marking::Bars(edges, counts) => {
                    edges.iter().for_each(|edge| x.push(*edge));
                    counts.iter().for_each(|count| y.push(*count));
                    y.push(0.0);
                }
                Marking::Levels(grid, _) | Marking::Cells(grid) => {
                    grid.x.iter().for_each(|at| x.push(*at));
                    grid.y.iter().for_each(|at| y.push(*at));
                }
            }
        }
        (Scale::of(&self.x, &x.kept(), self.is_tight()), Scale::of(&self.y, &y.kept(), self.is_tight()))
    }

    /// Whether what is drawn fills the panel to its edges.
    pub(super) fn is_tight(&self) -> bool {
        self.marks.iter().any(|mark| matches!(mark.kind, Marking::Levels(..) | Marking::Cells(_)))
    }
}

/// What of many values an axis follows from: few of them.
#[derive(Default)]
struct Seen {
    least: Option<f64>,
    most: Option<f64>,
    /// The least that a logarithmic axis has.
    positive: Option<f64>,
    /// One that is not whole.
    broken: Option<f64>,
}

impl Seen {
    fn push(&mut self, value: f64) {
        let less = |old: Option<f64>| Some(old.map_or(value, |old: f64| old.min(value)));
        self.least = less(self.least);
        self.most = Some(self.most.map_or(value, |old| old.max(value)));
        if value > 0.0 {
            self.positive = less(self.positive);
        }
        if self.broken.is_none() && value.fract() != 0.0 {
            self.broken = Some(value);
        }
    }

    fn kept(&self) -> Vec<f64> {
        [self.least, self.most, self.positive, self.broken].into_iter().flatten().collect()
    }
}

impl Grid {
    /// About so many levels that show the shape of the values.
    pub fn levels(&self, about: usize) -> Vec<f64> {
        super::contour::levels(self, about)
    }

    /// The value that all have, if they are finite and alike.
    pub(super) fn only(&self) -> Option<f64> {
        let first = self.z.first().copied().filter(|z| z.is_finite())?;
        self.z.iter().all(|z| *z == first).then_some(first)
    }
}

impl Mark {
    /// A mark with a name.
    pub fn new(name: impl Into<String>, kind: Marking) -> Mark {
        Mark { name: name.into(), kind }
    }

    /// What of it is shown on axes of which these are logarithmic.
    fn counts(&self, log_x: bool, log_y: bool) -> Counts {
        let all =
            |values: usize, shown: usize| Counts { shown, values, gaps: [0, values - shown], beyond: [0; 2] };
        match &self.kind {
            Marking::Line(x, y) | Marking::Path(x, y) | Marking::Points(x, y, _) => {
                let mut counts = all(x.len().min(y.len()), 0);
                counts.gaps = [0; 2];
                for (x, y) in x.iter().zip(y) {
                    match (x.is_finite(), y.is_finite()) {
                        (false, _) => counts.gaps[0] += 1,
                        (true, false) => counts.gaps[1] += 1,
                        (true, true) if log_x && *x <= 0.0 => counts.beyond[0] += 1,
                        (true, true) if log_y && *y <= 0.0 => counts.beyond[1] += 1,
                        (true, true) => counts.shown += 1,
                    }
                }
                counts
            }
            Marking::Bars(_, counts) => all(counts.len(), counts.len()),
            Marking::Levels(grid, _) | Marking::Cells(grid) => {
                all(grid.z.len(), grid.z.iter().filter(|z| z.is_finite()).count())
            }
        }
    }
}

/// How many values there are and how many are shown; how many are not finite, and not positive on logarithmic axes, in
/// the horizontal and in the vertical direction.
struct Counts {
    shown: usize,
    values: usize,
    gaps: [usize; 2],
    beyond: [usize; 2],
}

/// `1 value`, `3 values`
fn many(count: usize) -> String {
    if count == 1 { "1 value".into() } else { format!("{count} values") }
}
