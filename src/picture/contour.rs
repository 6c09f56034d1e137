//! Level sets of a function on a grid, by marching squares.

use super::axis::{Scale, ends, ten_to};
use super::figure::Grid;
use super::scene::Point;
use super::{count, real};

/// Nothing.
const NONE: usize = usize::MAX;

/// Levels that show the shape of the values: evenly spaced round numbers, or by decades above the least value where a
/// tenth of all values is within a small part of the range.
pub(super) fn levels(grid: &Grid, about: usize) -> Vec<f64> {
    let mut z: Vec<f64> = grid.z.iter().copied().filter(|z| z.is_finite()).collect();
    z.sort_by(f64::total_cmp);
    let (Some(lo), Some(hi)) = (z.first().copied(), z.last().copied()) else { return Vec::new() };
    let inside = |level: &f64| *level > lo && *level < hi;
    let low = z[z.len() / 10] - lo;
    if low > 0.0 && (hi - lo) / low > 40.0 {
        let first = z[z.len() / 100].max(lo) - lo;
        let first = if first > 0.0 { first } else { low / 100.0 };
        // Values that are positive and come near zero have round levels.
        let base = if lo > 0.0 && lo < 2.0 * first || lo == 0.0 { 0.0 } else { lo };
        let first = if base == 0.0 { first + lo } else { first };
        let steps = by_decades(first, hi - base, about).into_iter();
        let mut levels: Vec<f64> = steps.map(|step| rounded(base + step, step)).filter(inside).collect();
        levels.dedup();
        return levels;
    }
    // Poles swallow what is between: levels by how many values are between them.
    let middle = z[z.len() - 1 - z.len() / 20] - z[z.len() / 20];
    if middle > 0.0 && hi / 20.0 - lo / 20.0 > middle {
        let parts: Vec<f64> = (0..=about + 1).map(|k| z[k * (z.len() - 1) / (about + 1)]).collect();
        let near = |k: usize| (parts[k] - parts[k - 1]).min(parts[k + 1] - parts[k]);
        let levels = (1..=about).filter(|k| near(*k) > 0.0).map(|k| rounded(parts[k], near(k)));
        let mut levels: Vec<f64> = levels.filter(inside).collect();
        levels.dedup();
        return levels;
    }
    let scale = Scale { lo, hi, log: false, whole: false };
    scale.ticks(about).into_iter().map(|tick| tick.at).filter(inside).collect()
}

/// A number with no more digits than what it is to be told apart from needs.
fn rounded(x: f64, step: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "an exponent of a double is small")]
    let exponent = step.log10().floor() as i32;
    let round = if exponent < 0 {
        (x * ten_to(-exponent)).round() / ten_to(-exponent)
    } else {
        (x / ten_to(exponent)).round() * ten_to(exponent)
    };
    if round.is_finite() { round } else { x }
}

/// About so many round numbers, each a few times the one before.
fn by_decades(lo: f64, hi: f64, about: usize) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "an exponent of a double is small")]
    let (first, last) = (lo.log10().floor() as i32, hi.log10().ceil() as i32);
    let decades = usize::try_from(last - first).unwrap_or(1).max(1);
    let digits: &[f64] = match about / decades {
        0 | 1 => &[1.0],
        2 => &[1.0, 3.0],
        3 | 4 => &[1.0, 2.0, 5.0],
        _ => &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    };
    let every = decades.div_ceil(about.max(1)).max(1);
    let exponents = (first..=last).step_by(every);
    let all = exponents.flat_map(|exponent| digits.iter().map(move |digit| digit * ten_to(exponent)));
    all.filter(|level| *level >= lo * 0.999 && *level <= hi).collect()
}

/// The grid with its values as they are best interpolated between: where levels grow by factors, their logarithms.
/// Gives the levels in the same measure.
pub(super) fn interpolated(grid: &Grid, levels: &[f64]) -> (Grid, Vec<f64>) {
    let lo = ends(grid.z.iter().copied().filter(|z| z.is_finite())).map_or(0.0, |(lo, _)| lo);
    let [first, .., last] = levels else { return (grid.clone(), levels.to_vec()) };
    let base = if lo > 0.0 && lo < *first { 0.0 } else { lo };
    if last - base <= 20.0 * (first - base) {
        return (grid.clone(), levels.to_vec());
    }
    let least = (first - base) / 10.0;
    let measure = |z: f64| if z.is_nan() { z } else { (z - base).max(least).log10() };
    let z = grid.z.iter().map(|z| measure(*z)).collect();
    (Grid { x: grid.x.clone(), y: grid.y.clone(), z }, levels.iter().map(|level| measure(*level)).collect())
}

/// The lines where the grid has this value.
pub(super) fn lines(grid: &Grid, level: f64) -> Vec<Vec<Point>> {
    let mut march = March::new(grid, level);
    march.cells(|corners| corners.iter().all(|z| z.is_finite()));
    march.joined()
}

/// The closed outlines of where the grid is at least this value.
pub(super) fn outlines(grid: &Grid, level: f64) -> Vec<Vec<Point>> {
    let padded = padded(grid);
    let mut march = March::new(&padded, level);
    march.cells(|_| true);
    march.joined()
}

/// The closed outlines of where the grid has a value.
pub(super) fn covered(grid: &Grid) -> Vec<Vec<Point>> {
    let z = grid.z.iter().map(|z| if z.is_finite() { 1.0 } else { f64::NAN }).collect();
    outlines(&Grid { x: grid.x.clone(), y: grid.y.clone(), z }, 0.5)
}

/// The grid with a border of nothing right at its edge.
fn padded(grid: &Grid) -> Grid {
    let wider = |at: &[f64]| {
        let (first, last) = (at.first().copied(), at.last().copied());
        first.into_iter().chain(at.iter().copied()).chain(last).collect::<Vec<f64>>()
    };
    let (x, y) = (wider(&grid.x), wider(&grid.y));
    let mut z = vec![f64::NAN; x.len() * y.len()];
    for (j, row) in grid.z.chunks(grid.x.len().max(1)).enumerate() {
        let at = (j + 1) * x.len() + 1;
        z[at..at + row.len()].copy_from_slice(row);
    }
    Grid { x, y, z }
}

/// The crossings of a level with the edges of a grid, each joined with at most two others.
struct March<'g> {
    grid: &'g Grid,
    level: f64,
    joined: Vec<[usize; 2]>,
}

impl<'g> March<'g> {
    fn new(grid: &'g Grid, level: f64) -> March<'g> {
        March { grid, level, joined: vec![[NONE; 2]; 2 * grid.x.len() * grid.y.len()] }
    }

    fn z(&self, i: usize, j: usize) -> f64 {
        self.grid.z[j * self.grid.x.len() + i]
    }

    /// The number of the edge from a point to the right, or upwards.
    fn edge(&self, i: usize, j: usize, up: bool) -> usize {
        2 * (j * self.grid.x.len() + i) + usize::from(up)
    }

    /// Joins the crossings of every cell that is wanted.
    fn cells(&mut self, wanted: impl Fn(&[f64; 4]) -> bool) {
        for j in 0..self.grid.y.len().saturating_sub(1) {
            for i in 0..self.grid.x.len().saturating_sub(1) {
                // From the lower left corner around.
                let corners = [self.z(i, j), self.z(i + 1, j), self.z(i + 1, j + 1), self.z(i, j + 1)];
                if wanted(&corners) {
                    self.cell(i, j, corners);
                }
            }
        }
    }

    fn cell(&mut self, i: usize, j: usize, corners: [f64; 4]) {
        let inside = corners.map(|z| z >= self.level);
        // The edges between the corners, in the same order.
        let edges = [
            self.edge(i, j, false),
            self.edge(i + 1, j, true),
            self.edge(i, j + 1, false),
            self.edge(i, j, true),
        ];
        let crossed: Vec<usize> = (0..4).filter(|k| inside[*k] != inside[(*k + 1) % 4]).collect();
        match crossed.as_slice() {
            [a, b] => self.join(edges[*a], edges[*b]),
            [_, _, _, _] => {
                // A saddle: the middle says which corners belong together.
                let middle = corners.iter().sum::<f64>() / 4.0 >= self.level;
                let pairs = if middle == inside[0] { [[0, 1], [2, 3]] } else { [[3, 0], [1, 2]] };
                pairs.into_iter().for_each(|[a, b]| self.join(edges[a], edges[b]));
            }
            _ => {}
        }
    }

    fn join(&mut self, a: usize, b: usize) {
        for (from, to) in [(a, b), (b, a)] {
            let places = &mut self.joined[from];
            let free = usize::from(places[0] != NONE);
            places[free] = to;
        }
    }

    /// Where the level crosses an edge.
    fn point(&self, edge: usize) -> Point {
        let (up, at) = (edge % 2 == 1, edge / 2);
        let (i, j) = (at % self.grid.x.len(), at / self.grid.x.len());
        let (k, l) = if up { (i, j + 1) } else { (i + 1, j) };
        let (a, b) = (self.z(i, j), self.z(k, l));
        let t = (self.level - a) / (b - a);
        let t = if t.is_finite() { t.clamp(0.0, 1.0) } else { 0.5 };
        let Grid { x, y, .. } = self.grid;
        (x[i] + t * (x[k] - x[i]), y[j] + t * (y[l] - y[j]))
    }

    /// The lines that the crossings make: those with ends first, then the closed ones.
    fn joined(mut self) -> Vec<Vec<Point>> {
        let mut lines = Vec::new();
        let ends = |joined: &[usize; 2]| joined[0] != NONE && joined[1] == NONE;
        let starts: Vec<usize> = (0..self.joined.len()).filter(|edge| ends(&self.joined[*edge])).collect();
        for edge in starts {
            if self.joined[edge][0] != NONE {
                lines.push(self.walk(edge));
            }
        }
        for edge in 0..self.joined.len() {
            if self.joined[edge][0] != NONE {
                let mut line = self.walk(edge);
                line.extend(line.first().copied());
                lines.push(line);
            }
        }
        lines
    }

    /// From one crossing to the next, each only once.
    fn walk(&mut self, start: usize) -> Vec<Point> {
        let mut line = vec![self.point(start)];
        let mut at = start;
        let mut next = self.joined[start][0];
        self.joined[start] = [NONE; 2];
        while next != NONE && self.joined[next][0] != NONE {
            let [a, b] = self.joined[next];
            self.joined[next] = [NONE; 2];
            line.push(self.point(next));
            (at, next) = (next, if a == at { b } else { a });
        }
        line
    }
}

/// The cell of a grid with the value farthest from the mean of all, of every block of cells: what remains of a grid
/// with too many cells to be seen.
pub(super) fn blocks(grid: &Grid, columns: usize, rows: usize) -> Grid {
    let (n, m) = (grid.x.len(), grid.y.len());
    if n <= columns && m <= rows {
        return grid.clone();
    }
    let finite: Vec<f64> = grid.z.iter().copied().filter(|z| z.is_finite()).collect();
    let middle: f64 = finite.iter().map(|z| z / real(finite.len())).sum();
    let (columns, rows) = (n.min(columns), m.min(rows));
    let mut z = vec![f64::NAN; columns * rows];
    for (at, value) in grid.z.iter().enumerate() {
        let place = at / n * rows / m * columns + at % n * columns / n;
        let far = |z: f64| (z - middle).abs();
        if value.is_finite() && (z[place].is_nan() || far(*value) > far(z[place])) {
            z[place] = *value;
        }
    }
    let spread = |at: &[f64], parts: usize| {
        let (lo, hi) = (at[0], at[at.len() - 1]);
        (0..parts).map(|k| lo + (hi - lo) * real(k) / real(parts.max(2) - 1)).collect::<Vec<f64>>()
    };
    Grid { x: spread(&grid.x, columns), y: spread(&grid.y, rows), z }
}

/// The band that a value is in: how many levels are not above it.
pub(super) fn band(levels: &[f64], z: f64) -> usize {
    levels.iter().filter(|level| **level <= z).count()
}

/// About so many of them, the first and then every few.
pub(super) fn every(total: usize, most: usize) -> usize {
    count((real(total) / real(most.max(1))).ceil()).max(1)
}

#[cfg(test)]
mod tests {
    use super::super::real;
    use super::{Grid, blocks, covered, levels, lines, outlines};

    fn grid(f: impl Fn(f64, f64) -> f64) -> Grid {
        let at: Vec<f64> = (0..41).map(|k| real(k) / 10.0 - 2.0).collect();
        let z = at.iter().flat_map(|y| at.iter().map(|x| f(*x, *y)).collect::<Vec<f64>>()).collect();
        Grid { x: at.clone(), y: at.clone(), z }
    }

    #[test]
    fn a_circle_is_one_closed_line() {
        let bowl = grid(|x, y| x * x + y * y);
        let found = lines(&bowl, 1.0);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].first(), found[0].last());
        for (x, y) in &found[0] {
            assert!(((x * x + y * y).sqrt() - 1.0).abs() < 2e-3, "{x} {y}");
        }
        // What is above is a ring: the edge of the grid and the circle.
        assert_eq!(outlines(&bowl, 1.0).len(), 2);
        assert_eq!(lines(&bowl, 5.0).len(), 4, "four arcs in the corners");
        assert!(lines(&bowl, 9.0).is_empty());
    }

    #[test]
    fn a_saddle_has_two_lines() {
        let saddle = grid(|x, y| (x - 0.03) * (y - 0.04));
        assert_eq!(lines(&saddle, 1e-4).len(), 2);
        assert_eq!(lines(&saddle, -1e-4).len(), 2);
    }

    #[test]
    fn no_line_goes_through_what_has_no_value() {
        let half = grid(|x, y| if x < 0.0 { f64::NAN } else { x + y });
        assert!(lines(&half, 0.5).iter().flatten().all(|(x, _)| *x >= 0.0));
        let area = covered(&half);
        assert_eq!(area.len(), 1);
        assert!(area[0].iter().all(|(x, _)| *x >= -0.051 && *x <= 2.0));
    }

    #[test]
    fn levels_follow_the_values() {
        assert_eq!(levels(&grid(|x, _| x), 4), [-1.0, 0.0, 1.0]);
        let rosenbrock = levels(&grid(|x, y| (1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x)), 10);
        assert_eq!(rosenbrock, [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]);
        // Round numbers above a value that is none.
        let square = |x: f64, y: f64| (x * x + y * y) * (x * x + y * y);
        let high = levels(&grid(|x, y| 4196.4 + 1000.0 * square(x, y)), 10);
        assert!(high.len() > 5 && high.iter().all(|level| level.fract() == 0.0), "{high:?}");
        assert!(high.windows(2).all(|pair| pair[0] < pair[1]), "{high:?}");
        // Poles on both sides do not hide what is between.
        let poles = levels(&grid(|x, y| 1.0 / ((x - 0.013) * (y - 0.017))), 10);
        assert_eq!(poles.len(), 10);
        assert!(poles[0] > -100.0 && poles[9] < 100.0, "{poles:?}");
        assert!(levels(&grid(|_, _| 1.0), 10).is_empty());
        assert!(levels(&grid(|_, _| f64::NAN), 10).is_empty());
    }

    #[test]
    fn a_block_keeps_its_extreme() {
        let n = 1000;
        let mut z = vec![0.0; n * n];
        z[123 * n + 456] = 7.0;
        let at: Vec<f64> = (0..n).map(real).collect();
        let small = blocks(&Grid { x: at.clone(), y: at, z }, 100, 100);
        assert_eq!((small.x.len(), small.y.len(), small.z[12 * 100 + 45]), (100, 100, 7.0));
    }
}
