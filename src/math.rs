//! The machine functions: the one list of scalar operations that evaluator, constant folding and
//! machine code share, so that they agree to the bit. What they mean mathematically (derivative,
//! domain, monotonicity) is declared in `stdlib/primitives.opt`.
//!
//! Under `precision f32` a machine function is computed in `f64` and rounded once; for `+ - * /`
//! and `sqrt` that is the same as the `f32` instruction.

pub mod elementary;
mod special;
mod stable;
pub mod trace;

use std::fmt;

/// The element kinds a machine function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Reals.
    Real,
    /// Integers.
    Int,
    /// Truth values.
    Bool,
    /// Reals or integers, the same for all `Number`s of a signature.
    Number,
    /// Anything, the same for all `Any`s of a signature.
    Any,
}

/// A scalar value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// A real.
    Real(f64),
    /// An integer.
    Int(i64),
    /// A truth value.
    Bool(bool),
}

/// How machine code computes a function.
#[derive(Debug, Clone, Copy)]
pub enum Cpu {
    /// By instructions that code generation knows under this name.
    Instruction(Instruction),
    /// By a call of one real.
    Call1(extern "C" fn(f64) -> f64),
    /// By a call of two reals.
    Call2(extern "C" fn(f64, f64) -> f64),
    /// By a call of a real and an integer.
    CallInt(extern "C" fn(f64, i64) -> f64),
    /// By a call of an integer, the order of a function, and a real.
    Order(extern "C" fn(i64, f64) -> f64),
    /// By a call of two integers.
    Ints(extern "C" fn(i64, i64) -> i64),
}

/// What code generation writes as instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// `a + b`; integers wrap.
    Add,
    /// `a - b`; integers wrap.
    Sub,
    /// `a * b`; integers wrap.
    Mul,
    /// Real quotient.
    Div,
    /// `-a`.
    Neg,
    /// `|a|`.
    Abs,
    /// The smaller; NaN wins.
    Min,
    /// The greater; NaN wins.
    Max,
    /// Square root.
    Sqrt,
    /// Square root of the sum of two squares, without overflow.
    Hypot,
    /// `a` over that root; 0 where both are.
    HypotSlope,
    /// Round down.
    Floor,
    /// Round up.
    Ceil,
    /// Round to nearest, ties to even.
    Round,
    /// `a < b`; false if either is NaN.
    Lt,
    /// `a <= b`.
    Le,
    /// `a == b`.
    Eq,
    /// `a != b`; true if either is NaN.
    Ne,
    /// `a >= b`.
    Ge,
    /// `a > b`.
    Gt,
    /// Conjunction.
    And,
    /// Disjunction.
    Or,
    /// Negation.
    Not,
    /// `c ? a : b`.
    Where,
    /// 0 where `a` is 0, else `a * b`: a cotangent that is zero stays zero, whatever it meets.
    MaskedMul,
    /// 0 where `a` or `b` is 0, else `a * b`.
    BothMaskedMul,
    /// Integer to real, rounding to nearest.
    IntToReal,
    /// Truth value to real: 1 or 0.
    BoolToReal,
    /// Truth value to integer: 1 or 0.
    BoolToInt,
    /// Real to integer, toward zero, saturating; NaN gives 0.
    RealToInt,
    /// Whether a real is neither infinite nor NaN.
    IsFinite,
    /// The upper 52 bits of an integer as a real strictly between 0 and 1.
    Unit,
}

/// A machine function, by its place in the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prim(u16);

/// One line of the table.
struct Native {
    name: &'static str,
    takes: &'static [Kind],
    gives: Kind,
    cpu: Cpu,
}

const fn native(name: &'static str, takes: &'static [Kind], gives: Kind, cpu: Cpu) -> Native {
    Native { name, takes, gives, cpu }
}

const fn inst(name: &'static str, takes: &'static [Kind], gives: Kind, instruction: Instruction) -> Native {
    native(name, takes, gives, Cpu::Instruction(instruction))
}

const fn call(name: &'static str, function: extern "C" fn(f64) -> f64) -> Native {
    native(name, &[Kind::Real], Kind::Real, Cpu::Call1(function))
}

const fn call2(name: &'static str, function: extern "C" fn(f64, f64) -> f64) -> Native {
    native(name, &[Kind::Real, Kind::Real], Kind::Real, Cpu::Call2(function))
}

const fn order(name: &'static str, function: extern "C" fn(i64, f64) -> f64) -> Native {
    native(name, &[Kind::Int, Kind::Real], Kind::Real, Cpu::Order(function))
}

use Instruction as I;
use Kind::{Any, Bool, Int, Number, Real};

static NATIVES: &[Native] = &[
    inst("add", &[Number, Number], Number, I::Add),
    inst("sub", &[Number, Number], Number, I::Sub),
    inst("mul", &[Number, Number], Number, I::Mul),
    inst("div", &[Real, Real], Real, I::Div),
    inst("neg", &[Number], Number, I::Neg),
    inst("abs", &[Number], Number, I::Abs),
    inst("minimum", &[Number, Number], Number, I::Min),
    inst("maximum", &[Number, Number], Number, I::Max),
    inst("masked_mul", &[Real, Real], Real, I::MaskedMul),
    inst("both_masked_mul", &[Real, Real], Real, I::BothMaskedMul),
    inst("sqrt", &[Real], Real, I::Sqrt),
    inst("hypot", &[Real, Real], Real, I::Hypot),
    inst("hypot_slope", &[Real, Real], Real, I::HypotSlope),
    inst("floor", &[Real], Real, I::Floor),
    inst("ceil", &[Real], Real, I::Ceil),
    inst("round", &[Real], Real, I::Round),
    inst("lt", &[Number, Number], Bool, I::Lt),
    inst("le", &[Number, Number], Bool, I::Le),
    inst("eq", &[Any, Any], Bool, I::Eq),
    inst("ne", &[Any, Any], Bool, I::Ne),
    inst("ge", &[Number, Number], Bool, I::Ge),
    inst("gt", &[Number, Number], Bool, I::Gt),
    inst("and", &[Bool, Bool], Bool, I::And),
    inst("or", &[Bool, Bool], Bool, I::Or),
    inst("not", &[Bool], Bool, I::Not),
    inst("where", &[Bool, Any, Any], Any, I::Where),
    inst("int_to_real", &[Int], Real, I::IntToReal),
    inst("bool_to_real", &[Bool], Real, I::BoolToReal),
    inst("bool_to_int", &[Bool], Int, I::BoolToInt),
    inst("real_to_int", &[Real], Int, I::RealToInt),
    inst("is_finite", &[Real], Bool, I::IsFinite),
    inst("unit", &[Int], Real, I::Unit),
    call("exp", functions::exp),
    call("expm1", functions::expm1),
    call("log", functions::log),
    call("log1p", functions::log1p),
    call("log2", functions::log2),
    call("log10", functions::log10),
    call("sin", functions::sin),
    call("cos", functions::cos),
    call("tan", functions::tan),
    call("asin", functions::asin),
    call("acos", functions::acos),
    call("atan", functions::atan),
    call("sinh", functions::sinh),
    call("cosh", functions::cosh),
    call("tanh", functions::tanh),
    call("asinh", functions::asinh),
    call("acosh", functions::acosh),
    call("atanh", functions::atanh),
    call("cbrt", functions::cbrt),
    call("erf", functions::erf),
    call("erfc", functions::erfc),
    call("lgamma", functions::lgamma),
    call("digamma", functions::digamma),
    call("trigamma", functions::trigamma),
    order("polygamma", functions::polygamma),
    order("bessel_j", functions::bessel_j),
    order("bessel_y", functions::bessel_y),
    order("bessel_i", functions::bessel_i),
    call("erfinv", functions::erfinv),
    call("gauss", functions::gauss),
    call("erfcx", functions::erfcx),
    call("log_erfc", functions::log_erfc),
    call("log_half_erfc", functions::log_half_erfc),
    call("erfc_hazard", functions::erfc_hazard),
    order("erfc_ratio", functions::erfc_ratio),
    call("cosm1", functions::cosm1),
    call("one_minus_square", functions::one_minus_square),
    call2("powm1", functions::powm1),
    call2("logaddexp", functions::logaddexp),
    call("log1mexp", functions::log1mexp),
    call("logcosh", functions::logcosh),
    call("logit", functions::logit),
    call("bose", functions::bose),
    order("exprel_derivative", functions::exprel_derivative),
    order("x_over_expm1_derivative", functions::x_over_expm1_derivative),
    order("sinc_derivative", functions::sinc_derivative),
    call("sech2", functions::sech2),
    call("sigmoid_slope", functions::sigmoid_slope),
    call("sigmoid", functions::sigmoid),
    call("softplus", functions::softplus),
    call("normal_quantile", functions::normal_quantile),
    call2("pow", functions::pow),
    call2("atan2", functions::atan2),
    native("powi", &[Real, Int], Real, Cpu::CallInt(functions::powi)),
    native("int_div", &[Int, Int], Int, Cpu::Ints(functions::int_div)),
    native("int_mod", &[Int, Int], Int, Cpu::Ints(functions::int_mod)),
    native("threefry", &[Int, Int], Int, Cpu::Ints(functions::threefry)),
];

impl Prim {
    /// The machine function of a name.
    pub fn named(name: &str) -> Option<Prim> {
        let at = NATIVES.iter().position(|native| native.name == name)?;
        u16::try_from(at).ok().map(Prim)
    }

    /// All machine functions, in the order of the table.
    pub fn all() -> impl Iterator<Item = Prim> {
        (0..NATIVES.len()).filter_map(|at| u16::try_from(at).ok().map(Prim))
    }

    fn native(self) -> &'static Native {
        &NATIVES[self.index()]
    }

    /// Its place in the table.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.native().name
    }

    /// What it takes and gives.
    pub fn signature(self) -> (&'static [Kind], Kind) {
        (self.native().takes, self.native().gives)
    }

    /// How machine code computes it.
    pub fn cpu(self) -> Cpu {
        self.native().cpu
    }

    /// Its value.
    ///
    /// # Panics
    /// If the arguments do not fit the signature.
    pub fn apply(self, args: &[Scalar]) -> Scalar {
        use Scalar as S;
        match (self.cpu(), args) {
            (Cpu::Call1(f), [S::Real(a)]) => S::Real(f(*a)),
            (Cpu::Call2(f), [S::Real(a), S::Real(b)]) => S::Real(f(*a, *b)),
            (Cpu::CallInt(f), [S::Real(a), S::Int(n)]) => S::Real(f(*a, *n)),
            (Cpu::Order(f), [S::Int(n), S::Real(a)]) => S::Real(f(*n, *a)),
            (Cpu::Ints(f), [S::Int(a), S::Int(b)]) => S::Int(f(*a, *b)),
            (Cpu::Instruction(i), args) => instruction(i, args),
            _ => panic!("{} does not take {args:?}", self.name()),
        }
    }
}

/// The meaning of an instruction.
fn instruction(i: Instruction, args: &[Scalar]) -> Scalar {
    use Scalar as S;
    match (i, args) {
        (I::Add, [S::Real(a), S::Real(b)]) => S::Real(a + b),
        (I::Add, [S::Int(a), S::Int(b)]) => S::Int(a.wrapping_add(*b)),
        (I::Sub, [S::Real(a), S::Real(b)]) => S::Real(a - b),
        (I::Sub, [S::Int(a), S::Int(b)]) => S::Int(a.wrapping_sub(*b)),
        (I::Mul, [S::Real(a), S::Real(b)]) => S::Real(a * b),
        (I::Mul, [S::Int(a), S::Int(b)]) => S::Int(a.wrapping_mul(*b)),
        (I::Div, [S::Real(a), S::Real(b)]) => S::Real(a / b),
        (I::Neg, [S::Real(a)]) => S::Real(-a),
        (I::Neg, [S::Int(a)]) => S::Int(a.wrapping_neg()),
        (I::Abs, [S::Real(a)]) => S::Real(a.abs()),
        (I::Abs, [S::Int(a)]) => S::Int(a.wrapping_abs()),
        (I::Min, [S::Real(a), S::Real(b)]) => S::Real(functions::min(*a, *b)),
        (I::Min, [S::Int(a), S::Int(b)]) => S::Int(*a.min(b)),
        (I::Max, [S::Real(a), S::Real(b)]) => S::Real(functions::max(*a, *b)),
        (I::Max, [S::Int(a), S::Int(b)]) => S::Int(*a.max(b)),
        (I::MaskedMul, [S::Real(a), S::Real(b)]) => S::Real(if *a == 0.0 { 0.0 } else { a * b }),
        (I::BothMaskedMul, [S::Real(a), S::Real(b)]) => {
            S::Real(if *a == 0.0 || *b == 0.0 { 0.0 } else { a * b })
        }
        (I::Sqrt, [S::Real(a)]) => S::Real(a.sqrt()),
        (I::Hypot, [S::Real(a), S::Real(b)]) => S::Real(functions::hypot(*a, *b)),
        (I::HypotSlope, [S::Real(a), S::Real(b)]) => {
            let h = functions::hypot(*a, *b);
            S::Real(if h == 0.0 { 0.0 } else { a / h })
        }
        (I::Floor, [S::Real(a)]) => S::Real(a.floor()),
        (I::Ceil, [S::Real(a)]) => S::Real(a.ceil()),
        (I::Round, [S::Real(a)]) => S::Real(a.round_ties_even()),
        (I::Eq, [a, b]) => S::Bool(a == b),
        (I::Ne, [a, b]) => S::Bool(a != b),
        (I::Lt, [S::Real(a), S::Real(b)]) => S::Bool(a < b),
        (I::Lt, [S::Int(a), S::Int(b)]) => S::Bool(a < b),
        (I::Le, [S::Real(a), S::Real(b)]) => S::Bool(a <= b),
        (I::Le, [S::Int(a), S::Int(b)]) => S::Bool(a <= b),
        (I::Ge, [S::Real(a), S::Real(b)]) => S::Bool(a >= b),
        (I::Ge, [S::Int(a), S::Int(b)]) => S::Bool(a >= b),
        (I::Gt, [S::Real(a), S::Real(b)]) => S::Bool(a > b),
        (I::Gt, [S::Int(a), S::Int(b)]) => S::Bool(a > b),
        (I::And, [S::Bool(a), S::Bool(b)]) => S::Bool(a & b),
        (I::Or, [S::Bool(a), S::Bool(b)]) => S::Bool(a | b),
        (I::Not, [S::Bool(a)]) => S::Bool(!a),
        (I::Where, [S::Bool(c), a, b]) => {
            if *c {
                *a
            } else {
                *b
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "rounds to nearest, as documented")]
        (I::IntToReal, [S::Int(a)]) => S::Real(*a as f64),
        (I::BoolToReal, [S::Bool(a)]) => S::Real(f64::from(u8::from(*a))),
        (I::BoolToInt, [S::Bool(a)]) => S::Int(i64::from(*a)),
        #[expect(clippy::cast_possible_truncation, reason = "saturates, as documented")]
        (I::RealToInt, [S::Real(a)]) => S::Int(*a as i64),
        (I::IsFinite, [S::Real(a)]) => S::Bool(a.is_finite()),
        (I::Unit, [S::Int(a)]) => S::Real(functions::unit(*a)),
        _ => panic!("{i:?} does not take {args:?}"),
    }
}

impl fmt::Debug for Prim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The functions behind the table.
pub mod functions {
    use super::elementary;

    macro_rules! from_libm {
        ($($name:ident)*) => { $(
            /// From libm.
            pub extern "C" fn $name(x: f64) -> f64 {
                libm::$name(x)
            }
        )* };
    }

    from_libm!(log2 log10 tan asin acos atan sinh cosh asinh acosh atanh cbrt erf erfc);

    macro_rules! own {
        ($($name:ident)*) => { $(
            /// See `elementary`.
            pub extern "C" fn $name(x: f64) -> f64 {
                elementary::$name(x)
            }
        )* };
    }

    own!(exp expm1 log log1p tanh sigmoid sigmoid_slope sech2 gauss softplus);

    macro_rules! from {
        ($module:ident: $($name:ident($($arg:ident: $ty:ty),*))*) => { $(
            #[doc = concat!("See `", stringify!($module), "`.")]
            pub extern "C" fn $name($($arg: $ty),*) -> f64 {
                super::$module::$name($($arg),*)
            }
        )* };
    }

    from! {
        special:
        polygamma(n: i64, x: f64)
        bessel_j(n: i64, x: f64)
        bessel_y(n: i64, x: f64)
        bessel_i(n: i64, x: f64)
        erfinv(x: f64)
        erfcx(x: f64)
        log_erfc(x: f64)
        log_half_erfc(x: f64)
        erfc_hazard(x: f64)
        erfc_ratio(n: i64, x: f64)
    }

    from! {
        stable:
        cosm1(x: f64)
        one_minus_square(x: f64)
        powm1(x: f64, y: f64)
        logaddexp(x: f64, y: f64)
        log1mexp(x: f64)
        logcosh(x: f64)
        logit(p: f64)
        bose(x: f64)
        exprel_derivative(n: i64, x: f64)
        x_over_expm1_derivative(n: i64, x: f64)
        sinc_derivative(n: i64, x: f64)
    }

    /// Sine; large arguments are left to libm.
    pub extern "C" fn sin(x: f64) -> f64 {
        if x.abs() <= elementary::TURNS { elementary::sin(x) } else { libm::sin(x) }
    }

    /// Cosine; large arguments are left to libm.
    pub extern "C" fn cos(x: f64) -> f64 {
        if x.abs() <= elementary::TURNS { elementary::cos(x) } else { libm::cos(x) }
    }

    /// The smaller; NaN wins, and -0 is smaller than 0.
    pub fn min(a: f64, b: f64) -> f64 {
        if a.is_nan() || b.is_nan() {
            return a + b;
        }
        if a == b {
            if a.is_sign_negative() { a } else { b }
        } else if a < b {
            a
        } else {
            b
        }
    }

    /// The greater; NaN wins, and 0 is greater than -0.
    pub fn max(a: f64, b: f64) -> f64 {
        if a.is_nan() || b.is_nan() {
            return a + b;
        }
        if a == b {
            if a.is_sign_negative() { b } else { a }
        } else if a > b {
            a
        } else {
            b
        }
    }

    /// The upper 52 bits of `bits`, moved to the middle of their interval in (0, 1).
    pub fn unit(bits: i64) -> f64 {
        let upper = bits.cast_unsigned() >> 12;
        #[expect(clippy::cast_precision_loss, reason = "52 bits fit a double")]
        let upper = upper as f64;
        (upper + 0.5) * (1.0 / 4_503_599_627_370_496.0)
    }

    /// Logarithm of the absolute value of the gamma function.
    pub extern "C" fn lgamma(x: f64) -> f64 {
        libm::lgamma(x)
    }

    /// Derivative of `lgamma`: recurrence up to 10, then the asymptotic series
    /// (Abramowitz & Stegun 6.3.5, 6.3.18); reflection (6.3.7) for negative arguments.
    pub extern "C" fn digamma(x: f64) -> f64 {
        if x <= 0.0 {
            if x == libm::floor(x) {
                return f64::NAN;
            }
            let pi = std::f64::consts::PI;
            return digamma(1.0 - x) - pi / libm::tan(pi * (x - libm::floor(x)));
        }
        let (mut x, mut sum) = (x, 0.0);
        while x < 10.0 {
            sum -= 1.0 / x;
            x += 1.0;
        }
        let r = 1.0 / (x * x);
        let tail = r
            * (1.0 / 12.0
                - r * (1.0 / 120.0
                    - r * (1.0 / 252.0 - r * (1.0 / 240.0 - r * (1.0 / 132.0 - r * 691.0 / 32760.0)))));
        sum + libm::log(x) - 0.5 / x - tail
    }

    /// Derivative of `digamma`, by the same means (Abramowitz & Stegun 6.4.6, 6.4.12, 6.4.7).
    pub extern "C" fn trigamma(x: f64) -> f64 {
        if x <= 0.0 {
            if x == libm::floor(x) {
                return f64::INFINITY;
            }
            let pi = std::f64::consts::PI;
            let s = pi / libm::sin(pi * (x - libm::floor(x)));
            return s * s - trigamma(1.0 - x);
        }
        let (mut x, mut sum) = (x, 0.0);
        while x < 10.0 {
            sum += 1.0 / (x * x);
            x += 1.0;
        }
        let r = 1.0 / (x * x);
        let tail = r
            * (1.0 / 6.0
                - r * (1.0 / 30.0
                    - r * (1.0 / 42.0 - r * (1.0 / 30.0 - r * (5.0 / 66.0 - r * 691.0 / 2730.0)))));
        sum + (1.0 + 0.5 / x + tail) / x
    }

    /// The inverse of the standard normal distribution function (Wichura, 1988, algorithm AS 241).
    pub extern "C" fn normal_quantile(p: f64) -> f64 {
        super::quantile::normal_quantile(p)
    }

    /// `x ^ y`.
    pub extern "C" fn pow(x: f64, y: f64) -> f64 {
        libm::pow(x, y)
    }

    /// The angle of the point (x, y).
    pub extern "C" fn atan2(y: f64, x: f64) -> f64 {
        libm::atan2(y, x)
    }

    /// `sqrt(x^2 + y^2)` without overflow: the greater times `sqrt(1 + r^2)`, r the ratio. Equal sizes
    /// (two zeros, two infinities) have the ratio 1.
    pub fn hypot(x: f64, y: f64) -> f64 {
        let (x, y) = (x.abs(), y.abs());
        let (most, least) = (max(x, y), min(x, y));
        let ratio = if most == least { 1.0 } else { least / most };
        most * (1.0 + ratio * ratio).sqrt()
    }

    /// `x ^ n` by squaring, six bits of the exponent at a time: exact where the products are.
    pub extern "C" fn powi(x: f64, n: i64) -> f64 {
        let (mut base, mut left, mut product) = (x, n.unsigned_abs(), 1.0);
        while left > 0 {
            product *= digit(base, left % DIGIT);
            left /= DIGIT;
            base = digit(base, DIGIT);
        }
        if n < 0 { 1.0 / product } else { product }
    }

    /// The exponents of a digit.
    const DIGIT: u64 = 64;

    /// `x ^ n` for a small n.
    fn digit(x: f64, n: u64) -> f64 {
        let (mut base, mut left, mut product) = (x, n, 1.0);
        while left > 0 {
            // The bits of a counter cannot be foreseen: the base or 1, without a jump.
            let kept = (left & 1).wrapping_neg();
            product *= f64::from_bits(base.to_bits() & kept | 1.0_f64.to_bits() & !kept);
            left >>= 1;
            base *= base;
        }
        product
    }

    /// The powers that [`powi`] multiplies for exponents below 2^24, digit by digit.
    pub fn powers(x: f64) -> Vec<f64> {
        let mut base = x;
        let mut powers = Vec::new();
        for _ in 0..4 {
            powers.extend((0..DIGIT).map(|n| digit(base, n)));
            base = digit(base, DIGIT);
        }
        powers
    }

    /// [`powi`] of the number of which these are the [`powers`].
    pub fn power_of(powers: &[f64], n: i64) -> f64 {
        if !(0..1 << 24).contains(&n) {
            return powi(powers[1], n);
        }
        let mut left = n.unsigned_abs();
        let mut product = 1.0;
        for powers in powers.chunks_exact(64) {
            if left == 0 {
                break;
            }
            product *= powers[usize::try_from(left % DIGIT).unwrap_or(0)];
            left /= DIGIT;
        }
        product
    }

    /// Quotient rounded down; 0 if the divisor is 0 (checked before where it can be known).
    pub extern "C" fn int_div(a: i64, b: i64) -> i64 {
        if b == 0 {
            return 0;
        }
        let quotient = a.wrapping_div(b);
        if a.wrapping_rem(b) != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
    }

    /// Remainder with the sign of the divisor; 0 if the divisor is 0.
    pub extern "C" fn int_mod(a: i64, b: i64) -> i64 {
        if b == 0 {
            return 0;
        }
        let remainder = a.wrapping_rem(b);
        if remainder != 0 && (remainder < 0) != (b < 0) { remainder + b } else { remainder }
    }

    /// Threefry-2x32 with 20 rounds (Salmon et al., 2011): key and counter each hold two 32-bit
    /// words, the first in the upper half; so does the result.
    pub extern "C" fn threefry(key: i64, counter: i64) -> i64 {
        const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];
        let halves = |x: i64| -> (u32, u32) {
            let bits = x.cast_unsigned();
            ((bits >> 32) as u32, (bits & 0xffff_ffff) as u32)
        };
        let (k0, k1) = halves(key);
        let (c0, c1) = halves(counter);
        let ks = [k0, k1, 0x1BD1_1BDA ^ k0 ^ k1];
        let (mut x0, mut x1) = (c0.wrapping_add(k0), c1.wrapping_add(k1));
        for group in 0..5_u32 {
            for rotation in ROTATIONS[group as usize % 2] {
                x0 = x0.wrapping_add(x1);
                x1 = x1.rotate_left(rotation) ^ x0;
            }
            let at = group as usize;
            x0 = x0.wrapping_add(ks[(at + 1) % 3]);
            x1 = x1.wrapping_add(ks[(at + 2) % 3]).wrapping_add(group + 1);
        }
        ((u64::from(x0) << 32) | u64::from(x1)).cast_signed()
    }
}

/// The normal quantile.
mod quantile {
    fn ratio(r: f64, p: &[f64], q: &[f64]) -> f64 {
        let horner = |c: &[f64]| c.iter().rev().fold(0.0, |sum, c| sum * r + c);
        horner(p) / horner(q)
    }

    const A: [f64; 8] = [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ];
    const B: [f64; 8] = [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_545,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_9,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_7e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ];

    /// See [`super::functions::normal_quantile`].
    pub(super) fn normal_quantile(p: f64) -> f64 {
        if p.is_nan() || !(0.0..=1.0).contains(&p) {
            return f64::NAN;
        }
        if p == 0.0 || p == 1.0 {
            return if p == 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
        }
        of_difference(p - 0.5, p.min(1.0 - p))
    }

    /// The quantile of `1/2 + q`, where the nearer end is `tail` away.
    pub(super) fn of_difference(q: f64, tail: f64) -> f64 {
        if q.abs() <= 0.425 {
            return q * ratio(0.180_625 - q * q, &A, &B);
        }
        let r = (-libm::log(tail)).sqrt();
        let x = if r <= 5.0 { ratio(r - 1.6, &C, &D) } else { ratio(r - 5.0, &E, &F) };
        if q < 0.0 { -x } else { x }
    }
}
