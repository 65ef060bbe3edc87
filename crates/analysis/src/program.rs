//! A structure laid out to be evaluated for 64 states of its events at once, without allocation.

use crate::structure::{Gate, Ref, Structure};

#[derive(Clone, Copy, Debug)]
enum Op {
    Constant(u64),
    Event(u32),
    And,
    Or,
    AtLeast(u32),
}

/// The graph as a list of operations, each on results before it.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    ops: Vec<(Op, u32, u32)>,
    arguments: Vec<u32>,
    outputs: Vec<u32>,
}

/// What an evaluation writes over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    values: Vec<u64>,
    counts: Vec<u64>,
}

impl Program {
    /// Of these tops, in this order.
    pub(crate) fn new(structure: &Structure, tops: &[Ref]) -> Self {
        let (structure, tops) = structure.reduced(tops);
        let mut program = Self {
            ops: Vec::with_capacity(structure.len()),
            arguments: Vec::new(),
            outputs: tops.iter().map(|t| t.0).collect(),
        };
        for index in 0..structure.len() {
            let gate = structure.gate(Ref(index as u32));
            let op = match gate {
                Gate::Constant(value) => Op::Constant(if *value { u64::MAX } else { 0 }),
                Gate::Event(event) => Op::Event(*event),
                Gate::And(_) => Op::And,
                Gate::Or(_) => Op::Or,
                Gate::AtLeast(k, _) => Op::AtLeast(*k),
            };
            let first = program.arguments.len() as u32;
            program
                .arguments
                .extend(gate.arguments().iter().map(|r| r.0));
            program
                .ops
                .push((op, first, program.arguments.len() as u32));
        }
        program
    }

    /// The events that any output looks at.
    pub(crate) fn events(&self) -> Vec<u32> {
        let event = |op: &(Op, u32, u32)| match op.0 {
            Op::Event(event) => Some(event),
            _ => None,
        };
        let mut events: Vec<u32> = self.ops.iter().filter_map(event).collect();
        events.sort_unstable();
        events
    }

    /// Evaluates 64 states; bit i of `event(e)` says whether e has failed in state i.
    pub(crate) fn run(&self, scratch: &mut Scratch, event: &[u64]) {
        let Scratch { values, counts } = scratch;
        values.clear();
        for &(op, first, end) in &self.ops {
            let arguments = self.arguments[first as usize..end as usize].iter();
            let of = |a: &u32| values[*a as usize];
            let value = match op {
                Op::Constant(value) => value,
                Op::Event(number) => event[number as usize],
                Op::And => arguments.map(of).fold(u64::MAX, |a, b| a & b),
                Op::Or => arguments.map(of).fold(0, |a, b| a | b),
                Op::AtLeast(k) => {
                    let k = k as usize;
                    counts.clear();
                    counts.resize(k + 1, 0);
                    counts[0] = u64::MAX;
                    for argument in arguments {
                        let failed = values[*argument as usize];
                        for j in (1..=k).rev() {
                            counts[j] |= counts[j - 1] & failed;
                        }
                    }
                    counts[k]
                }
            };
            values.push(value);
        }
    }

    /// In which of the states an output has failed.
    pub(crate) fn output(&self, scratch: &Scratch, index: usize) -> u64 {
        scratch.values[self.outputs[index] as usize]
    }
}
