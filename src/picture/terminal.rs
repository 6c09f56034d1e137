//! A figure in the letters of a terminal: braille dots, with axes, numbers and names.

use super::axis::{Scale, Tick};
use super::braille::{Canvas, Shade};
use super::figure::{Figure, Grid, Mark, Marking, Panel, Tint};
use super::{contour, count, glyphs, layout, legend, lines, palette, real};

/// What tells several series apart without colors, on the curves and in the legend.
const SIGNS: [char; 8] = ['●', '▲', '■', '◆', '○', '△', '□', '◇'];
/// What the ways of solves are drawn with.
const WAYS: [char; 4] = ['•', '×', '+', '*'];
/// Shades of cells, from the least to the most.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
/// Parts of a bar.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The figure in so many columns; with colors if the terminal has them.
pub fn terminal(figure: &Figure, columns: usize, color: bool) -> String {
    let columns = columns.clamp(40, 160);
    let mut out: Vec<String> = Vec::new();
    if let Some(title) = &figure.title {
        let title: String = title.chars().take(columns).collect();
        let gap = (columns - title.chars().count()) / 2;
        out.push(format!("{}{title}", " ".repeat(gap)));
    }
    for (at, panel) in figure.panels.iter().enumerate() {
        let named = legend::needed(figure, at);
        let rows = if figure.panels.len() > 1 { 11 } else { (columns / 5).clamp(14, 22) };
        draw(&mut out, panel, (columns, rows), named, color);
    }
    for note in &figure.notes {
        out.extend(glyphs::wrapped(note, |line| line.chars().count() <= columns));
    }
    let lines: Vec<&str> = out.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

/// Text in a color.
fn colored(text: &str, shade: Shade, color: bool) -> String {
    let rgb = match shade {
        _ if !color => return text.to_string(),
        Shade::Plain => return text.to_string(),
        Shade::Faint => return format!("\u{1b}[2m{text}\u{1b}[0m"),
        // The six colors that every terminal has, in the order of the palette.
        Shade::Series(k) => return format!("\u{1b}[{}m{text}\u{1b}[0m", [34, 33, 32, 35, 36, 31][k % 6]),
        Shade::Rgb(rgb) => rgb,
    };
    format!("\u{1b}[38;2;{};{};{}m{text}\u{1b}[0m", rgb[0], rgb[1], rgb[2])
}

fn draw(out: &mut Vec<String>, panel: &Panel, (columns, rows): (usize, usize), named: bool, color: bool) {
    let (x, y) = panel.scales();
    let cells = panel.marks.iter().find_map(|mark| match &mark.kind {
        Marking::Cells(grid) => Some(grid),
        _ => None,
    });
    if let Some(grid) = cells {
        return heatmap(out, grid, columns, rows, color);
    }
    let ticks: Vec<Tick> = y.ticks(rows / 3);
    let gutter = ticks.iter().filter_map(|tick| tick.text.as_ref()).map(|text| text.chars().count()).max();
    let gutter = gutter.unwrap_or(0);
    let width = columns.saturating_sub(gutter + 3).max(16);
    if let [Mark { kind: Marking::Bars(edges, counts), .. }] = panel.marks.as_slice() {
        names(out, panel, gutter, named, color);
        return bars(out, panel, (edges, counts), (&x, &y), (gutter, width, rows), color);
    }
    let mut canvas = Canvas::new(width, rows);
    let view = View { x, y, width: real(2 * width - 1), height: real(4 * rows - 1) };
    let many = legend::shown(panel);
    // Points and ways upon all else: the signs of a line would hide them.
    let above = |mark: &Mark| matches!(mark.kind, Marking::Points(..) | Marking::Path(..));
    for wanted in [false, true] {
        for (at, mark) in panel.marks.iter().enumerate().filter(|(_, mark)| above(mark) == wanted) {
            view.draw(&mut canvas, mark, legend::first(panel, at), many, color);
        }
    }
    names(out, panel, gutter, named, color);
    let body = (0..rows).map(|row| {
        canvas
            .row(row)
            .into_iter()
            .map(|(c, shade)| colored(&c.to_string(), shade, color))
            .collect::<String>()
    });
    framed(out, panel, body.collect(), (&x, &y), (gutter, width, rows));
}

/// The name of the vertical axis, and the legend.
fn names(out: &mut Vec<String>, panel: &Panel, gutter: usize, named: bool, color: bool) {
    if !panel.y.label.is_empty() {
        out.push(format!("{}  {}", " ".repeat(gutter.saturating_sub(2)), panel.y.label));
    }
    if !named {
        return;
    }
    let named = |(k, entry): (usize, legend::Entry)| {
        let sign = match entry.sample {
            legend::Sample::Way => format!("○{}●", way(k)),
            legend::Sample::Line { .. } => format!("─{}─", sign(k)),
            legend::Sample::Dot | legend::Sample::Bar => sign(k).to_string(),
        };
        format!("{} {}", colored(&sign, Shade::Series(k), color), entry.name)
    };
    let all: Vec<String> = legend::entries(panel).into_iter().enumerate().map(named).collect();
    for row in all.chunks(4) {
        out.push(format!("{}   {}", " ".repeat(gutter), row.join("   ")));
    }
}

fn way(k: usize) -> char {
    WAYS[k % WAYS.len()]
}

fn sign(k: usize) -> char {
    SIGNS[k % SIGNS.len()]
}

/// Rows of letters with axes around them.
fn framed(
    out: &mut Vec<String>,
    panel: &Panel,
    body: Vec<String>,
    (x, y): (&Scale, &Scale),
    (gutter, width, rows): (usize, usize, usize),
) {
    let named: Vec<(usize, String)> = y
        .ticks(rows / 3)
        .into_iter()
        .filter_map(|tick| Some((row_of(y.place(tick.at), rows)?, tick.text?)))
        .collect();
    for (row, line) in body.into_iter().enumerate() {
        let name = named.iter().find(|(at, _)| *at == row).map(|(_, text)| text.as_str());
        let edge = if name.is_some() { '┤' } else { '│' };
        out.push(format!("{:>gutter$} {edge}{line}", name.unwrap_or("")));
    }
    let mut edge = vec!['─'; width];
    let mut below = vec![' '; width + gutter + 2];
    let mut free = 0;
    for tick in x.ticks(width / 12) {
        let place = x.place(tick.at);
        if !(-1e-9..=1.0 + 1e-9).contains(&place) {
            continue;
        }
        let at = count((place * real(width - 1)).round()).min(width - 1);
        let Some(text) = tick.text else { continue };
        edge[at] = '┬';
        let letters: Vec<char> = text.chars().collect();
        let start = (gutter + 2 + at).saturating_sub(letters.len() / 2).min(below.len() - letters.len());
        if start >= free {
            below[start..start + letters.len()].copy_from_slice(&letters);
            free = start + letters.len() + 1;
        }
    }
    out.push(format!("{} └{}", " ".repeat(gutter), edge.iter().collect::<String>()));
    out.push(below.iter().collect());
    if !panel.x.label.is_empty() {
        let gap = gutter + 2 + width.saturating_sub(panel.x.label.chars().count()) / 2;
        out.push(format!("{}{}", " ".repeat(gap), panel.x.label));
    }
}

/// The row of a place on the vertical axis.
fn row_of(place: f64, rows: usize) -> Option<usize> {
    if !(-1e-9..=1.0 + 1e-9).contains(&place) {
        return None;
    }
    Some(count(((1.0 - place) * real(rows) - 0.5).round().max(0.0)).min(rows - 1))
}

/// The scales of a canvas, in dots.
struct View {
    x: Scale,
    y: Scale,
    width: f64,
    height: f64,
}

impl View {
    fn place(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let fits = |v: f64, scale: &Scale| v.is_finite() && !(scale.log && v <= 0.0);
        let at = || (self.x.place(x) * self.width, (1.0 - self.y.place(y)) * self.height);
        (fits(x, &self.x) && fits(y, &self.y)).then(at)
    }

    fn draw(&self, canvas: &mut Canvas, mark: &Mark, first: usize, many: bool, color: bool) {
        let shade = Shade::Series(first);
        match &mark.kind {
            Marking::Line(x, y) => {
                self.lines(canvas, x, y, shade);
                if many {
                    self.signs(canvas, x, y, first);
                }
            }
            Marking::Path(x, y) => {
                let seen: Vec<(f64, f64)> = x.iter().zip(y).filter_map(|(x, y)| self.place(*x, *y)).collect();
                for pair in seen.windows(2) {
                    // Letters all along, which stand out from the dots of the levels.
                    let steps = (pair[1].0 - pair[0].0)
                        .abs()
                        .max((pair[1].1 - pair[0].1).abs() / 2.0)
                        .clamp(1.0, 1e4);
                    for k in 0..=count(steps) {
                        let t = real(k) / steps.ceil();
                        let between = |a: f64, b: f64| a + t * (b - a);
                        let at = (between(pair[0].0, pair[1].0), between(pair[0].1, pair[1].1));
                        canvas.letter_beside(at, way(first), shade);
                    }
                }
                let ends = [(seen.first(), '○'), (seen.last(), '●')];
                ends.into_iter().for_each(|(at, sign)| {
                    at.into_iter().for_each(|at| canvas.letter(*at, sign, shade));
                });
            }
            Marking::Points(x, y, tint) => self.points(canvas, (x, y), tint, first, many),
            Marking::Bars(edges, counts) => {
                for (k, count) in counts.iter().enumerate() {
                    let x = [edges[k], edges[k], edges[k + 1], edges[k + 1]];
                    self.lines(canvas, &x, &[0.0, *count, *count, 0.0], shade);
                }
            }
            Marking::Levels(grid, levels) => self.levels(canvas, grid, levels, color),
            Marking::Cells(_) => {}
        }
    }

    fn lines(&self, canvas: &mut Canvas, x: &[f64], y: &[f64], shade: Shade) {
        let points = x.iter().zip(y).map(|(x, y)| self.place(*x, *y));
        for piece in lines::pieces(points) {
            for line in lines::clipped(&piece, (0.0, 0.0), (self.width, self.height)) {
                let line = lines::thinned(&line);
                canvas.line(line[0], line[0], shade);
                line.windows(2).for_each(|pair| canvas.line(pair[0], pair[1], shade));
            }
        }
    }

    /// A few signs along a curve, each curve's at places of their own.
    fn signs(&self, canvas: &mut Canvas, x: &[f64], y: &[f64], series: usize) {
        let seen: Vec<(f64, f64)> = x.iter().zip(y).filter_map(|(x, y)| self.place(*x, *y)).collect();
        for k in 0..5 {
            let share = (real(k) + 0.5 + 0.13 * real(series % 4)) / 5.0;
            // By the width of the picture, not by the points: these may crowd at one side.
            let Some(nearest) = seen.iter().min_by(|a, b| {
                let far = |p: &(f64, f64)| (p.0 - share * self.width).abs();
                far(a).total_cmp(&far(b))
            }) else {
                continue;
            };
            canvas.letter(*nearest, sign(series), Shade::Series(series));
        }
    }

    fn points(&self, canvas: &mut Canvas, (x, y): (&[f64], &[f64]), tint: &Tint, first: usize, many: bool) {
        for (k, (x, y)) in x.iter().zip(y).enumerate() {
            let Some(at) = self.place(*x, *y) else { continue };
            match tint {
                Tint::Classes(_, classes) => {
                    let class = first + classes.get(k).copied().unwrap_or(0);
                    canvas.letter(at, sign(class), Shade::Series(class));
                }
                Tint::Plain if many => canvas.letter(at, sign(first), Shade::Series(first)),
                Tint::Plain | Tint::Scale(..) => {
                    let [x, y] = [at.0, at.1].map(f64::round);
                    canvas.line((x, y), (x, y), Shade::Series(first));
                }
            }
        }
    }

    fn levels(&self, canvas: &mut Canvas, grid: &Grid, levels: &[f64], color: bool) {
        let levels = layout::chosen(grid, levels);
        let (smooth, heights) = contour::interpolated(grid, &levels);
        for (k, height) in heights.iter().enumerate() {
            let share = real(k) / real(heights.len());
            let shade = if color { Shade::Rgb(palette::sequential(0.2 + 0.8 * share)) } else { Shade::Faint };
            for line in contour::lines(&smooth, *height) {
                let (x, y): (Vec<f64>, Vec<f64>) = line.into_iter().unzip();
                self.lines(canvas, &x, &y, shade);
            }
        }
    }
}

/// A histogram, its bars spread over the width.
fn bars(
    out: &mut Vec<String>,
    panel: &Panel,
    (edges, counts): (&[f64], &[f64]),
    (x, y): (&Scale, &Scale),
    (gutter, width, rows): (usize, usize, usize),
    color: bool,
) {
    let height = |column: usize| {
        let at = x.value((real(column) + 0.5) / real(width));
        let bar = (0..counts.len()).find(|k| edges[*k] <= at && at < edges[k + 1]);
        // In eighths of a row.
        bar.map_or(0.0, |k| (y.place(counts[k]) * real(8 * rows)).round())
    };
    let heights: Vec<f64> = (0..width).map(height).collect();
    let body = (0..rows).map(|row| {
        let below = real(8 * (rows - 1 - row));
        let letter = |height: &f64| match count(height - below) {
            0 => ' ',
            part => BARS[part.min(8) - 1],
        };
        let line: String = heights.iter().map(letter).collect();
        colored(&line, Shade::Series(0), color)
    });
    framed(out, panel, body.collect(), (x, y), (gutter, width, rows));
}

/// A matrix as shades, two letters a cell where there is room.
fn heatmap(out: &mut Vec<String>, grid: &Grid, columns: usize, rows: usize, color: bool) {
    let small = contour::blocks(grid, columns.saturating_sub(8).max(8), 2 * rows);
    let finite = small.z.iter().copied().filter(|z| z.is_finite());
    let (lo, hi) = super::axis::ends(finite).unwrap_or((0.0, 1.0));
    let scale = Scale { lo, hi, log: false, whole: false };
    // Where all are alike the middle of the colors stands for them.
    let placed = |z: f64| if hi > lo { scale.place(z).clamp(0.0, 1.0) } else { 0.5 };
    let wide = if small.x.len() * 2 + 8 <= columns { 2 } else { 1 };
    let gutter = grid.y.len().saturating_sub(1).to_string().len();
    let every = small.y.len().div_ceil(10).max(1);
    for (j, row) in small.z.chunks(small.x.len()).enumerate() {
        let index = j * grid.y.len() / small.y.len();
        let name = if j % every == 0 { index.to_string() } else { String::new() };
        let cell = |z: &f64| {
            if !z.is_finite() {
                return "?".repeat(wide);
            }
            let place = placed(*z);
            let shade = SHADES[count(place * 5.0).min(4)];
            let letter = if color { '█' } else { shade };
            colored(&letter.to_string().repeat(wide), Shade::Rgb(palette::sequential(place)), color)
        };
        out.push(format!("{name:>gutter$} │{}", row.iter().map(cell).collect::<String>()));
    }
    if lo >= hi {
        let letter = if color { '█' } else { SHADES[2] };
        let sample = colored(&letter.to_string().repeat(2), Shade::Rgb(palette::sequential(0.5)), color);
        out.push(format!("{}  {sample} {}", " ".repeat(gutter), layout::short(lo)));
        return;
    }
    let span = SHADES.iter().enumerate().map(|(k, shade)| {
        let place = real(k) / 4.0;
        let letter = if color { '█' } else { *shade };
        colored(&letter.to_string().repeat(2), Shade::Rgb(palette::sequential(place)), color)
    });
    out.push(format!(
        "{}  {} {} {}",
        " ".repeat(gutter),
        layout::short(lo),
        span.collect::<String>(),
        layout::short(hi)
    ));
}
