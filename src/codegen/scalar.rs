//! Machine functions as instructions: what `math` says, in CLIF.
//!
//! Under `precision f32` reals are `f32`; functions that are called take and give `f64`, so their
//! arguments are widened and their results rounded once, as `math` says.

use cranelift::codegen::ir::{InstBuilder, Type, Value, types};
use cranelift::prelude::{AbiParam, FloatCC, IntCC, Signature};

use crate::ir::{Elem, Fold};
use crate::math::{Cpu, Instruction, Prim, Scalar};

use super::emit::Emitter;

impl Emitter<'_, '_> {
    /// The machine type of an element.
    pub(super) fn ty(&self, elem: Elem) -> Type {
        match elem {
            Elem::Real => self.real,
            Elem::Int => types::I64,
            Elem::Bool => types::I8,
        }
    }

    /// A number known while compiling.
    pub(super) fn literal(&mut self, scalar: Scalar) -> Value {
        match scalar {
            Scalar::Real(x) => self.real_const(x),
            Scalar::Int(n) => self.int_const(n),
            Scalar::Bool(b) => self.b.ins().iconst(types::I8, i64::from(b)),
        }
    }

    /// An integer.
    pub(super) fn int_const(&mut self, n: i64) -> Value {
        self.b.ins().iconst(types::I64, n)
    }

    /// A real.
    pub(super) fn real_const(&mut self, x: f64) -> Value {
        if self.real == types::F32 { self.b.ins().f32const(single(x)) } else { self.b.ins().f64const(x) }
    }

    /// A number as the program's reals have it.
    pub(super) fn rounded(&self, x: f64) -> f64 {
        if self.real == types::F32 { f64::from(single(x)) } else { x }
    }

    /// A primitive on scalars.
    pub(super) fn primitive(&mut self, prim: Prim, args: &[Value]) -> Value {
        match prim.cpu() {
            Cpu::Instruction(instruction) => self.instruction(instruction, args),
            Cpu::Call1(f) => self.call_real(f as usize, args),
            Cpu::Call2(f) => self.call_real(f as usize, args),
            Cpu::CallInt(f) => {
                let wide = self.widen(args[0]);
                let result = self.call(f as usize, &[wide, args[1]], Some(types::F64));
                self.narrow(result)
            }
            Cpu::Order(f) => {
                let wide = self.widen(args[1]);
                let result = self.call(f as usize, &[args[0], wide], Some(types::F64));
                self.narrow(result)
            }
            Cpu::Ints(f) => self.call(f as usize, args, Some(types::I64)),
        }
    }

    fn call_real(&mut self, address: usize, args: &[Value]) -> Value {
        let wide: Vec<Value> = args.iter().map(|arg| self.widen(*arg)).collect();
        let result = self.call(address, &wide, Some(types::F64));
        self.narrow(result)
    }

    /// A real as `f64`.
    pub(super) fn widen(&mut self, x: Value) -> Value {
        if self.real == types::F32 { self.b.ins().fpromote(types::F64, x) } else { x }
    }

    /// An `f64` as a real.
    pub(super) fn narrow(&mut self, x: Value) -> Value {
        if self.real == types::F32 { self.b.ins().fdemote(types::F32, x) } else { x }
    }

    /// A call of a host function; without a result, the value is meaningless.
    pub(super) fn call(&mut self, address: usize, args: &[Value], result: Option<Type>) -> Value {
        let mut signature = Signature::new(self.convention);
        for arg in args {
            let ty = self.b.func.dfg.value_type(*arg);
            signature.params.push(AbiParam::new(ty));
        }
        signature.returns.extend(result.map(AbiParam::new));
        let known = self.signatures.get(&signature).copied();
        let reference = known.unwrap_or_else(|| {
            let reference = self.b.import_signature(signature.clone());
            self.signatures.insert(signature, reference);
            reference
        });
        #[expect(clippy::cast_possible_wrap, reason = "an address is a pattern of bits")]
        let callee = self.int_const(address as i64);
        let call = self.b.ins().call_indirect(reference, callee, args);
        let results = self.b.inst_results(call);
        results.first().copied().unwrap_or(callee)
    }

    /// What folding combines with.
    pub(super) fn combine(&mut self, fold: Fold, so_far: Value, x: Value) -> Value {
        let instruction = match fold {
            Fold::Sum => Instruction::Add,
            Fold::Prod => Instruction::Mul,
            Fold::Max => Instruction::Max,
            Fold::Min => Instruction::Min,
            Fold::All => Instruction::And,
            Fold::Any => Instruction::Or,
        };
        self.instruction(instruction, &[so_far, x])
    }

    /// What folding starts from.
    pub(super) fn start_of(&mut self, fold: Fold, elem: Elem) -> Value {
        self.literal(start(fold, elem))
    }

    fn compare(&mut self, float: FloatCC, int: IntCC, args: &[Value]) -> Value {
        if self.is_float(args[0]) {
            self.b.ins().fcmp(float, args[0], args[1])
        } else {
            self.b.ins().icmp(int, args[0], args[1])
        }
    }

    pub(super) fn is_float(&self, value: Value) -> bool {
        self.b.func.dfg.value_type(value).lane_type().is_float()
    }

    /// An instruction on scalars.
    pub(super) fn instruction(&mut self, instruction: Instruction, args: &[Value]) -> Value {
        use Instruction as I;
        let float = self.is_float(args[0]);
        let a = args[0];
        let second = |at: usize| args.get(at).copied().unwrap_or(a);
        let (b, c) = (second(1), second(2));
        match (instruction, float) {
            (I::Add, true) => self.b.ins().fadd(a, b),
            (I::Add, false) => self.b.ins().iadd(a, b),
            (I::Sub, true) => self.b.ins().fsub(a, b),
            (I::Sub, false) => self.b.ins().isub(a, b),
            (I::Mul, true) => self.b.ins().fmul(a, b),
            (I::Mul, false) => self.b.ins().imul(a, b),
            (I::Div, _) => self.b.ins().fdiv(a, b),
            (I::Neg, true) => self.b.ins().fneg(a),
            (I::Neg, false) => self.b.ins().ineg(a),
            (I::Abs, true) => self.b.ins().fabs(a),
            (I::Abs, false) => self.b.ins().iabs(a),
            (I::Min, true) => self.b.ins().fmin(a, b),
            (I::Min, false) => self.b.ins().smin(a, b),
            (I::Max, true) => self.b.ins().fmax(a, b),
            (I::Max, false) => self.b.ins().smax(a, b),
            (I::Sqrt, _) => self.b.ins().sqrt(a),
            (I::Floor, _) => self.b.ins().floor(a),
            (I::Ceil, _) => self.b.ins().ceil(a),
            (I::Round, _) => self.b.ins().nearest(a),
            (I::Lt, _) => self.compare(FloatCC::LessThan, IntCC::SignedLessThan, args),
            (I::Le, _) => self.compare(FloatCC::LessThanOrEqual, IntCC::SignedLessThanOrEqual, args),
            (I::Eq, _) => self.compare(FloatCC::Equal, IntCC::Equal, args),
            (I::Ne, _) => self.compare(FloatCC::NotEqual, IntCC::NotEqual, args),
            (I::Ge, _) => self.compare(FloatCC::GreaterThanOrEqual, IntCC::SignedGreaterThanOrEqual, args),
            (I::Gt, _) => self.compare(FloatCC::GreaterThan, IntCC::SignedGreaterThan, args),
            (I::And, _) => self.b.ins().band(a, b),
            (I::Or, _) => self.b.ins().bor(a, b),
            (I::Not, _) => {
                let one = self.b.ins().iconst(types::I8, 1);
                self.b.ins().bxor(a, one)
            }
            (I::Where, _) => self.b.ins().select(a, b, c),
            (I::MaskedMul | I::BothMaskedMul | I::Hypot | I::HypotSlope, _) => {
                self.several(instruction, a, b)
            }
            (I::IntToReal, _) => {
                let wide = self.b.ins().fcvt_from_sint(types::F64, a);
                self.narrow(wide)
            }
            (I::BoolToReal, _) => {
                let one = self.real_const(1.0);
                let zero = self.real_const(0.0);
                self.b.ins().select(a, one, zero)
            }
            (I::BoolToInt, _) => self.b.ins().uextend(types::I64, a),
            (I::RealToInt, _) => self.b.ins().fcvt_to_sint_sat(types::I64, a),
            (I::IsFinite, _) => {
                let size = self.b.ins().fabs(a);
                let infinity = self.real_const(f64::INFINITY);
                self.b.ins().fcmp(FloatCC::LessThan, size, infinity)
            }
            (I::Unit, _) => self.unit(a),
        }
    }

    /// What stands for several instructions on reals.
    fn several(&mut self, instruction: Instruction, a: Value, b: Value) -> Value {
        use Instruction as I;
        match instruction {
            I::MaskedMul => {
                let zero = self.real_const(0.0);
                let is_zero = self.b.ins().fcmp(FloatCC::Equal, a, zero);
                let product = self.b.ins().fmul(a, b);
                self.b.ins().select(is_zero, zero, product)
            }
            I::BothMaskedMul => {
                let zero = self.real_const(0.0);
                let none = self.b.ins().fcmp(FloatCC::Equal, a, zero);
                let other = self.b.ins().fcmp(FloatCC::Equal, b, zero);
                let either = self.b.ins().bor(none, other);
                let product = self.b.ins().fmul(a, b);
                self.b.ins().select(either, zero, product)
            }
            I::Hypot => {
                let h = self.hypotenuse(a, b);
                self.narrow(h)
            }
            I::HypotSlope => {
                let h = self.hypotenuse(a, b);
                let zero = self.b.ins().f64const(0.0);
                let none = self.b.ins().fcmp(FloatCC::Equal, h, zero);
                let a = self.widen(a);
                let slope = self.b.ins().fdiv(a, h);
                let slope = self.b.ins().select(none, zero, slope);
                self.narrow(slope)
            }
            _ => unreachable!("{instruction:?} is one instruction"),
        }
    }

    /// See `math::functions::hypot`: an `f64`, to be rounded once. The operands are put in an order, so
    /// that the roots of (a, b) and (b, a) are the same code.
    fn hypotenuse(&mut self, a: Value, b: Value) -> Value {
        let (a, b) = if a < b { (a, b) } else { (b, a) };
        let (a, b) = (self.widen(a), self.widen(b));
        let (a, b) = (self.b.ins().fabs(a), self.b.ins().fabs(b));
        let (most, least) = (self.b.ins().fmax(a, b), self.b.ins().fmin(a, b));
        let same = self.b.ins().fcmp(FloatCC::Equal, most, least);
        let one = self.b.ins().f64const(1.0);
        let ratio = self.b.ins().fdiv(least, most);
        let ratio = self.b.ins().select(same, one, ratio);
        let square = self.b.ins().fmul(ratio, ratio);
        let sum = self.b.ins().fadd(one, square);
        let root = self.b.ins().sqrt(sum);
        self.b.ins().fmul(most, root)
    }

    /// Whether a function of a known second argument is written as products.
    pub(super) fn as_products(&self, prim: Prim, n: i64) -> bool {
        matches!(prim.cpu(), Cpu::CallInt(_)) && n.abs() <= 64 && self.real == types::F64
    }

    /// A real, or a vector of them, to a known power: the products of `math::functions::powi`.
    pub(super) fn power(&mut self, base: Value, n: i64) -> Value {
        let ty = self.b.func.dfg.value_type(base);
        let one = self.b.ins().f64const(1.0);
        let one = if ty.is_vector() { self.splat(one) } else { one };
        let (mut base, mut left, mut product) = (base, n.unsigned_abs(), None);
        while left > 0 {
            if left & 1 == 1 {
                product = Some(match product {
                    None => base,
                    Some(product) => self.b.ins().fmul(product, base),
                });
            }
            left >>= 1;
            if left > 0 {
                base = self.b.ins().fmul(base, base);
            }
        }
        match product {
            None => one,
            Some(product) if n < 0 => self.b.ins().fdiv(one, product),
            Some(product) => product,
        }
    }

    /// See `math::functions::unit`.
    fn unit(&mut self, bits: Value) -> Value {
        let shift = self.int_const(12);
        let upper = self.b.ins().ushr(bits, shift);
        let upper = self.b.ins().fcvt_from_sint(types::F64, upper);
        let half = self.b.ins().f64const(0.5);
        let scale = self.b.ins().f64const(1.0 / 4_503_599_627_370_496.0);
        let middle = self.b.ins().fadd(upper, half);
        let unit = self.b.ins().fmul(middle, scale);
        self.narrow(unit)
    }
}

/// A number in single precision.
#[expect(clippy::cast_possible_truncation, reason = "reals are rounded to the program's precision")]
fn single(x: f64) -> f32 {
    x as f32
}

/// What folding starts from.
pub(super) fn start(fold: Fold, elem: Elem) -> Scalar {
    match (fold, elem) {
        (Fold::Sum, Elem::Int) => Scalar::Int(0),
        (Fold::Sum, _) => Scalar::Real(0.0),
        (Fold::Prod, Elem::Int) => Scalar::Int(1),
        (Fold::Prod, _) => Scalar::Real(1.0),
        (Fold::Max, Elem::Int) => Scalar::Int(i64::MIN),
        (Fold::Max, _) => Scalar::Real(f64::NEG_INFINITY),
        (Fold::Min, Elem::Int) => Scalar::Int(i64::MAX),
        (Fold::Min, _) => Scalar::Real(f64::INFINITY),
        (Fold::All, _) => Scalar::Bool(true),
        (Fold::Any, _) => Scalar::Bool(false),
    }
}
