//! Lines of many points: cut at gaps, clipped to their panel, thinned without losing extremes.

use super::scene::Point;

/// How far a line may move by leaving out points, in pixels.
const TOLERANCE: f64 = 0.1;

/// So many points are simplified together.
const TOGETHER: usize = 512;

/// A piece of so many points is thinned before more are added.
const MANY: usize = 1 << 16;

/// The pieces of a line between its gaps. A point between two gaps is a piece of its own. Of very many points in pixels
/// not all are kept, see [`thinned`].
pub(super) fn pieces(points: impl Iterator<Item = Option<Point>>) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    let (mut open, mut most) = (false, MANY);
    for point in points {
        match (point, pieces.last_mut().filter(|_| open)) {
            (Some(point), Some(piece)) => {
                piece.push(point);
                if piece.len() >= most {
                    if is_ascending(piece) {
                        *piece = by_column(piece);
                    }
                    most = MANY.max(2 * piece.len());
                }
            }
            (Some(point), None) => {
                pieces.push(vec![point]);
                most = MANY;
            }
            (None, _) => {}
        }
        open = point.is_some();
    }
    pieces
}

/// The parts of a line inside of a rectangle.
pub(super) fn clipped(line: &[Point], lo: Point, hi: Point) -> Vec<Vec<Point>> {
    let inside = |p: Point| p.0 >= lo.0 && p.0 <= hi.0 && p.1 >= lo.1 && p.1 <= hi.1;
    if line.iter().all(|p| inside(*p)) {
        return vec![line.to_vec()];
    }
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for pair in line.windows(2) {
        let Some((a, b)) = clipped_segment(pair[0], pair[1], lo, hi) else { continue };
        match parts.last_mut().filter(|part| part.last() == Some(&a)) {
            Some(part) => part.push(b),
            None => parts.push(vec![a, b]),
        }
    }
    parts
}

/// Liang and Barsky's clipping of a segment.
fn clipped_segment(a: Point, b: Point, lo: Point, hi: Point) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut from, mut to) = (0.0_f64, 1.0_f64);
    for (p, q) in [(-dx, a.0 - lo.0), (dx, hi.0 - a.0), (-dy, a.1 - lo.1), (dy, hi.1 - a.1)] {
        if p == 0.0 {
            if q < 0.0 {
                return None;
            }
        } else if p < 0.0 {
            from = from.max(q / p);
        } else {
            to = to.min(q / p);
        }
    }
    let at = |t: f64| (a.0 + t * dx, a.1 + t * dy);
    let start = if from == 0.0 { a } else { at(from) };
    let end = if to == 1.0 { b } else { at(to) };
    (from <= to).then_some((start, end))
}

/// Fewer points that look the same: of a line from left to right the first, least, greatest and last of each half
/// pixel, then those that are not on the line through their neighbours.
pub(super) fn thinned(line: &[Point]) -> Vec<Point> {
    let line = if is_ascending(line) && line.len() > 64 { by_column(line) } else { line.to_vec() };
    let mut kept: Vec<Point> = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let end = (at + TOGETHER).min(line.len());
        let part = simplified(&line[at..end]);
        // The first of a part is the last of the part before.
        kept.extend(part.into_iter().skip(usize::from(at > 0)));
        if end == line.len() {
            break;
        }
        at = end - 1;
    }
    kept
}

/// Whether a line goes from left to right.
fn is_ascending(line: &[Point]) -> bool {
    line.windows(2).all(|pair| pair[0].0 <= pair[1].0)
}

fn by_column(line: &[Point]) -> Vec<Point> {
    let mut kept = Vec::new();
    let column = |p: &Point| (p.0 * 2.0).floor();
    for group in line.chunk_by(|a, b| column(a) == column(b)) {
        let least = (0..group.len()).min_by(|a, b| group[*a].1.total_cmp(&group[*b].1)).unwrap_or(0);
        let most = (0..group.len()).max_by(|a, b| group[*a].1.total_cmp(&group[*b].1)).unwrap_or(0);
        let mut places = vec![0, least.min(most), least.max(most), group.len() - 1];
        places.dedup();
        kept.extend(places.into_iter().map(|k| group[k]));
    }
    kept
}

/// Douglas and Peucker's simplification.
fn simplified(line: &[Point]) -> Vec<Point> {
    if line.len() < 3 {
        return line.to_vec();
    }
    let mut keep = vec![false; line.len()];
    keep[0] = true;
    keep[line.len() - 1] = true;
    let mut todo = vec![(0, line.len() - 1)];
    while let Some((from, to)) = todo.pop() {
        let away = |k: usize| distance(line[k], line[from], line[to]);
        let Some(far) = (from + 1..to).max_by(|a, b| away(*a).total_cmp(&away(*b))) else { continue };
        if away(far) > TOLERANCE {
            keep[far] = true;
            todo.push((from, far));
            todo.push((far, to));
        }
    }
    line.iter().zip(keep).filter(|(_, keep)| *keep).map(|(point, _)| *point).collect()
}

/// How far a point is from a segment.
fn distance(p: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let square = dx * dx + dy * dy;
    let t = if square > 0.0 { ((p.0 - a.0) * dx + (p.1 - a.1) * dy) / square } else { 0.0 };
    let t = t.clamp(0.0, 1.0);
    let (ex, ey) = (p.0 - a.0 - t * dx, p.1 - a.1 - t * dy);
    (ex * ex + ey * ey).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::real;
    use super::{clipped, pieces, thinned};

    #[test]
    fn a_gap_cuts_a_line() {
        let points = [Some((0.0, 1.0)), None, None, Some((3.0, 1.0)), Some((4.0, 2.0))];
        assert_eq!(pieces(points.into_iter()), [vec![(0.0, 1.0)], vec![(3.0, 1.0), (4.0, 2.0)]]);
    }

    #[test]
    fn a_spike_among_many_points_is_kept() {
        let line: Vec<(f64, f64)> =
            (0..1_000_000).map(|k| (real(k) * 6e-4, if k == 654_321 { 300.0 } else { 100.0 })).collect();
        let thin = thinned(&line);
        assert!(thin.len() < 10, "{}", thin.len());
        assert!(thin.contains(&line[654_321]));
    }

    #[test]
    fn very_many_points_are_thinned_on_the_way() {
        let points = (0..1_000_000).map(|k| {
            let spike = if k == 654_321 { 300.0 } else { 100.0 };
            (k != 900_000).then_some((real(k) * 6e-4, spike))
        });
        let found = pieces(points);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|piece| piece.len() < 1 << 17), "{}", found[0].len());
        assert!(found[0].contains(&(654_321.0 * 6e-4, 300.0)));
        assert_eq!(found[1].last(), Some(&(999_999.0 * 6e-4, 100.0)));
    }

    #[test]
    fn what_is_outside_is_cut_off() {
        let line = [(-1.0, 0.5), (0.5, 0.5), (0.5, 3.0), (0.6, 3.0), (0.6, 0.5)];
        let parts = clipped(&line, (0.0, 0.0), (1.0, 1.0));
        assert_eq!(parts, [vec![(0.0, 0.5), (0.5, 0.5), (0.5, 1.0)], vec![(0.6, 1.0), (0.6, 0.5)]]);
    }
}
