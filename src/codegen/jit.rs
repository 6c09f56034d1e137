//! Machine functions from a plan, by Cranelift.

use std::collections::HashMap;

use cranelift::codegen::Context as Compile;
use cranelift::codegen::control::ControlPlane;
use cranelift::codegen::ir::{self, types};
use cranelift::codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift::codegen::settings::{self, Configurable};
use cranelift::prelude::{AbiParam, FunctionBuilder, FunctionBuilderContext, Signature};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, ModuleReloc, default_libcall_names};

use crate::diag::Span;
use crate::ir::Precision;
use crate::math::functions;
use crate::plan::{Block, Cut, ItemId, KernelStep, NestStep, Outlined, Plan, Step};
use crate::runtime::kernels;
use crate::runtime::kernels::Vectors;

use super::emit::Emitter;
use super::profile::Share;
use super::{Options, Refusal};

/// Blocks of more scalar steps than this may have many scalars alive at once, on which the thorough
/// register allocator takes more than linear time; they go to the quick one.
const STRAIGHT: usize = 400;

/// Executable code, freed when dropped.
pub(super) struct Code {
    module: Option<JITModule>,
    /// What kernel calls refer to: the code holds their addresses.
    _records: Vec<Box<[i64]>>,
    /// Powers that the code looks up.
    _powers: Vec<Box<[f64]>>,
    /// The places of checks, by number from 1.
    pub(super) sites: Vec<Span>,
    /// The entry.
    entry: *const u8,
    /// How many machine functions there are.
    pub(super) functions: usize,
    /// The size of the machine code in bytes.
    pub(super) bytes: usize,
    /// The functions as text, if that was asked for.
    pub(super) listing: String,
    /// The steps that are measured.
    pub(super) meters: Vec<Vec<Share>>,
}

// SAFETY: machine code and the records that it reads never change once they are made, and the module is touched again
// only by the one owner that drops it.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

impl Code {
    /// The entry, as a function of context and arena.
    pub(super) fn entry(&self) -> *const u8 {
        self.entry
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: the entry is called through this value only, so nothing of it runs now or
            // later.
            unsafe { module.free_memory() };
        }
    }
}

/// What the machine functions of a program share.
pub(super) struct Shared<'p> {
    module: JITModule,
    /// The same machine with the quick register allocator.
    quick: OwnedTargetIsa,
    signature: Signature,
    /// That of parts.
    of_parts: Signature,
    sites: Vec<Span>,
    records: Vec<Box<[i64]>>,
    /// Powers of numbers that are known.
    powers: Vec<Box<[f64]>>,
    /// Machine functions not written yet.
    waiting: Vec<(FuncId, Inside<'p>)>,
    functions: usize,
    /// The bytes of strips.
    bytes: usize,
    /// The widest vectors used.
    pub(super) vectors: Vectors,
    /// Whether loops are written for vectors of 512 bits.
    pub(super) wide: bool,
    /// Strips written so far, by their code.
    strips: HashMap<Vec<u8>, FuncId>,
    list: bool,
    listing: String,
    /// Whether steps are measured, and those that are.
    profile: bool,
    meters: Vec<Vec<Share>>,
}

/// What a machine function does.
#[derive(Clone, Copy)]
enum Inside<'p> {
    /// Steps, which read some scalars that are bound outside.
    Steps(&'p Block, &'p [ItemId]),
    /// A part of a nest.
    Part(&'p NestStep, &'p Cut),
}

impl<'p> Shared<'p> {
    /// The number under which a failed check at a place is noted.
    pub(super) fn site(&mut self, span: Span) -> i64 {
        if self.sites.last() != Some(&span) {
            self.sites.push(span);
        }
        i64::try_from(self.sites.len()).unwrap_or(0)
    }

    /// Whether steps are measured.
    pub(super) fn profiles(&self) -> bool {
        self.profile
    }

    /// The number of a step that is measured.
    pub(super) fn meter(&mut self, shares: Vec<Share>) -> i64 {
        self.meters.push(shares);
        i64::try_from(self.meters.len() - 1).unwrap_or(i64::MAX)
    }

    /// A chunk, to be called from a function; it is written later.
    pub(super) fn chunk(&mut self, outlined: &'p Outlined, function: &mut ir::Function) -> ir::FuncRef {
        self.later(Inside::Steps(&outlined.block, &outlined.inputs), function)
    }

    /// The parts of a nest, to be called from a function; they are written later.
    pub(super) fn part(
        &mut self,
        nest: &'p NestStep,
        cut: &'p Cut,
        function: &mut ir::Function,
    ) -> ir::FuncRef {
        self.later(Inside::Part(nest, cut), function)
    }

    fn later(&mut self, inside: Inside<'p>, function: &mut ir::Function) -> ir::FuncRef {
        let signature = match inside {
            Inside::Steps(..) => &self.signature,
            Inside::Part(..) => &self.of_parts,
        };
        let declared = self.module.declare_anonymous_function(signature);
        let id = declared.expect("anonymous functions do not clash");
        self.waiting.push((id, inside));
        let reference = self.module.declare_func_in_func(id, function);
        // Functions may lie further apart than a near call reaches.
        function.dfg.ext_funcs[reference].colocated = false;
        reference
    }

    /// The address of the powers of a number.
    pub(super) fn powers(&mut self, x: f64) -> *const f64 {
        self.powers.push(functions::powers(x).into_boxed_slice());
        self.powers.last().map_or(std::ptr::null(), |powers| powers.as_ptr())
    }

    /// A function that is there as machine code, `(memory)`, to be called from a function.
    pub(super) fn strip(&mut self, bytes: &[u8], function: &mut ir::Function) -> ir::FuncRef {
        let known = self.strips.get(bytes).copied();
        let id = known.unwrap_or_else(|| {
            let mut signature = self.module.make_signature();
            signature.params = vec![AbiParam::new(types::I64)];
            let declared = self.module.declare_anonymous_function(&signature);
            let id = declared.expect("anonymous functions do not clash");
            let defined = self.module.define_function_bytes(id, 64, bytes, &[]);
            defined.expect("there is memory for machine code");
            self.strips.insert(bytes.to_vec(), id);
            self.functions += 1;
            self.bytes += bytes.len();
            id
        });
        let reference = self.module.declare_func_in_func(id, function);
        function.dfg.ext_funcs[reference].colocated = false;
        reference
    }

    /// The address of a kernel, and of the record of this call.
    pub(super) fn kernel(&mut self, plan: &Plan, step: &KernelStep) -> (usize, *const i64) {
        let site = self.site(step.span);
        let part = |id: ItemId| {
            let item = plan.item(id);
            (plan.offset(id), item.count(), item.elem)
        };
        let operands: Vec<_> = step.operands.iter().map(|id| part(*id)).collect();
        let record = kernels::record(site, part(step.item), &operands, &step.numbers);
        let single = plan.precision == Precision::F32;
        let kernel =
            kernels::find(step.name, single).unwrap_or_else(|| panic!("no kernel is called {}", step.name));
        self.records.push(record.into_boxed_slice());
        let record = self.records.last().map_or(std::ptr::null(), |r| r.as_ptr());
        (kernel as usize, record)
    }
}

/// A sentence for what Cranelift says.
fn refused(error: ModuleError) -> Refusal {
    Refusal::Internal(format!("machine code could not be made: {error}"))
}

/// The machine at hand.
fn machine(options: &Options, allocator: &str) -> Result<OwnedTargetIsa, Refusal> {
    let mut flags = settings::builder();
    let switch = |on: bool| if on { "true" } else { "false" };
    let set = [
        ("use_colocated_libcalls", "false"),
        ("is_pic", "false"),
        ("opt_level", if options.optimise { "speed" } else { "none" }),
        ("regalloc_algorithm", allocator),
        ("enable_verifier", switch(options.verify)),
    ];
    let internal = |error: &dyn std::fmt::Display| Refusal::Internal(error.to_string());
    for (name, value) in set {
        flags.set(name, value).map_err(|error| internal(&error))?;
    }
    cranelift_native::builder()
        .map_err(|error| Refusal::Internal(format!("this machine is not supported: {error}")))?
        .finish(settings::Flags::new(flags))
        .map_err(|error| internal(&error))
}

/// The machine code of a plan.
pub(super) fn compile(plan: &Plan, options: &Options) -> Result<Code, Refusal> {
    let thorough = machine(options, "backtracking")?;
    let module = JITModule::new(JITBuilder::with_isa(thorough, default_libcall_names()));
    let mut signature = module.make_signature();
    signature.params = vec![AbiParam::new(types::I64); 2];
    let mut of_parts = signature.clone();
    of_parts.params.push(AbiParam::new(types::I64));
    let mut shared = Shared {
        module,
        quick: machine(options, "single_pass")?,
        signature,
        of_parts,
        sites: Vec::new(),
        records: Vec::new(),
        powers: Vec::new(),
        waiting: Vec::new(),
        functions: 0,
        bytes: 0,
        vectors: options.vectors,
        wide: options.vectors == Vectors::Bits512 && options.optimise && cfg!(unix),
        strips: HashMap::new(),
        list: options.listing,
        listing: String::new(),
        profile: options.profile,
        meters: Vec::new(),
    };
    let main = shared.module.declare_anonymous_function(&shared.signature).map_err(refused)?;
    let scalars: Vec<ItemId> = plan.params.iter().copied().filter(|id| plan.item(*id).is_scalar()).collect();
    let mut builder = FunctionBuilderContext::new();
    let mut context = shared.module.make_context();
    shared.waiting.push((main, Inside::Steps(&plan.body, &scalars)));
    let mut bytes = 0;
    while let Some((id, inside)) = shared.waiting.pop() {
        bytes += write(plan, &mut shared, &mut builder, &mut context, id, inside)?;
    }
    shared.module.finalize_definitions().map_err(refused)?;
    let entry = shared.module.get_finalized_function(main);
    Ok(Code {
        module: Some(shared.module),
        _records: shared.records,
        _powers: shared.powers,
        sites: shared.sites,
        entry,
        functions: shared.functions,
        bytes: bytes + shared.bytes,
        listing: shared.listing,
        meters: shared.meters,
    })
}

/// Writes one machine function; gives the size of its code.
fn write<'p>(
    plan: &'p Plan,
    shared: &mut Shared<'p>,
    builder: &mut FunctionBuilderContext,
    context: &mut Compile,
    id: FuncId,
    inside: Inside<'p>,
) -> Result<usize, Refusal> {
    shared.functions += 1;
    context.func.signature = match inside {
        Inside::Steps(..) => shared.signature.clone(),
        Inside::Part(..) => shared.of_parts.clone(),
    };
    emit(plan, shared, builder, &mut context.func, inside);
    if shared.list {
        let text = context.func.display().to_string();
        shared.listing.push_str(&text);
        context.set_disasm(true);
    }
    let straight = |step: &&Step| matches!(step, Step::Scalar(_));
    let scalars = match inside {
        Inside::Steps(block, _) => block.steps.iter().filter(straight).count(),
        Inside::Part(..) => 0,
    };
    let module = &mut shared.module;
    if scalars > STRAIGHT {
        quickly(module, &*shared.quick, context, id)?;
    } else {
        module.define_function(id, context).map_err(refused)?;
    }
    let code = context.compiled_code();
    let bytes = code.map_or(0, |code| code.code_buffer().len());
    if let Some(text) = code.and_then(|code| code.vcode.as_ref()) {
        shared.listing.push_str(text);
    }
    module.clear_context(context);
    Ok(bytes)
}

/// Defines a function compiled by the quick register allocator.
fn quickly(
    module: &mut JITModule,
    machine: &dyn TargetIsa,
    context: &mut Compile,
    id: FuncId,
) -> Result<(), Refusal> {
    let mut plane = ControlPlane::default();
    let compiled = context.compile(machine, &mut plane);
    compiled.map_err(|error| Refusal::Internal(format!("{:?}", error.inner)))?;
    let Some(code) = context.compiled_code() else {
        return Err(Refusal::Internal("there is no code".to_string()));
    };
    let relocations: Vec<ModuleReloc> = code
        .buffer
        .relocs()
        .iter()
        .map(|reloc| ModuleReloc::from_mach_reloc(reloc, &context.func, id))
        .collect();
    let align = u64::from(code.buffer.alignment);
    let bytes = code.code_buffer();
    module.define_function_bytes(id, align, bytes, &relocations).map_err(refused)
}

/// Writes the instructions of a machine function.
fn emit<'p>(
    plan: &'p Plan,
    shared: &mut Shared<'p>,
    builder: &mut FunctionBuilderContext,
    function: &mut ir::Function,
    inside: Inside<'p>,
) {
    let config = shared.module.target_config();
    let mut b = FunctionBuilder::new(function, builder);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let (host, arena) = (b.block_params(entry)[0], b.block_params(entry)[1]);
    let part = b.block_params(entry).get(2).copied();
    let mut emitter = Emitter {
        plan,
        convention: shared.signature.call_conv,
        shared,
        b,
        real: match plan.precision {
            Precision::F64 => types::F64,
            Precision::F32 => types::F32,
        },
        context: host,
        arena,
        signatures: HashMap::new(),
        scalars: HashMap::new(),
        handed: None,
        rows: None,
    };
    match inside {
        Inside::Steps(block, inputs) => {
            inputs.iter().for_each(|id| emitter.reload(*id));
            emitter.block(block);
        }
        Inside::Part(nest, cut) => emitter.parts(nest, cut, part.unwrap_or(arena)),
    }
    ir::InstBuilder::return_(emitter.b.ins(), &[]);
    emitter.b.finalize(config);
}
