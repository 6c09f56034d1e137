//! Axes: their ends, their ticks, and the numbers at them.

use super::figure::Axis;
use super::{count, real};

/// The least positive double.
pub(super) const LEAST: f64 = 5e-324;

/// A map from values to the unit interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) lo: f64,
    pub(super) hi: f64,
    pub(super) log: bool,
    /// Whether all values on it are whole numbers, such as steps: so are its ticks.
    pub(super) whole: bool,
}

/// A tick: where it is, and what stands at it; small ones have no number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) text: Option<String>,
}

impl Scale {
    /// The scale of an axis on which these values are shown. Where they do not fill it `tight`ly, there is some room.
    pub(super) fn of(axis: &Axis, values: &[f64], tight: bool) -> Scale {
        let log = axis.log == Some(true);
        if let Some((lo, hi)) = axis.ends.filter(|(lo, hi)| !log || (*lo > 0.0 && *hi > 0.0)) {
            return Scale { lo, hi, log, whole: false };
        }
        let shown = values.iter().copied().filter(|v| v.is_finite() && !(log && *v <= 0.0));
        let (lo, hi) = ends(shown).unwrap_or((0.0, 1.0));
        let (lo, hi) = if lo < hi { (lo, hi) } else { around(lo, log) };
        let whole = !values.is_empty() && values.iter().all(|v| v.fract() == 0.0);
        let scale = Scale { lo, hi, log, whole };
        if tight {
            return scale;
        }
        if axis.counts {
            return Scale { lo: 0.0, hi: hi * 1.05, ..scale };
        }
        // A little room, so that nothing is drawn upon the frame.
        Scale { lo: scale.value(-0.03), hi: scale.value(1.03), ..scale }
    }

    /// Where a value lies: 0 at the lower end, 1 at the upper.
    pub(super) fn place(&self, value: f64) -> f64 {
        if self.log {
            let (lo, hi) = (self.lo.log10(), self.hi.log10());
            return (value.log10() - lo) / (hi - lo);
        }
        if (self.hi - self.lo).is_finite() {
            return (value - self.lo) / (self.hi - self.lo);
        }
        // Halves, so that the whole range of doubles does not overflow.
        (value / 2.0 - self.lo / 2.0) / (self.hi / 2.0 - self.lo / 2.0)
    }

    /// The value at a place.
    pub(super) fn value(&self, place: f64) -> f64 {
        if self.log {
            // A ratio near one: its powers are made of products.
            let decades = self.hi.log10() - self.lo.log10();
            let shift = if place < 0.5 { place } else { place - 1.0 };
            let from = if place < 0.5 { self.lo } else { self.hi };
            return clamped(from * power_of_ten(shift * decades)).max(LEAST);
        }
        clamped(self.lo * (1.0 - place) + self.hi * place)
    }

    /// Ticks at round numbers, about so many.
    pub(super) fn ticks(&self, about: usize) -> Vec<Tick> {
        if !self.log {
            return linear(self.lo, self.hi, about, if self.whole { 1.0 } else { 0.0 });
        }
        let (lo, hi) = (self.lo.log10(), self.hi.log10());
        if hi - lo < 1.0 {
            // Not even a decade: round numbers as on a linear axis.
            return linear(self.lo, self.hi, about, 0.0);
        }
        decades(lo, hi, about)
    }
}

/// The least and the greatest.
pub(super) fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, v| match ends {
        None => Some((v, v)),
        Some((lo, hi)) => Some((lo.min(v), hi.max(v))),
    })
}

/// An interval around a single value.
fn around(value: f64, log: bool) -> (f64, f64) {
    if log {
        ((value / 10.0).max(LEAST), clamped(value * 10.0))
    } else if value == 0.0 {
        (-1.0, 1.0)
    } else {
        let room = (value.abs() / 10.0).max(f64::MIN_POSITIVE);
        (clamped(value - room), clamped(value + room))
    }
}

pub(super) fn clamped(x: f64) -> f64 {
    x.clamp(f64::MIN, f64::MAX)
}

/// 10^x to a few digits, from products and roots alone, so that it is the same on every machine.
pub(super) fn power_of_ten(x: f64) -> f64 {
    let whole = x.floor();
    #[expect(clippy::cast_possible_truncation, reason = "an exponent of a double is small")]
    let mut value = ten_to(whole as i32);
    let (mut rest, mut root) = (x - whole, 10.0_f64);
    for _ in 0..40 {
        root = root.sqrt();
        rest *= 2.0;
        if rest >= 1.0 {
            value *= root;
            rest -= 1.0;
        }
    }
    value
}

/// The power of ten that is nearest to it as a double.
pub(super) fn ten_to(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().unwrap_or(f64::INFINITY)
}

/// Multiples of 1, 2 or 5 times a power of ten, so far apart at `least`.
fn linear(lo: f64, hi: f64, about: usize, least: f64) -> Vec<Tick> {
    let rough = (hi / real(about.max(1)) - lo / real(about.max(1))).max(f64::MIN_POSITIVE).max(least);
    #[expect(clippy::cast_possible_truncation, reason = "an exponent of a double is small")]
    let exponent = rough.log10().floor() as i32;
    let steps = [(1.0, 0), (2.0, 0), (5.0, 0), (1.0, 1)];
    let (digit, exponent) = steps
        .iter()
        .map(|(digit, up)| (*digit, exponent + up))
        .find(|(digit, exponent)| digit * ten_to(*exponent) >= rough * 0.999)
        .unwrap_or((1.0, exponent + 1));
    let step = digit * ten_to(exponent);
    if step <= 0.0 || !step.is_finite() {
        return Vec::new();
    }
    let first = (lo / step - 1e-9).ceil();
    let number = count((hi / step + 1e-9).floor() - first + 1.0).min(100);
    let values: Vec<f64> = (0..number).map(|k| first + real(k)).collect();
    // `3 * 0.1` is not 0.3: the digits are counted in steps.
    let value = |k: f64| if (-300..0).contains(&exponent) { k * digit / ten_to(-exponent) } else { k * step };
    let greatest = values.iter().map(|k| value(*k).abs()).fold(0.0, f64::max);
    let mut texts: Vec<String> = values.iter().map(|k| text(value(*k), exponent, greatest)).collect();
    let alike = texts.windows(2).any(|pair| pair[0] == pair[1]);
    if alike || texts.iter().any(|text| text.chars().count() > LONG) {
        let full = values.iter().map(|k| signed(&format!("{:e}", value(*k)))).collect();
        let far = |j: usize, k: usize| value(values[j] - values[k]);
        texts = from_base(full, far, exponent);
    }
    values.iter().zip(texts).map(|(k, text)| Tick { at: value(*k), text: Some(text) }).collect()
}

/// A number at a tick has at most so many letters.
const LONG: usize = 10;

/// One of the numbers in full, the shortest, and of all others how far they are from it.
fn from_base(full: Vec<String>, far: impl Fn(usize, usize) -> f64, exponent: i32) -> Vec<String> {
    let Some(base) = (0..full.len()).min_by_key(|k| full[*k].chars().count()) else { return full };
    let most = (0..full.len()).map(|k| far(k, base).abs()).fold(0.0, f64::max);
    let text = |k: usize| match far(k, base) {
        _ if k == base => full[base].clone(),
        more if more > 0.0 => format!("+{}", text(more, exponent, most)),
        less => text(less, exponent, most),
    };
    (0..full.len()).map(text).collect()
}

/// A multiple of a power of ten, with as many digits as all ticks need.
fn text(value: f64, exponent: i32, greatest: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !(1e-4..1e6).contains(&greatest) {
        return scientific(value);
    }
    let decimals = usize::try_from(-exponent).unwrap_or(0);
    signed(&format!("{value:.decimals$}"))
}

/// `1.5e-7`
pub(super) fn scientific(value: f64) -> String {
    let text = format!("{value:.6e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    signed(&format!("{digits}e{power}"))
}

/// With the sign of typographers.
fn signed(text: &str) -> String {
    text.replace('-', "−")
}

/// Powers of ten, every so many, with small ticks between.
fn decades(lo: f64, hi: f64, about: usize) -> Vec<Tick> {
    #[expect(clippy::cast_possible_truncation, reason = "an exponent of a double is small")]
    let (first, last) = ((lo - 1e-9).ceil() as i32, (hi + 1e-9).floor() as i32);
    let number = usize::try_from(last - first + 1).unwrap_or(0);
    let every =
        [1, 2, 3, 5, 10, 20, 50, 100, 200].into_iter().find(|every| number <= about * every).unwrap_or(500);
    let mut ticks = Vec::new();
    let every_i = i32::try_from(every).unwrap_or(1);
    // Where few decades are seen, some multiples have numbers too.
    let numbered: &[u8] = if number <= 2 { &[2, 5] } else { &[] };
    for exponent in first - 1..=last {
        let at = ten_to(exponent);
        if exponent >= first {
            let shown = exponent.rem_euclid(every_i) == 0;
            ticks.push(Tick { at, text: shown.then(|| power(exponent)) });
        }
        if every > 1 {
            // With many decades between numbers even those would be too many.
            if every > 5 && exponent >= first && exponent.rem_euclid(every_i) != 0 {
                ticks.pop();
            }
            continue;
        }
        for k in 2..10_u8 {
            let at = at * f64::from(k);
            let place = at.log10();
            if place > lo - 1e-9 && place < hi + 1e-9 {
                let text = numbered.contains(&k).then(|| multiple(k, exponent));
                ticks.push(Tick { at, text });
            }
        }
    }
    ticks
}

fn power(exponent: i32) -> String {
    multiple(1, exponent)
}

/// Small powers are written out.
fn multiple(digit: u8, exponent: i32) -> String {
    match exponent {
        0..=3 => format!("{digit}{}", "0".repeat(usize::try_from(exponent).unwrap_or(0))),
        -3..=-1 => format!("0.{}{digit}", "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0))),
        _ => signed(&format!("{digit}e{exponent}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, Scale, linear};

    fn texts(lo: f64, hi: f64) -> Vec<String> {
        linear(lo, hi, 6, 0.0).into_iter().filter_map(|tick| tick.text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(-1.2, 1.9), ["−1", "0", "1"]);
        assert_eq!(texts(0.0, 3.1e7), ["0", "1e7", "2e7", "3e7"]);
        assert_eq!(texts(1e-9, 3e-9), ["1e−9", "1.5e−9", "2e−9", "2.5e−9", "3e−9"]);
        assert_eq!(texts(1000.2, 1000.9), ["1000.2", "1000.4", "1000.6", "1000.8"]);
        // Numbers that are long or alike are told by how far they are from one of them.
        assert_eq!(texts(1e10, 1e10 + 1e-5), ["1e10", "+2e−6", "+4e−6", "+6e−6", "+8e−6", "+1e−5"]);
        assert_eq!(texts(-1e10 - 1.0, -1e10 + 1.0), ["−1.0", "−0.5", "−1e10", "+0.5", "+1.0"]);
    }

    #[test]
    fn whole_numbers_have_whole_ticks() {
        let scale = Scale::of(&Axis::default(), &[0.0, 1.0, 2.0], false);
        let shown: Vec<String> = scale.ticks(6).into_iter().filter_map(|tick| tick.text).collect();
        assert_eq!(shown, ["0", "1", "2"]);
    }

    #[test]
    fn decades_have_numbers() {
        let scale = Scale { lo: 3e-8, hi: 20.0, log: true, whole: false };
        let shown: Vec<String> = scale.ticks(6).into_iter().filter_map(|tick| tick.text).collect();
        assert_eq!(shown, ["1e−6", "1e−4", "0.01", "1"]);
    }

    #[test]
    fn extreme_values_have_finite_places() {
        for values in [[f64::MIN, f64::MAX], [0.0, 5e-324], [1e308, 1.1e308], [-5e-324, 5e-324], [3.0, 3.0]] {
            let scale = Scale::of(&Axis::default(), &values, false);
            for value in values {
                assert!((0.0..=1.0).contains(&scale.place(value)), "{values:?}: {scale:?}");
            }
            assert!(scale.ticks(6).len() <= 100);
            let log = Axis { log: Some(true), ..Axis::default() };
            let scale = Scale::of(&log, &values, false);
            assert!(scale.lo > 0.0 && scale.lo < scale.hi && scale.ticks(6).len() < 500, "{scale:?}");
        }
    }
}
