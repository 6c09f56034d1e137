//! A figure as shapes: where titles, axes, legends and what is drawn stand.

use super::axis::{Scale, Tick, ends, scientific};
use super::contour;
use super::figure::{Figure, Grid, Marking, Panel, Tint};
use super::lines::{clipped, pieces, thinned};
use super::scene::{Anchor, Color, Point, Scene, Shape};
use super::{glyphs, legend, palette, real};

/// The size of numbers and notes.
const SMALL: f64 = 11.0;
/// The size of labels of axes.
const LABEL: f64 = 12.0;
/// The size of the title.
const TITLE: f64 = 15.0;
/// Around everything.
const MARGIN: f64 = 12.0;
/// Levels of a function, about.
pub(super) const LEVELS: usize = 10;
/// The most cells of a heatmap along an axis.
const CELLS: usize = 100;
/// Colors of numbers that are told apart.
const COLORS: f64 = 100.0;

/// A rectangle on the page, and the scales of its sides.
struct Frame {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    x: Scale,
    y: Scale,
}

impl Frame {
    fn place(&self, x: f64, y: f64) -> Point {
        (self.left + self.x.place(x) * self.width, self.top + (1.0 - self.y.place(y)) * self.height)
    }

    /// A point, if it can be shown.
    fn shown(&self, x: f64, y: f64) -> Option<Point> {
        let fits = |v: f64, scale: &Scale| v.is_finite() && !(scale.log && v <= 0.0);
        (fits(x, &self.x) && fits(y, &self.y)).then(|| self.place(x, y))
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }

    fn holds(&self, (x, y): Point) -> bool {
        x >= self.left - 0.5 && x <= self.right() + 0.5 && y >= self.top - 0.5 && y <= self.bottom() + 0.5
    }

    /// Lines between points, as much of them as is inside.
    fn lines(&self, x: &[f64], y: &[f64]) -> Vec<Vec<Point>> {
        let points = x.iter().zip(y).map(|(x, y)| self.shown(*x, *y));
        let (lo, hi) = ((self.left, self.top), (self.right(), self.bottom()));
        let inside = pieces(points).into_iter().flat_map(|piece| clipped(&piece, lo, hi));
        inside.map(|line| thinned(&line)).collect()
    }
}

/// Everything that is drawn.
pub(super) fn scene(figure: &Figure) -> Scene {
    let mut scene = Scene { width: figure.width, height: figure.height, shapes: Vec::new() };
    let mut top = MARGIN;
    if let Some(title) = &figure.title {
        let title = glyphs::fitting(title, TITLE * 1.08, figure.width - 2.0 * MARGIN);
        let at = (figure.width / 2.0, top + TITLE);
        scene.shapes.push(Shape::Text {
            at,
            text: title,
            size: TITLE,
            anchor: Anchor::Middle,
            upright: false,
            bold: true,
            color: Color::Ink,
        });
        top += TITLE + 12.0;
    }
    let room = figure.width - 2.0 * MARGIN;
    let fits = |line: &str| glyphs::width(line, SMALL) <= room;
    let said: Vec<String> = figure.notes.iter().flat_map(|note| glyphs::wrapped(note, fits)).collect();
    let notes = (SMALL + 4.0) * real(said.len());
    let each = (figure.height - top - MARGIN - notes) / real(figure.panels.len().max(1));
    let measured: Vec<Measured> = (0..figure.panels.len())
        .map(|k| {
            let named = legend::needed(figure, k);
            Measured::of(&figure.panels[k], top + each * real(k), each, room, named)
        })
        .collect();
    // The panels stand exactly below each other.
    let widest = measured.iter().map(|panel| panel.widest).fold(0.0, f64::max);
    let right = measured.iter().map(|panel| panel.key.width()).fold(0.0, f64::max);
    for (panel, measured) in figure.panels.iter().zip(&measured) {
        draw_panel(&mut scene, panel, measured, widest, right);
    }
    for (k, note) in said.iter().enumerate() {
        let y = figure.height - MARGIN - notes + (SMALL + 4.0) * real(k + 1);
        let note = glyphs::fitting(note, SMALL, room);
        scene.shapes.push(text((MARGIN, y), note, SMALL, Anchor::Start, Color::Soft));
    }
    scene
}

fn text(at: Point, text: impl Into<String>, size: f64, anchor: Anchor, color: Color) -> Shape {
    Shape::Text { at, text: text.into(), size, anchor, upright: false, bold: false, color }
}

/// What a panel's colors mean.
enum Key {
    None,
    /// Levels; without any, the one value that there is.
    Bands(Vec<f64>, Option<f64>),
    Numbers {
        name: String,
        lo: f64,
        hi: f64,
        diverging: bool,
    },
}

impl Key {
    fn of(panel: &Panel) -> Key {
        panel.marks.iter().find_map(Key::of_mark).unwrap_or(Key::None)
    }

    fn of_mark(mark: &super::figure::Mark) -> Option<Key> {
        let numbers = |name: &str, values: &[f64]| {
            let (lo, hi) = ends(values.iter().copied().filter(|v| v.is_finite()))?;
            // Points without much color would not be seen.
            let diverging = lo < 0.0 && hi > 0.0 && matches!(mark.kind, Marking::Cells(_));
            let most = lo.abs().max(hi.abs());
            let (lo, hi) = if diverging { (-most, most) } else { (lo, hi) };
            Some(Key::Numbers { name: name.to_string(), lo, hi, diverging })
        };
        match &mark.kind {
            Marking::Levels(grid, levels) => Some(Key::Bands(chosen(grid, levels), grid.only())),
            Marking::Cells(grid) => numbers("", &grid.z),
            Marking::Points(_, _, Tint::Scale(name, values)) => numbers(name, values),
            _ => None,
        }
    }

    /// The color of a number.
    fn color(&self, value: f64) -> Color {
        let Key::Numbers { lo, hi, diverging, .. } = self else { return Color::Ink };
        if !value.is_finite() {
            return Color::Faint;
        }
        let place =
            if hi > lo { Scale { lo: *lo, hi: *hi, log: false, whole: false }.place(value) } else { 0.5 };
        let place = (place * COLORS).round() / COLORS;
        Color::Fixed(if *diverging { palette::diverging(place) } else { palette::sequential(place) })
    }

    /// The numbers beside the bar: where on it, from 0 to 1, and what.
    fn ticks(&self) -> Vec<(f64, String)> {
        match self {
            Key::None => Vec::new(),
            Key::Bands(levels, only) if levels.is_empty() => {
                only.iter().map(|value| (0.5, short(*value))).collect()
            }
            Key::Bands(levels, _) => {
                let every = contour::every(levels.len(), 14);
                let named = levels.iter().enumerate().filter(|(k, _)| k % every == 0);
                named.map(|(k, level)| (real(k + 1) / real(levels.len() + 1), short(*level))).collect()
            }
            Key::Numbers { lo, hi, .. } if lo < hi => {
                let scale = Scale { lo: *lo, hi: *hi, log: false, whole: false };
                let named =
                    scale.ticks(6).into_iter().filter_map(|tick| Some((scale.place(tick.at), tick.text?)));
                named.collect()
            }
            Key::Numbers { lo, .. } => vec![(0.5, short(*lo))],
        }
    }

    fn width(&self) -> f64 {
        if matches!(self, Key::None) {
            return 0.0;
        }
        let widest = self.ticks().iter().map(|(_, text)| glyphs::width(text, SMALL)).fold(0.0, f64::max);
        let name =
            if matches!(self, Key::Numbers { name, .. } if !name.is_empty()) { LABEL + 8.0 } else { 0.0 };
        14.0 + 14.0 + 5.0 + widest + name
    }
}

/// The levels given, or well chosen ones.
pub(super) fn chosen(grid: &Grid, levels: &[f64]) -> Vec<f64> {
    if levels.is_empty() { contour::levels(grid, LEVELS) } else { levels.to_vec() }
}

/// A number in few letters.
pub(super) fn short(x: f64) -> String {
    if x == 0.0 || (1e-3..1e5).contains(&x.abs()) {
        let decimals = if x.abs() >= 100.0 {
            1
        } else if x.abs() >= 1.0 {
            3
        } else {
            5
        };
        let text = format!("{x:.decimals$}");
        return text.trim_end_matches('0').trim_end_matches('.').replace('-', "−");
    }
    let text = scientific(x);
    // Of long ones three digits.
    if text.chars().count() <= 8 { text } else { format!("{x:.2e}").replace('-', "−") }
}

/// Where the parts of a panel stand, before it is known what its neighbours need.
struct Measured {
    x: Scale,
    y: Scale,
    key: Key,
    legend: f64,
    top: f64,
    height: f64,
    y_ticks: Vec<Tick>,
    /// The widest number at the vertical axis.
    widest: f64,
}

impl Measured {
    fn of(panel: &Panel, top: f64, height: f64, width: f64, named: bool) -> Measured {
        let (x, y) = panel.scales();
        let legend = if named { legend::height(panel, width) } else { 0.0 };
        let below = SMALL + 10.0 + if panel.x.label.is_empty() { 0.0 } else { LABEL + 8.0 };
        let (top, height) = (top + legend + 6.0, (height - legend - 6.0 - below).max(20.0));
        let y_ticks = ticks(panel, &y, height, 45.0, true);
        let numbers = y_ticks.iter().filter_map(|tick| tick.text.as_ref());
        let widest = numbers.map(|text| glyphs::width(text, SMALL)).fold(0.0, f64::max);
        Measured { x, y, key: Key::of(panel), legend, top, height, y_ticks, widest }
    }
}

fn draw_panel(scene: &mut Scene, panel: &Panel, measured: &Measured, widest: f64, right: f64) {
    let Measured { x, y, key, legend, top, height, y_ticks, .. } = measured;
    let named = if panel.y.label.is_empty() { 0.0 } else { LABEL + 8.0 };
    let left = MARGIN + named + widest + 8.0;
    let width = (scene.width - left - MARGIN - right - 6.0).max(20.0);
    let frame = Frame { left, top: *top, width, height: *height, x: *x, y: *y };
    let x_ticks = ticks(panel, x, width, 75.0, false);
    if !panel.is_tight() {
        grid_lines(scene, &frame, &x_ticks, y_ticks);
    }
    let entries = legend::entries(panel);
    // The rims of ways lie below all ways, so that none hides another.
    let ways = panel.marks.iter().filter(|mark| matches!(mark.kind, Marking::Path(..))).count();
    let mut above = ways;
    for mark in &panel.marks {
        above -= usize::from(matches!(mark.kind, Marking::Path(..)));
        match &mark.kind {
            Marking::Path(x, y) => draw_rim(scene, &frame, (x, y), 4.0 + 2.4 * real(above.min(3))),
            Marking::Levels(..) | Marking::Cells(_) => draw_mark(scene, &frame, &mark.kind, key, (&[], 0)),
            _ => {}
        }
    }
    let mut above = ways;
    for (at, mark) in panel.marks.iter().enumerate() {
        above -= usize::from(matches!(mark.kind, Marking::Path(..)));
        let mine = &entries[legend::first(panel, at).min(entries.len())..];
        if !matches!(mark.kind, Marking::Levels(..) | Marking::Cells(_)) {
            draw_mark(scene, &frame, &mark.kind, key, (mine, above));
        }
    }
    axes(scene, &frame, panel, &x_ticks, y_ticks, widest);
    draw_key(scene, &frame, key);
    if *legend > 0.0 {
        legend::draw(scene, panel, (frame.left, top - legend - 4.0), scene.width - frame.left - MARGIN);
    }
}

/// The ticks of an axis of a length. The cells of a small matrix are counted.
fn ticks(panel: &Panel, scale: &Scale, length: f64, each: f64, upright: bool) -> Vec<Tick> {
    let about = super::count(length / each).max(2);
    let cells = panel.marks.iter().find_map(|mark| match &mark.kind {
        Marking::Cells(grid) => Some(grid),
        _ => None,
    });
    let ticks = scale.ticks(about);
    let Some(grid) = cells else { return ticks };
    // Rows are counted from the top, from 0; between them is nothing.
    let count = if upright { grid.y.len() } else { grid.x.len() };
    let round = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    let every = round.into_iter().find(|every| count <= every * about * 2).unwrap_or(count);
    let name = |k: usize| Tick { at: real(k), text: Some(k.to_string()) };
    let (lo, hi) = (scale.lo.min(scale.hi), scale.lo.max(scale.hi));
    (0..)
        .step_by(every)
        .map(name)
        .take_while(|tick| tick.at <= hi)
        .filter(|tick| tick.at >= lo)
        .take(200)
        .collect()
}

fn grid_lines(scene: &mut Scene, frame: &Frame, x: &[Tick], y: &[Tick]) {
    let named = |ticks: &[Tick]| -> Vec<f64> {
        ticks.iter().filter(|tick| tick.text.is_some()).map(|tick| tick.at).collect()
    };
    let mut lines: Vec<Vec<Point>> = Vec::new();
    for at in named(x) {
        let x = frame.left + frame.x.place(at) * frame.width;
        lines.push(vec![(x, frame.top), (x, frame.bottom())]);
    }
    for at in named(y) {
        let y = frame.top + (1.0 - frame.y.place(at)) * frame.height;
        lines.push(vec![(frame.left, y), (frame.right(), y)]);
    }
    scene.shapes.push(Shape::Strokes { lines, color: Color::Faint, width: 1.0, dash: false });
}

/// The frame, ticks with their numbers, and the labels.
fn axes(scene: &mut Scene, frame: &Frame, panel: &Panel, x: &[Tick], y: &[Tick], widest: f64) {
    let (left, right, top, bottom) = (frame.left, frame.right(), frame.top, frame.bottom());
    let mut lines = vec![vec![(left, top), (left, bottom), (right, bottom)]];
    let mut free = f64::NEG_INFINITY;
    for tick in x {
        let at = left + frame.x.place(tick.at) * frame.width;
        lines.push(vec![(at, bottom), (at, bottom + if tick.text.is_some() { 5.0 } else { 3.0 })]);
        if let Some(name) = &tick.text {
            let half = glyphs::width(name, SMALL) / 2.0;
            // Numbers never touch each other.
            if at - half > free {
                free = at + half + 6.0;
                scene.shapes.push(text((at, bottom + SMALL + 7.0), name, SMALL, Anchor::Middle, Color::Soft));
            }
        }
    }
    for tick in y {
        let at = top + (1.0 - frame.y.place(tick.at)) * frame.height;
        lines.push(vec![(left - if tick.text.is_some() { 5.0 } else { 3.0 }, at), (left, at)]);
        if let Some(name) = &tick.text {
            scene.shapes.push(text((left - 8.0, at + SMALL * 0.36), name, SMALL, Anchor::End, Color::Soft));
        }
    }
    scene.shapes.push(Shape::Strokes { lines, color: Color::Soft, width: 1.0, dash: false });
    if !panel.x.label.is_empty() {
        let label = glyphs::fitting(&panel.x.label, LABEL, frame.width);
        let at = (left + frame.width / 2.0, bottom + SMALL + 10.0 + LABEL + 4.0);
        scene.shapes.push(text(at, label, LABEL, Anchor::Middle, Color::Ink));
    }
    if !panel.y.label.is_empty() {
        scene.shapes.push(Shape::Text {
            at: (left - widest - 18.0, top + frame.height / 2.0),
            text: glyphs::fitting(&panel.y.label, LABEL, frame.height),
            size: LABEL,
            anchor: Anchor::Middle,
            upright: true,
            bold: false,
            color: Color::Ink,
        });
    }
}

/// Draws a mark with its entries of the legend; above a way come so many others.
fn draw_mark(
    scene: &mut Scene,
    frame: &Frame,
    mark: &Marking,
    key: &Key,
    (entries, above): (&[legend::Entry], usize),
) {
    let entry = entries.first();
    let color = entry.map_or(Color::Ink, |entry| entry.color);
    match mark {
        Marking::Line(x, y) => {
            let dash = entry.is_some_and(|entry| entry.sample == legend::Sample::Line { dash: true });
            draw_line(scene, frame.lines(x, y), color, dash);
        }
        Marking::Path(x, y) => {
            // Ways below others are wider, so that each is seen where they are the same.
            let width = 1.8 + 2.4 * real(above.min(3));
            draw_path(scene, frame, (x, y), color, width);
        }
        Marking::Points(x, y, tint) => draw_points(scene, frame, (x, y), tint, key, entries),
        Marking::Bars(edges, counts) => {
            for (k, count) in counts.iter().enumerate() {
                let (a, b) = (frame.place(edges[k], *count), frame.place(edges[k + 1], 0.0));
                let gap = if b.0 - a.0 > 4.0 { 1.0 } else { 0.0 };
                let size = ((b.0 - a.0 - gap).max(0.2), b.1 - a.1);
                if size.1 > 0.0 {
                    scene.shapes.push(Shape::Box { at: (a.0 + gap / 2.0, a.1), size, color });
                }
            }
        }
        Marking::Levels(grid, levels) => draw_levels(scene, frame, grid, levels),
        Marking::Cells(grid) => draw_cells(scene, frame, grid, key),
    }
}

/// Lines; a piece of one point is a dot.
fn draw_line(scene: &mut Scene, lines: Vec<Vec<Point>>, color: Color, dash: bool) {
    let (dots, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.len() < 2);
    if !lines.is_empty() {
        scene.shapes.push(Shape::Strokes { lines, color, width: 1.8, dash });
    }
    if !dots.is_empty() {
        let at = dots.into_iter().flatten().collect();
        scene.shapes.push(Shape::Discs { at, radius: 2.5, color });
    }
}

/// What makes the way of a solve stand out from what is below.
fn draw_rim(scene: &mut Scene, frame: &Frame, (x, y): (&[f64], &[f64]), width: f64) {
    let lines: Vec<Vec<Point>> = frame.lines(x, y).into_iter().filter(|line| line.len() > 1).collect();
    scene.shapes.push(Shape::Strokes { lines, color: Color::Back, width, dash: false });
}

/// The way of a solve: a line, a ring at its start, a disc at its end.
fn draw_path(scene: &mut Scene, frame: &Frame, (x, y): (&[f64], &[f64]), color: Color, width: f64) {
    let lines: Vec<Vec<Point>> = frame.lines(x, y).into_iter().filter(|line| line.len() > 1).collect();
    scene.shapes.push(Shape::Strokes { lines, color, width, dash: false });
    let extra = (width - 1.8) / 2.0;
    let seen: Vec<Point> = x.iter().zip(y).filter_map(|(x, y)| frame.shown(*x, *y)).collect();
    let inside: Vec<Point> = seen.iter().copied().filter(|at| frame.holds(*at)).collect();
    // Single steps are seen where there are few.
    if inside.len() <= 60 {
        scene.shapes.push(Shape::Discs { at: inside, radius: 2.4 + extra, color });
    }
    if let Some(at) = seen.first().copied().filter(|at| frame.holds(*at)) {
        scene.shapes.push(Shape::Discs { at: vec![at], radius: 5.5 + extra, color: Color::Back });
        scene.shapes.push(Shape::Ring { at, radius: 4.5 + extra, color, width: 2.0 });
    }
    if let Some(at) = seen.last().copied().filter(|at| frame.holds(*at)) {
        scene.shapes.push(Shape::Discs { at: vec![at], radius: 5.0 + extra, color });
    }
}

/// Points; of those that fall on the same pixel one is drawn.
fn draw_points(
    scene: &mut Scene,
    frame: &Frame,
    (x, y): (&[f64], &[f64]),
    tint: &Tint,
    key: &Key,
    entries: &[legend::Entry],
) {
    let mut seen = std::collections::HashSet::new();
    let mut groups: Vec<(Color, Vec<Point>)> = Vec::new();
    for (k, (x, y)) in x.iter().zip(y).enumerate() {
        let Some(at) = frame.shown(*x, *y).filter(|at| frame.holds(*at)) else { continue };
        let (class, color) = match tint {
            Tint::Plain => (0, entries.first().map_or(Color::Ink, |entry| entry.color)),
            Tint::Classes(_, classes) => {
                let class = classes.get(k).copied().unwrap_or(0);
                (class, entries.get(class).map_or(Color::Ink, |entry| entry.color))
            }
            Tint::Scale(_, values) => (0, key.color(values.get(k).copied().unwrap_or(f64::NAN))),
        };
        if !seen.insert((class, super::count(at.0), super::count(at.1))) {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| *known == color) {
            Some((_, points)) => points.push(at),
            None => groups.push((color, vec![at])),
        }
    }
    let many = groups.iter().map(|(_, points)| points.len()).sum::<usize>();
    let radius = if many > 2_000 {
        2.0
    } else if many > 300 {
        2.8
    } else {
        3.8
    };
    if let Tint::Scale(..) = tint {
        // The ends of the scale are near the color of a light or a dark page.
        let at = groups.iter().flat_map(|(_, points)| points.iter().copied()).collect();
        scene.shapes.push(Shape::Discs { at, radius: radius + 0.6, color: Color::Soft });
    }
    scene.shapes.extend(groups.into_iter().map(|(color, at)| Shape::Discs { at, radius, color }));
}

/// Bands between levels, from the lowest up, and lines between them.
fn draw_levels(scene: &mut Scene, frame: &Frame, grid: &Grid, levels: &[f64]) {
    let levels = chosen(grid, levels);
    let (smooth, heights) = contour::interpolated(grid, &levels);
    let bands = levels.len() + 1;
    let placed = |line: Vec<Point>| {
        let points: Vec<Point> = line.into_iter().map(|(x, y)| frame.place(x, y)).collect();
        thinned(&points)
    };
    let lowest = grid.z.iter().copied().filter(|z| z.is_finite()).map(|z| contour::band(&levels, z)).min();
    let area = contour::covered(grid).into_iter().map(placed).collect();
    scene.shapes.push(Shape::Fill { outlines: area, color: Color::Band(lowest.unwrap_or(0), bands) });
    for (k, height) in heights.iter().enumerate() {
        let outlines: Vec<_> = contour::outlines(&smooth, *height).into_iter().map(placed).collect();
        if !outlines.is_empty() {
            scene.shapes.push(Shape::Fill { outlines, color: Color::Band(k + 1, bands) });
        }
    }
    let lines = heights.iter().flat_map(|height| contour::lines(&smooth, *height)).map(placed).collect();
    scene.shapes.push(Shape::Strokes { lines, color: Color::Level, width: 0.7, dash: false });
}

/// Cells, those of one color together.
fn draw_cells(scene: &mut Scene, frame: &Frame, grid: &Grid, key: &Key) {
    let small = contour::blocks(grid, CELLS, CELLS);
    let (columns, rows) = (small.x.len(), small.y.len());
    let (width, height) = (frame.width / real(columns), frame.height / real(rows));
    let mut groups: Vec<(Color, Vec<Vec<Point>>)> = Vec::new();
    for (j, row) in small.z.chunks(columns).enumerate() {
        let colors: Vec<Color> = row.iter().map(|z| key.color(*z)).collect();
        let (top, bottom) = (frame.top + height * real(j), frame.top + height * real(j + 1));
        let mut at = 0;
        for run in colors.chunk_by(|a, b| a == b) {
            let (left, right) = (frame.left + width * real(at), frame.left + width * real(at + run.len()));
            let cell = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
            match groups.iter_mut().find(|(color, _)| *color == run[0]) {
                Some((_, cells)) => cells.push(cell),
                None => groups.push((run[0], vec![cell])),
            }
            at += run.len();
        }
    }
    scene.shapes.extend(groups.into_iter().map(|(color, outlines)| Shape::Cells { outlines, color }));
}

/// The bar beside a panel that says what its colors mean.
fn draw_key(scene: &mut Scene, frame: &Frame, key: &Key) {
    let left = frame.right() + 14.0;
    match key {
        Key::None => return,
        Key::Bands(levels, _) => {
            let bands = levels.len() + 1;
            let height = frame.height / real(bands);
            for k in 0..bands {
                let at = (left, frame.bottom() - height * real(k + 1));
                scene.shapes.push(Shape::Box {
                    at,
                    size: (14.0, height + 0.3),
                    color: Color::Band(k, bands),
                });
            }
        }
        Key::Numbers { lo, hi, name, .. } => {
            let steps = 64;
            let height = frame.height / real(steps);
            for k in 0..steps {
                let part = (real(k) + 0.5) / real(steps);
                let (bottom, top) =
                    (frame.bottom() - height * real(k), frame.bottom() - height * real(k + 1));
                let color = key.color(lo * (1.0 - part) + hi * part);
                let cell = vec![(left, top), (left + 14.0, top), (left + 14.0, bottom), (left, bottom)];
                scene.shapes.push(Shape::Cells { outlines: vec![cell], color });
            }
            if !name.is_empty() {
                scene.shapes.push(Shape::Text {
                    at: (scene.width - MARGIN - 2.0, frame.top + frame.height / 2.0),
                    text: glyphs::fitting(name, LABEL, frame.height),
                    size: LABEL,
                    anchor: Anchor::Middle,
                    upright: true,
                    bold: false,
                    color: Color::Ink,
                });
            }
        }
    }
    for (place, name) in key.ticks() {
        let y = frame.bottom() - place * frame.height;
        let lines = vec![vec![(left + 14.0, y), (left + 17.0, y)]];
        scene.shapes.push(Shape::Strokes { lines, color: Color::Soft, width: 1.0, dash: false });
        scene.shapes.push(text((left + 19.0, y + SMALL * 0.36), name, SMALL, Anchor::Start, Color::Soft));
    }
}
