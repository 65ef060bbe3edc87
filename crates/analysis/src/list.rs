//! Lists minimal cut sets, smallest first, up to an order and a number.

use crate::bdd::{ONE, ZERO};
use crate::diagram::Diagram;
use crate::solve::Solved;
use crate::structure::{Gate, Ref};

/// The events of one minimal cut set, in order of number.
pub type CutSet = Vec<u32>;

/// What a module has, by size.
struct Listed {
    sets: Vec<CutSet>,
    complete: bool,
}

/// All minimal cut sets of at most `order` events, at most `most`; and whether these are all.
pub(crate) fn list(solved: &Solved, order: usize, most: usize) -> Option<(Vec<CutSet>, bool)> {
    let mut modules: Vec<Listed> = Vec::with_capacity(solved.modules.len());
    for module in &solved.modules {
        let sets = module.sets.as_ref()?;
        let parts: Vec<Part<'_>> = module
            .order
            .iter()
            .map(|r| part(solved, *r, &modules))
            .collect();
        modules.push(collect(sets, &parts, order, most));
    }
    debug_assert_eq!(solved.modules.last().map(|m| m.root), Some(solved.top()));
    modules.pop().map(|m| (m.sets, m.complete))
}

/// What a variable stands for.
enum Part<'a> {
    Event(u32),
    Module(&'a Listed),
    Nothing,
}

impl Part<'_> {
    fn least(&self) -> usize {
        match self {
            Self::Event(_) => 1,
            Self::Module(listed) => listed.sets.first().map_or(usize::MAX, Vec::len),
            Self::Nothing => usize::MAX,
        }
    }
}

fn part<'a>(solved: &Solved, leaf: Ref, modules: &'a [Listed]) -> Part<'a> {
    match (solved.module_of[leaf.index()], solved.gate(leaf)) {
        (Some(module), _) => Part::Module(&modules[module]),
        (None, Gate::Event(event)) => Part::Event(*event),
        (None, _) => Part::Nothing,
    }
}

fn collect(sets: &Diagram, parts: &[Part<'_>], order: usize, most: usize) -> Listed {
    // The least size of a set below each node, so that no dead end is entered.
    let mut least = vec![usize::MAX, 0];
    for node in &sets.nodes[2..] {
        let with = least[node.high as usize].saturating_add(parts[node.level as usize].least());
        least.push(least[node.low as usize].min(with));
    }
    let mut found = Listed {
        sets: Vec::new(),
        complete: true,
    };
    // Size by size: the smallest come first, and a bound on the number drops the largest.
    for size in least[sets.root() as usize]..=order {
        let mut walk = Walk {
            sets,
            parts,
            least: &least,
            found: Vec::new(),
            most: most.saturating_sub(found.sets.len()),
            complete: true,
        };
        walk.visit(sets.root(), size, &mut Vec::new());
        walk.found.iter_mut().for_each(|set| set.sort_unstable());
        walk.found.sort_unstable();
        found.complete &= walk.complete;
        found.sets.append(&mut walk.found);
        if !found.complete {
            break;
        }
    }
    // A module of which some are left out matters where a set has it.
    let cut_short = |level: u32| matches!(&parts[level as usize], Part::Module(m) if !m.complete);
    found.complete &= !sets.nodes[2..].iter().any(|n| cut_short(n.level));
    found
}

struct Walk<'a> {
    sets: &'a Diagram,
    parts: &'a [Part<'a>],
    least: &'a [usize],
    found: Vec<CutSet>,
    most: usize,
    complete: bool,
}

impl Walk<'_> {
    /// All sets below a node with exactly `left` events.
    fn visit(&mut self, node: u32, left: usize, prefix: &mut CutSet) {
        if node == ZERO || self.least[node as usize] > left || !self.complete {
            return;
        }
        if node == ONE {
            if left == 0 {
                if self.found.len() >= self.most {
                    self.complete = false;
                } else {
                    self.found.push(prefix.clone());
                }
            }
            return;
        }
        let here = self.sets.nodes[node as usize];
        self.visit(here.low, left, prefix);
        let length = prefix.len();
        match &self.parts[here.level as usize] {
            Part::Event(event) if left > 0 => {
                prefix.push(*event);
                self.visit(here.high, left - 1, prefix);
                prefix.truncate(length);
            }
            Part::Module(listed) => {
                for set in listed.sets.iter().take_while(|s| s.len() <= left) {
                    prefix.extend_from_slice(set);
                    self.visit(here.high, left - set.len(), prefix);
                    prefix.truncate(length);
                }
            }
            _ => {}
        }
    }
}
