//! What repeated measurements say: medians with intervals that hold for any distribution, and whether one is
//! faster than another.
//!
//! The number of measurements below the true median is that of heads among fair coins, whatever they are
//! distributed like; so two of the sorted measurements enclose it with a probability that can be counted
//! (Thompson, 1936; Savur, 1937).

/// The probability with which the interval of a median holds at least.
pub const CONFIDENCE: f64 = 0.95;

/// The probability with which the interval of a ratio holds at least. There is a ratio for each part of each program,
/// and one of twenty called different by chance would be too many.
pub const SURE: f64 = 0.99;

/// What a list of measurements says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Half lie below it.
    pub median: f64,
    /// Encloses the true median with at least [`CONFIDENCE`]; none of fewer than six measurements.
    pub interval: Option<(f64, f64)>,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
    /// The range of the middle half, as a share of the median.
    pub spread: f64,
}

impl Figures {
    /// Those of some measurements, if there are any.
    pub fn of(measured: &[f64]) -> Option<Figures> {
        let sorted = sorted(measured);
        let (least, greatest) = (*sorted.first()?, *sorted.last()?);
        let median = middle(&sorted);
        let quarter = sorted.len() / 4;
        let half = sorted[sorted.len() - 1 - quarter] - sorted[quarter];
        let spread = if median > 0.0 { half / median } else { 0.0 };
        Some(Figures { median, interval: interval(&sorted, CONFIDENCE), least, greatest, spread })
    }

    /// The width of the interval as a share of the median; infinite where there is no interval.
    pub fn width(&self) -> f64 {
        match self.interval {
            Some((low, high)) if self.median > 0.0 => (high - low) / self.median,
            Some((low, high)) if low == high => 0.0,
            _ => f64::INFINITY,
        }
    }
}

/// What can be said of two lists of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The new one takes less time.
    Faster,
    /// It takes more.
    Slower,
    /// The interval of the ratio holds 1.
    None,
    /// There are too few measurements for an interval.
    Unknown,
}

impl Difference {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Difference::Faster => "faster",
            Difference::Slower => "slower",
            Difference::None => "no difference seen",
            Difference::Unknown => "too few rounds to tell",
        }
    }
}

/// A time as a multiple of another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// The new over the old.
    pub ratio: f64,
    /// Encloses the true ratio with at least [`SURE`].
    pub interval: Option<(f64, f64)>,
}

impl Ratio {
    /// Of two programs measured in turn: the median of the ratios of each round, so that what slows a round down
    /// slows both. None if there is nothing to divide by.
    pub fn in_turn(new: &[f64], old: &[f64]) -> Option<Ratio> {
        let pairs = new.iter().zip(old).filter(|(_, old)| **old > 0.0);
        let ratios = sorted(&pairs.map(|(new, old)| new / old).collect::<Vec<_>>());
        (!ratios.is_empty()).then(|| Ratio { ratio: middle(&ratios), interval: interval(&ratios, SURE) })
    }

    /// Of two lists measured at different times: the ends of intervals that hold with half the doubt each.
    pub fn apart(new: &[f64], old: &[f64]) -> Option<Ratio> {
        let (new, old) = (sorted(new), sorted(old));
        if new.is_empty() || old.is_empty() || middle(&old) <= 0.0 {
            return None;
        }
        let each = 1.0 - (1.0 - SURE) / 2.0;
        let both = interval(&new, each).zip(interval(&old, each));
        let ends = both.filter(|(_, (low, _))| *low > 0.0);
        let interval = ends.map(|((low, high), (old_low, old_high))| (low / old_high, high / old_low));
        Some(Ratio { ratio: middle(&new) / middle(&old), interval })
    }

    /// What it says of the new one.
    pub fn difference(&self) -> Difference {
        match self.interval {
            None => Difference::Unknown,
            Some((_, high)) if high < 1.0 => Difference::Faster,
            Some((low, _)) if low > 1.0 => Difference::Slower,
            Some(_) => Difference::None,
        }
    }
}

fn sorted(measured: &[f64]) -> Vec<f64> {
    let mut sorted = measured.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The median of a sorted list that is not empty.
fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

/// Two of the sorted measurements that enclose the true median with at least a probability.
fn interval(sorted: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let outside = rank(sorted.len(), confidence)?;
    Some((sorted[outside], sorted[sorted.len() - 1 - outside]))
}

/// How many of n sorted measurements may be left out at each end; none if n are too few even with none left out.
fn rank(n: usize, confidence: f64) -> Option<usize> {
    let weights = coins(n);
    let whole: f64 = weights.iter().sum();
    let mut below = 0.0;
    let mut found = None;
    for (heads, weight) in weights.iter().enumerate().take(n.div_ceil(2)) {
        below += weight;
        if 2.0 * below / whole > 1.0 - confidence {
            break;
        }
        found = Some(heads);
    }
    found
}

/// How probable each number of heads of n coins is, up to a factor. The greatest is 1, so that none is too large;
/// those that are too small are 0.
#[expect(clippy::cast_precision_loss, reason = "numbers of rounds are small")]
fn coins(n: usize) -> Vec<f64> {
    let mut weights = vec![1.0; n + 1];
    for heads in n / 2 + 1..=n {
        weights[heads] = weights[heads - 1] * (n + 1 - heads) as f64 / heads as f64;
    }
    for heads in (0..n / 2).rev() {
        weights[heads] = weights[heads + 1] * (heads + 1) as f64 / (n - heads) as f64;
    }
    weights
}

/// Numbers that look random, from a seed: xorshift64*.
#[derive(Debug, Clone)]
pub struct Shuffle(u64);

impl Shuffle {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Shuffle {
        Shuffle(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// The numbers below n in an order of their own.
    pub fn order(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            let at = usize::try_from(self.next() >> 32).unwrap_or(0) % (last + 1);
            order.swap(at, last);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::{CONFIDENCE, Difference, Figures, Ratio, Shuffle, coins, interval, rank, sorted};

    /// A number in (0, 1).
    fn unit(noise: &mut Shuffle) -> f64 {
        ((noise.next() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Times with a long tail, and steps as of a coarse clock. The median is 2.
    fn skewed(noise: &mut Shuffle) -> f64 {
        let u = unit(noise);
        1.0 / (1.0 - u)
    }

    /// The probability that the interval of n measurements holds the median.
    fn coverage(n: usize, outside: usize) -> f64 {
        let weights = coins(n);
        let whole: f64 = weights.iter().sum();
        1.0 - 2.0 * weights[..=outside].iter().sum::<f64>() / whole
    }

    #[test]
    fn ranks_are_those_of_the_tables() {
        // Conover, Practical Nonparametric Statistics, and counting coins by hand.
        for (n, left_out) in
            [(6, 0), (8, 0), (9, 1), (10, 1), (15, 3), (20, 5), (25, 7), (30, 9), (50, 17), (100, 39)]
        {
            assert_eq!(rank(n, CONFIDENCE), Some(left_out), "of {n}");
        }
        assert_eq!((rank(0, CONFIDENCE), rank(1, CONFIDENCE), rank(5, CONFIDENCE)), (None, None, None));
        assert!((coverage(6, 0) - 0.96875).abs() < 1e-12);
        for n in [6, 7, 100, 1_000, 10_001] {
            let outside = rank(n, CONFIDENCE).expect("they are enough");
            assert!(coverage(n, outside) >= CONFIDENCE, "{n}");
            assert!(coverage(n, outside + 1) < CONFIDENCE, "{n}: it is as narrow as it may be");
        }
    }

    #[test]
    fn intervals_hold_the_median_as_often_as_they_say() {
        let mut noise = Shuffle::new(7);
        for n in [6, 10, 31, 100] {
            let trials = 4_000;
            let held = (0..trials).filter(|_| {
                let list: Vec<f64> = (0..n).map(|_| skewed(&mut noise)).collect();
                let (low, high) = interval(&sorted(&list), CONFIDENCE).expect("they are enough");
                low <= 2.0 && 2.0 <= high
            });
            let share = held.count() as f64 / f64::from(trials);
            let exact = coverage(n, rank(n, CONFIDENCE).expect("they are enough"));
            assert!(
                (share - exact).abs() < 4.0 * (exact * (1.0 - exact) / f64::from(trials)).sqrt(),
                "{n}: {share} {exact}"
            );
        }
    }

    #[test]
    fn equal_programs_are_seldom_called_different() {
        let mut noise = Shuffle::new(3);
        let mut wrong = [0, 0];
        let trials = 2_000;
        for _ in 0..trials {
            let mut list = || (0..20).map(|_| skewed(&mut noise)).collect::<Vec<f64>>();
            let (new, old) = (list(), list());
            for (at, ratio) in [Ratio::in_turn(&new, &old), Ratio::apart(&new, &old)].into_iter().enumerate()
            {
                wrong[at] += usize::from(ratio.expect("there are times").difference() != Difference::None);
            }
        }
        assert!(wrong.iter().all(|count| *count < trials / 100 + 20), "{wrong:?} of {trials}");
        assert!(wrong[0] > 0, "they are called so now and then");
    }

    #[test]
    fn a_drift_that_slows_both_down_is_no_difference() {
        let mut noise = Shuffle::new(5);
        let drift: Vec<f64> = (0..40).map(|k| 1.0 + f64::from(k) / 10.0).collect();
        let mut measured = |factor: f64| {
            drift.iter().map(|d| factor * d * (1.0 + 0.01 * unit(&mut noise))).collect::<Vec<_>>()
        };
        let (one, same, slow) = (measured(1.0), measured(1.0), measured(1.1));
        let difference = |a: &[f64], b: &[f64]| Ratio::in_turn(a, b).expect("there are times").difference();
        assert_eq!(difference(&slow, &one), Difference::Slower);
        assert_eq!(difference(&one, &slow), Difference::Faster);
        let ratio = Ratio::in_turn(&same, &one).expect("there are times");
        assert!((ratio.ratio - 1.0).abs() < 0.01, "{ratio:?}");
        assert_eq!(Ratio::apart(&slow, &one).expect("there are times").difference(), Difference::None);
    }

    #[test]
    fn figures_of_few_and_of_equal_times() {
        assert_eq!(Figures::of(&[]), None);
        let one = Figures::of(&[3.0]).expect("there is one");
        assert_eq!((one.median, one.interval, one.width()), (3.0, None, f64::INFINITY));
        let six = Figures::of(&[6.0, 1.0, 2.0, 5.0, 4.0, 3.0]).expect("there are six");
        assert_eq!((six.median, six.interval, six.least, six.greatest), (3.5, Some((1.0, 6.0)), 1.0, 6.0));
        assert_eq!(Figures::of(&[2.0; 9]).expect("there are nine").width(), 0.0);
        assert_eq!(Figures::of(&[0.0; 9]).expect("there are nine").width(), 0.0);
        assert_eq!(Ratio::in_turn(&[1.0], &[0.0]), None);
        assert_eq!(Ratio::apart(&[1.0], &[0.0]), None);
        assert_eq!(Ratio::in_turn(&[1.0], &[2.0]).expect("one").difference(), Difference::Unknown);
    }

    #[test]
    fn every_order_comes_up() {
        let mut noise = Shuffle::new(0);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..600 {
            *seen.entry(noise.order(3)).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|count| (60..140).contains(count)), "{seen:?}");
    }
}
