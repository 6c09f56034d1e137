//! Histograms: how often values occur in classes.

use super::axis::{LEAST, clamped, power_of_ten};
use super::{count, real};

/// The edges of classes and how many values each has; as many as Freedman and Diaconis give, between 5 and 100. On a
/// logarithmic axis the classes are equally wide there, and only positive values are counted.
pub fn classes(values: &[f64], bins: Option<usize>, log: bool) -> (Vec<f64>, Vec<f64>) {
    let measure = |x: f64| if log { x.log10() } else { x };
    let shown = values.iter().copied().filter(|x| x.is_finite() && !(log && *x <= 0.0));
    let mut sorted: Vec<f64> = shown.map(measure).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(lo), Some(hi)) = (sorted.first().copied(), sorted.last().copied()) else {
        return (Vec::new(), Vec::new());
    };
    let room = (lo.abs() / 1024.0).max(0.5);
    let (lo, hi) = if lo < hi { (lo, hi) } else { (clamped(lo - room), clamped(lo + room)) };
    let n = sorted.len();
    // Halves, so that the whole range of doubles does not overflow.
    let quarters = sorted[3 * n / 4] / 2.0 - sorted[n / 4] / 2.0;
    let width = 2.0 * quarters / cube_root(real(n));
    let half = hi / 2.0 - lo / 2.0;
    let fitting = if width > 0.0 { count((half / width).ceil()) } else { 10 };
    let bins = bins.unwrap_or(fitting.clamp(5, 100));
    let mut counts = vec![0.0; bins];
    for x in &sorted {
        let class = count((x / 2.0 - lo / 2.0) / half * real(bins));
        counts[class.min(bins - 1)] += 1.0;
    }
    let edge = |k: usize| {
        let part = real(k) / real(bins);
        let at = lo * (1.0 - part) + hi * part;
        if log { clamped(power_of_ten(at)).max(LEAST) } else { at }
    };
    ((0..=bins).map(edge).collect(), counts)
}

/// The cube root, to a few digits: classes need no more.
fn cube_root(x: f64) -> f64 {
    let mut root = x.sqrt().max(1.0);
    for _ in 0..40 {
        root = (2.0 * root + x / (root * root)) / 3.0;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::classes;

    #[test]
    fn the_whole_range_of_doubles_has_classes() {
        let (edges, counts) = classes(&[-1.7e308, 1.7e308, 0.0], Some(4), false);
        let near = [-1.7e308, -8.5e307, 0.0, 8.5e307, 1.7e308];
        assert!(edges.iter().zip(near).all(|(a, b)| (a - b).abs() < 1e293), "{edges:?}");
        assert_eq!(counts, [1.0, 0.0, 1.0, 1.0]);
        for value in [1e300, f64::MAX, -1e17, 5e-324, 0.0] {
            let (edges, counts) = classes(&[value, value], None, false);
            assert!(edges.windows(2).all(|pair| pair[0] < pair[1]), "{value}: {edges:?}");
            assert_eq!(counts.iter().sum::<f64>(), 2.0);
        }
    }

    #[test]
    fn logarithmic_classes_are_decades() {
        let (edges, counts) = classes(&[-1.0, 0.0, 1.0, 2.0, 30.0, 10_000.0], Some(4), true);
        let near = [1.0, 10.0, 100.0, 1000.0, 10_000.0];
        assert!(edges.iter().zip(near).all(|(a, b)| (a / b - 1.0).abs() < 1e-9), "{edges:?}");
        assert_eq!(counts, [2.0, 1.0, 0.0, 1.0]);
        assert_eq!(classes(&[-1.0, 0.0], None, true), (Vec::new(), Vec::new()));
    }
}
