//! Machine functions as instructions on vectors.

use crate::math::Instruction;
use crate::math::trace::{From, Operation, Step};

use super::build::Build;
use super::evex::{Binary, Compare, Masks};
use super::nodes::Known;
use super::strip::{Arg, Inst, Name};

/// What a machine function gives.
#[derive(Clone, Copy)]
pub(super) enum Made {
    Real(Arg),
    Mask(Name),
}

impl Made {
    fn real(self) -> Option<Arg> {
        match self {
            Made::Real(arg) => Some(arg),
            Made::Mask(_) => None,
        }
    }

    fn mask(self) -> Option<Name> {
        match self {
            Made::Mask(name) => Some(name),
            Made::Real(_) => None,
        }
    }
}

/// An operation on reals, or a comparison.
enum Either {
    Binary(Binary),
    Compare(Compare),
}

/// The comparison that an instruction is.
fn comparison(instruction: Instruction) -> Option<Compare> {
    match instruction {
        Instruction::Lt => Some(Compare::Lt),
        Instruction::Le => Some(Compare::Le),
        Instruction::Ge => Some(Compare::Ge),
        Instruction::Gt => Some(Compare::Gt),
        Instruction::Eq => Some(Compare::Eq),
        Instruction::Ne => Some(Compare::Ne),
        _ => None,
    }
}

impl Build<'_, '_> {
    pub(super) fn real(&mut self, inst: impl FnOnce(Name) -> Inst) -> Arg {
        let to = self.name();
        self.insts.push(inst(to));
        Arg::Value(to)
    }

    pub(super) fn truth(&mut self, inst: impl FnOnce(Name) -> Inst) -> Made {
        let to = self.name();
        self.insts.push(inst(to));
        Made::Mask(to)
    }

    pub(super) fn binary(&mut self, op: Binary, a: Arg, b: Arg) -> Arg {
        self.real(|to| Inst::Binary { op, to, a, b })
    }

    /// An elementary function of one vector.
    pub(super) fn function(&mut self, steps: &[Step], argument: Arg) -> Option<Made> {
        let mut values: Vec<Made> = Vec::new();
        for step in steps {
            let real = |from: &From| match from {
                From::Constant(bits) => Some(Arg::Constant(*bits)),
                From::Step(at) => values[*at].real(),
            };
            let made = match step {
                Step::Argument => Made::Real(argument),
                Step::Choose(truth, yes, no) => {
                    let (mask, yes, no) = (values[*truth].mask()?, real(yes)?, real(no)?);
                    Made::Real(self.real(|to| Inst::Choose { mask, to, yes, no }))
                }
                Step::Shift(how, a, by) => {
                    let (how, a, by) = (*how, real(a)?, *by);
                    Made::Real(self.real(|to| Inst::Shift { how, to, a, by }))
                }
                Step::Two(Operation::Both, From::Step(a), From::Step(b)) => {
                    let (a, b) = (values[*a].mask()?, values[*b].mask()?);
                    self.truth(|to| Inst::Masks { op: Masks::And, to, a, b })
                }
                Step::Two(operation, a, b) => {
                    let (a, b) = (real(a)?, real(b)?);
                    let binary = |op: Binary| Either::Binary(op);
                    let done = match operation {
                        Operation::Add => binary(Binary::Add),
                        Operation::Sub => binary(Binary::Sub),
                        Operation::Mul => binary(Binary::Mul),
                        Operation::Div => binary(Binary::Div),
                        Operation::And => binary(Binary::And),
                        Operation::Or => binary(Binary::Or),
                        Operation::Xor => binary(Binary::Xor),
                        Operation::AddBits => binary(Binary::AddWhole),
                        Operation::SubBits => binary(Binary::SubWhole),
                        Operation::Below => Either::Compare(Compare::Lt),
                        Operation::Above => Either::Compare(Compare::Gt),
                        Operation::Within => Either::Compare(Compare::Le),
                        Operation::NotBelow => Either::Compare(Compare::Ge),
                        Operation::Equals => Either::Compare(Compare::Eq),
                        Operation::Both => return None,
                    };
                    match done {
                        Either::Binary(op) => Made::Real(self.binary(op, a, b)),
                        Either::Compare(how) => self.truth(|to| Inst::Compare { how, to, a, b }),
                    }
                }
            };
            values.push(made);
        }
        values.pop()
    }

    /// A machine function on one vector.
    pub(super) fn instruction(
        &mut self,
        instruction: Instruction,
        args: &[Known],
        copy: usize,
    ) -> Option<Made> {
        use Instruction as I;
        let real = |at: usize| args.get(at).and_then(|arg| arg.real(copy));
        let mask = |at: usize| args.get(at).and_then(|arg| arg.mask(copy));
        let binary = |op: Binary| Some((op, real(0)?, real(1)?));
        let number = |x: f64| Arg::Constant(x.to_bits());
        if let Some(how) = comparison(instruction) {
            let (a, b) = (real(0)?, real(1)?);
            return Some(self.truth(|to| Inst::Compare { how, to, a, b }));
        }
        let op = match instruction {
            I::Add => binary(Binary::Add),
            I::Sub => binary(Binary::Sub),
            I::Mul => binary(Binary::Mul),
            I::Div => binary(Binary::Div),
            I::Neg => Some((Binary::Xor, real(0)?, number(-0.0))),
            I::Abs => Some((Binary::And, real(0)?, Arg::Constant(u64::MAX >> 1))),
            _ => None,
        };
        if let Some((op, a, b)) = op {
            return Some(Made::Real(self.binary(op, a, b)));
        }
        let made = match instruction {
            I::Sqrt => {
                let a = real(0)?;
                self.real(|to| Inst::Sqrt { to, a })
            }
            I::Floor | I::Ceil | I::Round => {
                let a = real(0)?;
                let mode = match instruction {
                    I::Floor => 1,
                    I::Ceil => 2,
                    _ => 0,
                };
                self.real(|to| Inst::Round { to, a, mode })
            }
            I::Min | I::Max => {
                let (a, b) = (real(0)?, real(1)?);
                self.real(|to| Inst::Extreme { most: instruction == I::Max, to, a, b })
            }
            I::And | I::Or => {
                let (a, b) = (mask(0)?, mask(1)?);
                let op = if instruction == I::And { Masks::And } else { Masks::Or };
                return Some(self.truth(|to| Inst::Masks { op, to, a, b }));
            }
            I::Not => {
                let a = mask(0)?;
                return Some(self.truth(|to| Inst::Not { to, a }));
            }
            I::Where => {
                let (mask, yes, no) = (mask(0)?, real(1)?, real(2)?);
                self.real(|to| Inst::Choose { mask, to, yes, no })
            }
            I::BoolToReal => {
                let mask = mask(0)?;
                self.real(|to| Inst::Choose { mask, to, yes: number(1.0), no: number(0.0) })
            }
            I::MaskedMul => self.masked_product(real(0)?, real(1)?, false),
            I::BothMaskedMul => self.masked_product(real(0)?, real(1)?, true),
            I::IsFinite => {
                let size = self.binary(Binary::And, real(0)?, Arg::Constant(u64::MAX >> 1));
                let infinity = number(f64::INFINITY);
                return Some(self.truth(|to| Inst::Compare { how: Compare::Lt, to, a: size, b: infinity }));
            }
            _ => return None,
        };
        Some(Made::Real(made))
    }

    /// A product in which zero stays zero: that of the first, or of both.
    fn masked_product(&mut self, a: Arg, b: Arg, both: bool) -> Arg {
        let mut zero = self.is_zero(a);
        if both {
            let other = self.is_zero(b);
            let (a, b) = (zero, other);
            zero = self.name();
            self.insts.push(Inst::Masks { op: Masks::Or, to: zero, a, b });
        }
        let product = self.binary(Binary::Mul, a, b);
        self.real(|to| Inst::Choose { mask: zero, to, yes: Arg::Constant(0), no: product })
    }

    pub(super) fn is_zero(&mut self, a: Arg) -> Name {
        let to = self.name();
        self.insts.push(Inst::Compare { how: Compare::Eq, to, a, b: Arg::Constant(0) });
        to
    }
}
