//! What elementary functions are made of.
//!
//! An elementary function of a [`Traced`] number computes nothing: it notes its operations, which
//! machine code then repeats. So there is one source for both.

use std::cell::RefCell;
use std::ops::{Add, BitAnd, Div, Mul, Neg, Sub};
use std::sync::OnceLock;

use super::elementary::{self, Bits, Number};

/// An operand: an earlier operation, or a number by its bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum From {
    /// The result of the operation of this number; 0 is the argument.
    Step(usize),
    /// A number, by its bits.
    Constant(u64),
}

/// An operation on reals, or on their bits as whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a * b`.
    Mul,
    /// `a / b`.
    Div,
    /// Bits that both have.
    And,
    /// Bits that one has.
    Or,
    /// Bits that one alone has.
    Xor,
    /// `a + b` of whole numbers, wrapping.
    AddBits,
    /// `a - b` of whole numbers, wrapping.
    SubBits,
    /// `a < b`: a truth.
    Below,
    /// `a > b`.
    Above,
    /// `a <= b`.
    Within,
    /// `a >= b`.
    NotBelow,
    /// `a == b`.
    Equals,
    /// Both of two truths.
    Both,
}

/// One operation of a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// The argument.
    Argument,
    /// An operation on two.
    Two(Operation, From, From),
    /// `truth ? yes : no`.
    Choose(usize, From, From),
    /// Bits shifted: left, right with the sign, or right with zeros.
    Shift(Shift, From, u8),
}

/// A way to shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Times a power of two.
    Left,
    /// Divided by a power of two, rounded down.
    Right,
    /// To the right, zeros coming in.
    Upper,
}

thread_local! {
    static STEPS: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

/// A number whose operations are noted.
#[derive(Debug, Clone, Copy)]
pub struct Traced(From);

/// A truth whose operation is noted.
#[derive(Debug, Clone, Copy)]
pub struct Truth(usize);

fn note(step: Step) -> usize {
    STEPS.with_borrow_mut(|steps| {
        // The same operation on the same operands is noted once.
        steps.iter().position(|other| *other == step).unwrap_or_else(|| {
            steps.push(step);
            steps.len() - 1
        })
    })
}

fn two(operation: Operation, a: Traced, b: Traced) -> Traced {
    Traced(From::Step(note(Step::Two(operation, a.0, b.0))))
}

fn bits(n: i64) -> Traced {
    Traced(From::Constant(n.cast_unsigned()))
}

impl Traced {
    fn compared(self, operation: Operation, other: f64) -> Truth {
        Truth(note(Step::Two(operation, self.0, Traced::of(other).0)))
    }

    fn shifted(self, how: Shift, by: u8) -> Traced {
        Traced(From::Step(note(Step::Shift(how, self.0, by))))
    }
}

macro_rules! operators {
    ($($trait:ident $name:ident;)*) => {
        $(
            impl $trait for Traced {
                type Output = Traced;
                fn $name(self, other: Traced) -> Traced {
                    two(Operation::$trait, self, other)
                }
            }

            impl $trait<f64> for Traced {
                type Output = Traced;
                fn $name(self, other: f64) -> Traced {
                    two(Operation::$trait, self, Traced::of(other))
                }
            }
        )*
    };
}

operators! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}

impl Neg for Traced {
    type Output = Traced;
    fn neg(self) -> Traced {
        two(Operation::Xor, self, Traced::of(-0.0))
    }
}

impl BitAnd for Truth {
    type Output = Truth;
    fn bitand(self, other: Truth) -> Truth {
        Truth(note(Step::Two(Operation::Both, From::Step(self.0), From::Step(other.0))))
    }
}

impl Number for Traced {
    type Truth = Truth;
    type Bits = TracedBits;

    fn of(x: f64) -> Traced {
        Traced(From::Constant(x.to_bits()))
    }
    fn below(self, other: f64) -> Truth {
        self.compared(Operation::Below, other)
    }
    fn above(self, other: f64) -> Truth {
        self.compared(Operation::Above, other)
    }
    fn within(self, other: f64) -> Truth {
        self.compared(Operation::Within, other)
    }
    fn not_below(self, other: f64) -> Truth {
        self.compared(Operation::NotBelow, other)
    }
    fn equals(self, other: f64) -> Truth {
        self.compared(Operation::Equals, other)
    }
    fn choose(truth: Truth, yes: Traced, no: Traced) -> Traced {
        Traced(From::Step(note(Step::Choose(truth.0, yes.0, no.0))))
    }
    fn size(self) -> Traced {
        two(Operation::And, self, bits(i64::MAX))
    }
    fn signed_as(self, other: Traced) -> Traced {
        let sign = two(Operation::And, other, bits(i64::MIN));
        two(Operation::Or, self.size(), sign)
    }
    fn bits(self) -> TracedBits {
        TracedBits(self)
    }
    fn from_bits(bits: TracedBits) -> Traced {
        bits.0
    }
}

/// The bits of a number whose operations are noted.
#[derive(Debug, Clone, Copy)]
pub struct TracedBits(Traced);

impl Sub for TracedBits {
    type Output = TracedBits;
    fn sub(self, other: TracedBits) -> TracedBits {
        TracedBits(two(Operation::SubBits, self.0, other.0))
    }
}

impl Bits for TracedBits {
    fn plus(self, n: i64) -> TracedBits {
        TracedBits(two(Operation::AddBits, self.0, bits(n)))
    }
    fn masked(self, mask: i64) -> TracedBits {
        TracedBits(two(Operation::And, self.0, bits(mask)))
    }
    fn left(self, by: u8) -> TracedBits {
        TracedBits(self.0.shifted(Shift::Left, by))
    }
    fn right(self, by: u8) -> TracedBits {
        TracedBits(self.0.shifted(Shift::Right, by))
    }
    fn upper(self, by: u8) -> TracedBits {
        TracedBits(self.0.shifted(Shift::Upper, by))
    }
}

fn traced(function: impl FnOnce(Traced) -> Traced) -> Vec<Step> {
    STEPS.with_borrow_mut(|steps| *steps = vec![Step::Argument]);
    let result = function(Traced(From::Step(0)));
    let mut steps = STEPS.take();
    // The result is the last.
    if let From::Step(last) = result.0
        && last + 1 < steps.len()
    {
        steps.push(Step::Two(Operation::Or, result.0, result.0));
    }
    steps
}

macro_rules! functions {
    ($($name:ident)*) => {
        /// The operations of an elementary function, the last of which gives its value; `None` for a
        /// function that is not made of them alone.
        pub fn steps(name: &str) -> Option<&'static [Step]> {
            match name {
                $(stringify!($name) => {
                    static STEPS: OnceLock<Vec<Step>> = OnceLock::new();
                    Some(STEPS.get_or_init(|| traced(elementary::$name::<Traced>)))
                })*
                _ => None,
            }
        }
    };
}

functions! { exp expm1 log log1p tanh sigmoid sigmoid_slope sech2 gauss softplus }
