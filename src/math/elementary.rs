//! Elementary functions without branches.
//!
//! One source for one element, for many, and for machine code: with `f64` these compute, inlined into a
//! loop they become vector code, and with [`Traced`](super::trace::Traced) they say which instructions
//! they are made of. Each element has the same bits whichever way it is computed, because nothing is
//! contracted or reordered. The methods and coefficients are those of FreeBSD's msun (by way of the
//! `libm` crate), with the cases told apart by selection; errors stay below one unit in the last place
//! (`tanh`: about two).

use std::num::Wrapping;
use std::ops::{Add, BitAnd, Div, Mul, Neg, Sub};

/// A real, or what stands for one.
pub trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
{
    /// What a comparison gives.
    type Truth: Copy + BitAnd<Output = Self::Truth>;
    /// The bits of a real, as a whole number that wraps.
    type Bits: Bits;

    /// A number.
    fn of(x: f64) -> Self;
    /// `self < other`.
    fn below(self, other: f64) -> Self::Truth;
    /// `self > other`.
    fn above(self, other: f64) -> Self::Truth;
    /// `self <= other`.
    fn within(self, other: f64) -> Self::Truth;
    /// `self >= other`.
    fn not_below(self, other: f64) -> Self::Truth;
    /// `self == other`.
    fn equals(self, other: f64) -> Self::Truth;
    /// One of two.
    fn choose(truth: Self::Truth, yes: Self, no: Self) -> Self;
    /// The absolute value.
    fn size(self) -> Self;
    /// The absolute value with the sign of another.
    fn signed_as(self, other: Self) -> Self;
    /// Its bits.
    fn bits(self) -> Self::Bits;
    /// The real with these bits.
    fn from_bits(bits: Self::Bits) -> Self;
}

/// Sixty-four bits as a whole number.
pub trait Bits: Copy + Sub<Output = Self> {
    /// Adds a number.
    fn plus(self, n: i64) -> Self;
    /// The bits of a mask.
    fn masked(self, mask: i64) -> Self;
    /// Times a power of two.
    fn left(self, by: u8) -> Self;
    /// Divided by a power of two, rounded down.
    fn right(self, by: u8) -> Self;
    /// The upper bits, zeros coming in.
    fn upper(self, by: u8) -> Self;
}

impl Number for f64 {
    type Truth = bool;
    type Bits = Wrapping<i64>;

    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn below(self, other: f64) -> bool {
        self < other
    }
    #[inline(always)]
    fn above(self, other: f64) -> bool {
        self > other
    }
    #[inline(always)]
    fn within(self, other: f64) -> bool {
        self <= other
    }
    #[inline(always)]
    fn not_below(self, other: f64) -> bool {
        self >= other
    }
    #[inline(always)]
    #[expect(clippy::float_cmp, reason = "the comparison is what is asked for")]
    fn equals(self, other: f64) -> bool {
        self == other
    }
    #[inline(always)]
    fn choose(truth: bool, yes: f64, no: f64) -> f64 {
        if truth { yes } else { no }
    }
    #[inline(always)]
    fn size(self) -> f64 {
        self.abs()
    }
    #[inline(always)]
    fn signed_as(self, other: f64) -> f64 {
        self.copysign(other)
    }
    #[inline(always)]
    fn bits(self) -> Wrapping<i64> {
        Wrapping(self.to_bits().cast_signed())
    }
    #[inline(always)]
    fn from_bits(bits: Wrapping<i64>) -> f64 {
        f64::from_bits(bits.0.cast_unsigned())
    }
}

impl Bits for Wrapping<i64> {
    #[inline(always)]
    fn plus(self, n: i64) -> Wrapping<i64> {
        self + Wrapping(n)
    }
    #[inline(always)]
    fn masked(self, mask: i64) -> Wrapping<i64> {
        self & Wrapping(mask)
    }
    #[inline(always)]
    fn left(self, by: u8) -> Wrapping<i64> {
        self << usize::from(by)
    }
    #[inline(always)]
    fn right(self, by: u8) -> Wrapping<i64> {
        self >> usize::from(by)
    }
    #[inline(always)]
    fn upper(self, by: u8) -> Wrapping<i64> {
        Wrapping((self.0.cast_unsigned() >> by).cast_signed())
    }
}

const LN2_HI: f64 = 6.931_471_803_691_238e-1;
const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;
const INV_LN2: f64 = std::f64::consts::LOG2_E;
/// Added and taken away, it rounds to a whole number; added, the number stands in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// Its bits.
const ROUND_BITS: i64 = ROUND.to_bits().cast_signed();

/// `x` rounded to a whole number, which must be below 2^51, and that number.
#[inline(always)]
fn whole<T: Number>(x: T) -> (T, T::Bits) {
    let moved = x + ROUND;
    (moved - ROUND, moved.bits().plus(-ROUND_BITS))
}

/// `2^k` for `k` in -1022 ..= 1023.
#[inline(always)]
fn power_of_two<T: Number>(k: T::Bits) -> T {
    T::from_bits(k.plus(1023).left(52))
}

/// `y * 2^k`, rounded once, for `y` near 1 and `k` in -2000 ..= 2000.
#[inline(always)]
fn scale<T: Number>(y: T, k: T::Bits) -> T {
    let half = k.right(1);
    y * power_of_two::<T>(half) * power_of_two::<T>(k - half)
}

/// `x`, but not beyond the bounds; NaN stays.
#[inline(always)]
fn clamp<T: Number>(x: T, lo: f64, hi: f64) -> T {
    let x = T::choose(x.above(hi), T::of(hi), x);
    T::choose(x.below(lo), T::of(lo), x)
}

/// `e^x`.
#[inline(always)]
pub fn exp<T: Number>(x: T) -> T {
    const P1: f64 = 1.666_666_666_666_660_2e-1;
    const P2: f64 = -2.777_777_777_701_559_3e-3;
    const P3: f64 = 6.613_756_321_437_934e-5;
    const P4: f64 = -1.653_390_220_546_525_2e-6;
    const P5: f64 = 4.138_136_797_057_238_5e-8;
    let x = clamp(x, -746.0, 710.0);
    let (n, k) = whole(x * INV_LN2);
    let (hi, lo) = (x - n * LN2_HI, n * LN2_LO);
    let r = hi - lo;
    let rr = r * r;
    let c = r - rr * (rr * (rr * (rr * (rr * P5 + P4) + P3) + P2) + P1);
    scale((r * c / (T::of(2.0) - c) - lo + hi) + 1.0, k)
}

/// `e^x - 1`.
#[inline(always)]
pub fn expm1<T: Number>(x: T) -> T {
    const Q1: f64 = -3.333_333_333_333_313e-2;
    const Q2: f64 = 1.587_301_587_254_814_6e-3;
    const Q3: f64 = -7.936_507_578_674_88e-5;
    const Q4: f64 = 4.008_217_827_329_362e-6;
    const Q5: f64 = -2.010_992_181_836_243_7e-7;
    let y = clamp(x, -60.0, 710.0);
    let (n, k) = whole(y * INV_LN2);
    let (hi, lo) = (y - n * LN2_HI, n * LN2_LO);
    let r = hi - lo;
    let c = (hi - r) - lo;
    let half = r * 0.5;
    let square = r * half;
    let r1 = square * (square * (square * (square * (square * Q5 + Q4) + Q3) + Q2) + Q1) + 1.0;
    let t = T::of(3.0) - r1 * half;
    let e = square * ((r1 - t) / (T::of(6.0) - r * t));
    let e = (r * (e - c) - c) - square;
    // e^r - 1 is r - e; now 2^k (r - e + 1) - 1, in the order that loses least.
    let (_, short) = whole(-clamp(n, -1.0, 60.0));
    let small = power_of_two::<T>(short);
    let few = scale(r - e + (T::of(1.0) - small), k);
    let many = scale(r - (e + small) + 1.0, k);
    let below = scale(r - e + 1.0, k) - 1.0;
    let most = T::choose(n.above(56.0), below, many);
    let above = T::choose(n.below(20.0), few, most);
    let sum = T::choose(n.below(0.0), below, above);
    let sum = T::choose(n.equals(-1.0), (r - e) * 0.5 - 0.5, sum);
    let sum = T::choose(n.equals(0.0), r - e, sum);
    // Tiny arguments are their own result, with their sign.
    T::choose(x.size().below(5.551_115_123_125_783e-17), x, sum)
}

const LG1: f64 = 6.666_666_666_666_735e-1;
const LG2: f64 = 3.999_999_999_940_942e-1;
const LG3: f64 = 2.857_142_874_366_239e-1;
const LG4: f64 = 2.222_219_843_214_978_4e-1;
const LG5: f64 = 1.818_357_216_161_805e-1;
const LG6: f64 = 1.531_383_769_920_937_3e-1;
const LG7: f64 = 1.479_819_860_511_658_6e-1;

/// `k` and `f` with `x = 2^k (1 + f)`, `1 + f` between the square roots of 1/2 and 2.
#[inline(always)]
fn parts<T: Number>(x: T) -> (T, T) {
    const ROOT: i64 = 0x3fe6_a09e_0000_0000;
    const ONE: i64 = 0x3ff0_0000_0000_0000;
    let bits = x.bits().plus(ONE - ROOT);
    let k = bits.upper(52).plus(-1023);
    let rest = bits.masked(0x000f_ffff_ffff_ffff).plus(ROOT);
    // A small whole number as a real.
    let k = T::from_bits(k.plus(ROUND_BITS)) - ROUND;
    (k, T::from_bits(rest) - 1.0)
}

/// `log(1 + f) + k log 2 + c`.
#[inline(always)]
fn log_of_parts<T: Number>(k: T, f: T, c: T) -> T {
    let hfsq = f * 0.5 * f;
    let s = f / (f + 2.0);
    let z = s * s;
    let w = z * z;
    let t1 = w * (w * (w * LG6 + LG4) + LG2);
    let t2 = z * (w * (w * (w * LG7 + LG5) + LG3) + LG1);
    let r = t2 + t1;
    s * (hfsq + r) + (k * LN2_LO + c) - hfsq + f + k * LN2_HI
}

/// Natural logarithm.
#[inline(always)]
pub fn log<T: Number>(x: T) -> T {
    const TWO_54: f64 = 18_014_398_509_481_984.0;
    let subnormal = x.below(f64::MIN_POSITIVE);
    let y = T::choose(subnormal, x * TWO_54, x);
    let (k, f) = parts(y);
    let k = T::choose(subnormal, k - 54.0, k);
    let log = log_of_parts(k, f, T::of(0.0));
    // Also NaN, which is not below infinity.
    let log = T::choose(x.below(f64::INFINITY), log, x);
    let log = T::choose(x.equals(0.0), T::of(f64::NEG_INFINITY), log);
    T::choose(x.below(0.0), T::of(f64::NAN), log)
}

/// `log(1 + x)`.
#[inline(always)]
pub fn log1p<T: Number>(x: T) -> T {
    let u = x + 1.0;
    let (k, f) = parts(u);
    let lost = T::choose(k.not_below(2.0), T::of(1.0) - (u - x), x - (u - 1.0));
    let c = T::choose(k.below(54.0), lost / u, T::of(0.0));
    // Near 0, 1 + x need not be rounded at all.
    let near = x.above(-0.292_893_218_813_452_5) & x.below(0.414_213_562_373_095);
    let k = T::choose(near, T::of(0.0), k);
    let f = T::choose(near, x, f);
    let c = T::choose(near, T::of(0.0), c);
    let log = log_of_parts(k, f, c);
    let log = T::choose(x.below(f64::INFINITY), log, x);
    let log = T::choose(x.size().below(1.110_223_024_625_156_5e-16), x, log);
    let log = T::choose(x.equals(-1.0), T::of(f64::NEG_INFINITY), log);
    T::choose(x.below(-1.0), T::of(f64::NAN), log)
}

/// Hyperbolic tangent.
#[inline(always)]
pub fn tanh<T: Number>(x: T) -> T {
    let a = x.size();
    let (small, large) = (a.within(0.255_412_811_882_995_3), a.above(0.549_306_144_334_054_8));
    let t = expm1(T::choose(small, a * -2.0, a * 2.0));
    let over = T::choose(large, T::of(2.0), t);
    let over = T::choose(small, -t, over);
    let q = over / (t + 2.0);
    let y = T::choose(large, T::of(1.0) - q, q);
    // Subnormal numbers are their own tangents.
    let y = T::choose(a.below(f64::MIN_POSITIVE), a, y);
    y.signed_as(x)
}

/// `1 / (1 + e^-x)`, without overflow.
#[inline(always)]
pub fn sigmoid<T: Number>(x: T) -> T {
    let e = exp(-x.size());
    let over = T::choose(x.not_below(0.0), T::of(1.0), e);
    over / (e + 1.0)
}

/// `e^(-x^2)`, with the rounding of the square made good (Dekker's product).
#[inline(always)]
pub fn gauss<T: Number>(x: T) -> T {
    const SPLIT: f64 = 134_217_729.0;
    let x = clamp(x, -40.0, 40.0);
    let square = x * x;
    let big = x * SPLIT;
    let hi = big - (big - x);
    let lo = x - hi;
    let lost = ((hi * hi - square) + (hi * lo) * 2.0) + lo * lo;
    let value = exp(-square);
    value - value * lost
}

/// The derivative of [`sigmoid`]: `e^x / (1 + e^x)^2`, without overflow.
#[inline(always)]
pub fn sigmoid_slope<T: Number>(x: T) -> T {
    let e = exp(-x.size());
    let sum = e + 1.0;
    e / (sum * sum)
}

/// The derivative of [`tanh`]: `1 / cosh(x)^2`, without overflow.
#[inline(always)]
pub fn sech2<T: Number>(x: T) -> T {
    sigmoid_slope(x * 2.0) * 4.0
}

/// `log(1 + e^x)`, without overflow or cancellation.
#[inline(always)]
pub fn softplus<T: Number>(x: T) -> T {
    let tail = log1p(exp(-x.size()));
    T::choose(x.above(0.0), x + tail, tail)
}

/// Arguments of sine and cosine beyond this are left to a slower reduction.
pub const TURNS: f64 = 1_000_000.0;

/// `x` less the multiple `n` of a right angle, to 118 bits, and `n`.
#[inline(always)]
fn reduce(x: f64) -> (i64, f64, f64) {
    const INV_PIO2: f64 = std::f64::consts::FRAC_2_PI;
    const PIO2_1: f64 = 1.570_796_326_734_125_6;
    const PIO2_2: f64 = 6.077_100_506_303_966e-11;
    const PIO2_2T: f64 = 2.022_266_248_795_950_6e-21;
    let (n, k) = whole(x * INV_PIO2);
    let k = k.0;
    let t = x - n * PIO2_1;
    let w = n * PIO2_2;
    let r = t - w;
    let w = n * PIO2_2T - ((t - r) - w);
    let y = r - w;
    (k, y, (r - y) - w)
}

/// Sine of `x + y`, both small.
#[inline(always)]
fn sin_near(x: f64, y: f64) -> f64 {
    const S1: f64 = -1.666_666_666_666_663_2e-1;
    const S2: f64 = 8.333_333_333_322_49e-3;
    const S3: f64 = -1.984_126_982_985_795e-4;
    const S4: f64 = 2.755_731_370_707_006_8e-6;
    const S5: f64 = -2.505_076_025_340_686_3e-8;
    const S6: f64 = 1.589_690_995_211_55e-10;
    let z = x * x;
    let w = z * z;
    let r = S2 + z * (S3 + z * S4) + z * w * (S5 + z * S6);
    let v = z * x;
    x - ((z * (0.5 * y - v * r) - y) - v * S1)
}

/// Cosine of `x + y`, both small.
#[inline(always)]
fn cos_near(x: f64, y: f64) -> f64 {
    const C1: f64 = 4.166_666_666_666_66e-2;
    const C2: f64 = -1.388_888_888_887_411e-3;
    const C3: f64 = 2.480_158_728_947_673e-5;
    const C4: f64 = -2.755_731_435_139_066_3e-7;
    const C5: f64 = 2.087_572_321_298_175e-9;
    const C6: f64 = -1.135_964_755_778_819_5e-11;
    let z = x * x;
    let w = z * z;
    let r = z * (C1 + z * (C2 + z * C3)) + w * w * (C4 + z * (C5 + z * C6));
    let hz = 0.5 * z;
    let w = 1.0 - hz;
    w + (((1.0 - w) - hz) + (z * r - x * y))
}

/// Sine and cosine, `quarter` right angles further on.
#[inline(always)]
fn turned(x: f64, quarter: i64) -> f64 {
    let (n, y0, y1) = reduce(x);
    let n = n.wrapping_add(quarter);
    let (sine, cosine) = (sin_near(y0, y1), cos_near(y0, y1));
    let value = if n & 1 == 0 { sine } else { cosine };
    if n & 2 == 0 { value } else { -value }
}

/// Sine of an argument within [`TURNS`].
#[inline(always)]
pub fn sin(x: f64) -> f64 {
    let value = turned(x, 0);
    if x.abs() < 7.450_580_596_923_828e-9 { x } else { value }
}

/// Cosine of an argument within [`TURNS`].
#[inline(always)]
pub fn cos(x: f64) -> f64 {
    turned(x, 1)
}
