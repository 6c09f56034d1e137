//! From functions to steps, one step for each binding.

use crate::diag::Span;
use crate::ir::{
    Affine, At, Binding, Data, Elem, Fold, Form, Function, If, Loop, Nest, Node, NodeId, Op, Program, Tensor,
    Ty,
};
use crate::math::Scalar;

use super::steps::{
    Block, Carried, IfStep, Item, ItemId, KernelStep, LoopStep, NestStep, Output, Plan, ScalarStep, Stacked,
    Step,
};

/// More scalars than this carried by one loop live in memory.
const CARRIED_IN_REGISTERS: usize = 48;

/// The steps of a program; nothing has a place in memory yet.
pub(super) fn schedule(program: &Program) -> Plan {
    let mut schedule = Schedule {
        plan: Plan {
            precision: program.precision,
            items: Vec::new(),
            buffers: Vec::new(),
            arena: 0,
            rows: 0,
            constants: Vec::new(),
            params: Vec::new(),
            results: Vec::new(),
            body: Block::default(),
            weight: 0,
            ordered: true,
        },
        span: Span::default(),
    };
    let main = &program.main;
    let params: Vec<ItemId> = main.params.iter().map(|param| schedule.item(main.ty(*param))).collect();
    let mut block = Block::default();
    let results = schedule.function(main, &params, &mut block);
    schedule.plan.results = schedule.own_results(&params, &results, &mut block);
    for item in params.iter().chain(&schedule.plan.results.clone()) {
        let item = schedule.plan.item_mut(*item);
        item.lasting = true;
        item.home = item.sizes.is_empty();
    }
    schedule.plan.params = params;
    schedule.plan.body = block;
    schedule.plan
}

struct Schedule {
    plan: Plan,
    /// The place of the binding that is being scheduled.
    span: Span,
}

impl Schedule {
    fn item(&mut self, ty: &Ty) -> ItemId {
        self.plan.add(Item::new(ty.elem, ty.sizes(), self.span))
    }

    /// Another item of the same type.
    fn like(&mut self, id: ItemId) -> ItemId {
        let item = self.plan.item(id);
        let item = Item::new(item.elem, item.sizes.clone(), self.span);
        self.plan.add(item)
    }

    /// Results that are parameters, literals, or the same as another are copied, so that each
    /// result has memory of its own.
    fn own_results(&mut self, params: &[ItemId], results: &[ItemId], block: &mut Block) -> Vec<ItemId> {
        let mut taken: std::collections::HashSet<ItemId> = params.iter().copied().collect();
        taken.extend(self.plan.constants.iter().map(|(item, _)| *item));
        let mut own = Vec::new();
        for result in results {
            let root = self.plan.root(*result);
            let known = self.plan.item(*result).literal.is_some();
            if known || root != *result || !taken.insert(root) {
                let to = self.like(*result);
                block.steps.push(Step::Copy { from: *result, to });
                own.push(to);
            } else {
                own.push(*result);
            }
        }
        own
    }

    /// The steps of a function whose parameters are `args`; gives its results.
    fn function(&mut self, function: &Function, args: &[ItemId], block: &mut Block) -> Vec<ItemId> {
        let mut map: Vec<Option<ItemId>> = vec![None; function.types.len()];
        for (param, arg) in function.params.iter().zip(args) {
            map[param.0 as usize] = Some(*arg);
        }
        let look = |map: &[Option<ItemId>], at: u32| {
            map[at as usize].expect("operands are bound before they are read")
        };
        for binding in &function.bindings {
            let operands: Vec<ItemId> = binding.operands.iter().map(|v| look(&map, v.0)).collect();
            self.span = binding.span;
            let items = self.binding(function, binding, &operands, block);
            for (value, item) in binding.values.iter().zip(items) {
                map[value.0 as usize] = Some(item);
            }
        }
        function.results.iter().map(|v| look(&map, v.0)).collect()
    }

    fn binding(
        &mut self,
        function: &Function,
        binding: &Binding,
        operands: &[ItemId],
        block: &mut Block,
    ) -> Vec<ItemId> {
        let ty = |at: usize| function.ty(binding.values[at]);
        match &binding.op {
            Op::Constant(tensor) => vec![self.constant(tensor)],
            Op::Primitive(prim) if ty(0).rank() == 0 => {
                let item = self.item(ty(0));
                block.steps.push(Step::Scalar(ScalarStep { prim: *prim, operands: operands.to_vec(), item }));
                vec![item]
            }
            Op::Primitive(prim) => {
                let nest = elementwise(*prim, &ty(0).sizes(), operands.len());
                vec![self.nest(nest, ty(0), operands, binding, block)]
            }
            Op::Structural(op) => {
                let types: Vec<Ty> =
                    binding.operands.iter().map(|value| function.ty(*value).clone()).collect();
                vec![self.form(op.form(&types), ty(0), operands, binding, block)]
            }
            Op::Loop(op) => self.repeat(op, operands, block),
            Op::If(op) => self.choose(op, operands, block),
            Op::Map(_) | Op::Custom(_) | Op::Jvp(_) | Op::Vjp(_) => {
                unreachable!("the passes have removed this control form")
            }
        }
    }

    fn constant(&mut self, tensor: &Tensor) -> ItemId {
        let item = self.item(&tensor.ty());
        if tensor.sizes.is_empty() {
            self.plan.item_mut(item).literal = Some(match &tensor.data {
                Data::Real(data) => Scalar::Real(data[0]),
                Data::Int(data) => Scalar::Int(data[0]),
                Data::Bool(data) => Scalar::Bool(data[0]),
            });
        } else {
            self.plan.item_mut(item).lasting = true;
            self.plan.constants.push((item, tensor.clone()));
        }
        item
    }

    fn form(
        &mut self,
        form: Form,
        ty: &Ty,
        operands: &[ItemId],
        binding: &Binding,
        block: &mut Block,
    ) -> ItemId {
        match form {
            Form::Alias => self.alias(ty, operands[0], binding, block),
            Form::Nest(nest) => self.nest(nest, ty, operands, binding, block),
            Form::Kernel { name, numbers } => {
                for operand in operands {
                    self.needs_memory(*operand);
                }
                let item = self.item(ty);
                self.plan.item_mut(item).home = ty.rank() == 0;
                block.steps.push(Step::Kernel(KernelStep {
                    name,
                    operands: operands.to_vec(),
                    item,
                    numbers,
                    span: binding.span,
                }));
                item
            }
        }
    }

    /// A kernel reads its operands from memory.
    fn needs_memory(&mut self, id: ItemId) {
        let item = self.plan.item_mut(id);
        item.home = item.sizes.is_empty();
    }

    /// The same elements under other sizes; between scalars and arrays of one element, a copy.
    fn alias(&mut self, ty: &Ty, from: ItemId, binding: &Binding, block: &mut Block) -> ItemId {
        let rank = self.plan.item(from).sizes.len();
        if (rank == 0) == (ty.rank() == 0) {
            let item = self.item(ty);
            let root = if rank == 0 { None } else { Some(from) };
            if root.is_none() {
                return from;
            }
            self.plan.item_mut(item).alias = root;
            return item;
        }
        let at = vec![At::Affine(Affine::constant(0)); rank];
        let nest = Nest::moved(ty.sizes(), at);
        self.nest(nest, ty, &[from], binding, block)
    }

    fn nest(
        &mut self,
        nest: Nest,
        ty: &Ty,
        operands: &[ItemId],
        binding: &Binding,
        block: &mut Block,
    ) -> ItemId {
        let item = self.item(ty);
        let nest = unfolded(nest, ty.elem);
        let loops: Vec<usize> = nest.dims.iter().chain(&nest.folded).copied().collect();
        block.steps.push(Step::Nest(NestStep {
            order: (0..loops.len()).collect(),
            sizes: loops.clone(),
            lanes: None,
            outputs: vec![Output {
                item,
                root: NodeId(nest.nodes.len() - 1),
                fold: nest.fold,
                kept: nest.dims.len(),
            }],
            loops,
            operands: operands.to_vec(),
            spans: vec![binding.span; nest.nodes.len()],
            nodes: nest.nodes,
            cut: None,
        }));
        item
    }

    fn repeat(&mut self, op: &Loop, operands: &[ItemId], block: &mut Block) -> Vec<ItemId> {
        let around = self.span;
        let (initial, captures) = operands.split_at(op.carried);
        let index = self.item(&Ty::scalar(crate::ir::Elem::Int));
        let states: Vec<ItemId> = initial.iter().map(|item| self.like(*item)).collect();
        if initial.len() > CARRIED_IN_REGISTERS {
            for state in &states {
                self.spill(*state);
            }
        }
        let args: Vec<ItemId> = [index].iter().chain(&states).chain(captures).copied().collect();
        let condition = op.condition.as_ref().map(|condition| {
            let mut block = Block::default();
            let results = self.function(condition, &args, &mut block);
            (block, results[0])
        });
        let mut body = Block::default();
        let results = self.function(&op.body, &args, &mut body);
        let carried = self.carry(initial, &states, &results[..op.carried], &mut body);
        self.span = around;
        let stacked: Vec<Stacked> = results[op.carried..].iter().map(|row| self.stack(op, *row)).collect();
        let all: Vec<ItemId> = stacked.iter().map(|stacked| stacked.all).collect();
        block.steps.push(Step::Loop(Box::new(LoopStep {
            trip: op.trip.size(),
            index,
            carried,
            condition,
            body,
            stacked,
        })));
        states.into_iter().chain(all).collect()
    }

    /// Next values that are the states of other carried values are saved first, because all
    /// states change at once.
    fn carry(
        &mut self,
        initial: &[ItemId],
        states: &[ItemId],
        nexts: &[ItemId],
        body: &mut Block,
    ) -> Vec<Carried> {
        let own: std::collections::HashSet<ItemId> = states.iter().copied().collect();
        let mut carried = Vec::new();
        for ((initial, state), next) in initial.iter().zip(states).zip(nexts) {
            let (initial, state, mut next) = (*initial, *state, *next);
            let root = self.plan.root(next);
            if root != state && own.contains(&root) {
                let saved = self.like(next);
                body.steps.push(Step::Copy { from: next, to: saved });
                next = saved;
            }
            carried.push(Carried { initial, state, next });
        }
        carried
    }

    fn stack(&mut self, op: &Loop, row: ItemId) -> Stacked {
        let item = self.plan.item(row);
        let mut sizes = vec![op.trip.size()];
        sizes.extend(&item.sizes);
        let elem = item.elem;
        let all = self.plan.add(Item::new(elem, sizes, self.span));
        Stacked { row, all }
    }

    fn spill(&mut self, id: ItemId) {
        let item = self.plan.item_mut(id);
        if item.sizes.is_empty() {
            item.home = true;
            item.spilled = true;
        }
    }

    fn choose(&mut self, op: &If, operands: &[ItemId], block: &mut Block) -> Vec<ItemId> {
        let around = self.span;
        let (condition, captures) = (operands[0], &operands[1..]);
        let (mut then, mut otherwise) = (Block::default(), Block::default());
        let thens = self.function(&op.then, captures, &mut then);
        let others = self.function(&op.otherwise, captures, &mut otherwise);
        self.span = around;
        let results: Vec<(ItemId, ItemId, ItemId)> =
            thens.into_iter().zip(others).map(|(a, b)| (self.like(a), a, b)).collect();
        let items: Vec<ItemId> = results.iter().map(|(item, _, _)| *item).collect();
        if items.len() > CARRIED_IN_REGISTERS {
            for item in &items {
                self.spill(*item);
            }
        }
        block.steps.push(Step::If(Box::new(IfStep { condition, then, otherwise, results })));
        items
    }
}

/// A nest that folds one element only, without the fold: a sum of one element is 0 and the element.
fn unfolded(mut nest: Nest, elem: Elem) -> Nest {
    let Some(fold) = nest.fold.filter(|_| nest.folded.iter().all(|size| *size == 1)) else {
        return nest;
    };
    let depth = nest.dims.len();
    let cut = |form: &mut Affine| form.coefficients.truncate(depth);
    for node in &mut nest.nodes {
        match node {
            Node::Read { operand: _, at } => at.iter_mut().for_each(|at| {
                if let At::Affine(form) = at {
                    cut(form);
                }
            }),
            Node::Index(form) => cut(form),
            Node::Within { ranges, .. } => ranges.iter_mut().for_each(|(form, _, _)| cut(form)),
            Node::Constant(_) | Node::Primitive(..) => {}
        }
    }
    if let (Fold::Sum, Elem::Real) = (fold, elem) {
        let root = NodeId(nest.nodes.len() - 1);
        nest.nodes.push(Node::Constant(Tensor::scalar(0.0)));
        nest.nodes.push(Node::Primitive(fold.step(), vec![NodeId(root.0 + 1), root]));
    }
    (nest.fold, nest.folded) = (None, Vec::new());
    nest
}

/// The nest of an elementwise primitive.
fn elementwise(prim: crate::math::Prim, sizes: &[usize], operands: usize) -> Nest {
    let at: Vec<At> = (0..sizes.len()).map(|var| At::Affine(Affine::var(var))).collect();
    let mut nodes: Vec<Node> = (0..operands).map(|operand| Node::Read { operand, at: at.clone() }).collect();
    nodes.push(Node::Primitive(prim, (0..operands).map(NodeId).collect()));
    Nest { dims: sizes.to_vec(), folded: Vec::new(), fold: None, nodes }
}
