//! What `plot` shows as a picture: series, axes and their names.

use super::SolveRecord;
use crate::diag::{Sources, Span};
use crate::lower::{Column, Contour, Outcome, Plot, Plotted, Shown, Tinted, Trace, Way};
use crate::picture::{Axis, Empty, Figure, Grid, Mark, Marking, Panel, Tint, classes};

/// Turns plots into pictures; texts of the program are the names of what has no other.
pub(super) struct Drawing<'s> {
    pub(super) sources: &'s Sources,
}

impl Drawing<'_> {
    /// The picture of a plot.
    pub(super) fn figure(&self, plot: &Plot) -> Result<Figure, Empty> {
        let mut figure = match plot.shown.first().map(|first| &first.shown) {
            Some(Shown::Fit(_)) => {
                let fits = plot.shown.iter().filter_map(|item| match &item.shown {
                    Shown::Fit(fit) => Some((self.name(item), &fit.outcome.trace)),
                    _ => None,
                });
                Figure::new("solve", course(&fits.collect::<Vec<_>>()))
            }
            Some(Shown::Contour(_)) => Figure::new("contour", vec![self.panel(plot)]),
            Some(Shown::Heatmap(..)) => Figure::new("heatmap", vec![self.panel(plot)]),
            Some(Shown::Histogram(..)) => Figure::new("histogram", vec![self.panel(plot)]),
            Some(Shown::Scatter(..)) => Figure::new("scatter", vec![self.panel(plot)]),
            Some(Shown::Curve(..) | Shown::Line(..)) | None => Figure::new("line", vec![self.panel(plot)]),
        };
        let options = &plot.options;
        figure.title = options.title.as_ref().map(ToString::to_string);
        figure.width = options.size[0].unwrap_or(figure.width);
        figure.height = options.size[1].unwrap_or(figure.height);
        for (k, panel) in figure.panels.iter_mut().enumerate() {
            panel.x.log = options.log[0].or(panel.x.log);
            panel.y.log = options.log[1].or(panel.y.log);
            if let Some(label) = &options.labels[0] {
                panel.x.label = label.to_string();
            }
            if let Some(label) = options.labels[1].as_ref().filter(|_| k == 0) {
                panel.y.label = label.to_string();
            }
        }
        for item in &plot.shown {
            if let Shown::Histogram(values, _) = &item.shown {
                let count = |left: fn(&&f64) -> bool| values.iter().filter(left).count();
                let gaps = count(|x| !x.is_finite());
                let below = count(|x| x.is_finite() && **x <= 0.0);
                let below = if options.log[0] == Some(true) { below } else { 0 };
                for (left, why) in [(gaps, "finite"), (below, "positive")] {
                    if left > 0 {
                        let are = if left == 1 { "is" } else { "are" };
                        let of = values.len();
                        figure.notes.push(format!("{left} of {of} values {are} not {why} and not counted"));
                    }
                }
            }
        }
        figure.settle()?;
        Ok(figure)
    }

    /// One panel with all that is shown.
    fn panel(&self, plot: &Plot) -> Panel {
        let mut panel = Panel::default();
        for item in &plot.shown {
            self.add(&mut panel, item, plot.options.log[0] == Some(true));
        }
        panel
    }

    fn add(&self, panel: &mut Panel, item: &Plotted, log_x: bool) {
        let name = self.name(item);
        let several = !panel.marks.is_empty();
        match &item.shown {
            Shown::Fit(_) => {}
            Shown::Curve(steps, y) => {
                let label = if steps.is_some() { "steps" } else { "index" };
                self.labels(panel, several, label.into(), name.clone());
                let x = steps.clone().unwrap_or_else(|| indices(y.len()));
                panel.marks.push(Mark::new(name, Marking::Line(x, y.clone())));
            }
            Shown::Line(x, y) => {
                self.labels(panel, several, self.text(x.span), self.text(y.span));
                let name = item.name.as_ref().map_or_else(|| self.text(y.span), ToString::to_string);
                panel.marks.push(Mark::new(name, Marking::Line(x.values.clone(), y.values.clone())));
            }
            Shown::Scatter(x, y, color) => {
                self.labels(panel, several, self.text(x.span), self.text(y.span));
                let name = item.name.as_ref().map_or_else(|| self.text(y.span), ToString::to_string);
                let points = Marking::Points(x.values.clone(), y.values.clone(), self.tint(color.as_ref()));
                panel.marks.push(Mark::new(name, points));
            }
            Shown::Histogram(values, bins) => {
                let text = self.text(item.span);
                let inner = text.strip_prefix("histogram(").and_then(|rest| rest.strip_suffix(')'));
                let inner =
                    inner.map_or(text.as_str(), |inner| inner.split(", bins").next().unwrap_or(inner));
                let name = item.name.as_ref().map_or(inner.to_string(), ToString::to_string);
                panel.x.label.clone_from(&name);
                panel.y = Axis { label: "count".into(), counts: true, log: Some(false), ..Axis::default() };
                let (edges, counts) = classes(values, *bins, log_x);
                panel.marks.push(Mark::new(name, Marking::Bars(edges, counts)));
            }
            Shown::Heatmap(rows, columns, z) => {
                panel.x.label = "column".into();
                panel.y.label = "row".into();
                panel.x.ends = Some((-0.5, real(*columns) - 0.5));
                // The first row is on top, as it is printed.
                panel.y.ends = Some((real(*rows) - 0.5, -0.5));
                let grid = Grid { x: indices(*columns), y: indices(*rows), z: z.clone() };
                panel.marks.push(Mark::new(name, Marking::Cells(grid)));
            }
            Shown::Contour(contour) => {
                let name = item.name.as_ref().map_or_else(|| self.text(contour.span), ToString::to_string);
                self.contour(panel, contour, &name);
            }
        }
    }

    /// Labels of the first thing shown; where several curves share an axis it has no name of its own.
    fn labels(&self, panel: &mut Panel, several: bool, x: String, y: String) {
        if !several {
            panel.x.label = x;
            panel.y.label = y;
        } else if !panel.marks.iter().any(|mark| matches!(mark.kind, Marking::Levels(..))) {
            if panel.x.label != x {
                panel.x.label = String::new();
            }
            if panel.y.label != y {
                panel.y.label = String::new();
            }
        }
    }

    fn contour(&self, panel: &mut Panel, contour: &Contour, name: &str) {
        let [x, y] = &contour.names;
        panel.x = Axis { label: x.clone(), log: Some(false), ..Axis::default() };
        panel.y = Axis { label: y.clone(), log: Some(false), ..Axis::default() };
        let [at_x, at_y] = &contour.at;
        let ends = |at: &[f64]| at.first().copied().zip(at.last().copied());
        (panel.x.ends, panel.y.ends) = (ends(at_x), ends(at_y));
        let grid = Grid { x: at_x.clone(), y: at_y.clone(), z: contour.values.clone() };
        let levels = match contour.count {
            Some(count) => grid.levels(count),
            None => contour.levels.clone(),
        };
        panel.marks.push(Mark::new(name, Marking::Levels(grid, levels)));
        for way in &contour.paths {
            let (x, y) = way.points.iter().map(|[x, y]| (*x, *y)).unzip();
            panel.marks.push(Mark::new(self.way(way), Marking::Path(x, y)));
        }
    }

    fn way(&self, way: &Way) -> String {
        let text = self.text(way.span);
        way.number.map_or(text.clone(), |k| format!("{text}[{k}]"))
    }

    fn tint(&self, color: Option<&Tinted>) -> Tint {
        match color {
            None => Tint::Plain,
            Some(Tinted::Numbers(Column { span, values, .. })) => {
                Tint::Scale(self.text(*span), values.clone())
            }
            Some(Tinted::Words(span, words)) => {
                let mut kinds: Vec<String> = words.clone();
                kinds.sort_by(|a, b| match (a.parse::<i64>(), b.parse::<i64>()) {
                    (Ok(a), Ok(b)) => a.cmp(&b),
                    _ => a.cmp(b),
                });
                kinds.dedup();
                let classes =
                    words.iter().map(|word| kinds.iter().position(|kind| kind == word).unwrap_or(0));
                let classes = classes.collect();
                // A number or truth value by itself says nothing.
                let bare = kinds
                    .iter()
                    .all(|kind| kind.parse::<i64>().is_ok() || matches!(kind.as_str(), "true" | "false"));
                let of = self.text(*span);
                let named = |kind: &String| if bare { format!("{of} = {kind}") } else { kind.clone() };
                Tint::Classes(kinds.iter().map(named).collect(), classes)
            }
        }
    }

    fn name(&self, item: &Plotted) -> String {
        item.name.as_ref().map_or_else(|| self.text(item.span), ToString::to_string)
    }

    /// The program's text at a place, in one line.
    fn text(&self, span: Span) -> String {
        self.sources.text(span).split_whitespace().collect::<Vec<&str>>().join(" ")
    }
}

/// The loss of solves over their steps, and the norms of their gradients below, where there are any.
fn course(traces: &[(String, &Trace)]) -> Vec<Panel> {
    let panel = |column: usize, label: &str| {
        let marks: Vec<Mark> = traces
            .iter()
            .filter(|(_, trace)| column == 1 || trace.columns[column].iter().any(|x| x.is_finite()))
            .map(|(name, trace)| {
                Mark::new(
                    name.clone(),
                    Marking::Line(trace.columns[0].clone(), trace.columns[column].clone()),
                )
            })
            .collect();
        let axis = |label: &str| Axis { label: label.into(), ..Axis::default() };
        Panel { x: axis("steps"), y: axis(label), marks }
    };
    let (loss, norm) = (panel(1, "loss"), panel(2, "grad_norm"));
    if norm.marks.is_empty() { vec![loss] } else { vec![loss, norm] }
}

/// The course of a solve as a picture; `None` if nothing of it can be drawn.
pub fn course_of(solve: &SolveRecord) -> Option<Figure> {
    let Outcome { trace, .. } = &solve.outcome;
    let name = solve.name.clone().unwrap_or_else(|| "loss".into());
    let mut figure = Figure::new("solve", course(&[(name, trace)]));
    figure.settle().ok()?;
    Some(figure)
}

fn real(n: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of what is drawn are small")]
    let x = n as f64;
    x
}

fn indices(n: usize) -> Vec<f64> {
    (0..n).map(real).collect()
}
